from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autosynth import Table
from autosynth.checks import hashes
from autosynth.checks.batch import Batch
from autosynth.checks.families import FAMILIES, run_families
from autosynth.checks.family import Context
from autosynth.checks.fidelity import column_distance, kolmogorov_smirnov_distance
from autosynth.checks.hashes import KEY_VARIABLE
from autosynth.checks.noise import Chance, number_noise
from autosynth.checks.reference import Reference
from autosynth.checks.summary import ColumnSummary, frequent_levels
from autosynth.exceptions import ConfigError, DataError
from autosynth.schema import infer_column
from autosynth.toy import shortcut_table

SUMMARY_FAMILIES = [family for family in FAMILIES.values() if family.needs == "summary"]


@pytest.fixture(scope="module")
def real() -> pd.DataFrame:
    return shortcut_table(400, minority_share=0.3)


@pytest.fixture(scope="module")
def reference(real: pd.DataFrame) -> Reference:
    return Reference.of(Table.from_frame(real, label="ill", group_by="hospital"), rules=["age > 0"])


def saved(reference: Reference) -> dict[str, Any]:
    state: dict[str, Any] = json.loads(json.dumps(reference.to_dict(), allow_nan=False))
    return state


def everything(n_rows: int = 60) -> pd.DataFrame:
    """A table with a column of every kind, and group columns with missing and with binned values."""
    rng = np.random.default_rng(0)
    days = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, n_rows), unit="D")
    return pd.DataFrame(
        {
            "day": days,
            "zoned": pd.Series(days).dt.tz_localize("Europe/Berlin"),
            "span": pd.to_timedelta(rng.integers(0, 99, n_rows), unit="h"),
            "truth": rng.random(n_rows) < 0.5,
            "perhaps": pd.array(rng.choice([True, False, None], n_rows), dtype="boolean"),
            "whole": pd.array(rng.choice([1, 2, 3, None], n_rows), dtype="Int64"),
            "price": rng.lognormal(3, 1, n_rows).round(2),
            "size": pd.Categorical(rng.choice(["s", "m", "l"], n_rows), ["s", "m", "l", "xl"], ordered=True),
            "code": pd.Categorical(rng.choice([1, 2, 30], n_rows)),
            "note": [f"a text of its own, number {number}" for number in range(n_rows)],
            "empty": np.full(n_rows, np.nan),
            ("odd", 1): rng.integers(0, 9, n_rows),
            "sex": rng.choice(["f", "m", None], n_rows),
            "age": rng.integers(18, 90, n_rows),
            "y": np.where(rng.random(n_rows) < 0.3, "yes", "no"),
        }
    )


def test_a_reference_of_every_kind_of_column_survives_json() -> None:
    table = Table.from_frame(everything(), label="y", group_by={"sex": None, "age": 2})
    reference = Reference.of(table, with_hashes=True)
    again = Reference.from_dict(saved(reference))
    assert again == reference
    assert again.digest == reference.digest
    assert again.schema == reference.schema
    assert again.groups == reference.groups
    assert any(None in group.values for group in again.groups)
    assert [axis.edges for axis in again.grouping.axes] == [axis.edges for axis in reference.grouping.axes]
    assert again.grouping.codes(everything()).tolist() == table.group_codes.tolist()


def test_a_saved_reference_gives_the_same_results(real: pd.DataFrame, reference: Reference) -> None:
    fresh = shortcut_table(300, minority_share=0.3, random_state=1).assign(severity=0.5)
    again = Reference.from_dict(saved(reference))
    results = [
        [found for family in SUMMARY_FAMILIES for found in family.ask_all(Context(some, Batch.read(fresh, some)))]
        for some in (reference, again)
    ]
    assert repr(results[0]) == repr(results[1])
    assert any(not found.passed for found in results[0])


@given(data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_kind_of_column_is_summarised_and_its_own_rows_pass(
    data: st.DataObject, any_column: st.SearchStrategy[pd.Series]
) -> None:
    column = data.draw(any_column)
    values = pd.concat([column] * 6, ignore_index=True)
    real = pd.DataFrame({("x", 1): values, 2: np.arange(len(values)), "y": [0] * (len(values) - 2) + [1] * 2})
    reference = Reference.of(Table.from_frame(real, label="y"))
    assert Reference.from_dict(saved(reference)) == reference
    context = Context(reference, Batch.read(real, reference))
    results = [found for family in SUMMARY_FAMILIES for found in family.ask_all(context)]
    assert all(found.passed for found in results if found.name != "exact_copies"), results


def test_no_row_and_no_text_is_in_the_json() -> None:
    frame = everything()
    text = json.dumps(Reference.of(Table.from_frame(frame, label="y"), with_hashes=True).to_dict())
    assert "a text of its own" not in text
    for row in frame.astype(str).to_numpy():
        assert ", ".join(row) not in text


def test_tiny_groups_are_not_summarised() -> None:
    frame = pd.DataFrame({"x": np.r_[np.arange(40.0), 123.25, 321.75], "y": np.r_[np.zeros(38), np.ones(4)]})
    reference = Reference.of(Table.from_frame(frame, label="y"))
    assert [summary is None for summary in reference.summaries] == [False, True]
    assert json.dumps(reference.to_dict()["summaries"]).count("123.25") == 0


def test_the_order_of_synthetic_rows_and_columns_does_not_matter(reference: Reference) -> None:
    fresh = shortcut_table(300, minority_share=0.3, random_state=1)
    mixed = fresh.sample(frac=1, random_state=0)[[*fresh.columns[::-1]]]
    results = [
        [
            found
            for family in SUMMARY_FAMILIES
            for found in family.ask_all(Context(reference, Batch.read(rows, reference)))
        ]
        for rows in (fresh, mixed)
    ]
    assert len(results[0]) == len(results[1])
    for first, second in zip(*results, strict=True):
        assert (first.name, first.subject, first.passed) == (second.name, second.subject, second.passed)
        assert first.observed == pytest.approx(second.observed, nan_ok=True)
        assert first.limit == pytest.approx(second.limit, nan_ok=True)


SMALL = st.lists(st.integers(-20, 20).map(float) | st.just(float("nan")), min_size=1, max_size=60)


@given(first=SMALL, second=SMALL)
@settings(deadline=None)
def test_the_distance_from_a_summary_is_exact_for_values_that_five_rows_hold(
    first: list[float], second: list[float]
) -> None:
    real, made = pd.Series(first * 5, name="x"), pd.Series(second, name="x")
    column = infer_column(real)
    summary = ColumnSummary.of(real, column)
    assert summary.distance(summary.count(made, column)) == pytest.approx(column_distance(real, made, column))


ANY_NUMBERS = st.lists(st.floats(-1e6, 1e6) | st.integers(-9, 9).map(float), min_size=1, max_size=200)


@given(first=ANY_NUMBERS, second=ANY_NUMBERS)
@settings(deadline=None, max_examples=50)
def test_the_distance_from_a_summary_is_otherwise_low_by_little(first: list[float], second: list[float]) -> None:
    real, made = pd.Series(first, name="x"), pd.Series(second, name="x")
    column = infer_column(real)
    summary = ColumnSummary.of(real, column)
    found, exact = (
        summary.distance(summary.count(made, column)),
        kolmogorov_smirnov_distance(*map(np.array, (first, second))),
    )
    between = max(summary.counts[:-1:2]) / len(first)
    assert exact - between - 1e-12 <= found <= exact + 1e-12


@given(st.lists(st.sampled_from("abcde"), min_size=30, max_size=90), st.lists(st.sampled_from("abcdef"), min_size=1))
@settings(deadline=None)
def test_rare_and_unseen_categories_count_as_one(first: list[str], second: list[str]) -> None:
    real, made = pd.Series(first, name="x", dtype=object), pd.Series(second, name="x", dtype=object)
    column = infer_column(real)
    levels = frequent_levels(real)
    summary = ColumnSummary.of(real, column, levels)
    together = [some.where(some.isin(levels), "other") for some in (real, made)]
    assert summary.distance(summary.count(made, column)) == pytest.approx(column_distance(*together, column))


DAMAGES: list[tuple[str, Callable[[dict[str, Any]], Any]]] = [
    ("of version 99", lambda state: state.update(version=99)),
    ("'something else'", lambda state: state.update(format="something else")),
    ("'tallies' is absent", lambda state: state.pop("tallies")),
    ("'group_sizes' is list of 1 items", lambda state: state.update(group_sizes=[3])),
    ("whole numbers", lambda state: state["group_sizes"].__setitem__(0, 1.5)),
    ("whole numbers", lambda state: state["n_repeated"].__setitem__(0, True)),
    ("different columns or rows", lambda state: state["group_sizes"].__setitem__(0, 7)),
    ("rising edges", lambda state: state["summaries"][0]["columns"][0]["edges"].reverse()),
    ("'counts' is list", lambda state: state["summaries"][0]["columns"][0]["counts"].pop()),
    ("other numbers of rows", lambda state: state["summaries"][0]["columns"][0]["counts"].__setitem__(0, 9)),
    ("no feature", lambda state: state["summaries"][0]["association"]["features"].__setitem__(0, [99, None])),
    ("'correlations' is list", lambda state: state["summaries"][0]["association"]["correlations"].pop()),
    ("'mean' is -1", lambda state: state["summaries"][0]["number_null"].update(mean=-1)),
    ("lie on the axes", lambda state: state["grouping"]["cells"].__setitem__(0, [9, 9])),
    ("occurs twice", lambda state: state["grouping"]["cells"].__setitem__(0, state["grouping"]["cells"][1])),
    ("damaged", lambda state: state["schema"]["columns"][0].update(dtype="no such dtype")),
    ("damaged", lambda state: state["schema"]["columns"][0].update(surprise=1)),
    ("damaged", lambda state: state["schema"].update(columns=7)),
    ("damaged", lambda state: state["schema"].update(label={"__class__": "os.system"})),
    ("summarised as another kind", lambda state: state["schema"]["columns"][0].update(kind="category", values=[])),
]


@pytest.mark.parametrize(("message", "damage"), DAMAGES)
def test_a_damaged_reference_is_refused(
    reference: Reference, message: str, damage: Callable[[dict[str, Any]], Any]
) -> None:
    state = saved(reference)
    damage(state)
    with pytest.raises(DataError, match=message):
        Reference.from_dict(state)


@given(data=st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_part_is_replaced_the_reference_loads_or_is_refused(data: st.DataObject, reference: Reference) -> None:
    state = saved(reference)
    place: Any = state
    while True:
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        if not isinstance(place[key], dict | list) or not place[key] or data.draw(st.booleans()):
            break
        place = place[key]
    place[key] = data.draw(st.sampled_from([None, -1, 2**80, "text", [], {}, True, 0.5, [[]], {"date": "x"}]))
    try:
        Reference.from_dict(state)
    except (DataError, ConfigError) as error:
        assert str(error)  # noqa: PT017 - both outcomes are fine


@pytest.mark.parametrize("state", [None, [], "text", {1: 2}])
def test_what_is_no_mapping_is_refused(state: Any) -> None:
    with pytest.raises(DataError, match="the reference is damaged"):
        Reference.from_dict(state)


def test_rows_that_json_cannot_hold_are_refused_when_saved() -> None:
    frame = pd.DataFrame({"raw": pd.Categorical([b"a", b"b"] * 10), "y": [0, 1] * 10})
    with pytest.raises(DataError, match="cannot be saved as JSON"):
        Reference.of(Table.from_frame(frame, label="y")).to_dict()


def test_hashes_find_the_copies_that_the_rows_find(real: pd.DataFrame) -> None:
    table, hidden = Table.from_frame(real, label="ill"), shortcut_table(100, random_state=5)
    reference = Reference.from_dict(saved(Reference.of(table, holdout=hidden, with_hashes=True)))
    assert reference.hashes is not None
    free = list(reference.free_columns)
    rows = pd.concat([real.head(3), hidden.head(2), shortcut_table(4, random_state=9)], ignore_index=True)
    copied, hidden_copied = reference.hashes.find(Batch.read(rows, reference).frame[free])
    assert copied.tolist() == [True] * 3 + [False] * 6
    assert hidden_copied.tolist() == [False] * 3 + [True] * 2 + [False] * 4


def test_two_references_have_different_salts(real: pd.DataFrame) -> None:
    table = Table.from_frame(real, label="ill")
    first, second = (Reference.of(table, with_hashes=True).hashes for _ in range(2))
    assert first is not None
    assert second is not None
    assert first.salt != second.salt
    assert first.training != second.training


def test_a_key_is_needed_again_and_stored_nowhere(real: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "open sesame")
    reference = Reference.of(Table.from_frame(real, label="ill"), with_hashes=True)
    assert "open sesame" not in json.dumps(reference.to_dict())
    assert reference.hashes is not None
    assert reference.hashes.needs_key
    rows = real[list(reference.free_columns)]
    assert reference.hashes.find(rows)[0].all()
    monkeypatch.setenv(KEY_VARIABLE, "open barley")
    with pytest.raises(ConfigError, match="another key"):
        reference.hashes.find(rows)
    monkeypatch.delenv(KEY_VARIABLE)
    with pytest.raises(ConfigError, match="is not set"):
        reference.hashes.find(rows)
    (found,) = FAMILIES["exact_copies"].ask_all(Context(reference, Batch.read(real, reference)))
    assert found.status == "error"


def test_a_key_that_was_not_there_before_changes_nothing(real: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    reference = Reference.of(Table.from_frame(real, label="ill"), with_hashes=True)
    monkeypatch.setenv(KEY_VARIABLE, "open sesame")
    assert reference.hashes is not None
    assert reference.hashes.find(real[list(reference.free_columns)])[0].all()


def test_rows_hashed_differently_are_an_error_and_no_absence_of_copies(
    real: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = Reference.of(Table.from_frame(real, label="ill"), with_hashes=True)
    monkeypatch.setattr(hashes, "row_hashes", lambda rows: np.arange(len(rows), dtype=np.uint64))
    (found,) = FAMILIES["exact_copies"].ask_all(Context(reference, Batch.read(real, reference)))
    assert found.status == "error"
    assert "hashed differently" in found.message


@pytest.mark.parametrize(
    ("part", "value"), [("salt", "xyz"), ("training", "AAA="), ("training", "ü"), ("n_coincident", [[1]])]
)
def test_damaged_hashes_are_refused(real: pd.DataFrame, part: str, value: Any) -> None:
    state = saved(Reference.of(Table.from_frame(real, label="ill"), with_hashes=True))
    damaged = copy.deepcopy(state)
    damaged["hashes"][part] = value
    with pytest.raises(DataError, match="hashes of rows"):
        Reference.from_dict(damaged)


def test_a_family_that_raises_is_an_error_and_the_others_answer(
    reference: Reference, real: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Batch, "count_outside", lambda *_: 1 / 0)
    context = Context(reference, Batch.read(real, reference))
    results = run_families(context, quick_only=True)
    assert [found.name for found in results if "ZeroDivisionError" in found.error] == ["limits"]
    assert {"schema", "dependence"} <= {found.name for found in results if found.passed}


def test_what_needs_rows_is_not_run_without_them(reference: Reference, real: pd.DataFrame) -> None:
    results = run_families(Context(reference, Batch.read(real, reference)))
    named = {found.name for found in results if found.status == "error"}
    assert named == {family.name for family in FAMILIES.values() if family.needs == "rows"} | {"exact_copies"}


def test_chance_is_hardly_ever_exceeded() -> None:
    rng = np.random.default_rng(0)
    for n_real, n_made, share in ((50, 200, 0.0), (50, 200, 0.02), (400, 60, 0.1), (300, 3000, 0.4)):
        seen, made = rng.binomial(n_real, share, 2000) / n_real, rng.binomial(n_made, share, 2000) / n_made
        limits = {part: Chance(part, n_real).highest(n_made, 0.01) for part in np.unique(seen).tolist()}
        low = {part: Chance(part, n_real).lowest(n_made, 0.01) for part in np.unique(seen).tolist()}
        assert np.mean([found > limits[part] for part, found in zip(seen.tolist(), made.tolist(), strict=True)]) <= 0.02
        assert np.mean([found < low[part] for part, found in zip(seen.tolist(), made.tolist(), strict=True)]) <= 0.02


def test_few_real_rows_that_speak_for_many_synthetic_ones_count_as_few() -> None:
    balanced = Chance.of_mix([0, 2], [980, 20], [500, 500])
    assert balanced.share == pytest.approx(0.05)
    assert balanced.n_real < 100
    assert Chance.of_mix([1, 2], [980, 20], [0, 0]).share == pytest.approx(0.003)


def test_a_limit_grows_from_noise_to_tolerance_with_the_rows() -> None:
    noises = [number_noise(n_rows, n_rows, 0.001) for n_rows in (20, 200, 2_000, 2_000_000)]
    limits = [noise.limit(0.15) for noise in noises]
    assert limits == sorted(limits, reverse=True)
    assert limits[0] > 0.5
    assert limits[-1] == pytest.approx(0.15, abs=0.005)
