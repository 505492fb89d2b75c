"""SMOTE, ADASYN and borderline SMOTE against the papers' rules, with imbalanced-learn and scikit-learn as oracles."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import OneHotEncoder

from autosynth import SampledRows, Table
from autosynth.exceptions import ConfigError
from autosynth.plugins import current_plugins
from autosynth.synthesis import fit_generator, sample_rows
from autosynth_smote import (
    AdasynGenerator,
    AdasynOptions,
    BorderlineSmoteGenerator,
    BorderlineSmoteOptions,
    SmoteGenerator,
    SmoteOptions,
)
from autosynth_smote.encoding import ColumnRoles, EncodedTable
from autosynth_smote.family import vote
from autosynth_smote.hardness import spread
from autosynth_smote.metric import ValueDifferenceMetric
from autosynth_smote.neighbours import nearest

K = 5


def two_classes(n_rows: int = 300, n_minority: int = 60, seed: int = 0) -> pd.DataFrame:
    """Three numeric columns of different spread, with overlapping classes."""
    rng = np.random.default_rng(seed)
    is_rare = np.arange(n_rows) < n_minority
    numbers = rng.normal(size=(n_rows, 3)) * [1.0, 3.0, 0.5] + is_rare[:, None]
    frame = pd.DataFrame(numbers, columns=["a", "b", "c"])
    return frame.assign(y=np.where(is_rare, "rare", "common"))


def mixed(n_rows: int = 300, seed: int = 1) -> pd.DataFrame:
    """Numbers, categories and a boolean."""
    rng = np.random.default_rng(seed)
    frame = two_classes(n_rows, n_rows // 5, seed)
    frame["colour"] = rng.choice(["red", "green", "blue"], n_rows, p=[0.5, 0.3, 0.2])
    frame["size"] = pd.Categorical(rng.choice(["S", "M", "L"], n_rows), categories=["XS", "S", "M", "L"], ordered=True)
    frame["member"] = rng.random(n_rows) < 0.4
    return frame


def rare_rows(
    generator: SmoteGenerator | AdasynGenerator | BorderlineSmoteGenerator, table: Table, count: int, seed: int = 3
) -> SampledRows:
    """Rows of the smallest group."""
    fitted = generator.fit(table, rng=np.random.default_rng(0))
    return fitted.sample({table.groups[-1]: count}, rng=np.random.default_rng(seed))


def neighbours_within(points: np.ndarray, k: int = K) -> list[set[int]]:
    """The k nearest other rows of every row, as scikit-learn finds them."""
    found = NearestNeighbors(n_neighbors=k + 1).fit(points).kneighbors(points, return_distance=False)
    return [set(row) - {position} for position, row in enumerate(found)]


# --- numbers


def test_rows_lie_on_a_segment_between_the_base_row_and_one_of_its_nearest_neighbours():
    frame = two_classes()
    table = Table.from_frame(frame, label="y")
    rows = rare_rows(SmoteGenerator(), table, 500)
    numbers = frame[["a", "b", "c"]].to_numpy()
    neighbours = neighbours_within(numbers[:60])
    base, partner = rows.parents.T
    assert all(second in neighbours[first] for first, second in zip(base, partner, strict=True))
    gaps = (rows.frame[["a", "b", "c"]].to_numpy() - numbers[base]) / (numbers[partner] - numbers[base])
    assert np.allclose(gaps, gaps[:, :1])
    assert gaps.min() >= 0
    assert gaps.max() < 1
    assert ks_2samp(gaps[:, 0], np.random.default_rng(0).random(5000)).pvalue > 1e-3


def test_rows_are_distributed_as_those_of_imbalanced_learn():
    from imblearn.over_sampling import SMOTE

    frame = two_classes(400, 40)
    table = Table.from_frame(frame, label="y")
    ours = rare_rows(SmoteGenerator(), table, 4000).frame
    X, y = frame.drop(columns="y"), frame["y"]
    theirs, _ = SMOTE(sampling_strategy={"rare": 4040, "common": 360}, random_state=0).fit_resample(X, y)
    theirs = theirs.iloc[len(frame) :]
    assert len(theirs) == 4000
    for column in ("a", "b", "c"):
        assert ks_2samp(ours[column], theirs[column]).pvalue > 1e-3


def test_scale_std_finds_the_neighbours_of_standardized_columns():
    frame = two_classes()
    table = Table.from_frame(frame, label="y")
    rows = rare_rows(SmoteGenerator(SmoteOptions(scale="std")), table, 300)
    numbers = frame[["a", "b", "c"]].to_numpy()
    neighbours = neighbours_within((numbers / numbers.std(axis=0))[:60])
    assert all(second in neighbours[first] for first, second in rows.parents)


def test_whole_numbers_and_decimals_stay_on_their_resolution():
    frame = two_classes()
    frame["a"] = frame["a"].round(2)
    frame["b"] = (frame["b"] * 10).round().astype("int16")
    rows = rare_rows(SmoteGenerator(), Table.from_frame(frame, label="y"), 200).frame
    assert rows["b"].dtype == np.int16
    assert np.array_equal(rows["a"].round(2), rows["a"])


def test_dates_and_durations_lie_between_those_of_the_parents():
    frame = two_classes()
    rng = np.random.default_rng(0)
    frame["day"] = pd.Timestamp("2024-01-01", tz="Europe/Berlin").normalize() + pd.to_timedelta(
        rng.integers(0, 5000, len(frame)), unit="h"
    )
    frame["stay"] = pd.to_timedelta(rng.integers(0, 90, len(frame)), unit="min")
    rows = rare_rows(SmoteGenerator(), Table.from_frame(frame, label="y"), 200)
    assert rows.frame.dtypes.equals(frame.dtypes)
    for column in ("day", "stay"):
        first, second = (frame[column].iloc[parent].reset_index(drop=True) for parent in rows.parents.T)
        low, high = first.where(first < second, second), first.where(first > second, second)
        assert rows.frame[column].between(low, high).all()


def test_dates_do_not_drown_the_numbers_in_the_distance():
    frame = two_classes()
    plain = rare_rows(SmoteGenerator(), Table.from_frame(frame, label="y"), 300).parents
    frame["day"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(
        np.random.default_rng(0).integers(0, 9, len(frame)), unit="D"
    )
    dated = rare_rows(SmoteGenerator(), Table.from_frame(frame, label="y"), 300).parents
    numbers = frame[["a", "b", "c"]].to_numpy()
    lengths = [np.linalg.norm(numbers[pairs[:, 0]] - numbers[pairs[:, 1]], axis=1).mean() for pairs in (plain, dated)]
    assert lengths[1] < 2 * lengths[0]


# --- categories, booleans, texts


def test_categories_are_the_most_frequent_among_the_neighbours_that_smotenc_finds():
    frame = mixed()
    table = Table.from_frame(frame, label="y")
    rows = rare_rows(SmoteGenerator(), table, 400)
    rare = frame.iloc[:60]
    numbers = rare[["a", "b", "c"]].to_numpy()
    # The formula of imbalanced-learn's SMOTENC: one-hot columns worth the median standard deviation over sqrt(2).
    one_hot = OneHotEncoder().fit_transform(rare[["colour", "size", "member"]]).toarray()
    neighbours = neighbours_within(np.hstack([numbers, one_hot * np.median(numbers.std(axis=0)) / np.sqrt(2)]))
    for place, (first, second) in enumerate(rows.parents):
        assert second in neighbours[first]
        for column in ("colour", "size", "member"):
            votes = Counter(rare[column].iloc[list(neighbours[first])])
            assert votes[rows.frame[column].iloc[place]] == max(votes.values())
    assert rows.frame.dtypes.equals(frame.dtypes)


def test_ties_between_categories_fall_both_ways():
    codes = np.tile(np.array([[0, 0, 1, 1, 2]], dtype=np.int32), (400, 1))
    winner = vote(np.zeros(400, dtype=np.int32), codes, np.random.default_rng(0))
    won = np.bincount(codes[0, winner], minlength=3)
    assert won[2] == 0
    assert won[:2].min() > 150


def test_categories_count_in_the_distance_when_most_numeric_columns_are_constant():
    frame = mixed()
    frame[["b", "c"]] = 0.0
    rows = rare_rows(SmoteGenerator(), Table.from_frame(frame, label="y"), 400)
    colours = frame["colour"].to_numpy()
    assert (colours[rows.parents[:, 0]] == colours[rows.parents[:, 1]]).mean() > 0.6


def test_tables_of_categories_alone_use_the_distance_of_smoten():
    from imblearn.metrics.pairwise import ValueDifferenceMetric as TheirMetric

    rng = np.random.default_rng(0)
    frame = pd.DataFrame({name: rng.choice(list("abcdefgh"), 200) for name in "pqrs"})
    frame["y"] = np.where(np.arange(200) < 40, "rare", "common")
    table = Table.from_frame(frame, label="y")
    encoded = EncodedTable(table, ColumnRoles.of(table))
    metric = ValueDifferenceMetric.of(encoded)
    points = metric.points(encoded.rows(table.groups[-1], whole_table=True))
    found = nearest(points, points, K, own_place=np.arange(40))
    codes = encoded.all_rows.codes
    theirs = TheirMetric(n_categories=[8] * 4).fit(codes, (frame["y"] == "rare").astype(int))
    distances = theirs.pairwise(codes[:40])
    np.fill_diagonal(distances, np.inf)
    ours = np.sort(np.take_along_axis(distances, found, axis=1), axis=1)
    assert np.allclose(ours, np.sort(distances, axis=1)[:, :K])
    rows = rare_rows(SmoteGenerator(), table, 100)
    assert (rows.frame["y"] == "rare").all()


def test_texts_are_copied_from_the_base_row():
    frame = two_classes().assign(note=[f"note number {number}" for number in range(300)])
    table = Table.from_frame(frame, label="y")
    assert table.schema["note"].kind == "text"
    rows = rare_rows(SmoteGenerator(), table, 100)
    assert rows.frame["note"].tolist() == frame["note"].iloc[rows.parents[:, 0]].tolist()


def test_tables_of_texts_alone_give_copies_and_say_so():
    frame = pd.DataFrame({"note": [f"note {n}" for n in range(200)], "y": ["rare"] * 20 + ["common"] * 180})
    rows = rare_rows(SmoteGenerator(), Table.from_frame(frame, label="y"), 30)
    assert rows.notes == {"copies, because the table has no column to interpolate or to vote on": 30}
    assert len(set(rows.frame["note"])) > 10


# --- missing values


def with_gaps(frame: pd.DataFrame, share: float = 0.3) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    return frame.mask(rng.random(frame.shape) < share).assign(y=frame["y"])


def test_a_cell_is_missing_exactly_where_the_base_row_misses_it():
    frame = with_gaps(mixed().assign(member=lambda rows: rows["member"].astype("boolean")))
    rows = rare_rows(SmoteGenerator(), Table.from_frame(frame, label="y"), 600)
    base = frame.iloc[rows.parents[:, 0]].reset_index(drop=True)
    pd.testing.assert_frame_equal(rows.frame.isna(), base.isna())
    real_rate, rate = frame.iloc[:60].isna().mean(), rows.frame.isna().mean()
    assert (rate - real_rate).abs().max() < 0.06


def test_the_base_value_stays_where_only_the_neighbour_misses_it():
    frame = with_gaps(two_classes())
    rows = rare_rows(SmoteGenerator(), Table.from_frame(frame, label="y"), 300)
    base, partner = (frame.iloc[parent].reset_index(drop=True) for parent in rows.parents.T)
    lonely = partner[["a", "b", "c"]].isna() & base[["a", "b", "c"]].notna()
    assert lonely.to_numpy().sum() > 10
    for column in lonely:
        assert np.array_equal(rows.frame[column][lonely[column]], base[column][lonely[column]])


@pytest.mark.parametrize("generator", [SmoteGenerator(), AdasynGenerator(), BorderlineSmoteGenerator()])
def test_columns_that_a_group_never_fills_stay_missing(generator):
    frame = two_classes()
    frame.loc[frame["y"] == "rare", "c"] = np.nan
    rows = rare_rows(generator, Table.from_frame(frame, label="y"), 100)
    assert rows.frame["c"].isna().all()
    assert rows.frame["a"].notna().all()


# --- groups


def test_group_columns_are_those_of_the_request_and_bins_are_kept():
    rng = np.random.default_rng(0)
    frame = mixed().assign(sex=rng.choice(["F", "M"], 300), age=rng.integers(18, 90, 300))
    table = Table.from_frame(frame, label="y", group_by={"sex": None, "age": 3})
    counts = {group: 10 + place for place, group in enumerate(table.groups)}
    for generator in (
        SmoteGenerator(),
        AdasynGenerator(),
        BorderlineSmoteGenerator(BorderlineSmoteOptions(kind="borderline-2")),
    ):
        rows = generator.fit(table, rng=rng).sample(counts, rng=rng).frame
        got = np.bincount(table.grouping.codes(rows), minlength=len(table.groups))
        assert got.tolist() == list(counts.values())


def test_neighbours_come_from_the_same_group():
    frame = mixed().assign(sex=np.random.default_rng(0).choice(["F", "M"], 300))
    table = Table.from_frame(frame, label="y", group_by="sex")
    for group in table.groups:
        parents = (
            SmoteGenerator()
            .fit(table, rng=np.random.default_rng(0))
            .sample({group: 50}, rng=np.random.default_rng(1))
            .parents
        )
        assert set(parents.ravel()) <= set(table.positions(group))


def test_a_group_of_one_row_is_copied_and_counted():
    frame = mixed().drop(index=range(1, 60))
    table = Table.from_frame(frame, label="y")
    for generator in (SmoteGenerator(), AdasynGenerator(), BorderlineSmoteGenerator()):
        rows = rare_rows(generator, table, 7)
        assert rows.notes == {"copies, because y=rare has 1 real row": 7}
        assert rows.parents.tolist() == [[0, -1]] * 7
        pd.testing.assert_frame_equal(rows.frame, frame.iloc[[0] * 7].reset_index(drop=True))


def test_two_rows_are_interpolated_with_one_neighbour_and_counted():
    frame = two_classes().drop(index=range(2, 60))
    table = Table.from_frame(frame, label="y")
    rows = rare_rows(SmoteGenerator(), table, 9)
    assert rows.notes == {"rows from 1 instead of 5 neighbours, because y=rare has 2 real rows": 9}
    assert {tuple(sorted(pair)) for pair in rows.parents.tolist()} == {(0, 1)}
    assert rows.frame["a"].between(frame["a"].iloc[:2].min(), frame["a"].iloc[:2].max()).all()
    assert rows.frame["a"].nunique() == 9


def test_a_quantity_as_label_is_interpolated_and_left_out_of_the_distance():
    frame = two_classes().rename(columns={"y": "kind"})
    frame["price"] = np.random.default_rng(0).normal(size=300) * 1e6
    table = Table.from_frame(frame, label="price", group_by="kind")
    rows = rare_rows(SmoteGenerator(), table, 100)
    neighbours = neighbours_within(frame[["a", "b", "c"]].to_numpy()[:60])
    assert all(second in neighbours[first] for first, second in rows.parents)
    low, high = np.sort(frame["price"].to_numpy()[rows.parents], axis=1).T
    assert rows.frame["price"].between(low, high).all()


# --- ADASYN and borderline


def test_adasyn_spreads_rows_by_the_share_of_other_labels_among_the_neighbours():
    frame = two_classes()
    rows = rare_rows(AdasynGenerator(), Table.from_frame(frame, label="y"), 333)
    assert len(rows.frame) == 333
    found = neighbours_within(frame[["a", "b", "c"]].to_numpy())
    hardness = np.array([sum(neighbour >= 60 for neighbour in found[row]) / K for row in range(60)])
    wanted = 333 * hardness / hardness.sum()
    got = np.bincount(rows.parents[:, 0], minlength=60)
    assert np.abs(got - wanted).max() < 1


def test_adasyn_draws_uniformly_where_no_row_is_hard_and_counts_it():
    frame = two_classes()
    frame.loc[frame["y"] == "rare", "a"] += 100
    rows = rare_rows(AdasynGenerator(), Table.from_frame(frame, label="y"), 40)
    assert rows.notes == {
        "rows around uniformly drawn ones, because no row of y=rare has a neighbour of another label": 40
    }


def test_hardness_looks_at_labels_and_not_at_group_columns():
    frame = two_classes()
    frame.loc[frame["y"] == "rare", "a"] += 100
    frame["sex"] = np.random.default_rng(0).choice(["F", "M"], 300)  # mixed among the neighbours, label is not
    table = Table.from_frame(frame, label="y", group_by="sex")
    rows = rare_rows(AdasynGenerator(), table, 40)
    assert any("no row of" in note for note in rows.notes)


def test_spread_gives_the_exact_total_and_never_a_row_of_weight_zero():
    rng = np.random.default_rng(0)
    for _ in range(50):
        weights = rng.random(20) * (rng.random(20) < 0.5)
        weights[3] = 1.0
        count = int(rng.integers(1, 200))
        drawn = np.bincount(spread(weights, count, rng), minlength=20)
        assert drawn.sum() == count
        assert np.abs(drawn - count * weights / weights.sum()).max() < 1
        assert not drawn[weights == 0].any()


def test_borderline_draws_the_rows_in_danger_that_imbalanced_learn_finds():
    from imblearn.over_sampling import BorderlineSMOTE

    frame = two_classes()
    oracle = BorderlineSMOTE(random_state=0)
    oracle.fit_resample(frame.drop(columns="y"), frame["y"])
    rows = rare_rows(BorderlineSmoteGenerator(), Table.from_frame(frame, label="y"), 500)
    assert set(rows.parents[:, 0]) == set(oracle.in_danger_indices["rare"])
    assert rows.parents[:, 1].max() < 60


def test_borderline_2_goes_at_most_half_of_the_way_to_another_label():
    frame = two_classes()
    table = Table.from_frame(frame, label="y")
    rows = rare_rows(BorderlineSmoteGenerator(BorderlineSmoteOptions(kind="borderline-2")), table, 300)
    base, partner = rows.parents.T
    is_other = partner >= 60
    assert 0 < is_other.sum() < 300
    values = frame["a"].to_numpy()
    gap = (rows.frame["a"] - values[base]) / (values[partner] - values[base])
    assert gap[is_other].max() < 0.5
    assert gap[~is_other].max() > 0.5


def test_borderline_draws_uniformly_where_no_row_is_in_danger_and_counts_it():
    frame = two_classes()
    frame.loc[frame["y"] == "rare", "a"] += 100
    rows = rare_rows(BorderlineSmoteGenerator(), Table.from_frame(frame, label="y"), 40)
    assert rows.notes == {"rows around uniformly drawn ones, because no row of y=rare is in danger": 40}


# --- size


def test_many_distinct_categories_need_no_memory_of_their_own():
    rng = np.random.default_rng(0)
    n_rows = 4000
    frame = pd.DataFrame({"amount": rng.normal(size=n_rows), "y": rng.choice(["rare", "common"], n_rows, p=[0.3, 0.7])})
    for name in ("shop", "city"):  # one-hot columns of the whole table would take 183 MiB
        frame[name] = pd.Categorical([f"{name} {code}" for code in rng.integers(0, 3000, n_rows)])
    table = Table.from_frame(frame, label="y")
    fitted = SmoteGenerator().fit(table, rng=rng)
    tracemalloc.start()
    fitted.sample({table.groups[-1]: 1600}, rng=rng)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100 * 2**20


def test_neighbours_are_searched_among_at_most_max_reference_rows_and_the_notes_say_so():
    table = Table.from_frame(two_classes(), label="y")
    rows = rare_rows(SmoteGenerator(SmoteOptions(max_reference_rows=20)), table, 300)
    assert len(set(rows.parents[:, 1])) <= 20
    assert len(set(rows.parents[:, 0])) > 50
    assert rows.notes == {"rows with neighbours among 20 of 60 real rows, for y=rare": 300}


@pytest.mark.parametrize("n_columns", [2, 20])
def test_no_row_is_its_own_neighbour_even_among_duplicates(n_columns):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.integers(0, 2, (60, n_columns)).astype(float) * (np.arange(n_columns) < 2))
    frame["x"] = 0.5
    frame["y"] = np.where(np.arange(60) < 30, "rare", "common")
    for generator in (SmoteGenerator(), AdasynGenerator(), BorderlineSmoteGenerator()):
        parents = rare_rows(generator, Table.from_frame(frame, label="y"), 500).parents
        assert (parents[:, 0] != parents[:, 1]).all()


# --- dtypes, seeds, contract with the core


@pytest.mark.parametrize("backend", ["numpy_nullable", "pyarrow"])
def test_nullable_and_arrow_columns_come_back_as_they_are(backend):
    frame = mixed()
    frame["n"] = np.arange(300) % 17
    frame = frame.convert_dtypes(dtype_backend=backend).mask(np.random.default_rng(0).random((300, 8)) < 0.1)
    frame["y"] = mixed()["y"]
    table = Table.from_frame(frame, label="y")
    fitted = fit_generator(SmoteGenerator(), table, name="smote", rng=np.random.default_rng(0))
    rows = sample_rows(fitted, table, {table.groups[-1]: 80}, name="smote", rng=np.random.default_rng(1))
    assert rows.frame.dtypes.equals(frame.dtypes)
    assert rows.n_rounds == 1
    assert not rows.refusals


def test_the_same_seed_gives_the_same_rows_with_one_thread_and_with_several():
    from threadpoolctl import threadpool_limits

    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.integers(0, 3, (600, 30)) / 7).assign(y=np.where(np.arange(600) < 200, "rare", "common"))
    frame.columns = frame.columns.map(str)
    table = Table.from_frame(frame, label="y")
    rows = []
    for threads in (1, 4):
        with threadpool_limits(threads):
            rows.append(rare_rows(AdasynGenerator(), table, 400))
    pd.testing.assert_frame_equal(rows[0].frame, rows[1].frame)
    assert np.array_equal(rows[0].parents, rows[1].parents)


def test_nothing_asked_for_gives_no_rows_in_the_columns_of_the_table():
    table = Table.from_frame(mixed(), label="y")
    rows = rare_rows(SmoteGenerator(), table, 0)
    assert len(rows.frame) == 0
    assert rows.frame.columns.equals(table.frame.columns)


def test_the_plugin_registers_three_generators():
    registry = current_plugins()
    for name in ("smote", "adasyn", "borderline_smote"):
        assert registry.info(name).plugin == "smote"
        assert registry.info(name).missing == []
        assert registry.info(name).space == "model"


def test_importing_the_plugin_loads_no_heavy_library():
    code = "import sys, autosynth; before = set(sys.modules); import autosynth_smote; print(set(sys.modules) - before)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "autosynth_smote" in answer
    assert not [name for name in ("'imblearn'", "'sklearn'", "'scipy'", "'torch'") if name in answer]


@pytest.mark.parametrize(
    ("options", "given", "message"),
    [
        (SmoteOptions, {"k_neighbors": 0}, r"k_neighbors=0\. Use a whole number of neighbours, from 1 on"),
        (SmoteOptions, {"k_neighbors": 2.5}, r"k_neighbors=2\.5"),
        (SmoteOptions, {"k_neighbors": True}, "k_neighbors=True"),
        (SmoteOptions, {"scale": "minmax"}, "scale='minmax' is unknown. Use 'raw' or 'std'"),
        (SmoteOptions, {"max_reference_rows": 5}, "max_reference_rows=5. Use a whole number above k_neighbors=5"),
        (AdasynOptions, {"n_neighbors": -1}, "n_neighbors=-1"),
        (BorderlineSmoteOptions, {"m_neighbors": 0}, "m_neighbors=0"),
        (BorderlineSmoteOptions, {"kind": "svm"}, "kind='svm' is unknown. Use 'borderline-1' or 'borderline-2'"),
    ],
)
def test_wrong_options_are_refused_when_built(options, given, message):
    with pytest.raises(ConfigError, match=message):
        options(**given)


def test_a_misspelt_option_names_the_nearest_one():
    with pytest.raises(ConfigError, match="Did you mean 'k_neighbors'"):
        current_plugins().build("smote", {"k_neighbours": 3})
