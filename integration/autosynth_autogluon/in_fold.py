"""The mixin in front of every rebalanced model: adds synthetic rows to the training rows that `_fit` is given.

AutoGluon calls ``_fit`` after every split, for holdout, bag folds, Ray workers, search trials and refits alike, and
scores with the rows it did not pass.  So rows added here never validate, and no validation row fathers one.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from autogluon.common.space import Space
from autogluon.core.constants import BALANCE_WEIGHT, BINARY, MULTICLASS, QUANTILE, REGRESSION
from autogluon.core.utils.exceptions import TimeLimitExceeded

from autosynth.exceptions import ConfigError
from autosynth.rebalancing import new_labels
from autosynth_autogluon.config import CONFIG_KEY, PARAMETER_PREFIX, InFoldConfig
from autosynth_autogluon.families import HONOUR_WEIGHTS, KEY_SUFFIX, STACK_TYPE
from autosynth_autogluon.fold_addition import Amounts, FoldAddition
from autosynth_autogluon.fold_prior import Counted, FoldPrior, find_segments
from autosynth_autogluon.fold_synthesis import FoldSynthesis
from autosynth_autogluon.fold_view import FoldRows

if TYPE_CHECKING:
    import numpy.typing as npt

logger = logging.getLogger(f"autogluon.{__name__}")  # shown at the verbosity that fit was given


class InFoldRebalancing:
    """Overrides what must know of added rows, and nothing else; the model family's own class follows in the MRO."""

    _metadata: Any = None
    _drawn: Mapping[str, float] = MappingProxyType({})
    _priors: FoldPrior | None = None
    added: dict[str, Any] | None = None

    def initialize(self, **kwargs: Any) -> dict[str, Any]:
        # feature_metadata is taken out before _fit, and only it tells features from weight columns and special types
        metadata = kwargs.get("feature_metadata")
        self._metadata = self._metadata if metadata is None else metadata
        return super().initialize(**kwargs)  # type: ignore[misc,no-any-return]

    def _init_params(self) -> None:
        super()._init_params()  # type: ignore[misc]
        # Some learners are handed all of self.params, so the amounts that a search drew are kept apart from them.
        params = self.params  # type: ignore[has-type]
        own = {key: value for key, value in params.items() if key.startswith(PARAMETER_PREFIX)}
        self._drawn = {key: float(value) for key, value in own.items() if not isinstance(value, Space)}
        self.params = type(params)({key: value for key, value in params.items() if key not in self._drawn})

    def _more_tags(self) -> dict[str, Any]:
        # out-of-bag (RF, XT) and leave-one-out (KNN) predictions would score rows by rows made from them
        return {**super()._more_tags(), "valid_oof": False}  # type: ignore[misc]

    @classmethod
    def _get_default_ag_args_ensemble(cls, **kwargs: Any) -> dict[str, Any]:
        return {**super()._get_default_ag_args_ensemble(**kwargs), "use_child_oof": False}  # type: ignore[misc]

    @classmethod
    def _get_model_params_static(cls, hyperparameters: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        own = {key: value for key, value in hyperparameters.items() if not key.startswith(PARAMETER_PREFIX)}
        return super()._get_model_params_static(own, **kwargs)  # type: ignore[misc,no-any-return]

    def estimate_memory_usage(self, X: pd.DataFrame, **kwargs: Any) -> int:
        real_only = super().estimate_memory_usage(X=X, **kwargs)  # type: ignore[misc]
        return int(real_only * self._growth(kwargs.get("y")))

    def _fit(self, X: pd.DataFrame, y: pd.Series[Any], **kwargs: Any) -> Any:
        started = time.perf_counter()
        self._refuse_undrawn_spaces()
        reason = self._reason_to_stay_plain()
        if reason:
            self.added = {"n_real": len(X), "n_synthetic": 0, "left_plain": reason}
            logger.log(15, "\tTrained on real rows alone: %s", reason)
        else:
            X, y, kwargs = self._with_synthetic_rows(X, y, kwargs)
            kwargs = _less_time(kwargs, time.perf_counter() - started)
        self._metadata = None
        return super()._fit(X=X, y=y, **kwargs)  # type: ignore[misc]

    def _predict_proba(self, X: Any, **kwargs: Any) -> npt.NDArray[Any]:
        proba: npt.NDArray[Any] = super()._predict_proba(X, **kwargs)  # type: ignore[misc]
        if self._priors is None:
            return proba
        return self._priors.correct(proba, X, self.features)  # type: ignore[attr-defined]

    def get_info(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_info(**kwargs), "autosynth": self.added or {}}  # type: ignore[misc]

    @property
    def _config(self) -> InFoldConfig | None:
        return self.params_aux.get(CONFIG_KEY)  # type: ignore[attr-defined,no-any-return]

    def _growth(self, y: pd.Series[Any] | None) -> float:
        """How many times the real rows the training data will be; class counts alone are known this early."""
        config = self._config
        if config is None or y is None or not len(y) or self.problem_type not in (BINARY, MULTICLASS):  # type: ignore[attr-defined]
            return 1.0 if config is None else 2.0
        sizes = y.value_counts()
        target = self._amount("ratio", config.ratio) * sizes.max()
        n_groups = len(sizes) * (2 if config.group_columns else 1)
        return float(sizes.clip(lower=target).sum() + config.augment * n_groups) / len(y)

    def _reason_to_stay_plain(self) -> str:
        config = self._config
        if config is None:
            return "no configuration"
        problem = self.problem_type  # type: ignore[attr-defined]
        if problem not in (BINARY, MULTICLASS, REGRESSION, QUANTILE):
            return f"problem type {problem!r} has no groups"
        if problem in (REGRESSION, QUANTILE) and config.auto is not None:
            return "generator='auto' races for classes only; name a generator for a quantity"
        if problem in (REGRESSION, QUANTILE) and not config.group_columns:
            return "a quantity has no classes to balance; name group_by columns"
        if self._special_types().get(STACK_TYPE) and not config.stack:
            return "stacking levels stay plain unless stack=True"
        return ""

    def _refuse_undrawn_spaces(self) -> None:
        undrawn = [key.removeprefix(PARAMETER_PREFIX) for key in self.params if key.startswith(PARAMETER_PREFIX)]
        if undrawn:
            raise ConfigError(
                f"{', '.join(undrawn)} of rebalanced() is a search space, and no search draws from it. Give fit "
                "hyperparameter_tune_kwargs, or give a number."
            )

    def _special_types(self) -> dict[str, list[str]]:
        if self._metadata is None:
            return {}
        return {kind: list(names) for kind, names in self._metadata.type_group_map_special.items()}

    def _class_names(self) -> dict[Any, Any]:
        cleaner = getattr(self, "label_cleaner", None)
        return dict(getattr(cleaner, "cat_mappings_dependent_var", None) or {})

    def _amount(self, name: str, default: float) -> float:
        return self._drawn.get(f"{PARAMETER_PREFIX}{name}", default)

    @property
    def _honours_weights(self) -> bool:
        key = self.ag_key or ""  # type: ignore[attr-defined]
        return key.removesuffix(KEY_SUFFIX) in HONOUR_WEIGHTS

    def _with_synthetic_rows(
        self, X: pd.DataFrame, y: pd.Series[Any], kwargs: dict[str, Any]
    ) -> tuple[pd.DataFrame, pd.Series[Any], dict[str, Any]]:
        addition = self.make_rows(X, y, kwargs.get("time_limit"))
        self.added = dict(addition.facts)
        if not len(addition.X):
            return X, y, self._with_group_weights(X, y, kwargs, addition)
        given = None if BALANCE_WEIGHT in X.columns else kwargs.get("sample_weight")
        kwargs = self._with_weights(X, kwargs, addition)
        labels = new_labels(X.index, len(addition.X))
        weight_columns = X.columns.difference(addition.X.columns)  # bundled into X by AutoGluon, dropped by the model
        extra = addition.X.reindex(columns=X.columns)
        extra[weight_columns] = 1.0
        X_all = pd.concat([X, extra.set_axis(labels, axis=0)]).astype(X.dtypes)  # concat widens int8 and categories
        y_all = pd.concat([y, addition.y.set_axis(labels)]).astype(y.dtype)
        self._remember_priors(
            Counted(X_all, y_all, self._honoured(kwargs.get("sample_weight"))),
            Counted(X, y, self._honoured(given)),
            addition,
        )
        return X_all, y_all, kwargs

    def _with_group_weights(
        self, X: pd.DataFrame, y: pd.Series[Any], kwargs: dict[str, Any], addition: FoldAddition
    ) -> dict[str, Any]:
        """Give the learner class weights, where a race answers these instead of rows and the family takes them."""
        if addition.group_weights is None:
            return kwargs
        if not self._honours_weights:
            reason = "a race on the fold's own rows says class weights, which this family does not take"
            self.added = {**addition.facts, "left_plain": reason}
            return kwargs
        self.added = {**addition.facts, "class_weights": True}
        given = None if BALANCE_WEIGHT in X.columns else kwargs.get("sample_weight")
        kwargs = self._with_weights(X, kwargs, addition)
        weights = self._honoured(kwargs.get("sample_weight"))
        self._remember_priors(Counted(X, y, weights), Counted(X, y, self._honoured(given)), addition)
        return kwargs

    def make_rows(self, X: pd.DataFrame, y: pd.Series[Any], time_limit: float | None) -> FoldAddition:
        """Return the rows to add to this fold, from the cache when another model made them."""
        config = self._config
        assert config is not None  # noqa: S101 - _reason_to_stay_plain has looked
        features = [name for name in X.columns if self._metadata is None or name in self._metadata.get_features()]
        fold = FoldRows(
            X=X[features],
            y=y,
            is_classification=self.problem_type in (BINARY, MULTICLASS),  # type: ignore[attr-defined]
            special_types=self._special_types(),
            class_names=self._class_names(),
            eval_metric=self.eval_metric.name,  # type: ignore[attr-defined]
        )
        amounts = Amounts(
            ratio=self._amount("ratio", config.ratio),
            synthetic_weight=self._amount("synthetic_weight", config.synthetic_weight),
            weights_as_counts=not self._honours_weights,
            max_rows=self.params_aux.get("max_rows"),  # type: ignore[attr-defined]
        )
        budget = None if time_limit is None else config.max_time_share * time_limit
        return FoldSynthesis(fold, config, self.path).add(amounts, budget)  # type: ignore[attr-defined]

    def _with_weights(self, X: pd.DataFrame, kwargs: dict[str, Any], addition: FoldAddition) -> dict[str, Any]:
        """Give the learner the plan's weights, times the user's own; synthetic rows inherit the mean of their group."""
        given = kwargs.get("sample_weight")
        if given is not None and BALANCE_WEIGHT in X.columns:
            given = None  # balance_weight has done what the rows do now: one of the two is enough
            kwargs = {key: value for key, value in kwargs.items() if key != "sample_weight"}
            self.added = {**(self.added or {}), "weights_reset": "balance_weight would balance a second time"}
        real, oversampled, augmented = addition.plan.part_weights()
        if not self._honours_weights:
            real = oversampled = augmented = 1.0  # rows stand for weights there
        of_groups = addition.group_weights
        if given is None and of_groups is None and np.allclose([real, oversampled, augmented or real], 1.0):
            return kwargs
        user = np.ones(len(X)) if given is None else np.asarray(given, dtype="float64")
        user = user if of_groups is None else user * of_groups
        group_means = pd.Series(user).groupby(addition.real_codes).mean()
        inherited = group_means.reindex(addition.group_codes).fillna(user.mean()).to_numpy()
        parts = np.where(addition.is_augmented, augmented, oversampled)
        weights = np.concatenate([user * real, inherited * parts])
        X_val = kwargs.get("X_val")
        if X_val is not None and kwargs.get("sample_weight_val") is None:
            kwargs = {**kwargs, "sample_weight_val": np.ones(len(X_val))}  # EBM joins both, whatever they are
        return {**kwargs, "sample_weight": weights / weights.mean()}

    def _honoured(self, weights: Any) -> npt.NDArray[np.float64] | None:
        return None if weights is None or not self._honours_weights else np.asarray(weights, dtype="float64")

    def _remember_priors(self, trained: Counted, real: Counted, addition: FoldAddition) -> None:
        """Keep the prior that the model learned, and that of real rows under the user's own weights."""
        config = self._config
        if config is None or not config.correct_prior or self.problem_type not in (BINARY, MULTICLASS):  # type: ignore[attr-defined]
            return
        features = [name for name in real.X.columns if name in self.features]  # type: ignore[attr-defined]
        found = find_segments(config.correct_prior, real.X, features, addition.table, addition.seen)
        self._priors = FoldPrior.learn(trained, real, self.num_classes, found)  # type: ignore[attr-defined]
        self.added = {**(self.added or {}), **self._priors.facts}
        if self._priors.reason:
            logger.log(15, "\tThe prior is corrected by class: %s", self._priors.reason)


def _less_time(kwargs: dict[str, Any], seconds: float) -> dict[str, Any]:
    """Count the generator's time against the model's own limit."""
    if kwargs.get("time_limit") is None:
        return kwargs
    left = kwargs["time_limit"] - seconds
    if left <= 0:
        raise TimeLimitExceeded
    return {**kwargs, "time_limit": left}
