"""Temperature: how much too sure or too timid probabilities are, fitted together with the shift that suits them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from autosynth.prior_shift import SPREAD, log_softmax, ridge_of

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats: TypeAlias = npt.NDArray[np.float64]
    Codes: TypeAlias = npt.NDArray[np.int64]

__all__ = ["fit_temperature"]

# How far 1 / temperature is expected to lie from 1: boosted trees on few rows often lie near a half.
WIDTH = 0.5
LIMITS = (0.05, 5.0)  # of 1 / temperature: above 0, so that the order of rows stays


def fit_temperature(logs: Floats, codes: Codes, segments: Codes | None = None, *, balanced: bool = True) -> float:
    """Return the temperature T whose log p / T has the least cross-entropy after class offsets of its own.

    Models that have learned their training rows by heart are too sure of others: T > 1 takes that back.  Of two classes
    it changes neither the order of the rows nor what some threshold decides.  Expected is a temperature near 1, the
    more so the fewer rows there are.

    Every segment has offsets of its own, as it has in the shift that follows: a model that was trained on balanced
    groups says nothing of the class shares of a segment, and with one offset for all of them the temperature would make
    up for that, and flatten what the model knows.

    Parameters
    ----------
    logs : ndarray of shape (n_rows, n_classes)
        Natural logarithms of probabilities, finite.
    codes : ndarray of int, shape (n_rows,)
        The class of every row, a column of ``logs``.
    segments : ndarray of int, shape (n_rows,), optional
        The segment of every row, from 0 on; without it, all rows are one.
    balanced : bool
        Whether every class of every segment counts the same; otherwise every row does.

    Returns
    -------
    float
        From 0.2 to 20.

    References
    ----------
    Platt. Probabilistic outputs for support vector machines. Advances in Large Margin Classifiers, 1999.
    Guo, Pleiss, Sun, Weinberger. On calibration of modern neural networks. ICML 2017.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> log_odds = rng.normal(size=4000)
    >>> codes = (rng.random(4000) < 1 / (1 + np.exp(-log_odds))).astype(int)
    >>> surer = np.column_stack([np.zeros(4000), 3 * log_odds])
    >>> round(fit_temperature(log_softmax(surer), codes))
    3
    """
    from scipy.optimize import minimize

    fit = _Fit.of(logs, codes, np.zeros_like(codes) if segments is None else segments, balanced=balanced)
    start = np.concatenate([[1.0], np.zeros(fit.ridges.size)])
    bounds = [LIMITS, *[(None, None)] * fit.ridges.size]
    found = minimize(fit.loss_and_slope, start, jac=True, method="L-BFGS-B", bounds=bounds)
    return float(1 / found.x[0])


@dataclass(frozen=True)
class _Fit:
    """What is minimised: of 1 / temperature, and of offsets for all rows and for each segment's distance from them."""

    logs: Floats  # centred in every segment, so that logs that are shifted there have the same answer
    codes: Codes
    segments: Codes
    weights: Floats  # of the rows, sum 1
    shares: Floats  # of the weights, shape (n_segments, n_classes)
    ridges: Floats  # of the offsets without the first class's: of all rows, then of each segment if there are several

    @classmethod
    def of(cls, logs: Floats, codes: Codes, segments: Codes, *, balanced: bool) -> _Fit:
        segments = np.unique(segments, return_inverse=True)[1].reshape(-1)
        n_segments, n_classes = int(segments.max()) + 1, logs.shape[1]
        cells = segments * n_classes + codes
        weights = 1.0 / np.bincount(cells)[cells] if balanced else np.ones(len(codes))
        weights = weights / weights.sum()
        shares = _sums(cells, weights, n_segments * n_classes).reshape(n_segments, n_classes)
        totals = np.column_stack([_sums(segments, weights * column, n_segments) for column in logs.T])
        means = totals / shares.sum(axis=1, keepdims=True)
        ridges = np.full((n_segments + 1 if n_segments > 1 else 1, n_classes - 1), _few(weights) / SPREAD**2)
        ridges[0] = ridge_of(shares.sum(axis=0))
        return cls(logs - means[segments], codes, segments, weights, shares, ridges)

    def loss_and_slope(self, free: Floats) -> tuple[float, Floats]:
        scale, parts = free[0], free[1:].reshape(self.ridges.shape)
        offsets = np.zeros_like(self.shares)
        offsets[:, 1:] = parts[0] if len(parts) == 1 else parts[0] + parts[1:]
        after = log_softmax(scale * self.logs + offsets[self.segments])
        rows, prior = np.arange(len(self.codes)), _few(self.weights) / WIDTH**2
        loss = -float(self.weights @ after[rows, self.codes])
        loss += prior * (scale - 1) ** 2 + float((self.ridges * parts**2).sum())
        away = np.exp(after)
        away[rows, self.codes] -= 1
        away *= self.weights[:, None]
        of_segments = np.column_stack([_sums(self.segments, column, len(self.shares)) for column in away.T[1:]])
        of_parts = np.vstack([of_segments.sum(axis=0), of_segments])[: len(parts)] + 2 * self.ridges * parts
        of_scale = float((away * self.logs).sum()) + 2 * prior * (scale - 1)
        return loss, np.concatenate([[of_scale], of_parts.ravel()])


def _few(weights: Floats) -> float:
    """Return what a prior weighs against a loss that is a mean: half of one over the effective number of rows."""
    return float((weights**2).sum()) / 2


def _sums(places: Codes, values: Floats, n_places: int) -> Floats:
    return np.asarray(np.bincount(places, values, n_places), dtype=np.float64)
