"""The command ``probe``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

import autosynth
from autosynth.commands.columns import check_groups
from autosynth.commands.exits import EXIT_FAILED
from autosynth.commands.options import AsJson, GeneratorName, GroupBy, Label, Seed, Settings, parse_options
from autosynth.commands.progress import rows_made
from autosynth.commands.streams import answer


def probe(
    train: Annotated[Path, typer.Argument(help="Real rows: CSV or Parquet.")],
    label: Label,
    generator: GeneratorName,
    group_by: GroupBy = None,
    option: Settings = None,
    n_rows: Annotated[int, typer.Option("--rows", help="Synthetic rows to draw; more find smaller shares.")] = 200,
    hidden_share: Annotated[float, typer.Option(help="Share of the real rows to hide, above 0 and below 1.")] = 0.5,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Hide half of the real rows from a generator and see whether it makes them; exit code 1 when it does.

    Run it before you trust a pretrained model on a table that may be on the web.
    """
    from autosynth.files import read_table

    frame = read_table(train)
    check_groups(group_by, frame)
    with rows_made(f"making rows with {generator}") as advance:
        found = autosynth.probe_memorization(
            frame,
            label=label,
            group_by=group_by,
            generator=generator,
            generator_options=parse_options(option),
            n_rows=n_rows,
            hidden_share=hidden_share,
            random_state=seed,
            on_progress=advance,
        )
    if as_json:
        typer.echo(json.dumps(found.to_dict(), indent=2))
    else:
        answer(found)
    if not found.passed:
        raise typer.Exit(EXIT_FAILED)
