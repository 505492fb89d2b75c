"""The command ``scaling``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

import autosynth
from autosynth.commands.columns import check_groups
from autosynth.commands.lists import numbers_of
from autosynth.commands.options import (
    AllowRemote,
    AsJson,
    Folds,
    GeneratorName,
    GroupBy,
    Label,
    Learner,
    Repeats,
    Seed,
    Settings,
    parse_options,
)
from autosynth.commands.report_file import check_file
from autosynth.commands.resume import Resume, saying_how_to_resume
from autosynth.commands.streams import answer, answer_json, tell


def scaling(
    train: Annotated[Path, typer.Argument(help="Real training rows: CSV or Parquet.")],
    label: Label,
    generator: GeneratorName = "smote",
    group_by: GroupBy = None,
    option: Settings = None,
    size: Annotated[
        list[str] | None, typer.Option(help="Rows more for every group, four sizes or more: 50,100,200,400.")
    ] = None,
    learner: Learner = "xgboost",
    metric: Annotated[
        str, typer.Option(help="The risk, such as worst_group_risk or log_loss.")
    ] = "balanced_cross_entropy",
    alpha: Annotated[float | None, typer.Option(help="Weight of the augmented part, 0 to 1.")] = None,
    synthetic_weight: Annotated[float, typer.Option(help="Weight of a synthetic row against a real one.")] = 1.0,
    cv: Folds = 5,
    repeats: Repeats = 1,
    reserve: Annotated[
        float | None, typer.Option(help="Share of the real rows to hold back, for a line of real rows to compare with.")
    ] = None,
    time_budget: Annotated[float | None, typer.Option(help="Seconds; the folds that all sizes ran are judged.")] = None,
    allow_remote: AllowRemote = False,
    resume: Resume = None,
    plot: Annotated[Path | None, typer.Option(help="Also draw the curve: .png or .svg.")] = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Measure how the risk on real rows falls with the number of synthetic rows, and when more of them stop paying."""
    from autosynth.files import read_table

    check_file("--plot", plot, ".png", ".svg")
    sizes: Any = numbers_of("--size", size)
    options = parse_options(option)
    frame = read_table(train)
    check_groups(group_by, frame)
    with saying_how_to_resume(resume):
        found = autosynth.scaling_curve(
            frame,
            label=label,
            group_by=group_by,
            generator=generator,
            generator_options=options,
            sizes=sizes,
            learner=learner,
            metric=metric,
            alpha=alpha,
            synthetic_weight=synthetic_weight,
            cv=cv,
            repeats=repeats,
            reserve=reserve,
            ledger=resume,
            time_budget_s=time_budget,
            allow_remote=allow_remote,
            random_state=seed,
        )
    try:
        if plot is not None:
            tell(f"Wrote {found.plot(plot)}")
    finally:  # a disk that is full by now does not cost the answer
        if as_json:
            answer_json(found.to_json())
        else:
            answer(found)
