"""Rows as numbers and category codes, and the role of every column in making a new row."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Hashable

    import numpy.typing as npt

    from autosynth import ColumnSchema, Group, Table


@dataclass(frozen=True)
class ColumnRoles:
    """Which columns are read as numbers, which as categories, and where the cells of a new row come from.

    Attributes
    ----------
    numbers, categories : tuple of ColumnSchema
        The columns that are encoded: all but texts and a label that holds classes.
    interpolated, voted : tuple of Hashable
        Those of them whose cells come from two rows, or from a vote of the neighbours.
    copied : tuple of Hashable
        The other columns, whose cells come from the base row: texts, the class label, and group columns (a group
        column that is cut into bins is interpolated: between two rows of one bin lies the same bin).
    """

    numbers: tuple[ColumnSchema, ...]
    categories: tuple[ColumnSchema, ...]
    interpolated: tuple[Hashable, ...]
    voted: tuple[Hashable, ...]
    copied: tuple[Hashable, ...]

    @classmethod
    def of(cls, table: Table) -> ColumnRoles:
        """Return the roles of a table's columns."""
        fixed = {axis.column.name for axis in table.grouping.axes if axis.edges is None}
        encoded = [
            column for column in table.schema.columns if not (column.name == table.label and column.name in fixed)
        ]
        numbers = tuple(column for column in encoded if column.is_number_like)
        categories = tuple(column for column in encoded if column.kind in ("category", "boolean"))
        interpolated = tuple(column.name for column in numbers if column.name not in fixed)
        voted = tuple(column.name for column in categories if column.name not in fixed)
        rest = tuple(name for name in table.schema.names if name not in {*interpolated, *voted})
        return cls(numbers, categories, interpolated, voted, rest)

    def has_number_features(self, label: Hashable) -> bool:
        """Return whether any number-like column other than the label exists."""
        return any(column.name != label for column in self.numbers)


@dataclass(frozen=True)
class EncodedRows:
    """Some rows of a table as arrays.

    Attributes
    ----------
    positions : ndarray of int, shape (n_rows,)
        Where the rows stand in the table, in rising order.
    numbers : ndarray of float, shape (n_rows, n_number_columns)
        Number-like cells, missing as NaN.
    codes : ndarray of int, shape (n_rows, n_category_columns)
        Category cells as small whole numbers, comparable within this object and what it is cut into; missing as -1.
    """

    positions: npt.NDArray[np.int64]
    numbers: npt.NDArray[np.float64]
    codes: npt.NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.positions)

    def take(self, rows: npt.NDArray[np.int64]) -> EncodedRows:
        """Return the rows at these places of this object."""
        return EncodedRows(self.positions[rows], self.numbers[rows], self.codes[rows])


def encode(table: Table, positions: npt.NDArray[np.int64], roles: ColumnRoles) -> EncodedRows:
    """Return the rows of ``table`` at ``positions`` as arrays."""
    numbers = np.empty((len(positions), len(roles.numbers)), dtype=np.float64)
    for place, column in enumerate(roles.numbers):
        numbers[:, place] = column.to_float(table.frame[column.name].iloc[positions])
    codes = np.empty((len(positions), len(roles.categories)), dtype=np.int32)
    for place, column in enumerate(roles.categories):
        codes[:, place] = pd.factorize(table.frame[column.name].iloc[positions])[0]
    return EncodedRows(positions, numbers, codes)


class EncodedTable:
    """A table for the time of one request: encodes what is asked for, the whole table at most once."""

    def __init__(self, table: Table, roles: ColumnRoles) -> None:
        self.table = table
        self.roles = roles

    @cached_property
    def all_rows(self) -> EncodedRows:
        """Every row, in the order of the table."""
        return encode(self.table, np.arange(len(self.table)), self.roles)

    @cached_property
    def labels(self) -> npt.NDArray[np.int64]:
        """A number per row that says its class, shape (n_rows,); its group when the label is a quantity."""
        return self._label_of_group[self.table.group_codes]

    def rows(self, group: Group, *, whole_table: bool) -> EncodedRows:
        """Return the rows of a group, cut from ``all_rows`` when their codes must compare with other groups'."""
        positions = self.table.positions(group)
        return self.all_rows.take(positions) if whole_table else encode(self.table, positions, self.roles)

    def label(self, group: Group) -> int:
        """Return the number by which ``labels`` marks the class of a group."""
        return int(self._label_of_group[self.table.groups.index(group)])

    def cell(self, group: Group) -> npt.NDArray[np.int64]:
        """Return the positions of all rows that agree with a group in the group columns, whatever their class."""
        if not self._has_classes:
            return self.table.positions(group)
        cells = self.table.grouping.axis_codes[:, 1:]
        is_same = (cells == cells[self.table.groups.index(group)]).all(axis=1)
        return np.flatnonzero(is_same[self.table.group_codes])

    @property
    def _has_classes(self) -> bool:
        return self.table.label in self.table.fixed_columns

    @property
    def _label_of_group(self) -> npt.NDArray[np.int64]:
        n_groups = len(self.table.groups)
        return self.table.grouping.axis_codes[:, 0] if self._has_classes else np.arange(n_groups)
