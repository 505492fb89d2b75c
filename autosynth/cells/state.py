"""A codec as plain data for JSON, and back: never pickle, so that a file from elsewhere can run no code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from autosynth.cells.codec import CellCodec
from autosynth.cells.columns import Bins, CellColumn, GroupValue, Levels, WithinBin
from autosynth.cells.donors import Donors
from autosynth.cells.scale import Scale
from autosynth.schema import plain
from autosynth.state import (
    column_from_state,
    column_to_state,
    group_from_state,
    group_to_state,
    series_from_state,
    series_to_state,
    value_from_state,
    value_to_state,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "codec_from_state",
    "codec_to_state",
    "group_from_state",
    "group_to_state",
    "value_from_state",
    "value_to_state",
]

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


def _frame_state(frame: pd.DataFrame) -> list[Any]:
    return [series_to_state(frame[name]) for name in frame.columns]


def _frame_from_state(state: list[Any]) -> pd.DataFrame:
    return pd.DataFrame({column.name: column for column in map(series_from_state, state)})


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
        return {"bins": column_to_state(column.column), "scale": _scale_state(column.scale)}
    assert isinstance(column, WithinBin)  # noqa: S101 - there are three kinds
    limits = {"low": [plain(limit) for limit in column.low], "high": [plain(limit) for limit in column.high]}
    return {"within_bin": column_to_state(column.column), **limits, "scale": _scale_state(column.scale)}


def _column_from_state(state: Mapping[str, Any]) -> CellColumn:
    if "levels" in state:
        scale = None if state["scale"] is None else _scale_from_state(state["scale"])
        return Levels(series_from_state(state["levels"]), state["missing"], scale)
    if "bins" in state:
        return Bins(column_from_state(state["bins"]), _scale_from_state(state["scale"]))
    low, high = (np.array(state[name], dtype=np.float64) for name in ("low", "high"))
    return WithinBin(column_from_state(state["within_bin"]), low, high, _scale_from_state(state["scale"]))
