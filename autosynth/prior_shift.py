"""Shifts of the prior: class offsets that make the balanced cross-entropy of given probabilities as small as can be.

What such a shift gives needs no new model: it moves a threshold.  So every comparison of models by balanced risk asks
first how much of the change a shift would have given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats: TypeAlias = npt.NDArray[np.float64]
    Codes: TypeAlias = npt.NDArray[np.int64]

__all__ = ["N_FOLDS", "cross_fitted_losses", "fit_offsets", "log_softmax", "prior_offsets", "ridge_of"]

N_FOLDS = 5
RIDGE = 1e-3  # keeps the offset of a class that a segment never showed, or separates perfectly, finite
SPREAD = 1.0  # how far offsets of segments are expected to lie from the pooled ones at least, in log odds


def fit_offsets(logs: Floats, codes: Codes, segments: Codes, *, n_segments: int, balanced: bool = True) -> Floats:
    """Return class offsets per segment with the least balanced cross-entropy: one convex problem per segment.

    With offsets of its own for every segment (a combination of group columns), whatever a model takes from a group's
    class shares alone is shifted too.  They are shrunk towards those of all rows, the more the fewer rows there are.
    Adding a constant per class to ``logs`` takes it from the offsets, so that two models that differ by a shift alone
    are the same model after it.

    Parameters
    ----------
    logs : ndarray of shape (n_rows, n_classes)
        Natural logarithms of probabilities, finite.
    codes : ndarray of int, shape (n_rows,)
        The class of every row, a column of ``logs``.
    segments : ndarray of int, shape (n_rows,)
        The segment of every row, 0 to ``n_segments`` - 1; one without rows gets the offsets of all rows.
    n_segments : int
        How many segments there are.
    balanced : bool
        Whether every class counts the same, as in the balanced cross-entropy; otherwise every row does.

    Returns
    -------
    ndarray of shape (n_segments + 1, n_classes)
        To be added to the logarithms; the first class's are 0, the last row holds those of all rows pooled.

    Examples
    --------
    >>> logs = np.log([[0.9, 0.1], [0.9, 0.1], [0.8, 0.2], [0.9, 0.1], [0.8, 0.2]])
    >>> offsets = fit_offsets(logs, np.array([0, 0, 0, 1, 1]), np.zeros(5, dtype=int), n_segments=1)
    >>> offsets[0].round(1).tolist()  # the second class needs about seven times its odds
    [0.0, 1.9]
    """
    pooled = _fit(logs, codes, balanced=balanced)
    if n_segments == 1:
        return np.array([pooled, pooled])
    rows = [np.flatnonzero(segments == segment) for segment in range(n_segments)]

    def fit_segments(spread: float) -> Floats:
        return np.array(
            [_fit(logs[some], codes[some], pooled, spread, balanced=balanced) if len(some) else pooled for some in rows]
        )

    own = fit_segments(SPREAD)
    seen = float(np.sqrt(((own - pooled)[:, 1:] ** 2).mean()))
    # Where segments turn out to lie farther apart than expected, they are held together less.
    return np.array([*(fit_segments(seen) if seen > SPREAD else own), pooled])


def prior_offsets(trained: Floats, target: Floats | None = None) -> Floats:
    """Return what brings probabilities from the prior of training to another one, in closed form.

    Parameters
    ----------
    trained : ndarray of shape (n_segments, n_classes)
        Weight of each class in each segment among the training rows.  A class without weight in a segment has no
        probability there that Bayes' rule could correct; it gets the correction that it has in all segments together,
        and none if it has no weight at all.
    target : ndarray of shape (n_segments, n_classes), optional
        Weight of the classes in the population asked about; None makes them even.

    Returns
    -------
    ndarray of shape (n_segments + 1, n_classes)
        To be added to the logarithms of probabilities; the first class's are 0, the last row holds those of all
        segments pooled.

    Examples
    --------
    >>> np.exp(prior_offsets(np.array([[90.0, 10.0]])))[0].round(2).tolist()  # nine times the odds of the second class
    [1.0, 9.0]
    """
    before = _log_shares(trained)
    after = np.zeros_like(before) if target is None else _log_shares(target)
    offsets = after - before
    pooled = np.nan_to_num(offsets[-1], nan=0.0)
    offsets = np.where(np.isnan(offsets), pooled, offsets)
    return np.asarray(offsets - offsets[:, :1])


def cross_fitted_losses(logs: Floats, codes: Codes, segments: Codes, *, n_segments: int, folds: Codes) -> Floats:
    """Return every row's cross-entropy after a shift that the row's own fold had no part in, shape (n_rows,), in nats.

    Parameters
    ----------
    logs, codes, segments, n_segments
        As in `fit_offsets`.
    folds : ndarray of int, shape (n_rows,)
        The fold of every row.
    """
    losses = np.empty(len(codes))
    for fold in np.unique(folds):
        held, others = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        offsets = fit_offsets(logs[others], codes[others], segments[others], n_segments=n_segments)
        shifted = log_softmax(logs[held] + offsets[segments[held]])
        losses[held] = -shifted[np.arange(len(held)), codes[held]]
    return losses


def ridge_of(shares: Floats) -> float:
    """Return the weight of the ridge on offsets, for the share that each class has in the loss.

    Where every row counts the same, a rare class has a small share of the loss, and the ridge that suits even classes
    would move its probability to a multiple.  A class without a row keeps that ridge: nothing else holds its offset.

    Examples
    --------
    >>> ridge_of(np.array([0.5, 0.5])), ridge_of(np.array([0.995, 0.005])), ridge_of(np.array([1.0, 0.0]))
    (0.001, 1e-05, 0.001)
    """
    return RIDGE * min(1.0, len(shares) * float(shares.min()) or 1.0)


def log_softmax(logits: Floats) -> Floats:
    """Return logarithms of probabilities that are proportional to exp(logits), row by row.

    Examples
    --------
    >>> np.exp(log_softmax(np.log([[2.0, 6.0]]))).round(2).tolist()
    [[0.25, 0.75]]
    """
    moved = logits - logits.max(axis=1, keepdims=True)
    return np.asarray(moved - np.log(np.exp(moved).sum(axis=1, keepdims=True)))


def _log_shares(weights: Floats) -> Floats:
    """Return the logarithm of each class's share in every segment, pooled last; NaN where it has no weight."""
    stacked = np.vstack([weights, weights.sum(axis=0)])
    totals = stacked.sum(axis=1, keepdims=True)
    shares = np.divide(stacked, totals, out=np.full_like(stacked, np.nan), where=(stacked > 0) & (totals > 0))
    return np.asarray(np.log(shares))


def _fit(
    logs: Floats, codes: Codes, pooled: Floats | None = None, spread: float = SPREAD, *, balanced: bool = True
) -> Floats:
    """Return one offset per class, the first 0, that minimise the mean over classes of their mean cross-entropy,
    or over rows when not ``balanced``.

    With ``pooled``, deviations from it are penalised like draws from a normal distribution of width ``spread``; the
    loss is a mean, so that prior weighs one over the effective number of rows.
    """
    from scipy.optimize import minimize

    n_classes = logs.shape[1]
    sizes = np.bincount(codes, minlength=n_classes).clip(min=1)
    weights = 1.0 / sizes[codes] if balanced else np.ones(len(codes))
    weights /= weights.sum()
    shares = np.asarray(np.bincount(codes, weights=weights, minlength=n_classes), dtype=np.float64)
    rows = np.arange(len(codes))
    if pooled is None:  # a ridge towards even log odds follows the logs when they are shifted; towards 0 it would not
        centre, ridge = -(weights @ (logs[:, 1:] - logs[:, :1])), ridge_of(shares)
    else:
        centre, ridge = pooled[1:], ridge_of(shares) + (weights**2).sum() / (2 * spread**2)

    def loss_and_slope(free: Floats) -> tuple[float, Floats]:
        shifted = log_softmax(logs + np.concatenate([[0.0], free]))
        slope = weights @ np.exp(shifted) - shares
        away = free - centre
        return float(-(weights @ shifted[rows, codes]) + ridge * (away**2).sum()), slope[1:] + 2 * ridge * away

    found = minimize(loss_and_slope, centre, jac=True, method="L-BFGS-B")
    return np.concatenate([[0.0], found.x])
