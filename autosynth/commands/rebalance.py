"""The command ``rebalance``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

import autosynth
from autosynth.commands.columns import check_groups
from autosynth.commands.completion import choices
from autosynth.commands.examples import examples
from autosynth.commands.options import (
    AsJson,
    DryRun,
    GeneratorOrAuto,
    GroupBy,
    Holdout,
    Label,
    Rules,
    Seed,
    Settings,
    SyntheticWeight,
    parse_options,
)
from autosynth.commands.panels import CHECKS, OUTPUT, ROWS
from autosynth.commands.progress import rows_made
from autosynth.commands.report_file import check_file, write_report
from autosynth.commands.streams import answer, answer_json, tell
from autosynth.commands.tables import open_table
from autosynth.exceptions import ConfigError


@examples(
    (
        "Make every class as large as the largest, and write a page about the rows.",
        "autosynth rebalance train.csv --label class --out new.csv --report report.html",
    ),
    (
        "See the plan first.",
        "autosynth rebalance train.csv --label class --out new.csv --dry-run",
    ),
    (
        "Break a spurious correlation: balance the cells of class and hospital with another generator.",
        "autosynth rebalance train.csv --label ill --group-by hospital \\\n"
        "    --generator independent --out balanced.parquet",
    ),
    (
        "Bring small classes to half of the largest; drop copies of real and of test rows; keep a rule.",
        "autosynth rebalance train.csv --label class --out rows.csv --strategy 0.5 \\\n"
        "    --holdout test.csv --copies drop_near --rule 'start <= end'",
    ),
    (
        "Let a race decide whether rows are worth it, whose, and how many.",
        "autosynth rebalance train.csv --label class --out new.csv --generator auto",
    ),
)
def rebalance(
    train: Annotated[Path, typer.Argument(help="Real training rows: CSV or Parquet.")],
    label: Label,
    out: Annotated[Path, typer.Option("--out", rich_help_panel=OUTPUT, help="Where the rows go: CSV or Parquet.")],
    group_by: GroupBy = None,
    generator: GeneratorOrAuto = "smote",
    option: Settings = None,
    strategy: Annotated[
        str,
        typer.Option(
            metavar="SIZE",
            autocompletion=choices("balance", "0.25", "0.5"),
            rich_help_panel=ROWS,
            help="balance, or a ratio in (0, 1] of the largest group.",
        ),
    ] = "balance",
    augment: Annotated[int, typer.Option(rich_help_panel=ROWS, help="N rows more for every group.")] = 0,
    alpha: Annotated[
        float | None, typer.Option(rich_help_panel=ROWS, help="Weight of the augmented part, 0 to 1.")
    ] = None,
    synthetic_weight: SyntheticWeight = 1.0,
    check: Annotated[
        str,
        typer.Option(
            metavar="LEVEL",
            autocompletion=choices("off", "warn", "raise"),
            rich_help_panel=CHECKS,
            help="What a failed check does: off, warn or raise.",
        ),
    ] = "warn",
    holdout: Holdout = None,
    copies: Annotated[
        str,
        typer.Option(
            metavar="CHOICE",
            autocompletion=choices("keep", "drop_exact", "drop_near"),
            rich_help_panel=CHECKS,
            help="Copies of real or held-out rows: keep, drop_exact or drop_near.",
        ),
    ] = "keep",
    rule: Rules = None,
    only_synthetic: Annotated[
        bool, typer.Option(rich_help_panel=OUTPUT, help="Write the synthetic rows alone.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option(rich_help_panel=OUTPUT, help="Also write a report: .html or .json.")
    ] = None,
    seed: Seed = 0,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Add synthetic rows to a table until its groups have the sizes asked for.

    The file written has two more columns, is_synthetic and weight. Rows made before a split leak into validation:
    rebalance training rows only, or use `autosynth fit`.
    """
    from autosynth.files import check_table_target, write_table

    _check_keeps(out, train, holdout)
    check_table_target(out)
    check_file("--report", report, ".html", ".json")
    frame = open_table(train)
    check_groups(group_by, frame)
    taken = [name for name in ("is_synthetic", "weight") if name in frame.columns]
    if taken and not only_synthetic:
        raise ConfigError(f"the table has columns named {taken} already. Rename them, or use --only-synthetic.")
    given: dict[str, Any] = {
        "label": label,
        "group_by": group_by,
        "generator": generator,
        "generator_options": parse_options(option),
        "strategy": _parse_strategy(strategy),
        "augment": augment,
        "alpha": alpha,
        "synthetic_weight": synthetic_weight,
        "check": check,
        "holdout": None if holdout is None else open_table(holdout, like=frame),
        "copies": copies,
        "rules": rule or (),
        "random_state": seed,
    }
    if dry_run:
        from autosynth.commands.preview_rows import preview_rebalance

        preview = preview_rebalance(train, frame, out=out, report=report, only_synthetic=only_synthetic, **given)
        return preview.show(as_json=as_json)
    with rows_made(f"making rows with {generator}") as advance:
        result = autosynth.rebalance(frame, on_progress=advance, **given)
    marked = result.data.assign(is_synthetic=result.is_synthetic, weight=result.weights)
    write_table(result.synthetic if only_synthetic else marked, out)
    if report is not None:
        write_report(result.report, report)
    if as_json:
        answer_json(result.report.to_json())
    else:
        answer(result.report)
    return tell(f"Wrote {out}")


def _check_keeps(out: Path, *sources: Path | None) -> None:
    """Raise where the file to write is one that is read: real rows are not for replacing."""
    for source in sources:
        if source is not None and source.exists() and out.exists() and out.samefile(source):
            raise ConfigError(f"--out {str(out)!r} is a table that is read. Give another name.")


def _parse_strategy(strategy: str) -> str | float:
    try:
        return float(strategy)
    except ValueError:
        return strategy
