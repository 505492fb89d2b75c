"""The documentation: every page runs as it stands, its command lines exist, and its figures are those of the files."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pytest
import typer
import typer.main

from autosynth import cli
from autosynth.plugins import PluginRegistry, use_plugins
from tests.doc_pages import blocks, commands, is_alike, run_page

ROOT = Path(__file__).parents[1]
BENCHMARKS = ROOT / "benchmarks"
PAGES = sorted(
    [
        ROOT / "README.md",
        *(ROOT / "docs").rglob("*.md"),
        *ROOT.glob("plugins/*.md"),
        *ROOT.glob("integration/*.md"),
        *ROOT.glob("examples/*.md"),
    ]
)
SLOW = {"docs/autogluon.md"}  # fits AutoGluon; tests/integration fit it as well
TUNED = "none + tuned threshold"


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def pages_with_code() -> list[Any]:
    return [
        pytest.param(page, id=name_of(page), marks=[pytest.mark.slow] if name_of(page) in SLOW else [])
        for page in PAGES
        if any(block.language in ("python", "bash") for block in blocks(page))
    ]


@pytest.fixture(scope="session")
def program(plugin: Callable[..., ModuleType]) -> Any:
    """The command line with the commands of all plugins, as a plugin is given it."""
    seen: list[Any] = []
    registry = PluginRegistry.from_entry_points()
    registry.register(plugin(autosynth_register_commands=lambda app: seen.append(app)), name="onlooker")
    with use_plugins(registry), contextlib.suppress(SystemExit):
        cli.main(["--version"])
    return typer.main.get_command(seen[-1])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder to work in; the environment is put back afterwards, since pages may show settings in it."""
    before = dict(os.environ)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    os.environ.clear()
    os.environ.update(before)


def parse(program: Any, arguments: list[str]) -> None:
    """Read a command line as the program would, without running anything."""
    with contextlib.suppress(typer.Exit):  # an option that answers at once, such as --help
        context = program.make_context("autosynth", list(arguments))
        name, command, rest = program.resolve_command(context, [*context._protected_args, *context.args])
        command.make_context(name, rest, parent=context)


@pytest.mark.parametrize("page", pages_with_code())
@pytest.mark.filterwarnings("ignore::autosynth.AutosynthWarning")
def test_a_page_runs_from_top_to_bottom(
    page: Path, program: Any, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Blocks run in their order, in one namespace and an empty folder; command lines run where their files are."""

    def run(arguments: list[str]) -> None:
        parse(program, arguments)
        inputs = list(itertools.takewhile(lambda word: not word.startswith("-"), arguments[1:]))
        if inputs and all(Path(word).is_file() for word in inputs):
            with pytest.raises(SystemExit) as stop:
                cli.main(arguments)
            assert stop.value.code in (0, None), f"autosynth {' '.join(arguments)}: {capsys.readouterr().err}"

    run_page(page, run)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_block_reads_as_what_it_is_and_every_skip_has_a_reason(page: Path, program: Any, folder: Path) -> None:
    for block in blocks(page):
        assert block.mark != "skip-test" or block.why, f"{name_of(page)}:{block.line} is skipped without a reason"
        if block.language == "python":
            compile(block.code, f"{name_of(page)}:{block.line}", "exec")
        for arguments in commands(block):
            parse(program, arguments)


def test_a_misspelt_option_in_a_page_would_be_found(program: Any, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```bash\nautosynth check real.csv made.csv \\\n  --lable ill  # colour\n```\n")
    (arguments,) = commands(blocks(page)[0])
    assert arguments == ["check", "real.csv", "made.csv", "--lable", "ill"]
    with pytest.raises(Exception, match="--lable"):
        parse(program, arguments)


def test_blocks_know_their_line_their_mark_and_their_reason(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    parts = [
        "```python\nx = 1\n```",
        "<!-- skip-test: needs a predictor -->\n```python\ny\n```",
        "- item\n\n  ```text\n  1\n  ```",
    ]
    page.write_text("\n".join(["a", *parts, "<!-- prints -->", "```text", "z", "```"]))
    found = [(block.line, block.language, block.code, block.mark, block.why) for block in blocks(page)]
    assert found == [
        (3, "python", "x = 1\n", "", ""),
        (7, "python", "y\n", "skip-test", "needs a predictor"),
        (12, "text", "1\n", "", ""),
        (16, "text", "z\n", "prints", ""),
    ]


def test_a_page_that_prints_something_else_fails(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```python\nprint('AUC', 0.83)\n```\n\n<!-- prints -->\n```text\nAUC 0.91\n```\n")
    with pytest.raises(AssertionError, match=r"AUC 0\.83"):
        run_page(page, lambda arguments: None)


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("gain 0.25", "gain  0.26"),
        ("... b", "a a b"),
        ("... b", "a b a b"),
        ("a ...", "a b c"),
        ("a ... c ... e", "a b c d e"),
        ("1,000", "1010"),
    ],
)
def test_outputs_are_alike_up_to_rounding_and_dots(shown: str, printed: str) -> None:
    assert is_alike(shown, printed)


@pytest.mark.parametrize(
    ("shown", "printed"),
    [("gain 0.25", "gain 0.35"), ("gain", "loss"), ("a", "a b"), ("", "a"), ("b ...", "a b"), ("a ... c", "a b")],
)
def test_other_outputs_are_not_alike(shown: str, printed: str) -> None:
    assert not is_alike(shown, printed)


def table_after(page: str, comment: str) -> pd.DataFrame:
    """Return the Markdown table that follows a comment."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8").partition(comment)[2]
    lines = [line.strip("| ").split(" | ") for line in text[text.index("|") :].split("\n\n")[0].strip().splitlines()]
    return pd.DataFrame(lines[2:], columns=lines[0])


@pytest.mark.parametrize("file", ["do_no_harm.csv", "do_no_harm_autogluon.csv"])
def test_counts_of_harm_on_the_page_against_use_are_those_of_the_file(file: str) -> None:
    columns = {
        "AUC": "auc",
        "average precision": "average_precision",
        "balanced cross-entropy, shifted": "balanced_ce_shifted",
        "log loss, prior corrected": "log_loss_corrected",
    }
    rows = pd.read_csv(BENCHMARKS / file)
    rows = rows[(rows["against"] == TUNED) & ~rows["setting"].str.contains(" by ")]
    shown = table_after("when-not.md", f"<!-- from {file} -->").set_index("arm")
    for arm, cells in shown.iterrows():
        for title, metric in columns.items():
            verdicts = rows.loc[(rows["arm"] == arm) & (rows["metric"] == metric), "verdict"]
            assert cells[title] == f"{(verdicts == 'worse').sum()} / {(verdicts == 'better').sum()}", (arm, title)


def test_values_of_the_full_factorial_on_the_page_against_use_are_those_of_the_file() -> None:
    rows = pd.read_csv(BENCHMARKS / "do_no_harm.csv")
    rows = rows[(rows["against"] == TUNED) & (rows["setting"] == "car_evaluation")]
    values = rows[rows["metric"] == "average_precision"].set_index("arm")["value"]
    shown = table_after("when-not.md", "<!-- values of car_evaluation from do_no_harm.csv: average_precision -->").iloc[
        0
    ]
    assert {arm: f"{values[str(arm)]:.3f}" for arm in shown.index} == shown.to_dict()


@pytest.mark.parametrize("page", ["concepts.md", "autogluon.md"])
def test_scores_of_leaking_rows_are_those_of_the_file(page: str) -> None:
    means = pd.read_csv(BENCHMARKS / "leakage.csv").groupby(["table", "arm"])[["validation", "test"]].mean()
    shown = table_after(page, "<!-- from leakage.csv -->")
    order = ["none", "concatenated smote", "in-fold smote"]
    tables = ["mammography", "wine_quality_white"]
    expected = [[f"{means.loc[(table, arm), score]:.3f}" for table in tables for score in means] for arm in order]
    assert shown.iloc[:, 1:].to_numpy().tolist() == expected


def test_a_corrected_prior_beat_real_rows_as_often_as_the_pages_say() -> None:
    losses = pd.read_csv(BENCHMARKS / "prior_correction.csv").pivot_table(
        index=["table", "seed", "generator", "learner"], columns="arm", values="log_loss"
    )
    corrected = losses[["corrected by class", "corrected by group"]].stack()
    plain = losses["not rebalanced"].reindex(corrected.index.droplevel("arm"))
    known = plain.notna().to_numpy()
    counted = f"{(corrected.to_numpy()[known] < plain.to_numpy()[known]).sum()} of {known.sum()} comparisons"
    for page in ("concepts.md", "when-not.md"):
        assert re.search(rf"\b{counted}", (ROOT / "docs" / page).read_text(encoding="utf-8"))
