"""What is collected of one arm while its folds are run."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from autosynth.tuning.outcome import ArmOutcome, Status

if TYPE_CHECKING:
    from autosynth.tuning.arm import Arm
    from autosynth.tuning.folds import Folds
    from autosynth.tuning.label_codes import Coded
    from autosynth.tuning.trial import FoldResult

__all__ = ["Collected"]


class Collected:
    """The folds of one arm, as far as they were run.

    Parameters
    ----------
    arm : Arm
    folds : Folds
        All folds.
    coded : Coded
        Classes and segments of the table.
    """

    def __init__(self, arm: Arm, folds: Folds, coded: Coded) -> None:
        self.arm = arm
        self.status: Status | None = None
        self.reason = ""
        self.n_done = 0
        self.seconds = 0.0
        self._folds = folds
        self._n_synthetic = 0
        self._notes: Counter[str] = Counter()
        self._probabilities = np.full((folds.n_repeats, folds.n_rows, coded.n_classes), math.nan)
        self._trained = np.full((folds.n_repeats, folds.n_folds, coded.n_segments, coded.n_classes), math.nan)

    @property
    def is_running(self) -> bool:
        """Whether it is still in the race and has folds to run."""
        return self.status is None

    def add(self, repeat: int, fold: int, result: FoldResult) -> None:
        """Take the result of a fold; with that of the last one, the arm is done."""
        self._probabilities[repeat, self._folds.validates(repeat, fold)] = result.probabilities
        self._trained[repeat, fold] = result.trained
        self.seconds += result.seconds
        self._n_synthetic += result.n_synthetic
        self._notes.update(result.notes)
        self.n_done += 1
        if self.n_done == len(self._folds):
            self.status = "done"

    def leave(self, status: Status, reason: str) -> None:
        """Take the arm out of the race."""
        self.status, self.reason = status, reason

    def outcome(self) -> ArmOutcome:
        """Return what there is."""
        return ArmOutcome(
            arm=self.arm,
            probabilities=self._probabilities.copy(),
            trained=self._trained.copy(),
            n_done=self.n_done,
            status=self.status or "out of time",
            reason=self.reason,
            seconds=self.seconds,
            n_synthetic=self._n_synthetic / max(self.n_done, 1),
            notes=dict(self._notes),
        )
