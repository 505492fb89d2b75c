"""What is done to probabilities without a new model: a prior divided out, tuned offsets, a tuned threshold."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from autosynth.prior_shift import fit_offsets, log_softmax
from autosynth.tuning.temperature import fit_temperature

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats: TypeAlias = npt.NDArray[np.float64]
    Codes: TypeAlias = npt.NDArray[np.int64]

SMALLEST = 1e-7  # probabilities are clipped here before a logarithm, in all arms alike


def shifted(proba: Floats, offsets: Floats, segments: Codes, temperature: float = 1.0) -> Floats:
    """Return probabilities proportional to p^(1 / T) · exp(offset), offsets of shape (n_segments, n_classes)."""
    return np.asarray(np.exp(log_softmax(_logs(proba) / temperature + offsets[segments])))


def prior_offsets(trained: Floats, wanted: Floats | None = None) -> Floats:
    """Return the closed form from the class shares in training to ``wanted`` ones, by default equal ones.

    Parameters
    ----------
    trained, wanted : ndarray of shape (n_segments, n_classes)
        Weights or counts; a class that either lacks in a segment keeps its probability there.
    """
    target = np.ones_like(trained) if wanted is None else wanted
    known = (trained > 0) & (target > 0)
    ratio = np.divide(_shares(target), _shares(trained), out=np.ones_like(trained), where=known)
    return np.log(ratio)


def tuned_offsets(proba: Floats, codes: Codes, segments: Codes, *, n_segments: int, temperature: float = 1.0) -> Floats:
    """Return the offsets with the least balanced cross-entropy on out-of-fold rows; rows without a prediction apart."""
    known = np.isfinite(proba).all(axis=1)
    logs = _logs(proba[known]) / temperature
    return fit_offsets(logs, codes[known], segments[known], n_segments=n_segments)[:n_segments]


def tuned_temperature(proba: Floats, codes: Codes, segments: Codes) -> float:
    """Return the temperature with the least balanced cross-entropy on out-of-fold rows, with offsets of its own."""
    known = np.isfinite(proba).all(axis=1)
    return fit_temperature(_logs(proba[known]), codes[known], segments[known])


def best_threshold(scores: Floats, is_positive: npt.NDArray[np.bool_], groups: Codes) -> float:
    """Return the score above which "positive" gives the best mean over groups of the share of right decisions.

    Of equally good thresholds the middle of the gap nearest to one half is taken.
    """
    weights = 1.0 / np.bincount(groups)[groups]
    order = np.argsort(scores, kind="stable")
    ranked = np.concatenate([[0.0], scores[order], [1.0]])
    # Calling one more row negative gains its weight where it is negative, and loses it where it is positive.
    gains = np.concatenate([[0.0], np.cumsum(np.where(is_positive[order], -weights[order], weights[order]))])
    is_gap = np.diff(ranked) > 0
    is_gap[[0, -1]] = True
    best = np.flatnonzero(is_gap & (gains >= gains[is_gap].max() - 1e-12))
    middles = (ranked[best] + ranked[best + 1]) / 2
    return float(middles[np.argmin(np.abs(middles - 0.5))])


def decisions(proba: Floats, positive: int | None, threshold: float) -> Codes:
    """Return the class decided on: by the threshold on the positive class of two, else the most probable one."""
    if positive is None:
        return proba.argmax(axis=1).astype(np.int64)
    return np.where(proba[:, positive] > threshold, positive, 1 - positive).astype(np.int64)


def _shares(weights: Floats) -> Floats:
    total = weights.sum(axis=1, keepdims=True)
    return np.asarray(weights / np.where(total > 0, total, 1.0))


def _logs(proba: Floats) -> Floats:
    return np.asarray(np.log(np.clip(proba, SMALLEST, 1.0)))
