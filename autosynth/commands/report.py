"""The command ``report``: risk by group of a model's predictions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import autosynth
from autosynth.commands.columns import as_label, check_groups, require_columns
from autosynth.commands.completion import columns
from autosynth.commands.examples import examples
from autosynth.commands.options import AsJson, GroupBy, Label, PositiveClass, Seed
from autosynth.commands.panels import MODELS, OUTPUT
from autosynth.commands.report_file import check_file
from autosynth.commands.streams import answer, answer_json, tell
from autosynth.commands.tables import open_table
from autosynth.exceptions import ConfigError

if TYPE_CHECKING:
    import pandas as pd


@examples(
    (
        "See the risk of every class, with intervals.",
        "autosynth report scores.csv --label ill --proba p_ill --positive-class yes",
    ),
    (
        "Compare two models in every cell of class and hospital, and write a page.",
        "autosynth report scores.csv --label ill --proba p_new --baseline p_old \\\n"
        "    --group-by hospital --html groups.html",
    ),
    (
        "With more than two classes, name a column for each.",
        "autosynth report scores.csv --label wine \\\n    --proba red=p_red --proba white=p_white --proba rose=p_rose",
    ),
)
def report(
    predictions: Annotated[Path, typer.Argument(help="Labels and probabilities of real test rows: CSV or Parquet.")],
    label: Label,
    proba: Annotated[
        list[str],
        typer.Option(
            metavar="COLUMN",
            autocompletion=columns,
            rich_help_panel=MODELS,
            help="Column with the positive class's probability, or class=column for every class.",
        ),
    ],
    baseline: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            autocompletion=columns,
            rich_help_panel=MODELS,
            help="The same for a second model, to compare with row by row.",
        ),
    ] = None,
    group_by: GroupBy = None,
    positive_class: PositiveClass = None,
    threshold: Annotated[
        float | None, typer.Option(rich_help_panel=MODELS, help="Decision threshold for two classes.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(rich_help_panel=OUTPUT, help="Also write one page with pictures: .html.")
    ] = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Report risk and more for every group of label x group columns, with intervals."""
    check_file("--html", html, ".html")
    frame = open_table(predictions)
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
        answer_json(found.to_json())
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
