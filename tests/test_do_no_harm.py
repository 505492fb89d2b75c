"""The parts of the do-no-harm benchmark, and of the one of bias correction, that decide what their tables mean."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, balanced_accuracy_score, log_loss, roc_auc_score

from autosynth.toy import shortcut_table

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


@pytest.fixture(autouse=True)
def _benchmarks_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))


def setting(n_rows: int = 600, group_by: str | None = None) -> Any:
    from harm.sources import Setting

    frame = shortcut_table(n_rows, minority_share=0.2)
    return Setting(name="toy", frame=frame, label="ill", group_by=group_by, share=0.2)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    shortcut_table(400, minority_share=0.2).to_parquet(folder / "toy.parquet")
    copies = pd.concat([shortcut_table(50), shortcut_table(50), shortcut_table(50)], ignore_index=True)
    copies.assign(constant=1).to_parquet(folder / "copies.parquet")
    facts = {"label_column": "ill", "minority_share": [0.2, 0.1], "group_columns": ""}
    pd.DataFrame({"name": ["toy", "copies"], "file": ["toy.parquet", "copies.parquet"], **facts}).to_csv(
        folder / "manifest.csv", index=False
    )
    return folder


def test_a_table_of_copies_is_read_without_them_and_without_constant_columns(data: Path) -> None:
    from harm.sources import read_setting, setting_names

    assert setting_names(data) == ["toy", "copies"]
    assert len(read_setting(data, "toy").frame) == 400
    cleaned = read_setting(data, "copies").frame
    assert len(cleaned) == 50
    assert "constant" not in cleaned
    assert not cleaned.duplicated().any()


def test_no_row_is_tested_twice_and_none_is_trained_on_where_it_is_tested() -> None:
    from harm.splits import N_SPLITS, splits

    cuts = splits(setting())
    tested = pd.concat([split.test for split in cuts])
    assert len(cuts) == N_SPLITS
    assert len(tested) == 600
    assert tested["severity"].is_unique
    for split in cuts:
        assert not split.train["severity"].isin(split.test["severity"]).any()
        assert len(split.train) + len(split.test) == 600


def test_large_tables_are_thinned_in_their_shares_but_keep_rare_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    import harm.splits

    monkeypatch.setattr(harm.splits, "MAX_TRAIN", 200)
    monkeypatch.setattr(harm.splits, "MAX_TEST", 100)
    for split in harm.splits.splits(setting(3000, group_by="hospital")):
        sizes = np.bincount(split.group_codes(split.train))
        assert sizes.min() == 40  # of about 40 ill ones in the north among 2,000: kept where there are as many
        assert np.bincount(split.group_codes(split.test)).min() == 20
        assert sizes.max() == pytest.approx(200 * 0.72, abs=2)


def test_seeds_depend_on_the_split_and_not_on_what_ran_before() -> None:
    from harm.splits import splits

    first, again = splits(setting())[1], splits(setting())[1]
    assert first.seed("smote", 0) == again.seed("smote", 0) != first.seed("smote", 1)
    pd.testing.assert_frame_equal(first.train, again.train)


def test_the_best_threshold_is_as_good_as_any() -> None:
    from harm.shifts import best_threshold

    rng = np.random.default_rng(0)
    truth = rng.random(200) < 0.2
    scores = np.round(np.clip(rng.normal(0.3 + 0.2 * truth, 0.2), 0, 1), 2)
    cut = best_threshold(scores, truth, truth.astype(int))
    reached = balanced_accuracy_score(truth, scores > cut)
    assert reached == max(balanced_accuracy_score(truth, scores > other) for other in [-1.0, *np.unique(scores)])


def test_a_prior_correction_undoes_sampling_per_segment() -> None:
    from harm.shifts import prior_offsets, shifted

    trained = np.array([[50.0, 50.0], [90.0, 10.0]])
    proba = np.array([[0.5, 0.5], [0.9, 0.1], [0.3, 0.7]])
    segments = np.array([0, 1, 0])
    balanced = shifted(proba, prior_offsets(trained), segments)
    assert balanced == pytest.approx(np.array([[0.5, 0.5], [0.5, 0.5], [0.3, 0.7]]))
    real = shifted(balanced, prior_offsets(np.ones((2, 2)), np.array([[80.0, 20.0], [90.0, 10.0]])), segments)
    assert real[0] == pytest.approx([0.8, 0.2])
    assert real[1] == pytest.approx([0.9, 0.1])


def made_up(split: Any, noise: float, seed: int = 0) -> Any:
    """Return a prediction that knows the truth up to noise."""
    from harm.prediction import Prediction, weight_sums

    rng = np.random.default_rng(seed)
    parts = []
    for rows in (split.test, split.train):
        odds = 3.0 * split.codes(rows) - 3.0 + rng.normal(0, noise, len(rows))
        positive = 1 / (1 + np.exp(-odds))
        parts.append(np.column_stack([1 - positive, positive]))
    sums = weight_sums(split, split.train, np.ones(len(split.train)))
    return Prediction(test=parts[0], out_of_fold=parts[1], trained=sums)


def test_metrics_are_those_of_scikit_learn() -> None:
    from harm.arms import ARMS
    from harm.metrics import RowScores, TestRows, draw
    from harm.splits import splits

    cuts = splits(setting())
    found = [made_up(split, 2.0) for split in cuts]
    plain = next(arm for arm in ARMS if arm.name == "none")
    draws = draw({"none": RowScores.of([plain] * 3, cuts, found)}, TestRows.of(cuts), n_bootstrap=20)["none"]
    truths = [split.codes(split.test) for split in cuts]
    positives = [one.test[:, 1] for one in found]
    pairs = list(zip(truths, positives, strict=True))
    assert draws["auc"][0] == pytest.approx(np.mean([roc_auc_score(*pair) for pair in pairs]))
    assert draws["average_precision"][0] == pytest.approx(np.mean([average_precision_score(*pair) for pair in pairs]))
    truth, positive = np.concatenate(truths), np.concatenate(positives)
    assert draws["log_loss"][0] == pytest.approx(log_loss(truth, positive))
    assert draws["balanced_accuracy"][0] == pytest.approx(balanced_accuracy_score(truth, positive > 0.5))
    balanced = log_loss(truth, positive, sample_weight=1 / np.bincount(truth)[truth])
    assert draws["balanced_ce"][0] == pytest.approx(balanced)
    assert np.isfinite(np.array(list(draws.values()))).all()


def test_equal_predictions_are_level_and_much_noise_is_harm() -> None:
    from harm.arms import REFERENCE, Arm
    from harm.metrics import RowScores, TestRows, draw
    from harm.splits import splits
    from harm.verdicts import compare, compare_all, rates

    cuts = splits(setting())
    arms = {REFERENCE: 1.0, "ros": 1.0, "smote": 4.0}
    scores = {
        name: RowScores.of(
            [Arm(name=name, model="none", shift="tuned")] * 3, cuts, [made_up(one, noise) for one in cuts]
        )
        for name, noise in arms.items()
    }
    draws = draw(scores, TestRows.of(cuts), n_bootstrap=100)
    assert compare(draws, "ros", REFERENCE, "auc")["verdict"] == "level"
    assert compare(draws, "ros", REFERENCE, "auc")["difference"] == 0
    assert compare(draws, "smote", REFERENCE, "auc")["verdict"] == "worse"
    assert compare(draws, REFERENCE, "smote", "balanced_ce_shifted")["verdict"] == "better"
    table = rates(pd.DataFrame(compare_all("toy", 3, draws, {})))
    assert table.loc[("smote", "auc"), ["harm", "benefit"]].tolist() == [1.0, 0.0]
    assert table.loc[("ros", "auc"), ["harm", "benefit"]].tolist() == [0.0, 0.0]


def test_what_is_asked_of_auto_names_the_tables_that_break_it() -> None:
    from harm.arms import CALIBRATED_SMOTE, REFERENCE, SMOTE
    from harm.verdicts import BEST, BEST_CALIBRATED, statements

    common = {"arm": "auto", "standard_error": 0.01, "difference": 0.0, "verdict": "level"}
    records = [
        {**common, "setting": name, "metric": metric, "against": against}
        for name in ("a", "b")
        for metric in ("auc", "average_precision", "balanced_ce_shifted")
        for against in (REFERENCE, BEST, BEST_CALIBRATED, "chosen without rows", SMOTE, CALIBRATED_SMOTE)
    ]
    frame = pd.DataFrame(records)
    of_auc = (frame["setting"] == "a") & (frame["metric"] == "auc")
    frame.loc[of_auc & (frame["against"] == BEST), ["verdict", "difference"]] = ["worse", 0.021]
    frame.loc[of_auc & (frame["against"] == SMOTE), "difference"] = 0.02
    frame.loc[of_auc & (frame["against"] == REFERENCE), ["verdict", "difference"]] = ["better", -0.05]
    lines = statements(frame, {"a"})
    assert "1 of 2 (a)" in lines[0]
    assert lines[3].endswith(
        "worse after Holm's correction: 0 "
    )  # 2.1 standard errors are not enough for the best of six
    assert any("1 of 1 (a (AUC))" in line for line in lines)
    assert any(line.endswith("better after Holm's correction: 1 (a (AUC))") for line in lines)
    assert lines[-2].endswith("1 of 6 (a (AUC))")


def test_calibration_spares_the_order_and_takes_back_what_a_model_is_too_sure_of() -> None:
    from harm.arms import ARMS
    from harm.metrics import RowScores, TestRows, draw
    from harm.splits import splits

    cuts = splits(setting(3000))
    arms = [arm for arm in ARMS if arm.name in ("none + tuned threshold", "none, calibrated")]
    said = [made_up(one, 4.0) for one in cuts]
    draws = draw({arm.name: RowScores.of([arm] * 3, cuts, said) for arm in arms}, TestRows.of(cuts), n_bootstrap=20)
    tuned, calibrated = draws["none + tuned threshold"], draws["none, calibrated"]
    assert calibrated["auc"][0] == pytest.approx(tuned["auc"][0])
    assert calibrated["balanced_accuracy"][0] == pytest.approx(tuned["balanced_accuracy"][0])
    assert calibrated["balanced_ce_shifted"][0] < tuned["balanced_ce_shifted"][0] - 0.05


def test_kept_predictions_come_back_and_those_of_other_rows_do_not(tmp_path: Path) -> None:
    from harm.splits import splits
    from harm.store import Store

    store, cuts = Store(tmp_path), splits(setting())
    assert store.read(cuts[0], "xgboost", "none") is None
    store.write(cuts[0], "xgboost", "none", made_up(cuts[0], 1.0))
    kept = store.read(cuts[0], "xgboost", "none")
    assert kept.test == pytest.approx(made_up(cuts[0], 1.0).test)
    assert store.read(splits(setting(601))[0], "xgboost", "none") is None
    (path,) = tmp_path.rglob("*.npz")
    path.write_bytes(path.read_bytes()[:100])
    assert store.read(cuts[0], "xgboost", "none") is None


def test_a_run_writes_its_table_and_goes_on_where_it_was(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import do_no_harm
    from harm.arms import Treatment

    words = ["--data", data, "--ledger", tmp_path / "ledger", "--settings", "toy", "--out", tmp_path / "out.csv"]
    words += ["--models", "none", "smote", "ctgan", "--splits", "0"]
    monkeypatch.setattr(sys, "argv", ["do_no_harm.py", *map(str, words)])
    monkeypatch.setitem(do_no_harm.TREATMENTS, "ctgan", Treatment(generator="absent"))
    do_no_harm.main()
    first = pd.read_csv(tmp_path / "out.csv")
    told = capsys.readouterr().out
    of_none = {"none", "none + tuned threshold", "none + corrected prior", "none, calibrated"}
    assert of_none | {"smote", "smote, calibrated"} == set(first["arm"])
    assert "| toy | 0 | ctgan | UnknownGeneratorError" in told
    do_no_harm.main()
    assert "toy 0 smote" in told
    assert "toy 0 smote" not in capsys.readouterr().out
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "out.csv"), first)


def test_facts_of_a_choice_survive_as_plain_data() -> None:
    from dataclasses import asdict

    from harm.automatic import treatment_of

    from autosynth.tuning.arm import Arm

    treatment = treatment_of(Arm(generator="smote", ratio=0.25, synthetic_weight=0.3))
    assert json.loads(json.dumps(asdict(treatment)))["ratio"] == 0.25
    assert treatment.generator == "smote"


def test_a_generator_without_bias_needs_no_correction_on_average() -> None:
    from bias.tables import SIMULATED, cut
    from bias.trials import LABEL, Trial, objective
    from quality.learners import StandardEncoding

    from autosynth.schema import TableSchema

    train, test = cut(SIMULATED[0], 0, 100, None)
    trial = Trial.make(train, test, "ros", 0, max_parts=5)
    assert [len(rows) for rows in trial.twins] == [1800] * 5
    encoding = StandardEncoding.fit(train, TableSchema.infer(train, label=LABEL, group_by=()))
    plain, corrected = (objective(trial, encoding, method) for method in ("synthetic", "own label"))
    assert plain.weights.sum() == pytest.approx(2.0)
    assert corrected.weights.sum() == pytest.approx(2.0)
    assert (corrected.weights < 0).any()
    # Copies of a random part are unbiased: real rows minus twins is nothing but noise.
    extra = corrected.X[len(plain.X) :], corrected.weights[len(plain.X) :]
    assert np.abs(extra[1] @ extra[0]).max() < 0.2


def test_the_learner_of_signed_weights_is_a_logistic_regression_where_all_are_positive() -> None:
    from bias.learners import RIDGE, logistic
    from bias.trials import SignedRows

    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3))
    y = (X[:, 0] + rng.normal(size=300) > 0).astype(float)
    weights = np.full(300, 1 / 300)
    known = LogisticRegression(C=1 / RIDGE, tol=1e-8).fit(X, y, sample_weight=weights)
    assert logistic(SignedRows(X, y, weights), X) == pytest.approx(known.predict_proba(X)[:, 1], abs=1e-3)


def test_boosting_unlearns_rows_whose_weights_cancel() -> None:
    from bias.learners import boosted
    from bias.trials import SignedRows

    X = np.repeat([[0.0], [1.0]], 100, axis=0)
    y = np.repeat([0.0, 1.0], 100)
    plain = boosted(SignedRows(X, y, np.full(200, 0.01)), X)
    assert plain[0] < 0.1 < 0.9 < plain[-1]
    both = SignedRows(np.concatenate([X, X]), np.r_[y, y], np.r_[np.full(200, 0.01), np.full(200, -0.01)])
    assert boosted(both, X) == pytest.approx(np.full(200, 0.5), abs=1e-3)


def test_leads_of_a_race_stand_beside_what_they_bring_on_test_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import race_leads
    from harm.splits import splits

    monkeypatch.setattr(race_leads, "RACING", ("smote",))
    split = splits(setting())[0]
    found = race_leads.record(split, tmp_path, 1)
    assert found["with_rows"].startswith("smote")
    assert found["without"] in ("none", "class weights")
    assert not found["takes_rows"] or found["lead"] > 1
    assert all(0 < abs(found[f"gain_{name}"]) < 1 for name in race_leads.GAINS)
    assert race_leads.record(split, tmp_path, 1) == found
