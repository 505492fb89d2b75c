"""Segments: combinations of group columns, without the label, as the training rows show and cut them."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from autosynth.groups import GroupAxis
from autosynth.table import GroupBy, Table


@dataclass(frozen=True)
class Segments:
    """The group columns of a table and their values; without group columns, all rows are one segment."""

    axes: tuple[GroupAxis, ...]
    cells: pd.Index

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, label: Hashable, group_by: GroupBy) -> Segments:
        """Learn the segments of the training rows."""
        return cls.from_table(Table.from_frame(frame, label=label, group_by=group_by))

    @classmethod
    def from_table(cls, table: Table) -> Segments:
        """Return the segments that the rows of a table belong to."""
        axes = tuple(axis for axis in table.grouping.axes if axis.column.name != table.label)
        return cls(axes, pd.Index([])).seen_in(table.frame)

    def seen_in(self, frame: pd.DataFrame) -> Segments:
        """Return the segments that some of the rows belong to; group columns keep their bins."""
        return replace(self, cells=pd.Index(np.unique(_cells(self.axes, frame))))

    def codes(self, frame: pd.DataFrame) -> npt.NDArray[np.int64]:
        """Return the segment of every row, shape (n_rows,); -1 for one that training did not hold."""
        return self.cells.get_indexer(pd.Index(_cells(self.axes, frame))).astype(np.int64)

    def columns(self, frame: pd.DataFrame) -> pd.DataFrame | None:
        """Return the group columns of ``frame`` with bins named as in training; None when there are none."""
        if not self.axes:
            return None
        names = {
            axis.column.name: np.array([*map(_show, axis.values), "not in training"], dtype=object)
            for axis in self.axes
        }
        return pd.DataFrame(
            {axis.column.name: names[axis.column.name][axis.codes(frame[axis.column.name])] for axis in self.axes},
            index=frame.index,
        )


def _cells(axes: tuple[GroupAxis, ...], frame: pd.DataFrame) -> npt.NDArray[np.int64]:
    cells = np.zeros(len(frame), dtype=np.int64)
    for axis in axes:
        cells = cells * (len(axis.values) + 1) + axis.codes(frame[axis.column.name]) + 1
    return cells


def _show(value: object) -> str:
    return "missing" if value is None else str(value)
