"""Cuts: where the number line of a column is cut into cells, so that no cell shows the rows in it.

Values that many rows hold get a cell of their own.  The others are gathered into cells of at least five rows, with cuts
halfway between two neighbours, rounded: no value is named that few rows hold.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Codes = npt.NDArray[np.int64]
    Floats = npt.NDArray[np.float64]

MIN_CELL_ROWS = 5
N_CELLS = 50  # of a column with more distinct values, about
HUGE = 1e300  # beyond it, rounding could overflow
LARGE_SHARE = 0.05  # of the rows; a value that so many hold is not taken together with others


@dataclass(frozen=True)
class Stretch:
    """Neighbouring distinct values that share a cell.

    Attributes
    ----------
    start, end : int
        Their positions among the distinct values; the end is not included.
    n_rows : int
        Rows that hold one of them.
    is_value : bool
        Whether it is one value with a cell of its own.
    """

    start: int
    end: int
    n_rows: int
    is_value: bool = False

    def join(self, other: Stretch) -> Stretch:
        """Return both as one; they must be neighbours."""
        return Stretch(min(self.start, other.start), max(self.end, other.end), self.n_rows + other.n_rows)


def cut_edges(numbers: Floats) -> tuple[float, ...]:
    """Return the edges of the cells of a column: values that many rows hold, and cuts between the others.

    Every cell holds five rows or more, or none.  The exception are a few rows that lie beside values which both hold
    more than a twentieth of the rows (and more than nine): taken together with those, they would hide a fault.

    Parameters
    ----------
    numbers : ndarray of shape (n_rows,)
        Without NaN.

    Examples
    --------
    >>> cut_edges(np.array([7.0] * 9 + [8.0] * 9))
    (7.0, 8.0)
    >>> cut_edges(np.array([101, 102, 204, 207, 209, 315, 316, 318, 401, 450], dtype=float))
    (300.0,)
    """
    distinct, counts = np.unique(numbers, return_counts=True)
    is_short = len(distinct) <= N_CELLS
    least = MIN_CELL_ROWS if is_short else max(MIN_CELL_ROWS, math.ceil(len(numbers) / N_CELLS))
    stretches = _without_small_ones(_stretches(counts, least), len(numbers))
    edges: list[float] = []
    for place, stretch in enumerate(stretches):
        if stretch.is_value:
            edges.append(float(distinct[stretch.start]))
        elif place and not stretches[place - 1].is_value:
            cut = cut_between(float(distinct[stretch.start - 1]), float(distinct[stretch.start]))
            edges += [] if cut is None else [cut]
    return tuple(edge + 0.0 for edge in edges)  # 0 has no sign


def cut_between(low: float, high: float) -> float | None:
    """Return a number of few digits about halfway between two; None where no float lies between them.

    Examples
    --------
    >>> cut_between(20_311.0, 20_377.0), cut_between(0.123456, 0.125), cut_between(3.0, float(np.nextafter(3.0, 4.0)))
    (20340.0, 0.124, None)
    """
    middle, gap = low / 2 + high / 2, high - low
    first = -math.floor(math.log10(gap)) if 0 < gap < HUGE else 0
    for decimals in range(first, first + 3):
        cut = round(middle, decimals)
        if low < cut < high:
            return cut
    return middle if low < middle < high else None


def _stretches(counts: Codes, least: int) -> list[Stretch]:
    """Return the distinct values in stretches of at least so many rows, but for those left over before a value."""
    below = np.concatenate([[0], np.cumsum(counts)])
    frequent = np.flatnonzero(counts >= least).tolist()
    found: list[Stretch] = []
    start = 0
    for end in [*frequent, len(counts)]:
        while start < end:
            stop = min(int(np.searchsorted(below, below[start] + least)), end)
            if below[end] - below[stop] < MIN_CELL_ROWS:
                stop = end
            found.append(Stretch(start, stop, int(below[stop] - below[start])))
            start = stop
        if end < len(counts):
            found.append(Stretch(end, end + 1, int(counts[end]), is_value=True))
            start = end + 1
    return found


def _without_small_ones(stretches: Sequence[Stretch], n_rows: int) -> list[Stretch]:
    """Return the stretches, those of fewer than five rows taken together with the smaller of their neighbours."""
    kept = list(stretches)
    large = max(2 * MIN_CELL_ROWS - 1, LARGE_SHARE * n_rows)
    place = 0
    while place < len(kept):
        beside = [side for side in (place - 1, place + 1) if 0 <= side < len(kept)]
        other = min(beside, key=lambda side: kept[side].n_rows, default=None)
        if kept[place].n_rows >= MIN_CELL_ROWS or other is None or kept[other].n_rows > large:
            place += 1
            continue
        first = min(place, other)
        kept[first : first + 2] = [replace(kept[first].join(kept[first + 1]), is_value=False)]
        place = first
    return kept
