"""compare_arms(): AutoGluon plain, with weights, and with synthetic rows, judged alike on the same real rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from sklearn.model_selection import train_test_split

from autosynth import Table
from autosynth.auto import AutoOptions, is_auto
from autosynth.checks.rules import Rule, as_rules
from autosynth.exceptions import ConfigError, DataError, TooFewRowsError
from autosynth.notices import announce
from autosynth.plugins import current_plugins
from autosynth.table import GroupBy
from autosynth.versions import versions_of
from autosynth.wanted_rows import resolve_generator
from autosynth_autogluon.arms import ArmPlan, ArmSettings
from autosynth_autogluon.asked import asked
from autosynth_autogluon.comparison_report import ComparisonReport
from autosynth_autogluon.consent import check_consent
from autosynth_autogluon.hyperparameters import rebalanced
from autosynth_autogluon.judgement import PLAIN, judge

if TYPE_CHECKING:
    from collections.abc import Hashable

TEST_SHARE = 0.25
PACKAGES = (
    "autosynth",
    "autogluon.tabular",
    "lightgbm",
    "xgboost",
    "xgboost-cpu",
    "catboost",
    "scikit-learn",
    "numpy",
    "pandas",
    "torch",
)


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
    rules: Sequence[Rule | str] | Rule | str = (),
    allow_remote: bool = False,
    time_limit: float | None = None,
    eval_metric: Any = None,
    random_state: int = 0,
    verbosity: int = 0,
    on_arm: Callable[[str], None] | None = None,
    on_fitted: Callable[[str, float], None] | None = None,
    rebalanced_options: Mapping[str, Any] | None = None,
    fit_options: Mapping[str, Any] | None = None,
) -> ComparisonReport:
    """Return AutoGluon with and without synthetic rows, side by side, on test rows that no model and no generator saw.

    Three predictors are fitted: plain, with ``balance_weight``, and with in-fold rebalancing.  The first gives three
    arms: as it is, with tuned decisions, and with its posterior corrected for the prior.  For every arm alike, the
    decisions (a threshold, or one offset per class) and a shift of the prior are fitted on real out-of-fold rows, so
    that a mere shift never counts as a gain.

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
        As in :func:`rebalanced`; with "auto", every fold of the third arm has a race of its own.
    hyperparameters, presets, num_bag_folds, time_limit, eval_metric
        As in ``TabularPredictor.fit``, the same for all three; ``time_limit`` in seconds for each.  ``eval_metric``
        is "roc_auc" (two classes) or "roc_auc_ovo_macro" by default, which no shift of the prior can raise.
    rules : sequence of Rule or str
        What synthetic rows must keep in every fold; see :func:`rebalanced`.
    allow_remote : bool
        Consent for a generator that sends real rows to another machine; see :func:`rebalanced`.
    random_state : int
        Decides the test rows and the synthetic rows.
    verbosity : int
        AutoGluon's, 0 to 4.
    on_arm : callable, optional
        Called with the name of each predictor before it is fitted.
    on_fitted : callable, optional
        Called with its name and the seconds that its fit took, after it.
    rebalanced_options, fit_options : mapping, optional
        Further arguments of :func:`rebalanced` and of ``TabularPredictor.fit``.

    Returns
    -------
    ComparisonReport

    Raises
    ------
    ConfigError, DataError
        If an argument or the table cannot be used, before anything is fitted; a quantity as label is refused.
    TooFewRowsError
        If a class has fewer training rows than there are folds.
    GenerationError
        If AutoGluon trained no model for an arm, or left a class without validation predictions.
    """
    table = Table.from_frame(train, label=label, group_by=group_by)
    if label not in table.fixed_columns:
        raise ConfigError(f"label {label!r} reads as a quantity (regression). Compare arms on a label with classes.")
    if is_auto(generator):
        AutoOptions.of(generator_options)
    else:
        resolve_generator(generator, generator_options, current_plugins())
    fit_rows, test_rows = _split(table, test, random_state)
    settings = {
        "presets": presets,
        "num_bag_folds": num_bag_folds,
        "time_limit": time_limit,
        **(fit_options or {}),
    }
    _check_labels(fit_rows[label], test_rows[label], settings["num_bag_folds"])
    options = {"data": fit_rows, "allow_remote": allow_remote, "rules": rules, **(rebalanced_options or {})}
    check_consent(
        None if is_auto(generator) else current_plugins().info(generator),
        allowed=options["allow_remote"],
        generator_options=generator_options,
        n_generations=f"{settings['num_bag_folds'] * settings.get('num_bag_sets', 1)} here",
    )
    classes = sorted(fit_rows[label].unique(), key=str)
    synthetic = rebalanced(
        hyperparameters,
        presets=presets,
        generator=generator,
        generator_options=generator_options,
        group_by=group_by,
        random_state=random_state,
        **options,
    )
    shared = ArmSettings(
        label=label,
        classes=classes,
        eval_metric=eval_metric or ("roc_auc" if len(classes) == 2 else "roc_auc_ovo_macro"),
        folder=None if path is None else Path(path),
        verbosity=verbosity,
        fit_options=settings,
    )
    plans = [
        ArmPlan(name=PLAIN, hyperparameters=hyperparameters),
        ArmPlan(
            name="balanced weights",
            hyperparameters=hyperparameters,
            predictor_options={"sample_weight": "balance_weight"},
        ),
        ArmPlan(name=f"in-fold {generator}", hyperparameters=synthetic, uses_synthetic=True),
    ]
    fitted = []
    for plan in plans:
        if on_arm is not None:
            on_arm(plan.name)
        fitted.append(shared.fit(plan, fit_rows, test_rows))
        if on_fitted is not None:
            on_fitted(plan.name, fitted[-1].seconds)
    report = judge(fitted, fit_rows, test_rows, label=label, group_by=group_by, random_state=random_state)
    arguments = {
        "label": label,
        "group_by": group_by,
        "generator": generator,
        "generator_options": generator_options,
        "hyperparameters": hyperparameters,
        "eval_metric": shared.eval_metric,
        **settings,
        "rules": [str(rule) for rule in as_rules(options["rules"])],
        "rebalanced_options": rebalanced_options,
    }
    report = replace(report, settings=asked(arguments), versions=versions_of(PACKAGES))
    announce("autosynth_reported", report=report)
    return report


def _split(table: Table, test: pd.DataFrame | None, random_state: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    frame = table.frame
    if test is not None:
        absent = [name for name in frame.columns if name not in test.columns]
        if absent:
            raise DataError(f"the test rows lack the columns {absent}. They need all columns of the training rows.")
        return frame, test[list(frame.columns)]
    if table.group_sizes.min() < 2:
        small = [str(group) for group, size in zip(table.groups, table.group_sizes, strict=True) if size < 2]
        raise DataError(f"groups of one row cannot be split into training and test: {small}. Give test rows.")
    fit_rows, test_rows = train_test_split(
        frame, test_size=TEST_SHARE, stratify=table.group_codes, random_state=random_state
    )
    return fit_rows, test_rows


def _check_labels(y_fit: pd.Series[Any], y_test: pd.Series[Any], n_folds: int) -> None:
    """Refuse now what would fail, or lose a class in silence, after all the fits."""
    if n_folds < 2:
        raise ConfigError(f"num_bag_folds={n_folds}. Use 2 or more: arms are tuned on rows that their models left out.")
    sizes = y_fit.value_counts()
    small = sizes[sizes < n_folds]
    if len(small):
        listed = ", ".join(f"{str(name)!r} ({count})" for name, count in small.items())
        raise TooFewRowsError(
            f"classes with too few training rows for {n_folds} folds: {listed}. Every class needs at least one row per "
            "fold: use fewer folds, join these classes with others, drop them, or give test rows so that all others "
            "train."
        )
    unknown = sorted({str(value) for value in y_test.unique()} - {str(value) for value in y_fit.unique()})
    if unknown:
        raise DataError(
            f"the test rows hold labels that no training row has: {unknown}. Every test row needs a label of the "
            f"training rows, {sorted(str(value) for value in y_fit.unique())}: leave the other rows out."
        )
