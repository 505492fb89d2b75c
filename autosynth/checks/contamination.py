"""Contamination: the real rows that a generator learned from, and those that it must not know."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from autosynth.checks.copies import Copies, CopyFinder
from autosynth.checks.distance import RowPoints, RowSpace
from autosynth.conform import conform
from autosynth.exceptions import DataError
from autosynth.schema import ColumnSchema, TableSchema

if TYPE_CHECKING:
    import numpy.typing as npt

    from autosynth.checks.copies import CopyKind
    from autosynth.table import Table


MIN_MIXED_ROWS = 5_000


@dataclass(frozen=True)
class KnownRows:
    """Training rows, and held-out rows when there are some, ready to be compared with synthetic ones.

    Attributes
    ----------
    space : RowSpace
        The columns compared: all but the label and the group columns whose values a request sets.
    training : RowPoints
        The rows that the generator learned from.
    training_groups : ndarray of int, shape (n_training,)
        Position of each one's group in ``table.groups``.
    held_out : RowPoints or None
        Rows that it never saw.
    held_out_groups : ndarray of int, shape (n_held_out,)
        The same for these; -1 where the label is absent or the training rows have no such group.
    mixed : RowPoints or None
        Values of the training rows of a group, shuffled column by column: what one makes who never saw a held-out row.
    mixed_groups : ndarray of int, shape (n_mixed,)
        The group of each of these.
    training_frame : DataFrame of shape (n_training, n_columns)
        The training rows as they are.
    """

    space: RowSpace
    training: RowPoints
    training_groups: npt.NDArray[np.int64]
    held_out: RowPoints | None
    held_out_groups: npt.NDArray[np.int64]
    mixed: RowPoints | None
    mixed_groups: npt.NDArray[np.int64]
    training_frame: pd.DataFrame = field(repr=False)

    @classmethod
    def of(cls, table: Table, holdout: pd.DataFrame | None = None) -> KnownRows:
        """Place the rows of a table, and held-out rows with the same columns; those may lack the label.

        Raises
        ------
        DataError
            If the held-out rows have other columns, or none of them fits the schema of the table.
        """
        columns = compared_columns(table)
        space = RowSpace.fit(table.frame, columns)
        training = space.place(table.frame)
        if holdout is None:
            none = np.empty(0, dtype=np.int64)
            return cls(space, training, table.group_codes, None, none, None, none, table.frame)
        rows, groups = _conform_holdout(holdout, table, columns)
        mixed, mixed_groups = _mix(table, columns)
        held_out, shuffled = space.place(rows), space.place(mixed)
        return cls(space, training, table.group_codes, held_out, groups, shuffled, mixed_groups, table.frame)

    @cached_property
    def training_copies(self) -> CopyFinder:
        """Finds copies of training rows."""
        return CopyFinder(self.training)

    @cached_property
    def held_out_copies(self) -> CopyFinder | None:
        """Finds copies of held-out rows that no training row explains; None when there are no held-out rows."""
        return None if self.held_out is None else CopyFinder(self.held_out, self.training)

    def coincidences(self, positions: npt.NDArray[np.int64], kind: CopyKind) -> npt.NDArray[np.bool_]:
        """Return which training rows would count as copies of others, were each a fresh row that the generator made.

        A near one is judged as a fresh row would be: by rows that it is none of, on a scale that it had no part in.
        On a scale of its own, every real row is a whole number of ranks from the next one and never near it.
        """
        is_repeated = self.training_copies.coincidences(positions, "exact")
        if kind == "exact":
            return is_repeated
        in_first = np.random.default_rng(0).permutation(len(self.training)) % 2 == 0
        found = np.zeros(len(positions), dtype=bool)
        for of_half in (in_first, ~in_first):
            asked = ~of_half[positions]
            if of_half.any() and asked.any():
                space = RowSpace.fit(self.training_frame[of_half], self.space.columns)
                finder = CopyFinder(space.place(self.training_frame[of_half]))
                found[asked] = finder.find(space.place(self.training_frame.iloc[positions[asked]]), kind)
        return found & ~is_repeated

    def reasons(self, rows: pd.DataFrame, *, near: bool) -> list[tuple[str, npt.NDArray[np.bool_]]]:
        """Return for each kind of copy which of some rows are of it; near copies on request."""
        points = self.space.place(rows)
        found: list[tuple[str, Copies]] = [("real", self.training_copies.copies(points))]
        if self.held_out_copies is not None:
            found.append(("held-out", self.held_out_copies.copies(points)))
        exact = [(f"an exact copy of a {whose} row", copies.exact) for whose, copies in found]
        return exact + [(f"a near copy of a {whose} row", copies.near) for whose, copies in found if near]


def compared_columns(table: Table) -> list[ColumnSchema]:
    """Return the columns that the generator fills: not the label, and not the group columns that a request sets."""
    asked = {axis.column.name for axis in table.grouping.axes if axis.edges is None}
    return [column for column in table.schema.features if column.name not in asked]


def _mix(table: Table, columns: list[ColumnSchema]) -> tuple[pd.DataFrame, npt.NDArray[np.int64]]:
    """Return rows of values drawn column by column from the training rows of a group, and their groups.

    A small table is taken several times, so that the groups are large enough to tell how often such rows coincide.
    Always the same rows for the same table.
    """
    rng = np.random.default_rng(0)
    rows = np.tile(np.arange(len(table)), -(-MIN_MIXED_ROWS // len(table)))
    groups = table.group_codes[rows]
    drawn = {
        column.name: table.frame[column.name].take(rows[np.lexsort((rng.random(len(rows)), groups))]).array
        for column in columns
    }
    return pd.DataFrame(drawn, index=range(len(rows))), np.sort(groups)


def _conform_holdout(
    holdout: Any, table: Table, columns: list[ColumnSchema]
) -> tuple[pd.DataFrame, npt.NDArray[np.int64]]:
    """Return the held-out rows that a valid synthetic row could equal, and their groups (-1: unknown)."""
    _check_holdout(holdout, table.schema)
    features = TableSchema(columns=tuple(columns), label=table.label)
    try:
        rows, valid, refusals = conform(holdout[list(features.names)], features, owner=None, within_limits=False)
    except DataError as error:  # cells that are no plain values
        raise DataError(f"holdout cannot be compared with the training rows: {error}") from error
    if not valid.any():
        reasons = "; ".join(f"{reason} ({count} rows)" for reason, count in refusals.most_common(3))
        raise DataError(
            f"none of the {len(holdout)} rows of holdout fits the schema of the training rows: {reasons}. "
            "Give rows of the same source, in the same units and codes."
        )
    if table.label not in holdout.columns:
        return rows, np.full(len(rows), -1, dtype=np.int64)
    others = [name for name in table.schema.names if name not in features.names]
    given = holdout.loc[valid, others].reset_index(drop=True)
    return rows, table.grouping.codes(pd.concat([rows, given], axis=1))


def _check_holdout(holdout: Any, schema: TableSchema) -> None:
    if not isinstance(holdout, pd.DataFrame):
        raise DataError(f"holdout is a {type(holdout).__name__}. Give a DataFrame with the columns of the table.")
    foreign = [name for name in holdout.columns if name not in schema.names]
    absent = [name for name in schema.names if name not in holdout.columns and name != schema.label]
    if foreign or absent or not holdout.columns.is_unique:
        raise DataError(
            "holdout has other columns than the training rows: "
            f"foreign {foreign or 'none'}, absent {absent or 'none'}. "
            "Each of them must come once; only the label may be left out."
        )
    if not len(holdout):
        raise DataError("holdout has 0 rows. Give the rows that the generator must not know, or None.")
