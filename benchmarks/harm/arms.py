"""The arms: what is done to the training rows (a model of its own each), and what is done to the probabilities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

REFERENCE = "none + tuned threshold"
AUTO = "auto"
WITHOUT_ROWS = ("none", REFERENCE, "none + corrected prior", "class weights")
# A temperature beside the offsets, as autosynth.tune fits it: it needs no synthetic row either.
CALIBRATED = ", calibrated"
CALIBRATED_REFERENCE = f"none{CALIBRATED}"
CALIBRATED_WITHOUT_ROWS = (CALIBRATED_REFERENCE, f"class weights{CALIBRATED}")
SMOTE, CALIBRATED_SMOTE = "smote", f"smote{CALIBRATED}"


@dataclass(frozen=True, kw_only=True)
class Treatment:
    """What training rows are given: nothing, class weights, or rows of a generator, up to a ratio of the largest."""

    generator: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    ratio: float = 1.0
    augment: int = 0
    alpha: float | None = None
    synthetic_weight: float = 1.0
    class_weights: bool = False


# A fifth of its default number of steps on 3,500 rows, and less on fewer; in full it would take the time of all others.
CTGAN_EPOCHS = 30
TREATMENTS = {
    "none": Treatment(),
    "class weights": Treatment(class_weights=True),
    "ros": Treatment(generator="ros"),
    "independent": Treatment(generator="independent"),
    "smote": Treatment(generator="smote"),
    "independent, weight 0.3": Treatment(generator="independent", synthetic_weight=0.3),
    "smote, weight 0.3": Treatment(generator="smote", synthetic_weight=0.3),
    "transformer": Treatment(generator="transformer"),
    "ctgan": Treatment(generator="ctgan", options={"epochs": CTGAN_EPOCHS}),
}
SLOW = ("transformer", "ctgan")


@dataclass(frozen=True, kw_only=True)
class Arm:
    """A row of the result tables.

    Attributes
    ----------
    name : str
    model : str
        Whose predictions it uses: a key of ``TREATMENTS``, or "auto".
    shift : str
        What belongs to the arm itself and is done to its probabilities: "none", "prior", "tuned" (offsets) or
        "calibrated" (a temperature and offsets).
    later_shift : str
        What is done for the scores "after a shift", which all arms but the plain one are allowed.
    tunes_threshold : bool
        Whether its decisions use a threshold tuned on out-of-fold rows.
    """

    name: str
    model: str
    shift: str = "none"
    later_shift: str = "tuned"
    tunes_threshold: bool = True


ARMS = (
    Arm(name="none", model="none", later_shift="none", tunes_threshold=False),
    Arm(name=REFERENCE, model="none", shift="tuned"),
    Arm(name="none + corrected prior", model="none", shift="prior", later_shift="prior", tunes_threshold=False),
    *(Arm(name=name, model=name) for name in TREATMENTS if name != "none"),
    *(Arm(name=f"{name}{CALIBRATED}", model=name, shift="calibrated", later_shift="calibrated") for name in TREATMENTS),
)
