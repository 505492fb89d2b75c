"""Some of many rows for a picture: always the same ones, and every group keeps its share."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Codes: TypeAlias = npt.NDArray[np.int64]

KEPT_OF_EACH = 50  # rows of a group that stay, where it has so many, however rare it is


def thin(group_codes: Codes, n_most: int) -> Codes:
    """Return the positions of at most about ``n_most`` rows, in rising order.

    Parameters
    ----------
    group_codes : ndarray of int, shape (n_rows,)
        Group of every row.
    n_most : int
        Rows wanted; where there are very many groups, a few rows of each may make some more.

    Examples
    --------
    >>> codes = np.array([0] * 9_000 + [1] * 5)
    >>> kept = thin(codes, 100)
    >>> np.bincount(codes[kept]).tolist()
    [100, 5]
    """
    if len(group_codes) <= n_most:
        return np.arange(len(group_codes))
    rng = np.random.default_rng(0)
    sizes = np.bincount(group_codes)
    n_groups = int((sizes > 0).sum())
    least = np.minimum(sizes, max(1, min(KEPT_OF_EACH, n_most // (2 * n_groups))))
    wanted = np.maximum(least, np.round(n_most * sizes / len(group_codes))).astype(np.int64)
    shuffled = rng.permutation(len(group_codes))
    order = shuffled[np.argsort(group_codes[shuffled], kind="stable")]
    starts = np.cumsum(sizes) - sizes
    rank = np.arange(len(order)) - np.repeat(starts, sizes)
    return np.sort(order[rank < np.repeat(wanted, sizes)])
