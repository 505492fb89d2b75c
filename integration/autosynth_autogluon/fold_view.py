"""A fold's training rows as a Table that generators understand, and synthetic rows back as AutoGluon's features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd
from autogluon.core.utils.loaders import load_pkl

from autosynth import Group, Table
from autosynth.exceptions import ConfigError, DataError, nearest
from autosynth.groups import Task
from autosynth_autogluon.families import DERIVED_TYPES, TWO_VALUED_TYPES

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from autosynth_autogluon.config import InFoldConfig

LABEL = "__label__"
POSITIVE = 1  # AutoGluon's code of the positive class of two
DERIVED = "__derived__"


@dataclass(frozen=True)
class FoldRows:
    """What AutoGluon hands to a model for one fold, after the split, without validation rows and weight columns.

    Attributes
    ----------
    X : DataFrame of shape (n_rows, n_features)
        Encoded features; the index is that of the user's training data.
    y : Series of shape (n_rows,)
        Class codes, or the quantity.
    is_classification : bool
        What ``y`` holds.
    special_types : mapping of str to list
        AutoGluon's special type to the columns that have it.
    class_names : mapping
        Class codes to the user's class labels, for reports; empty for a quantity.
    eval_metric : str
        AutoGluon's name of what the predictor is judged by.
    """

    X: pd.DataFrame
    y: pd.Series[Any]
    is_classification: bool
    special_types: Mapping[str, list[str]]
    class_names: Mapping[Any, Any] = field(default_factory=dict)
    eval_metric: str = ""

    @property
    def task(self) -> Task:
        return "classification" if self.is_classification else "regression"

    @property
    def has_two_classes(self) -> bool:
        return self.is_classification and set(self.y.unique()) == {0, POSITIVE}

    def name(self, group: Group) -> str:
        """Return what reports call a group: the label under its own name and class, not as AutoGluon's code."""
        cells = [
            f"label={self.class_names.get(value, value)}" if column == LABEL else f"{column}={value}"
            for column, value in group.cell
        ]
        return ", ".join(cells)


class FoldView(Protocol):
    """One way for a generator to see a fold."""

    table: Table
    seen: npt.NDArray[np.bool_]

    @property
    def positive_class(self) -> Any:
        """The label in ``table`` of AutoGluon's positive class; None unless there are two classes."""
        ...

    def to_features(self, rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series[Any]]:
        """Return synthetic rows of ``table`` as encoded features and labels, in the dtypes of the fold."""
        ...


class ModelView:
    """The fold as the model sees it: encoded features, plus group columns that are no features.

    Columns that AutoGluon derived together from a date or a text are shown as one column that names a real row, so
    that whatever a generator does, a synthetic row takes them all over from the same real row.
    """

    def __init__(self, fold: FoldRows, config: InFoldConfig, side: pd.DataFrame | None, root: Path) -> None:
        self._fold = fold
        if side is not None and any(name not in fold.X.columns for name in config.group_columns):
            _check_labels(fold, side, _load_learner(root))
        self._derived = _columns_of(DERIVED_TYPES, fold)
        two_valued = _columns_of(TWO_VALUED_TYPES, fold)
        frame = fold.X.drop(columns=self._derived)
        for name in frame.columns:
            if name in two_valued or _is_flag(frame[name]):
                frame[name] = frame[name].astype("category")
        if self._derived:
            # Texts, so that generators take whole values over instead of interpolating; row numbers repeat no value.
            frame[DERIVED] = [f"row {position}" for position in range(len(frame))]
        self.seen = np.ones(len(frame), dtype=bool)
        for column in config.group_columns:
            if column not in frame.columns:
                frame[column] = self._group_values(column, side, frame.index)
        frame[LABEL] = fold.y.astype("category") if fold.is_classification else fold.y
        rows = frame.loc[self.seen]
        self.table = Table.from_frame(rows, label=LABEL, group_by=config.group_by, task=fold.task)

    @property
    def positive_class(self) -> Any:
        return POSITIVE if self._fold.has_two_classes else None

    def to_features(self, rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series[Any]]:
        """Return synthetic rows as encoded features and labels, in the dtypes of the fold."""
        X = self._fold.X
        features = rows.reindex(columns=X.columns)
        if self._derived:
            sources = rows[DERIVED].str.removeprefix("row ").astype("int64").to_numpy()
            for name in self._derived:
                features[name] = X[name].to_numpy()[sources]
        y = pd.Series(rows[LABEL].to_numpy(), index=rows.index, name=self._fold.y.name).astype(self._fold.y.dtype)
        return features.astype(X.dtypes), y

    def _group_values(self, name: Any, side: pd.DataFrame | None, index: pd.Index) -> pd.Series[Any]:
        if side is None or name not in side.columns:
            raise ConfigError(
                f"group column {name!r} is no feature that AutoGluon kept.{nearest(name, self._fold.X.columns)} "
                "Give its values: rebalanced(..., data=train), or group_by=train[column] as a Series."
            )
        self.seen &= known_rows(index, side)
        values: pd.Series[Any] = side[name].reindex(index)
        return values


class OriginalView:
    """The fold as the user wrote it: own columns, texts, dates and missing values, found by index.

    Synthetic rows then pass through AutoGluon's fitted feature pipeline like any new rows.
    """

    def __init__(self, fold: FoldRows, config: InFoldConfig, side: pd.DataFrame, root: Path) -> None:
        self._fold = fold
        self._learner = _load_learner(root)
        self.seen = known_rows(fold.X.index, side)
        rows = side.loc[fold.X.index[self.seen]]
        if self._learner.label not in rows.columns:
            raise ConfigError(
                f"data lacks the label {self._learner.label!r}. Give the whole training data: data=train."
            )
        _check_labels(fold, side, self._learner)
        self.table = Table.from_frame(rows, label=self._learner.label, group_by=config.group_by, task=fold.task)

    @property
    def positive_class(self) -> Any:
        if not self._fold.has_two_classes:
            return None
        return self._learner.label_cleaner.inverse_transform(pd.Series([POSITIVE])).iloc[0]

    def to_features(self, rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series[Any]]:
        """Return synthetic rows as encoded features and labels, in the dtypes of the fold."""
        X, y = self._fold.X, self._fold.y
        labels = pd.Series(
            np.asarray(self._learner.label_cleaner.transform(rows[self._learner.label])), index=rows.index
        )
        features = self._learner.feature_generator.transform(rows.drop(columns=self._learner.label))
        absent = [name for name in X.columns if name not in features.columns]
        if absent:
            raise ConfigError(
                f"the fold has features that cannot be made from original columns: {absent[:5]}. "
                "Stacking levels (stack=True) need space='model'."
            )
        labels.name = y.name
        return features[list(X.columns)].astype(X.dtypes), labels.astype(y.dtype)


def _load_learner(root: Path) -> Any:
    """Return AutoGluon's learner, which is saved before any model is fitted: label codes and the feature pipeline."""
    return load_pkl.load(str(root / "learner.pkl"), verbose=False)


def _check_labels(fold: FoldRows, side: pd.DataFrame, learner: Any) -> None:
    """Raise DataError if the side table holds the label, and other labels than the fold for the same index."""
    if learner.label not in side.columns:
        return
    known = known_rows(fold.X.index, side)
    cleaned = learner.label_cleaner.transform(side.loc[fold.X.index[known], learner.label])
    if not np.array_equal(np.asarray(cleaned), fold.y.to_numpy()[known]):
        raise DataError(
            "the labels of data do not match the rows of this fold, so the index was reset somewhere. "
            "Pass the same DataFrame to rebalanced(data=...) and to fit, with a unique index."
        )


def known_rows(index: pd.Index, side: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Return which fold rows the side table holds.

    AutoGluon repeats rows of classes with fewer than two rows under new index labels; those are not shown to the
    generator.  A fold whose index was numbered afresh (pseudo-labels, distillation) would be matched to wrong rows.

    Raises
    ------
    DataError
        If the index was numbered afresh, or knows no row.
    """
    fresh = isinstance(index, pd.RangeIndex) and index.start == 0 and index.step == 1 and len(index) != len(side)
    known = np.asarray(index.isin(side.index))
    if fresh or not known.any():
        raise DataError(
            f"the {len(index)} rows of this fold cannot be traced to the {len(side)} rows of data: their index was "
            "numbered afresh (AutoGluon does so for pseudo-labels and distillation), or data is another table. "
            "Use space='model' with group columns that are features."
        )
    return known


def _columns_of(special_types: Sequence[str], fold: FoldRows) -> list[str]:
    """Return the fold's columns that have one of AutoGluon's special types, each once."""
    named = [name for kind in special_types for name in fold.special_types.get(kind, [])]
    return [name for name in dict.fromkeys(named) if name in fold.X.columns]


def _is_flag(values: pd.Series[Any]) -> bool:
    return bool(pd.api.types.is_integer_dtype(values.dtype)) and values.nunique() <= 2
