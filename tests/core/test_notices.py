"""Plugins hear what calls have found, once each, and cannot harm them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

import autosynth
from autosynth.exceptions import CheckFailedError, DataError
from autosynth.notices import announce, unannounced
from autosynth.plugins import PluginRegistry, use_plugins
from autosynth.toy import shortcut_table

RACE = {"learner": LogisticRegression(), "cv": 2, "ratios": (1.0,), "synthetic_weights": (1.0,)}


@pytest.fixture
def heard(registry: PluginRegistry, plugin: Callable[..., ModuleType]) -> list[Any]:
    """What a plugin hears, in its order."""
    everything: list[Any] = []
    listener = plugin(
        autosynth_rebalanced=lambda result: everything.append(result),
        autosynth_reported=lambda report: everything.append(report),
    )
    registry.register(listener, name="listener")
    return everything


def numbers(n_rows: int = 80) -> pd.DataFrame:
    return shortcut_table(n_rows, minority_share=0.25).drop(columns=["pressure", "ward"])


CALLS: dict[str, Callable[[], Any]] = {
    "rebalance": lambda: autosynth.rebalance(numbers(), label="ill", generator="fake", check="off"),
    "check": lambda: autosynth.check(numbers(), numbers(), label="ill"),
    "group_report": lambda: autosynth.group_report([0, 1, 0, 1], [0.1, 0.4, 0.3, 0.8], n_bootstrap=0),
    "tune": lambda: autosynth.tune(numbers(), label="ill", generators=[], progress=False, **RACE),
    "scaling_curve": lambda: autosynth.scaling_curve(
        numbers(), label="ill", generator="fake", learner=LogisticRegression(), sizes=[5, 10, 20, 40], cv=2
    ),
    "probe_memorization": lambda: autosynth.probe_memorization(numbers(), label="ill", generator="fake", n_rows=10),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.filterwarnings("ignore::autosynth.AutosynthWarning")
def test_every_call_is_announced_once_with_its_answer(heard: list[Any], call: str) -> None:
    answer = CALLS[call]()
    assert len(heard) == 1
    assert heard[0] is answer


@pytest.mark.parametrize("call", CALLS)
def test_nothing_is_announced_of_steps_of_another_call(heard: list[Any], call: str) -> None:
    with unannounced():
        CALLS[call]()
    assert heard == []
    CALLS["group_report"]()
    assert len(heard) == 1


@pytest.mark.parametrize("call", ["rebalance", "tune", "scaling_curve", "probe_memorization"])
def test_what_generators_and_learners_call_for_themselves_is_no_news(
    heard: list[Any], scripted: Any, call: str
) -> None:
    class Busy(scripted):  # type: ignore[misc]
        def fit(self, table: Any, *, rng: Any) -> Any:
            CALLS["group_report"]()
            return super().fit(table, rng=rng)

    class BusyLearner(LogisticRegression):  # type: ignore[misc]
        def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
            CALLS["group_report"]()
            return super().fit(X, y, sample_weight)

    options = {"label": "ill", "generator": Busy()}
    race = {**RACE, "learner": BusyLearner()}
    answers = {
        "rebalance": lambda: autosynth.rebalance(numbers(), **options, check="off"),
        "tune": lambda: autosynth.tune(numbers(), label="ill", generators=[Busy()], progress=False, **race),
        "scaling_curve": lambda: autosynth.scaling_curve(
            numbers(), **options, learner=BusyLearner(), sizes=[5, 10, 20, 40], cv=2
        ),
        "probe_memorization": lambda: autosynth.probe_memorization(numbers(), **options, n_rows=10),
    }
    assert heard == [answers[call]()]


def test_a_race_inside_a_run_is_heard_with_the_run(heard: list[Any]) -> None:
    result = autosynth.rebalance(
        numbers(),
        label="ill",
        generator="auto",
        generator_options={"generators": [], **RACE},
        on_progress=lambda n_rows: None,
    )
    assert heard == [result]
    assert heard[0].report.tuning is not None


def test_a_run_that_its_checks_end_is_on_record(heard: list[Any], scripted: Any) -> None:
    spoilt = scripted(
        lambda table, counts, rng: table.frame[table.frame["ill"] == "yes"].iloc[[0] * sum(counts.values())]
    )
    with pytest.raises(CheckFailedError) as caught:
        autosynth.rebalance(shortcut_table(400), label="ill", generator=spoilt, check="raise")
    assert len(heard) == 1
    assert isinstance(heard[0], autosynth.RebalanceReport)
    assert heard[0].checks is caught.value.report


@pytest.mark.parametrize("hook", ["autosynth_rebalanced", "autosynth_reported"])
def test_a_listener_that_raises_is_a_warning_and_the_answer_and_the_others_are_untouched(
    registry: PluginRegistry, plugin: Callable[..., ModuleType], heard: list[Any], hook: str
) -> None:
    registry.register(plugin(**{hook: lambda: 1 / 0}), name="bad")
    call = CALLS["rebalance" if hook == "autosynth_rebalanced" else "group_report"]
    with pytest.warns(
        autosynth.AutosynthWarning, match=f"plugin 'bad' raised in {hook}: ZeroDivisionError.*Nothing of the answer"
    ) as told:
        answer = call()
    assert heard[0] is answer
    assert told[0].filename == __file__


def test_an_error_of_ours_in_a_listener_is_a_warning_with_its_words(
    registry: PluginRegistry, plugin: Callable[..., ModuleType]
) -> None:
    def refuses() -> None:
        raise DataError("no such run")

    registry.register(plugin(autosynth_reported=refuses), name="strict")
    with pytest.warns(autosynth.AutosynthWarning, match=r"^no such run"):
        CALLS["group_report"]()


def test_what_a_listener_computes_for_itself_is_no_news(
    registry: PluginRegistry, plugin: Callable[..., ModuleType], heard: list[Any]
) -> None:
    def computes() -> None:
        CALLS["group_report"]()

    registry.register(plugin(autosynth_reported=computes), name="busy")
    CALLS["group_report"]()
    assert len(heard) == 1


def test_silence_ends_with_its_block_even_after_an_error(heard: list[Any]) -> None:
    with pytest.raises(ZeroDivisionError), unannounced():
        raise ZeroDivisionError
    announce("autosynth_reported", report="something")
    assert heard == ["something"]


def test_without_listeners_an_announcement_is_nothing() -> None:
    with use_plugins(PluginRegistry()), warnings.catch_warnings():
        warnings.simplefilter("error")
        announce("autosynth_reported", report=np.nan)


@pytest.mark.filterwarnings("default::autosynth.AutosynthWarning")
def test_on_the_command_line_a_listener_that_raises_costs_no_file(
    command: Callable[..., Any], registry: PluginRegistry, plugin: Callable[..., ModuleType], tmp_path: Path
) -> None:
    registry.register(plugin(autosynth_rebalanced=lambda: 1 / 0), name="bad")
    numbers().to_csv(tmp_path / "train.csv", index=False)
    given = ("train.csv", "--label", "ill", "--generator", "fake", "--check", "off", "--out", "more.csv")
    done = command("rebalance", *given)
    assert done.code == 0
    assert "warning: plugin 'bad' raised in autosynth_rebalanced: ZeroDivisionError" in done.err
    assert len(pd.read_csv(tmp_path / "more.csv")) == 120
