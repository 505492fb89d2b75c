"""The independent generator: marginals of the group, a pool, noise on numbers, and nothing that nobody has."""

from __future__ import annotations

import pickle
import time
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from autosynth import SampledRows, Table
from autosynth.conform import conform
from autosynth.exceptions import ConfigError
from autosynth.testing import CONTRACT, Candidate, contract_table
from autosynth_independent import IndependentGenerator, IndependentOptions
from autosynth_independent.donors import Donors, Members
from autosynth_independent.kernel import bandwidths, is_discrete, is_spike


def rows_of(table: Table, group: int = -1, n_rows: int = 400, seed: int = 0, **options: Any) -> pd.DataFrame:
    """Rows of one group, the smallest by default."""
    return sampled(table, group, n_rows, seed, **options).frame


def sampled(table: Table, group: int = -1, n_rows: int = 400, seed: int = 0, **options: Any) -> SampledRows:
    generator = IndependentGenerator(IndependentOptions(**options)).fit(table, rng=np.random.default_rng(seed))
    return generator.sample({table.groups[group]: n_rows}, rng=np.random.default_rng(seed))


def two_classes(n_rows: int = 500, n_rare: int = 100, **columns: Any) -> pd.DataFrame:
    """A label with the rare class first, and the columns given."""
    label = np.where(np.arange(n_rows) < n_rare, "rare", "common")
    return pd.DataFrame({**columns, "y": label})


def label_table(frame: pd.DataFrame, **arguments: Any) -> Table:
    return Table.from_frame(frame, label="y", **arguments)


@pytest.mark.parametrize("part", CONTRACT, ids=lambda part: part.__name__)
def test_it_keeps_the_contract(part: Any) -> None:
    part(Candidate(lambda table: IndependentGenerator()))


# --- where cells come from


def test_each_column_follows_its_group_and_knows_nothing_of_the_others() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(np.where(np.arange(2000) < 1000, 3.0, 0.0))
    table = label_table(two_classes(2000, 1000, x=x, twin=x + 0.01 * rng.normal(size=2000)))
    rows = rows_of(table, n_rows=2000, pool_share=0.0)
    assert (rows["y"] == table.groups[-1]["y"]).all()
    own = table.frame["x"].iloc[table.positions(table.groups[-1])]
    assert ks_2samp(rows["x"], own).statistic < 0.04
    assert abs(rows["x"].corr(rows["twin"])) < 0.1


def test_the_pool_gives_the_share_asked_for_and_groups_count_equally_in_it() -> None:
    label = np.repeat(["a", "b", "c"], [1000, 100, 20])
    table = label_table(pd.DataFrame({"origin": label, "y": label}))
    rows = rows_of(table, n_rows=6000, pool_share=0.3)
    shares = rows["origin"].value_counts(normalize=True)
    assert shares["a"] == pytest.approx(0.1, abs=0.02)
    assert shares["b"] == pytest.approx(0.1, abs=0.02)
    assert rows_of(table, pool_share=0.0)["origin"].eq("c").all()


def test_every_row_of_the_group_gives_equally_often_to_within_one() -> None:
    table = label_table(two_classes(60, 7, code=[f"code {number % 30}" for number in range(60)]))
    counts = rows_of(table, n_rows=24, pool_share=0.0)["code"].value_counts()
    assert len(counts) == 7
    assert set(counts) == {3, 4}


def test_missing_is_a_value_like_any_other() -> None:
    rng = np.random.default_rng(1)
    x = np.where(rng.random(3000) < np.where(np.arange(3000) < 500, 0.4, 0.1), np.nan, rng.normal(size=3000))
    table = label_table(two_classes(3000, 500, x=x))
    own_rate = float(np.isnan(x[:500]).mean())
    assert rows_of(table, n_rows=1000, pool_share=0.0)["x"].isna().mean() == pytest.approx(own_rate, abs=0.005)
    pooled = 0.5 * own_rate + 0.5 * float(np.isnan(x[500:]).mean())
    assert rows_of(table, n_rows=4000, pool_share=1.0)["x"].isna().mean() == pytest.approx(pooled, abs=0.03)


def test_a_column_that_a_group_never_fills_stays_missing_and_is_lent_by_nobody() -> None:
    weeks = np.where(np.arange(500) < 100, np.nan, np.random.default_rng(0).normal(20, 5, 500))
    table = label_table(two_classes(weeks=weeks, empty=np.nan))
    assert rows_of(table, pool_share=1.0)["weeks"].isna().all()
    common = rows_of(table, group=0, pool_share=1.0)
    assert common["weeks"].notna().all()
    assert common["empty"].isna().all()


def test_texts_come_from_rows_of_the_same_group_and_are_reported() -> None:
    table = label_table(two_classes(note=[f"note number {number}" for number in range(500)]))
    assert table.schema["note"].kind == "text"
    rows = sampled(table, pool_share=1.0)
    assert set(rows.frame["note"]) <= set(table.frame["note"].iloc[:100])
    assert rows.notes == {"note: copied from a real row of the same group": 400}
    assert rows.parents is None


def test_a_quantity_as_label_is_not_pooled() -> None:
    rng = np.random.default_rng(0)
    south = np.arange(500) < 100
    price = np.where(south, rng.normal(10, 1, 500), rng.normal(100, 1, 500))
    table = Table.from_frame(
        pd.DataFrame({"price": price, "place": np.where(south, "south", "north")}), label="price", group_by="place"
    )
    assert rows_of(table, pool_share=1.0)["price"].max() < 20


def test_a_binned_group_column_gets_values_of_its_own_bin() -> None:
    rng = np.random.default_rng(0)
    age = np.where(rng.random(600) < 0.1, np.nan, rng.integers(18, 91, 600))
    table = label_table(two_classes(600, 150, age=age, income=rng.lognormal(size=600)), group_by={"age": 3})
    counts = dict.fromkeys(table.groups, 50)
    generator = IndependentGenerator(IndependentOptions(pool_share=0.9, jitter=5.0))
    rows = generator.fit(table, rng=rng).sample(counts, rng=rng).frame
    assert np.bincount(table.grouping.codes(rows), minlength=len(table.groups)).tolist() == [50] * len(table.groups)
    assert rows["age"].nunique() > 30


# --- noise on numbers


def test_numbers_are_jittered_within_limits_and_on_the_observed_resolution() -> None:
    rng = np.random.default_rng(0)
    columns = {
        "price": rng.normal(50, 9, 500).round(2),
        "age": rng.integers(18, 91, 500),
        "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 900, 500), unit="D"),
        "stay": pd.to_timedelta(rng.integers(0, 5000, 500), unit="min"),
    }
    table = label_table(two_classes(**columns))
    rows = rows_of(table, n_rows=1000)
    assert rows.dtypes.equals(table.frame.dtypes)
    assert np.array_equal(rows["price"].round(2), rows["price"])
    assert rows["day"].equals(rows["day"].dt.normalize())
    for name in columns:
        assert rows[name].between(table.frame[name].min(), table.frame[name].max()).all()
    for name in ("price", "day", "stay"):
        assert not rows[name].isin(table.frame[name]).all()
    assert rows_of(table, jitter=0.0)["price"].isin(table.frame["price"]).all()


def test_the_bandwidth_is_silvermans_within_the_group_and_that_of_the_table_for_tiny_groups() -> None:
    rng = np.random.default_rng(0)
    numbers = np.concatenate([rng.normal(size=1000), rng.normal(0, 10, 200), [5.0]])
    groups = np.repeat([0, 1, 2], [1000, 200, 1])
    widths = bandwidths(numbers, groups)
    for group in (0, 1):
        own = numbers[groups == group]
        spread = min(own.std(ddof=1), np.subtract(*np.quantile(own, [0.75, 0.25])) / 1.34)
        assert widths[group] == pytest.approx(0.9 * spread * len(own) ** -0.2)
    table_spread = min(numbers.std(ddof=1), np.subtract(*np.quantile(numbers, [0.75, 0.25])) / 1.34)
    assert widths[2] == pytest.approx(0.9 * table_spread)


def test_noise_does_not_pile_up_at_the_limits() -> None:
    share = np.random.default_rng(0).random(2000)
    table = label_table(two_classes(2000, 1000, share=share))
    rows = rows_of(table, n_rows=5000, jitter=3.0)["share"]
    assert rows.isin([share.min(), share.max()]).mean() < 0.001
    assert ks_2samp(rows, share).statistic < 0.05


def test_flags_grades_and_codes_stay_as_they_are() -> None:
    rng = np.random.default_rng(0)
    codes = rng.choice(rng.integers(10_000, 99_999, 40), 2000)
    table = label_table(
        two_classes(
            2000,
            400,
            flag=rng.integers(0, 2, 2000),
            grade=rng.choice([1.0, 1.5, 2.0, 4.0, 7.5], 2000),
            dial=rng.choice([0.1234567, 0.7654321, 3.1415926], 2000),
            postcode=codes,
            age=rng.integers(18, 91, 2000),
        )
    )
    rows = rows_of(table, n_rows=1000)
    for name in ("flag", "grade", "dial", "postcode"):
        assert rows[name].isin(table.frame[name]).all()
    assert not rows["age"].eq(rows_of(table, n_rows=1000, jitter=0.0)["age"]).all()


@pytest.mark.parametrize("dtype", ["int64", "Int8", "float64", "int64[pyarrow]"])
def test_a_column_of_zeros_and_ones_stays_one_even_in_a_handful_of_rows(dtype: str) -> None:
    table = label_table(two_classes(9, 3, flag=pd.array([0, 1, 0, 1, 0, 0, 1, 0, 0], dtype=dtype)))
    rows = rows_of(table, n_rows=200)
    assert set(rows["flag"].astype(int)) == {0, 1}
    assert rows["flag"].dtype == table.frame["flag"].dtype


def test_a_spike_keeps_its_share_and_its_surroundings_stay_empty() -> None:
    rng = np.random.default_rng(0)
    amount = np.where(rng.random(2000) < 0.7, 0.0, rng.uniform(200, 5000, 2000).round(2))
    table = label_table(two_classes(2000, 1000, amount=amount))
    rows = rows_of(table, n_rows=4000, pool_share=0.0)["amount"]
    own = table.frame["amount"].iloc[table.positions(table.groups[-1])]
    assert rows.eq(0).mean() == pytest.approx(float(own.eq(0).mean()), abs=0.005)
    assert rows[rows > 0].min() >= amount[amount > 0].min()
    assert not rows[rows > 0].isin(amount).all()


def test_a_spike_of_one_group_alone_is_found() -> None:
    rng = np.random.default_rng(0)
    hours = rng.normal(40, 8, 3000)
    hours[:60] = 20.0  # 2 % of the table, 60 % of the rare class
    table = label_table(two_classes(3000, 100, hours=hours))
    assert rows_of(table, pool_share=0.0)["hours"].eq(20.0).mean() == pytest.approx(0.6, abs=0.01)


def test_common_values_of_a_count_are_no_spikes() -> None:
    numbers = np.random.default_rng(0).poisson(30, 5000).astype(float)
    assert not is_spike(numbers, np.zeros(5000, dtype=np.int64)).any()
    assert not is_discrete(numbers, 1.0)


# --- odd tables


def test_a_group_of_one_row_gets_rows_that_differ() -> None:
    rng = np.random.default_rng(0)
    table = label_table(two_classes(200, 1, x=rng.normal(size=200), colour=rng.choice(list("rgb"), 200)))
    rows = rows_of(table, n_rows=100)
    assert rows["x"].nunique() == 100
    assert rows["colour"].eq(table.frame["colour"][0]).mean() > 0.7


def test_wide_tables_and_thousands_of_levels_work() -> None:
    rng = np.random.default_rng(0)
    wide = {f"x{place}": rng.normal(size=300) for place in range(200)}
    assert rows_of(label_table(two_classes(300, 30, **wide))).shape == (400, 201)
    levels = pd.Categorical(np.array([f"level {number}" for number in range(5000)])[np.arange(15_000) % 5000])
    rows = rows_of(label_table(two_classes(15_000, 500, level=levels)), n_rows=1000)
    assert rows["level"].dtype == levels.dtype
    assert rows["level"].nunique() > 400


def test_names_that_are_tuples_or_numbers_come_back_as_they_were() -> None:
    frame = two_classes(x=np.arange(500.0)).set_axis([("a", "b"), 7], axis=1)
    rows = rows_of(Table.from_frame(frame, label=7))
    assert rows.columns.tolist() == [("a", "b"), 7]


def test_no_rows_asked_for_gives_none() -> None:
    table = contract_table()
    rows = IndependentGenerator().fit(table, rng=np.random.default_rng(0)).sample({}, rng=np.random.default_rng(0))
    assert rows.frame.shape == (0, table.frame.shape[1])


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_row_of_any_column_is_refused(data: st.DataObject, any_column: st.SearchStrategy[pd.Series]) -> None:
    values = data.draw(any_column).rename("x").reset_index(drop=True)
    frame = pd.DataFrame({"x": pd.concat([values, values], ignore_index=True)})
    frame["y"] = np.where(np.arange(len(frame)) == 0, "rare", "common")
    frame = pd.concat([frame, frame.tail(1)], ignore_index=True)
    table = label_table(frame)
    rows = rows_of(table, n_rows=30, pool_share=0.5)
    _, valid, refusals = conform(rows, table.schema, owner="independent")
    assert valid.all(), refusals


# --- drawing


def test_groups_of_different_leagues_lend_each_other_nothing() -> None:
    groups = np.repeat([0, 1, 2], 10)
    donors = Donors.of(Members.of(groups), leagues=np.array([5, 9, 5]))
    wanted = np.repeat([0, 1], 300)
    givers = groups[donors.draw(wanted, 1.0, np.random.default_rng(0))]
    assert set(givers[wanted == 0]) == {0, 2}
    assert set(givers[wanted == 1]) == {1}


def test_rows_come_by_the_hundred_thousand_in_seconds() -> None:
    rng = np.random.default_rng(0)
    n_rows = 100_000
    columns = {f"x{place}": rng.normal(size=n_rows) for place in range(15)}
    columns |= {f"c{place}": rng.choice(list("abcdefgh"), n_rows) for place in range(4)}
    table = label_table(two_classes(n_rows, 2000, **columns))
    started = time.process_time()
    rows = rows_of(table, n_rows=n_rows)
    assert len(rows) == n_rows
    assert time.process_time() - started < 5  # about 1.2 on one quiet core


def test_a_fitted_generator_gives_equal_rows_in_another_process() -> None:
    table = contract_table()
    fitted = IndependentGenerator().fit(table, rng=np.random.default_rng(0))
    travelled = pickle.loads(pickle.dumps(fitted))
    counts = {table.groups[0]: 20}
    pd.testing.assert_frame_equal(
        fitted.sample(counts, rng=np.random.default_rng(3)).frame,
        travelled.sample(counts, rng=np.random.default_rng(3)).frame,
    )


@pytest.mark.parametrize("options", [{"pool_share": -0.1}, {"pool_share": 1.5}, {"pool_share": "all"}, {"jitter": -1}])
def test_options_out_of_range_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=f"{next(iter(options))}=.* is out of range"):
        IndependentOptions(**options)
