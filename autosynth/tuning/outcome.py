"""What the folds say of one arm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from autosynth.tuning.arm import Arm

__all__ = ["ArmOutcome", "Status"]

Status: TypeAlias = Literal["done", "dropped", "failed", "out of time"]


@dataclass(frozen=True)
class ArmOutcome:
    """One arm's predictions of real validation rows, and what its models were trained with.

    Attributes
    ----------
    arm : Arm
        What was done to the training rows.
    probabilities : ndarray of shape (n_repeats, n_rows, n_classes)
        Of every row, by the model of the fold that validates it; NaN where it was not validated, or not yet.
    trained : ndarray of shape (n_repeats, n_folds, n_segments, n_classes)
        The sum of the training weights of each class in each segment in that fold, which its probabilities follow;
        NaN where the fold was not run.
    n_done : int
        Folds that were run, of n_repeats x n_folds.
    status : "done", "dropped", "failed" or "out of time"
        "dropped": others were better after its folds, or it had nothing to add.
    reason : str
        Why it is not done, in words; empty when it is.
    seconds : float
        Time spent in its folds, its generator's work among them where it was the first to ask for it.
    n_synthetic : float
        Synthetic rows per fold, on average.
    notes : mapping of str to int
        What its generator reported, such as rows made by a fallback, over all folds.
    """

    arm: Arm
    probabilities: npt.NDArray[np.float64]
    trained: npt.NDArray[np.float64]
    n_done: int
    status: Status
    reason: str = ""
    seconds: float = 0.0
    n_synthetic: float = 0.0
    notes: Mapping[str, int] = field(default_factory=dict)

    @property
    def n_folds(self) -> int:
        """Folds in all repeats."""
        return int(self.trained.shape[0] * self.trained.shape[1])
