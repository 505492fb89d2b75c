from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autosynth.prior_shift import fit_offsets, log_softmax
from autosynth.tuning.candidate import Scored
from autosynth.tuning.choice import Choice, choose
from autosynth.tuning.judge import Judge
from autosynth.tuning.outcome import ArmOutcome
from autosynth.tuning.shifts import shifted
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


def site_rows(gap: float, sureness: float, n_rows: int = 6000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return logs of a model that was trained on even groups, classes, and sites in which classes are not even."""
    rng = np.random.default_rng(0)
    sites, height = rng.integers(0, 3, n_rows), rng.normal(0, 1.5, n_rows)
    codes = (rng.random(n_rows) < 1 / (1 + np.exp(-height - gap * (sites - 1)))).astype(int)
    return log_softmax(np.column_stack([np.zeros(n_rows), sureness * height])), codes, sites


@pytest.mark.parametrize("gap", [0.0, 1.0, 2.5])
@pytest.mark.parametrize("balanced", [True, False])
def test_class_shares_of_the_segments_are_not_taken_for_sureness(gap: float, balanced: bool) -> None:
    logs, codes, sites = site_rows(gap, 2.0)
    assert fit_temperature(logs, codes, sites, balanced=balanced) == pytest.approx(2, rel=0.08)
    apart = np.array([0, 7, 100])[sites]
    assert fit_temperature(logs, codes, apart, balanced=balanced) == fit_temperature(
        logs, codes, sites, balanced=balanced
    )


@pytest.mark.parametrize("metric", ["balanced_cross_entropy", "worst_group_risk"])
def test_a_model_of_even_groups_is_not_flattened_by_its_tuned_shift(metric: str) -> None:
    race = Race(3000, share=0.3, groups=("a", "b"))
    site = 2.5 * (2 * race.coded.segment_codes - 1)
    race.y = (race.rng.random(len(race.y)) < 1 / (1 + np.exp(-race.logit - site))).astype(int)
    table = race.table.frame.assign(ill=np.where(race.y == 1, "yes", "no"))
    race.table = type(race.table).from_frame(table, label="ill", group_by="site")
    race.coded = type(race.coded).of(race.table)
    judge = Judge.of(race.table, race.folds, metric=metric, n_bootstrap=20)
    assert judge.fitted(race.balanced(race.logit, smote()), "tuned").temperature == pytest.approx(1, abs=0.2)


def test_a_segment_of_a_few_rows_or_of_one_class_breaks_no_temperature() -> None:
    logs, codes, sites = site_rows(1.0, 3.0, 1500)
    sites[:3], codes[:3], sites[3:5], codes[3:5] = 7, 1, 8, [0, 1]
    for balanced in (True, False):
        assert 1.5 < fit_temperature(logs, codes, sites, balanced=balanced) < 4


@pytest.mark.parametrize("is_rare_first", [False, True])
@pytest.mark.parametrize("sureness", [1.0, 3.0])
def test_a_rare_class_keeps_its_share_where_every_row_counts_the_same(is_rare_first: bool, sureness: float) -> None:
    rng = np.random.default_rng(0)
    height = rng.normal(-4.5, 1.5, 30_000)
    codes = (rng.random(30_000) < 1 / (1 + np.exp(-height))).astype(int)
    logs = log_softmax(np.column_stack([np.zeros(30_000), sureness * height]))
    rare = 1
    if is_rare_first:
        logs, codes, rare = logs[:, ::-1], 1 - codes, 0
    temperature = fit_temperature(logs, codes, balanced=False)
    offsets = fit_offsets(logs / temperature, codes, np.zeros(30_000, dtype=np.int64), n_segments=1, balanced=False)
    said = np.exp(log_softmax(logs / temperature + offsets[0]))[:, rare]
    assert temperature == pytest.approx(sureness, rel=0.1)
    assert said.mean() == pytest.approx((codes == rare).mean(), rel=0.05)


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


def test_the_shift_of_several_repeats_is_the_mean_of_theirs() -> None:
    race = Race(1500, repeats=2)
    both = race.outcome(race.prior + np.array([[1.0], [4.0]]) * (race.noisy(0.1) - race.prior))
    judge = Judge.of(race.table, race.folds, n_bootstrap=20)
    said = judge._said(both)
    asked = log_softmax(np.column_stack([np.zeros(50), np.linspace(-6, 3, 50)]))
    single = [said.fitted(lambda logs, *codes, r=r: judge._fitter(said.logs[r], *codes)) for r in range(2)]
    alone = [shifted(asked, one.offsets[0], one.temperature) for one in single]
    joint = judge.fitted(both, "tuned")
    odds = [np.diff(logs, axis=1) for logs in (shifted(asked, joint.offsets[0], joint.temperature), *alone)]
    np.testing.assert_allclose(odds[0], (odds[1] + odds[2]) / 2, atol=1e-9)


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
