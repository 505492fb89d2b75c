"""The parts of the benchmarks that decide what their numbers mean: thinning, shift, scores, pairing, resuming."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


@pytest.fixture(autouse=True)
def _benchmarks_on_path(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))


@pytest.fixture
def is_minority():
    return np.random.default_rng(0).random(1_000) < 0.2


def _small_split(frame, **options):
    from quality.splits import Split

    given = {"table": "t", "minority": 2, "majority_cap": 0, "seed": 0, "label": "label", "positive": 1, **options}
    return Split(train=frame, test=frame, **given)


def _clusters(n_rows=400, seed=0):
    rng = np.random.default_rng(seed)
    y = (rng.random(n_rows) < 0.3).astype(int)
    return y, 1 / (1 + np.exp(-(2 * y - 3 + rng.normal(size=n_rows))))


def test_thinned_training_rows_hold_the_minority_asked_for_and_cap_the_majority(is_minority):
    from quality.splits import thin

    kept = thin(is_minority, 50, 300, seed=0)
    assert is_minority[kept].sum() == 50
    assert (~is_minority[kept]).sum() == 300
    assert len(np.unique(kept)) == 350


def test_rows_of_a_smaller_minority_are_among_those_of_a_larger_one(is_minority):
    from quality.splits import thin

    assert set(thin(is_minority, 10, 300, seed=3)) <= set(thin(is_minority, 100, 300, seed=3))


def test_thinning_refuses_more_minority_rows_than_there_are(is_minority):
    from quality.splits import thin

    with pytest.raises(ValueError, match="500 minority rows"):
        thin(is_minority, 500, 300, seed=0)


def test_training_pool_and_test_rows_are_disjoint_and_share_the_minority_equally(is_minority):
    from quality.splits import halves

    pool, test = halves(is_minority, seed=1)
    assert sorted([*pool, *test]) == list(range(1_000))
    assert abs(is_minority[pool].sum() - is_minority[test].sum()) <= 1


def test_segments_are_the_cells_of_the_group_columns_and_minorities_the_small_groups():
    cells = [(0, "a")] * 20 + [(1, "b")] * 20 + [(0, "b")] * 5 + [(1, "a")] * 5
    frame = pd.DataFrame(cells, columns=["label", "site"]).assign(x=np.arange(50.0))
    groups = _small_split(frame, group_by=["site"]).groups()
    small = {groups.table.groups[code].values for code in groups.minorities}
    assert small == {(0, "b"), (1, "a")}
    assert {group.values[1]: segment for group, segment in zip(groups.table.groups, groups.segments, strict=True)} == {
        "a": 0,
        "b": 1,
    }
    assert groups.log_prior_odds() == pytest.approx([np.log(5 / 20), np.log(20 / 5)])


def test_a_shifted_model_and_its_shifted_twin_score_the_same_after_the_shift():
    from quality.shift import Shift, from_log_odds, log_odds

    y, proba = _clusters()
    segments = np.zeros(len(y), dtype=int)
    twin = from_log_odds(log_odds(proba) - 2.5)
    shifts = [Shift.fit(y, values, y, segments) for values in (proba, twin)]
    assert shifts[1].offsets - shifts[0].offsets == pytest.approx(2.5, abs=1e-3)
    assert shifts[0].apply(proba, segments) == pytest.approx(shifts[1].apply(twin, segments), abs=1e-3)


def test_the_offset_of_a_calibrated_model_is_the_prior_correction():
    from quality.shift import Shift, from_log_odds

    rng = np.random.default_rng(0)
    odds = rng.normal(size=40_000) - 2
    proba = from_log_odds(odds)
    y = (rng.random(len(odds)) < proba).astype(int)
    shift = Shift.fit(y, proba, y, np.zeros(len(y), dtype=int))
    assert shift.offsets[0] == pytest.approx(np.log((1 - y.mean()) / y.mean()), abs=0.1)


def test_every_segment_gets_an_offset_of_its_own():
    from quality.shift import Shift, from_log_odds, log_odds

    y, proba = _clusters(800)
    segments = np.arange(len(y)) % 2
    moved = from_log_odds(log_odds(proba) + np.where(segments == 1, 3.0, 0.0))
    offsets = Shift.fit(y, moved, 2 * segments + y, segments).offsets
    assert offsets[0] - offsets[1] == pytest.approx(3.0, abs=0.5)


@settings(deadline=None, max_examples=25)  # the first example pays for imports
@given(st.lists(st.tuples(st.booleans(), st.sampled_from([0.1, 0.3, 0.5, 0.6, 0.9])), min_size=4, max_size=30))
def test_no_threshold_on_the_fitted_rows_beats_the_fitted_one(rows):
    from quality.scores import score
    from quality.shift import Shift

    y = np.array([0, 1, *(int(label) for label, _ in rows)])
    proba = np.array([0.4, 0.55, *(value for _, value in rows)])
    segments = np.zeros(len(y), dtype=int)
    shift = Shift.fit(y, proba, y, segments)
    shifted = shift.apply(proba, segments)
    reached = score(y, shifted, y, [1], shift.threshold)["balanced_accuracy"]
    others = [score(y, shifted, y, [1], cut)["balanced_accuracy"] for cut in [0.0, *shifted, *(shifted + 1e-9), 1.0]]
    assert reached >= max(others) - 1e-9


def test_balanced_scores_weigh_groups_and_not_rows():
    from quality.scores import score

    y = np.array([1, 0, 0, 0, 0])
    result = score(y, np.array([0.2, 0.2, 0.2, 0.2, 0.2]), y, [1])
    assert result["balanced_ce"] == pytest.approx((-np.log(0.2) - np.log(0.8)) / 2)
    assert result["minority_ce"] == result["worst_group_ce"] == pytest.approx(-np.log(0.2))
    assert result["balanced_accuracy"] == 0.5


def test_rows_are_equal_whatever_their_number_type():
    from quality.distances import equal_rows

    known = pd.DataFrame({"a": [1, 2], "b": [0.1 + 0.2, np.nan], "c": ["x", "y"]})
    rows = pd.DataFrame({"a": [1.0, 2.0, 2.0], "b": [0.3, np.nan, 1.0], "c": pd.Categorical(["x", "y", "y"])})
    assert equal_rows(rows, known).tolist() == [True, True, False]


def _results():
    scores = {"a": {0: [0.4, 0.6], 1: [0.3]}, "b": {0: [0.7], 1: [0.2, 0.2]}, "c": {0: [0.1]}}
    return pd.DataFrame(
        [
            {"table": "t", "minority": 10, "majority_cap": 0, "seed": seed, "arm": arm, "learner": "l", "s": s}
            for arm, seeds in scores.items()
            for seed, draws in seeds.items()
            for s in draws
        ]
    )


def test_differences_are_paired_by_seed_after_averaging_draws():
    from quality.summary import paired, per_seed

    cells = per_seed(_results(), "s", "l")
    result = paired(cells, "a", "b", lower_is_better=True)
    assert result.n_cells == 2
    assert result.difference == pytest.approx(((0.5 - 0.7) + (0.3 - 0.2)) / 2)
    assert result.standard_error == pytest.approx(np.std([-0.2, 0.1], ddof=1) / np.sqrt(2))
    assert result.wins == 1
    assert result.ratio == pytest.approx(0.8 / 0.9)


def test_only_cells_that_both_arms_have_are_compared():
    from quality.summary import paired, per_seed

    cells = per_seed(_results(), "s", "l")
    assert paired(cells, "a", "c", lower_is_better=True).n_cells == 1
    assert paired(cells, "a", "absent", lower_is_better=True) is None


def test_the_ledger_resumes_after_results_and_tries_failures_again(tmp_path):
    from quality.ledger import Ledger

    ledger = Ledger(tmp_path / "results.csv")
    split = _small_split(pd.DataFrame({"label": [0, 1], "x": [1.0, 2.0]}))
    failed = {"arm": "a", "draw": -1, "status": "failed", "reason": "out of luck"}
    ledger.append(split, [failed, {**failed, "arm": "b"}])
    assert ledger.finished() == set()
    ledger.append(split, [{**failed, "status": "timeout"}])
    assert ledger.finished() == {("t", 2, 0, 0, "a")}
    assert ledger.finished(retries=True) == set()
    ledger.append(split, [{"arm": "a", "draw": 0, "learner": "l", "status": "ok", "auc": 2 / 3}])
    assert ledger.finished() == {("t", 2, 0, 0, "a")}
    kept = ledger.read()
    assert kept["arm"].tolist() == ["b", "a"]
    assert kept["auc"].tolist()[1] == pytest.approx(2 / 3, abs=1e-6)


def test_work_apart_reports_failures_and_ends_at_its_limit():
    import time

    from quality.apart import NoResultError, run_apart

    def fail():
        raise NoResultError("not applicable", "no rows today")

    assert run_apart(lambda: 6 * 7, limit_s=30).result == 42
    outcome = run_apart(fail, limit_s=30)
    assert (outcome.status, outcome.reason) == ("not applicable", "no rows today")
    assert run_apart(lambda: 1 // 0, limit_s=30).status == "failed"
    assert run_apart(lambda: time.sleep(60), limit_s=0.02).status == "timeout"
