"""A codec as plain data for JSON, and back: never pickle, so that a file from elsewhere can run no code."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from autosynth.cells.codec import CellCodec
from autosynth.cells.columns import Bins, CellColumn, GroupValue, Levels, WithinBin
from autosynth.cells.donors import Donors
from autosynth.cells.scale import Scale
from autosynth.exceptions import DataError
from autosynth.groups import Group
from autosynth.schema import ColumnSchema, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

SCALE_PARTS = ("values", "shares", "observed", "middles", "edges", "points")


def codec_to_state(codec: CellCodec) -> dict[str, Any]:
    """Return a codec as dicts, lists, strings and numbers.

    It holds real values: categories, limits, and the cells of columns that are copied.

    Raises
    ------
    DataError
        If a column name or value has no place in JSON, such as a tuple of arrays.

    Examples
    --------
    >>> from autosynth import Table
    >>> frame = pd.DataFrame({"age": [31.5, 42.0, 50.0, 61.0], "fraud": ["no", "no", "no", "yes"]})
    >>> codec = CellCodec.learn(Table.from_frame(frame, label="fraud"))
    >>> codec_from_state(codec_to_state(codec)).names
    ('age',)
    """
    return {
        "columns": [_column_state(column) for column in codec.columns],
        "group_values": [series_to_state(column.values) for column in codec.group_values],
        "empty": _frame_state(codec.empty),
        "donors": None
        if codec.donors is None
        else {"frame": _frame_state(codec.donors.frame), "group_codes": codec.donors.group_codes.tolist()},
    }


def codec_from_state(state: Mapping[str, Any]) -> CellCodec:
    """Return the codec that :func:`codec_to_state` wrote."""
    donors = state["donors"]
    return CellCodec(
        columns=tuple(_column_from_state(column) for column in state["columns"]),
        group_values=tuple(GroupValue(series_from_state(values)) for values in state["group_values"]),
        donors=None
        if donors is None
        else Donors(_frame_from_state(donors["frame"]), np.array(donors["group_codes"], dtype=np.int64)),
        empty=_frame_from_state(state["empty"]),
    )


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


def _frame_state(frame: pd.DataFrame) -> list[Any]:
    return [series_to_state(frame[name]) for name in frame.columns]


def _frame_from_state(state: list[Any]) -> pd.DataFrame:
    return pd.DataFrame({column.name: column for column in map(series_from_state, state)})


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


def _schema_state(column: ColumnSchema) -> dict[str, Any]:
    return {
        "name": value_to_state(column.name),
        "kind": column.kind,
        "dtype": _dtype_state(column.dtype),
        "n_missing": column.n_missing,
        "n_distinct": column.n_distinct,
        "minimum": column.minimum,
        "maximum": column.maximum,
        "resolution": column.resolution,
    }


def _schema_from_state(state: Mapping[str, Any]) -> ColumnSchema:
    typed = {"name": value_from_state(state["name"]), "dtype": _dtype_from_state(state["dtype"])}
    return ColumnSchema(**{**state, **typed})


def _scale_state(scale: Scale | None) -> Any:
    if scale is None:
        return None
    return {part: [plain(number) for number in getattr(scale, part)] for part in SCALE_PARTS}


def _scale_from_state(state: Mapping[str, Any]) -> Scale:
    return Scale(**{part: np.array(state[part], dtype=np.float64) for part in SCALE_PARTS})


def _column_state(column: CellColumn) -> dict[str, Any]:
    if isinstance(column, Levels):
        return {
            "levels": series_to_state(column.values),
            "missing": column.has_missing,
            "scale": _scale_state(column.scale),
        }
    if isinstance(column, Bins):
        return {"bins": _schema_state(column.column), "scale": _scale_state(column.scale)}
    assert isinstance(column, WithinBin)  # noqa: S101 - there are three kinds
    limits = {"low": [plain(limit) for limit in column.low], "high": [plain(limit) for limit in column.high]}
    return {"within_bin": _schema_state(column.column), **limits, "scale": _scale_state(column.scale)}


def _column_from_state(state: Mapping[str, Any]) -> CellColumn:
    if "levels" in state:
        scale = None if state["scale"] is None else _scale_from_state(state["scale"])
        return Levels(series_from_state(state["levels"]), state["missing"], scale)
    if "bins" in state:
        return Bins(_schema_from_state(state["bins"]), _scale_from_state(state["scale"]))
    low, high = (np.array(state[name], dtype=np.float64) for name in ("low", "high"))
    return WithinBin(_schema_from_state(state["within_bin"]), low, high, _scale_from_state(state["scale"]))
