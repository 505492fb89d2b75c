"""What the columns of a table are: kind, dtype, observed values and limits, inferred once from real rows."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import pandas as pd
from pandas.api import types as pdt

from autosynth.exceptions import DataError, nearest

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    import numpy.typing as npt
    from pandas.api.extensions import ExtensionDtype

ColumnKind: TypeAlias = Literal["numeric", "integer", "boolean", "category", "text", "datetime", "timedelta"]

NUMBER_LIKE: frozenset[ColumnKind] = frozenset({"numeric", "integer", "datetime", "timedelta"})
MAX_DECIMALS = 6  # a column with more observed decimals counts as continuous
TEXT_MIN_DISTINCT = 50
TEXT_MIN_DISTINCT_SHARE = 0.5  # of the non-missing values; below it strings are codes of categories
UNITS_NS = {"D": 86_400 * 10**9, "h": 3_600 * 10**9, "m": 60 * 10**9, "s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}


@dataclass(frozen=True, kw_only=True)
class ColumnSchema:
    """One column as the real rows show it.

    Attributes
    ----------
    name : Hashable
        The column's name.
    kind : str
        "numeric", "integer", "boolean", "category", "text" (mostly distinct strings), "datetime" or "timedelta".
    dtype : dtype
        The pandas dtype, which synthetic rows get too.
    n_missing, n_distinct : int
        Rows without a value, and distinct values among the others.
    values : tuple or None
        The observed values of a boolean or category column; None for other kinds.
    minimum, maximum : float or None
        Observed limits on the number line of :meth:`to_float`; None where nothing was observed or nothing is ordered.
    resolution : float or None
        The step on which all observed values lie: 1 for whole numbers, 0.01 for two decimals, a day in nanoseconds
        for dates; None for continuous columns.
    """

    name: Hashable
    kind: ColumnKind
    dtype: np.dtype[Any] | ExtensionDtype
    n_missing: int
    n_distinct: int
    values: tuple[Any, ...] | None = None
    minimum: float | None = None
    maximum: float | None = None
    resolution: float | None = None

    @property
    def is_number_like(self) -> bool:
        """Whether values can be interpolated: numbers, dates and durations."""
        return self.kind in NUMBER_LIKE

    @property
    def allows_missing(self) -> bool:
        """Whether the real rows hold missing values here."""
        return self.n_missing > 0

    def to_float(self, values: pd.Series[Any]) -> npt.NDArray[np.float64]:
        """Return a number-like column as float64, missing as NaN; dates and durations as nanoseconds.

        Whole numbers are exact up to 2**53.

        Raises
        ------
        DataError
            If a date or duration does not fit into 64 bits of nanoseconds.
        """
        if self.kind in ("datetime", "timedelta"):
            stamps, missing = _nanoseconds(values, self.kind)
            return np.where(missing, np.nan, stamps.astype("float64"))
        return values.to_numpy(dtype="float64", na_value=np.nan)

    def from_float(self, numbers: npt.NDArray[np.float64]) -> pd.Series[Any]:
        """Return numbers as a column of this kind and dtype: on the observed resolution and inside the limits.

        NaN becomes missing.  For generators that compute on the number line.  It undoes :meth:`to_float`; dates between
        1824 and 2116, and durations up to 146 years, come back to the microsecond.
        """
        numbers = np.asarray(numbers, dtype="float64")
        if self.minimum is not None and self.maximum is not None:
            numbers = np.clip(numbers, self.minimum, self.maximum)
        if self.kind in ("datetime", "timedelta"):
            # float64 holds the nanoseconds of today's dates to the nearest 256. So steps are counted, which is exact
            # from a microsecond on, and multiplied as integers.
            missing, step = np.isnan(numbers), int(self.resolution or 1)
            return _times(np.round(np.where(missing, 0.0, numbers) / step).astype("int64") * step, missing, self)
        if self.resolution is not None:
            numbers = np.round(numbers, round(-math.log10(self.resolution)))
        return cast_numbers(pd.Series(numbers), self)


@dataclass(frozen=True, kw_only=True)
class TableSchema:
    """The columns of a table in their order, its label and its group columns."""

    columns: tuple[ColumnSchema, ...]
    label: Hashable
    group_by: tuple[Hashable, ...] = ()

    @property
    def names(self) -> tuple[Hashable, ...]:
        """Column names in order, the label among them."""
        return tuple(column.name for column in self.columns)

    @property
    def features(self) -> tuple[ColumnSchema, ...]:
        """All columns but the label."""
        return tuple(column for column in self.columns if column.name != self.label)

    def __getitem__(self, name: Hashable) -> ColumnSchema:
        for column in self.columns:
            if column.name == name:
                return column
        raise DataError(f"column {name!r} is not in the table.{nearest(name, self.names)}")

    @classmethod
    def infer(cls, frame: pd.DataFrame, *, label: Hashable, group_by: Iterable[Hashable] = ()) -> TableSchema:
        """Read kinds, observed values and limits off ``frame``.

        Raises
        ------
        DataError
            If a column holds infinite values, mixed types or a dtype that no generator could follow.
        """
        columns = tuple(infer_column(frame[name]) for name in frame.columns)
        return cls(columns=columns, label=label, group_by=tuple(group_by))

    def read_again(self, frame: pd.DataFrame) -> TableSchema:
        """Return the schema of some of the rows: kinds stay, values and limits are read off ``frame``."""
        return replace(self, columns=tuple(_read_again(frame[column.name], column) for column in self.columns))


def _read_again(values: pd.Series[Any], known: ColumnSchema) -> ColumnSchema:
    column = infer_column(values)
    if column.kind == known.kind:
        return column
    distinct = None if known.values is None else tuple(plain(value) for value in values.dropna().unique())
    return replace(column, kind=known.kind, values=distinct)


def infer_column(values: pd.Series[Any]) -> ColumnSchema:
    """Return the schema of one column; see :class:`ColumnSchema` for what it holds.

    Raises
    ------
    DataError
        If the column holds infinite values, mixed types or a dtype that no generator could follow.

    Examples
    --------
    >>> column = infer_column(pd.Series([1.25, 2.5, None], name="price"))
    >>> column.kind, column.resolution, column.maximum, column.n_missing
    ('numeric', 0.01, 2.5, 1)
    """
    kind = _kind(values)
    present = values.dropna()
    observed: dict[str, Any] = {}
    if kind in NUMBER_LIKE and len(present):
        bare = ColumnSchema(name=values.name, kind=kind, dtype=values.dtype, n_missing=0, n_distinct=0)
        numbers = bare.to_float(present)
        _refuse_infinite(values.name, numbers)
        distinct = np.unique(numbers)
        observed = {
            "minimum": float(distinct[0]),
            "maximum": float(distinct[-1]),
            "resolution": _resolution(kind, present, distinct),
        }
        n_distinct = len(distinct)
    else:
        unique = present.unique()
        n_distinct = len(unique)
        if kind in ("boolean", "category"):
            observed = {"values": tuple(plain(value) for value in unique)}
    return ColumnSchema(
        name=values.name,
        kind=kind,
        dtype=values.dtype,
        n_missing=len(values) - len(present),
        n_distinct=n_distinct,
        **observed,
    )


def plain(value: Any) -> Any:
    """Return a numpy scalar as the Python value it holds, a missing one as None, anything else as it is."""
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return None
    return (
        value.item()
        if isinstance(value, np.generic) and not isinstance(value, np.datetime64 | np.timedelta64)
        else value
    )


def cast_numbers(numbers: pd.Series[Any], column: ColumnSchema) -> pd.Series[Any]:
    """Return float64 numbers in the dtype of a numeric or integer column; NaN becomes the dtype's own missing value."""
    if column.kind == "integer":
        whole = numbers.clip(*dtype_limits(column.dtype))
        width: Any = "UInt64" if getattr(column.dtype, "kind", "i") == "u" else "Int64"
        return pd.Series(whole.astype(width if numbers.isna().any() else width.lower()).astype(column.dtype))
    if isinstance(column.dtype, pd.api.extensions.ExtensionDtype):
        return numbers.astype("Float64").astype(column.dtype)
    return numbers.astype(column.dtype)


def cast_times(values: pd.Series[Any], column: ColumnSchema) -> pd.Series[Any]:
    """Return dates or durations in the dtype of the column, index 0 to n - 1."""
    return _times(*_nanoseconds(values, column.kind), column)


def dtype_limits(dtype: Any) -> tuple[float, float]:
    """Return the smallest and largest float64 that fit a number dtype of numpy, pandas or pyarrow."""
    base: Any = getattr(dtype, "numpy_dtype", getattr(dtype, "subtype", dtype))
    limits: Any = np.iinfo(base) if base.kind in "iu" else np.finfo(base)
    # 2**63 - 1 has no float64: the nearest one is 2**63, which does not fit.
    highest = float(limits.max)
    return float(limits.min), highest if base.kind == "f" or int(highest) <= limits.max else float(
        np.nextafter(highest, 0)
    )


def _kind(values: pd.Series[Any]) -> ColumnKind:
    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return "category"
    if pdt.is_bool_dtype(dtype) and not pdt.is_object_dtype(dtype):
        return "boolean"
    if pdt.is_integer_dtype(dtype):
        return "integer"
    if pdt.is_float_dtype(dtype):
        return "numeric"
    if pdt.is_datetime64_any_dtype(dtype):
        return "datetime"
    if pdt.is_timedelta64_dtype(dtype) or getattr(dtype, "kind", "") == "m":
        return "timedelta"
    if pdt.is_string_dtype(dtype) or pdt.is_object_dtype(dtype):
        return _kind_of_objects(values)
    raise DataError(
        f"column {values.name!r} has dtype {dtype}, which no generator could follow. "
        "Use numbers, booleans, strings, categories, dates or durations."
    )


def _kind_of_objects(values: pd.Series[Any]) -> ColumnKind:
    present = values.dropna()
    inferred = pd.api.types.infer_dtype(present, skipna=True)
    if inferred == "boolean":
        return "boolean"
    if inferred == "empty":
        return "category"
    if inferred == "string":
        n_distinct = present.nunique()
        is_text = n_distinct > TEXT_MIN_DISTINCT and n_distinct > TEXT_MIN_DISTINCT_SHARE * len(present)
        return "text" if is_text else "category"
    seen = present.map(lambda value: type(value).__name__).value_counts()
    types = ", ".join(f"{kind} ({count} rows)" for kind, count in seen.items())
    raise DataError(
        f"column {values.name!r} is of dtype object and holds {types}. Give it one type: "
        "astype(str) for codes, pandas.to_numeric for numbers, pandas.to_datetime for dates."
    )


def _refuse_infinite(name: Hashable, numbers: npt.NDArray[np.float64]) -> None:
    n_infinite = int(np.isinf(numbers).sum())
    if n_infinite:
        raise DataError(
            f"column {name!r} holds {n_infinite} infinite value{'s' * (n_infinite > 1)}. "
            "Replace them by a missing value or by a limit, for instance with DataFrame.replace or clip."
        )


def _resolution(kind: ColumnKind, present: pd.Series[Any], distinct: npt.NDArray[np.float64]) -> float | None:
    if kind == "integer":
        return 1.0
    if kind in ("datetime", "timedelta"):
        stamps, _ = _nanoseconds(present, kind)
        return next((float(step) for step in UNITS_NS.values() if step > 1 and not np.any(stamps % step)), None)
    with np.errstate(over="ignore"):  # the largest floats times 10 are infinite, and so have no decimals
        for decimals in range(MAX_DECIMALS + 1):
            if np.array_equal(np.round(distinct, decimals), distinct):
                return float(10.0**-decimals)
    return None


def _nanoseconds(values: pd.Series[Any], kind: ColumnKind) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Return dates (in UTC) or durations as whole nanoseconds, and which of them are missing."""
    try:
        if kind == "datetime":
            stamps = pd.to_datetime(values, utc=True).dt.tz_localize(None).dt.as_unit("ns").to_numpy("datetime64[ns]")
        else:
            stamps = values.dt.as_unit("ns").to_numpy("timedelta64[ns]")
    except ValueError as error:  # out of bounds, by whichever of pandas and pyarrow holds the values
        raise DataError(
            f"column {values.name!r} holds {'dates' if kind == 'datetime' else 'durations'} that do not fit into 64 "
            f"bits of nanoseconds ({pd.Timestamp.min.date()} to {pd.Timestamp.max.date()}), {values.min()} to "
            f"{values.max()}. Replace those that stand for 'open' or 'unknown' by a missing value."
        ) from error
    return stamps.astype("int64"), values.isna().to_numpy(dtype=bool)


def _times(stamps: npt.NDArray[np.int64], missing: npt.NDArray[np.bool_], column: ColumnSchema) -> pd.Series[Any]:
    """Return nanoseconds (in UTC) as dates or durations of the column's dtype, rounded to its unit."""
    unit = UNITS_NS[_time_unit(column.dtype)]
    whole = pd.Series(np.where(missing, 0, (stamps + unit // 2) // unit * unit))
    if column.kind == "timedelta":
        return pd.Series(pd.to_timedelta(whole, unit="ns").mask(missing).astype(column.dtype))
    moments = pd.to_datetime(whole, unit="ns").mask(missing)
    zone = _time_zone(column.dtype)
    return pd.Series((moments.dt.tz_localize("UTC").dt.tz_convert(zone) if zone else moments).astype(column.dtype))


def _time_unit(dtype: Any) -> str:
    if isinstance(dtype, np.dtype):
        return np.datetime_data(dtype)[0]
    return str(getattr(getattr(dtype, "pyarrow_dtype", dtype), "unit", "D"))  # pyarrow's dates have no unit


def _time_zone(dtype: Any) -> Any:
    if isinstance(dtype, pd.ArrowDtype):
        return getattr(dtype.pyarrow_dtype, "tz", None)
    return getattr(dtype, "tz", None)
