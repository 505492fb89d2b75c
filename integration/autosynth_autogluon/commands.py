"""The commands ``fit`` and ``demo``: parsing and printing only."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from autosynth.commands.columns import check_groups
from autosynth.commands.completion import choices
from autosynth.commands.examples import examples
from autosynth.commands.options import (
    AllowRemote,
    AsJson,
    DryRun,
    GeneratorOrAuto,
    GroupBy,
    Label,
    Rules,
    Seed,
    Settings,
    SyntheticWeight,
    parse_options,
)
from autosynth.commands.panels import CHECKS, FIT, MODELS, OUTPUT, ROWS, RUN, TABLE
from autosynth.commands.report_file import check_file
from autosynth.commands.streams import answer, answer_json, tell
from autosynth.commands.tables import open_table
from autosynth.exceptions import ConfigError
from autosynth.extras import require_extra
from autosynth.files import write_text

if TYPE_CHECKING:
    from autosynth_autogluon.comparison_report import ComparisonReport


def add_commands(app: typer.Typer) -> None:
    """Add both commands to the command line."""
    app.command(rich_help_panel=FIT)(fit)
    app.command(rich_help_panel=FIT)(demo)


@examples(
    (
        "Compare AutoGluon plain, with weights and with rows of SMOTE in its folds, on a quarter set aside.",
        "autosynth fit train.csv --label class",
    ),
    (
        "On test rows of your own, by cells of class and hospital, in ten minutes for each fit.",
        "autosynth fit train.csv --test test.csv --label ill --group-by hospital \\\n"
        "    --presets medium_quality --time-limit 600 --out fits --report fits.html",
    ),
    (
        "A race in every fold, and folds whose rows fail the checks train without them.",
        "autosynth fit train.csv --label class --generator auto --check drop",
    ),
    ("See what would be fitted.", "autosynth fit train.csv --label class --dry-run"),
)
def fit(
    train: Annotated[Path, typer.Argument(help="Real training rows: CSV or Parquet.")],
    label: Label,
    test: Annotated[
        Path | None,
        typer.Option(rich_help_panel=TABLE, help="Real test rows; without them, a quarter is set aside."),
    ] = None,
    group_by: GroupBy = None,
    generator: GeneratorOrAuto = "smote",
    option: Settings = None,
    hyperparameters: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            autocompletion=choices("default", "light", "very_light", "toy", "multimodal"),
            rich_help_panel=MODELS,
            help="AutoGluon's name for a set of models.",
        ),
    ] = None,
    presets: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            autocompletion=choices("medium_quality", "good_quality", "high_quality", "best_quality"),
            rich_help_panel=MODELS,
            help="AutoGluon's presets, such as medium_quality.",
        ),
    ] = None,
    folds: Annotated[int, typer.Option(rich_help_panel=MODELS, help="Bagging folds, 2 or more.", min=2)] = 5,
    time_limit: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", rich_help_panel=RUN, help="For each of the three fits."),
    ] = None,
    ratio: Annotated[
        float,
        typer.Option(rich_help_panel=ROWS, help="Size that smaller groups reach, as a share of the largest."),
    ] = 1.0,
    synthetic_weight: SyntheticWeight = 1.0,
    check: Annotated[
        str,
        typer.Option(
            metavar="LEVEL",
            autocompletion=choices("off", "warn", "drop", "raise"),
            rich_help_panel=CHECKS,
            help="A fold whose synthetic rows fail the checks: off, warn, drop (it trains without) or raise.",
        ),
    ] = "warn",
    rule: Rules = None,
    allow_remote: AllowRemote = False,
    out: Annotated[
        Path,
        typer.Option(metavar="FOLDER", rich_help_panel=OUTPUT, help="For the three predictors; must not exist yet."),
    ] = Path("autosynth-fit"),
    report: Annotated[
        Path | None, typer.Option(rich_help_panel=OUTPUT, help="Also write a report: .html or .json.")
    ] = None,
    seed: Seed = 0,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Fit AutoGluon plain, with balanced weights and with in-fold synthetic rows; print them side by side by group."""
    check_file("--report", report, ".html", ".json")
    folder = _new_folder(out)
    train_rows = open_table(train)
    test_rows = None if test is None else open_table(test, like=train_rows)
    check_groups(group_by, train_rows)
    if dry_run:
        from autosynth_autogluon.fit_preview import preview_fit

        return preview_fit(
            train,
            train_rows,
            test_rows,
            label=label,
            group_by=group_by,
            generator=generator,
            generator_options=parse_options(option),
            folds=folds,
            ratio=ratio,
            synthetic_weight=synthetic_weight,
            check=check,
            rules=rule or [],
            allow_remote=allow_remote,
            models={"hyperparameters": hyperparameters, "presets": presets},
            time_limit=time_limit,
            writes={out: "three predictors"} | ({report: "the report"} if report else {}),
        ).show(as_json=as_json)
    comparison = _comparison()
    with _saying_what_is_left(folder):
        comparison_report = comparison.compare_arms(
            train_rows,
            label=label,
            test=test_rows,
            group_by=group_by,
            path=folder,
            generator=generator,
            generator_options=parse_options(option),
            hyperparameters=hyperparameters,
            presets=presets,
            num_bag_folds=folds,
            rules=rule or (),
            allow_remote=allow_remote,
            time_limit=time_limit,
            random_state=seed,
            on_arm=_say,
            on_fitted=_say_fitted,
            rebalanced_options={"ratio": ratio, "synthetic_weight": synthetic_weight, "check": check},
        )
    _print(comparison_report, [report] if report else [], as_json)
    return tell(f"Predictors are in {out}; load one with TabularPredictor.load.")


@examples(
    ("See what synthetic rows do to AutoGluon, in a minute or two.", "autosynth demo"),
    ("With another generator, in another folder.", "autosynth demo --generator tree --out tree-demo"),
)
def demo(
    generator: GeneratorOrAuto = "smote",
    out: Annotated[
        Path,
        typer.Option(
            metavar="FOLDER",
            rich_help_panel=OUTPUT,
            help="For the predictors; replaced when it is a former demo's.",
        ),
    ] = Path("autosynth-demo"),
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Run the main job on real data that scikit-learn carries: breast cancer, with malignant cases made rare."""
    from autosynth_autogluon.demo import SMALL_MODELS, breast_cancer_split, prepare

    comparison = _comparison()
    prepare(out)
    train, test = breast_cancer_split(seed)
    tell(
        f"Breast cancer (Wisconsin, from scikit-learn): {len(train)} training rows, "
        f"{int((train['diagnosis'] == 'malignant').sum())} of them malignant; {len(test)} test rows."
    )
    comparison_report = comparison.compare_arms(
        train,
        label="diagnosis",
        test=test,
        path=out,
        generator=generator,
        hyperparameters=SMALL_MODELS,
        random_state=seed,
        on_arm=_say,
        on_fitted=_say_fitted,
        fit_options={"ag_args_ensemble": {"fold_fitting_strategy": "sequential_local"}, "num_cpus": 1, "num_gpus": 0},
    )
    _print(comparison_report, [out / "comparison.json", out / "comparison.html"], as_json)


def _comparison() -> Any:
    require_extra("autogluon.tabular", extra="autogluon")
    tell("loading AutoGluon ...")
    from autosynth_autogluon import comparison
    from autosynth_autogluon.quiet import without_torch_complaint

    without_torch_complaint()
    return comparison


def _print(comparison_report: ComparisonReport, paths: Sequence[Path], as_json: bool) -> None:
    facts = comparison_report.to_dict()
    for path in paths:
        if path.suffix == ".html":
            comparison_report.to_html(path)
        else:
            write_text(json.dumps(facts, indent=2), path)
        tell(f"Wrote {path}")
    if as_json:
        answer_json(facts)
    else:
        answer(comparison_report)


def _say(arm: str) -> None:
    tell(f"fitting: {arm} ...")


def _say_fitted(arm: str, seconds: float) -> None:
    tell(f"fitted {arm} in {seconds:.0f} s")


@contextmanager
def _saying_what_is_left(out: Path) -> Iterator[None]:
    """When a fit fails or is interrupted, say what stands in ``out``, which the next run would stumble over."""
    try:
        yield
    except BaseException:
        left = sorted(child.name for child in out.iterdir()) if out.is_dir() else []
        if left:
            tell(
                f"{str(out)!r} holds predictors of a run that did not end ({', '.join(left)}); the last may be "
                "unfinished. Remove the folder before you fit again, or name another with --out."
            )
        raise


def _new_folder(out: Path) -> Path:
    if out.exists():
        raise ConfigError(f"--out {str(out)!r} exists. Name a new folder; nothing is overwritten.")
    return out
