"""What the change of balanced risk from plain training to each arm is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from autosynth.gains import Gain, balanced_risk_draws

if TYPE_CHECKING:
    from autosynth.gains import Floats

LEVEL = 0.95
BASELINE = "plain training"


@dataclass(frozen=True)
class Alternative:
    """What one arm says of the test rows.

    Attributes
    ----------
    name : str
        The arm.
    proba, shifted : DataFrame of shape (n_test, n_classes)
        As they come, and after the shift fitted on validation rows.
    predictor : int
        Position of the fitted predictor behind it; 0 is the plain one.
    uses_synthetic : bool
        Whether it was asked to train on synthetic rows.
    """

    name: str
    proba: pd.DataFrame
    shifted: pd.DataFrame
    predictor: int
    uses_synthetic: bool


def arm_gains(
    y_test: pd.Series[Any],
    alternatives: Sequence[Alternative],
    *,
    reference: int,
    groups: pd.DataFrame | None,
    n_valid: int,
    random_state: int,
) -> dict[str, Gain | None]:
    """Return the gain of every arm over plain training, by name; None for plain training itself.

    The way to the synthetic arm leads over the best predictor without synthetic rows: what class weights add after the
    same shift is theirs, and only what the synthetic arm adds to that is better ranking.

    Parameters
    ----------
    y_test : Series
        Labels of the test rows, indexed from 0.
    alternatives : sequence of Alternative
        Plain training first.
    reference : int
        Position of the best predictor without synthetic rows on the validation rows.
    groups : DataFrame or None
        Group columns of the test rows.
    n_valid : int
        Rows that the shifts were fitted on.
    random_state : int
        Seed of the bootstrap.
    """
    tables: dict[str, pd.DataFrame] = {}
    for each in alternatives:
        tables[each.name] = each.proba.reset_index(drop=True)
        tables[_shifted(each.predictor)] = each.shifted.reset_index(drop=True)
    draws = balanced_risk_draws(y_test, tables, groups=groups, random_state=random_state)
    plain, fitted_on = alternatives[0], f"out-of-fold predictions of {n_valid} training rows"
    gains: dict[str, Gain | None] = {}
    for each in alternatives:
        if each.proba.equals(plain.proba):
            gains[each.name] = None
            continue
        stages, steps = _way(each, plain, draws, reference)
        gains[each.name] = Gain.of(stages, steps, level=LEVEL, baseline=BASELINE, fitted_on=fitted_on)
    return gains


def _way(
    arm: Alternative, plain: Alternative, draws: dict[str, Floats], reference: int
) -> tuple[dict[str, Floats], list[str]]:
    """Return the models on the way from plain training to an arm, and what the steps between them are."""
    stages, steps = {plain.name: draws[plain.name]}, ["baseline_shift"]
    stages[f"{plain.name}, shifted"] = draws[_shifted(plain.predictor)]
    if arm.uses_synthetic and reference != plain.predictor:
        stages["best without synthetic rows, shifted"] = draws[_shifted(reference)]
        steps.append("class_weights")
    if arm.predictor != plain.predictor:
        stages[f"{arm.name}, shifted"] = draws[_shifted(arm.predictor)]
        steps.append("ranking" if arm.uses_synthetic else "class_weights")
    stages[arm.name] = draws[arm.name]
    return stages, [*steps, "own_shift"]


def _shifted(predictor: int) -> str:
    return f"predictor {predictor}, shifted"
