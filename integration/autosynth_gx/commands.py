"""The command ``suite``, and what ``autosynth check --suite`` and ``--data-docs`` run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import autosynth_gx
from autosynth.commands.options import GroupBy, Holdout, Label
from autosynth.exceptions import ConfigError
from autosynth.files import check_target, read_table
from autosynth.table import as_columns

if TYPE_CHECKING:
    import pandas as pd

    from autosynth import CheckReport


def add_commands(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(suite)


def suite(
    real: Annotated[Path, typer.Argument(help="Real rows: CSV or Parquet.")],
    label: Label,
    out: Annotated[Path, typer.Option("--out", help="Where the suite goes: .json.")],
    group_by: GroupBy = None,
    holdout: Holdout = None,
    rule: Annotated[
        list[str] | None,
        typer.Option(help="What every row must keep, such as 'start <= end'; repeat it for several."),
    ] = None,
    rows_dir: Annotated[
        Path | None, typer.Option(help="A folder for the real rows, which some checks need; it will hold real data.")
    ] = None,
    on_noisy: Annotated[
        str, typer.Option(help="What checks that would cry wolf on real rows do: warn, raise or demote.")
    ] = "warn",
    self_test: Annotated[bool, typer.Option(help="Check one half of the real rows against the other.")] = True,
) -> None:
    """Save what is to be checked as a suite of Great Expectations, without a real row in it.

    Run it with `autosynth check REAL SYNTHETIC --label ... --suite FILE`, or from Great Expectations.
    """
    if out.suffix != ".json":
        raise ConfigError(f"--out {str(out)!r} does not end in .json.")
    check_target(out)
    rows = read_table(real)
    held_out = None if holdout is None else read_table(holdout, like=rows)
    typer.echo("loading Great Expectations ...", err=True)
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
    typer.echo(f"Wrote {out}: {len(built.expectations)} expectations", err=True)


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
