"""The command ``check``: a gate for pipelines."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

import autosynth
from autosynth.commands.completion import check_names, choices
from autosynth.commands.examples import examples
from autosynth.commands.exits import EXIT_FAILED, EXIT_USAGE
from autosynth.commands.gate_rows import read_rows
from autosynth.commands.options import AsJson, DryRun, GroupBy, Holdout, Label, Rules
from autosynth.commands.panels import CHECKS, OUTPUT
from autosynth.commands.streams import answer_json, tell, whatever_becomes_of_stdout
from autosynth.exceptions import ConfigError, PluginError
from autosynth.options import check_choice
from autosynth.plugins import current_plugins

if TYPE_CHECKING:
    from autosynth.gate_files import GateFiles

EXIT_CODES = {"passed": 0, "failed": EXIT_FAILED, "error": EXIT_USAGE}  # of a gate, by its verdict


@examples(
    ("Gate rows that some tool has made.", "autosynth check train.csv rows.csv --label class"),
    (
        "In a pipeline: XML for the server, a page for people, copies of test rows refused.",
        "autosynth check train.csv balanced.csv --label class --holdout test.csv \\\n"
        "    --junit checks.xml --html checks.html",
    ),
    (
        "Be strict about warnings, but let copies be.",
        "autosynth check train.csv rows.csv --label class \\\n    --fail-on warning --only-warn near_copies",
    ),
    ("List what would be asked.", "autosynth check train.csv rows.csv --label class --dry-run"),
)
def check(
    real: Annotated[Path, typer.Argument(help="Real rows: CSV or Parquet.")],
    synthetic: Annotated[Path, typer.Argument(help="Synthetic rows with the same columns.")],
    label: Label,
    group_by: GroupBy = None,
    holdout: Holdout = None,
    rule: Rules = None,
    suite: Annotated[
        Path | None,
        typer.Option(rich_help_panel=CHECKS, help="A suite that `autosynth suite` saved; needs the extra gx."),
    ] = None,
    fail_on: Annotated[
        str,
        typer.Option(
            metavar="LEVEL",
            autocompletion=choices("critical", "warning"),
            rich_help_panel=CHECKS,
            help="The mildest failure that fails the run: critical or warning.",
        ),
    ] = "critical",
    only_warn: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CHECK",
            autocompletion=check_names,
            rich_help_panel=CHECKS,
            help="A check, such as near_copies, whose failure is a warning; repeat it for several.",
        ),
    ] = None,
    junit: Annotated[
        Path | None, typer.Option(rich_help_panel=OUTPUT, help="Also write JUnit XML for CI servers: .xml.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(rich_help_panel=OUTPUT, help="Also write one page with pictures: .html.")
    ] = None,
    data_docs: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            rich_help_panel=OUTPUT,
            help="Also write Great Expectations' pages to this folder; needs the extra gx.",
        ),
    ] = None,
    verbose: Annotated[
        bool,
        typer.Option("--verbose/--no-verbose", "-v", rich_help_panel=OUTPUT, help="Show checks that passed too."),
    ] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Check synthetic against real rows, as a gate for pipelines.

    Exit code 0: no critical check failed. 1: one failed. 2: none failed but one could not run, or the usage or an
    input was wrong. A file that ``autosynth rebalance`` wrote is checked by its synthetic rows alone.
    """
    from autosynth.checks.result import Severity
    from autosynth.checks.rules import Rule
    from autosynth.gate_files import GateFiles

    with _json_of_errors(as_json):
        files = GateFiles(suite=suite, junit=junit, html=html, data_docs=data_docs)
        with nullcontext() if dry_run else _recorded_errors(files):  # which touches no file
            check_choice("--fail-on", fail_on, get_args(Severity))
            rules = [Rule.parse(text) for text in rule or []]
            given = {**read_rows(real, synthetic, holdout, group_by), "label": label, "rules": rules}
            if dry_run:
                from autosynth.commands.preview_rows import preview_check

                preview = preview_check(
                    (real, synthetic), given, files=files, fail_on=fail_on, only_warn=only_warn or []
                )
                return preview.show(as_json=as_json)
            if files.needs_plugin:
                found = _run_suite(suite=suite, data_docs=data_docs, **given)
            else:
                found = autosynth.check(**given)
            found = found.only_warn(only_warn or []).fail_on(fail_on)  # type: ignore[arg-type]  # checked above
        for path in files.write(found):
            tell(f"Wrote {path}")
    raise typer.Exit(_print_verdict(found, as_json=as_json, verbose=verbose))


@contextmanager
def _json_of_errors(as_json: bool) -> Iterator[None]:
    """Print an error as JSON too where JSON was asked for, then let it go on."""
    try:
        yield
    except Exception as error:
        if as_json:
            facts = {"autosynth": autosynth.__version__, "verdict": "error", "exit_code": EXIT_USAGE}
            answer_json({**facts, "error": str(error) or repr(error)})
        raise


@contextmanager
def _recorded_errors(files: GateFiles) -> Iterator[None]:
    """Write an error where the verdict would have gone, then let it go on."""
    try:
        yield
    except Exception as error:
        try:
            for path in files.write_error(error):
                tell(f"Wrote {path}")
        except OSError as unwritten:  # must not hide the error that it should have told of
            tell(f"warning: {unwritten}")
        raise


def _run_suite(**given: Any) -> autosynth.CheckReport:
    """Return what the first plugin answers that runs suites."""
    answers = current_plugins().answers("autosynth_run_suite", **given)
    if not answers:
        from autosynth.commands.preview_rows import NO_SUITES

        raise ConfigError(NO_SUITES)
    plugin, answer = answers[0]
    if not isinstance(answer, autosynth.CheckReport):
        raise PluginError(
            f"plugin {plugin!r} answered autosynth_run_suite with {answer!r}. It must be a CheckReport or None."
        )
    return answer


def _print_verdict(found: autosynth.CheckReport, *, as_json: bool, verbose: bool) -> int:
    """Print a gate's report and return its exit code."""
    from autosynth.check_text import print_report, verdict_of

    verdict = verdict_of(found)
    if as_json:
        facts = {"autosynth": autosynth.__version__, "verdict": verdict, "exit_code": EXIT_CODES[verdict]}
        answer_json({**facts, **found.to_dict()})
    else:
        with whatever_becomes_of_stdout():
            print_report(found, verbose=verbose)
            sys.stdout.flush()
    return EXIT_CODES[verdict]
