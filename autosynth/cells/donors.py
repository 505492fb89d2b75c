"""Columns that no model can learn are copied from real rows of the same group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import numpy.typing as npt

    from autosynth.schema import ColumnSchema


@dataclass(frozen=True)
class Donors:
    """The cells of texts and of categories with too many levels.

    One donor serves all such columns of a synthetic row, so that they stay consistent with each other.

    Attributes
    ----------
    frame : DataFrame of shape (n_real, n_copied)
        These columns alone.
    group_codes : ndarray of int, shape (n_real,)
        The group of every real row.

    Examples
    --------
    >>> donors = Donors(pd.DataFrame({"note": ["a", "b", "c"]}), np.array([0, 0, 1]))
    >>> donors.draw(np.array([1, 1]), np.random.default_rng(0)).tolist()
    [2, 2]
    """

    frame: pd.DataFrame
    group_codes: npt.NDArray[np.int64]

    def draw(self, group_codes: npt.NDArray[np.int64], rng: np.random.Generator) -> npt.NDArray[np.int64]:
        """Return the position of a random real row of the same group for every entry of ``group_codes``."""
        by_group = np.argsort(self.group_codes, kind="stable")
        sizes = np.bincount(self.group_codes)
        starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        positions: npt.NDArray[np.int64] = by_group[starts[group_codes] + rng.integers(sizes[group_codes])]
        return positions


def is_copied(column: ColumnSchema, max_levels: int) -> bool:
    """Return whether a column is copied from donors rather than learned."""
    return column.kind == "text" or (column.kind == "category" and column.n_distinct > max_levels)
