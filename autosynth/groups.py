"""Groups: the cells of label x group columns whose sizes are to be balanced."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import pandas as pd

from autosynth.exceptions import ConfigError, DataError, nearest
from autosynth.schema import ColumnSchema, TableSchema, plain

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    import numpy.typing as npt

Task: TypeAlias = Literal["classification", "regression"]

MAX_UNBINNED_VALUES = 10  # a number-like group column with more distinct values is cut into bins
DEFAULT_BINS = 4
MAX_CLASSES = 50  # an integer label with more distinct values is a quantity
MAX_FLOAT_CLASSES = 20


@dataclass(frozen=True)
class Group:
    """One cell of label x group columns.

    Attributes
    ----------
    cell : tuple of (column, value) pairs
        The label first (absent for a regression label), then the group columns.  A missing group value is None, a
        binned one the name of its bin, such as "(34, 51]".

    Examples
    --------
    >>> group = Group((("income", "high"), ("sex", "F")))
    >>> print(group)
    income=high, sex=F
    >>> group["sex"]
    'F'
    """

    cell: tuple[tuple[Hashable, Any], ...]

    @property
    def values(self) -> tuple[Any, ...]:
        """The values of the cell, without the column names."""
        return tuple(value for _, value in self.cell)

    def __getitem__(self, column: Hashable) -> Any:
        return dict(self.cell)[column]

    def __iter__(self) -> Iterator[Hashable]:
        return (column for column, _ in self.cell)

    def __str__(self) -> str:
        return ", ".join(f"{column}={'missing' if value is None else value}" for column, value in self.cell)


@dataclass(frozen=True)
class GroupAxis:
    """One column that splits rows into groups: its distinct values, or the bins it is cut into."""

    column: ColumnSchema
    values: tuple[Any, ...]
    edges: tuple[float, ...] | None = None

    def codes(self, values: pd.Series[Any]) -> npt.NDArray[np.int64]:
        """Return the position of every value in ``self.values``; -1 for one that the real rows do not hold."""
        missing_code = self.values.index(None) if None in self.values else -1
        if self.edges is not None:
            numbers = self.column.to_float(values)
            codes = np.searchsorted(np.asarray(self.edges)[1:-1], numbers, side="left")
            return np.where(np.isnan(numbers), missing_code, codes)
        known = pd.Index([value for value in self.values if value is not None], dtype=object)
        codes = known.get_indexer(pd.Index(values.astype(object), dtype=object))
        return np.where(values.isna().to_numpy(), missing_code, codes)


@dataclass(frozen=True)
class Grouping:
    """All groups of a table, largest first, and how to find the group of any row."""

    axes: tuple[GroupAxis, ...]
    groups: tuple[Group, ...]
    axis_codes: npt.NDArray[np.int64]  # (n_groups, n_axes): the cell of every group

    @classmethod
    def infer(
        cls,
        frame: pd.DataFrame,
        schema: TableSchema,
        bins: Mapping[Hashable, int | Sequence[float]] | None = None,
        task: Task | None = None,
    ) -> tuple[Grouping, npt.NDArray[np.int64]]:
        """Return the grouping of ``frame`` and the position of every row's group, shape (n_rows,).

        Raises
        ------
        DataError
            If the label is missing somewhere, constant, or a quantity without group columns; if there is one group
            only, or nearly as many groups as rows.
        """
        bins = dict(bins or {})
        _check_label(frame, schema)
        is_class_label = task == "classification" or (task is None and not is_quantity(schema[schema.label]))
        axes = [_value_axis(frame[schema.label], schema[schema.label])] if is_class_label else []
        axes += [_group_axis(frame[name], schema[name], bins.get(name)) for name in schema.group_by]
        if not axes:
            raise DataError(
                f"label {schema.label!r} holds {schema[schema.label].n_distinct} different numbers, so it reads as a "
                "quantity (regression), and without group columns there are no groups to balance. Name group_by "
                "columns, or make the label a class with astype(str)."
            )
        per_row = np.column_stack([axis.codes(frame[axis.column.name]) for axis in axes])
        cells, row_codes, counts = np.unique(per_row, axis=0, return_inverse=True, return_counts=True)
        order = np.lexsort((np.arange(len(cells)), -counts))  # largest first, ties in the order of the cells
        rank = np.empty(len(order), dtype=np.int64)
        rank[order] = np.arange(len(order))
        cells = cells[order]
        _check_number_of_groups(len(cells), len(frame), schema)
        groups = tuple(
            Group(tuple((axis.column.name, axis.values[code]) for axis, code in zip(axes, cell, strict=True)))
            for cell in cells
        )
        return cls(tuple(axes), groups, cells), rank[row_codes.reshape(-1)]

    def codes(self, frame: pd.DataFrame) -> npt.NDArray[np.int64]:
        """Return the position in ``groups`` of every row of ``frame``, shape (n_rows,); -1 for an unknown group."""
        sizes = [len(axis.values) + 1 for axis in self.axes]
        per_row = np.column_stack([axis.codes(frame[axis.column.name]) for axis in self.axes])
        known = pd.Index(_flat(self.axis_codes, sizes))
        return known.get_indexer(pd.Index(_flat(per_row, sizes))).astype(np.int64)

    def find(self, key: Any) -> Group:
        """Return the group that a user's key means: a Group, its values as a tuple, or a lone value.

        Raises
        ------
        ConfigError
            If there is no such group, with the nearest one.
        """
        wanted = key if isinstance(key, tuple) else (key,)
        for group in self.groups:
            if group == key or group.values == wanted or tuple(map(str, group.values)) == tuple(map(str, wanted)):
                return group
        raise ConfigError(
            f"strategy names the group {key!r}, which the table does not hold."
            f"{nearest(key, [group.values if len(group.values) > 1 else group.values[0] for group in self.groups])} "
            f"Groups: {'; '.join(map(str, self.groups))}."
        )

    def describe_bins(self) -> str:
        """Return one line per binned group column with its edges; empty when none is binned."""
        lines = [
            f"{axis.column.name} is cut into {len(axis.edges) - 1} bins: "
            + ", ".join(str(value) for value in axis.values if value is not None)
            for axis in self.axes
            if axis.edges is not None
        ]
        return "\n".join(lines)

    @property
    def n_empty_cells(self) -> int:
        """How many combinations of the observed values hold no row: nothing can be generated for those."""
        return int(np.prod([len(axis.values) for axis in self.axes])) - len(self.groups)


def is_quantity(label: ColumnSchema) -> bool:
    """Return whether a label reads as a number to regress on rather than as classes."""
    if label.kind == "integer":
        return label.n_distinct > MAX_CLASSES
    if label.kind == "numeric":
        return label.n_distinct > MAX_FLOAT_CLASSES or label.resolution is None
    return label.kind in ("datetime", "timedelta")


def _check_label(frame: pd.DataFrame, schema: TableSchema) -> None:
    label = schema[schema.label]
    if label.n_missing == len(frame):
        raise DataError(f"label {label.name!r} is missing in all {len(frame)} rows. Name the column that holds it.")
    if label.n_missing:
        raise DataError(
            f"label {label.name!r} is missing in {label.n_missing} of {len(frame)} rows. "
            f"Drop them first: train.dropna(subset=[{label.name!r}])."
        )
    if label.n_distinct == 1:
        raise DataError(
            f"label {label.name!r} has the same value in all {len(frame)} rows. A model needs at least two classes."
        )
    if label.kind == "text":
        raise DataError(
            f"label {label.name!r} holds {label.n_distinct} different texts in {len(frame)} rows. "
            "A label needs classes that repeat; is it an identifier?"
        )


def _value_axis(values: pd.Series[Any], column: ColumnSchema) -> GroupAxis:
    distinct = sorted((plain(value) for value in values.dropna().unique()), key=lambda value: (str(type(value)), value))
    return GroupAxis(column, (*distinct, *((None,) if column.allows_missing else ())))


def _group_axis(values: pd.Series[Any], column: ColumnSchema, bins: int | Sequence[float] | None) -> GroupAxis:
    if column.kind == "text":
        raise DataError(
            f"group column {column.name!r} holds {column.n_distinct} different texts. "
            "Group by a column whose values repeat."
        )
    if bins is not None and (not column.is_number_like or column.n_distinct < 2):
        raise ConfigError(
            f"group_by asks for bins of {column.name!r}, which holds {column.n_distinct} distinct values of kind "
            f"{column.kind}. Bins need at least two numbers, dates or durations; use None to group by its values."
        )
    if not column.is_number_like or (bins is None and column.n_distinct <= MAX_UNBINNED_VALUES):
        return _value_axis(values, column)
    edges = _bin_edges(column.to_float(values), column, DEFAULT_BINS if bins is None else bins)
    missing = (None,) if column.allows_missing else ()
    return GroupAxis(column, (*_bin_names(edges, column), *missing), tuple(edges))


def _bin_edges(numbers: npt.NDArray[np.float64], column: ColumnSchema, bins: int | Sequence[float]) -> list[float]:
    if isinstance(bins, int | np.integer):
        if bins < 2:
            raise ConfigError(f"group_by bins for {column.name!r} are {bins}. Use a whole number from 2 on, or edges.")
        inner = np.unique(np.nanquantile(numbers, np.linspace(0, 1, int(bins) + 1)[1:-1]))
        # Where the largest value fills the upper quantiles, it is a bin of its own: the one above all smaller values.
        inner = inner[inner < np.nanmax(numbers)]
        inner = inner if len(inner) else np.unique(numbers[~np.isnan(numbers)])[-2:-1]
    else:
        inner = _given_edges(bins, column)
    return [-np.inf, *inner.tolist(), np.inf]


def _given_edges(edges: Sequence[Any], column: ColumnSchema) -> npt.NDArray[np.float64]:
    try:
        if column.kind == "datetime":
            inner = column.to_float(pd.Series(pd.to_datetime(list(edges), utc=True)))
        elif column.kind == "timedelta":
            inner = column.to_float(pd.Series(pd.to_timedelta(list(edges))))
        else:
            inner = np.asarray(edges, dtype="float64").reshape(-1)
    except (TypeError, ValueError):
        inner = np.empty(0)
    if len(inner) == 0 or not np.isfinite(inner).all():
        what = "numbers" if column.kind in ("numeric", "integer") else f"values of kind {column.kind}"
        raise ConfigError(f"group_by edges for {column.name!r} are {edges!r}. Give finite {what}, or a number of bins.")
    return np.unique(inner)


def _bin_names(edges: Sequence[float], column: ColumnSchema) -> list[str]:
    """Name the bins by their edges, with as many digits as tell the edges apart: a name is the identity of a group."""
    for digits in range(6, 18):
        inner = [_show_edge(edge, column, digits) for edge in edges[1:-1]]
        if len(set(inner)) == len(inner):
            break
    between = [f"({low}, {high}]" for low, high in itertools.pairwise(inner)]
    return [f"<= {inner[0]}", *between, f"> {inner[-1]}"]


def _show_edge(edge: float, column: ColumnSchema, digits: int) -> str:
    if column.kind == "datetime":
        moment = pd.Timestamp(int(edge))
        if moment == moment.normalize():
            return str(moment.date())
        return str(moment.round("s") if digits == 6 else moment)
    return str(pd.Timedelta(int(edge))) if column.kind == "timedelta" else f"{edge:.{digits}g}"


def _check_number_of_groups(n_groups: int, n_rows: int, schema: TableSchema) -> None:
    if n_groups == 1:
        raise DataError("all rows fall into one group, so there is nothing to balance. Name other group_by columns.")
    if n_groups >= n_rows or (n_groups > 20 and 2 * n_groups > n_rows):
        by = " x ".join(str(name) for name in (schema.label, *schema.group_by))
        raise DataError(
            f"{by} gives {n_groups} groups for {n_rows} rows, too few to learn any of them. "
            "Group by fewer columns, or by columns whose values repeat."
        )


def _flat(codes: npt.NDArray[np.int64], sizes: Sequence[int]) -> npt.NDArray[np.int64]:
    """Number the cells of a (n_rows, n_axes) code matrix; any -1 makes the row unknown."""
    flat = np.zeros(len(codes), dtype=np.int64)
    for position, size in enumerate(sizes):
        flat = flat * size + codes[:, position]
    return np.where((codes < 0).any(axis=1), -1, flat)
