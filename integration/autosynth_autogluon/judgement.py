"""The judgement of fitted arms: the same shift, the same thresholds and the same real rows for each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from autosynth import GroupReport, group_report
from autosynth.decision import PriorShift, best_threshold, without_zeros
from autosynth.exceptions import GenerationError
from autosynth.notices import unannounced
from autosynth.segments import Segments
from autosynth_autogluon.arm_gains import Alternative, arm_gains
from autosynth_autogluon.comparison_report import Arm, ComparisonReport, show

if TYPE_CHECKING:
    from collections.abc import Hashable

    import numpy.typing as npt

    from autosynth.table import GroupBy
    from autosynth_autogluon.arms import FittedArm

PLAIN = "plain"


def judge(
    fitted: Sequence[FittedArm],
    fit_rows: pd.DataFrame,
    test_rows: pd.DataFrame,
    *,
    label: Hashable,
    group_by: GroupBy = None,
    random_state: int = 0,
) -> ComparisonReport:
    """Return all arms side by side; the first one is the plain arm.

    Parameters
    ----------
    fitted : sequence of FittedArm
        The plain arm first; exactly one uses synthetic rows.
    fit_rows, test_rows : DataFrame
        Real rows with the label.  The index of ``fit_rows`` is unique: it says whose validation predictions are whose.
    label, group_by
        As in :func:`compare_arms`.
    random_state : int
        Decides the bootstrap samples behind the intervals.

    Raises
    ------
    GenerationError
        If no row of some class has validation predictions of every arm.
    """
    fitted = [replace(arm, validation=without_zeros(arm.validation), test=without_zeros(arm.test)) for arm in fitted]
    validations, kept = _common_rows(fitted, fit_rows, label)
    y_valid, y_test = kept[label], test_rows[label]
    segments = Segments.from_frame(fit_rows, label, group_by).seen_in(kept)
    rows = _Rows(y_valid, y_test, segments.codes(kept), segments.codes(test_rows))
    shifts = [PriorShift.fit(y_valid, proba, rows.valid_segments) for proba in validations]
    without = [position for position, arm in enumerate(fitted) if not arm.uses_synthetic]
    reference = min(without, key=lambda position: shifts[position].risk)
    groups = segments.columns(test_rows)

    test_groups = None if groups is None else groups.reset_index(drop=True)
    y_report = y_test.reset_index(drop=True)

    def report(proba: pd.DataFrame, baseline: pd.DataFrame) -> GroupReport:
        with unannounced():  # part of a comparison
            found = group_report(
                y_report,
                proba.reset_index(drop=True),
                groups=test_groups,
                baseline=baseline.reset_index(drop=True),
                random_state=random_state,
            )
        # Its shift is fitted on test rows, as a report knows no others; the arms' own is fitted on validation rows.
        return replace(found, gain=None, group_gains=())

    shifted = [shift.apply(arm.test, rows.test_segments) for shift, arm in zip(shifts, fitted, strict=True)]
    variants = [
        _variants(made, validations[position], rows, is_first=position == 0) for position, made in enumerate(fitted)
    ]
    gains = arm_gains(
        y_report,
        [
            Alternative(name, proba, shifted[position], position, uses_synthetic=fitted[position].uses_synthetic)
            for position, some in enumerate(variants)
            for name, proba, _ in some
        ],
        reference=reference,
        groups=test_groups,
        n_valid=len(kept),
        random_state=random_state,
    )
    arms: list[Arm] = []
    for position, made in enumerate(fitted):
        shifted_report = report(shifted[position], shifted[reference])
        for name, proba, decision in variants[position]:
            arms.append(
                Arm(
                    name=name,
                    uses_synthetic=made.uses_synthetic,
                    threshold=decision.threshold,
                    class_offsets=decision.named_offsets(proba.columns),
                    report=report(proba, fitted[0].test),
                    shifted=shifted_report,
                    gain=gains[name],
                    balanced_accuracy=_balanced_accuracy(y_test, decision.classes(proba)),
                    seconds=made.seconds,
                )
            )
    winner, verdict = _verdict(arms, fitted, fitted[reference].name)
    return ComparisonReport(
        arms=tuple(arms),
        reference=fitted[reference].name,
        verdict=verdict,
        winner=winner,
        is_judged=any(arm.facts.n_synthetic for arm in fitted),
        n_train=len(fit_rows),
        n_test=len(test_rows),
        notes=tuple(_notes(arms, fitted, n_valid=len(kept), n_left_out=len(fit_rows) - len(kept))),
        folds=tuple(fold for arm in fitted for fold in arm.folds),
        random_state=random_state,
    )


@dataclass(frozen=True)
class _Rows:
    """Labels and segments of the rows that tune and of those that judge."""

    y_valid: pd.Series[Any]
    y_test: pd.Series[Any]
    valid_segments: npt.NDArray[np.int64]
    test_segments: npt.NDArray[np.int64]


@dataclass(frozen=True)
class _Decision:
    """From probabilities to classes: a threshold for two classes, an offset on each class's logarithm for more."""

    threshold: float | None
    shift: PriorShift | None = None

    @classmethod
    def untuned(cls, n_classes: int) -> _Decision:
        return cls(0.5) if n_classes == 2 else cls(None)

    @classmethod
    def tuned(cls, y_valid: pd.Series[Any], validation: pd.DataFrame) -> _Decision:
        """Tune for even classes on all validation rows together, as the balanced accuracy counts them."""
        if validation.shape[1] == 2:
            return cls(best_threshold(y_valid, validation))
        return cls(None, PriorShift.fit(y_valid, validation, np.zeros(len(y_valid), dtype=np.int64)))

    def classes(self, proba: pd.DataFrame) -> npt.NDArray[Any]:
        names = proba.columns.to_numpy()
        if self.threshold is not None:
            return np.asarray(names[(proba.iloc[:, 1].to_numpy() > self.threshold).astype(int)])
        if self.shift is not None:
            proba = self.shift.apply(proba, np.zeros(len(proba), dtype=np.int64))
        return np.asarray(names[proba.to_numpy().argmax(axis=1)])

    def named_offsets(self, classes: pd.Index) -> dict[str, float] | None:
        if self.threshold is not None:
            return None
        offsets = np.zeros(len(classes)) if self.shift is None else self.shift.offsets[0]
        return {str(name): float(offset) for name, offset in zip(classes, offsets, strict=True)}


def _common_rows(
    fitted: Sequence[FittedArm], fit_rows: pd.DataFrame, label: Hashable
) -> tuple[list[pd.DataFrame], pd.DataFrame]:
    """Return the validation predictions of every arm on the training rows for which all arms have them."""
    aligned = [arm.validation[~arm.validation.index.duplicated()].reindex(fit_rows.index) for arm in fitted]
    is_finite = np.all([np.isfinite(proba.to_numpy(dtype="float64")).all(axis=1) for proba in aligned], axis=0)
    kept = fit_rows[is_finite]
    lost = sorted(set(fit_rows[label].unique()) - set(kept[label].unique()), key=str)
    if lost:
        raise GenerationError(
            f"no training row of the classes {[str(value) for value in lost]} has validation predictions of every arm "
            f"({len(kept)} of {len(fit_rows)} rows have them). All classes are needed: give a longer time limit, or "
            "fewer folds."
        )
    return [proba[is_finite] for proba in aligned], kept


def _variants(
    arm: FittedArm, validation: pd.DataFrame, rows: _Rows, *, is_first: bool
) -> list[tuple[str, pd.DataFrame, _Decision]]:
    tuned = _Decision.tuned(rows.y_valid, validation)
    if not is_first:
        return [(arm.name, arm.test, tuned)]
    prior = PriorShift.from_priors(rows.y_valid, validation, rows.valid_segments)
    corrected = _Decision.tuned(rows.y_valid, prior.apply(validation, rows.valid_segments))
    return [
        (PLAIN, arm.test, _Decision.untuned(validation.shape[1])),
        (f"{PLAIN}, threshold tuned" if tuned.shift is None else f"{PLAIN}, thresholds tuned", arm.test, tuned),
        (f"{PLAIN}, prior corrected", prior.apply(arm.test, rows.test_segments), corrected),
    ]


def _balanced_accuracy(y_true: pd.Series[Any], predicted: npt.NDArray[Any]) -> float:
    hits = pd.Series(predicted == y_true.to_numpy())
    return float(hits.groupby(y_true.to_numpy()).mean().mean())


def _verdict(arms: Sequence[Arm], fitted: Sequence[FittedArm], reference: str) -> tuple[str | None, str]:
    (made,) = [arm for arm in fitted if arm.uses_synthetic]
    if not made.facts.n_synthetic:
        return None, (
            f"No verdict: no synthetic row trained the models behind {made.name!r}, so this comparison says nothing "
            "for or against synthetic rows. The notes above say why; give more time, a larger ratio or other models."
        )
    (arm,) = [arm for arm in arms if arm.uses_synthetic]
    assert arm.shifted.difference is not None  # noqa: S101 - judge() gives a baseline
    change = arm.shifted.difference.balanced_risk
    assert arm.report.difference is not None  # noqa: S101 - likewise
    ranking = arm.report.difference.segments[-1].auc
    seen = f"balanced cross-entropy {show(change, '+')} (AUC as it comes, against plain: {show(ranking, '+')})"
    fair = "after the same shift of the prior for both"
    if change.high < 0:
        return arm.name, f"Winner: {arm.name}. Against {reference!r}, {fair}: {seen}."
    if change.low > 0:
        return reference, f"Winner: {reference}, without synthetic rows. {arm.name!r} against it, {fair}: {seen}."
    return None, f"No winner: {arm.name!r} against {reference!r}, {fair}, is within noise: {seen}."


def _notes(arms: Sequence[Arm], fitted: Sequence[FittedArm], *, n_valid: int, n_left_out: int) -> list[str]:
    notes = []
    small = [row for row in arms[0].report.groups if row.is_small]
    if small:
        listed = "; ".join(f"{row.name} ({row.n_rows})" for row in small)
        notes.append(f"Groups with few test rows, so read their intervals and not their values: {listed}.")
    if n_left_out:
        notes.append(f"{n_left_out} training rows have no validation prediction of every arm, so they tuned nothing.")
    counts = {arm.name: arm.facts.n_models for arm in fitted}
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"{name!r} {count}" for name, count in counts.items())
        notes.append(f"The arms trained different numbers of models, as some failed or had no time: {listed}.")
    notes += [note for arm in fitted for note in arm.facts.notes]
    notes.append(
        "The variants of 'plain' are one and the same model, so after the shift their figures agree. Thresholds and "
        f"the shift are estimated from {n_valid} validation rows; the intervals do not hold that sampling error."
    )
    return notes
