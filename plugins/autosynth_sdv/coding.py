"""The whole table as columns of a model, and rows of the table from what a model drew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from autosynth import SampledRows, Table
from autosynth.cells import Donors, is_copied
from autosynth_sdv.columns import Codes, ColumnCode, GroupValue, Levels, Numbers, WithinBin

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt


CELL = "cell"  # name of the model column that holds the position of the row's group
MAX_NUMBER_LEVELS = 20  # for networks, numbers with no more distinct values than this are levels


@dataclass(frozen=True)
class TableCode:
    """How a table is coded for a model.

    Attributes
    ----------
    columns : tuple of ColumnCode
        One for every column that is not copied.
    empty : DataFrame of shape (0, n_columns)
        The table without its rows: names, order and dtypes of all columns.
    donors : Donors or None
        The columns that are copied, when there are any.
    """

    columns: tuple[ColumnCode, ...]
    empty: pd.DataFrame
    donors: Donors | None

    @classmethod
    def learn(
        cls, table: Table, *, max_levels: int, for_network: bool, rng: np.random.Generator
    ) -> tuple[TableCode, pd.DataFrame]:
        """Return the code of a table, and the table in it.

        Parameters
        ----------
        table : Table
            Real rows.
        max_levels : int
            Categories with more levels are copied from donors.
        for_network : bool
            Networks blur numbers: those with few distinct values are coded by their levels, spikes are split off.
        rng : numpy.random.Generator
            Draws what the model is shown in place of missing numbers.

        Returns
        -------
        code : TableCode
        coded : DataFrame of shape (n_rows, n_model_columns)
            Whole numbers in discrete columns, floats in continuous ones.
        """
        axes = {axis.column.name: position for position, axis in enumerate(table.grouping.axes)}
        codes: list[ColumnCode] = []
        coded: dict[str, npt.NDArray[Any]] = {}
        copied = []
        for position, column in enumerate(table.schema.columns):
            values, key = table.frame[column.name], f"column{position}"
            code: ColumnCode
            arrays: Mapping[str, npt.NDArray[Any]] = {}
            if column.name in axes and table.grouping.axes[axes[column.name]].edges is None:
                code = GroupValue.learn(values, table.group_codes)
            elif column.name in axes:
                bins = table.grouping.axis_codes[:, axes[column.name]]
                code, arrays = WithinBin.learn(values, column, key, table.group_codes, bins)
            elif is_copied(column, max_levels):
                copied.append(column.name)
                continue
            elif column.is_number_like and column.n_distinct > (MAX_NUMBER_LEVELS if for_network else 1):
                code, arrays = Numbers.learn(values, column, key, rng, split_spike=for_network)
            else:
                code, arrays = Levels.learn(values, column, key)
            codes.append(code)
            coded.update(arrays)
        donors = Donors(table.frame[copied].reset_index(drop=True), table.group_codes) if copied else None
        return cls(tuple(codes), table.frame.iloc[:0], donors), pd.DataFrame(coded, index=range(len(table)))

    def rows(
        self, coded: Mapping[str, npt.NDArray[Any]], groups: Codes, rng: np.random.Generator, notes: Mapping[str, int]
    ) -> SampledRows:
        """Return rows of the table.

        Parameters
        ----------
        coded : mapping of str to ndarray of shape (n_rows,)
            What the model drew.
        groups : ndarray of int, shape (n_rows,)
            The group of every row.
        rng : numpy.random.Generator
            Draws the donors.
        notes : mapping of str to int
            What the generator has to report.
        """
        if not len(groups):
            return SampledRows(self.empty.copy(), notes=notes)
        columns = {code.name: code.decode(coded, groups) for code in self.columns}
        if self.donors is None:
            return SampledRows(pd.DataFrame({name: columns[name] for name in self.empty.columns}), notes=notes)
        positions = self.donors.draw(groups, rng)
        drawn = self.donors.frame.take(positions).reset_index(drop=True)
        columns |= {name: drawn[name] for name in drawn.columns}
        frame = pd.DataFrame({name: columns[name] for name in self.empty.columns})
        note = f"{', '.join(map(str, drawn.columns))}: copied from a real row of the same group"
        return SampledRows(frame, parents=positions[:, None], notes={**notes, note: len(frame)})
