"""The replay of the paper: what its cases, arms, shifts, refits and fits must hold, on data that the tests make."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
TABLE = "openmlDiabetes"  # stands for any of the paper's tables; its rows here are made up
FEATURES = ["preg", "plas", "pres", "skin", "insu", "mass", "pedi", "age"]


@pytest.fixture(autouse=True)
def _benchmarks_on_path(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))


def _rows(n_rows, seed, share=0.5):
    rng = np.random.default_rng(seed)
    y = (rng.random(n_rows) < share).astype(int)
    values = rng.normal(size=(n_rows, len(FEATURES))).round(3) + 0.8 * y[:, None]
    frame = pd.DataFrame(values, columns=FEATURES)
    return frame.assign(skin=np.where(rng.random(n_rows) < 0.5, 0.0, frame["skin"].abs() + 1), **{"class": y})


def _cut(full, setting):
    """Return training and test rows as the paper cuts them: the rows that GPT-4 was shown come first."""
    codes = full["class"] if setting == "imbalanced" else 2 * (full["skin"] > 0) + full["class"]
    sizes = {0: 10, 1: 90} if setting == "imbalanced" else {0: 45, 3: 45, 1: 5, 2: 5}
    shown = 10 if setting == "imbalanced" else 5
    pool, test = full.iloc[:-200], full.iloc[-200:]
    groups = {code: pool[codes[:-200] == code].iloc[:size] for code, size in sizes.items()}
    first = pd.concat([group.iloc[:shown] for group in groups.values()])
    rest = pd.concat([group.iloc[shown:] for group in groups.values()])
    return pd.concat([first, rest]).reset_index(drop=True), test.reset_index(drop=True)


@pytest.fixture
def opal(tmp_path):
    from paper.opal import SEEDS, Opal

    for setting in ("imbalanced", "spurious"):
        home = tmp_path / TABLE / setting
        home.mkdir(parents=True)
        full = _rows(1_200, seed=0)
        full.to_csv(tmp_path / TABLE / "full.csv", index=False)
        for number in SEEDS[:2]:
            mixed = full.sample(frac=1, random_state=number).reset_index(drop=True)
            train, test = _cut(mixed, setting)
            train.to_csv(home / f"train_seed{number}.csv", index=False)
            test.to_csv(home / f"test_seed{number}.csv", index=False)
            recited = pd.concat([test.iloc[:6], mixed.iloc[500:510], train.iloc[:4]])
            recorded = pd.concat([recited, _rows(200, seed=number).astype(float)])
            for part in ("gpt4_parsed", "smote_rows", "duplicate_rows"):
                recorded.to_csv(home / f"{part}_seed{number}.csv", index=False)
    return Opal(tmp_path)


def _case(opal, setting="imbalanced", ratio=9):
    from paper.cases import opal_case

    return next(opal_case(opal, TABLE, setting, ratio, 1))


# --- the paper's data ---------------------------------------------------------------------------------------------


@settings(max_examples=30)
@given(st.lists(st.integers(0, 3), max_size=20), st.lists(st.integers(0, 3), max_size=20))
def test_taking_rows_away_leaves_twins_that_were_not_taken(rows, taken):
    from collections import Counter

    from paper.opal import without

    left = without(pd.DataFrame({"x": rows}, dtype=float), pd.DataFrame({"x": taken}, dtype=float))
    assert Counter(left["x"]) == Counter(map(float, rows)) - Counter(map(float, taken))


def test_a_missing_folder_ends_the_program_and_says_what_belongs_there(tmp_path):
    from paper.opal import Opal

    with pytest.raises(SystemExit, match=r"full\.csv is missing[\s\S]*not part of this project"):
        Opal(tmp_path).full("gender")


@pytest.mark.parametrize(("setting", "expected"), [("imbalanced", [10, 40]), ("spurious", [5, 5, 20, 20])])
def test_a_smaller_ratio_keeps_the_shown_and_the_minority_rows(opal, setting, expected):
    case = _case(opal, setting, ratio=4)
    train = opal.part(TABLE, setting, "train", 1)
    assert sorted(case.split.groups().table.group_sizes) == expected
    pd.testing.assert_frame_equal(case.split.train.iloc[:20], train.iloc[:20])


@pytest.mark.parametrize("setting", ["imbalanced", "spurious"])
def test_a_larger_ratio_takes_public_rows_in_neither_part(opal, setting):
    case = _case(opal, setting, ratio=18)
    keys = [set(map(tuple, rows.to_numpy())) for rows in (case.split.train, case.split.test, case.reserve)]
    assert case.split.groups().table.group_sizes.max() == (180 if setting == "imbalanced" else 90)
    assert sum(map(len, keys)) == len(set.union(*keys))


def test_a_ratio_that_the_public_rows_do_not_allow_has_no_case(opal):
    from paper.cases import opal_case

    assert list(opal_case(opal, TABLE, "imbalanced", 500, 1)) == []


def test_without_the_papers_data_there_is_the_simulated_table_alone():
    from paper.cases import cases

    found = [case.split.table for case in cases("spurious", None, (4, 9), 1)]
    assert found == ["shortcut", "shortcut"]


# --- the published error rates ------------------------------------------------------------------------------------


def test_the_unpenalised_logistic_regression_maximises_the_likelihood():
    from paper.refit import logistic_coefficients

    rng = np.random.default_rng(0)
    X = np.column_stack([np.ones(300), rng.normal(size=(300, 3))])
    y = (rng.random(300) < 1 / (1 + np.exp(-X @ [0.5, 1.0, -1.0, 0.2]))).astype(float)
    residuals = y - 1 / (1 + np.exp(-X @ logistic_coefficients(X, y)))
    assert X.T @ residuals == pytest.approx(np.zeros(4), abs=1e-6)  # the score is zero at the maximum alone


@pytest.mark.parametrize(("setting", "is_used"), [("imbalanced", False), ("spurious", True)])
def test_the_last_feature_is_left_out_of_imbalanced_alone(opal, setting, is_used):
    from paper.refit import errors_of_split

    before = errors_of_split(opal, setting, TABLE, "logistic", "OPAL", 1)
    for part in ("train", "test"):
        path = opal.folder / TABLE / setting / f"{part}_seed1.csv"
        frame = pd.read_csv(path)
        frame.assign(age=np.random.default_rng(5).normal(size=len(frame))).to_csv(path, index=False)
    assert (errors_of_split(opal, setting, TABLE, "logistic", "OPAL", 1) != before) is is_used


def test_each_step_adds_the_first_fifths_of_the_file_in_its_order(opal):
    from paper.refit import errors_of_split

    before = errors_of_split(opal, "imbalanced", TABLE, "logistic", "OPAL", 1)
    path = opal.folder / TABLE / "imbalanced" / "gpt4_parsed_seed1.csv"
    rows = pd.read_csv(path)
    rows.iloc[60:, -1] = 0.0  # labels from the fourth fifth on
    rows.to_csv(path, index=False)
    after = errors_of_split(opal, "imbalanced", TABLE, "logistic", "OPAL", 1)
    assert after[:4] == before[:4]
    assert after[4] != before[4]


def test_the_spurious_error_rates_are_those_of_the_groups(opal):
    from paper.refit import _rates

    test = pd.DataFrame({"skin": [0, 0, 0, 2, 2, 2], "class": [0, 0, 1, 1, 0, 0]})
    rates = _rates(np.array([True, False, True, False, False, True]), test, TABLE, "spurious")
    assert rates == {
        "overall": pytest.approx(1 / 2),
        "minority": pytest.approx(2 / 3),  # attribute and class disagree in rows 2, 4 and 5
        "majority": pytest.approx(1 / 3),
        "worst": 1.0,
        "diff": 1.0,
    }


def test_a_published_number_agrees_when_mean_and_deviation_do():
    from paper.published import NAMES, compare

    theirs = pd.DataFrame({name: ["x", "x"] for name in NAMES}).assign(
        metric="overall", n_added_step=[0, 1], mean=[0.3, 0.2], std=[0.1, 0.1]
    )
    ours = pd.DataFrame({"metric": "overall", "n_added_step": [0, 1], "new_mean": [0.3 + 1e-12, 0.2], "new_std": 0.1})
    found = compare(theirs, ours.assign(new_std=[0.1, 0.11]))
    assert found["agrees"].tolist() == [True, False]


# --- arms ---------------------------------------------------------------------------------------------------------


def test_clean_rows_equal_no_test_row_and_no_public_row_outside_training(opal):
    from paper.arms import clean_rows, recorded_rows
    from quality.distances import equal_rows

    split = _case(opal).split
    rows = clean_rows(split)
    train, test = (equal_rows(rows, part) for part in (split.train, split.test))
    assert not test.any()
    assert not (equal_rows(rows, split.published) & ~train).any()
    assert train.sum() >= 4  # copies of training rows show no more than was shown
    assert len(recorded_rows(split)) == 220


@pytest.mark.parametrize("setting", ["imbalanced", "spurious"])
def test_fair_arms_get_equal_rows_in_every_group(opal, setting):
    from paper.measure import measure

    case = _case(opal, setting)
    few = case.split.recorded.iloc[:90]  # fewer clean rows than full balance needs
    case = replace(case, split=replace(case.split, recorded=few))
    scores = pd.DataFrame(list(measure(case, ("ros", "smote"), "logistic", fair=True)))
    fair = scores[(scores["comparison"] == "fair") & scores["arm"].isin(["ros", "smote", "gpt4 clean"])]
    assert (scores["status"] == "ok").all()
    assert set(fair["shift"]) == {"none", "prior", "tuned"}
    assert fair["n_added"].nunique() == 1
    assert 0 < fair["n_added"].iloc[0] < 80
    augmented = scores[scores["arm"].isin(["ros + N", "smote + N"])]
    assert augmented["n_added"].nunique() == 1


def test_an_arm_that_cannot_be_made_is_recorded_with_its_reason_and_the_others_go_on(opal):
    from paper.measure import measure

    scores = pd.DataFrame(list(measure(_case(opal), ("no_such_generator", "ros"), "logistic", fair=False)))
    status = scores.drop_duplicates("arm").set_index("arm")["status"]
    assert status["no_such_generator"].startswith("UnknownGeneratorError")
    assert status["ros"] == status["gpt4"] == "ok"


def test_smaller_arms_take_the_first_rows_of_larger_ones(opal):
    from paper.arms import fill_counts, source_of

    case = _case(opal)
    groups = case.split.groups()
    source = source_of("smote", case.split, groups, fill_counts(groups, 50), reserve=case.reserve, options={})
    small, large = source.rows(fill_counts(groups, 5)), source.rows(fill_counts(groups, 50))
    for value, rows in small.groupby("class"):
        pd.testing.assert_frame_equal(
            rows.reset_index(drop=True), large[large["class"] == value].iloc[: len(rows)].reset_index(drop=True)
        )


def test_folds_train_and_validate_on_different_rows_of_the_training_table(opal):
    from paper.measure import Bench, folds_of, most_counts

    case = _case(opal, "spurious")
    whole = Bench.of(case, case.split, most_counts)
    seen = []
    for fold in folds_of(whole):
        parts = [set(map(tuple, rows.to_numpy())) for rows in (fold.split.train, fold.split.test)]
        assert not parts[0] & parts[1]
        seen.append(fold.split.test)
        shares = {str(group): count for group, count in fold.most.items()}
        assert shares[str(fold.groups.table.groups[0])] == pytest.approx(
            whole.groups.table.group_sizes.max() * 2 / 3, abs=1
        )
    columns = list(case.split.train.columns)
    held_out = pd.concat(seen).sort_values(columns, ignore_index=True)
    pd.testing.assert_frame_equal(held_out, case.split.train.sort_values(columns, ignore_index=True))


# --- shifts -------------------------------------------------------------------------------------------------------


@settings(max_examples=30)
@given(st.floats(0.01, 0.99), st.floats(0.01, 0.99))
def test_the_closed_form_takes_the_prior_of_training_out_of_a_posterior(prior, evidence):
    from paper.shifts import prior_shifted

    odds = evidence / (1 - evidence)
    posterior = prior * odds / (prior * odds + 1 - prior)
    shifted = prior_shifted(np.array([posterior]), np.array([0]), np.log([prior / (1 - prior)]))
    assert shifted == pytest.approx([evidence])


def test_models_that_differ_by_a_shift_alone_are_one_after_tuning(opal):
    from paper.shifts import prior_shifted, shifted, tuned_offsets

    groups = _case(opal).split.groups()
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], 60)
    proba = 1 / (1 + np.exp(-(y + rng.normal(size=120))))
    zeros = np.zeros(120, dtype=int)
    moved = prior_shifted(proba, zeros, np.array([-2.5]))
    ends = [shifted(one, zeros, tuned_offsets(groups, y, one, zeros)) for one in (proba, moved)]
    assert ends[0] == pytest.approx(ends[1], abs=1e-3)


# --- scaling, results, the command line -----------------------------------------------------------------------------


def test_the_law_of_a_known_decay_is_found_whatever_the_level_of_a_seed():
    from paper.scaling import SIZES, fit_laws

    rng = np.random.default_rng(0)
    records = [
        {"table": "t", "arm": "smote", "shift": "none", "seed": seed, "n_augment": size, "status": "ok",
         "balanced_ce": 0.3 + 2 * max(size, 1) ** -0.7 + 0.2 * seed + rng.normal(scale=1e-3)}
        for seed in range(3)
        for size in (0, *SIZES)
    ]  # fmt: skip
    law = fit_laws(pd.DataFrame(records), "balanced_ce").iloc[0]
    assert law["shape"] == "falls"
    assert law["c"] == pytest.approx(0.7, abs=0.03)
    assert law["a"] == pytest.approx(0.5, abs=0.01)  # the floor, with the mean level of the seeds
    assert law["c_low"] < 0.7 < law["c_high"]


def test_results_of_another_version_are_not_continued(tmp_path):
    from paper.results import Results

    path = tmp_path / "scores.csv"
    path.write_text("table,ratio,seed,other\n")
    with pytest.raises(SystemExit, match="another version"):
        Results(path, ("table", "ratio", "seed", "score")).finished()


def test_a_figure_says_what_is_missing_without_data_and_a_second_run_measures_nothing(tmp_path, monkeypatch, capsys):
    from paper.figures import measure_and_draw

    out = tmp_path / "scores.csv"
    line = [
        "x",
        "--seeds",
        "1",
        "--ratios",
        "4",
        "9",
        "--generators",
        "ros",
        "--learner",
        "logistic",
        "--out",
        str(out),
    ]
    monkeypatch.setattr(sys, "argv", line)
    measure_and_draw("imbalanced", "", str(out))
    assert "which have no licence" in capsys.readouterr().out
    pictures = [tmp_path / "scores.png", tmp_path / "scores_fair.png"]
    assert all(picture.read_bytes().startswith(b"\x89PNG") for picture in pictures)
    scores = out.read_bytes()
    measure_and_draw("imbalanced", "", str(out))
    assert "scores," not in capsys.readouterr().out
    assert out.read_bytes() == scores


def test_scaling_has_a_point_per_size_and_lines_without_augmentation(monkeypatch):
    from paper import scaling
    from paper.cases import simulated_case

    sizes = (10, 20, 100)
    monkeypatch.setattr(scaling, "SIZES", sizes)
    scores = pd.DataFrame(list(scaling.scale(simulated_case("imbalanced", 4, 0), ("ros",), "logistic")))
    found = scores[scores["shift"] == "tuned"].groupby("arm")["n_augment"].apply(list).to_dict()
    assert found == {"none": [0], "ros": [0, *sizes], "real": [0, *sizes]}
    added = scores[(scores["arm"] == "real") & (scores["shift"] == "none")].set_index("n_augment")["n_added"]
    assert (added.loc[100] - added.loc[0]) == 200
