"""What is known of a cell before any other cell of the row is: the shares of its tokens in every group."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from autosynth_tree.masking import Codes

    Floats = npt.NDArray[np.float64]

PRIOR_ROWS = 8.0  # rows that the guess for a group counts beside its own rows
SMOOTHING = 0.05  # share of the uniform distribution in the guess, so that nothing is impossible
RIDGE = 0.1  # penalty on the effect of a label or group value, in groups


def group_shares(classes: Codes, groups: Codes, axes: Codes) -> Floats:
    """Return the share of every class in every group; small groups lean on what the others let guess.

    With one axis (the label alone) the guess is the table, groups counting by how much their size tells.  With more,
    log-shares are taken to be a sum of the effects of the axes, fitted by ridge regression over the groups: a group of
    one row, ill and in ward c, gets the shares that illness and ward c have elsewhere.

    Parameters
    ----------
    classes : ndarray of int, shape (n_rows,)
        From 0 to n_classes - 1.
    groups : ndarray of int, shape (n_rows,)
        The group of every row; none is empty.
    axes : ndarray of int, shape (n_groups, n_axes)
        The codes of every group.

    Returns
    -------
    ndarray of float, shape (n_groups, n_classes)
        Above 0, each group adding up to 1.

    Examples
    --------
    >>> shares = group_shares(np.array([0, 0, 0, 1]), np.array([0, 0, 0, 1]), np.array([[0], [1]]))
    >>> shares.round(2).tolist()
    [[0.77, 0.23], [0.61, 0.39]]
    """
    n_groups, n_classes = len(axes), int(classes.max()) + 1
    counts = np.bincount(groups * n_classes + classes, minlength=n_groups * n_classes).reshape(n_groups, n_classes)
    sizes = counts.sum(axis=1, keepdims=True)
    trust = sizes / (sizes + PRIOR_ROWS)
    of_table = _smoothed((trust * counts / sizes).sum(axis=0, keepdims=True) / trust.sum())
    guess = of_table if axes.shape[1] == 1 else _additive(_leaning(counts, of_table), trust[:, 0], axes)
    return _leaning(counts, _smoothed(guess))


def _leaning(counts: Codes, guess: Floats) -> Floats:
    shares: Floats = (counts + PRIOR_ROWS * guess) / (counts.sum(axis=1, keepdims=True) + PRIOR_ROWS)
    return shares


def _smoothed(shares: Floats) -> Floats:
    return np.asarray((1 - SMOOTHING) * shares + SMOOTHING / shares.shape[1], dtype=np.float64)


def _additive(shares: Floats, trust: Floats, axes: Codes) -> Floats:
    """Return the shares that the axes give without interactions, each group counting by its trust."""
    logs = np.log(shares)
    mean = np.average(logs, axis=0, weights=trust)
    dummies = np.column_stack([np.equal.outer(codes, np.unique(codes)) for codes in axes.T]).astype(np.float64)
    penalty = RIDGE * np.eye(dummies.shape[1])
    effects = np.linalg.solve((dummies.T * trust) @ dummies + penalty, (dummies.T * trust) @ (logs - mean))
    fitted = np.exp(mean + dummies @ effects)
    return np.asarray(fitted / fitted.sum(axis=1, keepdims=True), dtype=np.float64)
