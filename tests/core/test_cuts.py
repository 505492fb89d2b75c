from __future__ import annotations

import json

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from autosynth import Table
from autosynth.checks.cuts import LARGE_SHARE, MIN_CELL_ROWS, cut_between, cut_edges
from autosynth.checks.reference import Reference

NUMBERS = st.lists(
    st.floats(allow_nan=False, allow_infinity=False) | st.integers(-6, 6).map(float), min_size=1, max_size=120
)


def cells(numbers: np.ndarray, edges: tuple[float, ...]) -> np.ndarray:
    """Return how many numbers lie below the first edge, at it, between it and the second, and so on."""
    places = np.searchsorted(edges, numbers, side="left") + np.searchsorted(edges, numbers, side="right")
    return np.bincount(places, minlength=2 * len(edges) + 1)


@given(NUMBERS)
@settings(deadline=None)
def test_edges_rise_and_name_no_value_that_few_rows_hold(drawn: list[float]) -> None:
    numbers = np.array(drawn) + 0.0
    edges = cut_edges(numbers)
    assert list(edges) == sorted(set(edges))
    assert all(count == 0 or count >= MIN_CELL_ROWS for count in cells(numbers, edges)[1::2])


@given(NUMBERS)
@settings(deadline=None)
def test_few_rows_have_a_cell_of_their_own_only_beside_values_of_many_rows(drawn: list[float]) -> None:
    numbers = np.array(drawn) + 0.0
    found = cells(numbers, cut_edges(numbers))
    for place in np.flatnonzero((found > 0) & (found < MIN_CELL_ROWS)):
        beside = [found[side] for side in (place - 1, place + 1) if 0 <= side < len(found)]
        assert len(drawn) < MIN_CELL_ROWS or min(beside) > max(2 * MIN_CELL_ROWS - 1, LARGE_SHARE * len(numbers))


def test_many_values_are_cut_into_about_fifty_cells_of_like_size() -> None:
    numbers = np.random.default_rng(0).normal(size=10_000)
    found = cells(numbers, cut_edges(numbers))
    assert np.count_nonzero(found) == 50
    assert found.max() == 200


def test_a_value_that_most_rows_hold_stays_by_itself_with_few_rows_beside_it() -> None:
    numbers = np.r_[np.zeros(300), -1.0, np.random.default_rng(0).exponential(size=40)]
    found = cells(numbers, cut_edges(numbers))
    assert 300 in found[1::2]
    assert found[0] == 1


@given(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9))
def test_a_cut_lies_strictly_between_two_values(first: float, second: float) -> None:
    low, high = sorted([first, second])
    cut = cut_between(low, high)
    assert cut is None or low < cut < high
    assert cut is not None or np.nextafter(low, high) >= high


def test_a_saved_reference_does_not_give_away_the_rows_of_a_table_of_two_columns() -> None:
    rng = np.random.default_rng(0)
    salaries = rng.choice(np.arange(20_000, 90_000), 80, replace=False)
    real = pd.DataFrame({"ill": ["no"] * 40 + ["yes"] * 40, "salary": salaries})
    state = json.loads(json.dumps(Reference.of(Table.from_frame(real, label="ill")).to_dict()))
    named = [edge for summary in state["summaries"] for edge in summary["columns"][0]["edges"]]
    assert len(named) > 8
    assert not set(named) & set(salaries.tolist())
    for summary in state["summaries"]:
        assert all(count == 0 or count >= MIN_CELL_ROWS for count in summary["columns"][0]["counts"][:-1])
