"""Lines: one per candidate of a race, as tables, texts and pages show it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from autosynth.interval import Interval, normal_interval
from autosynth.tuning.candidate import LEVEL

if TYPE_CHECKING:
    from autosynth.tuning.candidate import Scored
    from autosynth.tuning.judge import Judge
    from autosynth.tuning.metrics import Metric
    from autosynth.tuning.outcome import ArmOutcome
    from autosynth.tuning.rule import Pick

__all__ = ["CandidateLine", "lines_of"]

UNKNOWN = Interval(math.nan)


@dataclass(frozen=True, kw_only=True)
class CandidateLine:
    """One candidate, or an arm that failed before it could be judged.

    Attributes
    ----------
    name : str
    scored : Scored or None
        None for an arm that was not judged.
    outcome : ArmOutcome
    score : Interval
        The metric in its own direction.
    standard_error : float
    difference : Interval
        To the best candidate without synthetic rows, in the metric's own direction, paired; on the same folds.
    rank : int or None
        Among those judged on all folds, from 1 for the best on; None for the others.
    chosen : bool
    """

    name: str
    scored: Scored | None
    outcome: ArmOutcome
    score: Interval = UNKNOWN
    standard_error: float = math.nan
    difference: Interval = UNKNOWN
    rank: int | None = None
    chosen: bool = False

    def record(self) -> dict[str, Any]:
        """Return the line as one row of a table."""
        arm, scored = self.outcome.arm, self.scored
        side = {} if scored is None else scored.side
        return {
            "name": self.name,
            "generator": arm.generator,
            "ratio": arm.ratio if arm.is_synthetic else math.nan,
            "augment": arm.augment,
            "alpha": math.nan if arm.alpha is None else arm.alpha,
            "synthetic_weight": arm.synthetic_weight if arm.is_synthetic else math.nan,
            "shift": None if scored is None else scored.candidate.shift,
            "score": self.score.value,
            "standard_error": self.standard_error,
            "difference": self.difference.value,
            "difference_low": self.difference.low,
            "difference_high": self.difference.high,
            "rank": self.rank,
            "chosen": self.chosen,
            "status": self.outcome.status,
            "reason": self.outcome.reason,
            "n_folds": self.outcome.n_done,
            "n_synthetic": self.outcome.n_synthetic,
            "seconds": self.outcome.seconds,
            "balanced_risk": math.nan if scored is None else float(scored.balanced_risk[0]),
            "worst_group_risk": math.nan if scored is None else float(scored.worst_risk[0]),
            "roc_auc": side.get("roc_auc", math.nan),
            "average_precision": side.get("average_precision", math.nan),
            "log_loss": math.nan if scored is None else float(scored.mean_risk[0]),
        }


def lines_of(
    scored: Sequence[Scored], outcomes: Sequence[ArmOutcome], pick: Pick, judge: Judge
) -> tuple[CandidateLine, ...]:
    """Return complete candidates from best to worst, then those that left early, then arms that were never judged."""
    complete = sorted((each for each in scored if each.is_complete), key=lambda each: (each.loss, each.effort))
    partial = sorted((each for each in scored if not each.is_complete), key=lambda each: (-each.folds.sum(), each.loss))
    references = _References(pick.reference, judge)
    lines = [
        _line(each, references, judge.metric, rank=rank, chosen=each is pick.chosen)
        for rank, each in enumerate(complete, 1)
    ]
    lines += [_line(each, references, judge.metric) for each in partial]
    judged = {each.candidate.arm for each in scored}
    lines += [
        CandidateLine(name=outcome.arm.name, scored=None, outcome=outcome)
        for outcome in outcomes
        if outcome.arm not in judged
    ]
    return tuple(lines)


class _References:
    """The best candidate without synthetic rows on whatever folds a candidate has."""

    def __init__(self, reference: Scored | None, judge: Judge) -> None:
        self._reference = reference
        self._judge = judge
        self._on_folds: dict[bytes, Scored | None] = {}

    def on(self, folds: Any) -> Scored | None:
        """Return the reference judged on these folds alone; None where its shift changes nothing there."""
        if self._reference is None or np.array_equal(folds, self._reference.folds):
            return self._reference
        key = folds.tobytes()
        if key not in self._on_folds:
            again = self._judge.score(self._reference.outcome, folds)
            shift = self._reference.candidate.shift
            self._on_folds[key] = next((each for each in again if each.candidate.shift == shift), None)
        return self._on_folds[key]


def _line(
    scored: Scored, references: _References, metric: Metric, *, rank: int | None = None, chosen: bool = False
) -> CandidateLine:
    reference = references.on(scored.folds)
    sign = -1.0 if metric.greater_is_better else 1.0
    return CandidateLine(
        name=scored.name,
        scored=scored,
        outcome=scored.outcome,
        score=normal_interval(metric.score(scored.draws), LEVEL),
        standard_error=scored.standard_error,
        difference=UNKNOWN if reference is None else normal_interval(sign * (scored.draws - reference.draws), LEVEL),
        rank=rank,
        chosen=chosen,
    )
