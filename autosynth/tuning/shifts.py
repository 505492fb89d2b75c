"""Shifts of a candidate's probabilities that are fitted on other folds' rows, as it suits the metric."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from autosynth.decision import SMALLEST, threshold_of
from autosynth.prior_shift import N_FOLDS, fit_offsets, log_softmax
from autosynth.tuning.temperature import fit_temperature
from autosynth.tuning.worst_shift import fit_worst_offsets

if TYPE_CHECKING:
    import numpy.typing as npt

    from autosynth.tuning.metrics import Metric

    Floats: TypeAlias = npt.NDArray[np.float64]
    Codes: TypeAlias = npt.NDArray[np.int64]

__all__ = ["FitShift", "FittedShift", "crosswise_shifts", "log_probabilities", "shift_fitter", "shifted"]


@dataclass(frozen=True)
class FittedShift:
    """What is done to log probabilities: they are divided by a temperature, and offsets are added.

    Attributes
    ----------
    offsets : ndarray of shape (n_segments + 1, n_classes)
        The first class's are 0; the last row is for segments that were not there.
    temperature : float
        Above 1 for a model that is too sure of itself.
    """

    offsets: Floats
    temperature: float = 1.0


FitShift: TypeAlias = "Callable[[Floats, Codes, Codes], FittedShift]"  # from logs, classes, segments


def log_probabilities(probabilities: Floats) -> Floats:
    """Return logarithms of probabilities, shape as given, none below a floor; NaN stays.

    The same floor before and after a shift: it cannot win by raising a zero.
    """
    floored = np.clip(probabilities, SMALLEST, 1.0)
    return np.asarray(np.log(floored / floored.sum(axis=-1, keepdims=True)))


def shifted(logs: Floats, offsets: Floats, temperatures: Floats | float = 1.0) -> Floats:
    """Return logarithms of the shifted probabilities; every row of them sums to 1 again."""
    return log_softmax(logs / temperatures + offsets)


def shift_fitter(metric: Metric, n_segments: int, n_classes: int) -> FitShift:
    """Return what fits the shift that suits a metric: each candidate is to have its best one.

    A temperature is fitted wherever a cross-entropy is asked for.  Without it, rows that merely damp a model that is
    too sure of itself would pass for rows that tell it something.
    """
    if metric.name == "balanced_accuracy":  # decisions know no temperature
        return lambda logs, codes, _: FittedShift(_accuracy_offsets(logs, codes, n_segments, n_classes))
    balanced, is_worst = metric.name != "log_loss", metric.name == "worst_group_risk"

    def fit(logs: Floats, codes: Codes, segments: Codes) -> FittedShift:
        temperature = fit_temperature(logs, codes, segments, balanced=balanced)
        if is_worst:
            offsets = fit_worst_offsets(logs / temperature, codes, segments, n_segments=n_segments)
        else:
            offsets = fit_offsets(logs / temperature, codes, segments, n_segments=n_segments, balanced=balanced)
        return FittedShift(offsets, temperature)

    return fit


def crosswise_shifts(logs: Floats, codes: Codes, segments: Codes, folds: Codes, fit: FitShift) -> tuple[Floats, Floats]:
    """Return every row's temperature (n_rows, 1) and offsets (n_rows, n_classes), fitted on the rows of other folds.

    A row that had a part in its own shift would flatter it.

    Parameters
    ----------
    logs : ndarray of shape (n_rows, n_classes)
        Logarithms of probabilities by models that left the rows out.
    codes, segments, folds : ndarray of int, shape (n_rows,)
        Class, segment and fold of every row.  Rows of a single fold are dealt out to five, cell by cell.
    fit : callable
        From `shift_fitter`.
    """
    if len(np.unique(folds)) < 2:
        folds = _dealt(codes, segments)
    temperatures, offsets = np.ones((len(logs), 1)), np.empty_like(logs)
    for fold in np.unique(folds):
        held, others = folds == fold, folds != fold
        found = fit(logs[others], codes[others], segments[others])
        temperatures[held], offsets[held] = found.temperature, found.offsets[segments[held]]
    return temperatures, offsets


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
