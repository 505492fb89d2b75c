"""What the gate says of rows, as records for the CSV file."""

from __future__ import annotations

import re
import time
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

import autosynth
from autosynth import CheckReport, CheckResult
from faults.planted import Fault
from faults.sources import Trial

VISIBLE = re.compile(r"which (\d+)% of labels taken from another class would miss")
FRESH = ""  # the name of no fault
CAUGHT, MISSED, BLIND, ABSENT = "caught", "missed", "said that it could not see it", "nothing to spoil"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One line of the CSV file."""

    table: str
    seed: int
    fault: str
    outcome: str
    passed: bool
    critical: str
    warnings: str
    n_real: int
    n_rows: int
    seconds: float


def judge_fresh(trial: Trial) -> Verdict:
    """Ask the gate about fresh real rows."""
    report, seconds = _ask(trial, trial.fresh)
    return _verdict(trial, FRESH, "passed" if report.passed else "failed", report, len(trial.fresh), seconds)


def judge_fault(trial: Trial, fault: Fault) -> Verdict:
    """Plant a fault and ask the gate about it."""
    rng = np.random.default_rng([trial.seed, 5])
    rows = fault.plant(trial, rng)
    if rows is None:
        return _verdict(trial, fault.name, ABSENT, CheckReport(), 0, 0.0)
    report, seconds = _ask(trial, rows.sample(frac=1, random_state=trial.seed).reset_index(drop=True))
    meant = [result for result in report if result.name in fault.meant]
    if any(result.status == "failed" for result in meant):
        outcome = CAUGHT
    else:
        outcome = BLIND if all(_says_blind(result, fault) for result in meant) else MISSED
    return _verdict(trial, fault.name, outcome, report, len(rows), seconds)


def _says_blind(result: CheckResult, fault: Fault) -> bool:
    """Return whether a check that passed says that it could not have seen the fault.

    It was skipped, or the share of rows that it lets pass, for noise and what real rows do, is above the one planted.
    """
    if result.name == "label_fidelity":
        visible = VISIBLE.search(result.message)
        return result.status == "skipped" or bool(visible and int(visible[1]) > 100 * fault.share)
    return result.status == "skipped" or result.limit >= fault.share


def _ask(trial: Trial, rows: pd.DataFrame) -> tuple[CheckReport, float]:
    started = time.perf_counter()
    report = autosynth.check(
        trial.real,
        rows,
        label=trial.label,
        group_by=trial.group_by,
        holdout=trial.held_out,
        rules=[trial.rule] if trial.rule else [],
    )
    return report, time.perf_counter() - started


def _verdict(trial: Trial, fault: str, outcome: str, report: CheckReport, n_rows: int, seconds: float) -> Verdict:
    names = {
        severity: sorted({result.name for result in report.failures if result.severity == severity})
        for severity in ("critical", "warning")
    }
    return Verdict(
        table=trial.table,
        seed=trial.seed,
        fault=fault,
        outcome=outcome,
        passed=report.passed,
        critical=" ".join(names["critical"]),
        warnings=" ".join(names["warning"]),
        n_real=len(trial.real),
        n_rows=n_rows,
        seconds=round(seconds, 3),
    )


def as_frame(verdicts: list[Verdict]) -> pd.DataFrame:
    return pd.DataFrame([asdict(verdict) for verdict in verdicts])
