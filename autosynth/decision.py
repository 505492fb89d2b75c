"""Decisions: thresholds and shifts of the prior, fitted on real validation rows, alike for every model compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from autosynth.calibration import cell_weights
from autosynth.exceptions import DataError
from autosynth.prior_shift import fit_offsets, log_softmax, prior_offsets

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["SMALLEST", "PriorShift", "best_threshold", "threshold_of", "without_zeros"]

SMALLEST = 1e-7  # probabilities are clipped here before a logarithm: float32 tells no smaller from 0


@dataclass(frozen=True)
class PriorShift:
    """Factors on the odds: p(y | x) becomes proportional to p(y | x) · exp(offset of y in the row's segment).

    A segment is one combination of group columns.  With factors per segment, whatever a model takes from a group's
    own class shares alone is corrected too, and does not count as a gain of another arm.

    Attributes
    ----------
    offsets : ndarray of shape (n_segments + 1, n_classes)
        The first class's are 0; the last row, of all rows pooled, is for segments that training did not hold.
    risk : float
        Balanced cross-entropy (mean over cells label x segment of their mean) on the rows of the fit.
    """

    offsets: npt.NDArray[np.float64]
    risk: float

    @classmethod
    def fit(cls, y_true: pd.Series[Any], proba: pd.DataFrame, segments: npt.NDArray[np.int64]) -> PriorShift:
        """Return the shift with the least balanced cross-entropy on validation rows: one convex problem per segment.

        The offsets of a segment are shrunk towards those of all rows, the more the fewer rows it has.

        Raises
        ------
        DataError
            If a probability is no finite number, or a label is no column of ``proba``.
        """
        codes = _codes(y_true, proba.columns)
        logs = _logs(proba)
        offsets = fit_offsets(logs, codes, segments, n_segments=int(segments.max()) + 1)
        return cls._with_risk(offsets, logs, codes, segments)

    @classmethod
    def from_priors(cls, y_true: pd.Series[Any], proba: pd.DataFrame, segments: npt.NDArray[np.int64]) -> PriorShift:
        """Return the closed form: division by the class shares of the segment, which makes its prior even."""
        codes = _codes(y_true, proba.columns)
        counts = cell_weights(codes, segments, n_labels=len(proba.columns), n_segments=int(segments.max()) + 1)
        return cls._with_risk(prior_offsets(counts), _logs(proba), codes, segments)

    def apply(self, proba: pd.DataFrame, segments: npt.NDArray[np.int64]) -> pd.DataFrame:
        """Return shifted probabilities, every row summing to 1; segment -1 is one that training did not hold."""
        shifted = np.exp(log_softmax(_logs(proba) + self.offsets[segments]))
        return pd.DataFrame(shifted, index=proba.index, columns=proba.columns)

    @classmethod
    def _with_risk(
        cls,
        offsets: npt.NDArray[np.float64],
        logs: npt.NDArray[np.float64],
        codes: npt.NDArray[np.int64],
        segments: npt.NDArray[np.int64],
    ) -> PriorShift:
        losses = pd.Series(-log_softmax(logs + offsets[segments])[np.arange(len(codes)), codes])
        return cls(offsets, float(losses.groupby([codes, segments]).mean().mean()))


def without_zeros(proba: pd.DataFrame) -> pd.DataFrame:
    """Return probabilities in double precision, none below ``SMALLEST``, every row summing to 1 again; NaN stays.

    A shift needs logarithms; with the same floor before and after it, it cannot win by raising a zero.
    """
    floored = proba.astype("float64").clip(SMALLEST, 1.0)
    return floored.div(floored.sum(axis=1, skipna=False), axis=0)


def best_threshold(y_true: pd.Series[Any], proba: pd.DataFrame) -> float:
    """Return the threshold on the second class's probability with the best balanced accuracy.

    A probability above it predicts the second class.  Between the two neighbouring scores the middle is taken.
    """
    is_positive = _codes(y_true, proba.columns) == 1
    return threshold_of(is_positive, proba.iloc[:, 1].to_numpy(dtype="float64"))


def threshold_of(is_positive: npt.NDArray[np.bool_], scores: npt.NDArray[np.float64]) -> float:
    """Return the threshold on scores of shape (n_rows,) with the best balanced accuracy, as `best_threshold` does.

    Examples
    --------
    >>> threshold_of(np.array([False, False, True]), np.array([0.1, 0.2, 0.4])).__round__(3)
    0.3
    """
    from sklearn.metrics import roc_curve

    false_positive_rate, true_positive_rate, cuts = roc_curve(is_positive, scores, drop_intermediate=False)
    best = float(cuts[int(np.argmax(true_positive_rate - false_positive_rate))])
    below = scores[scores < best]
    lower = float(below.max()) if len(below) else 0.0
    return (min(best, 1.0) + lower) / 2


def _codes(y_true: pd.Series[Any], classes: pd.Index) -> npt.NDArray[np.int64]:
    codes = classes.get_indexer(pd.Index(y_true)).astype(np.int64)
    if (codes < 0).any():
        unknown = sorted({str(value) for value in y_true[codes < 0]})
        raise DataError(f"labels {unknown} have no probabilities; there are columns for {list(classes)}. Add theirs.")
    return codes


def _logs(proba: pd.DataFrame) -> npt.NDArray[np.float64]:
    values = proba.to_numpy(dtype="float64")
    is_finite = np.isfinite(values).all(axis=1)
    if not is_finite.all():
        raise DataError(
            f"{int((~is_finite).sum())} of {len(values)} rows have probabilities that are missing or infinite. A shift "
            "needs numbers from 0 to 1: leave those rows out, for all arms alike."
        )
    return np.asarray(np.log(np.clip(values, SMALLEST, 1.0)))
