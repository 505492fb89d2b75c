"""What comes back has the form of what came: DataFrame, Series, array, sparse matrix or list, with its dtypes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from autosynth.rebalancing import new_labels


def as_frame(given: Any) -> pd.DataFrame:
    """Return rows as a DataFrame with an index from 0 on, dense columns, and numbers in number dtypes.

    Parameters
    ----------
    given : DataFrame, Series, ndarray, sparse matrix or list of shape (n_rows, n_columns) or (n_rows,)
        The columns of anything without names are numbered; a lone column is called "y".
    """
    if isinstance(given, pd.DataFrame):
        return _dense(given).reset_index(drop=True)
    if isinstance(given, pd.Series):
        return as_frame(given.to_frame("y" if given.name is None else given.name))
    cells = given.toarray() if sparse.issparse(given) else given
    frame = pd.DataFrame({"y": cells}) if _is_flat(cells) else pd.DataFrame(cells)
    return frame.infer_objects()


def extended(given: Any, new: pd.DataFrame) -> Any:
    """Return the rows exactly as they were given, and new rows below them in the same form.

    Parameters
    ----------
    given : DataFrame, Series, ndarray, sparse matrix or list of shape (n_rows, n_columns) or (n_rows,)
        Real rows.  The index of a DataFrame or Series goes on with labels that it does not hold yet.
    new : DataFrame of shape (n_new, n_columns)
        The columns are those of ``given``, in order.

    Examples
    --------
    >>> extended([[1.0, 2.0]], pd.DataFrame({0: [3.0], 1: [4.0]}))
    [[1.0, 2.0], [3.0, 4.0]]
    """
    if isinstance(given, pd.DataFrame):
        new = new.set_axis(given.columns, axis=1).astype(given.dtypes.to_dict())
        return pd.concat([given, new.set_axis(new_labels(given.index, len(new)), axis=0)]) if len(new) else given.copy()
    if isinstance(given, pd.Series):
        column = "y" if given.name is None else given.name
        return extended(given.to_frame(column), new)[column].rename(given.name)
    if sparse.issparse(given):
        return sparse.vstack([given, type(given)(new.to_numpy(dtype=given.dtype))], format=given.format)
    if isinstance(given, list):
        cells = new.astype(object).to_numpy().tolist()
        return [*given, *([row[0] for row in cells] if _is_flat(given) else cells)]
    return np.concatenate([given, _cells(given, new)])


def _cells(given: np.ndarray[Any, Any], new: pd.DataFrame) -> np.ndarray[Any, Any]:
    """Return new rows in the shape and dtype of an array; longer texts than it holds need a wider dtype."""
    cells = new.to_numpy(dtype=str if given.dtype.kind == "U" else given.dtype)
    return cells.ravel() if given.ndim == 1 else cells


def _is_flat(given: Any) -> bool:
    return len(given) == 0 or np.ndim(given[0]) == 0


def _dense(frame: pd.DataFrame) -> pd.DataFrame:
    filled = {name: dtype.subtype for name, dtype in frame.dtypes.items() if isinstance(dtype, pd.SparseDtype)}
    return frame.astype(filled) if filled else frame
