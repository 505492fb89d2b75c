"""The one-standard-error rule towards doing less, which allows for how much the best of many leads by chance alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from autosynth.exceptions import AutosynthError
from autosynth.tuning.candidate import Candidate, spread

if TYPE_CHECKING:
    from autosynth.tuning.candidate import Scored
    from autosynth.tuning.outcome import ArmOutcome

__all__ = ["Challenge", "Pick", "nothing_to_choose", "pick"]

STANDARD_ERRORS = 1.0  # that a candidate must lead by, beyond what chance gives
# Of the largest noise of strangers, what arms of several generators have: they share rows and folds, so a third of
# their noise is common.
ALIKE = 0.8
HOPELESS = -2.0  # a candidate so many standard errors behind is not among those that chance may bring to the top


@dataclass(frozen=True)
class Challenge:
    """The best candidate of a kind against the best of those that ask for less.

    Attributes
    ----------
    champion : Scored
        The best candidate with synthetic rows, or with class weights.
    against : Scored
        The best of the lesser ones.
    lead : float
        By how many standard errors of the paired difference the champion's loss is lower; NaN where it has none.
    by_chance : float
        How many the best of as many candidates leads by on average when all of them are equally good.
    n_tried : int
        Candidates of the kind that were tried; arms that left the race early count once each, whatever their shifts.
    """

    champion: Scored
    against: Scored
    lead: float
    by_chance: float
    n_tried: int

    @property
    def margin(self) -> float:
        """Standard errors that the champion had to lead by."""
        return STANDARD_ERRORS + self.by_chance

    @property
    def is_won(self) -> bool:
        """Whether the champion leads by more than the margin; never where nobody knows the noise."""
        return self.lead > self.margin


@dataclass(frozen=True)
class Pick:
    """What the rule chooses.

    Attributes
    ----------
    chosen : Scored
    best : Scored
        The lowest loss of all, which doing less may be within noise of.
    reference : Scored or None
        The lowest loss without synthetic rows: the one to beat; None when no such candidate got to the end.
    challenge : Challenge or None
        Of the best candidate with synthetic rows against the reference; None when one of them is missing.
    """

    chosen: Scored
    best: Scored
    reference: Scored | None
    challenge: Challenge | None


def pick(scored: Sequence[Scored]) -> Pick:
    """Return the choice among candidates that were judged on all folds.

    Plain training, class weights and synthetic rows are three kinds, each asking for more than the one before.  A kind
    is taken only if its best candidate has a lower loss than the best of the lesser kinds by more than one standard
    error of their paired difference, plus what the best of as many candidates leads by through chance alone: the best
    of fifty arms that are pure noise lies two standard errors ahead, so that the rule without this allowance would
    nearly always choose one.  Within the kind taken, the candidate with the least effort that is within one standard
    error of the best is chosen: as it comes, then the tuned shift, and the prior corrected in closed form.  The closed
    form of an arm is left out where it does not lead the arm's own tuned shift by more than one standard error; a tuned
    shift that does not lead the lesser kinds as it must is no rival.

    Parameters
    ----------
    scored : sequence of Scored
        All candidates; those that left the race early cannot be chosen but count as tried.

    Raises
    ------
    AutosynthError
        If no candidate got to the end, with the reasons.

    References
    ----------
    Hastie, Tibshirani, Friedman. The Elements of Statistical Learning, 2nd ed., 2009. Section 7.10, the rule.
    Hansen. A test for superior predictive ability. Journal of Business and Economic Statistics 23, 2005: the best of
    many, with those left out that are far behind.
    """
    complete = [each for each in scored if each.is_complete]
    if not complete:
        raise nothing_to_choose([each.outcome for each in scored])
    kinds = [[each for each in complete if each.candidate.level == level] for level in (0, 1, 2)]
    taken: list[Scored] = []
    challenge = None
    for level, kind in enumerate(kinds):
        lesser = [each for below in kinds[:level] for each in below]
        if not kind:
            continue
        if not lesser:
            taken = kind
            continue
        n_early = len({each.candidate.arm for each in scored if each.candidate.level == level and not each.is_complete})
        challenge = _challenge(kind, _best(lesser), n_early)
        if challenge.is_won:
            taken = [each for each in kind if _lead(each, challenge.against) > challenge.margin]
    without = [each for kind in kinds[:2] for each in kind]
    return Pick(
        chosen=_least_effort(taken),
        best=_best(complete),
        reference=_best(without) if without else None,
        challenge=challenge if without and kinds[2] else None,
    )


def nothing_to_choose(outcomes: Sequence[ArmOutcome]) -> AutosynthError:
    """Return the error for a race that nobody finished."""
    reasons = dict.fromkeys(f"{each.arm.name}: {each.status}, {each.reason or 'no reason given'}" for each in outcomes)
    listed = "; ".join(reasons) or "no arm was run"
    return AutosynthError(
        f"no candidate got through all folds, so there is nothing to choose from ({listed}). Mend what failed first, "
        "or give more time."
    )


def _challenge(kind: Sequence[Scored], against: Scored, n_early: int) -> Challenge:
    champion = _best(kind)
    return Challenge(
        champion=champion,
        against=against,
        lead=_lead(champion, against),
        by_chance=_by_chance(kind, against, n_early),
        n_tried=len(kind) + n_early,
    )


def _best(some: Sequence[Scored]) -> Scored:
    return min(some, key=lambda each: (each.loss, each.effort))


def _least_effort(some: Sequence[Scored]) -> Scored:
    """Return the candidate with the least effort within one standard error of the best; unknown noise covers all."""
    best = _best(some)
    near = [each for each in some if each is best or not _lead(best, each) > STANDARD_ERRORS]
    open_to = [each for each in near if not _has_as_good_a_tuned_one(each, some)]
    return min(open_to, key=lambda each: (each.effort, each.loss))


def _has_as_good_a_tuned_one(one: Scored, some: Sequence[Scored]) -> bool:
    """Return whether this is a closed form that does not lead its own arm's tuned shift by one standard error."""
    tuned = Candidate(one.candidate.arm, "tuned")
    rivals = [each for each in some if each.candidate == tuned]
    return one.candidate.shift == "prior" and any(not _lead(one, each) > STANDARD_ERRORS for each in rivals)


def _lead(first: Scored, second: Scored) -> float:
    """Return by how many standard errors the first has the lower loss; NaN where these are unknown."""
    ahead = second.draws - first.draws
    error = spread(ahead)
    if error > 0:
        return float(ahead[0] / error)
    return 0.0 if ahead[0] == 0 else math.nan


def _by_chance(kind: Sequence[Scored], against: Scored, n_early: int) -> float:
    """Return the mean over replicates of the largest standardised noise among candidates that are not far behind.

    Arms that left the race early have no replicates to compare, and those that stayed, often of one generator, do not
    say how alike these were; so all of them are taken to be as alike as arms of several generators usually are.
    """
    noise, arms = [], set()
    for each in kind:
        ahead = against.draws - each.draws
        error = spread(ahead)
        if error > 0 and ahead[0] / error > HOPELESS:
            noise.append((ahead[1:] - np.nanmean(ahead[1:])) / error)
            arms.add(each.candidate.arm)
    known = np.isfinite(noise).all(axis=0) if noise else np.empty(0)
    seen = float(np.array(noise)[:, known].max(axis=0).mean()) if len(noise) > 1 and known.any() else 0.0
    return max(seen, ALIKE * _largest_of(max(len(arms), 1) + n_early) if n_early else 0.0)


def _largest_of(n_draws: int) -> float:
    """Return how large the largest of so many standard normal draws is on average.

    References
    ----------
    Blom. Statistical Estimates and Transformed Beta-Variables, 1958.
    """
    return NormalDist().inv_cdf((n_draws - 0.375) / (n_draws + 0.25)) if n_draws > 1 else 0.0
