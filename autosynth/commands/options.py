"""Options that commands share, those of plugins too, so that one name means one thing everywhere."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from autosynth.commands.completion import (
    classes,
    columns,
    generator_names,
    generator_options,
    generators_and_auto,
    learners,
)
from autosynth.commands.panels import CHECKS, MODELS, OUTPUT, ROWS, RUN, TABLE
from autosynth.exceptions import ConfigError

Label = Annotated[
    str,
    typer.Option("--label", metavar="COLUMN", autocompletion=columns, rich_help_panel=TABLE, help="The label column."),
]
GroupBy = Annotated[
    list[str] | None,
    typer.Option(
        "--group-by",
        metavar="COLUMN",
        autocompletion=columns,
        rich_help_panel=TABLE,
        help="A group column; repeat it for several. Without it: classes.",
    ),
]
Seed = Annotated[int, typer.Option("--seed", rich_help_panel=RUN, help="The same seed gives the same rows.")]
AsJson = Annotated[bool, typer.Option("--json/--no-json", rich_help_panel=OUTPUT, help="Print JSON for programs.")]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run/--no-dry-run",
        rich_help_panel=RUN,
        help="Check all that is given and print what would be done; nothing is trained and nothing is written.",
    ),
]
GeneratorName = Annotated[
    str,
    typer.Option(
        "--generator",
        metavar="NAME",
        autocompletion=generator_names,
        rich_help_panel=ROWS,
        help="A name from `autosynth generators`.",
    ),
]
GeneratorOrAuto = Annotated[
    str,
    typer.Option(
        "--generator",
        metavar="NAME",
        autocompletion=generators_and_auto,
        rich_help_panel=ROWS,
        help="A name from `autosynth generators`; auto lets a race decide, also for none.",
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--option",
        metavar="NAME=VALUE",
        autocompletion=generator_options,
        rich_help_panel=ROWS,
        help="An option of the generator (of the race with auto), as name=value; repeat it for several.",
    ),
]
SyntheticWeight = Annotated[
    float,
    typer.Option("--synthetic-weight", rich_help_panel=ROWS, help="Weight of a synthetic row against a real one."),
]
Holdout = Annotated[
    Path | None,
    typer.Option(
        "--holdout", rich_help_panel=CHECKS, help="Real rows that the generator must not know: CSV or Parquet."
    ),
]
Rules = Annotated[
    list[str] | None,
    typer.Option(
        "--rule",
        metavar="RULE",
        rich_help_panel=CHECKS,
        help="What every row must keep, such as 'start <= end'; repeat it for several.",
    ),
]
Learner = Annotated[
    str,
    typer.Option(
        "--learner",
        metavar="NAME",
        autocompletion=learners,
        rich_help_panel=MODELS,
        help="What is trained: xgboost, or autogluon.",
    ),
]
PositiveClass = Annotated[
    str | None,
    typer.Option(
        "--positive-class",
        metavar="CLASS",
        autocompletion=classes,
        rich_help_panel=MODELS,
        help="The positive class of two.",
    ),
]
Folds = Annotated[int, typer.Option("--cv", rich_help_panel=MODELS, help="Folds.")]
Repeats = Annotated[
    int, typer.Option("--repeats", rich_help_panel=MODELS, help="How often all rows are dealt to folds anew.")
]
TimeBudget = Annotated[
    float | None,
    typer.Option(
        "--time-budget", metavar="SECONDS", rich_help_panel=RUN, help="After that, no further model is trained."
    ),
]
AllowRemote = Annotated[
    bool,
    typer.Option(
        "--allow-remote", rich_help_panel=RUN, help="Agree that a remote generator sends rows of every fold away."
    ),
]


def parse_options(settings: Sequence[str] | None) -> dict[str, Any]:
    """Return ``name=value`` settings as a dict; a value that reads as JSON (3, 0.5, true, [1]) is taken as that.

    Raises
    ------
    ConfigError
        If a setting has no name or no equals sign.

    Examples
    --------
    >>> parse_options(["k_neighbors=3", "path=rows.csv", "seed=None"])
    {'k_neighbors': 3, 'path': 'rows.csv', 'seed': None}
    """
    options: dict[str, Any] = {}
    for setting in settings or []:
        name, separator, value = setting.partition("=")
        if not separator or not name:
            raise ConfigError(f"--option {setting!r} is not of the form name=value.")
        try:
            options[name] = None if value == "None" else json.loads(value)
        except json.JSONDecodeError:
            options[name] = value
    return options
