"""What a user passes to scikit-learn, read and checked, and brought into frames with named columns."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.utils import assert_all_finite, check_consistent_length, column_or_1d, get_tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from autosynth.exceptions import DataError

Rows = Any  # a DataFrame, or an array of numbers; both of shape (n_rows, n_features)


def read_training_rows(classifier: Any, X: Any, y: Any) -> tuple[Rows, npt.NDArray[Any]]:
    """Return features and labels; a DataFrame stays as it is, for the classifier's own pipeline to deal with.

    Raises
    ------
    ValueError
        scikit-learn's own, if rows or labels are none that it takes.
    """
    if isinstance(X, pd.DataFrame):
        validate_data(classifier, X, y, skip_check_array=True)
        y = column_or_1d(y, warn=True)
        assert_all_finite(y, input_name="y")
        check_consistent_length(X, y)
        rows: Rows = X.reset_index(drop=True)
    else:
        rows, y = validate_data(classifier, X, y, ensure_all_finite=_finite(classifier))
    check_classification_targets(y)
    return rows, np.asarray(y)


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


def named(rows: Rows, columns: Sequence[Hashable] | None = None) -> pd.DataFrame:
    """Return the rows as a DataFrame, an array's columns named as in training, by default by their numbers."""
    if isinstance(rows, pd.DataFrame) and (columns is None or list(rows.columns) == list(columns)):
        return rows
    frame = pd.DataFrame(rows)
    return frame if columns is None else frame.set_axis(pd.Index(list(columns)), axis=1)


def _finite(classifier: Any) -> bool | str:
    return "allow-nan" if get_tags(classifier).input_tags.allow_nan else True
