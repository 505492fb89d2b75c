"""Probabilities of one treatment on one split: out of fold for training rows, and for the test rows."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd

import autosynth
from autosynth.schema import TableSchema
from harm.arms import SLOW
from harm.splits import deal

if TYPE_CHECKING:
    import numpy.typing as npt

    from harm.arms import Treatment
    from harm.splits import Split

    Floats = npt.NDArray[np.float64]

N_FOLDS = 3  # for the predictions that shifts and thresholds are fitted on
ONE_FOLD_FROM = 1_500  # training rows from which slow generators hold out the first fold alone: a third of the rows


class Trainer(Protocol):
    """Trains on weighted rows and returns probabilities of other rows, shape (n_rows, n_classes)."""

    def __call__(self, split: Split, rows: pd.DataFrame, weights: Floats, asked: pd.DataFrame) -> Floats: ...


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """What a treatment's models say.

    Attributes
    ----------
    test : ndarray of shape (n_test, n_classes)
    out_of_fold : ndarray of shape (n_train, n_classes)
        NaN for training rows that no fold holds out: those of a group with one row, and for slow generators those of
        all folds but the first where there are many rows.
    trained : ndarray of shape (n_segments, n_classes)
        Sums of the training weights behind ``test``.
    facts : dict
        Rows added, seconds, and what the choice was, for "auto".
    """

    test: Floats
    out_of_fold: Floats
    trained: Floats
    facts: dict[str, Any] = field(default_factory=dict)


def predict(split: Split, treatment: Treatment, trainer: Trainer) -> Prediction:
    """Train on each fold's other rows and on all of them; the generator learns anew inside each fold."""
    is_slow = treatment.generator in SLOW and len(split.train) >= ONE_FOLD_FROM
    started = time.perf_counter()
    folds = deal(split.group_codes(split.train), N_FOLDS, np.random.default_rng(split.seed("folds")))
    out_of_fold = np.full((len(split.train), len(split.classes)), np.nan)
    for fold in range(1 if is_slow else N_FOLDS):
        inside = (folds != fold).nonzero()[0]
        held = (folds == fold).nonzero()[0]
        rows, weights = treated(split, split.train.iloc[inside].reset_index(drop=True), treatment, part=fold)
        out_of_fold[held] = trainer(split, rows, weights, split.train.iloc[held])
    rows, weights = treated(split, split.train, treatment, part="all")
    test = trainer(split, rows, weights, split.test)
    facts = {"n_synthetic": len(rows) - len(split.train), "seconds": time.perf_counter() - started}
    return Prediction(test=test, out_of_fold=out_of_fold, trained=weight_sums(split, rows, weights), facts=facts)


def treated(split: Split, real: pd.DataFrame, treatment: Treatment, *, part: object) -> tuple[pd.DataFrame, Floats]:
    """Return the rows to train on and their weights, of mean 1."""
    if treatment.generator is None:
        if not treatment.class_weights:
            return real, np.ones(len(real))
        groups = split.group_codes(real)
        weights = 1.0 / np.bincount(groups)[groups]
        return real, weights * len(real) / weights.sum()
    made = autosynth.rebalance(
        real,
        label=split.label,
        group_by=split.group_by,
        generator=treatment.generator,
        generator_options=dict(treatment.options),
        strategy=treatment.ratio,
        augment=treatment.augment,
        alpha=treatment.alpha,
        synthetic_weight=treatment.synthetic_weight,
        check="off",
        random_state=split.seed(treatment.generator, part),
    )
    return made.data.reset_index(drop=True), made.weights.to_numpy(dtype="float64")


def weight_sums(split: Split, rows: pd.DataFrame, weights: Floats) -> Floats:
    """Return the weight of every class in every segment, shape (n_segments, n_classes)."""
    sums = np.zeros((len(split.segments), len(split.classes)))
    np.add.at(sums, (split.segment_codes(rows), split.codes(rows)), weights)
    return sums


def train_xgboost(split: Split, rows: pd.DataFrame, weights: Floats, asked: pd.DataFrame) -> Floats:
    """Train the default learner of :func:`autosynth.tune` on one core."""
    from autosynth.tuning.learners import make_learner

    schema = TableSchema.infer(rows, label=split.label, group_by=())
    learner = make_learner("xgboost", schema, len(split.classes), random_state=0)
    features = split.features
    model = learner.fit(rows[features], split.codes(rows), weights)
    return np.asarray(model.predict_proba(asked[features]), dtype="float64")
