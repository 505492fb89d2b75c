"""The commands ``tune`` and ``scaling``, and ``rebalance --generator auto``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from autosynth.commands.lists import names_of, numbers_of, options_by_name
from autosynth.exceptions import ConfigError
from autosynth.files import read_table, write_table
from autosynth.toy import shortcut_table

pytest.importorskip("xgboost")

pytestmark = pytest.mark.filterwarnings("default::autosynth.AutosynthWarning")


Run = Callable[..., Any]


@pytest.fixture
def run(command: Run, tmp_path: Path) -> Run:
    """Run the command line in this process, in a folder that holds ``train.csv``."""
    write_table(shortcut_table(150, minority_share=0.25), tmp_path / "train.csv")
    return command


def tune(*more: object, generators: str = "smote") -> list[object]:
    return ["tune", "train.csv", "--label", "ill", "--generators", generators, "--cv", 2, "--ratio", "1", *more]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_answer_goes_to_stdout_and_results_as_they_come_to_stderr(run: Run) -> None:
    answer = run(*tune("--weight", "0.3,1"))
    assert answer.code == 0, answer.err
    assert answer.out.startswith("No synthetic rows")
    lines = answer.err.splitlines()
    assert lines[0].startswith("none: balanced cross-entropy 0.")
    assert any(line.startswith("smote, ratio 1, weight 0.3") for line in lines)
    assert all(" ± " in line for line in lines)


def test_none_is_an_answer_and_exit_code_zero(run: Run) -> None:
    answer = run(*tune("--json", generators=""))
    assert answer.code == 0
    found = json.loads(answer.out)
    assert found["best"]["rebalance_arguments"] == {}
    assert {line["generator"] for line in found["candidates"]} == {None}


def test_what_is_asked_for_reaches_the_race(run: Run, tmp_path: Path) -> None:
    more = ["--group-by", "hospital", "--augment", "0,20", "--alpha", "0.2", "--option", "smote.k_neighbors=2"]
    files = ["--html", "race.html", "--plot", "race.svg"]
    answer = run(*tune(*more, *files, "--metric", "roc_auc", "--repeats", 2, "--positive-class", "yes", "--json"))
    assert answer.code == 0, answer.err
    found = json.loads(answer.out)
    assert (found["metric"], found["n_folds"], found["n_repeats"]) == ("roc_auc", 2, 2)
    arms = {line["name"] for line in found["candidates"]}
    assert {"smote, ratio 1", "smote, ratio 1, 20 more per group, alpha 0.2"} <= {
        name.removesuffix(", tuned threshold") for name in arms
    }
    assert "k_neighbors=2" in found["settings"]["generators"]["smote"]["configuration"]
    assert {"race.html", "race.svg"} <= set(names(tmp_path))
    assert "Wrote race.html" in answer.err


def test_equal_seeds_give_equal_answers(run: Run) -> None:
    def answer(seed: int) -> Any:
        found = json.loads(run(*tune("--json", "--seed", seed)).out)
        return [{**line, "seconds": 0} for line in found["candidates"]]

    assert answer(1) == answer(1) != answer(2)


def test_a_folder_takes_up_what_was_interrupted(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from autosynth.tuning import fold_runner

    trained: list[str] = []
    run_trial = fold_runner.run_trial

    def stops(arm: Any, *given: Any) -> Any:
        trained.append(arm.name)
        if len(trained) == 4:
            raise KeyboardInterrupt
        return run_trial(arm, *given)

    monkeypatch.setattr(fold_runner, "run_trial", stops)
    stopped = run(*tune("--weight", 1, "--resume", "race"))
    assert (stopped.code, stopped.out) == (130, "")
    assert "what was measured is in race; the same command goes on from there." in stopped.err
    trained.clear()

    def counts(arm: Any, *given: Any) -> Any:
        trained.append(arm.name)
        return run_trial(arm, *given)

    monkeypatch.setattr(fold_runner, "run_trial", counts)
    taken_up = run(*tune("--weight", 1, "--resume", "race"))
    assert taken_up.code == 0, taken_up.err
    assert trained == ["class weights", "smote, ratio 1", "smote, ratio 1"]
    assert taken_up.out == run(*tune("--weight", 1)).out


def test_an_interrupt_without_a_folder_says_what_would_keep_results(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def stops(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("autosynth.tuning.fold_runner.run_trial", stops)
    answer = run(*tune())
    assert (answer.code, answer.out) == (130, "")
    assert "nothing that was measured is kept; with --resume FOLDER" in answer.err


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--label", "il"], "'il' is not a column of the file. Did you mean 'ill'?"),
        (["--label", "severity"], "quantity"),
        (["--group-by", "hospital,smoker"], "Repeat --group-by for several"),
        (["--generators", "smoke"], "Did you mean 'smote'?"),
        (["--ratio", "half"], "--ratio holds 'half', which is no number"),
        (["--ratio", "1.5"], "ratio=1.5 is out of range"),
        (["--augment", "0.5"], "augment=0.5"),
        (["--option", "k_neighbors=3"], "--option k_neighbors=3 names no generator. Write generator.name=value"),
        (["--option", "smote.k=3"], "generator 'smote' has no option 'k'"),
        (["--learner", "xgbost"], "Did you mean 'xgboost'?"),
        (["--metric", "auc"], "metric='auc' is unknown"),
        (["--cv", "1"], "cv=1 is out of range"),
        (["--time-budget", "0"], "time_budget_s=0.0 is out of range"),
        (["--html", "race.htm"], "--html 'race.htm' does not end in .html"),
        (["--plot", "race.pdf"], "--plot 'race.pdf' does not end in .png or .svg"),
        (["--plot", "none/race.png"], "'none' is not a folder"),
        (["--seed", "-1"], "random_state=-1 is negative"),
    ],
)
def test_wrong_usage_is_exit_code_two_and_no_file(run: Run, tmp_path: Path, more: list[str], message: str) -> None:
    before = names(tmp_path)
    answer = run(*tune(*more))
    assert (answer.code, answer.out) == (2, "")
    assert message in answer.err
    assert names(tmp_path) == before


def test_a_budget_too_small_for_anything_is_exit_code_two_and_says_what_would_do(run: Run) -> None:
    answer = run(*tune("--time-budget", "0.000001"))
    assert (answer.code, answer.out) == (2, "")
    assert "Give more time" in answer.err


def test_lists_are_joined_by_commas_or_repeated() -> None:
    assert names_of(None) is None
    assert names_of(["a,b", "c", ""]) == ["a", "b", "c"]
    assert numbers_of("--ratio", ["0.25,1", "1e-1"]) == [0.25, 1, 0.1]
    assert options_by_name(None) is None
    with pytest.raises(ConfigError, match=r"--option \.k=3 names no generator"):
        options_by_name([".k=3"])


def test_scaling_prints_the_curve_and_draws_it(run: Run, tmp_path: Path) -> None:
    common = ["scaling", "train.csv", "--label", "ill", "--size", "10,20,40,80", "--cv", 2]
    answer = run(*common, "--generator", "smote", "--option", "k_neighbors=2", "--json", "--plot", "curve.svg")
    assert answer.code == 0, answer.err
    found = json.loads(answer.out)
    assert [point["n"] for point in found["points"]] == [10, 20, 40, 80]
    assert "curve.svg" in names(tmp_path)
    assert "Wrote curve.svg" in answer.err
    for more, message in ((["--size", "5"], "do not rise"), (["--generator", "auto"], "is a race of several")):
        wrong = run(*common, *more)
        assert (wrong.code, wrong.out) == (2, "")
        assert message in wrong.err


def test_rebalance_with_auto_writes_the_real_rows_and_says_why(run: Run, tmp_path: Path) -> None:
    options = ["--option", 'generators=["smote"]', "--option", "cv=2", "--option", "ratios=[1.0]"]
    common = ["rebalance", "train.csv", "--label", "ill", "--out", "out.csv", "--generator", "auto"]
    answer = run(*common, *options, "--report", "report.html")
    assert answer.code == 0, answer.err
    assert answer.out.startswith("no synthetic rows for 2 groups of 150 real rows")
    written = read_table(tmp_path / "out.csv")
    assert not written["is_synthetic"].any()
    pd.testing.assert_frame_equal(written.iloc[:, :7], read_table(tmp_path / "train.csv"))
    fixed = run(*common, "--strategy", "0.5")
    assert (fixed.code, fixed.out) == (2, "")
    assert "generator='auto' chooses the amounts itself, and strategy=0.5 fixes some" in fixed.err


def test_the_generators_of_a_race_may_be_named_as_in_other_commands(run: Run) -> None:
    answer = run("tune", "train.csv", "--label", "ill", "--generator", "smoet", "--generator", "ros")
    assert answer.code == 2
    assert "generator='smoet' is not installed. Did you mean 'smote'?" in answer.err


def test_the_answer_is_printed_even_where_its_page_cannot_be_written(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from autosynth.commands import tune as command

    monkeypatch.setattr(
        command, "check_file", lambda *_: (tmp_path / "full").mkdir(exist_ok=True)
    )  # it fills up during the race
    answer = run(*tune("--html", "full", generators=""))
    assert answer.code == 2
    assert answer.out.startswith("No synthetic rows")
    assert "'full' is a folder" in answer.err
