"""Kinds: which reports can be logged, and what becomes of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autosynth import (
    CheckReport,
    GroupReport,
    MemorizationProbe,
    RebalanceReport,
    ScalingCurve,
    TuningReport,
)
from autosynth_mlflow.batches import check_record, probe_record, rebalance_record
from autosynth_mlflow.comparisons import ComparisonReport, comparison_record
from autosynth_mlflow.races import scaling_record, tuning_record
from autosynth_mlflow.record import Record
from autosynth_mlflow.risks import group_record

__all__ = ["KINDS", "record_of"]

KINDS: dict[type[Any], Callable[[Any], Record]] = {
    RebalanceReport: rebalance_record,
    CheckReport: check_record,
    GroupReport: group_record,
    TuningReport: tuning_record,
    ScalingCurve: scaling_record,
    MemorizationProbe: probe_record,
    ComparisonReport: comparison_record,
}


def record_of(report: object) -> Record | None:
    """Return what is to be logged of a report, or of a result that has one as ``report``; None for another object."""
    for found in (report, getattr(report, "report", None)):
        for kind, make in KINDS.items():
            if isinstance(found, kind):
                return make(found)
    return None
