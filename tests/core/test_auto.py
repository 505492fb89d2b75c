"""generator="auto": a race on the rows at hand, and what rebalance() makes of its answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

import autosynth
from autosynth import Group, RebalanceResult, Table, TuningReport
from autosynth.auto import AutoOptions
from autosynth.exceptions import ConfigError
from autosynth.plugins import PluginRegistry

QUICK = {"learner": LogisticRegression(), "cv": 3}
Offer = Callable[..., None]


def sloping(n_rows: int = 400, share: float = 0.5, seed: int = 0) -> pd.DataFrame:
    """Return a table whose label one column tells, and two do not."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(n_rows, 3)), columns=["x", "y", "z"])
    noise = rng.logistic(size=n_rows)
    threshold = np.quantile(2 * frame["x"] + noise, 1 - share)
    return frame.assign(ill=np.where(2 * frame["x"] + noise > threshold, "yes", "no"))


def curved(n_rows: int = 300) -> pd.DataFrame:
    """Return a table in which the 12 minority rows lie on a circle that few rows do not show."""
    frame = on_circle(n_rows, 0).assign(ill="no")
    minority = on_circle(12, 1) * 0.35
    return pd.concat([frame, minority.assign(ill="yes")], ignore_index=True)


def on_circle(n_rows: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    angle, noise = rng.uniform(0, 2 * np.pi, n_rows), rng.normal(scale=0.1, size=(n_rows, 2))
    return pd.DataFrame(np.column_stack([np.cos(angle), np.sin(angle)]) + noise, columns=["x", "y"])


@pytest.fixture
def offer(registry: PluginRegistry, plugin: Callable[..., ModuleType], scripted: Callable[..., Any]) -> Offer:
    """Register a generator under a name, with the rows it makes, and propose it."""

    def register(name: str, answer: Any = None, **facts: Any) -> None:
        made = scripted() if answer is None else scripted(answer)
        module = plugin(
            autosynth_register_generators=lambda register: register(name, lambda options: made, **facts),
            autosynth_propose_generators=lambda: [name],
        )
        registry.register(module, name=f"{name}_plugin")

    return register


def knows_better(table: Table, counts: Mapping[Group, int], rng: np.random.Generator) -> pd.DataFrame:
    """Make rows as the process behind ``curved`` does, which no few rows can tell."""
    parts = []
    for group, count in counts.items():
        inner = 0.35 if group["ill"] == "yes" else 1.0
        rows = on_circle(count, int(rng.integers(1000))) * inner
        limits = table.schema["x"], table.schema["y"]
        for column in limits:
            rows[column.name] = rows[column.name].clip(column.minimum, column.maximum)
        parts.append(rows.assign(ill=group["ill"]))
    return pd.concat(parts, ignore_index=True)[list(table.frame.columns)]


def auto(frame: pd.DataFrame, **more: Any) -> RebalanceResult:
    options = {**QUICK, **more.pop("generator_options", {})}
    return autosynth.rebalance(frame, label="ill", generator="auto", generator_options=options, **more)


def test_where_rows_do_not_help_the_real_rows_come_back_alone_with_the_reason(offer: Offer) -> None:
    offer("copies")
    real = sloping(share=0.2)
    result = auto(real)
    pd.testing.assert_frame_equal(result.data, real)
    assert len(result.synthetic) == 0
    assert result.plan.n_synthetic == 0
    assert result.report.generator == "auto"
    assert result.checks.results == ()
    assert isinstance(result.report.tuning, TuningReport)
    assert result.report.tuning.best.reason in str(result.report)
    assert str(result.report).startswith("no synthetic rows for 2 groups of 400 real rows")


def test_the_report_says_how_to_shift_probabilities_where_a_shift_won(offer: Offer) -> None:
    offer("copies")
    found = auto(sloping(share=0.1)).report
    assert found.tuning is not None
    assert found.tuning.best.shift in ("prior", "tuned")
    assert "report.tuning.best.apply(probabilities, rows)" in str(found)
    balanced = auto(sloping(share=0.5)).report
    assert balanced.tuning is not None
    assert balanced.tuning.best.name == "none"
    assert "report.tuning.best.apply" not in str(balanced)


def test_rows_that_help_are_added_as_a_call_with_the_winner_adds_them(offer: Offer) -> None:
    pytest.importorskip("xgboost")
    offer("oracle", knows_better)
    real = curved()
    result = auto(real, generator_options={"learner": "xgboost"}, random_state=3, check="off")
    assert result.report.tuning is not None
    assert result.report.tuning.best.uses_synthetic
    assert result.report.generator == "oracle"
    again = autosynth.rebalance(
        real, label="ill", random_state=3, check="off", **result.report.tuning.best.rebalance_arguments
    )
    pd.testing.assert_frame_equal(result.data, again.data)
    pd.testing.assert_series_equal(result.weights, again.weights)


def two_signs(n_rows: int = 1200) -> pd.DataFrame:
    """Return a table with one sign that hardly ever errs but is rare, and another that is good for balanced classes.

    A tree with one split takes the first from the rows as they come, and the second when the classes weigh the same.
    """
    rng = np.random.default_rng(0)
    is_ill = np.arange(n_rows) < 0.06 * n_rows
    sure = rng.random(n_rows) < np.where(is_ill, 0.4, 0.001)
    usual = rng.random(n_rows) < np.where(is_ill, 0.9, 0.2)
    return pd.DataFrame({"sure": sure, "usual": usual, "ill": np.where(is_ill, "yes", "no")}).sample(
        frac=1, random_state=0
    )


def test_class_weights_as_an_answer_are_the_weights_of_the_result(registry: PluginRegistry) -> None:
    real = two_signs()
    result = auto(real, generator_options={"learner": DecisionTreeClassifier(max_depth=1)})
    assert result.report.tuning is not None
    assert result.report.tuning.best.arm.name == "class weights"
    assert result.weights.groupby(real["ill"]).sum().to_numpy() == pytest.approx([600.0, 600.0])
    assert result.weights.index.equals(real.index)
    pd.testing.assert_frame_equal(result.data, real)
    assert "The weights of these rows are the class weights." in str(result.report)


def test_report_and_page_show_the_race(offer: Offer, tmp_path: Path) -> None:
    offer("copies")
    found = auto(sloping(share=0.1)).report
    told = json.loads(found.to_json())
    assert told["tuning"]["best"]["rebalance_arguments"] == {}
    assert told["tuning"]["best"]["reason"] == str(found.tuning.best)  # type: ignore[union-attr]
    assert told["options"]["cv"] == 3
    page = found.to_html(tmp_path / "report.html").read_text()
    assert "a race on these rows advises against it" in page
    assert "What the race on these rows says" in page
    assert "generator=&#39;auto&#39;" in page
    assert "strategy" not in page.partition("To repeat it")[2].partition("</code>")[0]


def test_the_positive_class_of_a_race_is_a_setting(offer: Offer) -> None:
    offer("copies")
    about = {"metric": "average_precision", "positive_class": "no"}
    found = auto(sloping(share=0.2), generator_options=about).report
    assert found.tuning is not None
    assert any("Average precision is that of 'no'" in note for note in found.tuning.notes)
    with pytest.raises(ConfigError, match="positive_class='nope' is not a class of the label"):
        auto(sloping(share=0.2), generator_options={**about, "positive_class": "nope"})


def test_equal_seeds_give_equal_answers(offer: Offer) -> None:
    offer("copies")
    one, other = (auto(sloping(share=0.1), random_state=7).report.tuning for _ in range(2))
    assert one is not None
    assert other is not None
    pd.testing.assert_frame_equal(one.to_frame().drop(columns="seconds"), other.to_frame().drop(columns="seconds"))


def test_without_proposals_only_ways_without_rows_race(registry: PluginRegistry) -> None:
    found = auto(sloping(share=0.1)).report.tuning
    assert found is not None
    assert {line.outcome.arm.name for line in found.lines} == {"none", "class weights"}


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        ({"strategy": 0.5}, "strategy=0.5 fixes some"),
        ({"strategy": {"yes": 90}}, "strategy={'yes': 90} fixes some"),
        ({"augment": 10, "alpha": 0.3}, "augment=10, alpha=0.3 fixes some"),
        ({"synthetic_weight": 0.3}, "synthetic_weight=0.3 fixes some"),
    ],
)
def test_amounts_cannot_be_fixed_and_chosen(frame: pd.DataFrame, amount: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        auto(frame, **amount)
    assert said in str(refused.value)
    assert "autosynth.tune" in str(refused.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ratio": [0.5]}, "holds 'ratio', .* Did you mean 'ratios'.* Settings: generators, ratios, augment"),
        ({"k_neighbors": 3}, "holds 'k_neighbors', and generator='auto' has no such setting"),
        ({"generators": ["fakes"]}, "Did you mean 'fake'"),
        ({"ratios": [1.5]}, "ratio=1.5 is out of range"),
        ({"synthetic_weights": 0.3}, "synthetic_weights=0.3 is no list"),
        ({"cv": 1}, "cv=1 is out of range"),
        ({"metric": "auc"}, "metric='auc' is unknown"),
        ({"time_budget_s": 0}, "time_budget_s=0 is out of range"),
    ],
)
def test_settings_of_the_race_are_checked_before_the_table_is_read(
    registry: PluginRegistry, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        autosynth.rebalance(None, label="ill", generator="auto", generator_options=options)  # type: ignore[arg-type]


def test_settings_have_the_defaults_of_tune() -> None:
    import inspect

    parameters = inspect.signature(autosynth.tune).parameters
    assert AutoOptions().settings == {name: parameters[name].default for name in AutoOptions().settings}


def test_a_race_is_no_generator_for_a_probe(frame: pd.DataFrame) -> None:
    with pytest.raises(ConfigError, match="generator='auto' is a race between generators, and one is wanted here"):
        autosynth.probe_memorization(frame, label="ill", generator="auto")


def test_a_quantity_cannot_be_raced(frame: pd.DataFrame) -> None:
    with pytest.raises(ConfigError, match="quantity"):
        autosynth.rebalance(frame, label="severity", group_by="ill", generator="auto")


def test_a_racer_of_copies_is_refused_before_the_race_when_copies_are(frame: pd.DataFrame) -> None:
    with pytest.raises(ConfigError, match="'ros' makes copies of real rows on purpose"):
        autosynth.rebalance(
            frame,
            label="ill",
            generator="auto",
            generator_options={"generators": ["ros"], "time_budget_s": 1e-9},  # a race would end with another error
            copies="drop_exact",
        )
