"""The command ``check``: a gate for pipelines."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

import autosynth
from autosynth.check_text import print_report, verdict_of
from autosynth.commands.exits import EXIT_FAILED, EXIT_USAGE
from autosynth.commands.gate_rows import read_rows
from autosynth.commands.options import AsJson, GroupBy, Holdout, Label, Rules
from autosynth.commands.streams import tell, whatever_becomes_of_stdout
from autosynth.exceptions import ConfigError, PluginError
from autosynth.options import check_choice
from autosynth.plugins import current_plugins

if TYPE_CHECKING:
    from autosynth.gate_files import GateFiles

EXIT_CODES = {"passed": 0, "failed": EXIT_FAILED, "error": EXIT_USAGE}  # of a gate, by its verdict


def check(
    real: Annotated[Path, typer.Argument(help="Real rows: CSV or Parquet.")],
    synthetic: Annotated[Path, typer.Argument(help="Synthetic rows with the same columns.")],
    label: Label,
    group_by: GroupBy = None,
    holdout: Holdout = None,
    rule: Rules = None,
    suite: Annotated[
        Path | None, typer.Option(help="A suite that `autosynth suite` saved; needs the extra gx.")
    ] = None,
    fail_on: Annotated[str, typer.Option(help="The mildest failure that fails the run: critical or warning.")] = (
        "critical"
    ),
    only_warn: Annotated[
        list[str] | None,
        typer.Option(help="A check, such as near_copies, whose failure is a warning; repeat it for several."),
    ] = None,
    junit: Annotated[Path | None, typer.Option(help="Also write JUnit XML for CI servers: .xml.")] = None,
    html: Annotated[Path | None, typer.Option(help="Also write one page with pictures: .html.")] = None,
    data_docs: Annotated[
        Path | None, typer.Option(help="Also write Great Expectations' pages to this folder; needs the extra gx.")
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show checks that passed one by one too.")] = False,
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
        with _recorded_errors(files):
            check_choice("--fail-on", fail_on, get_args(Severity))
            rules = [Rule.parse(text) for text in rule or []]
            given = {**read_rows(real, synthetic, holdout, group_by), "label": label, "rules": rules}
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
            typer.echo(json.dumps({**facts, "error": str(error) or repr(error)}, indent=2))
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
        raise ConfigError(
            "no installed plugin runs suites, which --suite and --data-docs ask for. Bring one with: "
            "pip install 'autosynth[gx]'"
        )
    plugin, answer = answers[0]
    if not isinstance(answer, autosynth.CheckReport):
        raise PluginError(
            f"plugin {plugin!r} answered autosynth_run_suite with {answer!r}. It must be a CheckReport or None."
        )
    return answer


def _print_verdict(found: autosynth.CheckReport, *, as_json: bool, verbose: bool) -> int:
    """Print a gate's report and return its exit code."""
    verdict = verdict_of(found)
    with whatever_becomes_of_stdout():
        if as_json:
            facts = {"autosynth": autosynth.__version__, "verdict": verdict, "exit_code": EXIT_CODES[verdict]}
            typer.echo(json.dumps({**facts, **found.to_dict()}, indent=2))
        else:
            print_report(found, verbose=verbose)
        sys.stdout.flush()
    return EXIT_CODES[verdict]
