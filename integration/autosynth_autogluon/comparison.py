"""compare_arms(): AutoGluon plain, with weights, and with synthetic rows, judged alike on the same real rows."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from autogluon.tabular import TabularPredictor
from sklearn.model_selection import train_test_split

from autosynth import GroupReport, Table, group_report
from autosynth.exceptions import ConfigError, DataError, GenerationError
from autosynth.interval import Interval
from autosynth.table import GroupBy
from autosynth_autogluon.decision import PriorShift, best_threshold
from autosynth_autogluon.hyperparameters import rebalanced
from autosynth_autogluon.segments import Segments

if TYPE_CHECKING:
    from collections.abc import Hashable

logger = logging.getLogger(__name__)

TEST_SHARE = 0.25


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One way to train, with its verdict on the test rows.

    Attributes
    ----------
    name : str
        What tables call it.
    uses_synthetic : bool
        Whether synthetic rows trained it.
    threshold : float or None
        Tuned on real validation rows for balanced accuracy; None for more than two classes.
    report : GroupReport
        Its probabilities as they come; the difference is against "plain".
    shifted : GroupReport
        After a shift of the prior fitted on real validation rows, the same way for every arm, so that only what the
        model ranks better is left; the difference is against the reference arm.
    balanced_accuracy : float
        At the threshold, on the test rows: mean over classes of their recall.
    seconds : float
        Wall time of the fit behind it.
    """

    name: str
    uses_synthetic: bool
    threshold: float | None
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
        The better arm's name; None when the difference is within noise.
    n_train, n_test : int
        Real rows.
    notes : tuple of str
        What a reader must know.
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
        columns = {arm.name: [_show(row.risk) for row in arm.shifted.groups] for arm in self.arms}
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


@dataclass
class _Fit:
    """Probabilities of one fitted predictor."""

    name: str
    uses_synthetic: bool
    validation: pd.DataFrame
    test: pd.DataFrame
    seconds: float
    corrections: list[str] = field(default_factory=list)


def compare_arms(
    train: pd.DataFrame,
    *,
    label: Hashable,
    test: pd.DataFrame | None = None,
    group_by: GroupBy = None,
    path: str | Path | None = None,
    generator: str = "smote",
    generator_options: Mapping[str, Any] | None = None,
    hyperparameters: Any = None,
    presets: str | None = None,
    num_bag_folds: int = 5,
    time_limit: float | None = None,
    eval_metric: Any = None,
    random_state: int = 0,
    verbosity: int = 0,
    on_arm: Callable[[str], None] | None = None,
    rebalanced_options: Mapping[str, Any] | None = None,
    fit_options: Mapping[str, Any] | None = None,
) -> ComparisonReport:
    """Return AutoGluon with and without synthetic rows, side by side, on test rows that no model and no generator saw.

    Three predictors are fitted: plain, with ``balance_weight``, and with in-fold rebalancing.  The first gives three
    arms: as it is, with a tuned threshold, and with its posterior corrected for the prior.  For every arm alike, the
    threshold and a shift of the prior are fitted on real out-of-fold rows, so that a mere shift never counts as a gain.

    Parameters
    ----------
    train : DataFrame of shape (n_rows, n_features + 1)
        Real rows with the label.
    label : Hashable
        The label column; classes.
    test : DataFrame, optional
        Real rows to judge on.  Without it, a quarter of ``train`` is set aside, stratified by group.
    group_by : Hashable, sequence of them, or mapping, optional
        Group columns, as in :func:`autosynth.rebalance`.
    path : path, optional
        Folder for the predictors, one sub-folder each; None lets AutoGluon choose.
    generator, generator_options
        As in :func:`rebalanced`.
    hyperparameters, presets, num_bag_folds, time_limit, eval_metric
        As in ``TabularPredictor.fit``, the same for all three; ``time_limit`` in seconds for each.  ``eval_metric``
        is "roc_auc" (two classes) or "roc_auc_ovo_macro" by default, which no shift of the prior can raise.
    random_state : int
        Decides the test rows and the synthetic rows.
    verbosity : int
        AutoGluon's, 0 to 4.
    on_arm : callable, optional
        Called with the name of each predictor before it is fitted.
    rebalanced_options, fit_options : mapping, optional
        Further arguments of :func:`rebalanced` and of ``TabularPredictor.fit``.

    Returns
    -------
    ComparisonReport

    Raises
    ------
    ConfigError, DataError
        If an argument or the table cannot be used; a quantity as label is refused.
    """
    table = Table.from_frame(train, label=label, group_by=group_by)
    if label not in table.fixed_columns:
        raise ConfigError(f"label {label!r} reads as a quantity (regression). Compare arms on a label with classes.")
    fit_rows, test_rows = _split(table, test, random_state)
    classes = sorted(fit_rows[label].unique(), key=str)
    metric = eval_metric or ("roc_auc" if len(classes) == 2 else "roc_auc_ovo_macro")
    data = {"data": fit_rows} if generator_needs_data(generator) or group_by is not None else {}
    synthetic = rebalanced(
        hyperparameters,
        presets=presets,
        generator=generator,
        generator_options=generator_options,
        group_by=group_by,
        random_state=random_state,
        **{**data, **(rebalanced_options or {})},
    )
    plans: list[tuple[str, bool, Any, dict[str, Any]]] = [
        ("plain", False, hyperparameters, {}),
        ("balanced weights", False, hyperparameters, {"sample_weight": "balance_weight"}),
        (f"in-fold {generator}", True, synthetic, {}),
    ]
    fits = []
    for name, uses_synthetic, models, predictor_options in plans:
        if on_arm is not None:
            on_arm(name)
        started = time.perf_counter()
        folder = None if path is None else str(Path(path) / name.replace(" ", "-"))
        predictor = TabularPredictor(
            label=label, eval_metric=metric, path=folder, verbosity=verbosity, **predictor_options
        )
        settings = {"presets": presets, "num_bag_folds": num_bag_folds, "time_limit": time_limit, **(fit_options or {})}
        try:
            predictor.fit(fit_rows, hyperparameters=models, **settings)
        except (RuntimeError, AssertionError) as error:  # AutoGluon's, when every model failed or no time was left
            limit = "no time limit" if time_limit is None else f"{time_limit:.0f} s"
            raise GenerationError(
                f"AutoGluon trained no model for the arm {name!r} with {limit}: {error} Give a longer time limit, or "
                "faster models (hyperparameters)."
            ) from error
        validation = predictor.predict_proba_oof().reindex(columns=classes, fill_value=0.0)
        tested = predictor.predict_proba(test_rows).reindex(columns=classes, fill_value=0.0)
        fits.append(_Fit(name, uses_synthetic, validation, tested, time.perf_counter() - started))
    return _judge(fits, fit_rows, test_rows, label, group_by, classes, random_state)


def generator_needs_data(generator: str) -> bool:
    """Return whether a registered generator works on original columns inside folds."""
    from autosynth import generators

    return generators()[generator].space == "original"


def _split(table: Table, test: pd.DataFrame | None, random_state: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    if test is not None:
        absent = [name for name in table.frame.columns if name not in test.columns]
        if absent:
            raise DataError(f"the test rows lack the columns {absent}. They need all columns of the training rows.")
        return table.frame, test[list(table.frame.columns)]
    if table.group_sizes.min() < 2:
        small = [str(group) for group, size in zip(table.groups, table.group_sizes, strict=True) if size < 2]
        raise DataError(f"groups of one row cannot be split into training and test: {small}. Give test rows.")
    fit_rows, test_rows = train_test_split(
        table.frame, test_size=TEST_SHARE, stratify=table.group_codes, random_state=random_state
    )
    return fit_rows, test_rows


def _judge(
    fits: Sequence[_Fit],
    fit_rows: pd.DataFrame,
    test_rows: pd.DataFrame,
    label: Hashable,
    group_by: GroupBy,
    classes: list[Any],
    random_state: int,
) -> ComparisonReport:
    y_fit, y_test = fit_rows[label], test_rows[label]
    segments = Segments.from_frame(fit_rows, label, group_by)
    fit_segments, test_segments = segments.codes(fit_rows), segments.codes(test_rows)
    groups = segments.columns(test_rows)
    shifts = [PriorShift.fit(y_fit, made.validation, fit_segments) for made in fits]
    scores = [shift.risk for shift in shifts]
    without = [position for position, made in enumerate(fits) if not made.uses_synthetic]
    reference = min(without, key=lambda position: scores[position])

    def report(proba: pd.DataFrame, baseline: pd.DataFrame) -> GroupReport:
        return group_report(
            y_test.reset_index(drop=True),
            proba.reset_index(drop=True),
            groups=None if groups is None else groups.reset_index(drop=True),
            baseline=baseline.reset_index(drop=True),
            random_state=random_state,
        )

    shifted = [shift.apply(made.test, test_segments) for shift, made in zip(shifts, fits, strict=True)]
    arms: list[Arm] = []
    for position, made in enumerate(fits):
        threshold = best_threshold(y_fit, made.validation) if len(classes) == 2 else None
        variants: list[tuple[str, pd.DataFrame, float | None]] = [(made.name, made.test, threshold)]
        if position == 0:
            prior = PriorShift.from_priors(y_fit, made.validation, fit_segments)
            validated = prior.apply(made.validation, fit_segments)
            prior_threshold = None if threshold is None else best_threshold(y_fit, validated)
            variants = [
                ("plain", made.test, 0.5 if threshold is not None else None),
                ("plain, threshold tuned", made.test, threshold),
                ("plain, prior corrected", prior.apply(made.test, test_segments), prior_threshold),
            ]
        for name, proba, cut in variants:
            arms.append(
                Arm(
                    name=name,
                    uses_synthetic=made.uses_synthetic,
                    threshold=cut,
                    report=report(proba, fits[0].test),
                    shifted=report(shifted[position], shifted[reference]),
                    balanced_accuracy=_balanced_accuracy(y_test, proba, cut),
                    seconds=made.seconds,
                )
            )
    winner, verdict = _verdict(arms, fits[reference].name)
    return ComparisonReport(
        arms=tuple(arms),
        reference=fits[reference].name,
        verdict=verdict,
        winner=winner,
        n_train=len(fit_rows),
        n_test=len(test_rows),
        notes=_notes(arms),
    )


def _balanced_accuracy(y_true: pd.Series[Any], proba: pd.DataFrame, threshold: float | None) -> float:
    if threshold is None:
        predicted = proba.columns.to_numpy()[proba.to_numpy().argmax(axis=1)]
    else:
        predicted = proba.columns.to_numpy()[(proba.iloc[:, 1].to_numpy() > threshold).astype(int)]
    hits = pd.Series(predicted == y_true.to_numpy())
    return float(hits.groupby(y_true.to_numpy()).mean().mean())


def _verdict(arms: Sequence[Arm], reference: str) -> tuple[str | None, str]:
    (arm,) = [arm for arm in arms if arm.uses_synthetic]
    assert arm.shifted.difference is not None  # noqa: S101 - report() gives a baseline
    change = arm.shifted.difference.balanced_risk
    assert arm.report.difference is not None  # noqa: S101 - likewise
    ranking = arm.report.difference.segments[-1].auc
    seen = f"balanced cross-entropy {_signed(change)} (AUC as it comes, against plain: {_signed(ranking)})"
    fair = "after the same shift of the prior for both"
    if change.high < 0:
        return arm.name, f"Winner: {arm.name}. Against {reference!r}, {fair}: {seen}."
    if change.low > 0:
        return reference, f"Winner: {reference}, without synthetic rows. {arm.name!r} against it, {fair}: {seen}."
    return None, f"No winner: {arm.name!r} against {reference!r}, {fair}, is within noise: {seen}."


def _notes(arms: Sequence[Arm]) -> tuple[str, ...]:
    small = [row for row in arms[0].report.groups if row.is_small]
    if not small:
        return ()
    listed = "; ".join(f"{row.name} ({row.n_rows})" for row in small)
    return (f"Groups with few test rows, so read their intervals and not their values: {listed}.",)


def _row(arm: Arm) -> dict[str, Any]:
    overall = arm.report.segments[-1]
    return {
        "arm": arm.name,
        "R_bal": _show(arm.report.balanced_risk),
        "R_bal shifted": _show(arm.shifted.balanced_risk),
        "worst group": _show(arm.shifted.worst_risk),
        "AUC": _show(overall.auc),
        "avg. precision": _show(overall.average_precision),
        "bal. accuracy": f"{arm.balanced_accuracy:.3f}",
        "threshold": "" if arm.threshold is None else f"{arm.threshold:.3f}",
        "fit s": f"{arm.seconds:.0f}",
    }


def _show(interval: Interval) -> str:
    if np.isnan(interval.value):
        return "-"
    return f"{interval.value:.3f} [{interval.low:.3f}, {interval.high:.3f}]"


def _signed(interval: Interval) -> str:
    if np.isnan(interval.value):
        return "undefined"
    return f"{interval.value:+.3f} [{interval.low:+.3f}, {interval.high:+.3f}]"


def _text(frame: pd.DataFrame) -> str:
    return str(frame.to_string(index=False))
