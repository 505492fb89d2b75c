"""Casts synthetic rows to the dtypes of the real table, and refuses rows that the table does not allow."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from autosynth.exceptions import PluginError
from autosynth.schema import ColumnSchema, cast_numbers

if TYPE_CHECKING:
    import numpy.typing as npt

    from autosynth.schema import TableSchema

LIMIT_TOLERANCE = 1e-9  # relative; a float that went through float32 and back may lie a hair outside


def conform(
    rows: pd.DataFrame, schema: TableSchema, *, owner: str, within_limits: bool = True
) -> tuple[pd.DataFrame, npt.NDArray[np.bool_], Counter[str]]:
    """Return rows in the dtypes of the real table, which of the given rows are valid, and the refusals by reason.

    A cell is never repaired: a row with a missing value where the real rows have none, an unknown category, a number
    that is infinite, outside the observed limits or not whole where the real ones are, is refused.

    Parameters
    ----------
    rows : DataFrame of shape (n_rows, n_columns)
        As a generator returned them.
    schema : TableSchema
        Learned from the real rows.
    owner : str
        The generator's name, for messages.
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
        If the columns are not those of the table: that is no matter of single rows.
    """
    _check_columns(rows, schema, owner)
    rows = rows.reset_index(drop=True)
    valid = np.ones(len(rows), dtype=bool)
    refusals: Counter[str] = Counter()
    for column in schema.columns:
        for reason, is_bad in _faults(rows[column.name], column, within_limits):
            refusals[f"{column.name}: {reason}"] += int((is_bad & valid).sum())
            valid &= ~is_bad
    kept = rows.loc[valid].reset_index(drop=True)
    frame = pd.DataFrame({column.name: _cast(kept[column.name], column) for column in schema.columns})
    return frame, valid, Counter({reason: count for reason, count in refusals.items() if count})


def _check_columns(rows: pd.DataFrame, schema: TableSchema, owner: str) -> None:
    if not isinstance(rows, pd.DataFrame):
        raise PluginError(f"generator {owner!r} returned a {type(rows).__name__}. It must return a pandas DataFrame.")
    foreign = [name for name in rows.columns if name not in schema.names]
    absent = [name for name in schema.names if name not in rows.columns]
    if foreign or absent or not rows.columns.is_unique:
        raise PluginError(
            f"generator {owner!r} returned other columns than the table has: "
            f"foreign {foreign or 'none'}, absent {absent or 'none'}. It must return each column of the table once."
        )


def _faults(
    values: pd.Series[Any], column: ColumnSchema, within_limits: bool
) -> list[tuple[str, npt.NDArray[np.bool_]]]:
    missing = values.isna().to_numpy(dtype=bool)
    faults = [] if column.allows_missing else [("missing, where the real rows hold no missing value", missing)]
    if column.is_number_like:
        return faults + _number_faults(values, column, missing, within_limits)
    if column.values is not None:
        known = pd.Index(list(column.values), dtype=object)
        unknown = known.get_indexer(pd.Index(values.astype(object))) < 0
        return [*faults, ("a value that the real rows do not hold", unknown & ~missing)]
    is_text = values.map(lambda value: isinstance(value, str)).to_numpy(dtype=bool)
    return [*faults, ("not a text", ~is_text & ~missing)]


def _number_faults(
    values: pd.Series[Any], column: ColumnSchema, missing: npt.NDArray[np.bool_], within_limits: bool
) -> list[tuple[str, npt.NDArray[np.bool_]]]:
    numbers = _as_numbers(values, column)
    not_number = np.isnan(numbers) & ~missing
    inside = ~(missing | not_number)
    faults = [("not a number" if column.kind in ("numeric", "integer") else "not a point in time", not_number)]
    faults.append(("infinite", np.isinf(numbers)))
    if within_limits and column.minimum is not None and column.maximum is not None:
        slack = LIMIT_TOLERANCE * max(abs(column.minimum), abs(column.maximum))
        outside = (numbers < column.minimum - slack) | (numbers > column.maximum + slack)
        faults.append(
            (f"outside the observed limits {_show(column.minimum, column)} to {_show(column.maximum, column)}", outside)
        )
    if column.kind == "integer":
        faults.append(("not a whole number", inside & (np.floor(numbers) != numbers)))
    return faults


def _as_numbers(values: pd.Series[Any], column: ColumnSchema) -> npt.NDArray[np.float64]:
    """Return values on the number line of the column; what cannot be read becomes NaN and is refused by name."""
    if column.kind == "datetime":
        return column.to_float(pd.Series(pd.to_datetime(values, errors="coerce", utc=True)))
    if column.kind == "timedelta":
        return column.to_float(pd.Series(pd.to_timedelta(values, errors="coerce")))
    return pd.to_numeric(values, errors="coerce").to_numpy(dtype="float64", na_value=np.nan)


def _cast(values: pd.Series[Any], column: ColumnSchema) -> pd.Series[Any]:
    if column.is_number_like:
        if values.dtype == column.dtype:
            return values
        return cast_numbers(pd.Series(_as_numbers(values, column)), column)
    if isinstance(column.dtype, pd.CategoricalDtype) or values.dtype == column.dtype:
        return values.astype(column.dtype)
    return values.astype(object).where(values.notna(), None).astype(column.dtype)


def _show(number: float, column: ColumnSchema) -> str:
    if column.kind == "datetime":
        return str(pd.Timestamp(int(number)))
    return str(pd.Timedelta(int(number))) if column.kind == "timedelta" else f"{number:.6g}"
