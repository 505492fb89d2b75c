"""The arms trained by AutoGluon: medium preset, three bagging folds for out-of-fold rows, a time limit per fit."""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from harm.arms import AUTO, TREATMENTS, Treatment
from harm.prediction import N_FOLDS, Prediction, weight_sums

if TYPE_CHECKING:
    import pandas as pd

    from harm.prediction import Floats
    from harm.splits import Split
    from harm.store import Store

PRESET = "medium_quality"
TIME_LIMIT_S = 20.0  # by the clock, for all models of an arm


def predict_autogluon(split: Split, model: str, store: Store, time_limit_s: float = TIME_LIMIT_S) -> Prediction:
    """Return what AutoGluon's best model says: out of fold for training rows, and for test rows.

    Generators run inside each fold, through ``rebalanced``; class weights are AutoGluon's own ("balance_weight").
    "auto" takes what ``autosynth.tune`` chose with XGBoost on the same training rows.
    """
    from autogluon.tabular import TabularPredictor

    started = time.perf_counter()
    treatment, facts = _treatment(split, model, store)
    twin = next((name for name, known in TREATMENTS.items() if model == AUTO and known == treatment), None)
    kept = store.read(split, "autogluon", twin) if twin else None
    if kept is not None:  # under a time limit, the same treatment would give other models
        return replace(kept, facts=facts)
    with tempfile.TemporaryDirectory() as folder:
        predictor = TabularPredictor(
            label=split.label, path=folder, eval_metric="log_loss", verbosity=0,
            sample_weight="balance_weight" if treatment.class_weights else None,
        )  # fmt: skip
        predictor.fit(
            split.train, presets=PRESET, hyperparameters=_hyperparameters(treatment, split), time_limit=time_limit_s,
            num_bag_folds=N_FOLDS, num_stack_levels=0, num_cpus=1, num_gpus=0,
            ag_args_ensemble={"fold_fitting_strategy": "sequential_local"},
        )  # fmt: skip
        test = _columns(predictor.predict_proba(split.test[split.features]), split)
        out_of_fold = _columns(predictor.predict_proba_oof(), split)
        n_models = len(predictor.model_names())
    facts |= {"seconds": time.perf_counter() - started, "n_models": n_models}
    return Prediction(test=test, out_of_fold=out_of_fold, trained=_trained(split, treatment), facts=facts)


def _treatment(split: Split, model: str, store: Store) -> tuple[Treatment, dict[str, Any]]:
    if model != AUTO:
        return TREATMENTS[model], {}
    chosen = store.read(split, "xgboost", AUTO)
    if chosen is None:
        raise LookupError("'auto' takes the choice of the XGBoost run, which is not there. Run that first.")
    facts = {name: chosen.facts[name] for name in ("arm", "shift", "words", "chosen_without_rows", "treatment")}
    return Treatment(**facts["treatment"]), facts


def _hyperparameters(treatment: Treatment, split: Split) -> Any:
    from autosynth_autogluon import rebalanced

    if treatment.generator is None:
        return "default"
    return rebalanced(
        "default",
        generator=treatment.generator,
        generator_options=dict(treatment.options),
        group_by=split.group_by,
        data=split.train,  # for generators that work on the original columns
        ratio=treatment.ratio,
        augment=treatment.augment,
        alpha=treatment.alpha,
        synthetic_weight=treatment.synthetic_weight,
        check="off",
        random_state=split.seed("autogluon") % 2**31,
    )


def _trained(split: Split, treatment: Treatment) -> Floats:
    """Return the class weights that the models saw: even ones after full balance, else the plan's."""
    from autosynth.plan import SamplingPlan
    from autosynth.table import Table

    counts = weight_sums(split, split.train, np.ones(len(split.train)))
    if treatment.class_weights:
        return np.ones_like(counts)
    if treatment.generator is None:
        return counts
    table = Table.from_frame(split.train, label=split.label, group_by=split.group_by)
    plan = SamplingPlan.make(
        table, strategy=treatment.ratio, augment=treatment.augment, alpha=treatment.alpha,
        synthetic_weight=treatment.synthetic_weight,
    )  # fmt: skip
    real, oversampled, augmented = plan.part_weights()
    for row in plan.groups:
        values = [str(value) for value in row.group.values]
        segment = split.segments.index(values[1]) if split.group_by else 0
        added = row.n_oversample * oversampled + row.n_augment * augmented
        counts[segment, split.classes.index(values[0])] = row.n_real * real + added
    return counts


def _columns(proba: pd.DataFrame, split: Split) -> Floats:
    """Return probabilities in the order of the split's classes; 0 for a class that AutoGluon left out."""
    return proba.reindex(columns=list(split.classes), fill_value=0.0).to_numpy(dtype="float64")
