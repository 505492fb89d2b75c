"""Experiment tracking with MLflow: what a run rebalanced, what the checks said, and what every group's risk is.

While an MLflow run is active, :func:`autosynth.rebalance`, :func:`autosynth.check`, :func:`autosynth.group_report`,
:func:`autosynth.tune`, :func:`autosynth.scaling_curve` and :func:`autosynth.probe_memorization`, the gate of
``autosynth_gx`` and ``autosynth_autogluon.compare_arms`` log what they found to it.  :func:`log` does so by name, for
any run.  MLflow is never loaded unasked, and no run is ever opened.
"""

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

import autosynth

if TYPE_CHECKING:
    from autosynth_mlflow.logs import log

__all__ = ["log"]

_HOMES = {"log": "logs"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'autosynth_mlflow' has no attribute {name!r}")
    value = getattr(import_module(f"autosynth_mlflow.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


@autosynth.hookimpl
def autosynth_rebalanced(result: "autosynth.RebalanceResult") -> None:
    _hear(result)


@autosynth.hookimpl
def autosynth_reported(report: object) -> None:
    _hear(report)


def _hear(report: object) -> None:
    if "mlflow" in sys.modules:  # who has not loaded MLflow has no run open
        from autosynth_mlflow.logs import log_to_active_run

        log_to_active_run(report)
