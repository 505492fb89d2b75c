"""OutOfFold: what the models of an arm say of the rows that they left out, as it comes and after shifts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from autosynth.exceptions import DataError
from autosynth.prior_shift import prior_offsets
from autosynth.tuning.shifts import FittedShift, crosswise_shifts, log_probabilities, shifted

if TYPE_CHECKING:
    import numpy.typing as npt

    from autosynth.tuning.folds import Folds
    from autosynth.tuning.label_codes import Coded
    from autosynth.tuning.outcome import ArmOutcome
    from autosynth.tuning.shifts import FitShift

    Floats: TypeAlias = npt.NDArray[np.float64]
    Codes: TypeAlias = npt.NDArray[np.int64]
    Mask: TypeAlias = npt.NDArray[np.bool_]

__all__ = ["OutOfFold", "folds_run"]

TINY = float(np.finfo(np.float64).tiny)


def folds_run(outcome: ArmOutcome) -> Mask:
    """Return which folds of an arm were run, shape (n_repeats, n_folds)."""
    return np.asarray(np.isfinite(outcome.trained).all(axis=(2, 3)), dtype=bool)


@dataclass(frozen=True)
class OutOfFold:
    """Logarithms of out-of-fold probabilities.

    Attributes
    ----------
    logs : ndarray of shape (n_repeats, n_rows, n_classes)
        None below a floor; NaN for rows of folds that are not judged.
    order : ndarray of shape (n_repeats, n_rows, n_classes)
        The same without that floor, which would make equals of rows that a sure model puts in an order.
    judged : ndarray of bool, shape (n_repeats, n_folds)
        The folds that are.
    coded : Coded
        Classes and segments of the rows.
    folds : Folds
        Which fold validates which row.
    """

    logs: Floats
    order: Floats
    judged: Mask
    coded: Coded
    folds: Folds

    @classmethod
    def of(cls, outcome: ArmOutcome, coded: Coded, folds: Folds, judged: Mask) -> OutOfFold:
        """Read the probabilities of an arm.

        Raises
        ------
        DataError
            If a row of a judged fold lacks a finite probability.
        """
        inside = np.take_along_axis(judged, np.maximum(folds.assignment, 0), axis=1) & (folds.assignment >= 0)
        given = outcome.probabilities[inside]
        if not np.isfinite(given).all():
            n_bad = int((~np.isfinite(given).all(axis=1)).sum())
            raise DataError(
                f"arm {outcome.arm.name!r} has {n_bad} of {len(given)} validation rows with probabilities that are "
                "missing or infinite. Every row of a fold that was run needs one finite number per class."
            )
        logs = np.full(outcome.probabilities.shape, np.nan)
        order = logs.copy()
        logs[inside] = log_probabilities(given)
        order[inside] = np.log(np.maximum(given, TINY))
        return cls(logs, order, judged, coded, folds)

    @property
    def seen(self) -> Mask:
        """Which rows are judged in which repeat, shape (n_repeats, n_rows)."""
        return np.asarray(np.isfinite(self.logs[:, :, 0]), dtype=bool)

    @property
    def losses(self) -> Floats:
        """Cross-entropy of every row in nats, shape (n_repeats, n_rows); NaN where it is not judged."""
        return np.asarray(-self.logs[:, np.arange(self.logs.shape[1]), self.coded.label_codes])

    @property
    def hits(self) -> Floats:
        """1 where the most probable class is the true one, else 0, shape (n_repeats, n_rows)."""
        return np.asarray(self.logs.argmax(axis=2) == self.coded.label_codes, dtype=np.float64)

    def probabilities(self, repeat: int, rows: Codes) -> Floats:
        """Return probabilities of some rows, shape (n_rows, n_classes)."""
        return np.asarray(np.exp(self.logs[repeat, rows]))

    def rows(self, repeat: int, fold: int) -> Codes:
        """Return the rows that a fold validates."""
        return np.flatnonzero(self.folds.validates(repeat, fold))

    def tuned(self, fit: FitShift) -> OutOfFold:
        """Shift every row as fitted on rows of other folds than its own."""
        temperatures, offsets = np.ones((*self.logs.shape[:2], 1)), np.full_like(self.logs, np.nan)
        for repeat, assignment in enumerate(self.folds.assignment):
            rows = np.flatnonzero(self.seen[repeat])
            if len(rows):
                codes, segments = self.coded.label_codes[rows], self.coded.segment_codes[rows]
                temperatures[repeat, rows], offsets[repeat, rows] = crosswise_shifts(
                    self.logs[repeat, rows], codes, segments, assignment[rows], fit
                )
        return self._shifted(offsets, temperatures)

    def corrected(self, trained: Floats, *, to_real_prior: bool) -> OutOfFold:
        """Shift every row in closed form, from the prior that its own fold's model was trained with.

        Parameters
        ----------
        trained : ndarray of shape (n_repeats, n_folds, n_segments, n_classes)
            Training weight of each class.
        to_real_prior : bool
            To the class shares of the fold's real training rows, instead of even classes.
        """
        offsets = np.full_like(self.logs, np.nan)
        for repeat, fold in zip(*np.nonzero(self.judged), strict=True):
            rows = self.rows(repeat, fold)
            target = self.real_prior(self.folds.trains(repeat, fold)) if to_real_prior else None
            offsets[repeat, rows] = prior_offsets(trained[repeat, fold], target)[self.coded.segment_codes[rows]]
        return self._shifted(offsets)

    def real_prior(self, rows: Mask) -> Floats:
        """Return how many of some real rows each class has in each segment, shape (n_segments, n_classes)."""
        counts = np.zeros((self.coded.n_segments, self.coded.n_classes))
        np.add.at(counts, (self.coded.segment_codes[rows], self.coded.label_codes[rows]), 1.0)
        return counts

    def fitted(self, fit: FitShift) -> FittedShift:
        """Return the shift fitted on all judged rows: what it makes of log odds is the mean of the repeats' shifts.

        Repeats show the same rows again; fitted on all of them at once, small segments would pass for large ones.
        """
        found = []
        for repeat in np.flatnonzero(self.seen.any(axis=1)):
            rows = np.flatnonzero(self.seen[repeat])
            found.append(fit(self.logs[repeat, rows], self.coded.label_codes[rows], self.coded.segment_codes[rows]))
        scale = np.mean([1 / one.temperature for one in found])
        return FittedShift(np.mean([one.offsets for one in found], axis=0), float(1 / scale))

    def differs_from(self, other: OutOfFold) -> bool:
        """Return whether any log probability is another one, beyond rounding."""
        return bool(np.nanmax(np.abs(self.logs - other.logs)) > 1e-6)

    def _shifted(self, offsets: Floats, temperatures: Floats | None = None) -> OutOfFold:
        """Shift the rows by offsets of the same shape as ``logs``, and temperatures of one column."""
        after, order = np.full_like(self.logs, np.nan), np.full_like(self.logs, np.nan)
        seen = self.seen
        divided_by = 1.0 if temperatures is None else temperatures[seen]
        after[seen] = shifted(self.logs[seen], offsets[seen], divided_by)
        order[seen] = shifted(self.order[seen], offsets[seen], divided_by)
        return replace(self, logs=after, order=order)
