"""Thresholds and shifts of the prior, fitted on real validation rows, alike for every arm of a comparison."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import minimize
from sklearn.metrics import roc_curve

from autosynth.exceptions import DataError

SMALLEST = 1e-7  # probabilities are clipped here before a logarithm
RIDGE = 1e-3  # keeps the offset of a class that a segment never showed, or separates perfectly, finite
SPREAD = 1.0  # how far offsets of segments are expected to lie from the pooled ones, in log odds


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
        pooled = _fit_offsets(logs, codes)
        rows = [np.flatnonzero(segments == segment) for segment in range(segments.max() + 1)]
        own = [_fit_offsets(logs[some], codes[some], pooled) for some in rows] if len(rows) > 1 else [pooled]
        return cls._with_risk(np.array([*own, pooled]), logs, codes, segments)

    @classmethod
    def from_priors(cls, y_true: pd.Series[Any], proba: pd.DataFrame, segments: npt.NDArray[np.int64]) -> PriorShift:
        """Return the closed form: division by the class shares of the segment, which makes its prior even."""
        codes = _codes(y_true, proba.columns)
        counts = np.zeros((segments.max() + 2, len(proba.columns)))
        np.add.at(counts, (segments, codes), 1.0)
        counts[-1] = counts.sum(axis=0)
        shares = np.where(counts > 0, counts, np.nan) / counts.sum(axis=1, keepdims=True)
        # A class that a segment never showed has no share to divide by; it keeps its probability.
        offsets = np.nan_to_num(-np.log(shares), nan=0.0)
        return cls._with_risk(offsets - offsets[:, :1], _logs(proba), codes, segments)

    def apply(self, proba: pd.DataFrame, segments: npt.NDArray[np.int64]) -> pd.DataFrame:
        """Return shifted probabilities, every row summing to 1; segment -1 is one that training did not hold."""
        shifted = _softmax(_logs(proba) + self.offsets[segments])
        return pd.DataFrame(shifted, index=proba.index, columns=proba.columns)

    @classmethod
    def _with_risk(
        cls,
        offsets: npt.NDArray[np.float64],
        logs: npt.NDArray[np.float64],
        codes: npt.NDArray[np.int64],
        segments: npt.NDArray[np.int64],
    ) -> PriorShift:
        picked = _softmax(logs + offsets[segments])[np.arange(len(codes)), codes]
        losses = pd.Series(-np.log(np.clip(picked, SMALLEST, 1.0)))
        return cls(offsets, float(losses.groupby([codes, segments]).mean().mean()))


def _fit_offsets(
    logs: npt.NDArray[np.float64], codes: npt.NDArray[np.int64], pooled: npt.NDArray[np.float64] | None = None
) -> npt.NDArray[np.float64]:
    """Return one offset per class, the first 0, that minimise the mean over classes of their mean cross-entropy.

    With ``pooled``, deviations from it are penalised like draws from a normal distribution of width ``SPREAD``; the
    loss is a mean, so that prior weighs one over the effective number of rows.
    """
    weights = 1.0 / np.bincount(codes, minlength=logs.shape[1]).clip(min=1)[codes]
    weights /= weights.sum()
    centre = np.zeros(logs.shape[1] - 1) if pooled is None else pooled[1:]
    ridge = RIDGE if pooled is None else RIDGE + (weights**2).sum() / (2 * SPREAD**2)

    def loss_and_slope(free: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        shifted = _softmax(logs + np.concatenate([[0.0], free]))
        picked = np.clip(shifted[np.arange(len(codes)), codes], SMALLEST, 1.0)
        slope = weights @ shifted - np.bincount(codes, weights=weights, minlength=shifted.shape[1])
        away = free - centre
        return float(-(weights * np.log(picked)).sum() + ridge * (away**2).sum()), slope[1:] + 2 * ridge * away

    found = minimize(loss_and_slope, centre, jac=True, method="L-BFGS-B")
    return np.concatenate([[0.0], found.x])


def best_threshold(y_true: pd.Series[Any], proba: pd.DataFrame) -> float:
    """Return the threshold on the second class's probability with the best balanced accuracy.

    A probability above it predicts the second class.  Between the two neighbouring scores the middle is taken.
    """
    is_positive = _codes(y_true, proba.columns) == 1
    scores = proba.iloc[:, 1].to_numpy(dtype="float64")
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


def _softmax(logits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))
