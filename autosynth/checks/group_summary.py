"""GroupSummary: what is kept of the real rows of one group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from autosynth.checks.association import MAX_ROWS, MAX_SPLIT_ROWS, Association
from autosynth.checks.embedding import spread as evenly_spaced
from autosynth.checks.parts import Parts
from autosynth.checks.summary import MIN_GROUP_ROWS, N_SPLITS, ColumnSummary, NullDistance, cell_distances
from autosynth.exceptions import DataError

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    import numpy.typing as npt
    import pandas as pd

    from autosynth.schema import TableSchema

    Codes = npt.NDArray[np.int64]

MIN_SPLIT_ROWS = 20  # of fewer, the halves would tell little


@dataclass(frozen=True)
class GroupSummary:
    """Distributions within a group of real rows, how they depend on each other, and how far halves of it differ.

    Attributes
    ----------
    n_rows : int
        Real rows of the group.
    columns : tuple of ColumnSummary
        All but texts and the columns that a request for the group sets.
    number_null, category_null : NullDistance or None
        The mean distance of number-like and of other columns between random halves; None where there are none, or too
        few rows for halves.
    association : Association or None
        None where there are too few rows, or fewer than two columns that vary.
    """

    n_rows: int
    columns: tuple[ColumnSummary, ...]
    number_null: NullDistance | None
    category_null: NullDistance | None
    association: Association | None

    @classmethod
    def of(
        cls, rows: pd.DataFrame, schema: TableSchema, levels: Mapping[Hashable, Sequence[Any]]
    ) -> GroupSummary | None:
        """Summarise the rows of a group; None where they are so few that a summary would show them.

        Parameters
        ----------
        rows : DataFrame of shape (n_rows, n_columns)
            The rows of the group.
        schema : TableSchema
            What the columns are.
        levels : mapping of column name to levels
            The columns to summarise, and the values of each that are counted one by one; empty for numbers.
        """
        if len(rows) < MIN_GROUP_ROWS:
            return None
        columns = tuple(ColumnSummary.of(rows[name], schema[name], some) for name, some in levels.items())
        if len(rows) < MIN_SPLIT_ROWS or not columns:
            return cls(len(rows), columns, None, None, None)
        codes = cell_codes(rows.iloc[evenly_spaced(len(rows), MAX_ROWS)], schema, columns)
        nulls = _null_distances(codes[evenly_spaced(len(codes), MAX_SPLIT_ROWS)], columns)
        return cls(len(rows), columns, *nulls, Association.of(codes, columns))

    def to_dict(self) -> dict[str, Any]:
        """Return the summary as plain data for JSON."""
        return {
            "n_rows": self.n_rows,
            "columns": [column.to_dict() for column in self.columns],
            "number_null": None if self.number_null is None else self.number_null.to_dict(),
            "category_null": None if self.category_null is None else self.category_null.to_dict(),
            "association": None if self.association is None else self.association.to_dict(),
        }

    @classmethod
    def from_dict(cls, state: Any) -> GroupSummary:
        """Return the summary that :meth:`to_dict` wrote.

        Raises
        ------
        DataError
            If it is none.
        """
        parts = Parts(state, of="the summary of a group")
        columns = tuple(ColumnSummary.from_dict(column) for column in parts.items("columns"))
        n_rows = parts.whole("n_rows")
        if any(column.n_rows != n_rows for column in columns):
            raise DataError("the summary of a group is damaged: its columns speak of other numbers of rows.")
        association = parts.optional("association", lambda some: Association.from_dict(some, columns))
        number, category = (parts.optional(f"{kind}_null", NullDistance.from_dict) for kind in ("number", "category"))
        return cls(n_rows, columns, number, category, association)


def cell_codes(rows: pd.DataFrame, schema: TableSchema, columns: Sequence[ColumnSummary]) -> Codes:
    """Return the cell of every value of the summarised columns, shape (n_rows, n_columns)."""
    codes = [column.codes(rows[column.name], schema[column.name]) for column in columns]
    return np.column_stack(codes) if codes else np.empty((len(rows), 0), dtype=np.int64)


def _null_distances(codes: Codes, columns: Sequence[ColumnSummary]) -> tuple[NullDistance | None, NullDistance | None]:
    """Return the mean distance of number-like and of other columns between random halves.

    They are always the same halves for the same rows.
    """
    rng, half = np.random.default_rng(0), len(codes) // 2
    starts = np.cumsum([0, *(column.n_cells for column in columns)])
    flat = codes + starts[:-1]
    halves = [flat[rng.permutation(len(codes))[:half]].reshape(-1) for _ in range(N_SPLITS)]
    first = np.stack([np.bincount(some, minlength=starts[-1]) for some in halves])
    second = np.bincount(flat.reshape(-1), minlength=starts[-1]) - first
    distances = np.column_stack(
        [
            cell_distances(first[:, start:end], second[:, start:end], is_number=column.is_number)
            for column, start, end in zip(columns, starts[:-1], starts[1:], strict=True)
        ]
    )
    number, category = (
        NullDistance.of(weighted_mean(distances, columns, is_number=kind), half, len(codes) - half)
        if any(column.is_number is kind and column.weight for column in columns)
        else None
        for kind in (True, False)
    )
    return number, category


def weighted_mean(distances: npt.NDArray[np.float64], columns: Sequence[ColumnSummary], *, is_number: bool) -> Any:
    """Return the mean over number-like or over other columns, the last axis, by their weights."""
    weights = np.array([column.weight if column.is_number is is_number else 0.0 for column in columns])
    return distances @ weights / weights.sum()
