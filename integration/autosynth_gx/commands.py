"""The command ``suite``, and what ``autosynth check --suite`` and ``--data-docs`` run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import autosynth_gx
from autosynth.commands.columns import check_groups
from autosynth.commands.completion import choices
from autosynth.commands.examples import examples
from autosynth.commands.options import GroupBy, Holdout, Label, Rules
from autosynth.commands.panels import CHECKS, JUDGE, OUTPUT
from autosynth.commands.report_file import check_file
from autosynth.commands.streams import tell
from autosynth.commands.tables import open_table
from autosynth.exceptions import ConfigError
from autosynth.table import as_columns

if TYPE_CHECKING:
    import pandas as pd

    from autosynth import CheckReport


def add_commands(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(rich_help_panel=JUDGE)(suite)


@examples(
    ("Save what is to be checked.", "autosynth suite train.csv --label class --out suite.json"),
    (
        "Run it on rows that some tool has made, and write pages.",
        "autosynth check train.csv rows.csv --label class \\\n    --suite suite.json --data-docs docs",
    ),
    (
        "By cells of class and hospital, with a rule and with held-out rows that must not be copied.",
        "autosynth suite train.csv --label ill --group-by hospital --out suite.json \\\n"
        "    --rule 'start <= end' --holdout test.csv",
    ),
)
def suite(
    real: Annotated[Path, typer.Argument(help="Real rows: CSV or Parquet.")],
    label: Label,
    out: Annotated[Path, typer.Option("--out", rich_help_panel=OUTPUT, help="Where the suite goes: .json.")],
    group_by: GroupBy = None,
    holdout: Holdout = None,
    rule: Rules = None,
    rows_dir: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            rich_help_panel=OUTPUT,
            help="For the real rows, which some checks need; it will hold real data.",
        ),
    ] = None,
    on_noisy: Annotated[
        str,
        typer.Option(
            metavar="LEVEL",
            autocompletion=choices("warn", "raise", "demote"),
            rich_help_panel=CHECKS,
            help="What checks that would cry wolf on real rows do: warn, raise or demote.",
        ),
    ] = "warn",
    self_test: Annotated[
        bool, typer.Option(rich_help_panel=CHECKS, help="Check one half of the real rows against the other.")
    ] = True,
) -> None:
    """Save what is to be checked as a suite of Great Expectations, without a real row in it.

    Run it with `autosynth check REAL SYNTHETIC --label ... --suite FILE`, or from Great Expectations.
    """
    check_file("--out", out, ".json")
    rows = open_table(real)
    check_groups(group_by, rows)
    held_out = None if holdout is None else open_table(holdout, like=rows)
    tell("loading Great Expectations ...")
    built = autosynth_gx.build_suite(
        rows,
        label=label,
        group_by=group_by,
        holdout=held_out,
        rules=rule or (),
        rows_dir=rows_dir,
        self_test=self_test,
        on_noisy=on_noisy,  # type: ignore[arg-type]  # checked there, with a message for people
        name=out.stem,
    )
    autosynth_gx.save_suite(built, out)
    tell(f"Wrote {out}: {len(built.expectations)} expectations")


def run_suite(
    path: Path | None, synthetic: pd.DataFrame, data_docs: Path | None, *, real: pd.DataFrame, **given: Any
) -> CheckReport:
    """Return the report of a saved suite, or of one that is built from the real rows for this run."""
    if path is None:
        built = autosynth_gx.build_suite(real, self_test=False, **given)
        return autosynth_gx.run_gate(built, synthetic, docs_dir=data_docs).report
    loaded = autosynth_gx.load_suite(path)
    holdout = given.pop("holdout")
    _check_same_question(loaded, **given)
    return autosynth_gx.run_gate(loaded, synthetic, real=real, holdout=holdout, docs_dir=data_docs).report


def _check_same_question(loaded: Any, *, label: Any, group_by: Any, rules: Any) -> None:
    """Raise where the command line asks for something else than the suite was built for."""
    from autosynth_gx.real_rows import source_with_rows

    schema = source_with_rows(loaded).reference.schema
    if label != schema.label:
        raise ConfigError(f"--label {label!r} is given, and the suite was built for {schema.label!r}.")
    if group_by is not None and as_columns(group_by) != schema.group_by:
        raise ConfigError(f"--group-by {list(group_by)} is given, and the suite was built for {list(schema.group_by)}.")
    if rules:
        raise ConfigError("--rule is given, and a suite brings its own rules. Build it with `autosynth suite --rule`.")
