"""The parts of the benchmark of planted faults that decide what its table means."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from autosynth import Rule
from autosynth.toy import shortcut_table

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


@pytest.fixture(autouse=True)
def _benchmarks_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))


@pytest.fixture
def trial() -> Any:
    from faults.sources import cut

    frame = shortcut_table(3000, minority_share=0.3).astype({"ward": "category"})
    frame["days"] = frame["age"] + np.random.default_rng(0).integers(0, 20, len(frame))
    return cut("toy", frame, "ill", ["hospital"], seed=0)


def plant(trial: Any, name: str) -> pd.DataFrame:
    from faults.planted import FAULTS

    (fault,) = [fault for fault in FAULTS if fault.name == name]
    return fault.plant(trial, np.random.default_rng(0))


def test_the_three_parts_share_no_row_and_large_groups_are_cut(trial: Any) -> None:
    parts = [trial.real, trial.fresh, trial.held_out]
    assert pd.concat(parts)["severity"].is_unique
    assert len(trial.real) == pytest.approx(1200, abs=4)
    assert trial.fresh.groupby(["ill", "hospital"]).size().max() == 400
    assert trial.rule == Rule("age", "<=", "days")


def test_every_fault_finds_something_to_spoil_and_leaves_the_parts_alone(trial: Any) -> None:
    from faults.planted import FAULTS

    before = trial.fresh.copy()
    for fault in FAULTS:
        rows = plant(trial, fault.name)
        assert len(rows) > 0.5 * len(trial.fresh), fault.name
        spoiled = rows.reset_index(drop=True)
        assert not spoiled.equals(before), fault.name
        pd.testing.assert_frame_equal(trial.fresh, before)


@pytest.mark.parametrize("name", ["all columns shuffled within groups", "half of the columns from other rows"])
def test_shuffled_columns_hold_the_same_values_in_every_group(trial: Any, name: str) -> None:
    rows = plant(trial, name)
    for column in trial.features:
        values = [
            some.groupby(trial.groups, observed=True)[column].apply(lambda cells: sorted(map(str, cells)))
            for some in (rows, trial.fresh)
        ]
        pd.testing.assert_series_equal(*values)
    assert abs(rows["age"].corr(rows["days"])) < 0.2 < trial.fresh["age"].corr(trial.fresh["days"])


@pytest.mark.parametrize(
    ("name", "share"),
    [
        ("a foreign category in 5 %", 0.05),
        ("numbers out of range in 5 %", 0.05),
        ("fractions in a whole column in 5 %", 0.05),
        ("a fifth of a column missing", 0.2),
        ("three tenths of the labels flipped", 0.3),
    ],
)
def test_the_share_planted_is_the_share_announced(trial: Any, name: str, share: float) -> None:
    rows, fresh = plant(trial, name), trial.fresh
    changed = np.zeros(len(fresh), dtype=bool)
    for column in fresh:
        first, second = rows[column].astype(object), fresh[column].astype(object)
        changed |= ((first != second) & ~(first.isna() & second.isna())).to_numpy()
    assert changed.mean() == pytest.approx(share, abs=0.01)


def test_copies_come_from_the_group_that_they_replace(trial: Any) -> None:
    for name, source in (("a tenth copied", trial.real), ("a tenth from the held-out rows", trial.held_out)):
        rows = plant(trial, name)
        copied = rows[rows["severity"].isin(source["severity"])]
        assert len(copied) == pytest.approx(0.1 * len(rows), abs=3)
        assert len(copied.merge(source)) == len(copied)
        pd.testing.assert_series_equal(rows.groupby(trial.groups).size(), trial.fresh.groupby(trial.groups).size())


@pytest.mark.parametrize("name", ["a rule broken in 10 %", "ten modes and noise", "labels swapped"])
def test_a_planted_fault_is_caught_by_the_check_that_is_meant_for_it(trial: Any, name: str) -> None:
    from faults.planted import FAULTS
    from faults.verdicts import judge_fault

    (fault,) = [fault for fault in FAULTS if fault.name == name]
    verdict = judge_fault(trial, fault)
    assert (verdict.outcome, verdict.passed) == ("caught", False)


def test_fresh_rows_pass(trial: Any) -> None:
    from faults.verdicts import judge_fresh

    verdict = judge_fresh(trial)
    assert (verdict.outcome, verdict.critical, verdict.warnings) == ("passed", "", "")


def test_the_summary_tells_misses_from_what_could_not_be_seen() -> None:
    from faults.summary import write_markdown
    from faults.verdicts import ABSENT, BLIND, CAUGHT, MISSED

    common = {"table": "t", "seed": 0, "passed": True, "critical": "", "warnings": "", "n_real": 9, "n_rows": 9}
    outcomes = {
        "labels swapped": [CAUGHT, CAUGHT],
        "a column absent": [CAUGHT, MISSED],
        "all rows copied": [BLIND, BLIND],
        "one decimal lost": [ABSENT, ABSENT],
        "ten modes and noise": [BLIND, CAUGHT],
    }
    lines = [{**common, "fault": fault, "outcome": one} for fault, some in outcomes.items() for one in some]
    lines += [{**common, "fault": "", "outcome": "failed", "passed": False, "critical": "limits rules"}]
    summary = write_markdown(pd.DataFrame(lines))
    rows = [line.strip("| ").split(" | ") for line in summary.splitlines() if line.startswith("| ")]
    cells = {row[0]: row[2] for row in rows}
    assert cells["labels swapped"] == "2/2"
    assert cells["a column absent"] == "**1/2**"
    assert cells["all rows copied"] == "blind"
    assert cells["one decimal lost"] == "-"
    assert cells["ten modes and noise"] == "1/1 (1 blind)"
    assert "0 of 1 draws of fresh real rows passed" in summary
    assert "limits 1, rules 1" in summary
