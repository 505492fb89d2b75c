"""The shift of the prior that makes the worst group as good as a shift can."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from autosynth.prior_shift import RIDGE, SPREAD, fit_offsets, log_softmax

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats: TypeAlias = npt.NDArray[np.float64]
    Codes: TypeAlias = npt.NDArray[np.int64]

__all__ = ["fit_worst_offsets"]

SHARPNESS = 30.0  # per nat: groups within 1/30 nat of the worst one count too, which keeps the problem smooth


def fit_worst_offsets(logs: Floats, codes: Codes, segments: Codes, *, n_segments: int) -> Floats:
    """Return class offsets per segment with the least cross-entropy of the worst cell of label x segment.

    The largest of convex risks is convex; its smooth stand-in, a log-sum-exp, is minimised.  Offsets are held near
    those of the balanced cross-entropy, the more the fewer rows a segment has.

    Parameters
    ----------
    logs, codes, segments, n_segments
        As in :func:`autosynth.prior_shift.fit_offsets`.

    Returns
    -------
    ndarray of shape (n_segments + 1, n_classes)
        As there.

    Examples
    --------
    >>> logs = np.log([[0.5, 0.5], [0.9, 0.1], [0.6, 0.4], [0.5, 0.5]])
    >>> segments = np.zeros(4, dtype=int)
    >>> fit_worst_offsets(logs, np.array([0, 0, 1, 1]), segments, n_segments=1).shape
    (2, 2)
    """
    from scipy.optimize import minimize
    from scipy.special import logsumexp

    start = fit_offsets(logs, codes, segments, n_segments=n_segments)
    n_classes = logs.shape[1]
    _, cells = np.unique(segments * n_classes + codes, return_inverse=True)
    sizes = np.bincount(cells)
    rows = np.arange(len(codes))
    truth = np.eye(n_classes)[codes]
    ridge = RIDGE + 1 / (2 * SPREAD**2 * np.bincount(segments, minlength=n_segments).clip(min=1))[:, None]

    def moved(free: Floats) -> Floats:
        return np.column_stack([np.zeros(n_segments), free.reshape(n_segments, n_classes - 1)])

    def loss_and_slope(free: Floats) -> tuple[float, Floats]:
        move = moved(free)
        after = log_softmax(logs + (start[:-1] + move)[segments])
        risks = np.bincount(cells, weights=-after[rows, codes]) / sizes
        worst = float(logsumexp(SHARPNESS * risks))
        weights = (np.exp(SHARPNESS * risks - worst) / sizes)[cells]
        slope = np.zeros((n_segments, n_classes))
        np.add.at(slope, segments, weights[:, None] * (np.exp(after) - truth))
        slope += 2 * ridge * move
        return worst / SHARPNESS + float((ridge * move**2).sum()), slope[:, 1:].ravel()

    found = minimize(loss_and_slope, np.zeros(n_segments * (n_classes - 1)), jac=True, method="L-BFGS-B")
    return np.vstack([start[:-1] + moved(found.x), start[-1:] + moved(found.x).mean(axis=0)])
