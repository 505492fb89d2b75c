"""Learners: what is trained on real and synthetic rows, so that real rows can tell which rows help."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Protocol

from autosynth.exceptions import ConfigError, nearest
from autosynth.options import check_whole
from autosynth.plugins import current_plugins
from autosynth.tuning.learner_classifier import ClassifierLearner, reads_columns
from autosynth.tuning.learner_xgboost import XGBoostLearner, takes_categories

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from autosynth.schema import TableSchema

XGBOOST = "xgboost"
HOOK = "autosynth_make_learner"


class FittedLearner(Protocol):
    """A trained model that knows all classes of the table."""

    def predict_proba(self, X: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Return the probabilities of the classes, shape (n_rows, n_classes); rows add up to 1."""
        ...


class TableLearner(Protocol):
    """Trains models on tables with columns of any kind."""

    def fit(
        self, X: pd.DataFrame, y: npt.NDArray[np.int64], sample_weight: npt.NDArray[np.float64] | None = None
    ) -> FittedLearner:
        """Return a model; equal rows give equal models, and the learner stays as it is.

        Parameters
        ----------
        X : DataFrame of shape (n_rows, n_features)
            All columns but the label, missing values among them.
        y : ndarray of int, shape (n_rows,)
            Classes, 0 to n_classes - 1.  One that is absent gets probability 0.
        sample_weight : ndarray of float, shape (n_rows,), optional
            What each row counts, mean 1; without it, all the same.

        Raises
        ------
        DataError
            If ``y`` holds one class only, or ``X`` no column.
        ConfigError
            If weights differ and the learner takes none.
        """
        ...


def make_learner(learner: Any, schema: TableSchema, n_classes: int, random_state: int) -> TableLearner:
    """Return a learner by name, or one that trains copies of a classifier.

    Parameters
    ----------
    learner : str or classifier
        "xgboost" (its own defaults); a name that a plugin knows, such as "autogluon"; or an unfitted classifier of
        scikit-learn's kind with ``predict_proba``.  A pipeline gets the columns as they are, XGBoost's own class gets
        what "xgboost" gets, and any other gets numbers: indicators for categories, other columns scaled and with their
        gaps filled, texts as their length.
    schema : TableSchema
        Of the whole table, label and all.
    n_classes : int
        Classes of the whole table.
    random_state : int
        From 0 on.  Every ``random_state`` of the classifier that is None is set to it.

    Raises
    ------
    ConfigError
        If the name is unknown or the object is no classifier with probabilities.
    MissingExtraError
        If the learner is not installed.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.linear_model import LogisticRegression
    >>> from autosynth.schema import TableSchema
    >>> rows = pd.DataFrame({"age": [31, 42, 50, None], "ill": [False, False, True, True]})
    >>> schema = TableSchema.infer(rows, label="ill")
    >>> model = make_learner(LogisticRegression(), schema, 2, 0).fit(rows[["age"]], rows["ill"].to_numpy("int64"))
    >>> model.predict_proba(rows[["age"]]).shape
    (4, 2)
    """
    check_whole("random_state", random_state, minimum=0)
    if learner == XGBOOST:
        return XGBoostLearner.with_defaults(schema, n_classes, random_state)
    classifier = _by_name(learner, random_state) if isinstance(learner, str) else learner
    _check_classifier(classifier)
    classifier = _seeded(classifier, random_state)
    if takes_categories(classifier):
        return XGBoostLearner(classifier=classifier, schema=schema, n_classes=n_classes)
    return ClassifierLearner(
        classifier=classifier, schema=schema, n_classes=n_classes, reads_columns=reads_columns(classifier)
    )


def check_learner(learner: Any) -> None:
    """Raise ConfigError unless :func:`make_learner` knows what this is; needs no table."""
    if learner != XGBOOST:
        _check_classifier(_by_name(learner, 0) if isinstance(learner, str) else learner)


def _by_name(name: str, random_state: int) -> Any:
    """Return the classifier that a plugin makes for a name."""
    registry = current_plugins()
    made = registry.call(HOOK, name=name, random_state=random_state)
    if not made:
        plugins = registry.implementers(HOOK)
        others = f", a name that one of the plugins {', '.join(plugins)} knows" if plugins else ""
        raise ConfigError(
            f"learner={name!r} is unknown.{nearest(name, [XGBOOST, *plugins])} Use {XGBOOST!r}{others}, or an unfitted "
            "classifier of scikit-learn's kind."
        )
    return made[0]


def _check_classifier(classifier: Any) -> None:
    if inspect.isclass(classifier):
        raise ConfigError(f"learner={classifier.__name__} is a class. Give an object: {classifier.__name__}().")
    lacking = [name for name in ("fit", "predict_proba", "get_params") if not hasattr(classifier, name)]
    if lacking:
        raise ConfigError(
            f"learner={classifier!r} has no {' and no '.join(lacking)}. Use an unfitted classifier of scikit-learn's "
            "kind that gives probabilities; CalibratedClassifierCV gives them to one that does not."
        )


def _seeded(classifier: Any, random_state: int) -> Any:
    """Return an unfitted copy whose open seeds are set."""
    from sklearn.base import clone

    copy = clone(classifier)
    settings = copy.get_params(deep=True)
    seeds = {
        name: random_state
        for name, value in settings.items()
        if value is None and (name == "random_state" or name.endswith("__random_state"))
    }
    return copy.set_params(**seeds)
