from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import autosynth
from autosynth import CheckResult, Table
from autosynth.checks.batch import Batch
from autosynth.checks.chance import CopyShare, against_chance
from autosynth.checks.contamination import KnownRows, compared_columns
from autosynth.checks.distance import NeighbourIndex, RankScale, RowSpace, row_hashes
from autosynth.checks.families import FAMILIES
from autosynth.checks.family import Context
from autosynth.checks.memorization import copy_shares
from autosynth.checks.real_rows import RealRows
from autosynth.checks.reference import Reference
from autosynth.schema import infer_column
from autosynth.toy import overlapping_classes, shortcut_table

COPY_FAMILIES = ("exact_copies", "near_copies", "held_out_exact_copies", "held_out_near_copies", "repeated_rows")


def numbers(n_rows: int = 300, seed: int = 0, n_features: int = 20) -> pd.DataFrame:
    return overlapping_classes(n_rows, minority_share=0.3, n_features=n_features, random_state=seed)


def coarse(n_rows: int = 300, seed: int = 0) -> pd.DataFrame:
    """A table of three columns with few values, where rows coincide by chance."""
    rng = np.random.default_rng(seed)
    y = rng.random(n_rows) < 0.3
    return pd.DataFrame(
        {"a": rng.choice(list("uvwx"), n_rows), "b": rng.integers(0, 9, n_rows) + 2 * y, "c": rng.random(n_rows) < 0.4}
    ).assign(target=y.astype(int))


def interpolated(real: pd.DataFrame, n_rows: int, seed: int = 0) -> pd.DataFrame:
    """Return rows between a row of class 1 and one of its five neighbours, as SMOTE makes them."""
    rng = np.random.default_rng(seed)
    points = real[real["target"] == 1].drop(columns="target").to_numpy()
    order = np.argsort(((points[:, None] - points[None]) ** 2).sum(axis=2), axis=1)
    first = rng.integers(len(points), size=n_rows)
    second = order[first, rng.integers(1, 6, size=n_rows)]
    made = points[first] + rng.random((n_rows, 1)) * (points[second] - points[first])
    return pd.DataFrame(made, columns=real.columns[:-1]).assign(target=1)


def verdict(
    real: pd.DataFrame, synthetic: pd.DataFrame, holdout: pd.DataFrame | None = None, **options: Any
) -> dict[str, CheckResult]:
    table = Table.from_frame(real, label="target")
    synthetic = synthetic.astype(real.dtypes.to_dict()).reset_index(drop=True)
    batch = Batch.of_groups(synthetic, table.grouping.codes(synthetic))
    return check_copies(Context(Reference.of(table), batch, RealRows(table, holdout), **options))


def check_copies(context: Context) -> dict[str, CheckResult]:
    return {result.name: result for name in COPY_FAMILIES for result in FAMILIES[name].ask(context)}


def share_of(real: pd.DataFrame, synthetic: pd.DataFrame, whose: str = "training", kind: str = "near") -> float:
    table = Table.from_frame(real, label="target")
    shares = copy_shares(KnownRows.of(table), synthetic, table.grouping.codes(synthetic))
    return shares[whose][kind].interval.value


def test_equal_rows_have_equal_hashes_whatever_the_columns_are_called() -> None:
    rows = pd.DataFrame({("a", 1): [0.0, -0.0, 1.0, np.nan], 7: ["u", "u", None, None]})
    first, second, third, fourth = row_hashes(rows)
    assert first == second
    assert len({first, third, fourth}) == 3
    assert row_hashes(rows[[]]).tolist() == [0, 0, 0, 0]


def test_a_number_and_the_same_number_as_text_are_different_categories() -> None:
    codes = pd.Series(pd.Categorical([1, "1", b"1", None, "missing"], categories=[1, "1", b"1", "missing"]))
    real = pd.DataFrame({"code": codes, "x": [0.5] * 5})
    points = RowSpace.fit(real, [infer_column(real[name]) for name in real]).place(real)
    assert len(set(points.keys)) == len(set(points.blocks)) == 5
    single = row_hashes(real.iloc[[1]])
    assert single.tolist() == [row_hashes(real)[1]]  # whatever other rows there are


@given(data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_kind_of_column_is_compared(data: st.DataObject, any_column: st.SearchStrategy[pd.Series]) -> None:
    column = data.draw(any_column)
    values = pd.concat([column] * 6, ignore_index=True)
    real = pd.DataFrame({("x", 1): values, 2: np.arange(len(values)), "y": [0] * (len(values) - 2) + [1] * 2})
    table = Table.from_frame(real, label="y")
    rows = RealRows(table, real.iloc[::2].drop(columns="y"))
    known = rows.known
    assert known.training_copies.copies(known.training).exact.all()
    assert known.held_out_copies is not None
    assert not known.held_out_copies.copies(known.training).exact.any()
    assert np.isfinite(known.training.ranks).all()
    batch = Batch.of_groups(real, known.training_groups)
    results = check_copies(Context(Reference.of(table), batch, rows))
    assert tuple(results) == COPY_FAMILIES
    assert not any(result.error for result in results.values())


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=30), st.floats(-1e9, 1e9), st.floats(-1e9, 1e9))
@settings(deadline=None)
def test_ranks_keep_the_order_of_numbers(values: list[float], first: float, second: float) -> None:
    ranks = RankScale.fit(np.array(values))(np.array([first, second, *values]))
    assert np.isfinite(ranks).all()
    assert (ranks[2:] >= 0).all()
    assert (ranks[2:] <= 1).all()
    if first <= second:
        assert ranks[0] <= ranks[1]


FINITE = st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=30)


@given(FINITE, FINITE)
@example([0.0, 5e-323, 1.0], [1e-323])
@example([-1.7e308, 1.0, 1.7e308], [1e308])
@settings(deadline=None)
def test_ranks_are_finite_and_ordered_at_both_ends_of_the_floats(values: list[float], others: list[float]) -> None:
    numbers = np.sort([*values, *others])
    ranks = RankScale.fit(np.array(values))(numbers)
    assert np.isfinite(ranks).all()
    assert (np.diff(ranks) >= 0).all()


def test_ranks_run_straight_between_the_smallest_and_between_the_largest_floats() -> None:
    for unit in (5e-324, 1e-320, 1.0, 4e307):
        scale = RankScale.fit(np.array([-4.0, 0.0, 4.0]) * unit)
        assert scale(np.array([-4.0, -2.0, 1.0, 3.0, 4.0]) * unit).tolist() == [0, 0.25, 0.625, 0.875, 1]


def test_a_column_without_any_number_has_a_scale() -> None:
    assert RankScale.fit(np.array([np.nan]))(np.array([np.nan, 3.0])).tolist() == [0, 0]


def test_the_nearest_row_is_the_one_that_comparing_all_pairs_finds() -> None:
    real, fresh = numbers(200), numbers(50, seed=1)
    space = RowSpace.fit(real, [infer_column(real[name]) for name in real.columns[:-1]])
    points, others = space.place(real), space.place(fresh)
    distances, positions = NeighbourIndex(points).nearest(others, n_nearest=2, within=np.inf)
    pairs = np.abs(others.ranks[:, None] - points.ranks[None]).sum(axis=2)
    assert positions[:, 0].tolist() == pairs.argmin(axis=1).tolist()
    np.testing.assert_allclose(distances, np.sort(pairs, axis=1)[:, :2])
    none, after = NeighbourIndex(points[np.arange(0)]).nearest(others, n_nearest=1, within=np.inf)
    assert np.isinf(none).all()
    assert set(after.ravel()) == {0}


def test_rows_with_another_category_or_gap_are_no_neighbours() -> None:
    real = pd.DataFrame({"x": [1.0, 2.0, np.nan], "colour": ["red", "blue", "blue"]})
    space = RowSpace.fit(real, [infer_column(real[name]) for name in real])
    asked = pd.DataFrame({"x": [2.0, np.nan, 2.0], "colour": ["red", "red", "green"]})
    distances, positions = NeighbourIndex(space.place(real)).nearest(space.place(asked), n_nearest=1, within=10.0)
    assert distances.ravel().tolist() == [1.0, np.inf, np.inf]
    assert positions.ravel().tolist() == [0, 3, 3]


def test_what_the_request_sets_is_not_compared() -> None:
    frame = shortcut_table(200)
    table = Table.from_frame(frame, label="ill", group_by=["hospital", "age"])
    names = [column.name for column in compared_columns(table)]
    assert names == ["age", "severity", "pressure", "ward", "smoker"]  # of age, the request sets the bin alone


def test_a_row_recited_under_another_label_is_a_copy() -> None:
    real = numbers()
    flipped = real.assign(target=1 - real["target"])
    assert verdict(real, flipped)["exact_copies"].observed == 1


@pytest.mark.parametrize("n_features", [4, 20])
def test_rows_equal_up_to_rounding_are_near_copies(n_features: int) -> None:
    real = numbers(n_features=n_features)
    rounded = real.map(lambda number: float(f"{number:.3g}")).astype(real.dtypes.to_dict())
    assert share_of(real, rounded) > 0.95
    assert share_of(real, rounded, kind="exact") < 0.05
    assert not verdict(real, rounded)["near_copies"].passed


def test_near_copies_are_found_where_units_differ_by_many_orders() -> None:
    real = numbers(n_features=5)
    scaled = real.assign(x0=np.exp(5 * real["x0"]), x1=real["x1"] * 1e9)
    shifted = scaled.assign(x0=scaled["x0"] * 1.0005, x1=scaled["x1"] * 1.0005)
    assert share_of(scaled, shifted) > 0.95


def test_repeated_real_rows_hide_no_near_copy() -> None:
    real = pd.concat([numbers()] * 2, ignore_index=True)
    assert share_of(real, numbers().assign(x3=lambda rows: rows["x3"] + 1e-4)) > 0.95


@pytest.mark.parametrize("seed", range(5))
def test_fresh_rows_are_no_near_copies(seed: int) -> None:
    for make in (numbers, coarse):
        results = verdict(make(seed=seed), make(seed=100 + seed), make(seed=200 + seed))
        assert all(result.passed for name, result in results.items() if name != "repeated_rows")
    assert share_of(numbers(seed=seed), numbers(seed=100 + seed)) == 0


def one_number(n_rows: int, seed: int = 0) -> pd.DataFrame:
    """One continuous number, and another that hangs on it completely."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n_rows)
    return pd.DataFrame({"x": x, "twice": 2 * x + 1, "ward": rng.choice(list("uvw"), n_rows)}).assign(
        target=rng.integers(0, 2, n_rows)
    )


@pytest.mark.parametrize("columns", [["x", "ward", "target"], ["x", "twice", "ward", "target"]])
def test_fresh_rows_that_one_number_decides_are_near_real_rows_as_often_as_chance_says(columns: list[str]) -> None:
    for seed in range(3):
        real, fresh, test_rows = (one_number(1500, 3 * seed + i)[columns] for i in range(3))
        result = verdict(real, fresh, test_rows)
        assert all(some.passed for name, some in result.items() if name != "repeated_rows")
    table = Table.from_frame(real, label="target")
    share = copy_shares(KnownRows.of(table), fresh, table.grouping.codes(fresh))["training"]["near"]
    assert share.interval.value > 0.06
    assert share.chance == pytest.approx(share.interval.value, abs=0.02)


def test_a_tenth_of_near_copies_in_four_numbers_is_beyond_chance() -> None:
    rng = np.random.default_rng(0)
    real, made = numbers(1000, n_features=4), numbers(1000, seed=1, n_features=4)
    features = list(real.columns[:-1])
    made.loc[:99, features] = real.loc[:99, features] * (1 + 0.001 * rng.normal(size=(100, 4)))
    assert not verdict(real, made)["near_copies"].passed


@pytest.mark.parametrize("n_features", [4, 20])
def test_rows_between_neighbours_are_near_copies_only_at_their_ends(n_features: int) -> None:
    real = numbers(n_features=n_features)
    made = interpolated(real, 2000)
    assert 0 < share_of(real, made) < 0.12


@pytest.mark.parametrize(
    ("copies", "passed", "severity"),
    [("fail", False, "critical"), ("warn", False, "warning"), ("show", True, "warning")],
)
def test_copies_fail_or_warn_or_are_shown_as_the_run_is_known(copies: str, passed: bool, severity: str) -> None:
    real = numbers()
    blurred = real.assign(x0=real["x0"] + 1e-4)
    for rows, name in ((real, "exact_copies"), (blurred, "near_copies")):
        result = verdict(real, rows, copies=copies)[name]
        assert (result.passed, result.severity, result.observed) == (passed, severity, 1.0)


def test_a_tenth_of_copies_among_fresh_rows_is_found() -> None:
    real, fresh, test_rows = numbers(), numbers(200, seed=1), numbers(200, seed=2)
    recited = pd.concat([fresh.head(180), test_rows.head(20)], ignore_index=True)
    results = verdict(real, recited, test_rows)
    assert [name for name, result in results.items() if not result.passed] == ["held_out_exact_copies"]
    assert results["held_out_exact_copies"].severity == "critical"
    assert "20 of 200 (10.0%, 95% interval 6.6% to 14.9%)" in results["held_out_exact_copies"].message
    blurred = recited.assign(x0=recited["x0"] + 1e-4)
    failed = [name for name, result in verdict(real, blurred, test_rows).items() if not result.passed]
    assert failed == ["held_out_near_copies"]


def test_what_the_training_rows_explain_is_no_copy_of_a_held_out_row() -> None:
    real = numbers()
    results = verdict(real, real, holdout=real)
    assert results["held_out_exact_copies"].observed == results["held_out_near_copies"].observed == 0
    beside = real.assign(x0=real["x0"] + 1e-5)  # near the held-out rows, but equal to training rows
    assert verdict(real, real, holdout=beside)["held_out_near_copies"].observed == 0


def test_what_lies_beside_a_row_that_was_shown_too_is_no_copy_of_a_held_out_row() -> None:
    real, test_rows = numbers(), numbers(100, seed=2)
    both = real.head(50)
    beside = both.assign(x0=both["x0"] + 1e-5)
    results = verdict(real, beside, holdout=pd.concat([both, test_rows]))
    assert results["near_copies"].observed == 1
    assert results["held_out_near_copies"].observed == 0


def test_one_row_per_combination_blames_no_one_for_finding_the_others() -> None:
    """Real rows never coincide there, but whoever mixes the values of the shown rows meets hidden ones."""
    rng = np.random.default_rng(0)
    cells = pd.MultiIndex.from_product([list("uvwx"), range(4), range(4), list("pq")]).to_frame(index=False)
    design = cells.set_axis(list("abcd"), axis=1).sample(frac=1, random_state=0, ignore_index=True)
    design["target"] = (rng.random(len(design)) < 0.3).astype(int)
    shown, hidden = design.iloc[::2], design.iloc[1::2]
    fresh = design.drop(columns="target").sample(200, replace=True, random_state=1).assign(target=0)
    result = verdict(shown, fresh, holdout=hidden)["held_out_exact_copies"]
    assert 0.4 < result.observed < 0.6
    assert result.passed


def test_held_out_rows_that_cannot_be_hit_are_let_pass() -> None:
    real, test_rows = coarse(), coarse(seed=1)
    strange = pd.concat([test_rows, test_rows.head(5).assign(a="new", c=None)])
    known = KnownRows.of(Table.from_frame(real, label="target"), strange)
    assert known.held_out is not None
    assert len(known.held_out) == len(test_rows)


def test_held_out_rows_may_have_an_unknown_label_or_none() -> None:
    real, test_rows = numbers(), numbers(200, seed=2)
    for holdout in (test_rows.assign(target=9), test_rows.assign(target=None), test_rows.drop(columns="target")):
        result = verdict(real, test_rows.assign(target=0), holdout)["held_out_exact_copies"]
        assert (result.observed, result.passed) == (1, False)


def test_wanted_copies_of_training_rows_are_shown_and_pass() -> None:
    results = verdict(numbers(), numbers(), numbers(seed=1), copies="show")
    assert results["exact_copies"].observed == 1
    assert all(result.passed for result in results.values())


def test_a_table_without_free_columns_holds_nothing_but_coincidences() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"sex": rng.choice(["f", "m"], 100), "target": rng.integers(0, 2, 100)})
    table = Table.from_frame(frame, label="target", group_by="sex")
    shares = copy_shares(KnownRows.of(table, frame), frame, table.group_codes)
    exact = shares["training"]["exact"]
    assert (exact.interval.value, exact.chance, exact.passed) == (1, 1, True)
    assert shares["held-out"]["exact"].n_copies == 0  # the training rows explain them all


@pytest.mark.parametrize("label", [np.arange(100) % 2, np.arange(100.0) ** 1.5])
def test_a_table_without_free_columns_is_checked_rebalanced_and_probed(label: np.ndarray) -> None:
    frame = pd.DataFrame({"x": np.repeat(["a", "b", "a"], [50, 30, 20]), "y": label})
    asked: dict[str, Any] = {"label": "y", "group_by": ["x"]}
    for holdout in (frame, frame.drop(columns="y")):
        assert autosynth.check(frame, frame, holdout=holdout, **asked).passed
        made = autosynth.rebalance(frame, generator="ros", holdout=holdout, **asked)
        assert len(made.synthetic) > 0
    assert autosynth.probe_memorization(frame, generator="ros", **asked).passed


def test_a_table_of_nothing_but_labels_is_checked() -> None:
    frame = pd.DataFrame({"y": [0, 1] * 10})
    for holdout in (frame, frame[[]]):
        assert autosynth.check(frame, frame, label="y", holdout=holdout).passed


def test_more_rows_than_are_looked_at_give_the_same_share(monkeypatch: pytest.MonkeyPatch) -> None:
    real, fresh = numbers(600), numbers(600, seed=1)
    made = pd.concat([real.head(300), fresh.head(300)], ignore_index=True)
    monkeypatch.setattr("autosynth.checks.memorization.MAX_ROWS", 100)
    assert "50 of 100" in verdict(real, made)["exact_copies"].message


def test_chance_is_taken_from_the_groups_of_the_synthetic_rows() -> None:
    real_groups = np.repeat([0, 1, -1], [900, 100, 50])
    coincide = np.r_[np.zeros(900, bool), np.ones(40, bool), np.zeros(60, bool), np.ones(50, bool)]
    share = against_chance(np.zeros(50, bool), np.ones(50, np.int64), coincide, real_groups, tolerance=0.0)
    assert (share.chance, share.n_real) == (0.4, 100)
    mixed = against_chance(np.zeros(50, bool), np.arange(50) % 2, coincide, real_groups, tolerance=0.0)
    assert mixed.chance == pytest.approx(0.2)
    assert mixed.n_real == int(1 / (0.25 / 900 + 0.25 / 100))


def test_a_batch_too_small_for_a_verdict_says_so() -> None:
    result = verdict(numbers(), numbers(2, seed=1).assign(target=[0, 1]))["near_copies"]
    assert "too few rows for a firm verdict" in result.message
    assert "too few" not in verdict(numbers(), numbers(seed=1))["near_copies"].message
    unknown = CopyShare(n_rows=5, n_copies=5, chance=0.0, n_real=0, tolerance=0.0)
    assert unknown.passed
    assert CopyShare(n_rows=1, n_copies=1, chance=0.0, n_real=1000, tolerance=0.0).passed
    assert not CopyShare(n_rows=2, n_copies=2, chance=0.0, n_real=1000, tolerance=0.0).passed
    assert CopyShare(n_rows=0, n_copies=0, chance=0.0, n_real=10, tolerance=0.0).passed


@given(st.integers(1, 400), st.integers(1, 400), st.floats(0, 1), st.floats(0, 0.2))
@settings(deadline=None)
def test_no_more_copies_pass_than_the_limit_allows(n_rows: int, n_real: int, chance: float, tolerance: float) -> None:
    share = CopyShare(n_rows=n_rows, n_copies=0, chance=chance, n_real=n_real, tolerance=tolerance)
    assert share.passed
    assert max(chance - 1 / n_rows, 1 / n_rows) <= share.limit <= 1
    verdicts = [
        CopyShare(n_rows=n_rows, n_copies=copies, chance=chance, n_real=n_real, tolerance=tolerance).passed
        for copies in range(0, n_rows + 1, max(n_rows // 20, 1))
    ]
    assert verdicts == sorted(verdicts, reverse=True)


def test_batches_of_fresh_rows_are_rarely_blamed() -> None:
    rng = np.random.default_rng(0)
    for chance in (0.0, 0.02, 0.2):
        hits = rng.binomial(200, chance, 500), rng.binomial(300, chance, 500)
        blamed = [
            not CopyShare(n_rows=200, n_copies=int(made), chance=real / 300, n_real=300, tolerance=0.01).passed
            for made, real in zip(*hits, strict=True)
        ]
        assert np.mean(blamed) <= 0.02


def by_hashes(real: pd.DataFrame, synthetic: pd.DataFrame, holdout: pd.DataFrame | None) -> dict[str, CheckResult]:
    """What the families say where the rows are not at hand, only their hashes."""
    table = Table.from_frame(real, label="target")
    reference = Reference.of(table, holdout=holdout, with_hashes=True)
    batch = Batch.of_groups(synthetic, table.grouping.codes(synthetic))
    return check_copies(Context(reference, batch))


@pytest.mark.parametrize("make", [numbers, coarse])
def test_hashes_find_the_exact_copies_that_rows_find(make: Any) -> None:
    real, fresh, test_rows = make(), make(200, seed=1), make(200, seed=2)
    recited = pd.concat([fresh.head(160), test_rows.head(20), real.head(20)], ignore_index=True)
    with_rows, without = verdict(real, recited, test_rows), by_hashes(real, recited, test_rows)
    for name in ("exact_copies", "held_out_exact_copies"):
        assert without[name].observed == with_rows[name].observed
        assert without[name].passed == with_rows[name].passed
        assert without[name].limit == pytest.approx(with_rows[name].limit, abs=0.01)


def test_what_needs_rows_and_has_none_is_an_error_and_no_pass() -> None:
    real, fresh = numbers(), numbers(seed=1)
    for holdout, names in ((fresh, {"near_copies", "held_out_near_copies"}), (None, {"near_copies"})):
        results = by_hashes(real, fresh, holdout)
        assert {name for name, result in results.items() if result.error} == names
    table = Table.from_frame(real, label="target")
    bare = check_copies(Context(Reference.of(table), Batch.of_groups(fresh, table.grouping.codes(fresh))))
    assert bare["exact_copies"].status == "error"
