"""Candidate: what is done to the training rows, and what is done to the model's probabilities afterwards."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from autosynth.interval import Interval, normal_interval

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from autosynth.tuning.arm import Arm
    from autosynth.tuning.outcome import ArmOutcome

    Floats: TypeAlias = npt.NDArray[np.float64]

__all__ = ["LEVEL", "SHIFTS", "Candidate", "Effort", "Scored", "Shift", "difference", "spread"]

Shift: TypeAlias = Literal["none", "prior", "tuned"]
Effort: TypeAlias = "tuple[int, float, int]"

LEVEL = 0.95  # of all intervals
SHIFTS: tuple[Shift, ...] = ("none", "prior", "tuned")
# The tuned shift looks at what came of the probabilities; the closed form takes a model at its word, which trees that
# are too sure of themselves do not deserve.  So it is the last one that is turned to.
SHIFT_EFFORT = {"none": 0, "tuned": 1, "prior": 2}
SHIFT_WORDS = {"none": "", "prior": "corrected prior", "tuned": "tuned threshold"}


@dataclass(frozen=True)
class Candidate:
    """One entrant of the race: an arm, and a shift of the probabilities of the models that it trains.

    Attributes
    ----------
    arm : Arm
        What is done to the training rows.
    shift : "none", "prior" or "tuned"
        Probabilities as they come; corrected in closed form from the prior of training; or by a temperature and class
        offsets fitted on real validation rows, which for two classes is a moved threshold.
    """

    arm: Arm
    shift: Shift = "none"

    @property
    def name(self) -> str:
        """The arm's name, and the shift if there is one: "none, tuned threshold"."""
        return ", ".join(filter(None, (self.arm.name, SHIFT_WORDS[self.shift])))

    @property
    def level(self) -> int:
        """How much it asks for: 0 plain training, 1 class weights, 2 synthetic rows; each trains another model."""
        return 2 if self.arm.is_synthetic else int(self.arm.class_weights)


@dataclass(frozen=True, kw_only=True)
class Scored:
    """A candidate with its loss on real rows that its models left out.

    Attributes
    ----------
    candidate : Candidate
    outcome : ArmOutcome
        What the arm's models said, and how the run ended.
    folds : ndarray of bool, shape (n_repeats, n_folds)
        The folds that were judged; only candidates with the same ones can be compared.
    draws : ndarray of shape (1 + n_bootstrap,)
        The metric as a loss (lower is better), on the rows as they are and on replicates that all candidates share.
    cell_risks : ndarray of shape (1 + n_bootstrap, n_cells)
        Mean cross-entropy of every group that has judged rows, in nats.
    mean_risk : ndarray of shape (1 + n_bootstrap,)
        Mean cross-entropy of all rows: what the real prior makes of it.
    side : mapping of str to float
        AUC and average precision, each in its own direction.
    """

    candidate: Candidate
    outcome: ArmOutcome
    folds: npt.NDArray[np.bool_]
    draws: Floats
    cell_risks: Floats
    mean_risk: Floats
    side: Mapping[str, float] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name of the candidate."""
        return self.candidate.name

    @property
    def loss(self) -> float:
        """The metric as a loss: lower is better."""
        return float(self.draws[0])

    @property
    def standard_error(self) -> float:
        """How much the loss would vary with other real rows; NaN without replicates."""
        return spread(self.draws)

    @property
    def is_complete(self) -> bool:
        """Whether all folds were run."""
        return self.outcome.status == "done"

    @property
    def effort(self) -> Effort:
        """What doing less is measured by: kind of arm, synthetic weight x rows added, kind of shift."""
        arm = self.candidate.arm
        added = arm.synthetic_weight * self.outcome.n_synthetic if arm.is_synthetic else 0.0
        return self.candidate.level, math.inf if math.isnan(added) else added, SHIFT_EFFORT[self.candidate.shift]

    @property
    def balanced_risk(self) -> Floats:
        """Mean over the groups of their cross-entropy, shape (1 + n_bootstrap,)."""
        return np.asarray(self.cell_risks.mean(axis=1))

    @property
    def worst_risk(self) -> Floats:
        """Cross-entropy of the worst group, shape (1 + n_bootstrap,)."""
        return np.asarray(self.cell_risks.max(axis=1))


def difference(first: Scored, second: Scored) -> Interval:
    """Return the loss of the first minus that of the second candidate, with paired limits; below zero, the first leads.

    Raises
    ------
    ValueError
        If they were judged on different folds.
    """
    if not np.array_equal(first.folds, second.folds):
        raise ValueError(f"{first.name!r} and {second.name!r} were judged on different folds. Score both on the same.")
    return normal_interval(first.draws - second.draws, LEVEL)


def spread(draws: Floats) -> float:
    """Return the standard deviation of the replicates; NaN when there are fewer than two."""
    replicates = draws[1:][np.isfinite(draws[1:])]
    return float(replicates.std(ddof=1)) if len(replicates) > 1 else math.nan
