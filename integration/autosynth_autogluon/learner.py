"""AutoGluonClassifier: AutoGluon behind the interface of a scikit-learn classifier, kept in memory."""

from __future__ import annotations

import logging
import os
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any

import numpy as np
from autogluon.tabular import TabularPredictor
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from autosynth.exceptions import DataError, GenerationError
from autosynth.isolation import isolated
from autosynth.options import check_number, check_whole
from autosynth.seeding import as_generator
from autosynth_autogluon.fit_facts import first_failure
from autosynth_autogluon.learner_rows import as_frame, plain_rows
from autosynth_autogluon.quiet import without_telemetry

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd
    from typing_extensions import Self

LABEL, WEIGHT = "label", "weight"
MAX_FAILURE = 400  # characters of what AutoGluon says of a failure


class AutoGluonClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """AutoGluon as a learner for ``autosynth.tune``, or wherever scikit-learn takes a classifier.

    Models are written to a temporary folder while they are fitted; the best one is then kept in memory and the folder
    is gone.  Nothing is printed, and all folds are fitted in this process.  Results are the same for the same rows and
    seed as long as the time limit stops nothing.

    AutoGluon chooses its models on a part of the rows that it is given, synthetic ones among them.  That misleads its
    choice, and not the score of ``tune``, which comes from other rows; ``rebalanced`` keeps AutoGluon's own validation
    rows real.

    Parameters
    ----------
    presets : str, list or None
        As in ``TabularPredictor.fit``.
    time_limit : float or None
        Seconds for one fit; None sets no limit.
    hyperparameters : str, dict or None
        The models, as in ``TabularPredictor.fit``.
    eval_metric : str or Scorer
        What AutoGluon chooses models by.
    random_state : int
        Decides which rows AutoGluon holds out.  Its models have seeds of their own, which are fixed.
    num_cpus : int or None
        Cores; None takes OMP_NUM_THREADS, or all of them where that is not set.
    fit_options : mapping, optional
        Further arguments of ``TabularPredictor.fit``, such as ``{"num_gpus": 1}``.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    n_features_in_ : int
        Columns seen in ``fit``.
    feature_names_in_ : ndarray of str
        Their names, where all of them are strings.
    predictor_ : TabularPredictor
        What was fitted, without its folder.

    Examples
    --------
    ::

        autosynth.tune(train, label="income", learner=AutoGluonClassifier(time_limit=20))
    """

    takes_columns = True  # dates, texts, categories and missing values as they are

    def __init__(
        self,
        presets: Any = "medium_quality",
        *,
        time_limit: float | None = 60,
        hyperparameters: Any = None,
        eval_metric: Any = "log_loss",
        random_state: int = 0,
        num_cpus: int | None = None,
        fit_options: Mapping[str, Any] | None = None,
    ) -> None:
        self.presets = presets
        self.time_limit = time_limit
        self.hyperparameters = hyperparameters
        self.eval_metric = eval_metric
        self.random_state = random_state
        self.num_cpus = num_cpus
        self.fit_options = fit_options

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train on a table of any columns.

        Parameters
        ----------
        X : DataFrame or array of shape (n_rows, n_features)
            Features, missing values among them.
        y : array of shape (n_rows,)
            Classes; none is missing.
        sample_weight : array of shape (n_rows,), optional
            What each row counts in training.  AutoGluon's own choice of models counts rows alike, and families that
            know no weights ignore them.

        Raises
        ------
        ConfigError
            If an option is out of range.
        DataError
            If lengths differ, or ``y`` holds one class only.
        GenerationError
            If AutoGluon trained no model.
        """
        self._check_options()
        rows = as_frame(X)
        self.classes_, codes = _classes(y, len(rows))
        self.n_features_in_ = rows.shape[1]
        self.columns_ = list(rows.columns)
        if all(isinstance(name, str) for name in self.columns_):
            self.feature_names_in_ = np.array(self.columns_, dtype=object)
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_
        train = plain_rows(rows).assign(**{LABEL: codes})
        weights = None if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        is_weighted = weights is not None and not np.allclose(weights, 1)
        if is_weighted:
            train[WEIGHT] = weights
        with _unheard(), isolated(as_generator(self.random_state), torch=_torch(), n_threads=self._n_cpus() or 1):
            self.predictor_ = self._trained(train, is_weighted)
        return self

    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:
        """Return the probabilities of ``classes_``, shape (n_rows, n_classes).

        Raises
        ------
        DataError
            If the columns are not those of ``fit``.
        """
        check_is_fitted(self, "predictor_")
        rows = as_frame(X)
        if list(rows.columns) != self.columns_:
            raise DataError(
                f"the rows have the columns {list(rows.columns)}; this classifier was fitted on {self.columns_}. "
                "Give the same columns in the same order."
            )
        with _unheard():
            answer = self.predictor_.predict_proba(plain_rows(rows))
        wanted = answer.reindex(columns=range(len(self.classes_)), fill_value=0.0)
        return np.asarray(wanted, dtype=np.float64)

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Return the most probable class of every row, shape (n_rows,)."""
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])

    def _trained(self, train: pd.DataFrame, is_weighted: bool) -> Any:
        without_telemetry()
        weighting = {"sample_weight": WEIGHT, "weight_evaluation": False} if is_weighted else {}
        with tempfile.TemporaryDirectory(prefix="autosynth-autogluon-", ignore_cleanup_errors=True) as folder:
            predictor = TabularPredictor(
                label=LABEL,
                # said and not inferred: AutoGluon reads an integer label with many values as a quantity
                problem_type="binary" if len(self.classes_) == 2 else "multiclass",
                eval_metric=self.eval_metric,
                path=str(Path(folder) / "predictor"),
                verbosity=0,
                # by default AutoGluon drops classes of fewer than 10 rows
                learner_kwargs={"label_count_threshold": 1, "random_state": self.random_state},
                **weighting,
            )
            try:
                predictor.fit(train, **self._arguments())
            except (RuntimeError, AssertionError) as error:  # AutoGluon's, when every model failed or no time was left
                raise GenerationError(self._no_model(predictor, error)) from error
            predictor.persist("best", max_memory=None)
        return predictor

    def _arguments(self) -> dict[str, Any]:
        given = {
            "presets": self.presets,
            "time_limit": self.time_limit,
            "hyperparameters": self.hyperparameters,
            "num_cpus": self._n_cpus() or "auto",
            "num_gpus": 0,
            "dynamic_stacking": False,
            # bagged folds, which some presets ask for, would otherwise start Ray
            "ag_args_ensemble": {"fold_fitting_strategy": "sequential_local"},
        }
        return {**given, **(self.fit_options or {})}

    def _n_cpus(self) -> int | None:
        threads = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
        allowed = int(threads) if threads.isdecimal() else 0
        return self.num_cpus or min(allowed, os.cpu_count() or 1) or None

    def _check_options(self) -> None:
        if self.time_limit is not None:
            check_number("time_limit", self.time_limit, above=0)
        if self.num_cpus is not None:
            check_whole("num_cpus", self.num_cpus)
        check_whole("random_state", self.random_state, minimum=0)

    def _no_model(self, predictor: Any, error: Exception) -> str:
        failure = first_failure(predictor)
        seen = shorten(f"The first that failed was {failure}." if failure else str(error), MAX_FAILURE)
        limit = "no time limit" if self.time_limit is None else f"time_limit={self.time_limit:g} s"
        return f"AutoGluon trained no model with {limit}. {seen} Give a longer time_limit, or other hyperparameters."


def _classes(y: Any, n_rows: int) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64]]:
    """Return the classes, sorted, and the position of every label among them."""
    labels = np.asarray(y)
    if labels.shape != (n_rows,):
        raise DataError(f"y has shape {labels.shape}, and X has {n_rows} rows. Give one class per row.")
    classes, codes = np.unique(labels, return_inverse=True)
    if len(classes) < 2:
        raise DataError(f"y holds the classes {classes.tolist()} only. A classifier needs two or more.")
    return classes, codes.astype(np.int64)


def _torch() -> Any:
    """Return torch where it is installed: AutoGluon loads it in any case, and some models draw from its streams."""
    return import_module("torch") if find_spec("torch") else None


@contextmanager
def _unheard() -> Iterator[None]:
    """Keep AutoGluon's warnings and log to ourselves: what matters is raised."""
    logger = logging.getLogger("autogluon")
    level, handlers = logger.level, logger.handlers[:]
    logger.handlers[:] = [logging.NullHandler()]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.handlers[:] = handlers
        logger.setLevel(level)
