"""RebalancedClassifier: any scikit-learn classifier, trained on rebalanced rows, with probabilities for real ones."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from sklearn import config_context, get_config
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from autosynth import GroupReport, RowGenerator, group_report
from autosynth.calibration import correct_prior
from autosynth.exceptions import ConfigError, DataError
from autosynth.plan import Strategy
from autosynth.rebalancing import CheckMode
from autosynth.table import GroupBy
from autosynth_sklearn.containers import as_frame
from autosynth_sklearn.grouped_rows import GroupedRows
from autosynth_sklearn.rows import named, read_groups, read_rows, read_seed, read_training_rows, read_weights
from autosynth_sklearn.target_prior import Prior, check_prior, target_cells
from autosynth_sklearn.training import TrainingRows, fit_arguments

Floats: TypeAlias = npt.NDArray[np.float64]


def _estimator_has(name: str) -> Any:
    def check(classifier: RebalancedClassifier) -> bool:
        return hasattr(getattr(classifier, "estimator_", classifier.estimator), name)

    return check


class RebalancedClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier that adds synthetic rows to the rows it is fitted on, and answers for rows as they come.

    Rows are added to what ``fit`` is given and nowhere else, so under ``cross_val_score`` or ``GridSearchCV`` no
    synthetic row validates and no validation row fathers one.  A model trained on rebalanced rows says too high
    probabilities of rare classes; these are brought back in closed form (see
    :func:`autosynth.calibration.correct_prior`).

    Parameters
    ----------
    estimator : classifier
        Anything with ``fit`` and ``predict_proba``; left as it is.  It gets the rows as ``fit`` got them, so a
        DataFrame with strings needs a pipeline that encodes them.
    generator, generator_options, strategy, augment, alpha, synthetic_weight
        As in :func:`autosynth.rebalance`.  Weights other than 1 need an estimator that takes ``sample_weight``.
    group_by : column, sequence of columns, or mapping, optional
        Columns of ``X``, by name or by number, that split the classes into groups.  Probabilities are corrected by
        class x group then, exactly so when ``estimator`` makes use of these columns.
    check : "off", "warn" or "raise"
        What a failed critical check of the synthetic rows does.
    prior : "train", "balanced", "as trained" or mapping
        The prior that probabilities are for: that of the rows given to ``fit``, under their weights; even classes (in
        every segment of the group columns those that it has); the rebalanced one, so no correction; or shares, by
        class ``{"no": 0.99, "yes": 0.01}`` or by group ``{("no", "F"): 500, ...}``, which need not sum to 1.  Shares
        by class leave the distribution of each class over the groups as it was in training.
    random_state : int, RandomState instance or None
        Decides the synthetic rows; the estimator has its own.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    estimator_ : classifier
        Fitted on real and synthetic rows.
    rebalance_ : RebalanceReport
        What was asked and done: plan, checks, refusals.  It holds no row.
    plan_ : SamplingPlan
        Rows per group.
    n_synthetic_ : int
        Rows that were added.
    trained_prior_, target_prior_ : ndarray of shape (n_segments, n_classes)
        Weight of every cell among the rows that the estimator learned from, and under ``prior``.
    n_features_in_, feature_names_in_
        As in scikit-learn.

    Notes
    -----
    ``predict`` gives the most probable class under ``prior``.  With "train" that is seldom a rare one, whatever the
    rebalancing; use "balanced", or move the threshold (:class:`sklearn.model_selection.TunedThresholdClassifierCV`).

    The correction assumes that synthetic rows are like the real ones of their group.  Where the estimator tells them
    apart, as boosted trees may with SMOTE's rows, it corrects too far: see ``reliability_report`` on held-out rows,
    and benchmarks/prior_correction.py.  The plain estimator often has the lower log loss: correcting repairs
    probabilities, and is no reason to rebalance.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from autosynth.toy import overlapping_classes
    >>> X = overlapping_classes(500, minority_share=0.1)
    >>> y = X.pop("target")
    >>> model = RebalancedClassifier(LogisticRegression(), random_state=0).fit(X, y)
    >>> model.n_synthetic_
    400
    >>> bool(abs(model.predict_proba(X)[:, 1].mean() - y.mean()) < 0.02)
    True
    """

    def __init__(
        self,
        estimator: Any,
        *,
        generator: str | RowGenerator = "smote",
        generator_options: Mapping[str, Any] | None = None,
        strategy: Strategy = "balance",
        augment: int = 0,
        alpha: float | None = None,
        synthetic_weight: float = 1.0,
        group_by: GroupBy = None,
        check: CheckMode = "off",
        prior: Prior = "train",
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.estimator = estimator
        self.generator = generator
        self.generator_options = generator_options
        self.strategy = strategy
        self.augment = augment
        self.alpha = alpha
        self.synthetic_weight = synthetic_weight
        self.group_by = group_by
        self.check = check
        self.prior = prior
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None) -> RebalancedClassifier:
        """Rebalance the rows and fit a copy of the estimator on them.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_features)
            Real rows.  Missing values pass in a DataFrame, and in an array when the estimator takes them.
        y : array-like of shape (n_rows,)
            Class labels.
        sample_weight : array-like of shape (n_rows,), optional
            Weights of the real rows; synthetic ones inherit the mean of their group.  They weigh, and change no count:
            how many rows are added follows from the numbers of real rows.
        groups : array-like of shape (n_rows,) or (n_rows, n_group_columns), optional
            Columns that split the classes into groups and are no features: the estimator never sees them, and
            probabilities are corrected by class alone.

        Raises
        ------
        ConfigError
            If an option is wrong, or the estimator cannot do what it asks for.
        DataError
            If the rows cannot be used.
        GenerationError
            If the generator could not deliver.
        """
        check_prior(self.prior)
        if self.prior != "as trained" and not hasattr(self.estimator, "predict_proba"):
            raise ConfigError(
                f"{type(self.estimator).__name__} has no predict_proba, so prior={self.prior!r} has nothing to "
                "correct. Use prior='as trained', or an estimator that has probabilities of its own."
            )
        rows, labels = read_training_rows(self, X, y)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise DataError(
                f"y holds one class only, {self.classes_.tolist()[0]!r}, in {len(codes)} rows. A classifier needs two."
            )
        weights = read_weights(sample_weight, len(codes))
        grouped = GroupedRows.by_class(
            as_frame(rows),
            codes.astype(np.int64),
            self.classes_.tolist(),
            group_by=self.group_by,
            groups=read_groups(groups, len(codes)),
        )
        options = self._options(read_seed(self.random_state))
        training = TrainingRows.make(rows, grouped, weights, options)
        arguments = fit_arguments(self.estimator, training)
        # the weights are ours, so it is not for metadata routing to say which step of a pipeline gets them
        is_routed = get_config()["enable_metadata_routing"] and not arguments
        with config_context(enable_metadata_routing=is_routed):
            self.estimator_ = clone(self.estimator).fit(training.X, self.classes_[training.codes], **arguments)
        self.rebalance_ = training.report
        self.plan_ = training.report.plan
        self.n_synthetic_ = len(training.codes) - len(codes)
        self._remember_prior(training, has_weights=bool(arguments))
        return self

    @available_if(_estimator_has("predict_proba"))  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> Floats:
        """Return class probabilities under ``prior``, shape (n_rows, n_classes)."""
        return self._probabilities(X)[0]

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Return the most probable class under ``prior``; with "as trained" what the estimator predicts."""
        check_is_fitted(self)
        if self.prior == "as trained":
            return np.asarray(self.estimator_.predict(read_rows(self, X)))
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])

    def reliability_report(
        self, X: Any, y: Any, *, n_bootstrap: int = 1000, random_state: int | None = 0
    ) -> GroupReport:
        """Return how reliable the probabilities are on given rows, with the estimator's own as the baseline.

        Parameters
        ----------
        X, y
            Real rows that ``fit`` did not see, and their labels.  Groups are those of ``group_by``.
        n_bootstrap, random_state
            As in :func:`autosynth.group_report`.

        Returns
        -------
        GroupReport
            ``difference.mean_risk`` is the change in log loss that the correction made, the last of ``segments`` has
            the calibration error over all rows, and ``reliability`` the curves.
        """
        corrected, plain = self._probabilities(X)
        groups = self._segments.columns(named(read_rows(self, X), self._columns))
        return group_report(
            np.asarray(y),
            corrected,
            baseline=plain,
            classes=self.classes_.tolist(),
            groups=None if groups is None else groups.reset_index(drop=True),
            n_bootstrap=n_bootstrap,
            random_state=random_state,
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        tags.input_tags.allow_nan = inner.input_tags.allow_nan
        tags.input_tags.positive_only = inner.input_tags.positive_only
        tags.classifier_tags.multi_class = inner.classifier_tags is None or inner.classifier_tags.multi_class
        return tags

    def _options(self, seed: int) -> dict[str, Any]:
        names = ("generator", "generator_options", "strategy", "augment", "alpha", "synthetic_weight", "check")
        return {**{name: getattr(self, name) for name in names}, "random_state": seed}

    def _remember_prior(self, training: TrainingRows, *, has_weights: bool) -> None:
        n_classes = len(self.classes_)
        self._columns: list[Hashable] = training.columns
        self._segments = training.segments
        self.trained_prior_ = training.trained_cells(n_classes, has_weights=has_weights)
        real = training.real_cells(n_classes, has_weights=has_weights)
        if self.prior == "as trained":
            self.target_prior_ = self.trained_prior_
        else:
            self.target_prior_ = target_cells(self.prior, real, self.classes_.tolist(), training.cells)

    def _probabilities(self, X: Any) -> tuple[Floats, Floats]:
        """Return probabilities under ``prior``, and as the estimator gives them."""
        check_is_fitted(self)
        rows = read_rows(self, X)
        plain = np.asarray(self.estimator_.predict_proba(rows), dtype="float64")
        if self.prior == "as trained":
            return plain, plain
        segments = self._segments.codes(named(rows, self._columns))
        corrected = correct_prior(plain, trained=self.trained_prior_, target=self.target_prior_, segments=segments)
        return corrected, plain
