"""Options that commands share, those of plugins too, so that one name means one thing everywhere."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from autosynth.exceptions import ConfigError

Label = Annotated[str, typer.Option("--label", help="The label column.")]
GroupBy = Annotated[
    list[str] | None, typer.Option("--group-by", help="A group column; repeat it for several. Without it: classes.")
]
Seed = Annotated[int, typer.Option("--seed", help="The same seed gives the same rows.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
GeneratorName = Annotated[str, typer.Option("--generator", help="A name from `autosynth generators`.")]
GeneratorOrAuto = Annotated[
    str,
    typer.Option("--generator", help="A name from `autosynth generators`; auto lets a race decide, also for none."),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--option", help="An option of the generator (of the race with auto), as name=value; repeat it for several."
    ),
]
Holdout = Annotated[
    Path | None, typer.Option("--holdout", help="Real rows that the generator must not know: CSV or Parquet.")
]
Rules = Annotated[
    list[str] | None,
    typer.Option("--rule", help="What every row must keep, such as 'start <= end'; repeat it for several."),
]
Learner = Annotated[str, typer.Option("--learner", help="What is trained: xgboost, or autogluon.")]
Folds = Annotated[int, typer.Option("--cv", help="Folds.")]
Repeats = Annotated[int, typer.Option("--repeats", help="How often all rows are dealt to folds anew.")]
AllowRemote = Annotated[
    bool, typer.Option("--allow-remote", help="Agree that a remote generator sends rows of every fold away.")
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
