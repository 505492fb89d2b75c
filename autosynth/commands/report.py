"""The command ``report``: risk by group of a model's predictions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import autosynth
from autosynth.commands.columns import as_label, check_groups, require_columns
from autosynth.commands.options import AsJson, GroupBy, Label, Seed
from autosynth.commands.report_file import check_file
from autosynth.commands.streams import answer, tell
from autosynth.exceptions import ConfigError

if TYPE_CHECKING:
    import pandas as pd


def report(
    predictions: Annotated[Path, typer.Argument(help="Labels and probabilities of real test rows: CSV or Parquet.")],
    label: Label,
    proba: Annotated[
        list[str],
        typer.Option(help="Column with the positive class's probability, or class=column for every class."),
    ],
    baseline: Annotated[
        list[str] | None, typer.Option(help="The same for a second model, to compare with row by row.")
    ] = None,
    group_by: GroupBy = None,
    positive_class: Annotated[str | None, typer.Option(help="The positive class of two.")] = None,
    threshold: Annotated[float | None, typer.Option(help="Decision threshold for two classes.")] = None,
    html: Annotated[Path | None, typer.Option(help="Also write one page with pictures: .html.")] = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Report risk and more for every group of label x group columns, with intervals."""
    from autosynth.files import read_table

    check_file("--html", html, ".html")
    frame = read_table(predictions)
    check_groups(group_by, frame)
    require_columns(frame, [label, *(group_by or [])])
    found = autosynth.group_report(
        frame[label],
        _probabilities(frame, proba, label),
        groups=frame[group_by] if group_by else None,
        baseline=_probabilities(frame, baseline, label) if baseline else None,
        positive_class=as_label(positive_class, frame[label]),
        threshold=threshold,
        random_state=seed,
    )
    if html is not None:
        tell(f"Wrote {found.to_html(html)}")
    if as_json:
        typer.echo(found.to_json())
    else:
        answer(found)


def _probabilities(frame: pd.DataFrame, columns: Sequence[str], label: str) -> pd.Series[float] | pd.DataFrame:
    pairs = [column.partition("=")[::2] for column in columns]
    if len(columns) == 1 and not pairs[0][1]:
        require_columns(frame, columns)
        return frame[columns[0]]
    if not all(name for _, name in pairs):
        raise ConfigError(f"{list(columns)} mixes forms. Give one column, or class=column for every class.")
    require_columns(frame, [name for _, name in pairs])
    chosen = frame[[name for _, name in pairs]]
    return chosen.set_axis([as_label(value, frame[label]) for value, _ in pairs], axis=1)
