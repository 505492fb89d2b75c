"""Columns, groups and cells as plain data for JSON, and back: no pickle, so that a file from elsewhere runs no code."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from autosynth.exceptions import DataError
from autosynth.groups import Group, GroupAxis, Grouping
from autosynth.schema import ColumnSchema, TableSchema, plain

if TYPE_CHECKING:
    from collections.abc import Mapping


def group_to_state(group: Group) -> list[Any]:
    """Return a group as a list of pairs."""
    return [[value_to_state(column), value_to_state(value)] for column, value in group.cell]


def group_from_state(state: list[Any]) -> Group:
    """Return the group that :func:`group_to_state` wrote."""
    return Group(tuple((value_from_state(column), value_from_state(value)) for column, value in state))


def value_to_state(value: Any) -> Any:
    """Return a column name or a cell as JSON holds it; what JSON has no type for becomes ``{type: text}``."""
    if isinstance(value, tuple):
        return {"tuple": [value_to_state(part) for part in value]}
    value = plain(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, pd.Timestamp | np.datetime64 | dt.datetime):
        return {"timestamp": pd.Timestamp(value).isoformat()}
    if isinstance(value, pd.Timedelta | np.timedelta64 | dt.timedelta):
        return {"timedelta": pd.Timedelta(value).isoformat()}
    if isinstance(value, dt.date):
        return {"date": value.isoformat()}
    if isinstance(value, pd.Interval):
        return {"interval": [value_to_state(value.left), value_to_state(value.right), value.closed]}
    if isinstance(value, pd.Period):
        return {"period": [str(value), value.freqstr]}
    raise DataError(
        f"{value!r} is a {type(value).__name__}, which cannot be saved as JSON. Make the column hold strings, numbers, "
        "booleans, dates or durations."
    )


def value_from_state(state: Any) -> Any:
    """Return the value that :func:`value_to_state` wrote."""
    if not isinstance(state, dict):
        return state
    ((kind, text),) = state.items()
    if kind == "tuple":
        return tuple(value_from_state(part) for part in text)
    if kind == "interval":
        return pd.Interval(value_from_state(text[0]), value_from_state(text[1]), closed=text[2])
    if kind == "period":
        return pd.Period(text[0], freq=text[1])
    if kind == "date":
        return dt.date.fromisoformat(text)
    return {"timestamp": pd.Timestamp, "timedelta": pd.Timedelta}[kind](text)


def series_to_state(values: pd.Series[Any]) -> dict[str, Any]:
    """Return a column with its name and dtype."""
    return {
        "name": value_to_state(values.name),
        "dtype": _dtype_state(values.dtype),
        "values": [value_to_state(value) for value in values.astype(object)],
    }


def series_from_state(state: Mapping[str, Any]) -> pd.Series[Any]:
    """Return the column that :func:`series_to_state` wrote."""
    values = [value_from_state(value) for value in state["values"]]
    return pd.Series(values, dtype=object, name=value_from_state(state["name"])).astype(
        _dtype_from_state(state["dtype"])
    )


def column_to_state(column: ColumnSchema) -> dict[str, Any]:
    """Return what is known of a column; the values of a category or boolean column are part of it."""
    state = {
        "name": value_to_state(column.name),
        "kind": column.kind,
        "dtype": _dtype_state(column.dtype),
        "n_missing": column.n_missing,
        "n_distinct": column.n_distinct,
        "minimum": column.minimum,
        "maximum": column.maximum,
        "resolution": column.resolution,
    }
    if column.values is not None:
        state["values"] = [value_to_state(value) for value in column.values]
    return state


def column_from_state(state: Mapping[str, Any]) -> ColumnSchema:
    """Return the column that :func:`column_to_state` wrote."""
    typed = {"name": value_from_state(state["name"]), "dtype": _dtype_from_state(state["dtype"])}
    values = state.get("values")
    typed["values"] = None if values is None else tuple(value_from_state(value) for value in values)
    return ColumnSchema(**{**state, **typed})


def schema_to_state(schema: TableSchema) -> dict[str, Any]:
    """Return the columns of a table, its label and its group columns."""
    return {
        "columns": [column_to_state(column) for column in schema.columns],
        "label": value_to_state(schema.label),
        "group_by": [value_to_state(name) for name in schema.group_by],
    }


def schema_from_state(state: Mapping[str, Any]) -> TableSchema:
    """Return the schema that :func:`schema_to_state` wrote."""
    return TableSchema(
        columns=tuple(column_from_state(column) for column in state["columns"]),
        label=value_from_state(state["label"]),
        group_by=tuple(value_from_state(name) for name in state["group_by"]),
    )


def grouping_to_state(grouping: Grouping) -> dict[str, Any]:
    """Return the axes of a grouping and the cell of every group."""
    return {
        "axes": [
            {
                "column": value_to_state(axis.column.name),
                "values": [value_to_state(value) for value in axis.values],
                "inner_edges": None if axis.edges is None else list(axis.edges[1:-1]),  # the outer ones are infinite
            }
            for axis in grouping.axes
        ],
        "cells": grouping.axis_codes.tolist(),
    }


def grouping_from_state(state: Mapping[str, Any], schema: TableSchema) -> Grouping:
    """Return the grouping that :func:`grouping_to_state` wrote.

    Raises
    ------
    DataError
        If a group lies on no axis, or occurs twice.
    """
    axes = tuple(_axis_from_state(axis, schema) for axis in state["axes"])
    cells = np.array(state["cells"], dtype=np.int64).reshape(len(state["cells"]), len(axes))
    sizes = np.array([len(axis.values) for axis in axes])
    if not axes or not len(cells) or (cells < 0).any() or (cells >= sizes).any():
        raise DataError("the groups do not lie on the axes that are said to make them.")
    if len(np.unique(cells, axis=0)) < len(cells):
        raise DataError("a group occurs twice.")
    groups = tuple(
        Group(tuple((axis.column.name, axis.values[code]) for axis, code in zip(axes, cell, strict=True)))
        for cell in cells
    )
    return Grouping(axes, groups, cells)


def _axis_from_state(state: Mapping[str, Any], schema: TableSchema) -> GroupAxis:
    values = tuple(value_from_state(value) for value in state["values"])
    inner = state["inner_edges"]
    edges = None if inner is None else (-np.inf, *(float(edge) for edge in inner), np.inf)
    return GroupAxis(schema[value_from_state(state["column"])], values, edges)


def _dtype_state(dtype: Any) -> Any:
    if isinstance(dtype, pd.CategoricalDtype):
        return {"categories": series_to_state(dtype.categories.to_series()), "ordered": bool(dtype.ordered)}
    if isinstance(dtype, pd.StringDtype):
        return {"string": dtype.storage, "nan": dtype.na_value is np.nan}
    return str(dtype)


def _dtype_from_state(state: Any) -> Any:
    if isinstance(state, str):
        return pd.api.types.pandas_dtype(state)
    if "string" in state:
        return pd.StringDtype(state["string"], na_value=np.nan if state["nan"] else pd.NA)
    return pd.CategoricalDtype(pd.Index(series_from_state(state["categories"])), ordered=state["ordered"])
