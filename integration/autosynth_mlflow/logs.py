"""log(): a report in a run of MLflow; and what happens by itself while a run is active."""

from __future__ import annotations

import os
import sys
from typing import Any

from autosynth import require_extra
from autosynth.exceptions import ConfigError
from autosynth.options import check_choice, check_flag
from autosynth_mlflow.kinds import KINDS, record_of
from autosynth_mlflow.run import Run

__all__ = ["log", "log_to_active_run"]

SETTING = "AUTOSYNTH_MLFLOW"
CHOICES = ("on", "numbers", "off")


def log(report: Any, *, name: str | None = None, run_id: str | None = None, files: bool = True) -> str:
    """Log a report to a run of MLflow: what was asked, what was found, tables, and the HTML page.

    While a run is active, reports are logged by themselves as they are made.  Call this for reports that were made
    before the run, that should have a name of your own, or that belong to another run.

    Parameters
    ----------
    report : RebalanceResult, CheckReport, GroupReport, TuningReport, ScalingCurve, MemorizationProbe, ...
        What calls of autosynth return: also a RebalanceReport, the ComparisonReport of
        ``autosynth_autogluon.compare_arms``, and results that have one of all these as ``report``, such as that of
        ``autosynth_gx.run_gate``.
    name : str, optional
        What keys and files start with, such as "validation"; None takes that of the function, such as "group_report".
        Where the run has one of that name, "-2" follows, since MLflow changes no parameter.
    run_id : str, optional
        None takes the active run.
    files : bool
        Whether the tables, the JSON and the HTML page go along.  The page shows columns of real rows.

    Returns
    -------
    str
        The name under which it stands.

    Raises
    ------
    ConfigError
        If the report is of another kind, or there is no active run and none is named.
    MissingExtraError
        If MLflow is not installed.

    Examples
    --------
    >>> import autosynth_mlflow
    >>> autosynth_mlflow.log("all went well")
    Traceback (most recent call last):
    autosynth.exceptions.ConfigError: report is a str, which is not logged. Give one of RebalanceReport, CheckReport,
    GroupReport, TuningReport, ScalingCurve, MemorizationProbe, ComparisonReport, or a result that has one as .report.
    """
    check_flag("files", files)
    record = record_of(report)
    if record is None:
        raise ConfigError(
            f"report is a {type(report).__name__}, which is not logged. Give one of "
            f"{', '.join(kind.__name__ for kind in KINDS)}, or a result that has one as .report."
        )
    mlflow = require_extra("mlflow", extra="mlflow")
    if run_id is None:
        active = mlflow.active_run()
        if active is None:
            raise ConfigError(
                "no run of MLflow is active in this thread. Call log inside `with mlflow.start_run():`, or give run_id."
            )
        run_id = active.info.run_id
    return Run(mlflow, str(run_id)).write(record, name=name, files=files)


def log_to_active_run(report: object) -> None:
    """Log a report to the active run, if there is one and the environment variable AUTOSYNTH_MLFLOW has no objection.

    Raises
    ------
    ConfigError
        If the variable is neither "on", "numbers" nor "off".
    """
    active_run = getattr(sys.modules["mlflow"], "active_run", None)  # absent while MLflow is still loading
    active = None if active_run is None else active_run()
    if active is None:
        return
    setting = os.environ.get(SETTING, "on").strip().lower() or "on"
    check_choice(SETTING, setting, CHOICES)
    record = None if setting == "off" else record_of(report)
    if record is not None:
        Run(sys.modules["mlflow"], active.info.run_id).write(record, files=setting == "on")
