from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest

import autosynth
from autosynth import Group, MemorizationProbe, Table
from autosynth.exceptions import ConfigError, DataError, TooFewRowsError, UnknownGeneratorError
from autosynth.plugins import PluginRegistry
from autosynth.toy import overlapping_classes

N_SEEDS = 12


def continuous(seed: int) -> pd.DataFrame:
    return overlapping_classes(400, minority_share=0.25, n_features=6, random_state=seed)


def coarse(seed: int) -> pd.DataFrame:
    """400 rows of few values: one in ten fresh rows coincides with a hidden row that no shown row explains."""
    rng = np.random.default_rng(seed)
    target = rng.random(400) < 0.25
    columns = {
        "a": rng.choice(6, 400, p=[0.4, 0.25, 0.15, 0.1, 0.06, 0.04]),
        "b": rng.choice(list("uvwxyz"), 400),
        "c": rng.integers(0, 8, 400) + 2 * target,
        "d": rng.choice(5, 400),
        "e": rng.random(400) < 0.3,
    }
    return pd.DataFrame(columns).assign(target=target.astype(int))


class Reciter:
    """Draws fresh rows, and a share of rows from a table that it has read somewhere."""

    def __init__(self, fresh: pd.DataFrame, read: pd.DataFrame, share: float) -> None:
        self.sources = fresh, read
        self.share = share

    def fit(self, table: Table, *, rng: np.random.Generator) -> Reciter:
        self.columns_ = list(table.frame.columns)
        return self

    def sample(self, counts: Mapping[Group, int], *, rng: np.random.Generator) -> pd.DataFrame:
        drawn = []
        for group, count in counts.items():
            n_read = rng.binomial(count, self.share)
            for source, n_rows in zip(self.sources, (count - n_read, n_read), strict=True):
                rows = source[source["target"] == group["target"]]
                drawn.append(rows.iloc[rng.integers(len(rows), size=n_rows)])
        return pd.concat(drawn)[self.columns_]


def probe(make: Callable[[int], pd.DataFrame], seed: int, share: float, **options: Any) -> MemorizationProbe:
    fresh = pd.concat([make(1000 + seed), make(2000 + seed)])
    generator = Reciter(fresh, make(seed), share)
    return autosynth.probe_memorization(make(seed), label="target", generator=generator, random_state=seed, **options)


def test_a_generator_that_recites_a_fifth_from_the_whole_table_is_caught() -> None:
    """Half of what it recites was hidden, so a tenth of its rows are hidden ones."""
    probes = [probe(continuous, seed, 0.2) for seed in range(N_SEEDS)]
    assert not any(found.passed for found in probes)
    assert all(0.04 < found.hidden["exact"].interval.value < 0.2 for found in probes)


def test_a_smaller_share_is_caught_with_more_rows() -> None:
    probes = [probe(continuous, seed, 0.1, n_rows=1000) for seed in range(N_SEEDS)]
    assert not any(found.passed for found in probes)


def test_a_generator_that_blurs_what_it_recites_is_caught() -> None:
    def blurred(seed: int) -> pd.DataFrame:
        return continuous(seed).map(lambda number: float(f"{number:.3g}")).astype({"target": int})

    generator = Reciter(continuous(1000), blurred(0), 0.3)
    found = autosynth.probe_memorization(continuous(0), label="target", generator=generator)
    assert found.hidden["exact"].passed
    assert not found.hidden["near"].passed


@pytest.mark.parametrize("make", [continuous, coarse])
def test_generators_that_know_nothing_are_rarely_blamed(make: Callable[[int], pd.DataFrame]) -> None:
    blamed = [not probe(make, seed, 0.0).passed for seed in range(20)]
    assert sum(blamed) <= 1


@pytest.mark.parametrize("make", [continuous, coarse])
@pytest.mark.parametrize("name", ["ros", "smote"])
def test_generators_that_learn_from_the_shown_rows_alone_are_clean(
    make: Callable[[int], pd.DataFrame], name: str
) -> None:
    pytest.importorskip("imblearn")
    for seed in range(3):
        found = autosynth.probe_memorization(make(seed), label="target", generator=name, random_state=seed)
        assert found.passed, str(found)


def test_copies_of_shown_rows_are_counted_and_fail_nothing() -> None:
    found = autosynth.probe_memorization(continuous(0), label="target", generator="ros")
    assert found.shown["exact"].n_copies == found.n_rows == 200
    assert found.passed


def test_rows_are_spread_over_the_groups_and_a_share_of_each_is_hidden(
    frame: pd.DataFrame, table: Table, scripted: Callable[..., Any]
) -> None:
    seen: list[tuple[Table, Mapping[Group, int]]] = []

    def answer(shown: Table, counts: Mapping[Group, int], rng: np.random.Generator) -> pd.DataFrame:
        seen.append((shown, counts))
        return shown.frame.iloc[[shown.positions(group)[0] for group, count in counts.items() for _ in range(count)]]

    found = autosynth.probe_memorization(
        frame, label="ill", group_by="hospital", generator=scripted(answer), n_rows=10, hidden_share=0.75
    )
    ((shown, counts),) = seen
    assert sorted(counts.values()) == [2, 2, 3, 3]
    sizes = dict(zip(table.groups, table.group_sizes.tolist(), strict=True))
    assert {group: len(shown.positions(group)) for group in shown.groups} == {
        group: size - min(round(0.75 * size), size - 1) for group, size in sizes.items()
    }
    assert found.n_shown + found.n_hidden == len(frame)
    assert found.n_rows == 10


def shown_table(frame: pd.DataFrame, scripted: Callable[..., Any], **arguments: Any) -> Table:
    """Return what a generator is shown by a probe of ``frame``."""
    seen: list[Table] = []

    def answer(shown: Table, counts: Mapping[Group, int], rng: np.random.Generator) -> pd.DataFrame:
        seen.append(shown)
        return shown.frame.iloc[[shown.positions(group)[0] for group, count in counts.items() for _ in range(count)]]

    autosynth.probe_memorization(frame, generator=scripted(answer), **arguments)
    return seen[0]


def test_the_shown_rows_keep_the_groups_of_the_whole_table(scripted: Callable[..., Any]) -> None:
    """Few rows look different: 51 numbers are a quantity and 50 are classes, 11 are cut into bins and 10 are not."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"g": rng.choice(list("uv"), 130), "level": np.r_[np.arange(11), np.arange(119) % 4]})
    frame["amount"] = np.arange(130) % 51
    frame["width"] = rng.normal(size=130)
    for group_by in ("g", "level", "width", {"width": 3}, ["g", "level"]):
        whole = Table.from_frame(frame, label="amount", group_by=group_by)
        shown = shown_table(frame, scripted, label="amount", group_by=group_by)
        assert shown.groups == whole.groups
        assert [(axis.values, axis.edges) for axis in shown.grouping.axes] == [
            (axis.values, axis.edges) for axis in whole.grouping.axes
        ]
        assert shown.grouping.codes(shown.frame).tolist() == shown.group_codes.tolist()
        assert shown.group_sizes.tolist() == sorted(shown.group_sizes, reverse=True)
        assert shown.schema["width"].maximum == shown.frame["width"].max()


def test_texts_are_texts_and_categories_are_categories_however_few_rows_are_shown(scripted: Callable[..., Any]) -> None:
    n_rows = 240
    frame = pd.DataFrame({"x": np.arange(n_rows) % 7, "y": np.arange(n_rows) % 2})
    frame["name"] = [f"name {row}" for row in range(n_rows)]
    frame["code"] = [f"code {row % 119}" for row in range(n_rows)]
    whole = Table.from_frame(frame, label="y").schema
    assert (whole["name"].kind, whole["code"].kind) == ("text", "category")
    for hidden_share in (0.5, 0.9):
        shown = shown_table(frame, scripted, label="y", hidden_share=hidden_share)
        assert [column.kind for column in shown.schema.columns] == [column.kind for column in whole.columns]
        assert shown.schema["name"].values is None
        assert set(shown.schema["code"].values or ()) == set(shown.frame["code"])


def test_an_identifier_that_lets_no_hidden_row_be_made_is_named() -> None:
    frame = pd.DataFrame({"x": np.arange(44.0), "name": [f"name {row}" for row in range(44)], "y": np.arange(44) % 2})
    with pytest.raises(DataError, match="none of the 22 hidden rows could be made from the 22 shown ones") as caught:
        autosynth.probe_memorization(frame, label="y", generator="ros")
    assert "column 'name' that no shown row has (22 different values in 22 rows)" in str(caught.value)
    assert "train.drop(columns=['name'])" in str(caught.value)
    assert "holdout" not in str(caught.value)
    assert autosynth.probe_memorization(frame.drop(columns=["name"]), label="y", generator="ros").passed


def test_equal_seeds_give_equal_probes(frame: pd.DataFrame) -> None:
    def found(random_state: Any) -> dict[str, Any]:
        answer = autosynth.probe_memorization(frame, label="ill", generator="smote", random_state=random_state)
        return {name: value for name, value in answer.to_dict().items() if name not in ("seconds", "random_state")}

    before = frame.copy(deep=True)
    assert found(1) == found(1) == found(np.random.default_rng(1))
    drawn = autosynth.probe_memorization(frame, label="ill", generator="ros", random_state=None)
    assert drawn.random_state is not None
    pd.testing.assert_frame_equal(frame, before)


def test_a_probe_reads_as_text_as_a_table_and_as_json() -> None:
    guilty, innocent = probe(continuous, 0, 0.5), probe(continuous, 0, 0.0)
    assert "contaminated: 'Reciter' makes rows of this table that nobody showed it" in str(guilty)
    assert "which learned from 200 real rows while 200 were hidden from it" in str(guilty)
    assert "clean: 'Reciter'" in str(innocent)
    assert f"up to {max(share.limit for share in innocent.hidden.values()):.1%} of copies" in str(innocent)
    plain = json.loads(json.dumps(guilty.to_dict(), allow_nan=False))
    assert (plain["passed"], plain["n_hidden"]) == (False, 200)
    assert [(row["copies_of"], row["kind"], row["passed"]) for row in plain["copies"]][:2] == [
        ("hidden", "exact", False),
        ("hidden", "near", True),
    ]
    shown = guilty.to_frame()
    assert shown.columns.tolist()[:4] == ["copies_of", "kind", "n_rows", "n_copies"]
    assert shown["n_copies"][0] == guilty.hidden["exact"].n_copies


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_rows": 0}, "n_rows=0 is out of range"),
        ({"hidden_share": 0.0}, "hidden_share=0.0 is out of range"),
        ({"hidden_share": 1.0}, "hidden_share=1.0 hides every row. Use a number above 0 and below 1"),
        ({"hidden_share": 1.5}, "hidden_share=1.5 is out of range"),
        ({"label": "il"}, "Did you mean 'ill'"),
        ({"random_state": -1}, "random_state=-1 is negative"),
        ({"generator": None}, "has no fit and sample methods"),
    ],
)
def test_wrong_arguments_are_refused(frame: pd.DataFrame, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        autosynth.probe_memorization(frame, **{"label": "ill", "generator": "ros"} | arguments)


def test_an_unknown_generator_and_a_table_too_small_are_refused(frame: pd.DataFrame) -> None:
    with pytest.raises(UnknownGeneratorError, match="Did you mean 'ros'"):
        autosynth.probe_memorization(frame, label="ill", generator="rose")
    with pytest.raises(TooFewRowsError, match="hides no row"):
        autosynth.probe_memorization(frame, label="ill", generator="ros", hidden_share=0.001)


@pytest.mark.parametrize(("is_remote", "most"), [(False, 10.0), (True, 1.5)])
def test_a_probe_asks_a_generator_that_costs_money_for_little_surplus(
    registry: PluginRegistry, plugin: Callable[..., Any], scripted: Callable[..., Any], is_remote: bool, most: float
) -> None:
    asked: list[int] = []

    def nothing_at_first(table: Table, counts: Mapping[Group, int], rng: np.random.Generator) -> Any:
        asked.append(sum(counts.values()))
        rows = table.frame.iloc[np.concatenate([rng.choice(table.positions(g), n) for g, n in counts.items()])]
        return rows.iloc[:0] if len(asked) == 1 else rows

    class Far(scripted):  # type: ignore[misc, valid-type]  # a fixture gives the class
        def __init__(self, options: Any) -> None:
            super().__init__(nothing_at_first)

    def register_far(register: autosynth.Register) -> None:
        register("far", Far, remote=is_remote)

    registry.register(plugin(autosynth_register_generators=register_far), name="far")
    autosynth.probe_memorization(continuous(3), label="target", generator="far", n_rows=100)
    assert asked[1] == pytest.approx(most * asked[0], rel=0.05)
