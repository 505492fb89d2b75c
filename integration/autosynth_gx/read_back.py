"""Gives rows of SQL or Spark the values that the real rows have: these engines keep fewer types than pandas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from autosynth import ColumnSchema, TableSchema


def read_back(frame: pd.DataFrame, schema: TableSchema) -> pd.DataFrame:
    """Return rows with the column names and the category values of the schema, where they have such names and values.

    Truth values come as 0 and 1, whole numbers as floats where one is NULL, dates, categories and column names as text.
    What fits nothing stays as it is, so that the checks see it.

    Examples
    --------
    >>> from autosynth import TableSchema
    >>> real = pd.DataFrame({"ill": [True, False], 2020: [1.5, 2.5]})
    >>> stored = pd.DataFrame({"ill": [1, 0], "2020": [1.5, 2.5]})
    >>> read_back(stored, TableSchema.infer(real, label="ill")).to_dict("list")
    {'ill': [True, False], 2020: [1.5, 2.5]}
    """
    frame = frame.rename(columns=column_names(frame.columns, schema))
    for column in schema.columns:
        if column.values is not None and column.name in frame:
            frame[column.name] = _known_values(frame[column.name], column)
    return frame


def column_names(stored: Sequence[Any] | pd.Index[Any], schema: TableSchema) -> dict[Any, Hashable]:
    """Return the names of stored columns whose text is the name of a column of the schema."""
    by_text = {str(name): name for name in schema.names}
    return {name: by_text[str(name)] for name in stored if name not in schema.names and str(name) in by_text}


def known_value(value: Any, column: ColumnSchema) -> Any:
    """Return the observed value of a column that a stored one stands for; the stored one when there is none."""
    known = column.values or ()
    for is_same in (_same_value, _same_number, _same_text):
        found = [each for each in known if is_same(value, each)]
        if found:
            return found[0]
    return value


def _known_values(values: pd.Series[Any], column: ColumnSchema) -> pd.Series[Any]:
    distinct = {value: known_value(value, column) for value in values.dropna().unique()}
    return values.astype(object).map(lambda value: distinct.get(value, value))


def _same_value(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def _same_text(one: Any, other: Any) -> bool:
    return str(one) == str(other) or (isinstance(other, bool) and str(one).lower() == str(other).lower())


def _same_number(one: Any, other: Any) -> bool:
    """Return whether two values are the same number, truth values counting as 0 and 1; texts are no numbers."""
    if isinstance(one, str) or isinstance(other, str):
        return False
    try:
        return bool(float(one) == float(other))
    except (TypeError, ValueError):
        return False
