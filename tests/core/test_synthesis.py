from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from autosynth import Group, SampledRows, SamplingPlan, Table
from autosynth.exceptions import ConfigError, DataError, GenerationError, InsufficientRowsError, PluginError
from autosynth.plugins import PluginRegistry
from autosynth.synthesis import SyntheticRows, fit_generator, sample_rows


def rows_of(table: Table, counts: Mapping[Group, int]) -> pd.DataFrame:
    """Return the first real row of each group, as often as asked for."""
    return table.frame.iloc[[table.positions(group)[0] for group, count in counts.items() for _ in range(count)]]


def draw(
    generator: Any, table: Table, counts: Mapping[Group, int] | None = None, registry: PluginRegistry | None = None
) -> SyntheticRows:
    counts = SamplingPlan.make(table).counts if counts is None else counts
    fitted = fit_generator(generator, table, name="mine", rng=np.random.default_rng(0))
    return sample_rows(fitted, table, counts, name="mine", rng=np.random.default_rng(1), registry=registry)


def group_counts(rows: SyntheticRows, table: Table) -> dict[Group, int]:
    return dict(Counter(table.groups[code] for code in table.grouping.codes(rows.frame)))


def test_exactly_the_rows_asked_for_come_group_by_group(table: Table, scripted: Callable[..., Any]) -> None:
    counts = SamplingPlan.make(table, augment=2).counts
    rows = draw(scripted(), table, counts)
    assert group_counts(rows, table) == counts
    assert rows.group_codes.tolist() == table.grouping.codes(rows.frame).tolist() == sorted(rows.group_codes)
    assert rows.n_rounds == 1


def test_parents_are_positions_of_real_rows(table: Table, scripted: Callable[..., Any]) -> None:
    rows = draw(scripted(), table)
    pd.testing.assert_frame_equal(rows.frame, table.frame.iloc[rows.parents[:, 0]].reset_index(drop=True))


def test_refused_rows_are_drawn_again_and_counted(table: Table, scripted: Callable[..., Any]) -> None:
    def every_second_is_too_old(table: Table, counts: Mapping[Group, int], rng: np.random.Generator) -> pd.DataFrame:
        rows = rows_of(table, counts)
        return rows.assign(age=np.where(np.arange(len(rows)) % 2, 200, rows["age"]))

    rows = draw(scripted(every_second_is_too_old), table)
    assert group_counts(rows, table) == SamplingPlan.make(table).counts
    assert rows.n_rounds > 1
    (reason,) = rows.refusals
    assert reason == "age: outside the observed limits 18 to 89"


def test_a_hard_group_is_topped_up_by_its_own_rate(scripted: Callable[..., Any]) -> None:
    frame = pd.DataFrame({"y": ["big"] * 700 + ["easy"] * 10 + ["hard"] * 10, "x": range(720)})
    table = Table.from_frame(frame, label="y")

    def one_in_eight_of_the_hard(table: Table, counts: Mapping[Group, int], rng: np.random.Generator) -> pd.DataFrame:
        rows = rows_of(table, counts)
        return rows.assign(x=np.where((rows["y"] == "hard") & (np.arange(len(rows)) % 8 > 0), -1, rows["x"]))

    rows = draw(scripted(one_in_eight_of_the_hard), table)
    assert group_counts(rows, table) == SamplingPlan.make(table).counts


@pytest.mark.parametrize(("is_paid", "most"), [(False, 10.0), (True, 1.5)])
def test_rows_that_cost_money_are_asked_for_with_little_surplus(
    table: Table, scripted: Callable[..., Any], is_paid: bool, most: float
) -> None:
    asked: list[int] = []

    def nothing_at_first(table: Table, counts: Mapping[Group, int], rng: np.random.Generator) -> pd.DataFrame:
        asked.append(sum(counts.values()))
        rows = rows_of(table, counts)
        return rows.iloc[:0] if len(asked) == 1 else rows

    fitted = fit_generator(scripted(nothing_at_first), table, name="scripted", rng=np.random.default_rng(0))
    counts = SamplingPlan.make(table).counts
    sample_rows(fitted, table, counts, name="scripted", rng=np.random.default_rng(0), is_paid=is_paid)
    assert asked[1] == pytest.approx(most * asked[0], rel=0.05)


def test_a_failure_in_a_later_round_tells_what_had_come(table: Table, scripted: Callable[..., Any]) -> None:
    rounds: list[int] = []

    def half_then_broken(table: Table, counts: Mapping[Group, int], rng: np.random.Generator) -> pd.DataFrame:
        rounds.append(1)
        if len(rounds) == 2:
            raise GenerationError("the endpoint is down.")
        return rows_of(table, {group: count // 2 for group, count in counts.items()})

    with pytest.raises(InsufficientRowsError, match=r"The last round broke off: the endpoint is down\.") as caught:
        draw(scripted(half_then_broken), table)
    assert sum(caught.value.produced.values()) > 0
    assert isinstance(caught.value.__cause__ or caught.value.__context__, GenerationError)


def test_a_shortfall_is_an_error_with_both_counts(table: Table, scripted: Callable[..., Any]) -> None:
    calls: list[int] = []

    def three_rows_once(table: Table, counts: Mapping[Group, int], rng: np.random.Generator) -> pd.DataFrame:
        calls.append(1)
        return rows_of(table, dict.fromkeys(counts, 3 if len(calls) == 1 else 0))

    rare = table.groups[-1]
    with pytest.raises(
        InsufficientRowsError, match=r"ill=yes, hospital=north: \d+ of \d+.*Ask for fewer rows"
    ) as caught:
        draw(scripted(lambda table, counts, rng: rows_of(table, counts).head(0)), table)
    assert caught.value.requested == SamplingPlan.make(table).counts
    assert caught.value.produced[rare] == 0
    with pytest.raises(InsufficientRowsError, match="hospital=north: 3 of"):
        draw(scripted(three_rows_once), table, {rare: 80})


def test_the_reasons_of_a_shortfall_are_named(table: Table, scripted: Callable[..., Any]) -> None:
    answer = scripted(lambda table, counts, rng: rows_of(table, counts).assign(ward="attic"))
    with pytest.raises(InsufficientRowsError, match="refused: ward: a value that the real rows do not hold"):
        draw(answer, table)


def test_rows_of_another_group_are_refused_and_counted(table: Table, scripted: Callable[..., Any]) -> None:
    wanted, other = table.groups[2], table.groups[0]
    answer = scripted(lambda table, counts, rng: rows_of(table, {other: 2, **counts}))
    rows = draw(answer, table, {wanted: 4})
    assert group_counts(rows, table) == {wanted: 4}
    assert rows.refusals == {"a group that was not asked for": 2}


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda table, counts, rng: rows_of(table, {key: 2 * n for key, n in counts.items()}), "Fewer may come back"),
        (lambda table, counts, rng: rows_of(table, counts).assign(extra=1), r"missing: none; unexpected: extra"),
        (lambda table, counts, rng: rows_of(table, counts).drop(columns="age"), "missing: age; unexpected: none"),
        (lambda table, counts, rng: rows_of(table, counts).to_numpy(), "returned a ndarray"),
        (
            lambda table, counts, rng: SampledRows(rows_of(table, counts), parents=np.zeros(3)),
            r"parents of shape \(3,\)",
        ),
        (
            lambda table, counts, rng: SampledRows(
                rows_of(table, counts), parents=np.full((sum(counts.values()), 1), len(table))
            ),
            "names parents from 120 to 120",
        ),
    ],
)
def test_a_broken_answer_names_the_generator(
    table: Table, scripted: Callable[..., Any], answer: Any, message: str
) -> None:
    with pytest.raises(PluginError, match=f"generator 'mine' .*{message}"):
        draw(scripted(answer), table)


def test_a_generator_that_raises_is_named_and_its_cause_chained(table: Table, scripted: Callable[..., Any]) -> None:
    def fails(*_: object) -> None:
        raise ZeroDivisionError("no luck")

    with pytest.raises(
        GenerationError, match="generator 'mine' failed while it learned from 120 rows: ZeroDiv"
    ) as caught:
        draw(scripted(learn=fails), table)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    with pytest.raises(
        GenerationError, match=r"generator 'mine' failed while it sampled: ZeroDivisionError\('no luck'\)"
    ):
        draw(scripted(fails), table)


def test_our_own_errors_pass_unchanged(table: Table, scripted: Callable[..., Any]) -> None:
    def refuses(*_: object) -> None:
        raise DataError("two rows are too few")

    for generator in (scripted(learn=refuses), scripted(refuses)):
        with pytest.raises(DataError, match=r"^two rows are too few$"):
            draw(generator, table)


def test_an_interrupt_passes_through(table: Table, scripted: Callable[..., Any]) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        draw(scripted(interrupted), table)


def test_what_is_no_generator_is_refused(table: Table, scripted: Callable[..., Any]) -> None:
    for thing in (42, scripted, object()):
        with pytest.raises(ConfigError, match=r"has no fit and sample methods\. Use a registered name or"):
            draw(thing, table)


def test_fit_must_return_the_generator(table: Table, scripted: Callable[..., Any]) -> None:
    with pytest.raises(PluginError, match=r"fit of generator 'mine' returned a list\. It must return self"):
        draw(scripted(learn=lambda table: []), table)


def test_the_generator_given_is_not_fitted_itself(table: Table, scripted: Callable[..., Any]) -> None:
    generator = scripted()
    draw(generator, table)
    assert not hasattr(generator, "table_")


def test_progress_is_told_in_rows(table: Table, scripted: Callable[..., Any]) -> None:
    told: list[int] = []
    fitted = fit_generator(scripted(), table, name="mine", rng=np.random.default_rng(0))
    counts = SamplingPlan.make(table).counts
    sample_rows(fitted, table, counts, name="mine", rng=np.random.default_rng(1), on_progress=told.append)
    assert told == [sum(counts.values())]


def test_no_request_asks_nothing(table: Table, scripted: Callable[..., Any]) -> None:
    rows = draw(scripted(lambda *_: pytest.fail("asked for nothing")), table, {})
    assert len(rows.frame) == 0
    assert rows.frame.dtypes.equals(table.frame.dtypes)


def test_row_filters_of_all_plugins_veto(
    table: Table, scripted: Callable[..., Any], registry: PluginRegistry, plugin: Callable[..., ModuleType]
) -> None:
    registry.register(plugin(autosynth_keep_rows=lambda rows: rows["age"] > 30), name="adults")
    registry.register(plugin(autosynth_keep_rows=lambda rows, schema: rows["severity"] < 2), name="mild")
    registry.register(plugin(autosynth_keep_rows=lambda rows: None), name="silent")
    rows = draw(scripted(), table, registry=registry)
    assert (rows.frame["age"] > 30).all()
    assert (rows.frame["severity"] < 2).all()
    assert rows.refusals["vetoed by a row filter"] > 0
    assert group_counts(rows, table) == SamplingPlan.make(table).counts


def test_row_filters_see_no_label_and_may_answer_in_nullable_dtypes(
    frame: pd.DataFrame, scripted: Callable[..., Any], registry: PluginRegistry, plugin: Callable[..., ModuleType]
) -> None:
    seen: set[str] = set()
    table = Table.from_frame(frame.convert_dtypes(), label="ill")

    def adults(rows: pd.DataFrame) -> pd.Series:
        seen.update(rows.columns)
        return rows["age"] > 30

    registry.register(plugin(autosynth_keep_rows=adults), name="adults")
    rows = draw(scripted(), table, registry=registry)
    assert (rows.frame["age"] > 30).all()
    assert seen == set(frame.columns) - {"ill"}


@pytest.mark.parametrize(
    ("answer", "seen"),
    [
        (lambda rows: (rows["age"] > 30).to_numpy(), "a ndarray"),
        (lambda rows: rows["age"], "a Series of int64"),
        (lambda rows: (rows["age"] > 30).iloc[::-1], "a Series of bool"),
        (lambda rows: (rows["age"] > 30).astype("boolean").where(rows["age"] > 40), "a Series of boolean"),
    ],
)
def test_a_row_filter_that_gives_no_mask_is_named(
    table: Table,
    scripted: Callable[..., Any],
    registry: PluginRegistry,
    plugin: Callable[..., ModuleType],
    answer: Callable[[pd.DataFrame], Any],
    seen: str,
) -> None:
    registry.register(plugin(autosynth_keep_rows=lambda rows: answer(rows)), name="adults")
    with pytest.raises(PluginError, match=f"plugin 'adults' answered autosynth_keep_rows with {seen}"):
        draw(scripted(), table, registry=registry)


def test_a_filter_that_keeps_nothing_ends_in_a_shortfall(
    table: Table, scripted: Callable[..., Any], registry: PluginRegistry, plugin: Callable[..., ModuleType]
) -> None:
    registry.register(plugin(autosynth_keep_rows=lambda rows: rows["age"] > 500), name="giants")
    with pytest.raises(InsufficientRowsError, match="asked in 2 rounds; refused: vetoed by a row filter"):
        draw(scripted(), table, registry=registry)
