"""Exact nearest neighbours among mixed rows, in blocks of bounded memory.

Distances are summed from differences, never from a matrix product: the latter is faster in many dimensions, but its
last bits depend on the number of threads, and with them which of several equally near rows wins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import numpy.typing as npt

    from autosynth_smote.metric import Points

BLOCK_CELLS = 2 * 2**20  # distances held at once: 16 MiB of float64, and about four times that with the working arrays
MAX_TREE_DIMENSIONS = 16  # a k-d tree visits nearly all points in more


def nearest(queries: Points, references: Points, k: int, *, own_place: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the ``k`` references nearest to every query, in no particular order.

    Categories are compared code by code instead of as one-hot columns, so that neither time nor memory depends on how
    many distinct values they have.

    Parameters
    ----------
    queries, references : Points
        Of the same metric and encoding.
    k : int
        At most the number of references, less one.
    own_place : ndarray of int, shape (n_queries,)
        Where a query stands among the references, which is no neighbour of itself; -1 where it does not.

    Returns
    -------
    ndarray of int, shape (n_queries, k)
        Places in ``references``.
    """
    # More copies of a point than k, and one for the query itself, cannot be needed; large tables hold thousands.
    kept = np.flatnonzero(_n_equal_before(references) <= k)
    thinned = references.take(kept)
    own_place = np.where(own_place >= 0, places(own_place, kept), -1)
    if not thinned.has_codes and 0 < thinned.coordinates.shape[1] <= MAX_TREE_DIMENSIONS:
        return kept[_nearest_by_tree(queries, thinned, k, own_place)]
    return kept[_nearest_by_blocks(queries, thinned, k, own_place)]


def places(positions: npt.NDArray[np.int64], among: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return where each position stands in the rising ``among``, -1 for those that do not occur there."""
    place = np.minimum(np.searchsorted(among, positions), len(among) - 1)
    return np.where(among[place] == positions, place, -1)


def _nearest_by_tree(
    queries: Points, references: Points, k: int, own_place: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    from scipy.spatial import KDTree

    # One more than wanted, as each row may find itself; among many duplicates it may not, then the farthest goes.
    found = KDTree(references.coordinates).query(queries.coordinates, k=k + 1)[1].astype(np.int64)
    is_own = found == own_place[:, None]
    others_first = np.argsort(is_own, axis=1, kind="stable")
    return np.take_along_axis(found, others_first[:, :k], axis=1)


def _nearest_by_blocks(
    queries: Points, references: Points, k: int, own_place: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    found = np.empty((len(queries), k), dtype=np.int64)
    step = max(1, BLOCK_CELLS // len(references))
    for start in range(0, len(queries), step):
        block = slice(start, start + step)
        distances = _squared_distances(queries.coordinates[block], references.coordinates)
        if references.has_codes:
            distances += references.penalty * _mismatches(queries.codes[:, block], references.codes)
        own = own_place[block]
        is_reference = np.flatnonzero(own >= 0)
        distances[is_reference, own[is_reference]] = np.inf
        found[block] = np.argpartition(distances, k - 1, axis=1)[:, :k]
    return found


def _squared_distances(
    queries: npt.NDArray[np.float64], references: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    from scipy.spatial.distance import cdist

    if references.shape[1] == 0:
        return np.zeros((len(queries), len(references)))
    return cast("npt.NDArray[np.float64]", cdist(queries, references, "sqeuclidean"))


def _n_equal_before(points: Points) -> npt.NDArray[np.int64]:
    """Return for every point how many equal ones come before it, shape (n_points,)."""
    columns = dict(enumerate([*points.coordinates.T, *points.codes]))
    hashes = pd.util.hash_pandas_object(pd.DataFrame(columns, index=range(len(points))), index=False)
    return np.asarray(hashes.groupby(hashes, sort=False).cumcount(), dtype=np.int64)


def _mismatches(queries: npt.NDArray[np.int32], references: npt.NDArray[np.int32]) -> npt.NDArray[np.uint16]:
    """Return how many codes differ, shape (n_queries, n_references)."""
    count = np.zeros((queries.shape[1], references.shape[1]), dtype=np.uint16)
    for query_codes, reference_codes in zip(queries, references, strict=True):
        count += query_codes[:, None] != reference_codes
    return count
