"""Encodes the columns of a table as numbers, with levels and units read off the rows that a model learns from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd

from autosynth.exceptions import DataError

if TYPE_CHECKING:
    from collections.abc import Hashable

    import numpy.typing as npt

    from autosynth.schema import ColumnSchema, TableSchema

    Floats = npt.NDArray[np.float64]

DAY_NS = 86_400 * 10**9
LARGEST = float(np.finfo(np.float32).max)  # learners compute with 32 bits, where more would be infinite


class EncodedColumn(Protocol):
    """A column as one or more features; ``holds_levels`` says that numbers stand for levels without an order."""

    holds_levels: bool

    def encode(self, values: pd.Series[Any]) -> Floats:
        """Return the features, shape (n_rows, n_features), missing as NaN."""
        ...


@dataclass(frozen=True)
class Numbers:
    """Numbers as they are, whole ones from the first value on, dates and durations in days from there.

    With that origin, large whole numbers and dates keep their differences in 32 bits.
    """

    column: ColumnSchema
    origin: float
    unit: float
    holds_levels = False

    @classmethod
    def learn(cls, values: pd.Series[Any], column: ColumnSchema) -> Numbers:
        """Return the code of a column with this schema; all of its values may be missing."""
        if column.kind == "numeric":
            return cls(column, 0.0, 1.0)
        numbers = column.to_float(values)
        present = numbers[~np.isnan(numbers)]
        origin = float(present.min()) if len(present) else 0.0
        return cls(column, origin, 1.0 if column.kind == "integer" else DAY_NS)

    def encode(self, values: pd.Series[Any]) -> Floats:
        return ((self.column.to_float(values) - self.origin) / self.unit)[:, None]


@dataclass(frozen=True)
class Flags:
    """False as 0 and True as 1."""

    holds_levels = False

    def encode(self, values: pd.Series[Any]) -> Floats:
        flags = values.astype("boolean").to_numpy(dtype="float64", na_value=np.nan)
        return np.asarray(flags, dtype=np.float64)[:, None]


@dataclass(frozen=True)
class Levels:
    """The number of each level; a level that was not learned counts as missing."""

    levels: pd.Index
    holds_levels = True

    @classmethod
    def learn(cls, values: pd.Series[Any]) -> Levels:
        """Return the levels observed, in an order that does not depend on that of the rows."""
        observed = sorted(values.dropna().unique(), key=lambda value: (type(value).__name__, str(value)))
        return cls(pd.Index(observed, dtype=object))

    def encode(self, values: pd.Series[Any]) -> Floats:
        codes = self.levels.get_indexer(pd.Index(values.astype(object), dtype=object))
        return np.where(codes < 0, np.nan, codes)[:, None].astype(np.float64)


@dataclass(frozen=True)
class TextLengths:
    """Texts that hardly ever repeat, as their length in characters and in words."""

    holds_levels = False

    def encode(self, values: pd.Series[Any]) -> Floats:
        texts = values.astype(object)
        lengths = [[np.nan, np.nan] if pd.isna(text) else [len(text), len(text.split())] for text in texts]
        return np.array(lengths, dtype=np.float64).reshape(-1, 2)


@dataclass(frozen=True)
class FeatureEncoding:
    """All columns but the label, as numbers.

    Attributes
    ----------
    columns : tuple of (name, EncodedColumn)
        In the order of the schema.

    Examples
    --------
    >>> from autosynth.schema import TableSchema
    >>> rows = pd.DataFrame({"age": [31, 42], "ward": ["b", "a"], "ill": [True, False]})
    >>> encoding = FeatureEncoding.learn(rows, TableSchema.infer(rows, label="ill"))
    >>> encoding.encode(pd.DataFrame({"age": [41, 42], "ward": ["b", "z"]})).tolist()
    [[10.0, 1.0], [11.0, nan]]
    >>> encoding.holds_levels.tolist()
    [False, True]
    """

    columns: tuple[tuple[Hashable, EncodedColumn], ...]

    @classmethod
    def learn(cls, rows: pd.DataFrame, schema: TableSchema) -> FeatureEncoding:
        """Read levels and origins off training rows.

        Raises
        ------
        DataError
            If the rows have no column beside the label.
        """
        features = [column for column in schema.features if column.name in rows.columns]
        if not features:
            raise DataError(f"the table has no column beside the label {schema.label!r}, so no model can learn it.")
        return cls(tuple((column.name, _learn(rows[column.name], column)) for column in features))

    def encode(self, rows: pd.DataFrame) -> Floats:
        """Return the features of rows, shape (n_rows, n_features), missing as NaN and none larger than 32 bits hold."""
        blocks = [column.encode(rows[name]) for name, column in self.columns]
        return np.clip(np.concatenate(blocks, axis=1), -LARGEST, LARGEST)

    @property
    def holds_levels(self) -> npt.NDArray[np.bool_]:
        """Which features are numbers of levels, shape (n_features,)."""
        flags = [[column.holds_levels] * (1 + isinstance(column, TextLengths)) for _, column in self.columns]
        return np.concatenate(flags).astype(bool)


def _learn(values: pd.Series[Any], column: ColumnSchema) -> EncodedColumn:
    if column.is_number_like:
        return Numbers.learn(values, column)
    if column.kind == "boolean":
        return Flags()
    return TextLengths() if column.kind == "text" else Levels.learn(values)
