from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from autosynth.checks.families import FAMILIES
from autosynth.checks.family import Context, Family
from autosynth.checks.result import CheckResult
from autosynth.checks.self_test import CheckTrial, half_of_groups, self_test
from autosynth.exceptions import ConfigError
from autosynth.toy import shortcut_table


def trial(n_alarms: int, n_splits: int = 10) -> CheckTrial:
    return CheckTrial(
        name="limits", subject="x", severity="critical", n_splits=n_splits, n_alarms=n_alarms, n_skipped=0
    )


def test_halves_of_a_plain_table_pass() -> None:
    found = self_test(shortcut_table(600, minority_share=0.2), label="ill", group_by="hospital", n_splits=5)
    assert found.passed
    assert (found.n_passed, found.n_splits, found.noisy) == (5, 5, ())
    assert "No check cried wolf" in str(found)
    names = {check.name for check in found.checks}
    assert {"schema", "limits", "marginal_fidelity", "dependence", "coverage"} <= names
    assert "detectability" not in names


def test_all_families_are_tried_on_request() -> None:
    found = self_test(shortcut_table(300, minority_share=0.3), label="ill", n_splits=2, quick_only=False)
    assert {"detectability", "label_fidelity"} <= {check.name for check in found.checks}


def test_a_check_that_cries_wolf_or_cannot_run_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def wolf(context: Context) -> list[CheckResult]:
        n_rows = len(context.batch)
        return [
            CheckResult(name="wolf", subject="all rows", passed=False, observed=n_rows, limit=0, severity="warning")
        ]

    def broken(context: Context) -> list[CheckResult]:
        raise ZeroDivisionError

    frame = shortcut_table(300, minority_share=0.3)
    monkeypatch.setitem(FAMILIES, "wolf", Family(name="wolf", sentence="No wolf.", run=wolf))
    found = self_test(frame, label="ill", n_splits=6)
    assert {check.name for check in found.noisy} == {"wolf"}
    assert found.passed  # it only warns
    assert "warning: wolf of all rows failed in 6 of 6" in str(found)
    assert found.to_frame().loc[0, ["name", "n_alarms", "is_noisy"]].tolist() == ["wolf", 6, True]
    assert json.loads(json.dumps(found.to_dict()))["n_splits"] == 6
    monkeypatch.setitem(FAMILIES, "wolf", Family(name="wolf", sentence="No wolf.", run=broken))
    errs = self_test(frame, label="ill", n_splits=2)
    assert (errs.passed, errs.n_passed) == (False, 0)


def test_rows_that_are_there_twice_make_no_alarm() -> None:
    frame = pd.concat([shortcut_table(300, minority_share=0.3)] * 2, ignore_index=True)
    assert self_test(frame, label="ill", n_splits=4).noisy == ()


def test_one_alarm_in_ten_may_be_chance_and_two_are_not() -> None:
    assert not trial(0).is_noisy
    assert not trial(1).is_noisy
    assert trial(2).is_noisy
    assert not trial(3, n_splits=1000).is_noisy


def test_groups_are_cut_into_halves_and_keep_their_only_row() -> None:
    codes = np.repeat([0, 1, 2, 3], [7, 4, 1, 2])
    for seed in range(20):
        chosen = half_of_groups(codes, np.random.default_rng(seed))
        assert np.bincount(codes[chosen]).tolist() == [4, 2, 1, 1]


def test_the_same_seed_gives_the_same_finding() -> None:
    frame = shortcut_table(200, minority_share=0.3)
    first, again = (self_test(frame, label="ill", n_splits=3, random_state=7) for _ in range(2))
    assert first == again


def test_rules_are_tried_too() -> None:
    frame = shortcut_table(200, minority_share=0.3)
    found = self_test(frame, label="ill", rules=["age >= 18"], n_splits=2)
    assert "age >= 18" in {check.subject for check in found.checks}
    with pytest.raises(ConfigError, match="wrong way round"):
        self_test(frame, label="ill", rules=["age < 18"], n_splits=2)
    with pytest.raises(ConfigError, match="n_splits=0"):
        self_test(frame, label="ill", n_splits=0)
