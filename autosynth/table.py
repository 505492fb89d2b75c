"""A table to be rebalanced: the user's real rows, what their columns are, and the group of every row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd

from autosynth.exceptions import ConfigError, DataError, nearest
from autosynth.groups import Group, Grouping, Task
from autosynth.schema import TableSchema, plain

if TYPE_CHECKING:
    from collections.abc import Hashable

    import numpy.typing as npt

GroupBy: TypeAlias = "Hashable | Sequence[Hashable] | Mapping[Any, int | Sequence[float] | None] | None"


@dataclass(frozen=True)
class Table:
    """Real rows with everything that a generator may want to know about them.

    Attributes
    ----------
    frame : DataFrame of shape (n_rows, n_features + 1)
        All columns, the label among them.  Read only.
    schema : TableSchema
        Kind, dtype, values and limits of every column.
    grouping : Grouping
        The groups, largest first.
    group_codes : ndarray of shape (n_rows,)
        Position of every row's group in ``groups``.

    Examples
    --------
    >>> frame = pd.DataFrame({"age": [31, 42, 50, 61], "fraud": ["no", "no", "no", "yes"]})
    >>> table = Table.from_frame(frame, label="fraud")
    >>> [str(group) for group in table.groups], table.group_sizes.tolist()
    (['fraud=no', 'fraud=yes'], [3, 1])
    """

    frame: pd.DataFrame
    schema: TableSchema
    grouping: Grouping
    group_codes: npt.NDArray[np.int64]

    @classmethod
    def from_frame(
        cls, frame: pd.DataFrame, *, label: Hashable, group_by: GroupBy = None, task: Task | None = None
    ) -> Table:
        """Check a DataFrame and infer its schema and groups.

        Parameters
        ----------
        frame : DataFrame of shape (n_rows, n_features + 1)
            Real training rows with the label in them.  Not copied and not changed.
        label : Hashable
            The label column.  Classes, or a quantity when ``group_by`` is given.
        group_by : Hashable, sequence of them, or mapping, optional
            Columns that split the classes into groups.  Number-like ones with more than 10 distinct values are cut
            at their quartiles; a mapping ``{column: number of bins, inner edges, or None}`` says it differently.
        task : "classification" or "regression", optional
            Whether the label holds classes or a quantity; None reads it off the label.

        Raises
        ------
        ConfigError
            If the label or a group column is not in the table.
        DataError
            If the table cannot be used: no rows, duplicate column names or index labels, or what
            :meth:`TableSchema.infer` and :meth:`Grouping.infer` refuse.
        """
        _check_frame(frame)
        bins = dict(group_by) if isinstance(group_by, Mapping) else {}
        columns = as_columns(group_by, frame.columns)
        _check_columns(frame, label, columns)
        schema = TableSchema.infer(frame, label=label, group_by=columns)
        grouping, codes = Grouping.infer(
            frame, schema, {name: cut for name, cut in bins.items() if cut is not None}, task
        )
        return cls(frame, schema, grouping, codes)

    @property
    def label(self) -> Hashable:
        """Name of the label column."""
        return self.schema.label

    @property
    def group_by(self) -> tuple[Hashable, ...]:
        """Names of the group columns."""
        return self.schema.group_by

    @property
    def groups(self) -> tuple[Group, ...]:
        """All groups, largest first."""
        return self.grouping.groups

    @property
    def group_sizes(self) -> npt.NDArray[np.int64]:
        """Real rows per group, shape (n_groups,), in the order of ``groups``."""
        return np.bincount(self.group_codes, minlength=len(self.groups)).astype(np.int64)

    @property
    def fixed_columns(self) -> tuple[Hashable, ...]:
        """The columns that a request for a group sets: the label (when it holds classes) and the group columns."""
        return tuple(axis.column.name for axis in self.grouping.axes)

    def positions(self, group: Group) -> npt.NDArray[np.int64]:
        """Return the row positions of a group in ``frame``, in rising order."""
        return np.flatnonzero(self.group_codes == self.groups.index(group))

    def keep(self, rows: npt.NDArray[np.bool_]) -> Table:
        """Return the table of some rows: in the same groups, with limits and categories of their own.

        Read off afresh, fewer rows may look different: a quantity with few values left looks like classes, names look
        like categories, and bins lie elsewhere.

        Parameters
        ----------
        rows : ndarray of bool, shape (n_rows,)
            Which rows to keep; at least one of every group.
        """
        frame = self.frame.loc[rows]
        schema = self.schema.read_again(frame)
        axes = tuple(replace(axis, column=schema[axis.column.name]) for axis in self.grouping.axes)
        return Table(frame, schema, replace(self.grouping, axes=axes), self.group_codes[rows])

    def __len__(self) -> int:
        return len(self.frame)


def as_columns(group_by: GroupBy, known: Sequence[Hashable] | pd.Index = ()) -> tuple[Hashable, ...]:
    """Return group columns as a tuple of names.  A tuple that is itself a column name counts as one name."""
    if group_by is None:
        return ()
    if isinstance(group_by, Mapping):
        return tuple(group_by)
    if isinstance(group_by, str) or not isinstance(group_by, Sequence) or group_by in list(known):
        return (group_by,)
    return tuple(group_by)


def _check_frame(frame: pd.DataFrame) -> None:
    if not isinstance(frame, pd.DataFrame):
        raise DataError(f"the table is a {type(frame).__name__}. Give a pandas DataFrame with the label in it.")
    if frame.empty:
        raise DataError(
            f"the table has {len(frame)} rows and {frame.shape[1]} columns. There is nothing to learn from."
        )
    if not frame.columns.is_unique:
        twice = frame.columns[frame.columns.duplicated()].unique().tolist()
        raise DataError(f"column names occur more than once: {twice}. Rename them.")
    if not frame.index.is_unique:
        repeated = frame.index[frame.index.duplicated()]
        raise DataError(
            f"the index holds {len(repeated)} duplicate labels (such as {plain(repeated[0])!r}), so synthetic rows "
            "could not be traced to their parents. Call train.reset_index(drop=True) first."
        )


def _check_columns(frame: pd.DataFrame, label: Hashable, group_by: Sequence[Hashable]) -> None:
    for role, name in (("label", label), *(("group_by", name) for name in group_by)):
        if not pd.api.types.is_hashable(name):
            raise ConfigError(f"{role}={name!r} is a {type(name).__name__}, which names no column. Give a column name.")
        if name not in frame.columns:
            raise ConfigError(
                f"{role}={name!r} is not a column of the table.{nearest(name, frame.columns)} "
                f"Columns: {', '.join(map(str, frame.columns[:30]))}{' ...' if len(frame.columns) > 30 else ''}."
            )
    if label in group_by:
        raise ConfigError(f"group_by names the label {label!r}. Groups are label x group_by already; leave it out.")
    if len(set(group_by)) < len(group_by):
        raise ConfigError(f"group_by={list(group_by)} names a column twice.")
