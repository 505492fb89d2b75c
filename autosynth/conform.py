"""Casts synthetic rows to the dtypes of the real table, and refuses rows that the table does not allow."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from numbers import Number
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import pandas as pd

from autosynth.exceptions import DataError, PluginError
from autosynth.files import foreign_separator
from autosynth.schema import ColumnSchema, cast_numbers, cast_times, dtype_limits

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

    import numpy.typing as npt

    from autosynth.schema import TableSchema

FaultKind: TypeAlias = Literal["missing", "value", "type", "infinite", "present", "limits", "fraction", "size", "text"]

_NOT_OF_KIND = {"datetime": "not a point in time (ISO 8601)", "timedelta": "not a point in time"}
LIMIT_TOLERANCE = 1e-9  # relative; a float that went through float32 and back may lie a hair outside


@dataclass(frozen=True)
class Fault:
    """What is wrong with some cells of a column.

    Attributes
    ----------
    kind : str
        "missing" where the real rows hold no missing value, "value" that they do not hold, "type" of another kind,
        "infinite", "present" where they hold no value at all, beyond the "limits", "fraction" of a whole number, beyond
        the "size" of the dtype, or a number written as "text", which can be read and so refuses no row.
    reason : str
        The same for people.
    cells : ndarray of bool, shape (n_rows,)
        Which ones.
    """

    kind: FaultKind
    reason: str
    cells: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Conformed:
    """Rows held against a schema.

    Attributes
    ----------
    frame : DataFrame of shape (n_valid, n_columns)
        The valid rows in the columns, order and dtypes of the real table, index 0 to n_valid - 1.
    valid : ndarray of bool, shape (n_rows,)
        Which of the given rows they are.
    refusals : Counter
        Reason to number of rows; a row with several faults counts for its first.
    faults : Counter
        Column and kind of fault to number of rows, each counted by itself.
    examples : dict
        Column and kind of fault to the first cell that has it.
    """

    frame: pd.DataFrame
    valid: npt.NDArray[np.bool_]
    refusals: Counter[str]
    faults: Counter[tuple[Hashable, FaultKind]]
    examples: dict[tuple[Hashable, FaultKind], Any] = field(default_factory=dict)


def conform(
    rows: pd.DataFrame, schema: TableSchema, *, owner: str | None, within_limits: bool = True
) -> tuple[pd.DataFrame, npt.NDArray[np.bool_], Counter[str]]:
    """Return rows in the dtypes of the real table, which of the given rows are valid, and the refusals by reason.

    A cell is never repaired: a row with a missing value where the real rows have none, an unknown category, a number
    that is infinite, outside the observed limits or the dtype, or not whole where the real ones are, is refused.

    Parameters
    ----------
    rows : DataFrame of shape (n_rows, n_columns)
        As a generator returned them.
    schema : TableSchema
        Learned from the real rows.
    owner : str or None
        The generator's name, for messages; None for rows that the user gave.
    within_limits : bool
        Whether numbers outside the observed limits are refused.  Fresh real rows now and then exceed them.

    Returns
    -------
    frame : DataFrame of shape (n_valid, n_columns)
        The valid rows in the columns, order and dtypes of the real table, index 0 to n_valid - 1.
    valid : ndarray of bool, shape (n_rows,)
        Which of ``rows`` they are.
    refusals : Counter
        Reason to number of rows; a row with several faults counts for its first.

    Raises
    ------
    PluginError
        If the columns are not those of the table, or hold what is no scalar: that is no matter of single rows.
    DataError
        The same, for rows that the user gave.
    """
    conformed = hold_against(rows, schema, owner=owner, within_limits=within_limits)
    return conformed.frame, conformed.valid, conformed.refusals


def hold_against(
    rows: pd.DataFrame, schema: TableSchema, *, owner: str | None, within_limits: bool = True
) -> Conformed:
    """Return what :func:`conform` does, and how many cells of each column have which fault."""
    _check_columns(rows, schema, owner)
    rows = rows.reset_index(drop=True)
    valid = np.ones(len(rows), dtype=bool)
    refusals: Counter[str] = Counter()
    faults: Counter[tuple[Hashable, FaultKind]] = Counter()
    examples: dict[tuple[Hashable, FaultKind], Any] = {}
    for column in schema.columns:
        try:
            found = _faults(rows[column.name], column, within_limits)
        except TypeError as error:  # a cell that is no scalar
            raise _failure(owner, f"a column {column.name!r} whose cells are no plain values: {error}") from error
        for fault in found:
            faults[column.name, fault.kind] += int(fault.cells.sum())
            if fault.cells.any():
                examples[column.name, fault.kind] = rows[column.name].iloc[int(fault.cells.argmax())]
            refusals[f"{column.name}: {fault.reason}"] += int((fault.cells & valid).sum())
            valid &= ~fault.cells
    kept = rows.loc[valid].reset_index(drop=True)
    cast = {column.name: _cast(kept[column.name], column) for column in schema.columns}
    frame = pd.DataFrame(cast, index=kept.index)  # without columns, only the index says how many rows there are
    return Conformed(frame, valid, +refusals, +faults, examples)


def _failure(owner: str | None, what: str) -> PluginError | DataError:
    if owner is None:
        return DataError(f"the synthetic rows are {what}")
    return PluginError(f"generator {owner!r} returned {what}")


def _check_columns(rows: pd.DataFrame, schema: TableSchema, owner: str | None) -> None:
    if not isinstance(rows, pd.DataFrame):
        raise _failure(owner, f"a {type(rows).__name__}. They must come as a pandas DataFrame.")
    unexpected = [name for name in rows.columns if name not in schema.names]
    missing = [name for name in schema.names if name not in rows.columns]
    if unexpected or missing or not rows.columns.is_unique:
        twice = rows.columns[rows.columns.duplicated()].unique()
        doubled = f"; more than once: {_listed(twice)}" if len(twice) else ""
        raise _failure(
            owner,
            f"a table with other columns than the real one: missing: {_listed(missing)}; unexpected: "
            f"{_listed(unexpected)}{doubled}. Each column of the real table must come once."
            f"{_likely_cause(missing, unexpected)}",
        )


def _listed(names: Iterable[Hashable]) -> str:
    return ", ".join(map(str, names)) or "none"


def _likely_cause(missing: Sequence[Hashable], unexpected: Sequence[Hashable]) -> str:
    """Return what probably went wrong with the names of columns, as sentences; empty when nothing comes to mind."""
    causes = []
    plain_names = {str(name).strip().casefold(): name for name in missing}
    for name in unexpected:
        meant = plain_names.get(str(name).strip().casefold())
        if meant is not None:
            causes.append(f" {name!r} and {meant!r} differ only by case or blanks.")
    if any(str(name).startswith("Unnamed: ") for name in unexpected):
        causes.append(" Was the file written with its index? Write it with index=False.")
    if len(unexpected) == 1 and (separator := foreign_separator(unexpected[0])):
        causes.append(f" Is the separator {separator}?")
    return "".join(causes)


def _faults(values: pd.Series[Any], column: ColumnSchema, within_limits: bool) -> list[Fault]:
    missing = values.isna().to_numpy(dtype=bool)
    faults = (
        []
        if column.allows_missing
        else [Fault("missing", "missing, where the real rows hold no missing value", missing)]
    )
    if column.is_number_like:
        return faults + _number_faults(values, column, missing, within_limits)
    if column.values is not None:
        known = pd.Index(list(column.values), dtype=object)
        unknown = known.get_indexer(pd.Index(values.astype(object), dtype=object)) < 0
        return [*faults, Fault("value", "a value that the real rows do not hold", unknown & ~missing)]
    is_text = values.map(lambda value: isinstance(value, str)).to_numpy(dtype=bool)
    return [*faults, Fault("type", "not a text", ~is_text & ~missing)]


def _number_faults(
    values: pd.Series[Any], column: ColumnSchema, missing: npt.NDArray[np.bool_], within_limits: bool
) -> list[Fault]:
    numbers = _as_numbers(values, column)
    not_number = np.isnan(numbers) & ~missing
    inside = ~(missing | not_number)
    is_number = column.kind in ("numeric", "integer")
    faults = [
        Fault("type", _NOT_OF_KIND.get(column.kind, "not a number"), not_number),
        Fault("infinite", "infinite", np.isinf(numbers)),
    ]
    if column.minimum is None or column.maximum is None:
        faults.append(Fault("present", "a value, where the real rows hold none", inside))
    elif within_limits:
        slack = LIMIT_TOLERANCE * max(abs(column.minimum), abs(column.maximum))
        outside = (numbers < column.minimum - slack) | (numbers > column.maximum + slack)
        limits = f"{_show(column.minimum, column)} to {_show(column.maximum, column)}"
        faults.append(Fault("limits", f"outside the observed limits {limits}", outside))
    if column.kind == "integer":
        faults.append(Fault("fraction", "not a whole number", inside & (np.floor(numbers) != numbers)))
    if is_number and values.dtype != column.dtype:
        lowest, highest = dtype_limits(column.dtype)
        faults.append(Fault("size", f"too large for dtype {column.dtype}", (numbers < lowest) | (numbers > highest)))
    return faults


def _as_numbers(values: pd.Series[Any], column: ColumnSchema) -> npt.NDArray[np.float64]:
    """Return values on the number line of the column; what cannot be read becomes NaN and is refused by name."""
    if column.kind in ("datetime", "timedelta"):
        return column.to_float(_as_time(values, column))
    return pd.to_numeric(values, errors="coerce").to_numpy(dtype="float64", na_value=np.nan)


def _as_time(values: pd.Series[Any], column: ColumnSchema) -> pd.Series[Any]:
    if values.dtype == column.dtype:
        return values
    if column.kind == "timedelta":
        read: Any = partial(pd.to_timedelta, errors="coerce")
    else:
        # Numbers have no unit, and of 03.04.2024 nobody knows the month: to guess would be wrong without a word.
        if not pd.api.types.is_datetime64_any_dtype(values.dtype):
            is_number = values.map(lambda value: isinstance(value, Number)).to_numpy(dtype=bool)
            values = values.astype(object).mask(is_number)
        read = partial(pd.to_datetime, errors="coerce", utc=True, format="ISO8601")
    times = pd.Series(read(values))
    try:
        column.to_float(times)
    except DataError:  # some lie beyond 64 bits of nanoseconds; read one by one, those become missing
        times = pd.Series(read(values.astype(object)))
    return times


def _cast(values: pd.Series[Any], column: ColumnSchema) -> pd.Series[Any]:
    if column.is_number_like:
        if values.dtype == column.dtype:
            return values
        if column.kind in ("datetime", "timedelta"):
            return cast_times(_as_time(values, column), column)
        if column.kind == "integer" and pd.api.types.is_integer_dtype(values.dtype):
            return values.astype(column.dtype)  # not through float64, which is exact up to 2**53 only
        return cast_numbers(pd.Series(_as_numbers(values, column)), column)
    if isinstance(column.dtype, pd.CategoricalDtype) or values.dtype == column.dtype:
        return values.astype(column.dtype)
    return values.astype(object).where(values.notna(), None).astype(column.dtype)


def _show(number: float, column: ColumnSchema) -> str:
    if column.kind == "datetime":
        return str(pd.Timestamp(int(number)))
    return str(pd.Timedelta(int(number))) if column.kind == "timedelta" else f"{number:.6g}"
