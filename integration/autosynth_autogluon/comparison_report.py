"""ComparisonReport: all arms side by side, as text, tables and JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autosynth import GroupReport
    from autosynth.interval import Interval


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One way to train, with its verdict on the test rows.

    Attributes
    ----------
    name : str
        What tables call it.
    uses_synthetic : bool
        Whether it was asked to train on synthetic rows too.
    threshold : float or None
        Two classes: a probability of the second class above it decides for that class.  Tuned on real validation rows
        for balanced accuracy, except for "plain" (0.5).  None for more classes.
    class_offsets : mapping or None
        More than two classes: what is added to each class's log probability before the largest decides.  Fitted on
        real validation rows, except for "plain" (all 0).  None for two classes.
    report : GroupReport
        Its probabilities as they come; the difference is against "plain".
    shifted : GroupReport
        After a shift of the prior fitted on real validation rows, the same way for every arm, so that only what the
        model ranks better is left; the difference is against the reference arm.
    balanced_accuracy : float
        Of these decisions, on the test rows: mean over classes of their recall.
    seconds : float
        Wall time of the fit behind it.
    """

    name: str
    uses_synthetic: bool
    threshold: float | None
    class_offsets: Mapping[str, float] | None
    report: GroupReport
    shifted: GroupReport
    balanced_accuracy: float
    seconds: float


@dataclass(frozen=True, kw_only=True)
class ComparisonReport:
    """All arms side by side, and what follows from them.

    Attributes
    ----------
    arms : tuple of Arm
        Those without synthetic rows first.
    reference : str
        The best arm without synthetic rows on the validation rows: the one to beat.
    verdict : str
        In words: which arm is better than the reference on the test rows, or that none is.
    winner : str or None
        The better arm's name; None when the difference is within noise, or when no synthetic row was trained on.
    n_train, n_test : int
        Real rows.
    notes : tuple of str
        What a reader must know: rows left out, models that failed, folds that stayed plain, small groups.
    """

    arms: tuple[Arm, ...]
    reference: str
    verdict: str
    winner: str | None
    n_train: int
    n_test: int
    notes: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """Return one row per arm."""
        return pd.DataFrame([_row(arm) for arm in self.arms])

    def groups_frame(self) -> pd.DataFrame:
        """Return the shifted risk of every group, one row per group and one column per arm."""
        columns = {arm.name: [show(row.risk) for row in arm.shifted.groups] for arm in self.arms}
        first = self.arms[0].shifted.groups
        return pd.DataFrame({"group": [row.name for row in first], "n": [row.n_rows for row in first], **columns})

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data for JSON."""
        return {
            "reference": self.reference,
            "winner": self.winner,
            "verdict": self.verdict,
            "n_train": self.n_train,
            "n_test": self.n_test,
            "notes": list(self.notes),
            "arms": [
                {
                    "name": arm.name,
                    "uses_synthetic": arm.uses_synthetic,
                    "threshold": arm.threshold,
                    "class_offsets": None if arm.class_offsets is None else dict(arm.class_offsets),
                    "balanced_accuracy": arm.balanced_accuracy,
                    "seconds": arm.seconds,
                    "as_it_comes": json.loads(arm.report.to_json()),
                    "shifted": json.loads(arm.shifted.to_json()),
                }
                for arm in self.arms
            ],
        }

    def __str__(self) -> str:
        parts = [
            f"{self.n_train} training rows, {self.n_test} test rows, all real; 95 % intervals in brackets.",
            _text(self.to_frame()),
            "R^(g) after the shift, per group:",
            _text(self.groups_frame()),
            *self.notes,
            self.verdict,
        ]
        return "\n\n".join(parts)


def show(interval: Interval, sign: str = "") -> str:
    """Return a value with its interval in brackets; ``sign="+"`` for differences."""
    if np.isnan(interval.value):
        return "undefined" if sign else "-"
    return f"{interval.value:{sign}.3f} [{interval.low:{sign}.3f}, {interval.high:{sign}.3f}]"


def _row(arm: Arm) -> dict[str, Any]:
    overall = arm.report.segments[-1]
    return {
        "arm": arm.name,
        "R_bal": show(arm.report.balanced_risk),
        "R_bal shifted": show(arm.shifted.balanced_risk),
        "worst group": show(arm.shifted.worst_risk),
        "AUC": show(overall.auc),
        "avg. precision": show(overall.average_precision),
        "bal. accuracy": f"{arm.balanced_accuracy:.3f}",
        "threshold": "" if arm.threshold is None else f"{arm.threshold:.3f}",
        "fit s": f"{arm.seconds:.0f}",
    }


def _text(frame: pd.DataFrame) -> str:
    return str(frame.to_string(index=False))
