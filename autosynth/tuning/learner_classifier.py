"""Any classifier of scikit-learn's kind as a learner of tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from autosynth.exceptions import ConfigError
from autosynth.tuning.encoding import FeatureEncoding
from autosynth.tuning.learner_probabilities import FittedClassifier, present_classes

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from autosynth.schema import TableSchema

    Floats = npt.NDArray[np.float64]

MAX_LEVELS = 50  # indicator columns per category; rarer levels share one


@dataclass(frozen=True, kw_only=True)
class ClassifierLearner:
    """A classifier object of the user's, cloned for every fit.

    Attributes
    ----------
    classifier : object
        Unfitted, with ``get_params``, ``fit`` and ``predict_proba``.
    schema : TableSchema
        Of the whole table.
    n_classes : int
        Classes of the whole table.
    reads_columns : bool
        Whether it gets the columns as they are, or numbers without gaps made of them.
    """

    classifier: Any
    schema: TableSchema
    n_classes: int
    reads_columns: bool

    def fit(self, X: pd.DataFrame, y: npt.NDArray[np.int64], sample_weight: Floats | None = None) -> FittedClassifier:
        """Train on rows without the label; see :class:`autosynth.tuning.learners.TableLearner`.

        Raises
        ------
        ConfigError
            If rows count differently and the classifier takes no weights.
        """
        from sklearn.base import clone

        present, positions = present_classes(y)
        read = _as_they_are if self.reads_columns else FilledNumbers.learn(X, self.schema).read
        model = clone(self.classifier)
        model.fit(read(X), positions, **self._weights(sample_weight))
        return FittedClassifier(model, read, present, self.n_classes, self.name)

    @property
    def name(self) -> str:
        """The class of the classifier, or of a pipeline's last step."""
        return type(_last_step(self.classifier)).__name__

    def _weights(self, sample_weight: Floats | None) -> dict[str, Floats]:
        if sample_weight is None or np.allclose(sample_weight, 1):
            return {}
        argument = weight_argument(self.classifier)
        if argument is None:
            raise ConfigError(
                f"{self.name} takes no sample_weight, and these rows count differently (from {sample_weight.min():g} "
                f"to {sample_weight.max():g}). Use a learner whose fit takes sample_weight, or only candidates whose "
                "rows all count the same: synthetic_weights=(1.0,) and alphas=(None,) without augmentation."
            )
        return {argument: sample_weight}


@dataclass(frozen=True)
class FilledNumbers:
    """Columns as numbers without gaps, on one scale: what most of scikit-learn's classifiers need.

    Numbers have their gaps filled with the median, an indicator where there were gaps, mean 0 and variance 1; every
    level of a category has an indicator.
    """

    encoding: FeatureEncoding
    filling: Any

    @classmethod
    def learn(cls, X: pd.DataFrame, schema: TableSchema) -> FilledNumbers:
        """Learn levels, medians and scales from training rows."""
        from sklearn.compose import ColumnTransformer
        from sklearn.impute import SimpleImputer
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import OneHotEncoder, StandardScaler

        encoding = FeatureEncoding.learn(X, schema)
        # A column that is missing in all training rows is kept, as zeros; dropping it would end in a warning.
        medians = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
        indicators = OneHotEncoder(
            handle_unknown="infrequent_if_exist", max_categories=MAX_LEVELS, sparse_output=False, dtype=np.float64
        )
        filling = ColumnTransformer(
            [
                ("numbers", make_pipeline(medians, StandardScaler()), np.flatnonzero(~encoding.holds_levels)),
                ("levels", indicators, np.flatnonzero(encoding.holds_levels)),
            ]
        )
        return cls(encoding, filling.fit(encoding.encode(X)))

    def read(self, X: pd.DataFrame) -> Floats:
        """Return the numbers of rows, shape (n_rows, n_numbers)."""
        return np.asarray(self.filling.transform(self.encoding.encode(X)), dtype=np.float64)


def weight_argument(classifier: Any) -> str | None:
    """Return the argument of ``fit`` that carries row weights, or None if there is none.

    In a pipeline it is that of the last step, in a search over settings that of the model searched.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> weight_argument(make_pipeline(LogisticRegression()))
    'logisticregression__sample_weight'
    """
    from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
    from sklearn.pipeline import Pipeline
    from sklearn.utils.validation import has_fit_parameter

    if isinstance(classifier, Pipeline):
        name, step = classifier.steps[-1]
        inner = weight_argument(step)
        return None if inner is None else f"{name}__{inner}"
    if isinstance(classifier, GridSearchCV | RandomizedSearchCV):
        return weight_argument(classifier.estimator)
    return "sample_weight" if has_fit_parameter(classifier, "sample_weight") else None


def reads_columns(classifier: Any) -> bool:
    """Return whether a classifier takes columns of any kind: it is or holds a pipeline, or says ``takes_columns``."""
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import Pipeline

    parts = [classifier, *classifier.get_params(deep=True).values()]
    return any(isinstance(part, Pipeline | ColumnTransformer) or _takes_columns(part) for part in parts)


def _takes_columns(part: Any) -> bool:
    return getattr(type(part), "takes_columns", False) is True


def _last_step(classifier: Any) -> Any:
    from sklearn.pipeline import Pipeline

    return _last_step(classifier.steps[-1][1]) if isinstance(classifier, Pipeline) else classifier


def _as_they_are(X: pd.DataFrame) -> pd.DataFrame:
    return X
