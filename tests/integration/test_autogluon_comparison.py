"""The comparison of arms: what counts as a gain, and what the command line prints."""

from __future__ import annotations

import json
import logging

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("autogluon.tabular")

from sklearn.metrics import balanced_accuracy_score

from autosynth.calibration import correct_prior
from autosynth.cli import main
from autosynth.toy import overlapping_classes, shortcut_table
from autosynth_autogluon.comparison import _Fit, _judge, compare_arms
from autosynth_autogluon.decision import PriorShift, best_threshold
from autosynth_autogluon.scorers import balanced_log_loss, worst_class_log_loss, worst_class_recall
from autosynth_autogluon.segments import Segments

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


def judge(labels, arms):
    rows = pd.DataFrame({"y": labels})
    fits = [_Fit(name, synthetic, proba, proba, 1.0) for name, synthetic, proba in arms]
    return _judge(fits, rows.assign(x=0.0), rows, "y", None, ["no", "yes"], 0)


def shifted_by(proba, factor):
    odds = proba["yes"] / proba["no"] * factor
    return pd.DataFrame({"no": 1 / (1 + odds), "yes": odds / (1 + odds)})


def test_a_mere_shift_of_the_prior_is_no_gain(scored):
    labels, proba = scored
    report = judge(labels, [("plain", False, proba), ("in-fold x", True, shifted_by(proba, 9.0))])
    assert report.winner is None
    as_it_comes = {arm.name: arm.report.balanced_risk.value for arm in report.arms}
    assert as_it_comes["in-fold x"] < 0.8 * as_it_comes["plain"]  # it would have looked like one


def test_a_better_ranking_wins_and_a_worse_one_loses(scored):
    labels, proba = scored
    noise = np.random.default_rng(1).normal(size=len(labels))
    worse = shifted_by(proba, np.exp(noise))
    assert judge(labels, [("plain", False, worse), ("in-fold x", True, proba)]).winner == "in-fold x"
    assert judge(labels, [("plain", False, proba), ("in-fold x", True, worse)]).winner == "plain"


def test_the_reference_is_the_best_arm_without_synthetic_rows(scored):
    labels, proba = scored
    worse = shifted_by(proba, np.exp(np.random.default_rng(1).normal(size=len(labels))))
    report = judge(labels, [("plain", False, worse), ("balanced weights", False, proba), ("in-fold x", True, proba)])
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


def test_scorers_agree_with_their_definition():
    labels, positive = np.array([0, 0, 0, 1]), np.array([0.1, 0.2, 0.3, 0.4])
    risks = [-np.log([0.9, 0.8, 0.7]).mean(), -np.log(0.4)]
    assert balanced_log_loss(labels, positive) == pytest.approx(-np.mean(risks))  # AutoGluon maximises
    assert worst_class_log_loss(labels, positive) == pytest.approx(-max(risks))
    assert worst_class_recall(labels, (positive > 0.25).astype(int)) == pytest.approx(2 / 3)


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
    assert all(arm.threshold is None for arm in report.arms)


def test_a_quantity_as_label_is_refused():
    with pytest.raises(ValueError, match="reads as a quantity"):
        compare_arms(shortcut_table(100), label="severity", group_by="hospital")


def test_a_group_of_one_row_needs_test_rows():
    train = shortcut_table(60).assign(ill=["rare", *["no"] * 59])
    with pytest.raises(ValueError, match="groups of one row cannot be split"):
        compare_arms(train, label="ill")


def test_the_fit_command_prints_the_arms_and_writes_json(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shortcut_table(400, minority_share=0.3).to_csv("train.csv", index=False)
    arguments = ["fit", "train.csv", "--label", "ill", "--hyperparameters", "toy", "--folds", "2", "--time-limit", "30"]
    with pytest.raises(SystemExit) as exit_info:
        main([*arguments, "--out", "fits", "--report", "arms.json", "--json"])
    assert exit_info.value.code == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((tmp_path / "arms.json").read_text())
    assert len(printed["arms"]) == 5


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


def test_the_demo_runs_twice_and_ends_with_a_verdict(tmp_path, capsys, monkeypatch):
    from autosynth_autogluon import demo

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(demo, "SMALL_MODELS", {"LR": {}})
    for _ in range(2):
        with pytest.raises(SystemExit) as exit_info:
            main(["demo"])
        assert exit_info.value.code == 0
        assert "winner" in capsys.readouterr().out.lower()


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
