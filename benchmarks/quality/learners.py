"""The two learners, each with an encoding fitted on real training rows only: the same features in every arm."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from xgboost import XGBClassifier

if TYPE_CHECKING:
    import numpy.typing as npt

    from autosynth.schema import ColumnSchema, TableSchema

LEARNERS = ("xgboost", "logistic")
TINIEST = 1e-6  # probabilities are clipped here, so that one sure mistake does not decide a mean


@dataclass(frozen=True)
class NativeEncoding:
    """Numbers as they are, categories as pandas categories with the levels of the real rows; missing stays missing."""

    schema: TableSchema
    levels: dict[Any, pd.Index]

    @classmethod
    def fit(cls, real: pd.DataFrame, schema: TableSchema) -> NativeEncoding:
        return cls(schema, _levels(real, schema))

    def transform(self, rows: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({column.name: self._column(rows[column.name], column) for column in self.schema.features})

    def _column(self, values: pd.Series[Any], column: ColumnSchema) -> Any:
        if column.is_number_like:
            return column.to_float(values)
        levels = self.levels[column.name]
        return pd.Categorical(values.astype(object), categories=levels) if len(levels) else np.zeros(len(values))


@dataclass(frozen=True)
class StandardEncoding:
    """Medians and missing indicators for numbers, one column per level of a category; all of it standardised."""

    schema: TableSchema
    levels: dict[Any, pd.Index]
    medians: dict[Any, float]
    mean: npt.NDArray[np.float64]
    scale: npt.NDArray[np.float64]

    @classmethod
    def fit(cls, real: pd.DataFrame, schema: TableSchema) -> StandardEncoding:
        medians: dict[Any, float] = {}
        for column in schema.features:
            if column.is_number_like:
                present = column.to_float(real[column.name].dropna())
                medians[column.name] = float(np.median(present)) if len(present) else 0.0
        bare = cls(schema, _levels(real, schema), medians, np.zeros(1), np.ones(1))
        features = bare.transform(real)
        scale = features.std(axis=0)
        return cls(schema, bare.levels, medians, features.mean(axis=0), np.where(scale > 0, scale, 1.0))

    def transform(self, rows: pd.DataFrame) -> npt.NDArray[np.float64]:
        blocks = [self._block(rows[column.name], column) for column in self.schema.features]
        return (np.concatenate(blocks, axis=1) - self.mean) / self.scale

    def _block(self, values: pd.Series[Any], column: ColumnSchema) -> npt.NDArray[np.float64]:
        missing = values.isna().to_numpy(dtype=bool)[:, None]
        if column.is_number_like:
            numbers = column.to_float(values)[:, None]
            filled = np.where(missing, self.medians[column.name], numbers)
            return np.concatenate([filled, missing], axis=1) if column.allows_missing else filled
        codes = self.levels[column.name].get_indexer(pd.Index(values.astype(object), dtype=object))[:, None]
        levels = codes == np.arange(len(self.levels[column.name]))
        return np.concatenate([levels, missing], axis=1).astype("float64")


@dataclass(frozen=True)
class FittedLearner:
    """A trained model with its encoding."""

    encoding: NativeEncoding | StandardEncoding
    model: Any

    def proba(self, rows: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Return the probability of the positive label, clipped, shape (n_rows,)."""
        positive = self.model.predict_proba(self.encoding.transform(rows))[:, 1]
        return np.clip(positive.astype("float64"), TINIEST, 1 - TINIEST)


def fit_learner(
    name: str,
    real: pd.DataFrame,
    schema: TableSchema,
    rows: pd.DataFrame,
    y: npt.NDArray[np.int64],
    weights: npt.NDArray[np.float64],
) -> FittedLearner:
    """Return a model trained on ``rows`` (real and synthetic), its encoding fitted on ``real``."""
    if name == "xgboost":
        encoding: NativeEncoding | StandardEncoding = NativeEncoding.fit(real, schema)
        model: Any = XGBClassifier(n_jobs=1, random_state=0, enable_categorical=True)
    else:
        encoding, model = StandardEncoding.fit(real, schema), LogisticRegression(max_iter=2000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(encoding.transform(rows), y, sample_weight=weights)
    return FittedLearner(encoding, model)


def _levels(real: pd.DataFrame, schema: TableSchema) -> dict[Any, pd.Index]:
    return {
        column.name: pd.Index(sorted(real[column.name].dropna().unique(), key=str), dtype=object)
        for column in schema.features
        if not column.is_number_like
    }
