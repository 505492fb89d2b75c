"""The comparison of arms: what counts as a gain, and what the command line prints."""

from __future__ import annotations

import json
import logging
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("autogluon.tabular")

from autogluon.core.utils import infer_problem_type
from autogluon.tabular.configs.hyperparameter_configs import hyperparameter_config_dict
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score

from autosynth.calibration import correct_prior
from autosynth.cli import main
from autosynth.decision import PriorShift, best_threshold
from autosynth.exceptions import ConfigError, DataError, GenerationError, TooFewRowsError
from autosynth.segments import Segments
from autosynth.toy import overlapping_classes, shortcut_table
from autosynth_autogluon.arms import FittedArm
from autosynth_autogluon.asked import asked
from autosynth_autogluon.comparison import compare_arms
from autosynth_autogluon.fit_facts import FitFacts, fold_notes
from autosynth_autogluon.fold_record import FoldRecord
from autosynth_autogluon.judgement import judge
from autosynth_autogluon.scorers import balanced_log_loss, worst_class_log_loss, worst_class_recall
from tests.core.browser import open_browser

pytestmark = pytest.mark.filterwarnings("ignore")

QUICK = {"GBM": {"num_boost_round": 20}, "LR": {}}
SEQUENTIAL = {"ag_args_ensemble": {"fold_fitting_strategy": "sequential_local"}, "num_cpus": 1, "num_gpus": 0}


@pytest.fixture
def scored():
    """Labels with 10 % positives and probabilities that rank them well."""
    rng = np.random.default_rng(0)
    labels = pd.Series(np.where(rng.random(4000) < 0.1, "yes", "no"))
    score = rng.normal(np.where(labels == "yes", 1.5, 0.0), 1.0)
    odds = 0.1 / 0.9 * np.exp(1.5 * score - 1.5**2 / 2)  # the true posterior odds
    positive = odds / (1 + odds)
    return labels, pd.DataFrame({"no": 1 - positive, "yes": positive})


def one_segment(frame):
    return np.zeros(len(frame), dtype=np.int64)


def test_the_fitted_shift_finds_the_prior_correction(scored):
    labels, proba = scored
    fitted = PriorShift.fit(labels, proba, one_segment(labels)).apply(proba, one_segment(labels))
    closed = PriorShift.from_priors(labels, proba, one_segment(labels)).apply(proba, one_segment(labels))
    np.testing.assert_allclose(fitted["yes"], closed["yes"], atol=0.05)


def test_the_closed_form_is_bayes_rule(scored):
    labels, proba = scored
    shares = labels.value_counts(normalize=True).reindex(["no", "yes"])
    closed = PriorShift.from_priors(labels, proba, one_segment(labels)).apply(proba, one_segment(labels))
    by_bayes = correct_prior(proba, trained=shares, target=[0.5, 0.5])
    np.testing.assert_allclose(closed, by_bayes, atol=1e-6)


def test_the_threshold_has_the_best_balanced_accuracy_of_all(scored):
    labels, proba = scored
    chosen = best_threshold(labels, proba)

    def score(cut):
        return balanced_accuracy_score(labels, np.where(proba["yes"] > cut, "yes", "no"))

    assert score(chosen) >= max(score(cut) for cut in np.linspace(0, 1, 201)) - 1e-9


def fitted_arm(name, uses_synthetic, proba, test=None, n_synthetic=100, notes=(), folds=()):
    facts = FitFacts(n_models=1, n_synthetic=n_synthetic if uses_synthetic else 0, notes=notes)
    test = proba if test is None else test
    return FittedArm(
        name=name,
        uses_synthetic=uses_synthetic,
        validation=proba,
        test=test,
        seconds=1.0,
        facts=facts,
        folds=folds if uses_synthetic else (),
    )


def judge_arms(labels, arms, **facts):
    rows = pd.DataFrame({"y": labels, "x": 0.0})
    return judge([fitted_arm(*arm, **(facts if arm[1] else {})) for arm in arms], rows, rows, label="y")


def shifted_by(proba, factor):
    odds = proba["yes"] / proba["no"] * factor
    return pd.DataFrame({"no": 1 / (1 + odds), "yes": odds / (1 + odds)})


def test_a_mere_shift_of_the_prior_is_no_gain(scored):
    labels, proba = scored
    report = judge_arms(labels, [("plain", False, proba), ("in-fold x", True, shifted_by(proba, 9.0))])
    assert report.winner is None
    as_it_comes = {arm.name: arm.report.balanced_risk.value for arm in report.arms}
    assert as_it_comes["in-fold x"] < 0.8 * as_it_comes["plain"]  # it would have looked like one


def test_a_better_ranking_wins_and_a_worse_one_loses(scored):
    labels, proba = scored
    noise = np.random.default_rng(1).normal(size=len(labels))
    worse = shifted_by(proba, np.exp(noise))
    assert judge_arms(labels, [("plain", False, worse), ("in-fold x", True, proba)]).winner == "in-fold x"
    assert judge_arms(labels, [("plain", False, proba), ("in-fold x", True, worse)]).winner == "plain"


def worse_than(proba, seed=1):
    return shifted_by(proba, np.exp(np.random.default_rng(seed).normal(size=len(proba))))


def gains_of(report):
    return {arm.name: arm.gain for arm in report.arms}


def test_a_mere_shift_gains_the_shift_and_no_ranking(scored):
    labels, proba = scored
    report = judge_arms(labels, [("plain", False, proba), ("in-fold x", True, shifted_by(proba, 9.0))])
    gains = gains_of(report)
    gain = gains["in-fold x"]
    assert gain.is_mere_shift
    assert gain.step("ranking").nats.value == pytest.approx(0, abs=1e-4)
    assert gain.sentence == (
        f"All of the {gain.total.nats.value:.3f} nats gained are a mere shift of the prior, such as plain training "
        "gets by moving its threshold."
    )
    assert gain.sentence in str(report)
    assert gains["plain, prior corrected"].is_mere_shift
    assert gains["plain"] is None
    assert gains["plain, threshold tuned"] is None


def test_steps_of_every_arm_add_up_to_its_difference_from_plain(scored):
    labels, proba = scored
    arms = [("plain", False, worse_than(proba)), ("balanced weights", False, worse_than(proba, 2)), ("in", True, proba)]
    report = judge_arms(labels, arms)
    for arm in report.arms:
        change = arm.report.difference.balanced_risk
        if arm.gain is None:
            assert change.value == 0
            continue
        total = arm.gain.total.nats
        assert sum(step.nats.value for step in arm.gain.steps) == pytest.approx(total.value, abs=1e-12)
        assert (total.value, total.low, total.high) == pytest.approx((-change.value, -change.high, -change.low))
    fair = report.arms[-1].shifted.difference.balanced_risk
    ranking = report.arms[-1].gain.step("ranking").nats
    assert (ranking.value, ranking.low, ranking.high) == pytest.approx((-fair.value, -fair.high, -fair.low))


def test_what_class_weights_give_is_no_gain_of_synthetic_rows(scored):
    labels, proba = scored
    arms = [("plain", False, worse_than(proba)), ("balanced weights", False, proba), ("in-fold x", True, proba)]
    gains = gains_of(judge_arms(labels, arms))
    names = [step.name for step in gains["balanced weights"].steps]
    assert names == ["baseline_shift", "class_weights", "own_shift"]
    assert gains["in-fold x"].step("class_weights").verdict == "gain"
    assert gains["in-fold x"].step("ranking").nats.value == pytest.approx(0, abs=1e-12)
    assert "by class weights; the rest" in gains["in-fold x"].sentence


def test_a_zero_probability_gains_nothing_by_a_shift(scored):
    labels, proba = scored
    proba = proba.copy()
    proba.iloc[np.flatnonzero(labels == "yes")[:3]] = [1.0, 0.0]
    gain = gains_of(judge_arms(labels, [("plain", False, proba), ("in-fold x", True, proba + 0)]))
    assert gain["plain, prior corrected"].step("baseline_shift").nats.value < 1


def record(model="LR", **facts):
    known = {"n_real": 50, "generator": "smote", "groups": {"y=no": 40, "y=yes": 10}}
    return FoldRecord.of(model, "S1F1", {**known, **facts})


FOLDS = (
    record(n_synthetic=30, rows_added={"y=yes": 30}, generator_fit_s=1.5, refusals={"outside <b>": 2}),
    record(
        n_synthetic=29,
        rows_added={"y=yes": 29},
        cached=True,
        checks={
            "passed": False,
            "n_checks": 9,
            "failures": [{"name": "copies", "subject": "<script>", "severity": "critical", "message": "<script> row"}],
        },
    ),
    record("GBM", n_synthetic=0, left_plain="out of time"),
)
HOSTILE = "<script>document.title='owned'</script>"


def hostile_report(scored, folds=FOLDS):
    labels, proba = scored
    labels = labels.replace("yes", HOSTILE).iloc[:1500]
    proba = proba.rename(columns={"yes": HOSTILE}).iloc[:1500]
    rows = pd.DataFrame({f"y {HOSTILE}": labels, f"site {HOSTILE}": np.where(np.arange(1500) % 3, HOSTILE, "here")})
    moved = shifted_by(proba.rename(columns={HOSTILE: "yes"}), 5.0).rename(columns={"yes": HOSTILE})
    arms = [
        fitted_arm("plain", False, proba),
        fitted_arm("balanced weights", False, moved),
        fitted_arm(f"in-fold {HOSTILE}", True, moved, folds=folds, notes=(f"Arm: {HOSTILE}.",)),
    ]
    report = judge(arms, rows, rows, label=f"y {HOSTILE}", group_by=[f"site {HOSTILE}"], random_state=7)
    return replace(report, settings={"label": HOSTILE}, versions={"autosynth": "1"})


def test_the_page_shows_verdict_gains_folds_and_the_seed(scored, tmp_path):
    report = hostile_report(scored)
    page = report.to_html(tmp_path / "page.html").read_text(encoding="utf-8")
    assert re.findall(r"<h2[^>]*>(.*?)</h2>", page) == [
        "Arms side by side",
        "Risk by group, after the shift",
        "Where the gain comes from",
        "Risk by group, as it comes",
        "Reliability before and after",
        "What the folds did",
        "Notes, and how to repeat it",
    ]
    assert "29 to 30" in page
    assert "2 of 3 model folds trained on synthetic rows" in page
    assert "The rows of 0 of 1 model folds passed" in page
    assert "out of time: 1 model folds" in page
    assert re.search(r"random_state</dt>\s*<dd[^>]*>7<", page)
    assert len(page) < 1_000_000


def test_planted_scripts_do_not_run_on_the_page(scored, tmp_path):
    target = hostile_report(scored).to_html(tmp_path / "page.html")
    assert "<script" not in target.read_text(encoding="utf-8")
    with open_browser() as browser:
        for width in (390, 1200):
            with browser.visit(target, width=width) as visit:
                assert visit.evaluate("document.title").startswith("autosynth fit")
                assert visit.console == []
                assert visit.requests == []
                assert visit.width <= width


def test_the_page_never_calls_a_mere_shift_a_gain(scored, tmp_path):
    labels, proba = scored
    report = judge_arms(labels, [("plain", False, proba), ("in-fold x", True, shifted_by(proba, 9.0))])
    page = report.to_html(tmp_path / "page.html").read_text(encoding="utf-8")
    assert 'class="verdict good"' not in page
    assert "no reason to rebalance" in page
    assert "No model recorded what happened in its folds." in page


@pytest.mark.parametrize(
    ("plain", "ours", "n_synthetic", "said"),
    [
        ("worse", "good", 9, "synthetic rows help"),
        ("good", "worse", 9, "synthetic rows harm"),
        ("good", "worse", 0, "no verdict"),
    ],
)
def test_the_page_leads_with_the_verdict(scored, tmp_path, plain, ours, n_synthetic, said):
    labels, proba = scored
    models = {"good": proba, "worse": worse_than(proba)}
    report = judge_arms(
        labels, [("plain", False, models[plain]), ("in-fold x", True, models[ours])], n_synthetic=n_synthetic
    )
    page = report.to_html(tmp_path / "page.html").read_text(encoding="utf-8")
    assert said in page.partition("</header>")[0]


def test_no_secret_and_no_row_is_told_of_what_was_asked():
    told = asked(
        {
            "label": "ill",
            "generator_options": {"api_key": "hush", "nested": {"token": "hush"}, "max_tokens": 5},
            "rebalanced_options": {"groups": pd.Series(["a patient"])},
            "hyperparameters": {},
            "presets": None,
        }
    )
    assert set(told) == {"label", "generator_options", "rebalanced_options"}
    assert "hush" not in str(told)
    assert "patient" not in str(told)
    assert "'max_tokens': 5" in told["generator_options"]
    assert "a Series" in told["rebalanced_options"]


def test_the_reference_is_the_best_arm_without_synthetic_rows(scored):
    labels, proba = scored
    worse = shifted_by(proba, np.exp(np.random.default_rng(1).normal(size=len(labels))))
    report = judge_arms(
        labels, [("plain", False, worse), ("balanced weights", False, proba), ("in-fold x", True, proba)]
    )
    assert report.reference == "balanced weights"
    assert report.winner is None


def test_group_specific_priors_are_corrected_before_a_gain_counts():
    frame = shortcut_table(400)
    segments = Segments.from_frame(frame, "ill", ["hospital"])
    codes = segments.codes(frame.assign(hospital=["north", "elsewhere"] * 200))
    assert set(codes) == {0, -1}
    proba = pd.DataFrame({"no": 0.5, "yes": 0.5}, index=frame.index)
    shift = PriorShift.from_priors(frame["ill"], proba, segments.codes(frame))
    assert shift.offsets.shape == (3, 2)
    assert len(shift.apply(proba, codes)) == 400


def test_rows_that_autogluon_dropped_or_repeated_are_matched_by_index(scored):
    labels, proba = scored
    messy = pd.concat([proba.iloc[5:], proba.iloc[5:8]]).sample(frac=1.0, random_state=0)
    rows = pd.DataFrame({"y": labels, "x": 0.0})
    arms = [fitted_arm("plain", False, messy, proba), fitted_arm("in-fold x", True, proba)]
    report = judge(arms, rows, rows, label="y")
    plain, rebalanced = report.arms[1], report.arms[-1]
    assert plain.threshold == pytest.approx(rebalanced.threshold)
    assert plain.shifted.balanced_risk.value == pytest.approx(rebalanced.shifted.balanced_risk.value)
    assert any(note.startswith("5 training rows have no validation prediction") for note in report.notes)


def test_rows_without_a_prediction_in_one_arm_tune_no_arm(scored):
    labels, proba = scored
    holed = proba.copy()
    holed.iloc[:3] = np.nan
    report = judge_arms(labels, [("plain", False, proba), ("in-fold x", True, holed.fillna(0.5))])
    rows = pd.DataFrame({"y": labels, "x": 0.0})
    arms = [fitted_arm("plain", False, holed, proba), fitted_arm("in-fold x", True, shifted_by(proba, 9.0))]
    with_holes = judge(arms, rows, rows, label="y")
    assert with_holes.arms[0].shifted.balanced_risk.value == pytest.approx(
        report.arms[0].shifted.balanced_risk.value, abs=0.01
    )
    assert any(note.startswith("3 training rows") for note in with_holes.notes)


def test_a_class_without_any_validation_prediction_is_an_error(scored):
    labels, proba = scored
    rows = pd.DataFrame({"y": labels, "x": 0.0})
    arms = [fitted_arm("plain", False, proba[labels == "no"], proba), fitted_arm("in-fold x", True, proba)]
    with pytest.raises(GenerationError, match=r"no training row of the classes \['yes'\]"):
        judge(arms, rows, rows, label="y")


def test_a_segment_without_validation_rows_is_shifted_as_all_rows(scored):
    labels, proba = scored
    rows = pd.DataFrame({"y": labels, "site": np.where(np.arange(len(labels)) < 20, "small", "large"), "x": 0.0})
    arms = [fitted_arm("plain", False, proba.iloc[20:], proba), fitted_arm("in-fold x", True, proba)]
    report = judge(arms, rows, rows, label="y", group_by=["site"])
    assert np.isfinite(report.arms[0].shifted.balanced_risk.value)


def test_a_shift_refuses_probabilities_that_are_no_numbers(scored):
    labels, proba = scored
    proba = proba.copy()
    proba.iloc[0, 0] = np.nan
    with pytest.raises(DataError, match="1 of 4000 rows have probabilities that are missing"):
        PriorShift.fit(labels, proba, one_segment(labels))


def test_a_shift_refuses_labels_without_probabilities(scored):
    labels, proba = scored
    with pytest.raises(DataError, match=r"labels \['maybe'\] have no probabilities"):
        PriorShift.fit(labels.replace("no", "maybe"), proba, one_segment(labels))


def test_small_segments_are_shrunk_towards_all_rows_and_large_ones_are_not(scored):
    labels, proba = scored
    crooked = proba.copy()
    segments = np.zeros(len(labels), dtype=np.int64)
    few = np.r_[np.flatnonzero(labels == "yes")[:3], np.flatnonzero(labels == "no")[:17]]
    many = np.arange(2000, 4000)
    segments[many], segments[few] = 1, 2
    crooked.loc[segments > 0] = shifted_by(proba, 9.0)  # the same fault in a large and in a small segment
    base, large, small, pooled = PriorShift.fit(labels, crooked, segments).offsets[:, 1]
    alone = PriorShift.fit(labels[few], crooked.iloc[few], one_segment(few)).offsets[0, 1]
    assert base - large == pytest.approx(np.log(9.0), abs=0.5)
    assert abs(small - pooled) < 0.7 * abs(alone - pooled)


def test_no_synthetic_row_means_no_verdict(scored):
    labels, proba = scored
    worse = shifted_by(proba, np.exp(np.random.default_rng(1).normal(size=len(labels))))
    report = judge_arms(
        labels,
        [("plain", False, worse), ("in-fold x", True, proba)],
        n_synthetic=0,
        notes=("Arm 'in-fold x': 5 of 5 model folds trained on real rows alone (out of time).",),
    )
    assert report.winner is None
    assert report.verdict.startswith("No verdict: no synthetic row trained")
    assert "out of time" in str(report)


def test_decisions_are_tuned_alike_for_three_classes():
    rng = np.random.default_rng(0)
    labels = pd.Series(rng.choice(["a", "b", "c"], p=[0.8, 0.15, 0.05], size=3000))
    scores = rng.normal(size=(3000, 3)) + 1.5 * (labels.to_numpy()[:, None] == np.array(["a", "b", "c"]))
    odds = np.exp(1.5 * scores) * [0.8, 0.15, 0.05]
    proba = pd.DataFrame(odds / odds.sum(axis=1, keepdims=True), columns=["a", "b", "c"])
    tilted = proba * [1.0, 5.0, 16.0]
    tilted = tilted.div(tilted.sum(axis=1), axis=0)
    report = judge_arms(labels, [("plain", False, proba), ("in-fold x", True, tilted)])
    accuracy = {arm.name: arm.balanced_accuracy for arm in report.arms}
    assert list(accuracy) == ["plain", "plain, thresholds tuned", "plain, prior corrected", "in-fold x"]
    assert accuracy["plain"] < accuracy["in-fold x"] - 0.1
    assert accuracy["plain, thresholds tuned"] == pytest.approx(accuracy["in-fold x"], abs=0.01)
    assert set(report.arms[0].class_offsets.values()) == {0.0}
    assert report.arms[1].class_offsets["c"] > report.arms[1].class_offsets["b"] > 0


def test_scorers_agree_with_their_definition():
    labels, positive = np.array([0, 0, 0, 1]), np.array([0.1, 0.2, 0.3, 0.4])
    risks = [-np.log([0.9, 0.8, 0.7]).mean(), -np.log(0.4)]
    assert balanced_log_loss(labels, positive) == pytest.approx(-np.mean(risks))  # AutoGluon maximises
    assert worst_class_log_loss(labels, positive) == pytest.approx(-max(risks))
    assert worst_class_recall(labels, (positive > 0.25).astype(int)) == pytest.approx(2 / 3)


def test_notes_of_folds_are_told_once_with_their_span():
    folds = [
        {"n_synthetic": 9, "notes": {"no gain (0.002 nats)": 9, "x1 copied": 9}},
        {"n_synthetic": 8, "notes": {"no gain (0.010 nats)": 8, "x2 copied": 8}, "refusals": {"outside": 1}},
        {"n_synthetic": 0, "left_plain": "out of time."},
    ]
    assert fold_notes(folds) == [
        "1 of 3 model folds trained on real rows alone (out of time)",
        "rows refused: outside (1 per fold, in 1 of 3 model folds)",
        "the generator notes: no gain (0.002 to 0.010 nats) (8 to 9 per fold, in 2 of 3 model folds)",
        "the generator notes: x1 copied (9 per fold, in 1 of 3 model folds)",
        "the generator notes: x2 copied (8 per fold, in 1 of 3 model folds)",
    ]


def test_compare_arms_fits_three_predictors_and_reports_every_group(tmp_path):
    train = shortcut_table(500, minority_share=0.2)
    report = compare_arms(
        train, label="ill", group_by=["hospital"], path=tmp_path, hyperparameters=QUICK, fit_options=SEQUENTIAL
    )
    assert [arm.name for arm in report.arms] == [
        "plain",
        "plain, threshold tuned",
        "plain, prior corrected",
        "balanced weights",
        "in-fold smote",
    ]
    assert len(report.groups_frame()) == 4
    assert report.n_train + report.n_test == 500
    assert {(fold.model[:8], fold.generator) for fold in report.folds} >= {("LightGBM", "smote")}
    assert all(sum(fold.rows_added.values()) == fold.n_synthetic > 0 for fold in report.folds)
    assert all(sum(fold.groups.values()) == fold.n_real for fold in report.folds)
    assert report.random_state == 0
    assert report.settings["group_by"] == "['hospital']"
    assert "autogluon.tabular" in report.versions
    page = report.to_html(tmp_path / "page.html").read_text(encoding="utf-8")
    (tmp_path / "page.html").unlink()
    assert f"In &#39;in-fold smote&#39;, {len(report.folds)} of {len(report.folds)} model folds trained" in page
    assert {folder.name for folder in tmp_path.iterdir()} == {"plain", "balanced-weights", "in-fold-smote"}
    assert report.verdict in str(report)
    json.dumps(report.to_dict(), allow_nan=False)


def test_three_classes_and_a_given_test_set(tmp_path):
    frame = overlapping_classes(500, minority_share=0.2, n_features=4)
    frame.loc[frame.index[::5], "target"] = 2
    report = compare_arms(
        frame.head(350),
        test=frame.tail(150),
        label="target",
        path=tmp_path,
        hyperparameters={"GBM": {"num_boost_round": 10}},
        num_bag_folds=2,
        fit_options=SEQUENTIAL,
    )
    assert report.n_test == 150
    assert all(arm.threshold is None and set(arm.class_offsets) == {"0", "1", "2"} for arm in report.arms)
    json.dumps(report.to_dict(), allow_nan=False)


def test_whole_numbers_as_class_names_are_no_quantity_to_autogluon(tmp_path):
    frame = overlapping_classes(90, minority_share=0.3, n_features=2)
    frame["target"] = np.arange(90) % 9
    assert infer_problem_type(frame["target"].head(60), silent=True) == "regression"
    report = compare_arms(
        frame.head(60),
        test=frame.tail(30),
        label="target",
        path=tmp_path,
        hyperparameters={"LR": {}},
        num_bag_folds=2,
        fit_options=SEQUENTIAL,
    )
    assert len(report.arms[0].class_offsets) == 9


def test_classes_smaller_than_the_folds_are_refused_before_any_fit(tmp_path):
    frame = overlapping_classes(100, minority_share=0.2, n_features=2)
    frame["target"] = frame["target"].map({0: "no", 1: "yes"})
    frame.loc[frame.index[:3], "target"] = "rare"
    with pytest.raises(TooFewRowsError, match=r"for 5 folds: 'rare' \(3\)"):
        compare_arms(frame, test=frame, label="target", path=tmp_path / "fits")
    assert not (tmp_path / "fits").exists()


def test_a_class_of_few_rows_is_kept_and_judged(tmp_path):
    frame = overlapping_classes(400, minority_share=0.2, n_features=2)
    frame["target"] = frame["target"].map({0: "no", 1: "yes"})
    frame.loc[frame.index[:4], "target"] = "rare"  # fewer than 10: AutoGluon would drop the class by default
    report = compare_arms(
        frame.sample(frac=1.0, random_state=0),
        test=frame,
        label="target",
        path=tmp_path,
        hyperparameters={"LR": {}},
        num_bag_folds=2,
        eval_metric="accuracy",
        fit_options=SEQUENTIAL,
    )
    assert set(report.arms[0].class_offsets) == {"no", "rare", "yes"}
    assert not any("no validation prediction" in note for note in report.notes)


def test_test_rows_with_an_unknown_label_are_refused_before_any_fit():
    train = shortcut_table(100)
    with pytest.raises(DataError, match=r"labels that no training row has: \['maybe'\]"):
        compare_arms(train, test=train.assign(ill="maybe"), label="ill")


def test_failed_models_and_plain_families_are_reported(tmp_path):
    report = compare_arms(
        shortcut_table(300, minority_share=0.3),
        label="ill",
        path=tmp_path,
        generator="ros",
        hyperparameters={"LR": {}, "GBM": {"num_boost_round": 5, "boosting": "nonsense"}},
        num_bag_folds=2,
        fit_options=SEQUENTIAL,
    )
    assert report.arms[-1].name == "in-fold ros"
    failed = [note for note in report.notes if "1 model failed" in note]
    assert len(failed) == 3
    assert all("Unknown boosting type nonsense" in note for note in failed)


def test_with_auto_every_fold_of_the_third_arm_has_a_race(tmp_path):
    options = {"generators": ["smote"], "learner": LogisticRegression(), "cv": 2}
    report = compare_arms(
        shortcut_table(300, minority_share=0.3),
        label="ill",
        path=tmp_path,
        generator="auto",
        generator_options=options,
        hyperparameters={"LR": {}},
        num_bag_folds=2,
        fit_options=SEQUENTIAL,
    )
    assert report.arms[-1].name == "in-fold auto"
    assert "race" in " ".join(report.notes)
    assert report.to_dict()["settings"]["generator"] == "auto"
    with pytest.raises(ConfigError, match="generator='auto' has no such setting"):
        compare_arms(shortcut_table(100), label="ill", generator="auto", generator_options={"k_neighbors": 3})


def test_an_arm_that_stayed_plain_gets_no_verdict(tmp_path):
    report = compare_arms(
        shortcut_table(300, minority_share=0.3),
        label="ill",
        path=tmp_path,
        hyperparameters={"LR": {}},
        num_bag_folds=2,
        rebalanced_options={"ratio": 0.01},
        fit_options=SEQUENTIAL,
    )
    assert report.winner is None
    assert report.verdict.startswith("No verdict")
    assert any("2 of 2 model folds trained on real rows alone" in note for note in report.notes)


def test_when_every_model_fails_the_first_failure_is_told(tmp_path):
    with pytest.raises(GenerationError, match="Unknown boosting type nonsense"):
        compare_arms(
            shortcut_table(300, minority_share=0.3),
            label="ill",
            path=tmp_path,
            hyperparameters={"GBM": {"num_boost_round": 5, "boosting": "nonsense"}},
            num_bag_folds=2,
            fit_options=SEQUENTIAL,
        )


def test_a_quantity_as_label_is_refused():
    with pytest.raises(ValueError, match="reads as a quantity"):
        compare_arms(shortcut_table(100), label="severity", group_by="hospital")


def test_a_group_of_one_row_needs_test_rows():
    train = shortcut_table(60).assign(ill=["rare", *["no"] * 59])
    with pytest.raises(ValueError, match="groups of one row cannot be split"):
        compare_arms(train, label="ill")


def test_the_fit_command_prints_the_arms_and_writes_a_page(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(hyperparameter_config_dict, "toy", QUICK)  # without its neural network, which takes a minute
    shortcut_table(400, minority_share=0.3).to_csv("train.csv", index=False)
    arguments = ["fit", "train.csv", "--label", "ill", "--hyperparameters", "toy", "--folds", "2", "--time-limit", "30"]
    arguments += ["--check", "drop"]
    with pytest.raises(SystemExit) as exit_info:
        main([*arguments, "--out", "fits", "--report", "arms.html", "--json"])
    assert exit_info.value.code == 0
    captured = capsys.readouterr()
    assert re.search(r"fitted plain in \d+ s", captured.err)
    printed = json.loads(captured.out)
    assert len(printed["arms"]) == 5
    assert "'check': 'drop'" in printed["settings"]["rebalanced_options"]
    assert "Where the gain comes from" in (tmp_path / "arms.html").read_text(encoding="utf-8")


def test_a_report_of_another_kind_is_refused_before_any_fit(tmp_path, capsys):
    with pytest.raises(SystemExit) as exit_info:
        main(["fit", "no-such-file.csv", "--label", "ill", "--report", str(tmp_path / "arms.pdf")])
    assert exit_info.value.code == 2
    assert "arms.pdf' does not end in .html or .json" in capsys.readouterr().err


def test_a_time_limit_too_short_for_any_model_is_one_clear_error(tmp_path, capsys):
    shortcut_table(200, minority_share=0.3).to_csv(tmp_path / "train.csv", index=False)
    arguments = ["fit", str(tmp_path / "train.csv"), "--label", "ill", "--time-limit", "0.01"]
    with pytest.raises(SystemExit) as exit_info:
        main([*arguments, "--out", str(tmp_path / "fits")])
    assert exit_info.value.code == 2
    assert "trained no model for the arm 'plain'" in capsys.readouterr().err


def test_an_existing_output_folder_is_not_overwritten(tmp_path, capsys):
    shortcut_table(100).to_csv(tmp_path / "train.csv", index=False)
    with pytest.raises(SystemExit) as exit_info:
        main(["fit", str(tmp_path / "train.csv"), "--label", "ill", "--out", str(tmp_path)])
    assert exit_info.value.code == 2
    assert "nothing is overwritten" in capsys.readouterr().err


def test_an_unwritable_report_is_found_before_any_fit(tmp_path, capsys):
    shortcut_table(100).to_csv(tmp_path / "train.csv", index=False)
    arguments = ["fit", str(tmp_path / "train.csv"), "--label", "ill", "--out", str(tmp_path / "fits")]
    with pytest.raises(SystemExit) as exit_info:
        main([*arguments, "--report", str(tmp_path / "absent" / "arms.json")])
    assert exit_info.value.code == 2
    assert "cannot be written there" in capsys.readouterr().err
    assert not (tmp_path / "fits").exists()


def interrupt(arm, seconds):
    raise KeyboardInterrupt


def test_an_interrupted_fit_says_what_it_leaves(tmp_path, capsys, monkeypatch):
    from autosynth_autogluon import commands

    def begin_and_stop(arm):
        (tmp_path / "fits" / arm).mkdir(parents=True)
        raise KeyboardInterrupt

    monkeypatch.setattr(commands, "_say", begin_and_stop)
    shortcut_table(200, minority_share=0.3).to_csv(tmp_path / "train.csv", index=False)
    with pytest.raises(SystemExit) as exit_info:
        main(["fit", str(tmp_path / "train.csv"), "--label", "ill", "--out", str(tmp_path / "fits")])
    assert exit_info.value.code == 130
    assert "holds predictors of a run that did not end (plain)" in capsys.readouterr().err


def test_an_interrupted_demo_can_be_run_again(tmp_path, capsys, monkeypatch):
    from autosynth_autogluon import commands, demo

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(demo, "SMALL_MODELS", {"LR": {}})
    monkeypatch.setattr(commands, "_say_fitted", interrupt)
    for _ in range(2):
        with pytest.raises(SystemExit) as exit_info:
            main(["demo"])
        assert exit_info.value.code == 130
        assert "no former demo's" not in capsys.readouterr().err


def test_the_demo_runs_twice_and_ends_with_a_verdict(tmp_path, capsys, monkeypatch):
    from autosynth_autogluon import demo

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(demo, "SMALL_MODELS", {"LR": {}})
    for _ in range(2):
        with pytest.raises(SystemExit) as exit_info:
            main(["demo"])
        assert exit_info.value.code == 0
        assert "winner" in capsys.readouterr().out.lower()
        written = json.loads((tmp_path / "autosynth-demo" / "comparison.json").read_text(encoding="utf-8"))
        assert written["arms"][-1]["gain"]["sentence"].endswith(".")
        assert (tmp_path / "autosynth-demo" / "comparison.html").is_file()


def test_autogluon_does_not_complain_about_absent_torch(monkeypatch, caplog):
    from autosynth_autogluon import quiet

    monkeypatch.setattr(quiet, "find_spec", lambda _: None)
    quiet.without_torch_complaint()
    talker = logging.getLogger("autogluon.common.utils.resource_utils")
    talker.error("\tFailed to import torch or check CUDA availability!")
    talker.error("something else")
    assert caplog.messages == ["something else"]
    talker.removeFilter(quiet._is_no_torch_complaint)


def test_the_demo_removes_no_folder_that_is_not_its_own(tmp_path, capsys):
    (tmp_path / "thesis.txt").write_text("three years of work")
    with pytest.raises(SystemExit) as exit_info:
        main(["demo", "--out", str(tmp_path)])
    assert exit_info.value.code == 2
    assert "no former demo's" in capsys.readouterr().err
    assert (tmp_path / "thesis.txt").exists()
