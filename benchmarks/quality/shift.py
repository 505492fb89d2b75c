"""A shift of prior and threshold, fitted on real out-of-fold rows: the gain that no synthetic row is needed for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize_scalar

if TYPE_CHECKING:
    import numpy.typing as npt

WIDEST = 12.0  # of an offset on the log odds; the odds of clipped probabilities end at 13.8


@dataclass(frozen=True)
class Shift:
    """An offset on the log odds for every segment, and a threshold on the shifted probability.

    There is one segment, so one offset, unless groups are cells of label x columns: then the prior of the label differs
    by the values of those columns, and each has an offset of its own.
    """

    offsets: npt.NDArray[np.float64]
    threshold: float

    @classmethod
    def fit(
        cls,
        y: npt.NDArray[np.int64],
        proba: npt.NDArray[np.float64],
        groups: npt.NDArray[np.int64],
        segments: npt.NDArray[np.int64],
    ) -> Shift:
        """Choose the offset by the balanced cross-entropy and the threshold by the balanced accuracy of these rows.

        Parameters
        ----------
        y, proba, groups, segments : ndarray of shape (n_rows,)
            Target, predicted probability, and group and segment of real rows that neither the model nor the generator
            behind it had seen.
        """
        weights = 1.0 / np.bincount(groups)[groups]
        odds = log_odds(proba)
        offsets = np.zeros(segments.max() + 1)
        for segment in np.unique(segments):
            inside = segments == segment
            if len(np.unique(y[inside])) == 2:
                offsets[segment] = _best_offset(y[inside], odds[inside], weights[inside])
        return cls(offsets, _best_threshold(y, odds + offsets[segments], weights))

    def apply(self, proba: npt.NDArray[np.float64], segments: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Return shifted probabilities, shape (n_rows,)."""
        return from_log_odds(log_odds(proba) + self.offsets[segments])


def log_odds(proba: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.log(proba) - np.log1p(-proba)


def from_log_odds(odds: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return 1.0 / (1.0 + np.exp(-odds))


def _best_offset(y: npt.NDArray[np.int64], odds: npt.NDArray[np.float64], weights: npt.NDArray[np.float64]) -> float:
    def loss(offset: float) -> float:
        shifted = odds + offset
        return float((weights * (np.logaddexp(0.0, shifted) - y * shifted)).sum())

    return float(minimize_scalar(loss, bounds=(-WIDEST, WIDEST), method="bounded").x)  # convex in the offset


def _best_threshold(y: npt.NDArray[np.int64], odds: npt.NDArray[np.float64], weights: npt.NDArray[np.float64]) -> float:
    """Return the probability above which a row counts as positive: of the best ones the nearest to 0.5."""
    order = np.argsort(odds)
    signed = np.where(y[order] == 1, -weights[order], weights[order])  # gain of calling one more row negative
    gains = np.concatenate([[0.0], np.cumsum(signed)])
    ends = np.concatenate([[odds[order[0]] - 1], odds[order], [odds[order[-1]] + 1]])
    cuts = (ends[:-1] + ends[1:]) / 2
    splits_ties = np.concatenate([[False], np.diff(odds[order]) == 0, [False]])
    best = np.flatnonzero((gains >= gains[~splits_ties].max() - 1e-12) & ~splits_ties)
    # Any cut between two neighbouring rows is as good; zero itself is taken where it lies between them.
    nearest = np.clip(0.0, ends[:-1][best], ends[1:][best])
    position = int(np.argmin(np.abs(nearest)))
    is_zero = nearest[position] == 0.0
    return float(from_log_odds(np.array(0.0 if is_zero else cuts[best[position]])))
