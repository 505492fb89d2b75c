from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from markupsafe import escape

import autosynth
from autosynth import RebalanceReport
from autosynth.hidden import plain_options
from autosynth.plugins import PluginRegistry


@pytest.fixture
def report(frame: pd.DataFrame) -> RebalanceReport:
    return autosynth.rebalance(
        frame, label="ill", group_by="hospital", generator="ros", augment=np.int64(2), random_state=np.int64(5)
    ).report


def test_the_text_says_what_was_made_and_what_the_checks_say(report: RebalanceReport) -> None:
    text = str(report)
    assert f"{report.plan.n_synthetic} synthetic rows by 'ros' for 4 groups of 120 real rows" in text
    assert "ill=no, hospital=north" in text
    assert "checks of the synthetic rows passed" in text


def test_json_holds_plain_numbers_and_enough_to_repeat_the_run(report: RebalanceReport, tmp_path: Path) -> None:
    plain = json.loads(report.to_json(tmp_path / "report.json"))
    assert json.loads((tmp_path / "report.json").read_text()) == plain
    assert (plain["generator"], plain["random_state"], plain["plan"]["augment"]) == ("ros", 5, 2)
    assert plain["versions"]["autosynth"] == autosynth.__version__
    assert plain["checks"]["passed"] is True
    assert plain["n_rounds"] == 1


def test_html_is_one_page_that_needs_no_network(report: RebalanceReport, tmp_path: Path) -> None:
    page = report.to_html(tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "http" not in page.replace("https://", "http") or "src=" not in page
    for word in ("Groups", "Checks", "To repeat it", "hospital: north"):
        assert word in page


def test_html_escapes_names_and_shows_messages_in_full(tmp_path: Path, frame: pd.DataFrame) -> None:
    evil = "<script>alert('x')</script>"
    real = frame.assign(ill=frame["ill"].replace("yes", evil)).rename(columns={"age": f"age{evil}"})
    found = autosynth.rebalance(real, label="ill", generator="ros").report
    page = found.to_html(tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    longest = max((result.message for result in found.checks), key=len)
    assert len(longest) > 50
    assert str(escape(longest)) in page


def test_refusals_and_notes_are_shown_with_their_counts(
    frame: pd.DataFrame, registry: PluginRegistry, plugin: Callable[..., ModuleType]
) -> None:
    registry.register(plugin(autosynth_keep_rows=lambda rows: rows["age"] > 30), name="adults")
    result = autosynth.rebalance(frame, label="ill", generator="fake", check="off")
    n_vetoed = result.report.refusals["vetoed by a row filter"]
    assert f"refused and drawn again: vetoed by a row filter ({n_vetoed})" in str(result.report)
    assert "no check was run." in str(result.report)


def test_copies_are_counted_in_text_json_and_html(report: RebalanceReport, tmp_path: Path) -> None:
    n_made = report.plan.n_synthetic
    sentence = f"synthetic rows that equal a training row: {n_made} of {n_made} (100.0%"
    assert sentence in str(report)
    assert sentence in report.to_html(tmp_path / "report.html").read_text(encoding="utf-8")
    plain = report.to_dict()
    assert plain["copies"] == "keep"
    (check,) = [check for check in plain["checks"]["checks"] if check["name"] == "exact_copies"]
    assert sentence in check["message"]


def test_options_are_shown_as_plain_data(report: RebalanceReport) -> None:
    @dataclasses.dataclass(frozen=True)
    class Options:
        k: int = 5

    assert plain_options(Options()) == {"k": 5}
    shown = dataclasses.replace(report, options=Options())
    assert shown.to_dict()["options"] == {"k": 5}
