from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve

from autosynth.group_reports import group_report
from autosynth.interval import wilson_interval
from autosynth.predictions import Target
from autosynth.reliability import ReliabilityCurve, reliability_curves

SEVERAL = np.array(["a", "b", "c"])


def curve_of(outcome: np.ndarray, probability: np.ndarray) -> ReliabilityCurve:
    target = Target("y", (0, 1), outcome.astype(np.int64), 1)
    (curve,) = reliability_curves(np.column_stack([1 - probability, probability]), target, level=0.95)
    return curve


@given(st.lists(st.integers(0, 20), min_size=1, max_size=400), st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_no_bin_is_empty_and_equal_probabilities_share_one(grid: list[int], seed: int) -> None:
    probability = np.array(grid) / 20
    outcome = np.random.default_rng(seed).random(len(grid)) < probability
    bins = curve_of(outcome, probability).bins
    assert sum(each.n_rows for each in bins) == len(grid)
    assert min(each.n_rows for each in bins) > 0
    assert [each.predicted for each in bins] == sorted(each.predicted for each in bins)
    hits = sum(each.observed.value * each.n_rows for each in bins)
    assert hits == pytest.approx(outcome.sum())
    order = np.random.default_rng(seed).permutation(len(grid))
    again = curve_of(outcome[order], probability[order]).bins
    assert [(each.n_rows, each.observed) for each in again] == [(each.n_rows, each.observed) for each in bins]


def test_bins_hold_equal_counts_and_agree_with_sklearn() -> None:
    rng = np.random.default_rng(0)
    probability = rng.random(750)
    outcome = rng.random(750) < probability
    bins = curve_of(outcome, probability).bins
    assert {each.n_rows for each in bins} == {50}
    observed, predicted = calibration_curve(outcome, probability, n_bins=15, strategy="quantile")
    np.testing.assert_allclose([each.observed.value for each in bins], observed)
    np.testing.assert_allclose([each.predicted for each in bins], predicted)
    assert bins[3].observed == wilson_interval(round(bins[3].observed.value * 50), 50, 0.95)


def test_a_calibrated_model_lies_on_the_diagonal_within_its_limits() -> None:
    rng = np.random.default_rng(0)
    probability = rng.random(6000) ** 2
    bins = curve_of(rng.random(6000) < probability, probability).bins
    held = [each.observed.low <= each.predicted <= each.observed.high for each in bins]
    assert sum(held) >= 13  # of 15


def test_few_rows_make_few_bins_and_a_constant_one() -> None:
    assert len(curve_of(np.arange(60) % 2 == 0, np.linspace(0, 1, 60)).bins) == 2
    assert len(curve_of(np.arange(600) % 2 == 0, np.full(600, 0.3)).bins) == 1


def test_two_classes_have_the_curve_of_the_positive_one_before_and_after() -> None:
    rng = np.random.default_rng(0)
    proba = rng.random(200)
    y = np.where(rng.random(200) < proba, "yes", "no")
    report = group_report(y, proba, baseline=np.full(200, 0.5), n_bootstrap=0)
    assert report.reliability is not None
    assert report.reliability.baseline is not None
    assert [curve.label for curve in report.reliability.new] == ["yes"]
    assert report.reliability.baseline[0].bins[0].predicted == 0.5
    other = group_report(y, 1 - proba, positive_class="no", n_bootstrap=0).reliability
    assert other is not None
    assert other.new[0].label == "no"
    assert other.baseline is None


def test_several_classes_have_a_curve_each_and_all_are_in_json() -> None:
    rng = np.random.default_rng(0)
    proba = rng.dirichlet([1, 1, 1], 100)
    y = SEVERAL[[rng.choice(3, p=row) for row in proba]]
    report = group_report(y, proba, classes=list(SEVERAL), n_bootstrap=0)
    content = json.loads(report.to_json())["reliability"]
    assert [curve["label"] for curve in content["new"]] == ["a", "b", "c"]
    assert content["baseline"] is None
    assert sum(each["n_rows"] for each in content["new"][1]["bins"]) == 100
    assert set(content["new"][0]["bins"][0]["observed"]) == {"value", "low", "high"}
