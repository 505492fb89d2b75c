"""The command ``scaling``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

import autosynth
from autosynth.commands.columns import check_groups, require_columns
from autosynth.commands.completion import metrics
from autosynth.commands.examples import examples
from autosynth.commands.lists import numbers_of
from autosynth.commands.options import (
    AllowRemote,
    AsJson,
    DryRun,
    Folds,
    GeneratorName,
    GroupBy,
    Label,
    Learner,
    Repeats,
    Seed,
    Settings,
    SyntheticWeight,
    TimeBudget,
    parse_options,
)
from autosynth.commands.panels import MODELS, OUTPUT, ROWS
from autosynth.commands.report_file import check_file
from autosynth.commands.resume import Resume, saying_how_to_resume
from autosynth.commands.streams import answer, answer_json, is_watched, tell
from autosynth.commands.tables import open_table


@examples(
    (
        "Measure seven sizes, and draw the curve.",
        "autosynth scaling train.csv --label class --generator smote --plot curve.svg",
    ),
    (
        "Compare with real rows: a third of them is held back for that.",
        "autosynth scaling train.csv --label class --reserve 0.3 --size 50,100,200,400",
    ),
    (
        "Take up an interrupted run, for ten more minutes.",
        "autosynth scaling train.csv --label class --resume curve --time-budget 600",
    ),
)
def scaling(
    train: Annotated[Path, typer.Argument(help="Real training rows: CSV or Parquet.")],
    label: Label,
    generator: GeneratorName = "smote",
    group_by: GroupBy = None,
    option: Settings = None,
    size: Annotated[
        list[str] | None,
        typer.Option(
            metavar="N,N,...",
            rich_help_panel=ROWS,
            help="Rows more for every group, four sizes or more: 50,100,200,400.",
        ),
    ] = None,
    learner: Learner = "xgboost",
    metric: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            autocompletion=metrics,
            rich_help_panel=MODELS,
            help="The risk, such as worst_group_risk or log_loss.",
        ),
    ] = "balanced_cross_entropy",
    alpha: Annotated[
        float | None, typer.Option(rich_help_panel=ROWS, help="Weight of the augmented part, 0 to 1.")
    ] = None,
    synthetic_weight: SyntheticWeight = 1.0,
    cv: Folds = 5,
    repeats: Repeats = 1,
    reserve: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            rich_help_panel=MODELS,
            help="Share of the real rows to hold back, for a line of real rows to compare with.",
        ),
    ] = None,
    time_budget: TimeBudget = None,
    allow_remote: AllowRemote = False,
    resume: Resume = None,
    plot: Annotated[
        Path | None, typer.Option(rich_help_panel=OUTPUT, help="Also draw the curve: .png or .svg.")
    ] = None,
    seed: Seed = 0,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Measure how the risk on real rows falls with the number of synthetic rows, and when more of them stop paying."""
    check_file("--plot", plot, ".png", ".svg")
    sizes: Any = numbers_of("--size", size)
    options = parse_options(option)
    frame = open_table(train)
    check_groups(group_by, frame)
    require_columns(frame, [label])
    given: dict[str, Any] = {
        "label": label,
        "group_by": group_by,
        "generator": generator,
        "generator_options": options,
        "sizes": sizes,
        "learner": learner,
        "metric": metric,
        "alpha": alpha,
        "synthetic_weight": synthetic_weight,
        "cv": cv,
        "repeats": repeats,
        "reserve": reserve,
        "time_budget_s": time_budget,
        "allow_remote": allow_remote,
        "random_state": seed,
    }
    if dry_run:
        from autosynth.commands.preview_race import preview_scaling

        files = {plot: "the curve", resume: "results, to take up the run"}
        writes = {path: words for path, words in files.items() if path is not None}
        return preview_scaling(train, frame, writes=writes, **given).show(as_json=as_json)
    with saying_how_to_resume(resume):
        found = autosynth.scaling_curve(frame, ledger=resume, progress=is_watched(sys.stderr), **given)
    try:
        if plot is not None:
            tell(f"Wrote {found.plot(plot)}")
    finally:  # a disk that is full by now does not cost the answer
        if as_json:
            answer_json(found.to_json())
        else:
            answer(found)
