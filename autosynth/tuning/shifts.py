"""Shifts of a candidate's probabilities that are fitted on other folds' rows, as it suits the metric."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from autosynth.decision import SMALLEST, threshold_of
from autosynth.prior_shift import N_FOLDS, fit_offsets, log_softmax
from autosynth.tuning.worst_shift import fit_worst_offsets

if TYPE_CHECKING:
    import numpy.typing as npt

    from autosynth.tuning.metrics import Metric

    Floats: TypeAlias = npt.NDArray[np.float64]
    Codes: TypeAlias = npt.NDArray[np.int64]

__all__ = ["FitOffsets", "crosswise_offsets", "log_probabilities", "offset_fitter", "shifted"]

FitOffsets: TypeAlias = "Callable[[Floats, Codes, Codes], Floats]"  # logs, classes, segments -> (n_segments + 1, K)


def log_probabilities(probabilities: Floats) -> Floats:
    """Return logarithms of probabilities, shape as given, none below a floor; NaN stays.

    The same floor before and after a shift: it cannot win by raising a zero.
    """
    floored = np.clip(probabilities, SMALLEST, 1.0)
    return np.asarray(np.log(floored / floored.sum(axis=-1, keepdims=True)))


def shifted(logs: Floats, offsets: Floats) -> Floats:
    """Return logarithms of the shifted probabilities; every row of them sums to 1 again."""
    return log_softmax(logs + offsets)


def offset_fitter(metric: Metric, n_segments: int, n_classes: int) -> FitOffsets:
    """Return what fits the offsets that suit a metric: each candidate is to have its best shift."""
    if metric.name == "worst_group_risk":
        return lambda logs, codes, segments: fit_worst_offsets(logs, codes, segments, n_segments=n_segments)
    if metric.name == "balanced_accuracy":
        return lambda logs, codes, _: _accuracy_offsets(logs, codes, n_segments, n_classes)
    balanced = metric.name != "log_loss"
    return lambda logs, codes, segments: fit_offsets(logs, codes, segments, n_segments=n_segments, balanced=balanced)


def crosswise_offsets(logs: Floats, codes: Codes, segments: Codes, folds: Codes, fit: FitOffsets) -> Floats:
    """Return every row's offsets, fitted on the rows of all other folds, shape (n_rows, n_classes).

    A row that had a part in its own shift would flatter it.

    Parameters
    ----------
    logs : ndarray of shape (n_rows, n_classes)
        Logarithms of probabilities by models that left the rows out.
    codes, segments, folds : ndarray of int, shape (n_rows,)
        Class, segment and fold of every row.  Rows of a single fold are dealt out to five, cell by cell.
    fit : callable
        From `offset_fitter`.
    """
    if len(np.unique(folds)) < 2:
        folds = _dealt(codes, segments)
    offsets = np.empty_like(logs)
    for fold in np.unique(folds):
        held, others = folds == fold, folds != fold
        offsets[held] = fit(logs[others], codes[others], segments[others])[segments[held]]
    return offsets


def _dealt(codes: Codes, segments: Codes) -> Codes:
    """Deal the rows of every cell out in turn."""
    order = np.lexsort((codes, segments))
    folds = np.empty(len(codes), dtype=np.int64)
    folds[order] = np.arange(len(codes)) % N_FOLDS
    return folds


def _accuracy_offsets(logs: Floats, codes: Codes, n_segments: int, n_classes: int) -> Floats:
    """Return the threshold of two classes with the best balanced accuracy as an offset; even classes for more.

    Balanced accuracy knows no segments, so neither do its offsets.
    """
    if n_classes == 2 and 0 < codes.sum() < len(codes):
        threshold = np.clip(threshold_of(codes == 1, np.exp(logs[:, 1])), SMALLEST, 1 - SMALLEST)
        offsets = np.array([0.0, np.log1p(-threshold) - np.log(threshold)])
    else:  # what balanced accuracy asks of several classes at once is no convex problem; even classes come close
        offsets = fit_offsets(logs, codes, np.zeros(len(codes), dtype=np.int64), n_segments=1)[0]
    return np.tile(offsets, (n_segments + 1, 1))
