"""The ``y`` of a sampler: labels to balance, or columns that go along, and the way back to the form they came in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd
from imblearn.utils import check_target_type
from scipy import sparse
from sklearn.utils import assert_all_finite, column_or_1d
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from autosynth.exceptions import DataError
from autosynth.schema import plain
from autosynth.table import GroupBy
from autosynth_sklearn.containers import as_frame, extended
from autosynth_sklearn.grouped_rows import GroupedRows


class Target(Protocol):
    """What a sampler needs to know of a target."""

    @property
    def labels(self) -> npt.NDArray[Any]:
        """What a callable ``sampling_strategy`` is called with, one row per row."""
        ...

    def grouped(self, features: pd.DataFrame, group_by: GroupBy, groups: pd.DataFrame | None) -> GroupedRows:
        """Return features and target in the groups that are to be balanced."""
        ...

    def extended(self, new: pd.DataFrame) -> Any:
        """Return the target in the form it came in, with the target columns of new rows below."""
        ...


@dataclass(frozen=True)
class ClassTarget:
    """Class labels, one per row or one-hot.

    Attributes
    ----------
    given : array-like of shape (n_rows,) or, one-hot, (n_rows, n_classes)
        What the user passed as ``y``.
    labels : ndarray of shape (n_rows,)
        One label per row; of one-hot rows the number of the column.
    is_one_hot : bool
        Whether ``given`` has a column per class.
    """

    given: Any
    labels: npt.NDArray[Any]
    is_one_hot: bool

    @classmethod
    def read(cls, y: Any) -> ClassTarget:
        """Return the labels of ``y``.

        Raises
        ------
        ValueError
            scikit-learn's and imbalanced-learn's own, if these are no class labels.
        DataError
            If there is one class only, a label is missing, or labels are dates.
        """
        _check_given(y)
        if n_missing := _n_missing(y):
            raise DataError(f"y holds {n_missing} missing labels. Drop these rows first.")
        check_classification_targets(y)
        cells = y if sparse.issparse(y) else np.asarray(y)
        is_one_hot = type_of_target(cells) == "multilabel-indicator"
        labels = np.asarray(check_target_type(cells)).ravel() if is_one_hot else column_or_1d(y)
        assert_all_finite(labels, input_name="y")
        if labels.dtype.kind in "mM":
            raise DataError(f"y holds values of dtype {labels.dtype}, which name no classes. Use y.astype(str).")
        classes = np.unique(labels)
        if len(classes) < 2:
            raise DataError(
                f"y holds one class only, {classes.tolist()[0]!r}, in {len(labels)} rows. Balancing needs two."
            )
        has_own_form = is_one_hot or isinstance(y, list | pd.Series | pd.DataFrame)
        return cls(y if has_own_form else labels, np.asarray(labels), is_one_hot)

    def grouped(self, features: pd.DataFrame, group_by: GroupBy, groups: pd.DataFrame | None) -> GroupedRows:
        """Return rows in the groups class x group columns."""
        classes, codes = np.unique(self.labels, return_inverse=True)
        return GroupedRows.by_class(
            features, codes.astype(np.int64), classes.tolist(), group_by=group_by, groups=groups
        )

    def extended(self, new: pd.DataFrame) -> Any:
        """Return all labels in the form of ``given``."""
        labels = np.unique(self.labels)[new.iloc[:, 0].cat.codes.to_numpy()]
        if self.is_one_hot:
            n_classes = as_frame(self.given).shape[1]
            return extended(self.given, pd.DataFrame(np.eye(n_classes, dtype=np.int64)[labels]))
        return extended(self.given, pd.DataFrame({"y": labels}))


@dataclass(frozen=True)
class ColumnTarget:
    """Targets of any kind that go along with their rows.

    Attributes
    ----------
    given : array-like of shape (n_rows,) or (n_rows, n_targets)
        What the user passed as ``y``.
    frame : DataFrame of shape (n_rows, n_targets)
        The same, index 0 to n_rows - 1.
    """

    given: Any
    frame: pd.DataFrame

    @classmethod
    def read(cls, y: Any) -> ColumnTarget:
        """Return the columns of ``y``.

        Raises
        ------
        DataError
            If there is one target, and it never changes.
        ValueError
            scikit-learn's own, if ``y`` is absent, or a number in it missing or infinite.
        """
        _check_given(y)
        frame = as_frame(y)
        for name in frame:
            assert_all_finite(frame[name].to_numpy(), input_name="y")
        if frame.shape[1] == 1 and len(values := frame.iloc[:, 0].unique()) == 1:
            raise DataError(
                f"y holds one value only, {plain(values[0])!r}, in {len(frame)} rows. A model needs two, be it classes."
            )
        has_own_form = sparse.issparse(y) or isinstance(y, list | pd.Series | pd.DataFrame)
        return cls(y if has_own_form else np.asarray(y), frame)

    @property
    def labels(self) -> npt.NDArray[Any]:
        """The targets as an array, shape (n_rows, n_targets)."""
        return self.frame.to_numpy()

    def grouped(self, features: pd.DataFrame, group_by: GroupBy, groups: pd.DataFrame | None) -> GroupedRows:
        """Return rows in the cells of the group columns."""
        return GroupedRows.by_group(features, self.frame, group_by=group_by, groups=groups)

    def extended(self, new: pd.DataFrame) -> Any:
        """Return all targets in the form of ``given``."""
        return extended(self.given, new)


def _check_given(y: Any) -> None:
    if y is None:
        raise ValueError("This sampler requires y to be passed, but the target y is None.")


def _n_missing(y: Any) -> int:
    """Return how many labels are missing in a column of objects; numbers are looked at by scikit-learn."""
    cells = np.asarray(y)
    return int(pd.isna(cells).sum()) if cells.dtype == object and cells.ndim == 1 else 0
