"""The command ``tune``."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import autosynth
from autosynth.commands.columns import as_label, check_groups, require_columns
from autosynth.commands.completion import generator_names, generator_options, metrics
from autosynth.commands.examples import examples
from autosynth.commands.lists import names_of, numbers_of, options_by_name
from autosynth.commands.options import (
    AllowRemote,
    AsJson,
    DryRun,
    Folds,
    GroupBy,
    Label,
    Learner,
    PositiveClass,
    Repeats,
    Seed,
    TimeBudget,
)
from autosynth.commands.panels import MODELS, OUTPUT, ROWS
from autosynth.commands.report_file import check_file
from autosynth.commands.resume import Resume, saying_how_to_resume
from autosynth.commands.streams import answer, answer_json, is_watched, tell
from autosynth.commands.tables import open_table

if TYPE_CHECKING:
    from autosynth.tuning.candidate import Scored


@examples(
    ("Ask whether synthetic rows help at all on this table.", "autosynth tune train.csv --label class"),
    (
        "See who would race, and how many models that trains.",
        "autosynth tune train.csv --label class --dry-run",
    ),
    (
        "Mind the worst cell of class and hospital; let two generators race in three sizes.",
        "autosynth tune train.csv --label ill --group-by hospital \\\n"
        "    --metric worst_group_risk --generator smote,tree --ratio 0.25,0.5,1",
    ),
    (
        "Stop after ten minutes; the same command goes on from there.",
        "autosynth tune train.csv --label class --time-budget 600 --resume race",
    ),
)
def tune(
    train: Annotated[Path, typer.Argument(help="Real training rows: CSV or Parquet.")],
    label: Label,
    group_by: GroupBy = None,
    generators: Annotated[
        list[str] | None,
        typer.Option(
            "--generator",
            "--generators",
            metavar="NAMES",
            autocompletion=generator_names,
            rich_help_panel=ROWS,
            help="Who races: smote,transformer or repeated. Without it: what the plugins propose.",
        ),
    ] = None,
    ratio: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NUMBERS",
            rich_help_panel=ROWS,
            help="Sizes of smaller groups to try, as shares of the largest: 0.25,1.",
        ),
    ] = None,
    augment: Annotated[
        list[str] | None,
        typer.Option(metavar="NUMBERS", rich_help_panel=ROWS, help="Rows more for every group to try: 0,200."),
    ] = None,
    alpha: Annotated[
        list[str] | None,
        typer.Option(metavar="NUMBERS", rich_help_panel=ROWS, help="Weights of the augmented part to try: 0.3,0.5."),
    ] = None,
    weight: Annotated[
        list[str] | None,
        typer.Option(metavar="NUMBERS", rich_help_panel=ROWS, help="Weights of a synthetic row to try: 0.3,1."),
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            autocompletion=generator_options,
            rich_help_panel=ROWS,
            help="An option of one generator, as smote.k_neighbors=3; repeat it for several.",
        ),
    ] = None,
    learner: Learner = "xgboost",
    metric: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            autocompletion=metrics,
            rich_help_panel=MODELS,
            help="What decides, such as worst_group_risk, roc_auc or average_precision.",
        ),
    ] = "balanced_cross_entropy",
    positive_class: PositiveClass = None,
    cv: Folds = 5,
    repeats: Repeats = 1,
    time_budget: TimeBudget = None,
    allow_remote: AllowRemote = False,
    resume: Resume = None,
    html: Annotated[Path | None, typer.Option(rich_help_panel=OUTPUT, help="Also write one page: .html.")] = None,
    plot: Annotated[
        Path | None, typer.Option(rich_help_panel=OUTPUT, help="Also draw the candidates: .png or .svg.")
    ] = None,
    seed: Seed = 0,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Say whether synthetic rows help on this table, whose, and how many; the answer may be none.

    Every candidate is judged on real rows that its generator never saw.
    Exit code 0 whatever the answer is; 2 when the race could not be run.
    """
    check_file("--html", html, ".html")
    check_file("--plot", plot, ".png", ".svg")
    amounts = {
        "ratios": numbers_of("--ratio", ratio),
        "augment": numbers_of("--augment", augment),
        "alphas": numbers_of("--alpha", alpha),
        "synthetic_weights": numbers_of("--weight", weight),
    }
    given: dict[str, Any] = {name: values for name, values in amounts.items() if values is not None}
    frame = open_table(train)
    check_groups(group_by, frame)
    require_columns(frame, [label])
    given |= {
        "label": label,
        "group_by": group_by,
        "generators": names_of(generators),
        "generator_options": options_by_name(option),
        "learner": learner,
        "metric": metric,
        "positive_class": as_label(positive_class, frame[label]),
        "cv": cv,
        "repeats": repeats,
        "time_budget_s": time_budget,
        "allow_remote": allow_remote,
        "random_state": seed,
    }
    if dry_run:
        from autosynth.commands.preview_race import preview_tune

        files = {html: "the page", plot: "the picture", resume: "results, to take up the race"}
        writes = {path: words for path, words in files.items() if path is not None}
        return preview_tune(train, frame, writes=writes, **given).show(as_json=as_json)
    with saying_how_to_resume(resume):
        found = autosynth.tune(
            frame, ledger=resume, on_result=partial(_tell_result, metric), progress=is_watched(sys.stderr), **given
        )
    try:
        if html is not None:
            tell(f"Wrote {found.to_html(html)}")
        if plot is not None:
            tell(f"Wrote {found.plot(plot)}")
    finally:  # a disk that is full by now does not cost the answer
        if as_json:
            answer_json(found.to_json())
        else:
            answer(found)


def _tell_result(metric_name: str, scored: Scored) -> None:
    """Tell of a result as it comes in, in one line."""
    from autosynth.tuning.metrics import Metric

    metric = Metric.of(metric_name)
    value = f"{metric.title} {metric.score(scored.loss):.4g} ± {scored.standard_error:.2g}"
    n_run, n_folds = scored.outcome.n_done, scored.outcome.n_folds
    tell(f"{scored.name}: {value}" + (f" on {n_run} of {n_folds} folds" if n_run < n_folds else ""))
