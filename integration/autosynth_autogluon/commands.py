"""The commands ``fit`` and ``demo``: parsing and printing only."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from autosynth.commands.options import (
    AllowRemote,
    AsJson,
    GeneratorOrAuto,
    GroupBy,
    Label,
    Seed,
    Settings,
    parse_options,
)
from autosynth.commands.report_file import check_report_path
from autosynth.extras import require_extra
from autosynth.files import read_table, write_text

if TYPE_CHECKING:
    from autosynth_autogluon.comparison_report import ComparisonReport


def add_commands(app: typer.Typer) -> None:
    """Add both commands to the command line."""
    app.command()(fit)
    app.command()(demo)


def fit(
    train: Annotated[Path, typer.Argument(help="Real training rows: CSV or Parquet.")],
    label: Label,
    test: Annotated[Path | None, typer.Option(help="Real test rows; without them, a quarter is set aside.")] = None,
    group_by: GroupBy = None,
    generator: GeneratorOrAuto = "smote",
    option: Settings = None,
    hyperparameters: Annotated[str | None, typer.Option(help="AutoGluon's name for a set of models.")] = None,
    presets: Annotated[str | None, typer.Option(help="AutoGluon's presets, such as medium_quality.")] = None,
    folds: Annotated[int, typer.Option(help="Bagging folds, 2 or more.", min=2)] = 5,
    time_limit: Annotated[float | None, typer.Option(help="Seconds for each of the three fits.")] = None,
    ratio: Annotated[float, typer.Option(help="Size that smaller groups reach, as a share of the largest.")] = 1.0,
    synthetic_weight: Annotated[float, typer.Option(help="Weight of a synthetic row against a real one.")] = 1.0,
    check: Annotated[
        str,
        typer.Option(help="A fold whose synthetic rows fail the checks: off, warn, drop (it trains without) or raise."),
    ] = "warn",
    rule: Annotated[
        list[str] | None,
        typer.Option(help="What synthetic rows must keep, such as 'start <= end'; repeat it for several."),
    ] = None,
    allow_remote: AllowRemote = False,
    out: Annotated[Path, typer.Option(help="Folder for the three predictors; must not exist yet.")] = Path(
        "autosynth-fit"
    ),
    report: Annotated[Path | None, typer.Option(help="Also write a report: .html or .json.")] = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Fit AutoGluon plain, with balanced weights and with in-fold synthetic rows; print them side by side by group."""
    check_report_path(report)
    folder = _new_folder(out)
    train_rows, test_rows = read_table(train), None if test is None else read_table(test)
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
    typer.echo(f"Predictors are in {out}; load one with TabularPredictor.load.", err=True)


def demo(
    generator: GeneratorOrAuto = "smote",
    out: Annotated[Path, typer.Option(help="Folder for the predictors; replaced when it is a former demo's.")] = Path(
        "autosynth-demo"
    ),
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Run the main job on real data that scikit-learn carries: breast cancer, with malignant cases made rare."""
    from autosynth_autogluon.demo import SMALL_MODELS, breast_cancer_split, prepare

    comparison = _comparison()
    prepare(out)
    train, test = breast_cancer_split(seed)
    typer.echo(
        f"Breast cancer (Wisconsin, from scikit-learn): {len(train)} training rows, "
        f"{int((train['diagnosis'] == 'malignant').sum())} of them malignant; {len(test)} test rows.",
        err=True,
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
    typer.echo("loading AutoGluon ...", err=True)
    from autosynth_autogluon import comparison
    from autosynth_autogluon.quiet import without_torch_complaint

    without_torch_complaint()
    return comparison


def _print(comparison_report: ComparisonReport, paths: Sequence[Path], as_json: bool) -> None:
    text = json.dumps(comparison_report.to_dict(), indent=2)
    for path in paths:
        if path.suffix == ".html":
            comparison_report.to_html(path)
        else:
            write_text(text, path)
        typer.echo(f"Wrote {path}", err=True)
    typer.echo(text if as_json else str(comparison_report))


def _say(arm: str) -> None:
    typer.echo(f"fitting: {arm} ...", err=True)


def _say_fitted(arm: str, seconds: float) -> None:
    typer.echo(f"fitted {arm} in {seconds:.0f} s", err=True)


@contextmanager
def _saying_what_is_left(out: Path) -> Iterator[None]:
    """When a fit fails or is interrupted, say what stands in ``out``, which the next run would stumble over."""
    try:
        yield
    except BaseException:
        left = sorted(child.name for child in out.iterdir()) if out.is_dir() else []
        if left:
            typer.echo(
                f"{str(out)!r} holds predictors of a run that did not end ({', '.join(left)}); the last may be "
                "unfinished. Remove the folder before you fit again, or name another with --out.",
                err=True,
            )
        raise


def _new_folder(out: Path) -> Path:
    from autosynth.exceptions import ConfigError

    if out.exists():
        raise ConfigError(f"--out {str(out)!r} exists. Name a new folder; nothing is overwritten.")
    return out
