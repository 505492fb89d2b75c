"""Copies: which synthetic rows repeat a real row, exactly or nearly, and how often real rows do so among themselves.

Rows are compared in what the generator decided: every column but the label and the group columns, whose values the
request sets (a binned group column is compared, since the request sets only its bin).  So a row that is recited under
another label is a copy too.

A near copy of a real row has its categories and its missing values, and lies 20 times nearer to it than any other real
row does (``NEAR_SHARE``).  Distances are differences of ranks (:class:`~autosynth.checks.distance.RankScale`), summed
over the number-like columns; no row is near that is more than half a percent of all ranks away per column on average.
The rule looks at the neighbourhood of each row, so it holds in dense and thin regions, in rare and common groups.  A
row that keeps most cells and changes one by a lot is not found.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from autosynth.checks.distance import NeighbourIndex, RowPoints

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Mask = npt.NDArray[np.bool_]

CopyKind: TypeAlias = Literal["exact", "near"]

NEAR_SHARE = 0.05  # of the distance from the copied row to the next other real row
WIDEST_GAP = 0.1  # ranks per column; a real row farther than that from all others counts as this far
N_BATCHES = 16  # of likely near copies, from the nearest to the farthest


@dataclass(frozen=True)
class Copies:
    """Which rows are copies of real rows.

    Attributes
    ----------
    exact, near : ndarray of bool, shape (n_rows,)
        Equal to a real row in every compared column; or nearly so, and not equal.
    """

    exact: Mask
    near: Mask


class CopyFinder:
    """Finds copies of some real rows, where no other real row explains the likeness.

    Parameters
    ----------
    points : RowPoints
        The real rows that may be copied.
    others : RowPoints, optional
        Other real rows, that the generator may well resemble.  What equals one of these is no copy of ``points``: for
        held-out rows, these are the rows that it learned from.
    """

    def __init__(self, points: RowPoints, others: RowPoints | None = None) -> None:
        self.points = points
        self.others = points[np.arange(0)] if others is None else others
        self._everyone = RowPoints.join(self.points, self.others)

    def copies(self, rows: RowPoints) -> Copies:
        """Return which of some synthetic rows are copies, of either kind."""
        return Copies(self.find(rows, "exact"), self.find(rows, "near"))

    def find(self, rows: RowPoints, kind: CopyKind) -> Mask:
        """Return which of some synthetic rows are copies of one kind; exact ones are found much faster."""
        if kind == "exact":
            return np.isin(rows.keys, self.points.keys) & ~np.isin(rows.keys, self.others.keys)
        return self._near(rows) & ~np.isin(rows.keys, self._everyone.keys)

    def coincidences(self, positions: npt.NDArray[np.int64], kind: CopyKind, *, of_others: bool = False) -> Mask:
        """Return which real rows would count as copies, were each of them a fresh row that the generator made.

        Each one at these positions of the points, or of the others, is compared with all real rows but itself.
        """
        own, rest = (self.others, self.points) if of_others else (self.points, self.others)
        is_alone = ~_repeated(own.keys)[positions]
        rows = own[positions]
        is_elsewhere = np.isin(rows.keys, rest.keys)
        if kind == "exact":
            return is_alone & is_elsewhere if of_others else ~is_alone & ~is_elsewhere
        return self._near(rows) & is_alone & ~is_elsewhere

    def _near(self, rows: RowPoints) -> Mask:
        """Return which rows are near a point, equal ones left aside."""
        near = np.zeros(len(rows), dtype=bool)
        n_numbers = rows.ranks.shape[1]
        if not n_numbers:
            return near
        reach = NEAR_SHARE * WIDEST_GAP * n_numbers
        distances, nearest = self._index.nearest(rows, n_nearest=2, within=reach)
        distances, nearest = _first_other(self._index.points, distances, nearest, [rows.keys])
        found = np.flatnonzero(np.isfinite(distances))
        # How far a row is from others takes long to find; that none is nearer than 20 times a small distance does not.
        found = found[np.argsort(distances[found])]
        for some in np.array_split(found, N_BATCHES):
            gaps = self._gaps(
                self._index.points[nearest[some]], rows[some], distances[some].max(initial=0) / NEAR_SHARE
            )
            near[some] = distances[some] <= NEAR_SHARE * gaps
        return near

    def _gaps(self, copied: RowPoints, rows: RowPoints, within: float) -> npt.NDArray[np.float64]:
        """Return how far the next real row is from each copied one, the row that copies it left aside, up to a limit.

        A hair is added to the limit, since the search finds what lies strictly inside.
        """
        index = self._index_of_everyone
        distances, nearest = index.nearest(copied, n_nearest=3, within=within * (1 + 1e-9))
        distances, _ = _first_other(index.points, distances, nearest, [copied.keys, rows.keys])
        return np.asarray(np.minimum(distances, WIDEST_GAP * copied.ranks.shape[1]))

    @cached_property
    def _index(self) -> NeighbourIndex:
        """The points that no other row equals: what is near to the other row is explained by it."""
        points = self.points.distinct()
        return NeighbourIndex(points[~np.isin(points.keys, self.others.keys)])

    @cached_property
    def _index_of_everyone(self) -> NeighbourIndex:
        return NeighbourIndex(self._everyone.distinct())


def _repeated(keys: npt.NDArray[np.uint64]) -> Mask:
    _, codes, counts = np.unique(keys, return_inverse=True, return_counts=True)
    return np.asarray(counts[codes] > 1)


def _first_other(
    points: RowPoints,
    distances: npt.NDArray[np.float64],
    positions: npt.NDArray[np.int64],
    left_out: Sequence[npt.NDArray[np.uint64]],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Return the nearest of each row's neighbours, shape (n_rows,), whose key is not among those left out."""
    keys = np.append(points.keys, np.uint64(0))[positions]  # the position after the last one means none
    is_other = np.isfinite(distances)
    for some in left_out:
        is_other &= keys != some[:, None]
    first = is_other.argmax(axis=1)
    rows = np.arange(len(distances))
    return np.where(is_other.any(axis=1), distances[rows, first], np.inf), positions[rows, first]
