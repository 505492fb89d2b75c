"""What the columns of a table are: kind, dtype, observed values and limits, inferred once from real rows."""

from __future__ import annotations

from dataclasses import dataclass
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
TIME_UNITS_NS = {"day": 86_400 * 10**9, "hour": 3_600 * 10**9, "minute": 60 * 10**9, "second": 10**9}


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
        """Return a number-like column as float64, missing as NaN; dates and durations as nanoseconds."""
        if self.kind in ("datetime", "timedelta"):
            return _nanoseconds(values, self.kind)
        return values.to_numpy(dtype="float64", na_value=np.nan)

    def from_float(self, numbers: npt.NDArray[np.float64]) -> pd.Series[Any]:
        """Return numbers as a column of this kind and dtype: on the observed resolution and inside the limits.

        NaN becomes missing.  For generators that compute on the number line.
        """
        numbers = np.asarray(numbers, dtype="float64")
        if self.resolution is not None:
            steps = np.round(numbers / self.resolution)
            # 7 / 100 is 0.07, while 7 * 0.01 is 0.07000000000000001.
            per_unit = round(1 / self.resolution)
            numbers = steps / per_unit if self.resolution < 1 else steps * self.resolution
        if self.minimum is not None and self.maximum is not None:
            numbers = np.clip(numbers, self.minimum, self.maximum)
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
        numbers = ColumnSchema(name=None, kind=kind, dtype=values.dtype, n_missing=0, n_distinct=0).to_float(present)
        _refuse_infinite(values.name, numbers)
        distinct = np.unique(numbers)
        observed = {
            "minimum": float(distinct[0]),
            "maximum": float(distinct[-1]),
            "resolution": _resolution(kind, distinct),
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
    """Return float64 numbers in the dtype of a number-like column; NaN becomes the dtype's own missing value."""
    missing = numbers.isna()
    if column.kind in ("datetime", "timedelta"):
        whole = numbers.fillna(0).astype("int64")
        if column.kind == "timedelta":
            return pd.Series(pd.to_timedelta(whole, unit="ns").mask(missing).astype(column.dtype))
        moments = pd.to_datetime(whole, unit="ns").mask(missing)
        zone = _time_zone(column.dtype)
        return pd.Series((moments.dt.tz_localize("UTC").dt.tz_convert(zone) if zone else moments).astype(column.dtype))
    if column.kind == "integer":
        return (
            numbers.astype("Int64").astype(column.dtype)
            if missing.any()
            else numbers.astype("int64").astype(column.dtype)
        )
    if isinstance(column.dtype, pd.api.extensions.ExtensionDtype):
        return numbers.astype("Float64").astype(column.dtype)
    return numbers.astype(column.dtype)


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


def _resolution(kind: ColumnKind, distinct: npt.NDArray[np.float64]) -> float | None:
    if kind == "integer":
        return 1.0
    if kind in ("datetime", "timedelta"):
        return next((float(unit) for unit in TIME_UNITS_NS.values() if not np.any(distinct % unit)), None)
    for decimals in range(MAX_DECIMALS + 1):
        if np.array_equal(np.round(distinct, decimals), distinct):
            return float(10.0**-decimals)
    return None


def _nanoseconds(values: pd.Series[Any], kind: ColumnKind) -> npt.NDArray[np.float64]:
    missing = values.isna().to_numpy()
    if kind == "datetime":
        moments = pd.to_datetime(values, utc=True).dt.tz_localize(None)
        stamps = moments.to_numpy(dtype="datetime64[ns]")
    else:
        stamps = values.to_numpy(dtype="timedelta64[ns]")
    return np.where(missing, np.nan, stamps.astype("int64").astype("float64"))


def _time_zone(dtype: Any) -> Any:
    if isinstance(dtype, pd.ArrowDtype):
        return getattr(dtype.pyarrow_dtype, "tz", None)
    return getattr(dtype, "tz", None)
