from __future__ import annotations

import dataclasses
import json
import math
import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import MetricFrame
from sklearn import metrics as sk

import autosynth
from autosynth.exceptions import ConfigError, DataError
from autosynth.group_reports import METRICS, GroupReport, GroupRow, group_report


def mixed_table(n_rows: int = 1500, seed: int = 0) -> pd.DataFrame:
    """Return labels, two models' probabilities and two group columns, one with missing values."""
    rng = np.random.default_rng(seed)
    sex = rng.choice(["F", "M"], n_rows, p=[0.3, 0.7])
    logit = 1.3 * rng.normal(size=n_rows) + (sex == "M") - 2
    probability = 1 / (1 + np.exp(-logit))
    return pd.DataFrame(
        {
            "income": np.where(rng.random(n_rows) < probability, "high", "low"),
            "sex": sex,
            "site": pd.Series(rng.choice([1.0, 2.0, np.nan], n_rows, p=[0.5, 0.4, 0.1])),
            "new": probability.round(2),
            "old": (0.7 * probability + 0.1 * rng.random(n_rows)).round(3),
        },
        index=rng.permutation(n_rows) + 10,
    )


def report_of(frame: pd.DataFrame, **options: object) -> GroupReport:
    settings = {"groups": frame[["sex", "site"]], "positive_class": "high", "n_bootstrap": 100} | options
    return group_report(frame["income"], frame["new"], **settings)


def several_classes(n_rows: int = 600, seed: int = 0) -> tuple[np.ndarray, pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(seed)
    proba = pd.DataFrame(rng.dirichlet([1.0, 2.0, 0.5], n_rows), columns=["a", "b", "c"])
    y_true = np.array([rng.choice(["a", "b", "c"], p=row) for row in proba.to_numpy()])
    return y_true, proba, rng.choice(["x", "y"], n_rows)


def all_rows(report: GroupReport) -> tuple[GroupRow, ...]:
    return (*report.groups, *report.segments)


def test_groups_agree_with_fairlearn() -> None:
    frame = mixed_table()
    report = report_of(frame, n_bootstrap=0)
    truth = (frame["income"] == "high").astype(int).to_numpy()
    proba = frame["new"].to_numpy()
    columns = frame[["income", "sex"]].assign(site=frame["site"].astype(str))
    oracle = MetricFrame(
        metrics={
            "risk": lambda y, p: sk.log_loss(y, p, labels=[0, 1]),
            "accuracy": lambda y, p: sk.accuracy_score(y, p > 0.5),
            "brier": lambda y, p: sk.brier_score_loss(y, p, labels=[0, 1]),
        },
        y_true=truth,
        y_pred=proba,
        sensitive_features=columns.reset_index(drop=True),
    ).by_group
    assert len(report.groups) == len(oracle) == 12
    for row in report.groups:
        label, sex, site = row.group.values
        expected = oracle.loc[(label, sex, str(math.nan if site is None else site))]
        for metric in ("risk", "accuracy", "brier"):
            assert getattr(row, metric).value == pytest.approx(expected[metric], abs=1e-12), (row.name, metric)
        assert row.recall == row.accuracy
    assert report.balanced_risk.value == pytest.approx(oracle["risk"].mean())
    assert report.worst_risk.value == pytest.approx(oracle["risk"].max())
    assert report.gap.value == pytest.approx(oracle["risk"].max() - oracle["risk"].min())


def test_segments_agree_with_fairlearn_and_the_last_one_with_sklearn() -> None:
    frame = mixed_table()
    report = report_of(frame, n_bootstrap=0)
    truth, proba = (frame["income"] == "high").astype(int).to_numpy(), frame["new"].to_numpy()
    functions = {
        "risk": lambda y, p: sk.log_loss(y, p, labels=[0, 1]),
        "accuracy": lambda y, p: sk.accuracy_score(y, p > 0.5),
        "recall": lambda y, p: sk.recall_score(y, p > 0.5),
        "auc": sk.roc_auc_score,
        "average_precision": sk.average_precision_score,
        "brier": sk.brier_score_loss,
    }
    columns = frame[["sex"]].assign(site=frame["site"].astype(str)).reset_index(drop=True)
    oracle = MetricFrame(metrics=functions, y_true=truth, y_pred=proba, sensitive_features=columns)
    for row in report.segments[:-1]:
        sex, site = row.group.values
        expected = oracle.by_group.loc[(sex, str(math.nan if site is None else site))]
        for metric in functions:
            assert getattr(row, metric).value == pytest.approx(expected[metric], abs=1e-12), (row.name, metric)
    for metric, function in functions.items():
        assert getattr(report.segments[-1], metric).value == pytest.approx(function(truth, proba), abs=1e-12)
    assert report.mean_risk.value == pytest.approx(sk.log_loss(truth, proba))


def test_several_classes_agree_with_sklearn() -> None:
    y_true, proba, groups = several_classes()
    report = group_report(y_true, proba, groups=groups, n_bootstrap=50)
    for row, inside in zip(report.segments, [groups == "x", groups == "y", groups != ""], strict=True):
        y, p = y_true[inside], proba.to_numpy()[inside]
        truth = np.array([[label == name for name in "abc"] for label in y]).astype(int)
        predicted = np.array(list("abc"))[p.argmax(axis=1)]
        expected = {
            "risk": sk.log_loss(y, p, labels=list("abc")),
            "accuracy": sk.accuracy_score(y, predicted),
            "recall": sk.recall_score(y, predicted, average="macro"),
            "auc": sk.roc_auc_score(y, p, multi_class="ovr", average="macro"),
            "average_precision": sk.average_precision_score(truth, p, average="macro"),
            "brier": ((p - truth) ** 2).sum(axis=1).mean(),
        }
        for metric, value in expected.items():
            interval = getattr(row, metric)
            assert interval.value == pytest.approx(value, abs=1e-12), metric
            assert interval.low < interval.value < interval.high, metric
        assert row.n_positive is None
    assert len(report.groups) == 6


def test_an_array_with_classes_says_the_same_as_a_frame() -> None:
    y_true, proba, groups = several_classes()
    as_array = group_report(y_true, proba.to_numpy(), classes=["a", "b", "c"], groups=groups, n_bootstrap=20)
    assert as_array.to_json() == group_report(y_true, proba, groups=groups, n_bootstrap=20).to_json()


def test_without_group_columns_the_groups_are_the_classes() -> None:
    frame = mixed_table()
    report = report_of(frame, groups=None)
    assert [row.name for row in report.groups] == ["income=high", "income=low"]
    assert [row.name for row in report.segments] == ["all rows"]
    assert [row.n_positive for row in report.groups] == [(frame["income"] == "high").sum(), 0]


def test_a_single_value_of_the_group_column_still_has_its_segment() -> None:
    frame = mixed_table(300)
    report = report_of(frame, groups=pd.Series("here", index=frame.index, name="site"))
    assert [row.name for row in report.segments] == ["site=here", "all rows"]
    assert report.segments[0].auc == report.segments[1].auc


def test_undefined_metrics_stay_nan_and_counts_are_shown() -> None:
    y_true = ["no"] * 6 + ["yes", "no", "yes", "no"]
    proba = np.linspace(0.05, 0.95, 10)
    report = group_report(y_true, proba, groups=["u"] * 6 + ["v"] * 4, n_bootstrap=50)
    unlabelled = report.segments[0]
    assert (unlabelled.n_rows, unlabelled.n_positive) == (6, 0)
    for metric in ("recall", "auc", "average_precision"):
        interval = getattr(unlabelled, metric)
        assert math.isnan(interval.value)
        assert math.isnan(interval.low)
        assert math.isnan(interval.high)
    for row in report.groups:
        assert math.isnan(row.auc.value)
        assert math.isnan(row.calibration_error.value)
    assert report.notes == ("No rows, so no part in the balanced risk: label=yes, group=u.",)
    frame = report.to_frame()
    assert frame.loc[frame["name"] == "group=u", "auc"].isna().all()


def test_a_class_that_a_segment_lacks_leaves_macro_metrics_undefined() -> None:
    y_true, proba, groups = several_classes()
    groups = np.where((y_true == "c") & (groups == "x"), "y", groups)
    row = group_report(y_true, proba, groups=groups, n_bootstrap=0).segments[0]
    assert math.isnan(row.auc.value)
    assert math.isnan(row.average_precision.value)
    assert math.isnan(row.recall.value)
    assert row.accuracy.value > 0


def test_equal_seeds_give_equal_reports_and_others_do_not() -> None:
    frame = mixed_table(500)
    first = report_of(frame, random_state=1).to_json()
    assert report_of(frame, random_state=1).to_json() == first
    from_generator = report_of(frame, random_state=np.random.default_rng(1))
    assert from_generator.random_state is None
    assert dataclasses.replace(from_generator, random_state=1).to_json() == first
    assert report_of(frame, random_state=2).to_json() != first


def test_inputs_are_left_as_they_were() -> None:
    frame = mixed_table(300)
    before = frame.copy(deep=True)
    report_of(frame, baseline=frame["old"])
    pd.testing.assert_frame_equal(frame, before)


def test_every_value_lies_within_its_limits() -> None:
    report = report_of(mixed_table(), n_bootstrap=400)
    for row in all_rows(report):
        for metric in METRICS:
            interval = getattr(row, metric)
            if not math.isnan(interval.value):
                assert interval.low <= interval.value <= interval.high, (row.name, metric)
    for interval in (report.balanced_risk, report.mean_risk, report.worst_risk, report.gap):
        assert interval.low < interval.value < interval.high


def test_limits_of_the_risk_are_close_to_normal_theory() -> None:
    frame = mixed_table(4000)
    row = report_of(frame, groups=None, n_bootstrap=1000).segments[0]
    p = np.where(frame["income"] == "high", frame["new"], 1 - frame["new"]).clip(1e-15)
    standard_error = np.log(p).std() / math.sqrt(len(frame))
    assert (row.risk.high - row.risk.low) / (2 * 1.96 * standard_error) == pytest.approx(1, abs=0.1)


def test_higher_confidence_gives_wider_limits() -> None:
    frame = mixed_table(500)
    narrow, wide = (report_of(frame, confidence_level=level) for level in (0.5, 0.99))
    for name in ("balanced_risk", "mean_risk", "worst_risk", "gap"):
        inner, outer = getattr(narrow, name), getattr(wide, name)
        assert outer.low < inner.low <= inner.high < outer.high


def test_balanced_risk_limits_hold_the_truth_about_as_often_as_they_say() -> None:
    held = 0
    for seed in range(150):
        rng = np.random.default_rng(seed)
        y_true = np.repeat([0, 1], [300, 60])
        proba = np.where(y_true == 1, rng.uniform(0.1, 0.9, 360), rng.uniform(0.0, 0.6, 360))
        interval = group_report(y_true, proba, n_bootstrap=200).balanced_risk
        # Means of -log(u) over U(0.1, 0.9), and of -log(1 - u) over U(0, 0.6), by the antiderivative u - u log u.
        of_positive = np.diff([u - u * np.log(u) for u in (0.1, 0.9)])[0] / 0.8
        of_negative = np.diff([u - u * np.log(u) for u in (0.4, 1.0)])[0] / 0.6
        held += interval.low <= (of_positive + of_negative) / 2 <= interval.high
    assert 0.90 * 150 <= held <= 150


def test_normal_limits_of_a_reduced_ranking_match_the_percentiles() -> None:
    frame = mixed_table(30_000)
    report = report_of(frame, groups=None, n_bootstrap=700)  # 20 million / 30,000 rows = 666 replicates
    reduced = report.segments[0].auc
    full = report_of(frame, groups=None, n_bootstrap=600).segments[0].auc
    assert reduced.value == full.value
    assert (reduced.low, reduced.high) == pytest.approx((full.low, full.high), abs=0.002)


def test_paired_differences_are_narrower_than_two_reports() -> None:
    frame = mixed_table()
    report = report_of(frame, baseline=frame["old"])
    old = report_of(frame.assign(new=frame["old"]))
    assert report.difference is not None
    for name in ("balanced_risk", "mean_risk", "worst_risk", "gap"):
        paired, new, before = (getattr(source, name) for source in (report.difference, report, old))
        assert paired.value == pytest.approx(new.value - before.value)
        assert paired.high - paired.low < math.hypot(new.high - new.low, before.high - before.low)
    for change, new_row, old_row in zip(report.difference.segments, report.segments, old.segments, strict=True):
        assert change.auc.value == pytest.approx(new_row.auc.value - old_row.auc.value)
        assert change.n_rows == new_row.n_rows


def test_a_baseline_leaves_the_rest_of_the_report_as_it_was() -> None:
    frame = mixed_table(500)
    report = report_of(frame, baseline=frame["old"])
    assert report.reliability is not None
    alone = dataclasses.replace(
        report,
        difference=None,
        baseline=None,
        gain=None,
        group_gains=(),
        reliability=dataclasses.replace(report.reliability, baseline=None),
    )
    assert alone.to_json() == report_of(frame).to_json()
    assert report_of(frame).difference is None


def test_a_model_against_itself_differs_by_nothing() -> None:
    frame = mixed_table(500)
    difference = report_of(frame, baseline=frame["new"]).difference
    assert difference is not None
    for name in ("balanced_risk", "mean_risk", "worst_risk", "gap"):
        interval = getattr(difference, name)
        assert (interval.value, interval.low, interval.high) == (0, 0, 0)


def test_predicted_labels_give_accuracy_and_leave_the_baseline_without() -> None:
    frame = mixed_table(500)
    report = report_of(frame, y_pred=frame["income"], baseline=frame["old"])
    assert report.segments[-1].accuracy.value == 1.0
    assert report.difference is not None
    assert math.isnan(report.difference.segments[-1].accuracy.value)
    assert report.difference.segments[-1].risk.low < 0
    assert any("y_pred is the new model's alone" in note for note in report.notes)


def test_a_threshold_moves_accuracy_and_recall_alone() -> None:
    frame = mixed_table(500)
    half, low = report_of(frame), report_of(frame, threshold=0.2)
    assert low.segments[-1].recall.value > half.segments[-1].recall.value
    assert low.segments[-1].risk == half.segments[-1].risk


def test_a_group_of_one_row_takes_the_limits_away_and_says_so() -> None:
    y_true = ["no"] * 20 + ["yes"] * 20
    report = group_report(y_true, np.linspace(0.1, 0.9, 40), groups=["v"] * 39 + ["u"], n_bootstrap=50)
    alone = next(row for row in report.groups if row.n_rows == 1)
    assert math.isnan(alone.risk.low)
    assert alone.accuracy.low < alone.accuracy.value  # Wilson's limits need no spread
    for interval in (report.balanced_risk, report.worst_risk, report.gap):
        assert math.isfinite(interval.value)
        assert math.isnan(interval.low)
    assert math.isfinite(report.mean_risk.low)
    assert any("One row only: label=yes, group=u" in note for note in report.notes)


def test_no_replicates_give_values_without_limits() -> None:
    report = report_of(mixed_table(300), n_bootstrap=0)
    for row in all_rows(report):
        assert all(math.isnan(getattr(row, metric).low) for metric in METRICS)
    assert "without limits" in str(report)


def test_groups_below_the_limit_are_marked() -> None:
    report = report_of(mixed_table(), small_group=150)
    assert {row.is_small for row in all_rows(report)} == {True, False}
    assert all(row.is_small == (row.n_rows < 150) for row in all_rows(report))


def test_json_is_strict_and_holds_every_number() -> None:
    frame = mixed_table(300)
    report = report_of(frame, baseline=frame["old"])

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    content = json.loads(report.to_json(), parse_constant=refuse)
    assert content["groups"][0]["auc"] == {"value": None, "low": None, "high": None}
    assert content["groups"][0]["group"] == {"income": "high", "sex": "F", "site": 1.0}
    assert content["balanced_risk"]["value"] == report.balanced_risk.value
    assert content["difference"]["gap"]["low"] == report.difference.gap.low
    assert content["worst_group"] == report.worst_group


def test_json_takes_labels_that_it_does_not_know() -> None:
    moments = pd.to_datetime(["2020-01-01", "2021-01-01"] * 5)
    content = json.loads(group_report(moments, np.linspace(0.1, 0.8, 10), n_bootstrap=0).to_json())
    assert content["classes"] == ["2020-01-01 00:00:00", "2021-01-01 00:00:00"]


def test_frame_has_one_line_per_row_of_both_tables() -> None:
    frame = mixed_table(500)
    report = report_of(frame, baseline=frame["old"])
    table = report.to_frame()
    assert len(table) == len(report.groups) + len(report.segments)
    assert table["table"].value_counts().to_dict() == {"groups": len(report.groups), "segments": len(report.segments)}
    first = table.iloc[0]
    assert (first["label"], first["group_sex"], first["group_site"]) == ("high", "F", 1.0)
    assert first["risk_high"] == report.groups[0].risk.high
    assert first["risk_difference_low"] == report.difference.groups[0].risk.low
    assert "risk_difference" not in report_of(frame).to_frame()


def test_text_fits_a_terminal_and_tells_small_and_undefined() -> None:
    frame = mixed_table(400)
    frame.loc[(frame["sex"] == "F") & frame["site"].isna(), "income"] = "low"
    text = str(report_of(frame, baseline=frame["old"]))
    assert max(map(len, text.splitlines())) <= 120
    assert "income=high, sex=M, site=missing *" in text
    assert "* fewer than 100 rows" in text
    assert "- undefined: needs rows of both labels" in text
    assert "Against the baseline" in text
    assert "nan" not in text


def test_long_group_names_wrap_instead_of_being_cut() -> None:
    frame = mixed_table(400)
    name = "a very long description of the first group with a reason"
    groups = frame["sex"].map({"F": name, "M": "short"})
    lines = str(report_of(frame, groups=groups)).splitlines()
    assert max(map(len, lines)) <= 120
    assert name in " ".join(line[:40].strip() for line in lines)


def test_a_report_survives_pickling() -> None:
    report = report_of(mixed_table(300))
    assert str(pickle.loads(pickle.dumps(report))) == str(report)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_bootstrap": -1}, "n_bootstrap=-1 is no count"),
        ({"n_bootstrap": 10.5}, "n_bootstrap=10.5 is no count"),
        ({"small_group": True}, "small_group=True is no count"),
        ({"confidence_level": 95}, "confidence_level=95 is no share"),
        ({"random_state": "x"}, "random_state='x'"),
    ],
)
def test_wrong_options_are_config_errors(options: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        group_report(["a", "b"], [0.1, 0.9], **options)


def test_a_continuous_group_column_is_a_data_error_that_says_how_to_bin() -> None:
    frame = mixed_table(500)
    with pytest.raises(DataError, match=r"make 500 groups of 500 rows.*pandas\.cut"):
        report_of(frame, groups=np.arange(500) / 7)


def test_impossible_baseline_is_named_in_the_error() -> None:
    frame = mixed_table(300)
    with pytest.raises(DataError, match="baseline ranges from"):
        report_of(frame, baseline=frame["old"] * 5)
    with pytest.raises(DataError, match="baseline has 299"):
        report_of(frame, baseline=frame["old"].iloc[1:])


def test_the_front_door_gives_the_function_even_after_its_module_was_imported() -> None:
    assert autosynth.group_report is group_report


def test_importing_the_module_loads_neither_sklearn_nor_scipy() -> None:
    code = "import sys, autosynth.group_reports; print(sorted({'sklearn', 'scipy', 'torch'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
