"""Records of comparisons: several ways to train side by side, as an adapter to an AutoML tool reports them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from autosynth.files import write_table
from autosynth_mlflow.record import Record, smallest, write_json

if TYPE_CHECKING:
    import pandas as pd

    from autosynth import GroupReport
    from autosynth.files import AnyPath
    from autosynth_mlflow.record import Name

__all__ = ["ComparisonReport", "comparison_record"]


class ComparedArm(Protocol):
    """One way to train: how good its probabilities are as they come, and after the same shift for all."""

    @property
    def name(self) -> str: ...
    @property
    def report(self) -> GroupReport: ...
    @property
    def shifted(self) -> GroupReport: ...
    @property
    def balanced_accuracy(self) -> float: ...
    @property
    def seconds(self) -> float: ...


@runtime_checkable
class ComparisonReport(Protocol):
    """What ``autosynth_autogluon.compare_arms`` returns; plugins do not import each other, so its shape stands here."""

    @property
    def arms(self) -> Sequence[ComparedArm]: ...
    @property
    def reference(self) -> str: ...
    @property
    def winner(self) -> str | None: ...
    @property
    def verdict(self) -> str: ...
    @property
    def settings(self) -> Mapping[str, str]: ...
    @property
    def random_state(self) -> int | None: ...
    def groups_frame(self) -> pd.DataFrame: ...
    def to_frame(self) -> pd.DataFrame: ...
    def to_dict(self) -> dict[str, Any]: ...
    def to_html(self, path: AnyPath) -> Any: ...


def comparison_record(comparison: ComparisonReport) -> Record:
    """Return the verdict, and for every arm its scores and the risk of every group."""
    metrics: dict[Name, float] = {("arms",): len(comparison.arms)}
    for arm in comparison.arms:
        metrics |= {(score, arm.name): value for score, value in _scores(arm).items()}
        shown = smallest({row.group: row.n_rows for row in arm.shifted.groups})
        metrics |= {
            ("group_risk_shifted", f"{arm.name} {row.name}"): row.risk.value
            for row in arm.shifted.groups
            if row.group in shown
        }
    return Record(
        kind="compare_arms",
        verdict=comparison.verdict,
        params={
            ("reference",): comparison.reference,
            ("winner",): comparison.winner,
            **{("settings", name): value for name, value in comparison.settings.items()},
            ("random_state",): comparison.random_state,
        },
        metrics=metrics,
        files={
            "arms.csv": lambda path: write_table(comparison.to_frame(), path),
            "groups.csv": lambda path: write_table(comparison.groups_frame(), path),
            "report.json": lambda path: write_json(comparison.to_dict(), path),
            "report.html": comparison.to_html,
        },
    )


def _scores(arm: ComparedArm) -> dict[str, float]:
    everyone = arm.report.segments[-1]
    return {
        "balanced_risk": arm.report.balanced_risk.value,
        "balanced_risk_shifted": arm.shifted.balanced_risk.value,
        "worst_risk_shifted": arm.shifted.worst_risk.value,
        "auc": everyone.auc.value,
        "average_precision": everyone.average_precision.value,
        "balanced_accuracy": arm.balanced_accuracy,
        "seconds": arm.seconds,
    }
