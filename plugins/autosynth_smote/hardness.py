"""How many of a row's nearest neighbours in the whole table carry another label."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from autosynth_smote.neighbours import nearest

if TYPE_CHECKING:
    import numpy.typing as npt

    from autosynth_smote.space import GroupSpace


def judge(
    space: GroupSpace, n_neighbours: int, max_rows: int, rng: np.random.Generator
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return rows of a group and the share of their neighbours that carry another label.

    Parameters
    ----------
    space : GroupSpace
        The group, encoded together with the whole table.
    n_neighbours : int
        Neighbours to look at, in all groups; all other rows in a smaller table.
    max_rows : int
        At most this many rows are judged, drawn at random from a larger group.
    rng : numpy.random.Generator
        Draws them.

    Returns
    -------
    judged : ndarray of int, shape (n_judged,)
        Places in the group.
    share : ndarray of float, shape (n_judged,)
        0 (all neighbours share the label) to 1 (none does).
    """
    n_rows = len(space.rows)
    judged = np.arange(n_rows) if n_rows <= max_rows else np.sort(rng.choice(n_rows, size=max_rows, replace=False))
    rows = space.rows.take(judged)
    # In random order, so that the order of the table does not decide between rows of different labels equally near.
    order = rng.permutation(len(space.encoded.all_rows))
    everyone = space.encoded.all_rows.take(order)
    m = min(n_neighbours, len(everyone) - 1)
    found = nearest(
        space.metric.points(rows),
        space.metric.points(everyone),
        m,
        own_place=np.argsort(order)[rows.positions],
    )
    is_other = space.encoded.labels[everyone.positions[found]] != space.encoded.label(space.group)
    return judged, is_other.mean(axis=1)


def spread(weights: npt.NDArray[np.float64], count: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Return ``count`` places, each as often as its share of the weights says, rounded down or up.

    Systematic resampling: the total is exact, which rounding every share on its own would not give.

    Examples
    --------
    >>> places = spread(np.array([1.0, 0.0, 3.0]), 8, np.random.default_rng(0))
    >>> np.bincount(places).tolist()
    [2, 0, 6]
    """
    ends = np.cumsum(weights) / weights.sum()
    ends[np.flatnonzero(weights)[-1] :] = 1.0
    ticks = (np.arange(count) + rng.random()) / count
    return np.searchsorted(ends, ticks, side="right").astype(np.int64)
