"""ComparisonReport: all arms side by side, as text, tables and JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from autosynth.plain_data import to_plain

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from autosynth import GroupReport
    from autosynth.files import AnyPath
    from autosynth.gains import Gain
    from autosynth.interval import Interval
    from autosynth_autogluon.fold_record import FoldRecord


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
    gain : Gain or None
        What its balanced risk as it comes is better or worse for than that of "plain": shift of the prior, class
        weights, better ranking; None where the probabilities are those of "plain".
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
    gain: Gain | None
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
    is_judged : bool
        False when no synthetic row was trained on, so that there is nothing to judge.
    n_train, n_test : int
        Real rows.
    notes : tuple of str
        What a reader must know: rows left out, models that failed, folds that stayed plain, small groups.
    folds : tuple of FoldRecord
        What every fold of every model of the synthetic arm did.
    random_state : int or None
        The seed.
    settings : mapping
        What was asked for, as text: without secrets, and without rows.
    versions : mapping of str to str
        Of Python and of the packages that decide the result.
    """

    arms: tuple[Arm, ...]
    reference: str
    verdict: str
    winner: str | None
    is_judged: bool
    n_train: int
    n_test: int
    notes: tuple[str, ...] = ()
    folds: tuple[FoldRecord, ...] = ()
    random_state: int | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)

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
            "is_judged": self.is_judged,
            "n_train": self.n_train,
            "n_test": self.n_test,
            "notes": list(self.notes),
            "random_state": self.random_state,
            "settings": dict(self.settings),
            "versions": dict(self.versions),
            "folds": to_plain(self.folds),
            "arms": [
                {
                    "name": arm.name,
                    "uses_synthetic": arm.uses_synthetic,
                    "threshold": arm.threshold,
                    "class_offsets": None if arm.class_offsets is None else dict(arm.class_offsets),
                    "balanced_accuracy": arm.balanced_accuracy,
                    "seconds": arm.seconds,
                    "gain": None if arm.gain is None else to_plain(arm.gain),
                    "as_it_comes": json.loads(arm.report.to_json()),
                    "shifted": json.loads(arm.shifted.to_json()),
                }
                for arm in self.arms
            ],
        }

    def to_html(self, path: AnyPath) -> Path:
        """Write the report as one self-contained page that needs no network; every name and value is escaped."""
        from autosynth.pages.page import write_page
        from autosynth_autogluon.comparison_page import comparison_page

        return write_page(comparison_page(self), path)

    def __str__(self) -> str:
        parts = [
            f"{self.n_train} training rows, {self.n_test} test rows, all real; 95 % intervals in brackets.",
            _text(self.to_frame()),
            "R^(g) after the shift, per group:",
            _text(self.groups_frame()),
            *self.notes,
            self.verdict,
            *[f"{arm.name}: {arm.gain.sentence}" for arm in self.arms if arm.uses_synthetic and arm.gain],
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
