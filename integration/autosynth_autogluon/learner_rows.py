"""Rows as AutoGluon takes them: numpy's dtypes, and names that can clash with nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types as pdt


def as_frame(X: Any) -> pd.DataFrame:
    """Return a table as it is, and an array as a table."""
    return X if isinstance(X, pd.DataFrame) else pd.DataFrame(np.asarray(X))


def plain_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows with numbered columns of numpy's dtypes, indexed from 0 on.

    Users name columns by numbers, or "label".  And AutoGluon takes pandas' own numbers and truth values for something
    else, and fails on durations.

    Examples
    --------
    >>> rows = pd.DataFrame({"label": pd.array([1, None], dtype="Int64"), 7: pd.to_timedelta([2, 3], unit="min")})
    >>> plain_rows(rows)
       column 0  column 1
    0       1.0     120.0
    1       NaN     180.0
    """
    columns = [plain_column(rows.iloc[:, place].reset_index(drop=True)) for place in range(rows.shape[1])]
    return pd.DataFrame({f"column {place}": column for place, column in enumerate(columns)}, index=range(len(rows)))


def plain_column(values: pd.Series[Any]) -> pd.Series[Any]:
    """Return durations in seconds, and what pandas or pyarrow hold in dtypes of their own in one of numpy's."""
    dtype = values.dtype
    if dtype.kind == "m":
        return pd.Series(values.dt.total_seconds().to_numpy(dtype="float64", na_value=np.nan))
    if isinstance(dtype, np.dtype | pd.CategoricalDtype | pd.DatetimeTZDtype):
        return values
    if pdt.is_datetime64_any_dtype(dtype):
        return pd.Series(pd.to_datetime(values, utc=True).dt.tz_localize(None).astype("datetime64[ns]"))
    if pdt.is_numeric_dtype(dtype) or pdt.is_bool_dtype(dtype):
        return pd.Series(values.to_numpy(dtype="float64", na_value=np.nan))
    return values.astype(object).where(values.notna(), None)
