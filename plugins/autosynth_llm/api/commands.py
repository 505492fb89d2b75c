"""The command ``llm-dry-run``: parsing and printing only."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from autosynth import SamplingPlan, Table
from autosynth.commands.examples import examples
from autosynth.commands.options import AsJson, GroupBy, Label, Settings, parse_options
from autosynth.commands.panels import MAKE, ROWS
from autosynth.exceptions import ConfigError
from autosynth.files import read_table
from autosynth.plugins import current_plugins
from autosynth_llm.api.generator import LLMApiGenerator


def add_commands(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(rich_help_panel=MAKE)(llm_dry_run)


@examples(
    ("See the first prompt and what a run would cost.", "autosynth llm-dry-run train.csv --label class"),
    (
        "For 200 rows more of every cell of class and hospital.",
        "autosynth llm-dry-run train.csv --label ill --group-by hospital --augment 200",
    ),
)
def llm_dry_run(
    train: Annotated[Path, typer.Argument(help="Real training rows: CSV or Parquet.")],
    label: Label,
    group_by: GroupBy = None,
    option: Settings = None,
    ratio: Annotated[
        float, typer.Option(rich_help_panel=ROWS, help="Size that smaller groups reach, as a share of the largest.")
    ] = 1.0,
    augment: Annotated[int, typer.Option(rich_help_panel=ROWS, help="N rows more for every group.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Show the first prompt of the generator llm_api and what a run would cost; nothing is sent."""
    table = Table.from_frame(read_table(train), label=label, group_by=group_by)
    generator = current_plugins().build("llm_api", parse_options(option))
    if not isinstance(generator, LLMApiGenerator):
        raise ConfigError(f"the generator 'llm_api' here is a {type(generator).__name__}, which knows no dry run.")
    counts = SamplingPlan.make(table, strategy="balance" if ratio == 1 else ratio, augment=augment).counts
    found = generator.dry_run(table, counts)
    typer.echo(json.dumps(found.to_dict(), indent=2) if as_json else str(found))
