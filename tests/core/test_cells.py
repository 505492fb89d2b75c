"""Rows become cells and come back."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autosynth import Table
from autosynth.cells import CellCodec, Cells, codec_from_state, codec_to_state, group_from_state, group_to_state
from autosynth.cells.scale import MAX_KNOTS, Scale
from autosynth.exceptions import DataError
from autosynth.testing import contract_table
from autosynth.toy import shortcut_table

RNG_SEED = 3


def rng() -> np.random.Generator:
    return np.random.default_rng(RNG_SEED)


def two_classes(**columns: Any) -> Table:
    n_rows = len(next(iter(columns.values())))
    return Table.from_frame(pd.DataFrame({**columns, "y": np.arange(n_rows) % 2}), label="y")


def cell(table: Table, name: str = "x", **options: int) -> Any:
    codec = CellCodec.learn(table, **options)
    return codec.columns[codec.names.index(name)]


def differing(real: pd.DataFrame, back: pd.DataFrame) -> list[str]:
    """Return the columns in which rows did not come back, up to the last digits of floats."""
    names = []
    for name in real.columns:
        left, right = real[name].reset_index(drop=True), back[name]
        same = left.eq(right).fillna(False) | (left.isna() & right.isna())
        if left.dtype.kind == "f":
            same |= np.isclose(left, right, rtol=1e-9)
        if left.dtype != right.dtype or not same.all():
            names.append(name)
    return names


def test_real_rows_come_back_from_their_own_cells() -> None:
    table = contract_table(400)
    codec = CellCodec.learn(table)
    rows = codec.decode(codec.encode(table.frame, table.group_codes), table.group_codes, rng=rng())
    assert differing(table.frame, rows.frame) == ["note"]  # texts are copied from another row of the group


@pytest.mark.parametrize(
    "values",
    [
        pd.array([1, 2, None, 4, 5, 6], dtype="Int64"),
        pd.array([1.5, None, 2.5, 3.5, 9.0, 7.0], dtype="double[pyarrow]"),
        pd.array(["a", "b", None, "a", "c", "a"], dtype="string"),
        pd.Categorical([3, 1, 3, None, 2, 1], categories=[3, 2, 1], ordered=True),
        pd.date_range("2024-03-29", periods=6, freq="7h", tz="Europe/Paris"),
        pd.to_timedelta([1, 2, 3, 4, 5, None], unit="h"),
        pd.array([True, False, None, True, True, False], dtype="boolean"),
        np.array([True, False, True, True, False, False]),
        np.array(["x", None, "x", "y", "y", "y"], dtype=object),
        np.full(6, 7),
        np.full(6, np.nan),
    ],
    ids=lambda values: str(values.dtype),
)
@pytest.mark.parametrize("max_bins", [2, 32])
def test_every_dtype_comes_back(values: Any, max_bins: int) -> None:
    table = two_classes(x=values)
    codec = CellCodec.learn(table, max_bins=max_bins)
    rows = codec.decode(codec.encode(table.frame, table.group_codes), table.group_codes, rng=rng())
    assert differing(table.frame, rows.frame) == []


@given(
    numbers=st.lists(
        st.one_of(st.integers(-5, 5).map(float), st.floats(-1e6, 1e6, allow_subnormal=False), st.just(float("nan"))),
        min_size=4,
        max_size=60,
    ),
    max_bins=st.integers(2, 20),
)
def test_any_token_becomes_a_value_within_the_observed_limits(numbers: list[float], max_bins: int) -> None:
    table = two_classes(x=numbers)
    codec = CellCodec.learn(table, max_bins=max_bins)
    column = table.schema["x"]
    tokens = np.repeat(np.arange(codec.n_tokens[0]), 5)[:, None]
    made = codec.decode(tokens, np.zeros(len(tokens), dtype=np.int64), rng=rng()).frame["x"]
    assert made.isna().any() == bool(column.n_missing)
    if column.minimum is not None:
        assert made.dropna().between(column.minimum, column.maximum).all()
    again = codec.encode(pd.DataFrame({"x": made}), np.zeros(len(made), dtype=np.int64)).tokens
    if column.resolution is None:  # rounding may carry a value into the next bin
        assert (again == tokens).mean() > 0.9


@given(numbers=st.lists(st.floats(-1e3, 1e3, allow_subnormal=False), min_size=2, max_size=80, unique=True))
def test_observed_numbers_come_back_from_their_place(numbers: list[float]) -> None:
    observed = np.array(numbers)
    scale = Scale.learn(observed, np.ones(len(observed)), max_bins=8)
    back = scale.to_numbers(scale.to_bins(observed), scale.to_shares(observed))
    np.testing.assert_allclose(back, observed, rtol=1e-6, atol=1e-6)


def test_bins_have_equal_weight_and_a_spike_has_a_bin_of_its_own() -> None:
    numbers = np.concatenate([np.zeros(900), np.linspace(1, 2, 100)])
    scale = Scale.learn(numbers, np.ones(1_000), max_bins=20)
    assert scale.edges.tolist() == pytest.approx([0, 0.9, 0.95, 1.0], abs=0.01)
    drawn = scale.to_numbers(np.zeros(50, dtype=np.int64), rng().uniform(0, 0.9, 50))
    assert (drawn == 0).all()
    beside = scale.to_numbers(np.ones(50, dtype=np.int64), rng().uniform(0.9, 0.95, 50))
    assert beside.min() >= 1, "nothing between the spike and its neighbour"


def test_small_groups_get_more_bins_than_their_share_of_the_rows() -> None:
    frame = pd.DataFrame(
        {"x": np.concatenate([np.linspace(0, 1, 980), np.linspace(10, 11, 20)]), "y": [0] * 980 + [1] * 20}
    )
    column = cell(Table.from_frame(frame, label="y"), max_bins=32)
    of_minority = column.scale.to_bins(np.linspace(10, 11, 20))
    assert 0.02 * column.n_tokens < len(np.unique(of_minority)) < 0.5 * column.n_tokens


def test_long_columns_keep_a_bounded_number_of_knots() -> None:
    numbers = rng().normal(size=50_000)
    scale = Scale.learn(numbers, np.ones(50_000), max_bins=32)
    assert len(scale.observed) <= MAX_KNOTS
    assert np.abs(scale.to_numbers(scale.to_bins(numbers), scale.to_shares(numbers)) - numbers).max() < 0.05


def test_missing_is_a_token_and_has_no_score() -> None:
    table = two_classes(x=[1.0, 2.0, np.nan, 4.0])
    cells = CellCodec.learn(table).encode(table.frame, table.group_codes)
    assert cells.tokens[2, 0] == 3
    assert cells.scores[2, 0] == 0


def test_two_levels_have_an_order_and_three_do_not() -> None:
    assert cell(two_classes(x=["a", "b", "a", "b"])).score_edges is not None
    assert cell(two_classes(x=["a", "b", "c", "b"])).score_edges is None


def test_categories_beyond_the_limit_are_copied_from_the_group_with_a_note() -> None:
    frame = pd.DataFrame({"code": [f"c{number % 40}" for number in range(200)], "y": [0] * 150 + [1] * 50})
    table = Table.from_frame(frame, label="y")
    codec = CellCodec.learn(table, max_levels=10)
    assert codec.columns == ()
    rows = codec.decode(np.empty((30, 0), dtype=np.int64), np.ones(30, dtype=np.int64), rng=rng())
    assert list(rows.notes) == ["code: copied from a real row of the same group"]
    assert rows.parents is not None
    assert (frame["y"].to_numpy()[rows.parents[:, 0]] == 1).all()


def test_a_binned_group_column_stays_in_its_bin() -> None:
    table = Table.from_frame(shortcut_table(300), label="ill", group_by={"age": [40, 60]})
    codec = CellCodec.learn(table)
    groups = np.repeat(np.arange(len(table.groups)), 40)
    tokens = rng().integers(0, codec.n_tokens, size=(len(groups), len(codec.columns)))
    frame = codec.decode(tokens, groups, rng=rng()).frame
    assert (table.grouping.codes(frame) == groups).all()


def test_a_codec_survives_json() -> None:
    table = contract_table(300)
    codec = CellCodec.learn(table)
    again = codec_from_state(json.loads(json.dumps(codec_to_state(codec))))
    cells = codec.encode(table.frame, table.group_codes)
    same = again.encode(table.frame, table.group_codes)
    assert (cells.tokens == same.tokens).all()
    assert (cells.scores == same.scores).all()
    left, right = (one.decode(cells, table.group_codes, rng=rng()).frame for one in (codec, again))
    pd.testing.assert_frame_equal(left, right)


@pytest.mark.parametrize(
    "values",
    [
        pd.array(["a", "b", None, "a", "c", "a"], dtype="string[python]"),
        pd.array(["a", "b", None, "a", "c", "a"], dtype="string[pyarrow]"),
        pd.array(["a", "b", None, "a", "c", "a"], dtype=pd.StringDtype("pyarrow", na_value=np.nan)),
        pd.cut(pd.Series([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), 3),
        pd.Categorical(pd.period_range("2024-01", periods=6, freq="M")),
        pd.Categorical(pd.date_range("2024-01-01", periods=6, tz="UTC")),
        pd.array([1, None, 3, 4, 5, 6], dtype="int64[pyarrow]"),
    ],
    ids=lambda values: str(values.dtype),
)
def test_every_dtype_survives_json(values: Any) -> None:
    table = two_classes(x=values)
    codec = CellCodec.learn(table)
    again = codec_from_state(json.loads(json.dumps(codec_to_state(codec))))
    cells = codec.encode(table.frame, table.group_codes)
    left, right = (one.decode(cells, table.group_codes, rng=rng()).frame for one in (codec, again))
    pd.testing.assert_frame_equal(left, right)


def test_groups_survive_json() -> None:
    for group in contract_table(300).groups:
        assert group_from_state(json.loads(json.dumps(group_to_state(group)))) == group


def test_what_json_cannot_hold_is_refused_by_name() -> None:
    with pytest.raises(DataError, match="is a complex"):
        codec_to_state(CellCodec((), (), None, pd.DataFrame({1j: [1]})))


def test_no_row_is_no_problem() -> None:
    table = contract_table()
    codec = CellCodec.learn(table)
    empty = Cells(np.empty((0, len(codec.columns)), dtype=np.int64), np.empty((0, len(codec.columns))))
    made = codec.decode(empty, np.empty(0, dtype=np.int64), rng=rng()).frame
    assert made.dtypes.equals(table.frame.dtypes)
