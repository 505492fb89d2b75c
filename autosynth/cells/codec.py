"""A whole table as tokens and scores, and rows of the table from tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from autosynth.cells.columns import Bins, CellColumn, GroupValue, Levels, WithinBin, inner_shares
from autosynth.cells.donors import Donors, is_copied
from autosynth.generator import SampledRows

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    import numpy.typing as npt

    from autosynth.table import Table

GROUP_BALANCE = 0.5  # a row of a group of n rows counts 1 / sqrt(n) for the bins: between rows and groups as equals


@dataclass(frozen=True)
class Cells:
    """Rows as a model sees them.

    Attributes
    ----------
    tokens : ndarray of int, shape (n_rows, n_columns)
        From 0 to ``n_tokens[column] - 1``.
    scores : ndarray of float, shape (n_rows, n_columns)
        Normal score of an ordered value among the real rows; 0 where the value is missing or has no order.
    """

    tokens: npt.NDArray[np.int64]
    scores: npt.NDArray[np.float64]


@dataclass(frozen=True)
class CellCodec:
    """How a table is cut into cells for a model, and how rows come back from what the model drew.

    Categories, booleans and numbers with few distinct values have a token per value; other numbers, dates and durations
    are cut into bins of equal weight, small groups counting for more than their rows.  Missing is a token.  The label
    and group columns are set by the group and are no cells; a binned group column is a cell that holds the position
    inside the bin.  Texts, and categories with more than ``max_levels`` levels, are copied from a real row of the same
    group.  Whatever tokens a model draws, the rows are valid and in the group they were drawn for.

    Attributes
    ----------
    columns : tuple of CellColumn
        The cells of a row, in the order of the table.
    group_values : tuple of GroupValue
        Columns that the group sets.
    donors : Donors or None
        Columns that are copied, when there are any.
    empty : DataFrame of shape (0, n_table_columns)
        Names, order and dtypes of the table.

    Examples
    --------
    >>> from autosynth import Table
    >>> frame = pd.DataFrame({"age": [31.5, 42.0, 50.0, 61.0], "fraud": ["no", "no", "no", "yes"]})
    >>> table = Table.from_frame(frame, label="fraud")
    >>> codec = CellCodec.learn(table)
    >>> cells = codec.encode(frame, table.group_codes)
    >>> cells.tokens.tolist()
    [[0], [1], [2], [3]]
    >>> codec.decode(cells, table.group_codes, rng=np.random.default_rng(0)).frame.equals(frame)
    True
    """

    columns: tuple[CellColumn, ...]
    group_values: tuple[GroupValue, ...]
    donors: Donors | None
    empty: pd.DataFrame

    @classmethod
    def learn(cls, table: Table, *, max_bins: int = 32, max_levels: int = 256) -> CellCodec:
        """Learn values, bins and scales from real rows.

        Parameters
        ----------
        table : Table
            Real rows; a fold's own ones inside a fold.
        max_bins : int
            Numbers with more distinct values are cut into about this many bins.
        max_levels : int
            Categories with more levels are copied from donors.
        """
        weights = table.group_sizes[table.group_codes].astype(np.float64) ** -GROUP_BALANCE
        axes = {axis.column.name: position for position, axis in enumerate(table.grouping.axes)}
        columns: list[CellColumn] = []
        group_values, copied = [], []
        for column in table.schema.columns:
            values = table.frame[column.name]
            if column.name in axes and table.grouping.axes[axes[column.name]].edges is None:
                group_values.append(GroupValue.learn(values, table.group_codes))
            elif column.name in axes:
                bins = table.grouping.axis_codes[:, axes[column.name]]
                columns.append(WithinBin.learn(values, column, table.group_codes, bins, weights, max_bins))
            elif is_copied(column, max_levels):
                copied.append(column.name)
            elif column.is_number_like and column.n_distinct > max_bins:
                columns.append(Bins.learn(values, column, weights, max_bins))
            else:
                columns.append(Levels.learn(values, column, weights))
        donors = Donors(table.frame[copied].reset_index(drop=True), table.group_codes) if copied else None
        return cls(tuple(columns), tuple(group_values), donors, table.frame.iloc[:0].reset_index(drop=True))

    @property
    def names(self) -> tuple[Hashable, ...]:
        """Names of the cells of a row."""
        return tuple(column.name for column in self.columns)

    @property
    def n_tokens(self) -> npt.NDArray[np.int64]:
        """Tokens per cell, shape (n_columns,); 1 means that the cell holds nothing to learn."""
        return np.array([column.n_tokens for column in self.columns], dtype=np.int64)

    def encode(self, frame: pd.DataFrame, group_codes: npt.NDArray[np.int64]) -> Cells:
        """Return real rows as cells.

        Parameters
        ----------
        frame : DataFrame of shape (n_rows, n_table_columns)
            Rows that were learned from, or others whose values those hold; see ``autosynth.conform`` for what does.
        group_codes : ndarray of int, shape (n_rows,)
            Position of every row's group in ``table.groups``.
        """
        coded = [column.encode(frame[column.name], group_codes) for column in self.columns]
        shape = (len(frame), len(self.columns))
        return Cells(
            np.column_stack([tokens for tokens, _ in coded]) if coded else np.empty(shape, dtype=np.int64),
            np.column_stack([scores for _, scores in coded]) if coded else np.empty(shape),
        )

    def decode(
        self,
        cells: Cells | npt.NDArray[np.int64],
        group_codes: npt.NDArray[np.int64],
        *,
        rng: np.random.Generator,
        notes: Mapping[str, int] | None = None,
    ) -> SampledRows:
        """Return rows of the table.

        Parameters
        ----------
        cells : Cells, or ndarray of int of shape (n_rows, n_columns)
            What a model drew.  With tokens alone, the place inside a bin is drawn at random.
        group_codes : ndarray of int, shape (n_rows,)
            The group that every row is to be of.
        rng : numpy.random.Generator
            Draws places inside bins, and donors.
        notes : mapping of str to int, optional
            What the model has to report.
        """
        tokens = cells.tokens if isinstance(cells, Cells) else cells
        decoded: dict[Hashable, pd.Series[Any]] = {
            column.name: column.decode(group_codes) for column in self.group_values
        }
        for position, column in enumerate(self.columns):
            drawn = tokens[:, position]
            shares = (
                inner_shares(column, cells.scores[:, position])
                if isinstance(cells, Cells)
                else column.draw_shares(drawn, rng)
            )
            decoded[column.name] = column.decode(drawn, shares, group_codes)
        notes, parents = dict(notes or {}), None
        if self.donors is not None and len(group_codes):
            positions = self.donors.draw(group_codes, rng)
            copied = self.donors.frame.take(positions).reset_index(drop=True)
            decoded |= {name: copied[name] for name in copied.columns}
            notes[f"{', '.join(map(str, copied.columns))}: copied from a real row of the same group"] = len(copied)
            parents = positions[:, None]
        if not len(group_codes):
            return SampledRows(self.empty.copy(), notes=notes)
        return SampledRows(pd.DataFrame({name: decoded[name] for name in self.empty.columns}), parents, notes)
