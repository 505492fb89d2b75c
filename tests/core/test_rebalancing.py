from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import autosynth
from autosynth import AutosynthWarning, Group, RebalanceResult, Table
from autosynth.checks.contamination import KnownRows
from autosynth.exceptions import CheckFailedError, ConfigError, DataError, InsufficientRowsError, PluginError
from autosynth.plugins import PluginRegistry
from autosynth.rebalancing import new_labels
from autosynth.toy import shortcut_table


def assert_real_rows_are_sacred(result: RebalanceResult, real: pd.DataFrame) -> None:
    first = result.data.iloc[: len(real)]
    assert first.index.tolist() == real.index.tolist()
    assert result.data.index.is_unique
    assert result.data.index.names == real.index.names
    pd.testing.assert_frame_equal(first.reset_index(drop=True), real.reset_index(drop=True), check_exact=True)
    assert result.is_synthetic.tolist() == [False] * len(real) + [True] * len(result.synthetic)
    assert result.synthetic.dtypes.equals(real.dtypes)


def test_groups_get_equal_sizes_and_synthetic_rows_are_marked(frame: pd.DataFrame) -> None:
    result = autosynth.rebalance(frame, label="ill", group_by="hospital", generator="ros")
    assert result.data.groupby(["ill", "hospital"]).size().nunique() == 1
    assert len(result.synthetic) == result.plan.n_synthetic
    assert result.is_synthetic.sum() == result.plan.n_synthetic
    assert result.weights.index.equals(result.data.index)
    assert result.weights.mean() == pytest.approx(1)


def test_the_input_is_left_as_it_was(frame: pd.DataFrame) -> None:
    before = frame.copy(deep=True)
    autosynth.rebalance(frame, label="ill", generator="ros", augment=3)
    pd.testing.assert_frame_equal(frame, before)


@given(data=st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_real_rows_keep_their_values_in_every_dtype(
    data: st.DataObject, any_column: st.SearchStrategy[pd.Series]
) -> None:
    column = data.draw(any_column)
    repeated = pd.concat([column] * 6, ignore_index=True)
    real = pd.DataFrame({"x": repeated, "y": [0] * (len(repeated) - 2) + [1] * 2})
    result = autosynth.rebalance(real, label="y", generator="ros", check="off")
    assert_real_rows_are_sacred(result, real)
    assert result.data["x"].dtype == column.dtype


@pytest.mark.parametrize(
    "index",
    [
        pd.RangeIndex(10, 130),
        pd.RangeIndex(0, 240, 2, name="id"),
        pd.Index(-np.arange(120)),
        pd.Index(np.arange(120), dtype="int8"),
        pd.Index(np.arange(120), dtype="Int64"),
        pd.Index(np.arange(120) + (2**63 - 121)),
        pd.Index(np.arange(120, dtype="uint64") + np.uint64(2**63)),
        pd.Index(np.arange(120) / 2),
        pd.Index([f"synthetic-{number}" for number in range(120)]),
        pd.Index([f"p{number}" for number in range(120)], dtype="string[pyarrow]", name="patient"),
        pd.CategoricalIndex([f"p{number}" for number in range(120)]),
        pd.date_range("2024-01-01", periods=120, tz="Europe/Berlin"),
        pd.period_range("2024-01", periods=120, freq="M"),
        pd.MultiIndex.from_arrays([np.arange(120), ["a"] * 120], names=["patient", None]),
        pd.MultiIndex.from_product([["a", "b"], pd.date_range("2024-01-01", periods=60)]),
    ],
    ids=lambda index: f"{type(index).__name__}-{index.dtype}",
)
def test_real_rows_keep_their_index_and_synthetic_ones_get_new_labels(frame: pd.DataFrame, index: pd.Index) -> None:
    real = frame.set_axis(index)
    result = autosynth.rebalance(real, label="ill", generator="ros")
    assert_real_rows_are_sacred(result, real)
    assert not set(result.synthetic.index) & set(index)


def test_whole_numbers_of_an_index_go_on_and_texts_say_what_they_are() -> None:
    assert new_labels(pd.RangeIndex(5), 2).tolist() == [5, 6]
    assert new_labels(pd.Index(["a"]), 2).tolist() == ["synthetic-0", "synthetic-1"]
    assert new_labels(pd.Index(["synthetic-0"]), 1).tolist() == ["new-synthetic-0"]


def test_columns_with_several_levels_or_numbers_as_names_are_kept(frame: pd.DataFrame) -> None:
    for columns, label in ((pd.MultiIndex.from_product([["a"], frame.columns]), ("a", "ill")), (range(7), 6)):
        real = frame.set_axis(columns, axis=1)
        assert_real_rows_are_sacred(autosynth.rebalance(real, label=label, generator="ros"), real)


@pytest.mark.parametrize(
    "values", [1, 1.5, "same", None, np.nan, pd.NaT, pd.Categorical([None] * 120, categories=["a"])], ids=repr
)
def test_a_column_of_one_value_or_none_is_served(frame: pd.DataFrame, values: object) -> None:
    real = frame.assign(extra=values)
    result = autosynth.rebalance(real, label="ill", group_by="hospital", generator="ros")
    assert_real_rows_are_sacred(result, real)


def test_a_group_of_one_row_is_served(frame: pd.DataFrame) -> None:
    rare = frame.index[(frame["ill"] == "yes") & (frame["hospital"] == "north")]
    real = frame.drop(index=rare[1:])
    result = autosynth.rebalance(real, label="ill", group_by="hospital", generator="ros")
    assert result.plan.groups[-1].n_real == 1
    assert result.data.groupby(["ill", "hospital"]).size().nunique() == 1


def test_float_labels_are_classes_or_a_quantity(frame: pd.DataFrame) -> None:
    classes = frame.assign(ill=(frame["ill"] == "yes").astype(float))
    result = autosynth.rebalance(classes, label="ill", generator="ros")
    assert result.data["ill"].value_counts().to_dict() == {0.0: 90, 1.0: 90}
    quantity = autosynth.rebalance(frame, label="severity", group_by="ward", generator="ros")
    assert quantity.data["ward"].value_counts().nunique() == 1
    assert quantity.plan.groups[0].group.values == ("general",)


def test_provenance_names_generator_group_part_and_parents(frame: pd.DataFrame) -> None:
    real = frame.set_axis([f"p{number}" for number in range(120)])
    result = autosynth.rebalance(real, label="ill", generator="ros", augment=4)
    provenance = result.provenance
    assert provenance.index.equals(result.synthetic.index)
    assert provenance.groupby(["group", "part"]).size().to_dict() == {
        ("ill=no", "augmented"): 4,
        ("ill=yes", "augmented"): 4,
        ("ill=yes", "oversampled"): 60,
    }
    for label, parents in provenance["parents"].items():
        assert real.loc[parents[0]].equals(result.synthetic.loc[label])
    assert result.weights[provenance.index[provenance["part"] == "augmented"]].nunique() == 1


def test_equal_seeds_give_equal_rows_in_any_process() -> None:
    program = (
        "import pandas as pd; from autosynth import rebalance; from autosynth.toy import shortcut_table\n"
        "for name in ('ros', 'smote'):\n"
        "    made = rebalance(shortcut_table(200), label='ill', group_by='hospital', generator=name, check='off',"
        " augment=5, random_state=11).data\n"
        "    print(pd.util.hash_pandas_object(made).sum())\n"
    )
    first, second = (
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout for _ in "ab"
    )
    assert first == second
    assert len(set(first.split())) == 2


def test_seeds_decide_the_rows(frame: pd.DataFrame) -> None:
    def made(random_state: Any) -> pd.DataFrame:
        return autosynth.rebalance(frame, label="ill", generator="ros", random_state=random_state).data

    assert made(1).equals(made(1))
    assert not made(1).equals(made(2))
    assert made(np.random.default_rng(1)).equals(made(1))
    assert not made(None).equals(made(None))


def test_the_report_keeps_the_seed_that_was_drawn(frame: pd.DataFrame) -> None:
    drawn = autosynth.rebalance(frame, label="ill", generator="ros", random_state=None)
    again = autosynth.rebalance(frame, label="ill", generator="ros", random_state=drawn.report.random_state)
    pd.testing.assert_frame_equal(drawn.data, again.data)
    with_rng = autosynth.rebalance(frame, label="ill", generator="ros", random_state=np.random.default_rng(1))
    assert with_rng.report.random_state is None


def test_a_plan_without_rows_warns_where_it_was_called(frame: pd.DataFrame) -> None:
    with pytest.warns(AutosynthWarning, match="the plan adds no row") as caught:
        result = autosynth.rebalance(frame, label="ill", generator="ros", strategy=0.01)
    pd.testing.assert_frame_equal(result.data, frame)
    assert result.synthetic.empty
    assert result.provenance.empty
    assert caught[0].filename == __file__


def spoiled(table: Table, counts: dict[Any, int], rng: np.random.Generator) -> pd.DataFrame:
    """Rows of the right groups whose numbers are all the largest."""
    rows = table.frame.iloc[[table.positions(group)[0] for group, count in counts.items() for _ in range(count)]]
    return rows.assign(severity=table.frame["severity"].max(), age=table.frame["age"].max())


def test_failed_checks_warn_raise_or_are_off(frame: pd.DataFrame, scripted: Callable[..., Any]) -> None:
    generator = scripted(spoiled)
    with pytest.warns(AutosynthWarning, match="checks of the synthetic rows failed") as caught:
        result = autosynth.rebalance(frame, label="ill", generator=generator)
    assert caught[0].filename == __file__
    assert not result.checks.passed
    with pytest.raises(CheckFailedError, match=r"farthest_column of ill=yes: (age|severity)") as failed:
        autosynth.rebalance(frame, label="ill", generator=generator, check="raise")
    assert not failed.value.report.passed
    assert not autosynth.rebalance(frame, label="ill", generator=generator, check="off").checks.results


def test_real_rows_are_placed_for_comparison_only_where_something_compares(
    frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    placed = []
    place = KnownRows.of
    monkeypatch.setattr(KnownRows, "of", lambda *rows: (placed.append(rows), place(*rows))[1])
    autosynth.rebalance(frame, label="ill", generator="smote", check="off")
    assert not placed
    autosynth.rebalance(frame, label="ill", generator="smote", check="off", copies="drop_exact")
    assert len(placed) == 1
    with pytest.raises(DataError):  # held-out rows are looked at, also where nothing is compared with them
        autosynth.rebalance(frame, label="ill", generator="smote", check="off", holdout=frame[["ill"]])


def test_copies_are_no_fault_of_a_generator_made_to_copy(frame: pd.DataFrame) -> None:
    assert not autosynth.rebalance(frame, label="ill", generator="ros", check="raise").checks.failures


def reciter(*sources: pd.DataFrame) -> Any:
    """Answer with rows of the sources in turn; the label and the hospital are those asked for."""

    def answer(table: Table, counts: dict[Any, int], rng: np.random.Generator) -> pd.DataFrame:
        cells = [cell for group, count in counts.items() for cell in [dict(group.cell)] * count]
        drawn = [sources[place % len(sources)].sample(1, random_state=rng) for place in range(len(cells))]
        return pd.concat(drawn).assign(**{name: [cell[name] for cell in cells] for name in cells[0]})

    return answer


@pytest.fixture
def unseen(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows of the same source, inside the limits of ``frame``."""
    return inside_limits(shortcut_table(600, minority_share=0.25, random_state=7), frame).head(200)


@pytest.fixture
def test_set(frame: pd.DataFrame) -> pd.DataFrame:
    return inside_limits(shortcut_table(600, minority_share=0.25, random_state=8), frame).head(100)


def inside_limits(rows: pd.DataFrame, real: pd.DataFrame) -> pd.DataFrame:
    numbers = ["age", "severity", "pressure"]
    return rows[
        rows[numbers].apply(lambda values: values.between(real[values.name].min(), real[values.name].max())).all(axis=1)
    ]


def test_recited_test_rows_fail_the_checks_and_are_counted(
    frame: pd.DataFrame, unseen: pd.DataFrame, test_set: pd.DataFrame, scripted: Callable[..., Any]
) -> None:
    generator = scripted(reciter(unseen, unseen, unseen, test_set))
    with pytest.raises(CheckFailedError, match=r"held_out_exact_copies of all rows: .* 15 of 60"):
        autosynth.rebalance(frame, label="ill", generator=generator, holdout=test_set, check="raise")
    without_label = test_set.drop(columns="ill")
    with pytest.raises(CheckFailedError, match=r"held_out_exact_copies of all rows: .* 15 of 60"):
        autosynth.rebalance(frame, label="ill", generator=generator, holdout=without_label, check="raise")


@pytest.mark.parametrize(
    ("copies", "reasons"),
    [
        ("drop_exact", {"an exact copy of a real row", "an exact copy of a held-out row"}),
        (
            "drop_near",
            {
                "an exact copy of a real row",
                "an exact copy of a held-out row",
                "a near copy of a real row",
                "a near copy of a held-out row",
            },
        ),
    ],
)
def test_copies_are_dropped_counted_and_drawn_again(
    frame: pd.DataFrame,
    unseen: pd.DataFrame,
    test_set: pd.DataFrame,
    scripted: Callable[..., Any],
    copies: Any,
    reasons: set[str],
) -> None:
    sources = [frame, test_set]
    sources += [
        rows.assign(severity=rows["severity"] * 0.9999, pressure=rows["pressure"] * 0.99999) for rows in sources
    ]
    generator = scripted(reciter(unseen, *sources))
    result = autosynth.rebalance(frame, label="ill", generator=generator, holdout=test_set, copies=copies, check="off")
    assert len(result.synthetic) == result.plan.n_synthetic == 60
    assert set(result.report.refusals) == reasons
    assert all(count > 3 for count in result.report.refusals.values())
    assert json.loads(result.report.to_json())["copies"] == copies
    features = ["age", "severity", "pressure", "ward", "smoker", "hospital"]
    real = pd.concat([frame, test_set])[features].drop_duplicates()
    assert not pd.concat([real, result.synthetic[features].drop_duplicates()]).duplicated().any()
    assert len(result.provenance) == 60


def test_a_table_of_which_only_copies_can_be_made_says_so(scripted: Callable[..., Any]) -> None:
    rng = np.random.default_rng(0)
    coarse = pd.DataFrame({"a": rng.integers(0, 2, 80), "b": rng.choice(["u", "v"], 80), "y": [0] * 60 + [1] * 20})
    made = autosynth.rebalance(coarse, label="y", generator=scripted(), check="raise")
    assert not made.checks.failures
    with pytest.raises(InsufficientRowsError, match=r"y=1: 0 of 40.*an exact copy of a real row \(\d+ rows\).*'keep'"):
        autosynth.rebalance(coarse, label="y", generator=scripted(), copies="drop_exact")


def test_a_holdout_changes_no_row(frame: pd.DataFrame, test_set: pd.DataFrame) -> None:
    plain = autosynth.rebalance(frame, label="ill", generator="smote", check="off")
    compared = autosynth.rebalance(frame, label="ill", generator="smote", check="off", holdout=test_set)
    pd.testing.assert_frame_equal(plain.data, compared.data)


@pytest.mark.parametrize(
    ("holdout", "message"),
    [
        (lambda rows: rows.to_numpy(), "holdout is a ndarray"),
        (lambda rows: rows.assign(extra=1), r"foreign \['extra'\], absent none"),
        (lambda rows: rows.drop(columns=["ill", "age"]), r"foreign none, absent \['age'\]"),
        (lambda rows: rows.head(0), "holdout has 0 rows"),
        (lambda rows: rows.assign(ward="attic"), r"none of the 100 rows of holdout fits .* ward: .* \(100 rows\)"),
        (lambda rows: rows.assign(ward=[["a"]] * len(rows)), "holdout cannot be compared .* 'ward'"),
    ],
)
def test_a_holdout_that_cannot_be_compared_is_refused(
    frame: pd.DataFrame, test_set: pd.DataFrame, holdout: Callable[[pd.DataFrame], Any], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        autosynth.rebalance(frame, label="ill", generator="ros", holdout=holdout(test_set))


def test_finished_runs_are_announced(
    frame: pd.DataFrame, registry: PluginRegistry, plugin: Callable[..., ModuleType]
) -> None:
    heard: list[RebalanceResult] = []
    registry.register(plugin(autosynth_rebalanced=lambda result: heard.append(result)), name="logger")
    result = autosynth.rebalance(frame, label="ill", generator="fake")
    assert heard == [result]


@pytest.mark.parametrize("hook", ["autosynth_keep_rows", "autosynth_check_rows", "autosynth_propose_generators"])
def test_a_plugin_that_raises_ends_the_run_by_name(
    frame: pd.DataFrame, registry: PluginRegistry, plugin: Callable[..., ModuleType], hook: str
) -> None:
    def fails() -> None:
        raise ZeroDivisionError

    registry.register(plugin(**{hook: fails}), name="bad")
    with pytest.raises(PluginError, match=f"plugin 'bad' raised in {hook}: ZeroDivisionError"):
        autosynth.rebalance(frame, label="ill", generator="auto" if "propose" in hook else "fake")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda frame: frame.drop(columns="ill"), "label='ill' is not a column of the table"),
        (lambda frame: frame.assign(ill="no"), "label 'ill' has the same value in all 120 rows"),
        (lambda frame: frame.assign(ill=None), "label 'ill' is missing in all 120 rows"),
        (
            lambda frame: frame.assign(ill=frame["ill"].where(frame.index > 4)),
            "label 'ill' is missing in 5 of 120 rows",
        ),
        (lambda frame: frame.assign(age=np.inf), "column 'age' holds 120 infinite values"),
        (lambda frame: frame.assign(ward=[1, "a"] * 60), r"column 'ward' .* int \(60 rows\), str \(60 rows\)"),
        (lambda frame: frame.set_axis([0] * 120), "the index holds 119 duplicate labels"),
        (lambda frame: frame.head(0), "the table has 0 rows"),
    ],
)
def test_tables_that_cannot_be_used_are_refused(
    frame: pd.DataFrame, spoil: Callable[[pd.DataFrame], pd.DataFrame], message: str
) -> None:
    real = spoil(frame)
    before = real.copy(deep=True)
    with pytest.raises((DataError, ConfigError), match=message):
        autosynth.rebalance(real, label="ill", generator="ros")
    pd.testing.assert_frame_equal(real, before)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"label": "il"}, "Did you mean 'ill'"),
        ({"group_by": "hopital"}, "Did you mean 'hospital'"),
        ({"generator": "rose"}, "generator='rose' is not installed. Did you mean 'ros'"),
        ({"generator": None}, "has no fit and sample methods"),
        ({"generator_options": {"n": 1}}, "generator 'ros' has no option 'n'"),
        ({"strategy": {"no": 10}}, "asks for 10 rows of ill=no, which holds 90 real ones"),
        ({"check": "loud"}, "check='loud' is unknown. Use 'off', 'warn' or 'raise'"),
        ({"copies": "drop"}, "copies='drop' is unknown. .* 'keep', 'drop_exact', 'drop_near'"),
        ({"copies": "drop_near"}, "generator 'ros' makes copies of real rows on purpose"),
        ({"random_state": -1}, "random_state=-1 is negative"),
        ({"random_state": np.random.RandomState(0)}, "is a RandomState"),
    ],
)
def test_wrong_arguments_are_refused(frame: pd.DataFrame, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        autosynth.rebalance(frame, **{"label": "ill", "generator": "ros"} | arguments)


def test_options_go_with_a_name_only(frame: pd.DataFrame, scripted: Callable[..., Any]) -> None:
    with pytest.raises(ConfigError, match="generator_options go with a registered name"):
        autosynth.rebalance(frame, label="ill", generator=scripted(), generator_options={"n": 1})


def test_rows_that_break_a_rule_are_drawn_again_and_counted() -> None:
    rng = np.random.default_rng(0)
    start = rng.normal(size=300)
    stays = pd.DataFrame(
        {"start": start, "end": start + rng.exponential(0.3, 300), "ill": rng.permutation([0] * 240 + [1] * 60)}
    )
    loose = autosynth.rebalance(stays, label="ill", generator="independent", check="off")
    assert (loose.synthetic["start"] > loose.synthetic["end"]).any()
    strict = autosynth.rebalance(stays, label="ill", generator="independent", check="off", rules=["start <= end"])
    assert (strict.synthetic["start"] <= strict.synthetic["end"]).all()
    assert len(strict.synthetic) == len(loose.synthetic) == 180
    assert strict.report.refusals["breaks the rule start <= end"] > 0
    assert strict.report.to_dict()["rules"] == ["start <= end"]


def test_a_report_keeps_the_rows_for_its_pictures_with_and_without_checks(frame: pd.DataFrame) -> None:
    for check in ("off", "warn"):
        result = autosynth.rebalance(frame, label="ill", generator="ros", check=check)
        evidence = result.checks.evidence
        assert evidence is not None
        assert evidence.table.frame is frame
        assert len(evidence.synthetic) == len(evidence.group_codes) == len(result.synthetic)


def test_the_page_shows_the_call_that_repeats_the_run(frame: pd.DataFrame, tmp_path: Path) -> None:
    train, holdout = frame.iloc[:100], frame.iloc[100:]
    result = autosynth.rebalance(train, label="ill", generator="ros", rules=["age >= 0"], holdout=holdout)
    page = result.report.to_html(tmp_path / "run.html").read_text(encoding="utf-8")
    assert "rules=[&#39;age &gt;= 0&#39;]" in page
    assert "holdout=holdout" in page


def test_texts_that_were_cut_inside_a_character_are_compared_like_others() -> None:
    texts = ["\ud800", "a", "b", "c"] * 30
    cut = pd.DataFrame({"text": texts, "x": np.arange(120.0), "ill": [0, 0, 0, 1] * 30})
    assert len(autosynth.rebalance(cut, label="ill", generator="ros").synthetic) == 60


def test_rules_that_the_real_rows_do_not_keep_or_that_name_no_column_are_refused(frame: pd.DataFrame) -> None:
    with pytest.raises(ConfigError, match="A rule is what real rows keep"):
        autosynth.rebalance(frame, label="ill", generator="ros", rules=["severity > 1e6"])
    with pytest.raises(ConfigError, match="which is no column"):
        autosynth.rebalance(frame, label="ill", generator="ros", rules=["severe < 3"])


def test_a_rule_that_leaves_hardly_any_row_says_what_to_do(frame: pd.DataFrame, scripted: Callable[..., Any]) -> None:
    def broken(table: Table, counts: Mapping[Group, int], rng: np.random.Generator) -> pd.DataFrame:
        rows = table.frame.iloc[np.concatenate([rng.choice(table.positions(g), n) for g, n in counts.items()])]
        return rows.assign(severity=rows["severity"].max())

    limit = float(frame["severity"].max())
    with pytest.raises(InsufficientRowsError, match="A generator that knows no rules may break them"):
        autosynth.rebalance(frame, label="ill", generator=scripted(broken), rules=[f"severity < {limit!r}"])
