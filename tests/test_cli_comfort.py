"""Comfort of the command line: help with examples that parse, completion, dry runs, colours, and errors that help."""

from __future__ import annotations

import gzip
import inspect
import io
import json
import os
import pty
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import typer

import autosynth
from autosynth import cli
from autosynth.commands.examples import examples_of
from autosynth.commands.help_text import NARROWEST
from autosynth.commands.panels import HELP, ORDER
from autosynth.commands.preview_race import race_facts
from autosynth.commands.streams import has_colours, is_watched
from autosynth.files import write_table

Run = Callable[..., Any]
BASH = shutil.which("bash")
PROGRAM = [sys.executable, "-m", "autosynth"]


@pytest.fixture
def run(command: Run) -> Run:
    """Run the command line in this process, in an empty folder."""
    return command


@pytest.fixture
def train(frame: pd.DataFrame, tmp_path: Path) -> Path:
    return write_table(frame, tmp_path / "train.csv")


@pytest.fixture(scope="module")
def root() -> Any:
    """The program as its parser sees it, with the commands of all plugins."""
    with pytest.raises(SystemExit):
        cli.main(["--version"])
    return typer.main.get_command(cli.app)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# Help.


def test_version_is_one_line(run: Run) -> None:
    assert run("--version") == (0, f"autosynth {autosynth.__version__}\n", "")


def test_every_command_ends_its_help_with_examples_that_parse(run: Run, root: Any) -> None:
    for name, command in root.commands.items():
        help_text = run(name, "--help").out
        pairs = examples_of(command.callback)
        assert pairs, f"{name} has no example"
        assert help_text.rstrip().endswith(pairs[-1][1].splitlines()[-1])
        for sentence, line in pairs:
            assert sentence.endswith(".")
            assert max(map(len, line.splitlines())) <= 80
            program, called, *words = shlex.split(line.replace("\\\n", " "))
            assert program == "autosynth"
            above = root.make_context("autosynth", [called], resilient_parsing=True)
            root.commands[called].make_context(called, words, parent=above)  # raises what a user would see
    assert {line.split()[1] for _, line in examples_of(root.callback)} <= {*root.commands, "--install-completion"}


def test_options_stand_under_headings_and_required_ones_in_the_usage(run: Run) -> None:
    help_text = run("rebalance", "--help").out
    assert help_text.startswith("Usage: autosynth rebalance TRAIN --label COLUMN --out FILE [OPTIONS]\n")
    assert [line for line in help_text.splitlines() if line in (*ORDER, HELP, "Examples")] == [
        "Arguments",
        "Table",
        "Synthetic rows",
        "Checks",
        "Run",
        "Output",
        "Settings and help",
        "Examples",
    ]
    assert "(default: smote)" in help_text
    assert "--[no-]json" in help_text
    assert run("rebalance", "-h").out == help_text


@pytest.mark.parametrize("columns", [1, 40, 80, 250])
def test_help_fits_the_terminal_and_no_line_is_too_long_to_read(
    run: Run, root: Any, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    for arguments in ([], *([name] for name in root.commands)):
        described, _, _ = run(*arguments, "--help").out.partition("\nExamples\n")
        usage, *lines = described.splitlines()
        assert usage.startswith("Usage: autosynth")
        assert max(map(len, lines)) <= min(max(columns, NARROWEST), 100), arguments


def test_no_word_at_all_prints_the_help_and_is_wrong_usage(run: Run) -> None:
    answer = run()
    assert answer.code in (0, 2)  # by Typer's version
    assert answer.out == run("--help").out


# Errors.


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rebalence"], "'rebalence' is no command. Did you mean 'rebalance'? Commands: tune, scaling, "),
        (["reb"], "'reb' is no command. Did you mean 'rebalance'?"),
        (["rebalance", "--lable", "ill"], "`autosynth rebalance` has no option --lable. Did you mean '--label'?"),
        (["rebalance", "--k-neighbors", "3"], "borderline_smote, smote): give --option k_neighbors=VALUE."),
        (["rebalance", "train.csv"], "`autosynth rebalance` needs --label: The label column."),
        (["rebalance", "--label", "ill", "--out", "o.csv"], "`autosynth rebalance` needs TRAIN: Real training rows"),
        (["rebalance", "--seed", "few"], "'few'"),
        (["fit", "train.csv", "--label", "ill", "--folds", "1"], "--folds"),
        (["rebalance", "--label"], "--label' requires an argument. `autosynth rebalance --help`"),
        (["--config"], "--config' requires an argument. `autosynth --help`"),
        (["generators", "smote"], "unexpected extra argument"),
    ],
)
def test_wrong_usage_says_what_is_accepted_and_what_to_do(run: Run, arguments: list[str], message: str) -> None:
    answer = run(*arguments)
    assert (answer.code, answer.out) == (2, "")
    usage, error, *rest = answer.err.splitlines()
    assert usage.startswith("Usage: autosynth ")
    assert error.startswith("error: ")
    assert message in error
    assert error.endswith("--help` says more.")
    assert all(line.startswith(("For example: autosynth ", "    ")) for line in rest)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "t.csv",
            b"PK\x03\x04rest",
            "is an Excel workbook or another archive, not CSV. Save the sheet as CSV (UTF-8).",
        ),
        ("t.csv", b"PAR1rest", "is Parquet, not CSV. Let its name end in .parquet."),
        ("t.csv", b"  <!DOCTYPE html>\n<html>", "is a web page, not CSV."),
        ("t.csv", b'[{"age": 3}]', "is JSON, not CSV."),
        ("t.csv", "age,ill\n".encode("utf-16"), "is text in UTF-16, not CSV. Save it as UTF-8."),
        ("t.csv", gzip.compress(b"age,ill\n"), "is compressed. Let its name end in .csv.gz."),
        ("t.csv.gz", b"age,ill\n1,2\n", "is not compressed, though its name ends in .gz. Let it end in .csv."),
        ("t.parquet", b"age,ill\n1,2\n", "is no Parquet, though its name says so."),
        ("t.csv", b"", "is empty."),
        ("t.csv", b"age;ill\n1;2\n", "is the separator ';'?"),
    ],
)
def test_a_file_of_another_kind_is_named_as_that(
    run: Run, tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    answer = run("rebalance", name, "--label", "ill", "--out", "o.csv")
    assert (answer.code, answer.out) == (2, "")
    assert message in answer.err
    assert answer.err.startswith(f"error: {name!r} ")
    assert names(tmp_path) == [name]


def test_a_csv_that_starts_like_nothing_else_is_read(run: Run, train: Path, tmp_path: Path) -> None:
    train.write_bytes(b"\xef\xbb\xbf" + train.read_bytes())
    assert run("rebalance", "train.csv", "--label", "ill", "--out", "o.csv", "--dry-run").code == 0
    with gzip.open(tmp_path / "train.csv.gz", "wb") as stream:
        stream.write(train.read_bytes())
    assert run("rebalance", "train.csv.gz", "--label", "ill", "--out", "o.csv", "--dry-run").code == 0


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz"])
def test_real_rows_keep_the_leading_zeros_of_their_codes(run: Run, frame: pd.DataFrame, name: str) -> None:
    zips = ["00123", "04711", float("nan"), "99999"] * 30
    codes = frame.assign(zip=zips, ill=frame["ill"].map({"no": "01", "yes": "02"}), day="01/02/2024", share="0.50")
    write_table(codes, name)
    made = run("rebalance", name, "--label", "ill", "--out", "o.csv", "--check", "off")
    assert made.code == 0, made.err
    assert made.err.splitlines()[0] == f"{name}: read as texts, for their leading zeros: ill, zip"
    written = pd.read_csv("o.csv", dtype=str)
    assert written.loc[:119, ["zip", "ill"]].equals(codes[["zip", "ill"]])
    assert set(written["ill"]) == {"01", "02"}
    checks = json.loads(run("check", name, "o.csv", "--label", "ill", "--json").out)["checks"]
    assert [check["status"] for check in checks if check["name"] == "schema"] == ["passed"]


def test_a_file_that_is_not_there_gets_the_nearest_one(run: Run, train: Path) -> None:
    answer = run("tune", "trian.csv", "--label", "ill")
    assert answer.err == (
        "error: 'trian.csv' is not a file. Did you mean 'train.csv'? Give the path of a CSV or Parquet file.\n"
    )
    assert "'.' is a folder" in run("tune", ".", "--label", "ill").err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("arguments", [["generators"], ["tune", "train.csv", "--label", "ill", "--dry-run", "--json"]])
def test_an_answer_that_nobody_can_take_is_no_defect_of_ours(train: Path, tmp_path: Path, arguments: list[str]) -> None:
    def told(stdout: Any) -> tuple[int, str]:
        done = subprocess.run(
            [*PROGRAM, *arguments], stdout=stdout, stderr=subprocess.PIPE, text=True, cwd=tmp_path, check=False
        )
        return done.returncode, done.stderr

    with Path("/dev/full").open("w") as full:
        code, errors = told(full)
    assert (code, errors.count("\n")) == (2, 1)
    assert errors.startswith("error: the answer cannot be printed: ")
    read, write = os.pipe()
    os.close(read)  # as head does when it has its lines
    assert told(write) == (0, "")
    os.close(write)


# Completion.


@pytest.fixture
def complete(run: Run, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[str]]:
    """Return what Bash would be offered for the last, half-typed word of a line; it may be empty."""

    def call(line: str) -> list[str]:
        monkeypatch.setenv("_AUTOSYNTH_COMPLETE", "complete_bash")
        monkeypatch.setenv("COMP_WORDS", line)
        monkeypatch.setenv("COMP_CWORD", str(len(line.split(" ")) - 1))
        answer = run()
        assert (answer.code, answer.err) == (0, "")
        return answer.out.split("\n")[:-1] if answer.out.strip() else []

    return call


COLUMNS = ["age", "severity", "pressure", "ward", "smoker", "hospital", "ill"]


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("autosynth reb", ["rebalance"]),
        ("autosynth rebalance --gen", ["--generator"]),
        ("autosynth rebalance --generator sm", ["smote"]),
        ("autosynth rebalance --generator aut", ["auto"]),
        ("autosynth scaling --generator aut", []),
        ("autosynth tune --generator smote,tr", ["smote,transformer", "smote,tree"]),
        ("autosynth rebalance --generator smote --option k", ["k_neighbors=5"]),
        ("autosynth tune --generator smote,tree --option smote.k", ["smote.k_neighbors=5"]),
        ("autosynth rebalance train.csv --label ", COLUMNS),
        ("autosynth rebalance --label ill train.csv --group-by h", ["hospital"]),
        ("autosynth check train.csv other.csv --label i", ["ill"]),
        ("autosynth tune train.csv --label ill --positive-class ", ["no", "yes"]),
        ("autosynth report train.csv --label ill --proba s", ["severity", "smoker"]),
        ("autosynth rebalance nowhere.csv --label ", []),
        ("autosynth tune --learner ", ["xgboost", "autogluon"]),
        ("autosynth tune --metric bal", ["balanced_cross_entropy", "balanced_accuracy"]),
        ("autosynth rebalance --check ", ["off", "warn", "raise"]),
        ("autosynth fit --check ", ["off", "warn", "drop", "raise"]),
        ("autosynth rebalance --copies drop", ["drop_exact", "drop_near"]),
        ("autosynth fit --presets good", ["good_quality"]),
        ("autosynth check --fail-on ", ["critical", "warning"]),
        ("autosynth check --only-warn near", ["near_copies"]),
        ("autosynth suite --on-noisy d", ["demote"]),
        ("autosynth rebalance --config ", ["mine.toml", "none"]),
    ],
)
def test_values_are_completed(
    complete: Callable[[str], list[str]], train: Path, tmp_path: Path, line: str, offered: list[str]
) -> None:
    (tmp_path / "mine.toml").touch()
    assert complete(line) == offered


def test_columns_come_from_parquet_and_from_the_file_of_the_settings_too(
    complete: Callable[[str], list[str]], frame: pd.DataFrame, tmp_path: Path
) -> None:
    write_table(frame.rename(columns={"ward": "the ward's name"}), tmp_path / "t.parquet")
    assert complete("autosynth rebalance t.parquet --label t") == [r"the\ ward\'s\ name"]
    assert complete("autosynth tune t.parquet --label ill --positive-class y") == ["yes"]
    (tmp_path / "marked.csv").write_bytes(b"\xef\xbb\xbfage,ill\n3,yes\n")
    assert complete("autosynth rebalance marked.csv --label a") == ["age"]
    (tmp_path / "autosynth.toml").write_text("[rebalance]\ntrain = 't.parquet'\n")
    assert complete("autosynth rebalance --label h") == ["hospital"]
    (tmp_path / "autosynth.toml").write_text("broken")
    assert complete("autosynth rebalance t.parquet --label h") == ["hospital"]


@pytest.mark.skipif(BASH is None, reason="needs bash")
def test_bash_completes_with_the_script_that_is_shown(train: Path, tmp_path: Path) -> None:
    (tmp_path / "autosynth").write_text(f'#!/bin/sh\nexec {sys.executable} -m autosynth "$@"\n')
    (tmp_path / "autosynth").chmod(0o755)
    script = """
        source <(autosynth --show-completion)
        COMP_WORDS=(autosynth rebalance train.csv --label h) COMP_CWORD=4
        _autosynth_completion autosynth
        echo "${COMPREPLY[@]}"
    """
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    answer = subprocess.run(
        [str(BASH), "--norc", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert (answer.stdout, answer.stderr) == ("hospital\n", "")


# Dry runs.


@pytest.fixture
def idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail whatever makes rows, trains or judges."""
    for name in ("rebalance", "tune", "scaling_curve", "check"):
        monkeypatch.setattr(autosynth, name, lambda *_, name=name, **__: pytest.fail(f"{name} was run"))
    monkeypatch.setattr("autosynth_autogluon.commands._comparison", lambda: pytest.fail("AutoGluon was loaded"))


DRY_RUNS = [
    (["rebalance", "train.csv", "--out", "o.csv", "--report", "r.html"], ["o.csv", "r.html"]),
    (["rebalance", "train.csv", "--out", "o.csv", "--generator", "auto"], ["o.csv"]),
    (["tune", "train.csv", "--html", "t.html", "--plot", "t.svg", "--resume", "race"], ["t.html", "t.svg", "race"]),
    (["scaling", "train.csv", "--plot", "s.svg", "--reserve", "0.3"], ["s.svg"]),
    (["check", "train.csv", "train.csv", "--junit", "c.xml", "--data-docs", "docs"], ["c.xml", "docs"]),
    (["fit", "train.csv", "--report", "f.html"], ["autosynth-fit", "f.html"]),
]


@pytest.mark.usefixtures("idle")
@pytest.mark.parametrize(("arguments", "writes"), DRY_RUNS)
def test_a_dry_run_trains_nothing_and_writes_nothing(
    run: Run, train: Path, tmp_path: Path, arguments: list[str], writes: list[str]
) -> None:
    shown = run(*arguments, "--label", "ill", "--dry-run")
    assert shown.code == 0, shown.err
    assert shown.out.startswith(f"Dry run of `autosynth {arguments[0]}`: nothing was trained, nothing was written.\n")
    assert "train.csv: 120 rows, 7 columns; label ill\n" in shown.out
    told = json.loads(run(*arguments, "--label", "ill", "--dry-run", "--json").out)
    assert (told["command"], told["dry_run"]) == (arguments[0], True)
    assert told["table"]["groups"] == {"ill=no": 90, "ill=yes": 30}
    assert [entry["path"] for entry in told["writes"]] == writes
    assert all(path in shown.out for path in writes)
    assert names(tmp_path) == ["train.csv"]


MODEL = ["--option", "model=small"]  # of an endpoint, which is never asked


@pytest.mark.usefixtures("idle")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rebalance", "train.csv", "--out", "o.csv", "--option", "k_neighbours=3"], "Did you mean 'k_neighbors'?"),
        (["rebalance", "train.csv", "--out", "none/o.csv"], "'none' is not a folder"),
        (["rebalance", "train.csv", "--out", "o.csv", "--check", "loud"], "check='loud' is unknown"),
        (["rebalance", "train.csv", "--out", "o.csv", "--rule", "age <= old"], "old"),
        (["rebalance", "train.csv", "--out", "o.csv", "--seed", "-1"], "random_state=-1 is negative"),
        (["tune", "train.csv", "--metric", "auc"], "metric='auc' is unknown"),
        (["tune", "train.csv", "--learner", "xgbost"], "Did you mean 'xgboost'?"),
        (["tune", "train.csv", "--positive-class", "maybe"], "positive_class='maybe' is not a class"),
        (["tune", "train.csv", "--ratio", "2"], "ratio=2"),
        (["tune", "train.csv", "--time-budget", "0"], "time_budget_s=0"),
        (["tune", "train.csv", "--resume", "train.csv"], "'train.csv' is a file"),
        (["scaling", "train.csv", "--size", "1,2"], "A law needs at least 4 sizes"),
        (["scaling", "train.csv", "--generator", "llm_api", *MODEL], "sends real rows to another machine"),
        (["scaling", "train.csv", "--generator", "auto"], "'auto' is a race of several"),
        (["rebalance", "train.csv", "--out", "o.csv", "--generator", "ros", "--copies", "drop_exact"], "on purpose"),
        (["check", "train.csv", "train.csv", "--fail-on", "never"], "--fail-on='never' is unknown"),
        (["fit", "train.csv", "--folds", "40"], "classes with too few training rows for 40 folds: {'yes': 30}"),
        (["fit", "train.csv", "--check", "loud"], "check='loud' is unknown"),
        (["fit", "train.csv", "--rule", "age <= older"], "names 'older', which is no column"),
        (["fit", "train.csv", "--generator", "llm_api", *MODEL], "--allow-remote"),
    ],
)
def test_a_dry_run_finds_what_would_stop_the_run(
    run: Run, train: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    answer = run(*arguments, "--label", "ill", "--dry-run")
    assert (answer.code, answer.out) == (2, "")
    assert message in answer.err
    assert names(tmp_path) == ["train.csv"]


def test_a_dry_run_of_the_gate_tells_programs_of_errors_and_leaves_earlier_verdicts(
    run: Run, train: Path, tmp_path: Path
) -> None:
    (tmp_path / "gate.xml").write_text("<old />")
    answer = run("check", "train.csv", "nowhere.csv", "--label", "ill", "--junit", "gate.xml", "--dry-run", "--json")
    assert (answer.code, json.loads(answer.out)["verdict"]) == (2, "error")
    assert (tmp_path / "gate.xml").read_text() == "<old />"


def test_a_dry_run_plans_what_the_run_then_does(run: Run, train: Path) -> None:
    arguments = ("rebalance", "train.csv", "--label", "ill", "--group-by", "hospital", "--out", "o.csv", "--json")
    more = ("--strategy", "0.5", "--augment", "3", "--generator", "ros")
    planned, done = (json.loads(run(*arguments, *more, *dry).out) for dry in (["--dry-run"], []))
    assert planned["plan"] == done["plan"]
    again = json.loads(run(*arguments, *more, "--dry-run").out)
    assert again["writes"][0]["exists"] is True
    assert again["writes"][0]["holds"].startswith(f"{len(pd.read_csv('o.csv'))} rows: 120 real, ")


def test_a_dry_run_of_a_race_names_the_arms_that_then_race(run: Run, train: Path) -> None:
    arguments = ("tune", "train.csv", "--label", "ill", "--generator", "ros", "--cv", "2", "--json")
    planned, done = (json.loads(run(*arguments, *dry).out) for dry in (["--dry-run"], []))
    arms = {candidate["name"] for candidate in planned["candidates"]}
    assert arms == {"none", "class weights", "ros, ratio 1", "ros, ratio 1, weight 0.3"} | {
        "ros, ratio 0.25",
        "ros, ratio 0.25, weight 0.3",
    }
    assert [name["name"] for name in planned["candidates"] if not name["runs"]] == [
        "ros, ratio 0.25, weight 0.3",
        "ros, ratio 0.25",
    ]
    assert planned["models_at_most"] == 4 * 2
    assert all(name in json.dumps(done) for name in arms)


def test_a_dry_run_of_a_race_supposes_what_the_race_does() -> None:
    race, supposed = (inspect.signature(function).parameters for function in (autosynth.tune, race_facts))
    shared = [name for name, parameter in supposed.items() if parameter.kind is parameter.KEYWORD_ONLY]
    assert {"ratios", "synthetic_weights", "cv", "metric"} <= set(shared)
    assert {name: supposed[name].default for name in shared} == {name: race[name].default for name in shared}


# Colours.


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("variables", "on_terminal", "in_pipe"),
    [
        ({}, True, False),
        ({"NO_COLOR": "1"}, False, False),
        ({"NO_COLOR": ""}, True, False),
        ({"TERM": "dumb"}, False, False),
        ({"FORCE_COLOR": "1"}, True, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
        ({"GITHUB_ACTIONS": "true"}, True, False),
    ],
)
def test_colours_go_to_terminals_unless_somebody_says_otherwise(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], on_terminal: bool, in_pipe: bool
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"TERM": "xterm", **variables}.items():
        monkeypatch.setenv(name, value)
    assert has_colours(Terminal()) is on_terminal
    assert has_colours(io.StringIO()) is in_pipe
    assert is_watched(Terminal()) is (variables.get("TERM") != "dumb")
    assert not is_watched(io.StringIO())


def on_a_terminal(*arguments: str, **variables: str) -> bytes:
    """Return what the program prints to a terminal, both streams together."""
    above, below = pty.openpty()
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
    environment = {**kept, "TERM": "xterm", "COLUMNS": "80", **variables}
    with subprocess.Popen([*PROGRAM, *arguments], stdin=below, stdout=below, stderr=below, env=environment):
        os.close(below)
        chunks = []
        try:
            while chunk := os.read(above, 4096):
                chunks.append(chunk)
        except OSError:  # how Linux says that the other side is closed
            pass
    os.close(above)
    return b"".join(chunks)


def test_help_and_errors_are_coloured_on_a_terminal_and_plain_anywhere_else(tmp_path: Path) -> None:
    assert b"\x1b[1mUsage:" in on_a_terminal("--help")
    assert b"\x1b[1m\x1b[31merror:" in on_a_terminal("rebalence").replace(b"\x1b[31m\x1b[1m", b"\x1b[1m\x1b[31m")
    assert b"\x1b" not in on_a_terminal("--help", NO_COLOR="1")
    environment = {**os.environ, "GITHUB_ACTIONS": "true"}
    piped = subprocess.run([*PROGRAM, "rebalence"], capture_output=True, env=environment, cwd=tmp_path, check=False)
    assert piped.returncode == 2
    assert b"\x1b" not in piped.stdout + piped.stderr
