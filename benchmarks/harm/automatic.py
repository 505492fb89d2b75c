"""The arm "auto": what autosynth.tune chooses on the training rows, carried out by the code of the other arms."""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import autosynth
from harm.arms import Arm, Treatment
from harm.prediction import Prediction, predict

if TYPE_CHECKING:
    from harm.prediction import Trainer
    from harm.splits import Split

# Those that make rows in milliseconds.  Where a transformer is worth its training, plugins propose it as well; with it
# a race trains five transformers, and the benchmark would take hours instead of one.
RACING = ("smote", "independent")


def predict_auto(split: Split, trainer: Trainer, folder: Path, repeats: int = 1) -> Prediction:
    """Let ``tune`` choose, and predict with its arm; the shift that it chose is kept in the facts.

    Since the arm is carried out like any other one, with the same folds for its shift, a choice of "none" with a tuned
    threshold gives the numbers of that arm to the digit.  The race keeps its own results in ``folder``.
    """
    started = time.perf_counter()
    report = autosynth.tune(
        split.train, label=split.label, group_by=split.group_by, random_state=split.seed("tune"), progress=False,
        generators=RACING, ledger=folder, repeats=repeats,
    )  # fmt: skip
    seconds = time.perf_counter() - started
    treatment = treatment_of(report.best.arm)
    prediction = predict(split, treatment, trainer)
    facts = {
        **prediction.facts,
        "seconds": seconds,
        "treatment": asdict(treatment),
        "arm": report.best.arm.name,
        "shift": report.best.shift,
        "words": str(report.best),
        "chosen_without_rows": _best_without_rows(report.best),
    }
    return replace(prediction, facts=facts)


def treatment_of(arm: Any) -> Treatment:
    """Return the treatment that an arm of the race stands for."""
    return Treatment(
        generator=arm.generator, ratio=arm.ratio, augment=arm.augment, alpha=arm.alpha,
        synthetic_weight=arm.synthetic_weight, class_weights=arm.class_weights,
    )  # fmt: skip


def auto_arm(prediction: Prediction) -> Arm:
    """Return the arm with the shift that was chosen for it; a tuned one holds a temperature."""
    shift = {"tuned": "calibrated"}.get(str(prediction.facts["shift"]), str(prediction.facts["shift"]))
    return Arm(name="auto", model="auto", shift=shift, later_shift=shift)


def _best_without_rows(choice: Any) -> str:
    """Return the name that this benchmark gives the candidate without synthetic rows that the race puts first."""
    candidate = choice.pick.reference.candidate
    if candidate.arm.class_weights:
        return "class weights, calibrated" if candidate.shift == "tuned" else "class weights"
    return {"none": "none", "prior": "none + corrected prior", "tuned": "none, calibrated"}[candidate.shift]
