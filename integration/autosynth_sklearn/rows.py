"""What a user passes to scikit-learn, read and checked, and brought into frames with named columns."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from sklearn.utils import assert_all_finite, check_consistent_length, check_random_state, column_or_1d, get_tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from autosynth.exceptions import DataError

MAX_SEED = 2**31 - 1

Rows = Any  # a DataFrame, or an array of numbers; both of shape (n_rows, n_features)


def read_training_rows(classifier: Any, X: Any, y: Any) -> tuple[Rows, npt.NDArray[Any]]:
    """Return features and labels; a DataFrame stays as it is, for the classifier's own pipeline to deal with.

    Raises
    ------
    DataError
        If there is more than one label per row, or a DataFrame has fewer than two rows, or columns that cannot be told
        apart by a name.
    ValueError
        scikit-learn's own, if rows or labels are none that it takes.
    """
    shape = np.asarray(y).shape
    if len(shape) == 2 and shape[1] > 1:
        raise DataError(
            f"y has the shape {shape}, so {shape[1]} labels per row. Multilabel and multioutput targets are not "
            "supported. Give one class per row."
        )
    if isinstance(X, pd.DataFrame):
        _check_shape(X)
        validate_data(classifier, X, y, skip_check_array=True)
        y = column_or_1d(y, warn=True)
        assert_all_finite(y, input_name="y")
        check_consistent_length(X, y)
        rows: Rows = X.reset_index(drop=True)
    else:
        rows, y = validate_data(classifier, X, y, ensure_all_finite=_finite(classifier))
    check_classification_targets(y)
    return rows, np.asarray(y)


def read_features(sampler: Any, X: Any) -> Rows:
    """Return rows of any content: a DataFrame, list or sparse matrix as it is, or an array.

    Raises
    ------
    DataError
        If a DataFrame has fewer than two rows, or columns that cannot be told apart by a name.
    ValueError
        scikit-learn's own, if these are no rows.
    """
    if isinstance(X, pd.DataFrame):
        _check_shape(X)
        validate_data(sampler, X, skip_check_array=True)
        return X
    rows = validate_data(
        sampler, X, accept_sparse=["csr", "csc"], dtype=None, ensure_all_finite="allow-nan", ensure_min_samples=2
    )
    return X if isinstance(X, list) or sparse.issparse(X) else rows


def read_rows(classifier: Any, X: Any) -> Rows:
    """Return the features of new rows, which must have the columns of training."""
    if isinstance(X, pd.DataFrame):
        validate_data(classifier, X, reset=False, skip_check_array=True)
        return X
    return validate_data(classifier, X, reset=False, ensure_all_finite=_finite(classifier))


def read_weights(sample_weight: Any, n_rows: int) -> npt.NDArray[np.float64] | None:
    """Return the user's weights, shape (n_rows,), or None.

    Raises
    ------
    DataError
        If there is not one finite weight per row, or one is negative, or none is positive.
    """
    if sample_weight is None:
        return None
    weights = np.asarray(sample_weight, dtype="float64")
    if weights.ndim == 0:
        weights = np.full(n_rows, float(weights))
    if weights.shape != (n_rows,):
        raise DataError(f"sample_weight has the shape {weights.shape} for {n_rows} rows. Give one number per row.")
    if not np.isfinite(weights).all() or (weights < 0).any():
        raise DataError(
            "sample_weight holds numbers that are negative, missing or infinite. Use finite ones from 0 on."
        )
    if not weights.any():
        raise DataError("Sample weights must contain at least one non-zero number, and all of them are 0.")
    return weights


def read_seed(random_state: int | np.random.RandomState | None) -> int:
    """Return a seed for synthetic rows, drawn as scikit-learn draws."""
    return int(check_random_state(random_state).randint(MAX_SEED))


def read_groups(groups: Any, n_rows: int) -> pd.DataFrame | None:
    """Return group columns that come beside the features, index 0 to n_rows - 1, or None.

    Columns without a name are called "group", or "group 0", "group 1", ... when there are several.

    Raises
    ------
    DataError
        If there is not one row of them for every row of the features.
    """
    if groups is None:
        return None
    if isinstance(groups, pd.DataFrame):
        columns = groups.reset_index(drop=True)
    elif isinstance(groups, pd.Series):
        columns = groups.reset_index(drop=True).to_frame("group" if groups.name is None else groups.name)
    else:
        columns = pd.DataFrame(np.asarray(groups, dtype=object)).infer_objects()
        names = ["group"] if columns.shape[1] == 1 else [f"group {place}" for place in columns]
        columns.columns = pd.Index(names)
    if len(columns) != n_rows:
        raise DataError(f"groups has {len(columns)} rows for {n_rows} rows of X. Give the groups of every row.")
    return columns


def named(rows: Rows, columns: Sequence[Hashable] | None = None) -> pd.DataFrame:
    """Return the rows as a DataFrame, an array's columns named as in training, by default by their numbers."""
    if isinstance(rows, pd.DataFrame) and (columns is None or list(rows.columns) == list(columns)):
        return rows
    frame = pd.DataFrame(rows)
    return frame if columns is None else frame.set_axis(pd.Index(list(columns)), axis=1)


def _check_shape(X: pd.DataFrame) -> None:
    if len(X) < 2:
        raise DataError(f"X has {len(X)} rows. Give two or more: new rows are made from those of their own group.")
    if X.columns.nlevels > 1:
        raise DataError(
            f"the columns of X have {X.columns.nlevels} levels. Join them: X.columns = [*map('_'.join, X.columns)]."
        )
    if not X.columns.is_unique:
        raise DataError(f"X has several columns called {X.columns[X.columns.duplicated()][0]!r}. Rename them.")


def _finite(classifier: Any) -> bool | str:
    return "allow-nan" if get_tags(classifier).input_tags.allow_nan else True
