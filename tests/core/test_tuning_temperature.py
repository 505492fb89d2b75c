from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autosynth.prior_shift import log_softmax
from autosynth.tuning.candidate import Scored
from autosynth.tuning.choice import Choice, choose
from autosynth.tuning.judge import Judge
from autosynth.tuning.outcome import ArmOutcome
from autosynth.tuning.temperature import fit_temperature
from tests.core.race import Race, smote


def drawn(n_rows: int, n_classes: int = 2, spread: float = 1.5, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return true log probabilities and classes drawn from them."""
    rng = np.random.default_rng(seed)
    logs = log_softmax(rng.normal(0, spread, size=(n_rows, n_classes)))
    codes = (np.exp(logs).cumsum(axis=1) < rng.random((n_rows, 1))).sum(axis=1).clip(max=n_classes - 1)
    return logs, codes


def scores_of(race: Race, outcomes: list[ArmOutcome], metric: str = "balanced_cross_entropy") -> list[Scored]:
    judge = Judge.of(race.table, race.folds, metric=metric, n_bootstrap=60)
    return [each for outcome in outcomes for each in judge.score(outcome)]


def choice_of(race: Race, outcomes: list[ArmOutcome]) -> Choice:
    judge = Judge.of(race.table, race.folds, n_bootstrap=60)
    return choose([each for outcome in outcomes for each in judge.score(outcome)], judge)


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("sureness", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("balanced", [True, False])
def test_a_known_temperature_is_found(n_classes: int, sureness: float, balanced: bool) -> None:
    logs, codes = drawn(20_000, n_classes)
    found = fit_temperature(log_softmax(sureness * logs), codes, balanced=balanced)
    assert found == pytest.approx(sureness, rel=0.06)


@settings(max_examples=25)
@given(st.floats(-5, 5), st.integers(0, 10))
def test_a_shift_of_the_logs_leaves_the_temperature_as_it_is(height: float, seed: int) -> None:
    logs, codes = drawn(300, seed=seed)
    moved = logs + np.array([0.0, height])
    assert fit_temperature(moved, codes) == pytest.approx(fit_temperature(logs, codes), rel=1e-2)


def test_a_handful_of_rows_says_little_about_the_temperature() -> None:
    found = [
        fit_temperature(log_softmax(4 * drawn(n, seed=seed)[0]), drawn(n, seed=seed)[1])
        for n in (8, 2000)
        for seed in range(5)
    ]
    assert np.median(found[:5]) < 3 < np.median(found[5:])
    perfect = np.log(np.array([[0.99, 0.01]] * 6 + [[0.01, 0.99]] * 6))
    assert 0.2 <= fit_temperature(perfect, np.repeat([0, 1], 6)) < 1


def test_rows_that_merely_damp_a_model_that_is_too_sure_are_not_taken_for_information() -> None:
    race = Race(3000, seed=3)
    too_sure = race.outcome(race.prior + 4 * (race.noisy(0.3) - race.prior))
    damped = race.balanced(race.noisy(0.3), smote())
    by_name = {each.name: each.loss for each in scores_of(race, [too_sure, damped])}
    assert by_name["none, corrected prior"] > by_name["smote, ratio 1"] + 0.1
    assert by_name["none, tuned threshold"] == pytest.approx(by_name["smote, ratio 1"], abs=0.02)
    choice = choice_of(race, [too_sure, damped])
    assert choice.is_none
    assert choice.temperature == pytest.approx(4, rel=0.15)
    assert "their logarithms are divided by " in choice.reason
    assert choice.to_dict()["temperature"] == choice.temperature


def test_the_threshold_of_raw_probabilities_decides_as_the_shifted_ones_do() -> None:
    race = Race(3000, seed=1)
    too_sure = race.outcome(race.prior + 3 * (race.logit - race.prior))
    choice = choice_of(race, [too_sure])
    proba = too_sure.probabilities[0]
    assert choice.threshold is not None
    np.testing.assert_array_equal(choice.apply(proba)[:, 1] > 0.5, proba[:, 1] > choice.threshold)


def test_a_temperature_spares_the_order_and_decisions_alone_know_none() -> None:
    race = Race(1500, seed=2)
    too_sure = race.outcome(3 * race.logit)
    plain, tuned = (
        next(each for each in scores_of(race, [too_sure]) if each.candidate.shift == shift)
        for shift in ("none", "tuned")
    )
    assert tuned.side == pytest.approx(plain.side, abs=1e-9)
    judge = Judge.of(race.table, race.folds, metric="balanced_accuracy", n_bootstrap=20)
    assert judge.fitted(too_sure, "tuned").temperature == 1
    assert judge.fitted(too_sure, "none").temperature == 1
    risk = Judge.of(race.table, race.folds, metric="worst_group_risk", n_bootstrap=20)
    assert risk.fitted(too_sure, "tuned").temperature == pytest.approx(3, rel=0.3)
