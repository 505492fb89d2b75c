"""The arms of a comparison: AutoGluon fitted plain, with balanced weights, and with in-fold synthetic rows."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from autogluon.tabular import TabularPredictor

from autosynth.exceptions import GenerationError
from autosynth_autogluon.fit_facts import FitFacts, first_failure
from autosynth_autogluon.fold_record import FoldRecord, fold_records

if TYPE_CHECKING:
    from collections.abc import Hashable


@dataclass(frozen=True, kw_only=True)
class ArmPlan:
    """How one predictor is trained."""

    name: str
    hyperparameters: Any
    uses_synthetic: bool = False
    predictor_options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class FittedArm:
    """What one fitted predictor says of validation and test rows.

    Attributes
    ----------
    name : str
        As in its plan.
    uses_synthetic : bool
        As in its plan.
    validation : DataFrame
        Out-of-fold probabilities, one column per class, by the index of the training rows: AutoGluon may drop rows,
        repeat some, or leave some without a prediction.
    test : DataFrame
        Probabilities of the test rows, in their order.
    seconds : float
        Wall time of the fit.
    facts : FitFacts
        What happened inside.
    folds : tuple of FoldRecord
        What every fold of every model did, for an arm with synthetic rows.
    """

    name: str
    uses_synthetic: bool
    validation: pd.DataFrame
    test: pd.DataFrame
    seconds: float
    facts: FitFacts
    folds: tuple[FoldRecord, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ArmSettings:
    """What all arms share."""

    label: Hashable
    classes: Sequence[Any]
    eval_metric: Any
    folder: Path | None
    verbosity: int
    fit_options: Mapping[str, Any]

    def fit(self, plan: ArmPlan, fit_rows: pd.DataFrame, test_rows: pd.DataFrame) -> FittedArm:
        """Fit one predictor and ask it for all its probabilities.

        Raises
        ------
        GenerationError
            If AutoGluon trained no model.
        """
        predictor = TabularPredictor(
            label=self.label,
            # said and not inferred: AutoGluon reads an integer label with many values as a quantity
            problem_type="binary" if len(self.classes) == 2 else "multiclass",
            eval_metric=self.eval_metric,
            path=None if self.folder is None else str(self.folder / plan.name.replace(" ", "-")),
            verbosity=self.verbosity,
            # by default AutoGluon drops classes of fewer than 10 rows; too small ones were refused before
            learner_kwargs={"label_count_threshold": 2},
            **plan.predictor_options,
        )
        started = time.perf_counter()
        try:
            predictor.fit(fit_rows, hyperparameters=plan.hyperparameters, **self.fit_options)
        except (RuntimeError, AssertionError) as error:  # AutoGluon's, when every model failed or no time was left
            raise GenerationError(self._no_model(plan, predictor, error)) from error
        seconds = time.perf_counter() - started
        return FittedArm(
            name=plan.name,
            uses_synthetic=plan.uses_synthetic,
            validation=predictor.predict_proba_oof().reindex(columns=self.classes, fill_value=0.0),
            test=predictor.predict_proba(test_rows).reindex(columns=self.classes, fill_value=0.0),
            seconds=seconds,
            facts=FitFacts.of(predictor, plan.name, uses_synthetic=plan.uses_synthetic),
            folds=fold_records(predictor) if plan.uses_synthetic else (),
        )

    def _no_model(self, plan: ArmPlan, predictor: TabularPredictor, error: Exception) -> str:
        time_limit = self.fit_options.get("time_limit")
        limit = "no time limit" if time_limit is None else f"a time limit of {time_limit:g} s"
        failure = first_failure(predictor)
        if failure:
            return (
                f"AutoGluon trained no model for the arm {plan.name!r} with {limit}. The first that failed was "
                f"{failure}. Repair that, or give other models (hyperparameters)."
            )
        return (
            f"AutoGluon trained no model for the arm {plan.name!r} with {limit}: {error} Give a longer time limit, or "
            "faster models (hyperparameters)."
        )
