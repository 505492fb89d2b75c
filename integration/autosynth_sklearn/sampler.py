"""SyntheticSampler: any generator of autosynth as an over-sampler of imbalanced-learn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from imblearn.over_sampling.base import BaseOverSampler
from sklearn.utils import check_consistent_length

from autosynth import RowGenerator
from autosynth.auto import is_auto
from autosynth.exceptions import ConfigError
from autosynth.rebalancing import CheckMode
from autosynth.table import GroupBy
from autosynth_sklearn.containers import as_frame, extended
from autosynth_sklearn.grouped_rows import GroupedRows
from autosynth_sklearn.resampled_rows import ResampledRows
from autosynth_sklearn.rows import Rows, read_features, read_groups, read_seed, read_weights
from autosynth_sklearn.sampling_strategy import SamplingStrategy, rows_to_add, totals, with_augmented
from autosynth_sklearn.target import ClassTarget, Target


class SyntheticSampler(BaseOverSampler):  # type: ignore[misc]
    """An over-sampler whose new rows come from any generator of autosynth.

    It keeps the conventions of imbalanced-learn, so it goes into ``imblearn.pipeline.Pipeline``, where rows are added
    to the training part of each fold and nowhere else.  What comes back has the form of what came: DataFrame with its
    dtypes, array, sparse matrix or list; strings and missing values pass.  Real rows come first, unchanged.

    Parameters
    ----------
    generator : str or RowGenerator
        A registered name (see :func:`autosynth.generators`), a configured generator object, or "auto", which races
        generators against training without synthetic rows and may add none.
    generator_options : mapping, optional
        For a registered name; as in :func:`autosynth.rebalance`.
    sampling_strategy : str, float, mapping or callable
        As in imbalanced-learn: "auto" and "not majority" (all but the largest class become as large as that one),
        "minority", "not minority", "all", a ratio to the largest of two classes, rows wanted in total by class, or a
        callable that gives these for ``y``.  With groups all of this is about groups; see the notes.
    augment : int
        N more rows for every class, or every group.
    alpha : float, optional
        Weight of the augmented part in ``sample_weight_``, 0 to 1; None gives N / (n_max + N).
    synthetic_weight : float
        What a synthetic row counts against a real one in ``sample_weight_``.
    group_by : column, sequence of columns, or mapping, optional
        Columns of ``X``, by name or by number, that split the classes into groups: class x group cells are balanced
        then.  ``{column: number of bins or inner edges}`` cuts numbers; see :func:`autosynth.rebalance`.
    check : "off", "warn" or "raise"
        What a failed critical check of the synthetic rows does.
    random_state : int, RandomState instance or None
        Decides the synthetic rows.

    Attributes
    ----------
    sampling_strategy_ : dict
        Rows to add, augmented ones among them, by class; by (class, group values ...) with groups.
    is_synthetic_ : ndarray of bool, shape (n_rows_new,)
        Which of the rows that ``fit_resample`` returned are synthetic: all after the real ones.
    parents_ : ndarray of int, shape (n_synthetic, n_parents)
        Positions in ``X`` of the real rows behind each synthetic one, -1 for none; no columns when the generator
        cannot tell.
    sample_weight_ : ndarray of shape (n_rows_new,)
        What rows count: a real row its own ``sample_weight``, by default 1; a synthetic one the mean of the real rows
        of its group, times ``synthetic_weight`` and the weight of its part.
    groups_ : DataFrame of shape (n_rows_new, n_group_columns) or None
        The group columns of all rows, ``group_by`` first and then ``groups``; indexed like the rows.
    plan_ : SamplingPlan
        Rows per group.
    report_ : RebalanceReport
        What was asked and done: plan, checks, refusals.  It holds no row.
    n_features_in_, feature_names_in_
        As in scikit-learn.

    Notes
    -----
    With groups, names such as "minority" mean groups where imbalanced-learn means classes, and a ratio is one of the
    largest group, for any number of groups.  A mapping gives rows in total by group, ``{("yes", "south"): 500}``, or
    by class, ``{"yes": 900}``, which fills the smallest groups of that class first.

    A sparse matrix is made dense on the way, since generators see columns.  With ``generator="auto"`` the race chooses
    how many rows are added, so ``sampling_strategy`` stays "auto".  Where class weights win, ``sample_weight_`` holds
    them; where a shift of the probabilities does, ``report_.tuning.best`` says which.  A pipeline applies neither.

    A model that is trained on balanced rows says too high probabilities of rare classes.
    :class:`~autosynth_sklearn.RebalancedClassifier` brings them back, and passes ``sample_weight_`` on, which
    imbalanced-learn's pipeline cannot.

    Examples
    --------
    >>> from autosynth.toy import shortcut_table
    >>> X = shortcut_table(500)
    >>> y = X.pop("ill")
    >>> sampler = SyntheticSampler("smote", random_state=0)
    >>> X_new, y_new = sampler.fit_resample(X, y)
    >>> y.value_counts().to_dict(), y_new.value_counts().to_dict()
    ({'no': 450, 'yes': 50}, {'no': 450, 'yes': 450})
    >>> X_new[~sampler.is_synthetic_].equals(X), sampler.parents_.shape
    (True, (400, 2))
    """

    def __init__(
        self,
        generator: str | RowGenerator = "smote",
        *,
        generator_options: Mapping[str, Any] | None = None,
        sampling_strategy: SamplingStrategy = "auto",
        augment: int = 0,
        alpha: float | None = None,
        synthetic_weight: float = 1.0,
        group_by: GroupBy = None,
        check: CheckMode = "off",
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.generator = generator
        self.generator_options = generator_options
        self.augment = augment
        self.alpha = alpha
        self.synthetic_weight = synthetic_weight
        self.group_by = group_by
        self.check = check
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> SyntheticSampler:
        """Check the rows and set ``sampling_strategy_``; no row is made.

        Use ``fit_resample``, which does it all: groups that are no columns of ``X``, and what a race chooses with
        ``generator="auto"``, are known there alone.
        """
        _, target, rows = self._read(X, y, None)
        added = {} if is_auto(self.generator) else rows_to_add(self.sampling_strategy, target.labels, rows)
        self.sampling_strategy_ = with_augmented(added, rows, self.augment)
        return self

    def fit_resample(self, X: Any, y: Any, *, sample_weight: Any = None, groups: Any = None) -> tuple[Any, Any]:
        """Return the real rows with synthetic ones below them, and their labels.

        Parameters
        ----------
        X : DataFrame, array-like or sparse matrix of shape (n_rows, n_features)
            Real rows.
        y : array-like of shape (n_rows,) or, one-hot, (n_rows, n_classes)
            Class labels.
        sample_weight : array-like of shape (n_rows,), optional
            Weights of the real rows.  They change no count and no row; ``sample_weight_`` goes on with them.
        groups : array-like of shape (n_rows,) or (n_rows, n_group_columns), optional
            Columns that split the classes into groups and are no features.  They come back in ``groups_``.

        Returns
        -------
        X_new, y_new
            In the form of ``X`` and ``y``.

        Raises
        ------
        ConfigError
            If an option is wrong.
        DataError, ValueError
            If the rows cannot be used.
        GenerationError
            If the generator could not deliver.
        """
        given, target, rows = self._read(X, y, groups)
        resampled = self._fit_resample(rows, target, read_weights(sample_weight, len(rows.table)))
        self.is_synthetic_ = np.arange(len(resampled.frame)) >= resampled.n_real
        self.parents_ = resampled.parents
        self.sample_weight_ = resampled.weights
        self.groups_ = resampled.frame[list(rows.group_by)].copy() if rows.group_by else None
        self.report_ = resampled.report
        self.plan_ = resampled.report.plan
        new = resampled.synthetic
        X_new, y_new = extended(given, new[rows.features]), target.extended(new[rows.targets])
        if isinstance(X_new, pd.DataFrame) and isinstance(y_new, pd.DataFrame | pd.Series):
            y_new.index = X_new.index
        if isinstance(X_new, pd.DataFrame) and self.groups_ is not None:
            self.groups_.index = X_new.index
        return X_new, y_new

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags

    def _read_target(self, y: Any) -> Target:
        return ClassTarget.read(y)

    def _read(self, X: Any, y: Any, groups: Any) -> tuple[Rows, Target, GroupedRows]:
        given = read_features(self, X)
        target = self._read_target(y)
        check_consistent_length(given, target.labels)
        features = as_frame(given)
        return given, target, target.grouped(features, self.group_by, read_groups(groups, len(features)))

    def _fit_resample(self, rows: GroupedRows, target: Target, weights: Any) -> ResampledRows:
        """Make the rows; imbalanced-learn asks for a method of this name."""
        names = ("generator", "generator_options", "augment", "alpha", "synthetic_weight", "check")
        options = {name: getattr(self, name) for name in names} | {"random_state": read_seed(self.random_state)}
        if is_auto(self.generator):
            return self._raced(rows, weights, options)
        added = rows_to_add(self.sampling_strategy, target.labels, rows)
        self.sampling_strategy_ = with_augmented(added, rows, self.augment)
        return ResampledRows.make(rows, weights, options | {"strategy": totals(added, rows)})

    def _raced(self, rows: GroupedRows, weights: Any, options: dict[str, Any]) -> ResampledRows:
        """Make the rows that a race asks for, if any."""
        if self.sampling_strategy != "auto" or not rows.has_classes:
            raise ConfigError(
                "generator='auto' lets a race choose how many rows of each class are added. Use "
                "sampling_strategy='auto' and class labels with it, or name a generator."
            )
        resampled = ResampledRows.make(rows, weights, options)
        sizes = [part.n_synthetic for part in resampled.report.plan.groups]
        self.sampling_strategy_ = {key: size for key, size in zip(rows.keys, sizes, strict=True) if size}
        return resampled
