"""The command ``probe``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import autosynth
from autosynth.commands.columns import check_groups
from autosynth.commands.examples import examples
from autosynth.commands.exits import EXIT_FAILED
from autosynth.commands.options import AsJson, GeneratorName, GroupBy, Label, Seed, Settings, parse_options
from autosynth.commands.panels import CHECKS
from autosynth.commands.progress import rows_made
from autosynth.commands.streams import answer, answer_json
from autosynth.commands.tables import open_table


@examples(
    (
        "See whether a generator makes rows that were hidden from it.",
        "autosynth probe train.csv --label class --generator smote",
    ),
    (
        "Look harder: more rows find smaller shares.",
        "autosynth probe train.csv --label class --rows 1000 \\\n    --generator transformer --option steps=200",
    ),
)
def probe(
    train: Annotated[Path, typer.Argument(help="Real rows: CSV or Parquet.")],
    label: Label,
    generator: GeneratorName,
    group_by: GroupBy = None,
    option: Settings = None,
    n_rows: Annotated[
        int,
        typer.Option("--rows", rich_help_panel=CHECKS, help="Synthetic rows to draw; more find smaller shares."),
    ] = 200,
    hidden_share: Annotated[
        float,
        typer.Option(rich_help_panel=CHECKS, help="Share of the real rows to hide, above 0 and below 1."),
    ] = 0.5,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Hide half of the real rows from a generator and see whether it makes them; exit code 1 when it does.

    Run it before you trust a pretrained model on a table that may be on the web.
    """
    frame = open_table(train)
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
        answer_json(found.to_dict())
    else:
        answer(found)
    if not found.passed:
        raise typer.Exit(EXIT_FAILED)
