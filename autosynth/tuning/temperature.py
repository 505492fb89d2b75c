"""Temperature: how much too sure or too timid probabilities are, fitted together with the shift that suits them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from autosynth.prior_shift import RIDGE, log_softmax

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats: TypeAlias = npt.NDArray[np.float64]
    Codes: TypeAlias = npt.NDArray[np.int64]

__all__ = ["fit_temperature"]

# How far 1 / temperature is expected to lie from 1: boosted trees on few rows often lie near a half.
WIDTH = 0.5
LIMITS = (0.05, 5.0)  # of 1 / temperature: above 0, so that the order of rows stays


def fit_temperature(logs: Floats, codes: Codes, *, balanced: bool = True) -> float:
    """Return the temperature T whose log p / T has the least cross-entropy after class offsets of its own.

    Models that have learned their training rows by heart are too sure of others: T > 1 takes that back.  Of two classes
    it changes neither the order of the rows nor what some threshold decides.  Expected is a temperature near 1, the
    more so the fewer rows there are.

    Parameters
    ----------
    logs : ndarray of shape (n_rows, n_classes)
        Natural logarithms of probabilities, finite.
    codes : ndarray of int, shape (n_rows,)
        The class of every row, a column of ``logs``.
    balanced : bool
        Whether every class counts the same; otherwise every row does.

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

    n_classes = logs.shape[1]
    weights = 1.0 / np.bincount(codes, minlength=n_classes).clip(min=1)[codes] if balanced else np.ones(len(codes))
    weights = weights / weights.sum()
    shares = np.bincount(codes, weights=weights, minlength=n_classes)
    rows = np.arange(len(codes))
    centred = logs - weights @ logs  # so that what is found does not change where logs are shifted
    of_truth = float(weights @ centred[rows, codes])
    prior = float((weights**2).sum()) / (2 * WIDTH**2)  # the loss is a mean: one over the effective number of rows

    def loss_and_slope(free: Floats) -> tuple[float, Floats]:
        scale, offsets = free[0], np.concatenate([[0.0], free[1:]])
        after = log_softmax(scale * centred + offsets)
        said = np.exp(after) * weights[:, None]
        loss = -float(weights @ after[rows, codes]) + prior * (scale - 1) ** 2 + RIDGE * float(offsets @ offsets)
        of_scale = float((said * centred).sum()) - of_truth + 2 * prior * (scale - 1)
        return loss, np.concatenate([[of_scale], (said.sum(axis=0) - shares + 2 * RIDGE * offsets)[1:]])

    start = np.concatenate([[1.0], np.zeros(n_classes - 1)])
    bounds = [LIMITS, *[(None, None)] * (n_classes - 1)]
    found = minimize(loss_and_slope, start, jac=True, method="L-BFGS-B", bounds=bounds)
    return float(1 / found.x[0])
