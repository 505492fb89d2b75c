"""Where the gain of an arm comes from: the way from plain training to it, for the balanced risk and for every group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from autosynth.gains import Gain
from autosynth.group_gains import GroupGain, gains_by_group
from autosynth.tuning.candidate import LEVEL

if TYPE_CHECKING:
    import numpy.typing as npt

    from autosynth.tuning.arm import Arm
    from autosynth.tuning.candidate import Scored
    from autosynth.tuning.judge import Judge
    from autosynth.tuning.outcome import ArmOutcome

    Floats: TypeAlias = npt.NDArray[np.float64]

__all__ = ["ArmGains", "Ways"]

BASELINE = "plain training"
FITTED_ON = (
    "real rows of the other folds, so that no row has a part in its own shift; beside the prior they take a temperature"
)


@dataclass(frozen=True)
class ArmGains:
    """What the change of risk from plain training to an arm is made of; the parts of each gain add up to its total.

    Attributes
    ----------
    name : str
        The arm or the candidate.
    balanced : Gain
        In balanced cross-entropy.
    groups : tuple of GroupGain
        For every group by itself.
    """

    name: str
    balanced: Gain
    groups: tuple[GroupGain, ...]


class Ways:
    """The ways from plain training to the arms of a race that ran all their folds."""

    def __init__(self, judge: Judge, outcomes: Sequence[ArmOutcome], scored: Sequence[Scored] = ()) -> None:
        """Take the arms; with ``scored``, their candidates, what was judged already is not computed again."""
        complete = [outcome for outcome in outcomes if outcome.status == "done"]
        known = _known_risks(scored) if judge.metric.tunes_balanced_risk else {}
        self._groups = judge.groups
        self._risks = {
            outcome.arm: known[outcome.arm] if outcome.arm in known else judge.risks_on_the_way(outcome)
            for outcome in complete
        }
        self._plain = next((arm for arm in self._risks if not arm.is_synthetic and not arm.class_weights), None)
        self._weights = next((arm for arm in self._risks if arm.class_weights), None)

    def gains(self) -> dict[str, ArmGains]:
        """Return the gain of every arm over plain training, with probabilities as they come, by the arm's name."""
        ways = {arm: self._gain(arm, arm.name, self._risks[arm][0]) for arm in self._risks if arm != self._plain}
        return {arm.name: gain for arm, gain in ways.items() if gain is not None}

    def gain_of(self, scored: Scored) -> ArmGains | None:
        """Return the gain of a candidate over plain training; None for plain training itself, or without it."""
        if scored.candidate.arm == self._plain and scored.candidate.shift == "none":
            return None
        return self._gain(scored.candidate.arm, scored.name, scored.cell_risks)

    def _gain(self, arm: Arm, name: str, last: Floats) -> ArmGains | None:
        if self._plain is None or arm not in self._risks:
            return None
        stages, steps = self._way(arm, name, last)
        options = {"level": LEVEL, "baseline": BASELINE, "fitted_on": FITTED_ON}
        balanced = {stage: draws.mean(axis=1) for stage, draws in stages.items()}
        return ArmGains(
            name,
            Gain.of(balanced, steps, **options),  # type: ignore[arg-type]
            gains_by_group(stages, steps, self._groups, **options),  # type: ignore[arg-type]
        )

    def _way(self, arm: Arm, name: str, last: Floats) -> tuple[Mapping[str, Floats], list[str]]:
        """Return the models on the way, and what the steps between them are.

        Class weights lie on the way to synthetic rows where they are better than plain training after the same shift:
        what re-weighting gives then is not counted as ranking by synthetic rows.
        """
        assert self._plain is not None  # noqa: S101 - the caller has looked
        before, after = self._risks[self._plain]
        stages, steps = {"none, as it comes": before, "none, after its best shift": after}, ["baseline_shift"]
        if arm.is_synthetic and self._weights is not None:
            weighted = self._risks[self._weights][1]
            if weighted[0].mean() < after[0].mean():
                stages["class weights, after their best shift"] = weighted
                steps.append("class_weights")
        if arm != self._plain:
            stages[f"{arm.name}, after its best shift"] = self._risks[arm][1]
            steps.append("ranking" if arm.is_synthetic else "class_weights")
        stages[f"{name}, as chosen" if name != arm.name else f"{name}, as it comes"] = last
        return stages, [*steps, "own_shift"]


def _known_risks(scored: Sequence[Scored]) -> dict[Arm, tuple[Floats, Floats]]:
    """Return the risks of complete arms per group, as they come and after the tuned shift, where both were judged."""
    risks = {(each.candidate.arm, each.candidate.shift): each.cell_risks for each in scored if each.is_complete}
    return {
        arm: (risks[arm, "none"], after)
        for (arm, shift), after in risks.items()
        if shift == "tuned" and (arm, "none") in risks
    }
