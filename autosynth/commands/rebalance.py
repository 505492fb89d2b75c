"""The command ``rebalance``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import autosynth
from autosynth.commands.columns import check_groups
from autosynth.commands.options import (
    AsJson,
    GeneratorOrAuto,
    GroupBy,
    Holdout,
    Label,
    Rules,
    Seed,
    Settings,
    parse_options,
)
from autosynth.commands.progress import rows_made
from autosynth.commands.report_file import check_report_path, write_report
from autosynth.commands.streams import answer, answer_json, tell
from autosynth.exceptions import ConfigError


def rebalance(
    train: Annotated[Path, typer.Argument(help="Real training rows: CSV or Parquet.")],
    label: Label,
    out: Annotated[Path, typer.Option("--out", help="Where the rows go: CSV or Parquet.")],
    group_by: GroupBy = None,
    generator: GeneratorOrAuto = "smote",
    option: Settings = None,
    strategy: Annotated[str, typer.Option(help="balance, or a ratio in (0, 1] of the largest group.")] = "balance",
    augment: Annotated[int, typer.Option(help="N rows more for every group.")] = 0,
    alpha: Annotated[float | None, typer.Option(help="Weight of the augmented part, 0 to 1.")] = None,
    synthetic_weight: Annotated[float, typer.Option(help="Weight of a synthetic row against a real one.")] = 1.0,
    check: Annotated[str, typer.Option(help="What a failed check does: off, warn or raise.")] = "warn",
    holdout: Holdout = None,
    copies: Annotated[
        str, typer.Option(help="Copies of real or held-out rows: keep, drop_exact or drop_near.")
    ] = "keep",
    rule: Rules = None,
    only_synthetic: Annotated[bool, typer.Option(help="Write the synthetic rows alone.")] = False,
    report: Annotated[Path | None, typer.Option(help="Also write a report: .html or .json.")] = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Add synthetic rows to a table until its groups have the sizes asked for.

    The file written has two more columns, is_synthetic and weight. Rows made before a split leak into validation:
    rebalance training rows only, or use `autosynth fit`.
    """
    from autosynth.files import check_table_target, read_table, write_table

    check_table_target(out)
    check_report_path(report)
    frame = read_table(train)
    check_groups(group_by, frame)
    taken = [name for name in ("is_synthetic", "weight") if name in frame.columns]
    if taken and not only_synthetic:
        raise ConfigError(f"the table has columns named {taken} already. Rename them, or use --only-synthetic.")
    with rows_made(f"making rows with {generator}") as advance:
        result = autosynth.rebalance(
            frame,
            label=label,
            group_by=group_by,
            generator=generator,
            generator_options=parse_options(option),
            strategy=_parse_strategy(strategy),
            augment=augment,
            alpha=alpha,
            synthetic_weight=synthetic_weight,
            check=check,  # type: ignore[arg-type]  # checked there, with a message for people
            holdout=None if holdout is None else read_table(holdout, like=frame),
            copies=copies,  # type: ignore[arg-type]  # likewise
            rules=rule or (),
            random_state=seed,
            on_progress=advance,
        )
    marked = result.data.assign(is_synthetic=result.is_synthetic, weight=result.weights)
    write_table(result.synthetic if only_synthetic else marked, out)
    if report is not None:
        write_report(result.report, report)
    if as_json:
        answer_json(result.report.to_json())
    else:
        answer(result.report)
    tell(f"Wrote {out}")


def _parse_strategy(strategy: str) -> str | float:
    try:
        return float(strategy)
    except ValueError:
        return strategy
