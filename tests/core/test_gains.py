from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autosynth.gains import Gain, GainPart, balanced_risk_draws
from autosynth.group_reports import GroupReport, group_report
from autosynth.prior_shift import cross_fitted_losses, fit_offsets, log_softmax

QUICK = settings(max_examples=15, deadline=None)


def probability(logit: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-logit))


def scored(
    n_rows: int = 1200, seed: int = 0, share: float = 0.15
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return labels, log odds under even classes of a model and of one that sees more, and a group column."""
    rng = np.random.default_rng(seed)
    y = (rng.random(n_rows) < share).astype(int)
    first, second = rng.normal(size=(2, n_rows)) + y * np.array([[1.2], [1.0]])
    weak = 1.2 * first - 1.2**2 / 2
    return y, weak, weak + second - 0.5, rng.choice(["u", "v"], n_rows)


def report_of(y: np.ndarray, new: np.ndarray, baseline: np.ndarray, **options: object) -> GroupReport:
    return group_report(y, probability(new), baseline=probability(baseline), **{"n_bootstrap": 100} | options)


def gain_of(*arguments: np.ndarray, **options: object) -> Gain:
    gain = report_of(*arguments, **options).gain
    assert gain is not None
    return gain


@given(seed=st.integers(0, 10**6), offset=st.floats(-4, 4))
@QUICK
def test_a_baseline_that_is_only_shifted_gains_nothing_but_the_shift(seed: int, offset: float) -> None:
    y, weak, _, groups = scored(400, seed)
    gain = gain_of(y, weak + offset, weak - 1.5, groups=groups)
    assert gain.step("ranking").nats.value == pytest.approx(0, abs=1e-5)
    assert gain.step("ranking").verdict == "within noise"
    assert gain.shift.nats.value == pytest.approx(gain.total.nats.value, abs=1e-5)
    assert "gain" not in {part.verdict for part in (*gain.steps, gain.shift, gain.total)}
    assert "ranking" not in gain.sentence


@given(seed=st.integers(0, 10**6), offset=st.floats(-4, 4), other=st.floats(-4, 4))
@QUICK
def test_a_shift_of_its_own_in_each_segment_is_a_mere_shift_too(seed: int, offset: float, other: float) -> None:
    y, weak, _, groups = scored(600, seed)
    gain = gain_of(y, weak + np.where(groups == "u", offset, other), weak, groups=groups)
    assert gain.step("ranking").nats.value == pytest.approx(0, abs=0.01)
    assert gain.step("ranking").verdict == "within noise"


def test_a_shift_of_several_classes_is_found_too() -> None:
    rng = np.random.default_rng(0)
    y = rng.choice(3, 900, p=[0.7, 0.2, 0.1])
    logits = rng.normal(size=(900, 3)) + 1.5 * np.eye(3)[y]
    shifted = np.exp(log_softmax(logits + np.array([2.0, 0.0, -1.0])))
    report = group_report(y, np.exp(log_softmax(logits)), baseline=shifted, classes=[0, 1, 2], n_bootstrap=100)
    assert report.gain is not None
    assert report.gain.is_mere_shift
    assert report.gain.total.nats.value > 0.2
    assert report.gain.shift.nats.value == pytest.approx(report.gain.total.nats.value, abs=1e-4)


def test_better_ranking_with_the_same_calibration_is_no_shift() -> None:
    y, weak, strong, groups = scored(6000)
    gain = gain_of(y, strong, weak, groups=groups)
    assert gain.step("ranking").verdict == "gain"
    assert gain.shift.nats.value == pytest.approx(0, abs=0.01)
    assert gain.step("ranking").nats.value == pytest.approx(gain.total.nats.value, abs=0.01)
    assert not gain.is_mere_shift
    assert "come from better ranking" in gain.sentence


def test_worse_ranking_behind_a_better_prior_is_told() -> None:
    y, weak, strong, _ = scored(4000)
    gain = gain_of(y, weak, strong - 3.0)
    assert gain.total.verdict == "gain"
    assert gain.step("ranking").verdict == "loss"
    assert "less" in gain.sentence
    assert "by worse ranking" in gain.sentence


@given(seed=st.integers(0, 10**6), steepness=st.floats(0.2, 4), offset=st.floats(-3, 3))
@QUICK
def test_steps_add_up_to_the_total_and_stages_differ_by_them(seed: int, steepness: float, offset: float) -> None:
    y, weak, strong, groups = scored(300, seed, share=0.4)
    gain = gain_of(y, steepness * strong + offset, weak, groups=groups)
    risks = [stage.risk.value for stage in gain.stages]
    assert sum(part.nats.value for part in gain.steps) == pytest.approx(gain.total.nats.value, abs=1e-12)
    assert -np.diff(risks) == pytest.approx([part.nats.value for part in gain.steps])
    ends = gain.steps[0].nats.value + gain.steps[-1].nats.value
    assert gain.shift.nats.value == pytest.approx(ends, abs=1e-12)


def test_the_total_is_the_difference_of_the_report_to_the_last_limit() -> None:
    y, weak, strong, groups = scored()
    report = report_of(y, strong, weak - 2, groups=groups)
    assert report.gain is not None
    assert report.difference is not None
    total, change = report.gain.total.nats, report.difference.balanced_risk
    assert (total.value, total.low, total.high) == pytest.approx((-change.value, -change.high, -change.low))
    assert report.gain.stages[-1].risk.value == pytest.approx(report.balanced_risk.value)
    assert report.baseline is not None
    assert report.gain.stages[0].risk.value == pytest.approx(report.baseline.balanced_risk.value)


def test_a_model_against_itself_gains_nothing() -> None:
    y, weak, _, _ = scored()
    gain = gain_of(y, weak, weak)
    assert gain.total.nats.value == 0
    assert {part.verdict for part in (*gain.steps, gain.total, gain.shift) if part.nats.value == 0} == {"within noise"}
    assert "within noise" in gain.sentence


def test_an_independent_model_of_the_same_worth_is_rarely_said_to_rank_better() -> None:
    verdicts = []
    for seed in range(60):
        y, weak, _, _ = scored(500, seed)
        twin = 1.2 * (np.random.default_rng([seed, 1]).normal(size=500) + 1.2 * y) - 0.72
        verdicts.append(gain_of(y, twin, weak).step("ranking").verdict)
    assert verdicts.count("within noise") >= 51  # 57 are expected; fewer in one of 100 runs of an honest interval


def test_a_shift_that_nothing_calls_for_wins_nothing() -> None:
    wins = []
    for seed in range(40):
        y, weak, strong, groups = scored(200, seed)
        wins.append(gain_of(y, strong, weak, groups=groups, n_bootstrap=0).steps[0].nats.value)
    assert np.mean(wins) < 0  # fitted on the rows it is judged on, it would win every time


def test_no_row_has_a_part_in_its_own_shift() -> None:
    y, weak, _, _ = scored(100)
    logs, segments = log_softmax(np.column_stack([np.zeros(100), weak])), np.zeros(100, dtype=int)
    folds = np.arange(100) % 5
    before = cross_fitted_losses(logs, y, segments, n_segments=1, folds=folds)
    changed = y.copy()
    changed[folds == 2] = 1 - changed[folds == 2]
    after = cross_fitted_losses(logs, changed, segments, n_segments=1, folds=folds)
    held = folds == 2
    picked = np.where(y[held] == 1, -np.log1p(-np.exp(-before[held])), after[held])
    assert np.isfinite(picked).all()
    np.testing.assert_allclose(np.exp(-before[held]) + np.exp(-after[held]), 1)  # the same probabilities, other class
    assert not np.allclose(np.exp(-before[~held]), np.exp(-after[~held]))


def test_offsets_follow_a_shift_of_the_logarithms_exactly() -> None:
    y, weak, _, groups = scored()
    logs, segments = np.column_stack([np.zeros(len(y)), weak]), (groups == "u").astype(int)
    here = fit_offsets(logs, y, segments, n_segments=2)
    there = fit_offsets(logs + np.array([0.0, 2.5]), y, segments, n_segments=2)
    np.testing.assert_allclose(here[:, 1] - there[:, 1], 2.5, atol=1e-6)


def test_a_segment_without_rows_or_without_a_class_is_shifted_like_all_rows_or_finitely() -> None:
    y, weak, _, _ = scored()
    logs, segments = np.column_stack([np.zeros(len(y)), weak]), np.where(y == 1, 0, np.arange(len(y)) % 2)
    offsets = fit_offsets(logs, y, segments, n_segments=3)
    assert np.isfinite(offsets).all()
    np.testing.assert_array_equal(offsets[2], offsets[3])
    assert np.abs(offsets).max() < 10


def test_without_a_baseline_there_is_no_gain() -> None:
    y, weak, _, _ = scored(100)
    assert group_report(y, probability(weak), n_bootstrap=0).gain is None


def test_too_few_rows_of_a_class_leave_the_gain_open_and_say_so() -> None:
    y = np.array([0] * 30 + [1] * 4)
    proba = np.linspace(0.1, 0.9, 34)
    report = group_report(y, proba, baseline=proba**2, n_bootstrap=20)
    assert report.gain is None
    assert report.difference is not None
    assert any(note.startswith("Fewer than 5 rows of 1: no shift of the prior") for note in report.notes)


def test_without_limits_no_part_is_called_a_gain() -> None:
    y, weak, strong, _ = scored()
    gain = gain_of(y, strong, weak - 2, n_bootstrap=0)
    assert {part.verdict for part in gain.steps} == {"no interval"}
    assert "without limits nobody can tell" in gain.sentence
    alone = group_report(
        [0] * 20 + [1] * 20, np.linspace(0.1, 0.9, 40), baseline=np.full(40, 0.5), groups=["v"] * 39 + ["u"],
        n_bootstrap=50,
    )  # fmt: skip
    assert alone.gain is not None
    assert math.isnan(alone.gain.total.nats.low)


def test_the_gain_stands_in_json_and_in_the_text() -> None:
    y, weak, _, _ = scored()
    report = report_of(y, weak, weak - 3)
    content = json.loads(report.to_json())["gain"]
    assert report.gain is not None
    assert content["sentence"] == report.gain.sentence
    assert [part["name"] for part in content["steps"]] == ["baseline_shift", "ranking", "own_shift"]
    assert content["shift"]["nats"]["value"] == report.gain.shift.nats.value
    assert "crosswise" in content["fitted_on"]
    assert "a mere shift of the prior" in " ".join(str(report).split())
    assert "lower by a mere shift of the prior" in str(report)


def test_a_zero_probability_is_not_mended_by_clipping() -> None:
    y = np.tile([0, 1], 50)
    proba = np.where(np.arange(100) < 2, 1.0 - y, 0.3 + 0.4 * y)  # two certain mistakes
    report = group_report(y, 0.3 + 0.4 * y, baseline=proba, n_bootstrap=50)
    assert report.gain is not None
    assert report.gain.step("baseline_shift").nats.value == pytest.approx(0, abs=0.02)


def test_draws_of_several_models_are_the_replicates_of_the_report() -> None:
    y, weak, strong, groups = scored(300)
    tables = {
        name: pd.DataFrame({0: 1 - probability(z), 1: probability(z)}) for name, z in (("a", weak), ("b", strong))
    }
    draws = balanced_risk_draws(y, tables, groups=groups, n_bootstrap=60, random_state=3)
    report = group_report(y, tables["b"], baseline=tables["a"], groups=groups, n_bootstrap=60, random_state=3)
    assert report.difference is not None
    expected = report.difference.balanced_risk
    change = draws["b"] - draws["a"]
    assert change[0] == pytest.approx(expected.value)
    assert np.quantile(change[1:], [0.025, 0.975]) == pytest.approx((expected.low, expected.high))


def part(name: str, value: float, spread: float = 0.001) -> np.ndarray:
    return value + spread * np.r_[0.0, np.linspace(-1, 1, 40)]


MERE = "a mere shift of the prior"
BY_THRESHOLD = f"{MERE}, such as b gets by moving its threshold"
FURTHER_OFF = "by a prior further off, which a shift mends"


@pytest.mark.parametrize(
    ("shift", "ranking", "spread", "sentence"),
    [
        (0.11, 0.01, 0.03, f"Of the 0.120 nats gained, 0.110 are {BY_THRESHOLD}; the rest (+0.010) is within noise."),
        (0.12, 0.0, 0.01, f"All of the 0.120 nats gained are {BY_THRESHOLD}."),
        (
            0.13,
            -0.01,
            0.03,
            f"All of the 0.120 nats gained are {BY_THRESHOLD}; what is left without it (-0.010) is within noise.",
        ),
        (
            0.05,
            0.07,
            0.01,
            f"Of the 0.120 nats gained, 0.050 are {BY_THRESHOLD}, and 0.070 come from better ranking, which no shift "
            "gives.",
        ),
        (-0.01, 0.13, 0.01, f"0.120 nats are gained: 0.130 by better ranking, less 0.010 {FURTHER_OFF}."),
        (0.2, -0.08, 0.01, f"0.120 nats are gained: 0.200 by {MERE}, less 0.080 by worse ranking."),
        (0.0, 0.0, 0.01, "The change of balanced risk, 0.000 nats, is within noise, and so is every part of it."),
        (
            0.1,
            -0.1,
            0.01,
            f"The change of balanced risk, 0.000 nats, is within noise; it holds 0.100 gained by {MERE} and 0.100 "
            "lost by worse ranking.",
        ),
        (-0.1, 0.02, 0.01, f"0.080 nats are lost: 0.100 {FURTHER_OFF}, against a gain of 0.020 by better ranking."),
        (-0.1, 0.0, 0.01, f"0.100 nats are lost: 0.100 {FURTHER_OFF}."),
    ],
)
def test_the_sentence_says_what_is_a_shift_and_what_is_noise(
    shift: float, ranking: float, spread: float, sentence: str
) -> None:
    noise = np.r_[0.0, np.linspace(-spread, spread, 40)]
    stages = {
        "b": 1.0 + 0 * noise,
        "b, shifted": 1.0 - shift + 0 * noise,
        "n, shifted": 1.0 - shift - ranking - noise,
        "n": 1.0 - shift - ranking - noise,
    }
    gain = Gain.of(stages, ("baseline_shift", "ranking", "own_shift"), level=0.95, baseline="b", fitted_on="")
    assert gain.sentence == sentence


def test_a_part_is_a_gain_only_when_its_limits_exclude_zero() -> None:
    assert GainPart.of("ranking", part("ranking", 0.1, 0.05), 0.95).verdict == "gain"
    assert GainPart.of("ranking", part("ranking", 0.1, 0.2), 0.95).verdict == "within noise"
    assert GainPart.of("ranking", part("ranking", -0.1, 0.05), 0.95).verdict == "loss"
    assert GainPart.of("ranking", part("ranking", 0.00005, 0.00001), 0.95).verdict == "within noise"
    assert GainPart.of("ranking", np.array([0.1]), 0.95).verdict == "no interval"


@given(seed=st.integers(0, 10**6), steepness=st.floats(0.2, 4), offset=st.floats(-3, 3))
@QUICK
def test_the_gain_of_every_group_adds_up_and_averages_to_the_balanced_one(
    seed: int, steepness: float, offset: float
) -> None:
    y, weak, strong, groups = scored(300, seed, share=0.4)
    report = report_of(y, steepness * strong + offset, weak, groups=groups)
    assert report.gain is not None
    assert [each.group for each in report.group_gains] == [row.group for row in report.groups]
    for each in report.group_gains:
        steps = sum(part.nats.value for part in each.gain.steps)
        assert steps == pytest.approx(each.gain.total.nats.value, abs=1e-12)
        between = each.gain.shift.nats.value + each.gain.step("ranking").nats.value
        assert between == pytest.approx(each.gain.total.nats.value, abs=1e-12)
    for name in ("baseline_shift", "ranking", "own_shift"):
        of_groups = [each.gain.step(name).nats.value for each in report.group_gains]
        assert np.mean(of_groups) == pytest.approx(report.gain.step(name).nats.value, abs=1e-12)


def test_the_gain_of_a_group_is_the_difference_of_its_risk_to_the_last_limit() -> None:
    y, weak, strong, groups = scored()
    report = report_of(y, strong, weak - 2, groups=groups)
    assert report.difference is not None
    for each, change in zip(report.group_gains, report.difference.groups, strict=True):
        total = each.gain.total.nats
        assert (total.value, total.low, total.high) == pytest.approx(
            (-change.risk.value, -change.risk.high, -change.risk.low)
        )


def test_what_a_shift_gives_one_group_it_takes_from_another_and_the_words_say_so() -> None:
    y, weak, _, _ = scored(4000)
    no, yes = report_of(y, weak + 1.0, weak - 3).group_gains
    assert (no.name, yes.name) == ("label=0", "label=1")
    assert yes.gain.is_mere_shift
    assert yes.gain.sentence.endswith("are a mere shift of the prior towards this group.")
    assert no.gain.total.verdict == "loss"
    assert "lost" in no.gain.sentence
    assert "by a shift of the prior towards other groups" in no.gain.sentence
    assert "balanced" not in no.gain.sentence + yes.gain.sentence


def test_better_ranking_takes_from_no_group() -> None:
    y, weak, strong, _ = scored(6000)
    for each in report_of(y, strong, weak).group_gains:
        assert each.gain.step("ranking").verdict == "gain", each.name


def test_a_group_of_one_row_has_a_gain_without_limits() -> None:
    y = np.array([0] * 30 + [1] * 30)
    groups = ["v"] * 59 + ["u"]
    report = group_report(y, np.linspace(0.1, 0.9, 60), baseline=np.full(60, 0.4), groups=groups, n_bootstrap=50)
    alone = next(each for each in report.group_gains if each.group["group"] == "u")
    assert math.isnan(alone.gain.total.nats.low)
    assert alone.gain.total.verdict == "no interval"
    assert alone.gain.sentence.startswith("Risk ")
    assert all(each.gain.total.nats.low < each.gain.total.nats.high for each in report.group_gains if each is not alone)


def test_the_gain_of_every_group_stands_in_text_and_json() -> None:
    y, weak, strong, groups = scored()
    report = report_of(y, strong, weak, groups=groups)
    text = str(report).partition("The same for every group")[2]
    assert all(each.name in text for each in report.group_gains)
    assert max(map(len, str(report).splitlines())) <= 120
    content = json.loads(report.to_json())["group_gains"]
    assert content[0]["group"] == {"label": 0, "group": "u"}
    assert content[0]["gain"]["sentence"] == report.group_gains[0].gain.sentence


def test_without_a_baseline_there_are_no_gains_of_groups() -> None:
    y, weak, _, _ = scored(100)
    assert group_report(y, probability(weak), n_bootstrap=0).group_gains == ()
