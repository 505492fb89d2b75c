"""Records of searches: which candidate won, and how risk falls with the number of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autosynth import ScalingCurve, TuningReport
from autosynth.files import write_table
from autosynth_mlflow.record import Record, limits, write_json

if TYPE_CHECKING:
    from autosynth.tuning.lines import CandidateLine
    from autosynth_mlflow.record import Name

__all__ = ["scaling_record", "tuning_record"]

MAX_CANDIDATES = 50


def tuning_record(report: TuningReport) -> Record:
    """Return the answer of a race, and the score of every candidate."""
    best, settings = report.best, report.settings
    chosen = next(line for line in report.lines if line.chosen)
    judged = [line for line in report.lines if line.rank is not None]
    return Record(
        kind="tune",
        verdict=str(best),
        params={
            ("best",): best.name,
            ("best_generator",): best.arm.generator,
            ("best_shift",): best.shift,
            **_amounts(chosen),
            ("metric",): report.metric.name,
            ("learner",): settings.get("learner"),
            ("generators",): ", ".join(settings.get("generators", ())),
            ("cv",): report.n_folds,
            ("repeats",): report.n_repeats,
            ("random_state",): report.random_state,
        },
        metrics={
            ("rows",): report.n_rows,
            ("candidates",): len(report.lines),
            ("uses_synthetic",): best.uses_synthetic,
            ("seconds",): report.seconds,
            **limits("best_score", chosen.score),
            **limits("best_difference", chosen.difference),
            **{("score", line.name): line.score.value for line in judged[:MAX_CANDIDATES]},
        },
        files={
            "candidates.csv": lambda path: write_table(report.to_frame(), path),
            "gains.csv": lambda path: write_table(report.gains_frame(), path),
            "report.json": lambda path: write_json(report.to_dict(), path),
            "report.html": report.to_html,
        },
    )


def scaling_record(curve: ScalingCurve) -> Record:
    """Return the risk at every size as a curve over N, and the law through it."""
    metrics: dict[Name, float] = {("rows",): curve.n_rows, ("rows_reserved",): curve.n_reserved}
    for name in ("a", "b", "c"):
        metrics |= limits(name, getattr(curve, name))
    metrics |= {("risk_without", each.name): each.risk.value for each in curve.references}
    points = {"risk": curve.points, "risk_with_real_rows": curve.real_points}
    return Record(
        kind="scaling_curve",
        verdict="\n".join(curve.sentences),
        params={
            ("generator",): curve.generator,
            ("metric",): curve.metric,
            ("shape",): curve.law.shape,
            ("folds",): curve.n_folds,
            ("random_state",): curve.random_state,
        },
        metrics={**metrics, ("seconds",): curve.seconds},
        curves={(name,): [(point.n, point.risk.value) for point in some] for name, some in points.items()},
        files={
            "points.csv": lambda path: write_table(curve.to_frame(), path),
            "report.json": curve.to_json,
            "curve.png": curve.plot,
        },
    )


def _amounts(chosen: CandidateLine) -> dict[Name, object]:
    arm = chosen.outcome.arm
    if not arm.is_synthetic:
        return {}
    names = ("ratio", "augment", "alpha", "synthetic_weight")
    return {(f"best_{name}",): getattr(arm, name) for name in names}
