"""tune(): whether synthetic rows help on a table, which, and how many, as cross-validation on its real rows says."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from autosynth.exceptions import ConfigError
from autosynth.files import AnyPath
from autosynth.notices import announce, unannounced
from autosynth.options import check_flag
from autosynth.plugins import current_plugins
from autosynth.seeding import RandomState, as_generator, integer_seed
from autosynth.table import GroupBy, Table
from autosynth.tuning.arm import Arm, arms_of
from autosynth.tuning.collected import Collected
from autosynth.tuning.fold_source import plan_of
from autosynth.tuning.folds import Folds
from autosynth.tuning.halving import measure_arms
from autosynth.tuning.judge import Judge
from autosynth.tuning.learners import make_learner
from autosynth.tuning.ledger import Ledger
from autosynth.tuning.progress import trial_progress
from autosynth.tuning.racer import Generators, Racer, racers_of
from autosynth.tuning.report import TuningReport

if TYPE_CHECKING:
    from collections.abc import Hashable

    import pandas as pd

    from autosynth.tuning.candidate import Scored
    from autosynth.tuning.metrics import ScoreFunction
    from autosynth.tuning.outcome import ArmOutcome

__all__ = ["tune"]


def tune(
    train: pd.DataFrame,
    *,
    label: Hashable,
    group_by: GroupBy = None,
    generators: Generators | None = None,
    ratios: Sequence[float] = (0.25, 1.0),
    augment: Sequence[int] = (0,),
    alphas: Sequence[float | None] = (None,),
    synthetic_weights: Sequence[float] = (0.3, 1.0),
    generator_options: Mapping[str, Mapping[str, Any]] | None = None,
    learner: Any = "xgboost",
    metric: str | ScoreFunction = "balanced_cross_entropy",
    positive_class: Any = None,
    cv: int = 5,
    repeats: int = 1,
    time_budget_s: float | None = None,
    halving: bool = True,
    ledger: AnyPath | None = None,
    allow_remote: bool = False,
    n_bootstrap: int = 200,
    random_state: RandomState = 0,
    on_result: Callable[[Scored], None] | None = None,
    progress: bool | None = None,
) -> TuningReport:
    """Find out whether synthetic rows help, which, and how many; the answer may be that none do.

    Every way to train is tried in cross-validation and judged on real rows that neither its generator nor its model
    saw: plain training, class weights, and synthetic rows of every generator in every amount; each with the model's
    probabilities as they come, corrected for the prior in closed form, and shifted by a temperature and offsets fitted
    on validation rows (for two classes, a tuned threshold), so that rows are not praised for damping a model that is
    too sure of itself.  The choice leans towards doing less, by the one-standard-error rule.

    Parameters
    ----------
    train : DataFrame of shape (n_rows, n_features + 1)
        Real training rows with the label in them, and a unique index.  Left as it is.
    label : Hashable
        The label column, which holds classes.  No value may be missing.
    group_by : Hashable, sequence of them, or mapping, optional
        As in :func:`autosynth.rebalance`: groups are the cells of label x these columns.
    generators : sequence of str or RowGenerator, mapping of str to them, or None
        Whose rows race.  Names and configured objects; a mapping gives them names of your own, so that one can race
        under several configurations.  An empty list races what needs no rows alone.  None takes those that the
        installed plugins propose for the table.
    ratios : sequence of float
        Sizes: smaller groups are brought to this share of the largest, above 0 to 1.
    augment : sequence of int
        Numbers of further rows for every group.
    alphas : sequence of float or None
        Weights of these further rows in the training objective, for an augment above 0; None is N / (n_max + N).
    synthetic_weights : sequence of float
        How much a synthetic row counts against a real one.
    generator_options : mapping of str to mapping, optional
        Options of generators given by name, such as ``{"smote": {"k_neighbors": 3}}``.
    learner : str or classifier
        What is trained: "xgboost", a name that a plugin knows, such as "autogluon", or an unfitted classifier of
        scikit-learn's kind with probabilities.
    metric : str or callable
        "balanced_cross_entropy" (the mean over groups), "worst_group_risk", "roc_auc", "average_precision", "log_loss",
        "balanced_accuracy", or ``metric(y_true, y_proba) -> float`` in which greater is better, called with the labels
        of a fold as a Series and their probabilities as a DataFrame with one column per class.
    positive_class : optional
        Of two classes, for average precision; None is the second in sorted order, which may be the more frequent one.
    cv, repeats : int
        Folds of cross-validation, and how often the rows are dealt to folds anew.
    time_budget_s : float, optional
        Seconds after which no further model is trained; what is not finished then cannot be chosen.
    halving : bool
        Whether the worse half of the arms with synthetic rows leaves after 2, 4, 8, ... folds.
    ledger : path, optional
        A folder that keeps every result, so that a second call takes up an interrupted one where it ended, and one with
        another metric, more time, or more arms that ask a generator for no more rows measures only what is new.
    allow_remote : bool
        Whether generators may send the training rows of every fold to another machine.
    n_bootstrap : int
        Replicates behind standard errors, from 20 on.
    random_state : int, numpy.random.Generator or None
        The same int gives the same folds, rows and answer on CPU.
    on_result : callable, optional
        Called with every candidate as its result comes in: at the end of its folds, or when it left the race.
    progress : bool, optional
        Whether to show a bar on stderr; None shows it on terminals.

    Returns
    -------
    TuningReport
        ``.best`` is the answer and prints as words; ``.best.rebalance_arguments`` go to :func:`autosynth.rebalance`.

    Raises
    ------
    ConfigError
        An argument is wrong, the label is a quantity, or the ledger holds results of other settings.
    DataError
        The table cannot be used, or a class has too few rows for folds.
    BudgetError
        The budget ended before plain training and one other arm had run all folds.
    PluginError
        A plugin raised, or a package that a generator or the learner needs is not installed (MissingExtraError).

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from autosynth.toy import shortcut_table
    >>> report = tune(
    ...     shortcut_table(300),
    ...     label="ill",
    ...     generators=["ros"],
    ...     ratios=(1.0,),
    ...     synthetic_weights=(1.0,),
    ...     learner=LogisticRegression(),
    ...     cv=3,
    ... )
    >>> report.best.is_none  # copies of rows teach a logistic regression nothing that weights do not
    True
    """
    started = time.perf_counter()
    check_flag("halving", halving)
    if random_state is None and ledger is not None:
        raise ConfigError("ledger keeps results by their seed, and random_state=None has none. Give a whole number.")
    table = Table.from_frame(train, label=label, group_by=group_by)
    registry = current_plugins()
    racers = racers_of(
        registry.proposals(table) if generators is None else generators,
        generator_options,
        registry,
        allow_remote=allow_remote,
    )
    arms = arms_of(racers, ratios, augment, alphas, synthetic_weights)
    folds_rng, judge_rng, rows_rng, learner_rng = as_generator(random_state).spawn(4)
    folds = Folds.of(table, cv=cv, repeats=repeats, random_state=folds_rng)
    judge = Judge.of(
        table,
        folds,
        metric=metric,
        positive_class=positive_class,
        n_bootstrap=n_bootstrap,
        random_state=judge_rng,
    )
    trained = make_learner(learner, table.schema, judge.coded.n_classes, integer_seed(learner_rng))
    idle = [arm for arm in arms if arm.is_synthetic and not plan_of(arm, table).n_synthetic]
    with trial_progress(progress) as on_trial, unannounced():
        outcomes = measure_arms(
            table,
            [arm for arm in arms if arm not in idle],
            folds,
            trained,
            judge=judge,
            ledger=Ledger(ledger),
            rng=rows_rng,
            time_budget_s=time_budget_s,
            halving=halving,
            racers=racers,
            on_result=on_result,
            on_trial=on_trial,
        )
    report = TuningReport.of(
        [*outcomes, *_idle_outcomes(idle, judge)],
        judge,
        generators={name: racer.rebalance_arguments for name, racer in racers.items()},
        settings=_settings(racers, arms, learner, time_budget_s, halving=halving),
        random_state=int(random_state) if isinstance(random_state, int | np.integer) else None,
        seconds=time.perf_counter() - started,
    )
    announce("autosynth_reported", report=report)
    return report


def _idle_outcomes(arms: Sequence[Arm], judge: Judge) -> list[ArmOutcome]:
    """Return the outcomes of arms that add nothing, since every group is as large as they want it."""
    outcomes = []
    for arm in arms:
        collected = Collected(arm, judge.folds, judge.coded)
        collected.leave("dropped", f"it adds no row: no group is below {arm.ratio:.12g} of the largest")
        outcomes.append(collected.outcome())
    return outcomes


def _settings(
    racers: Mapping[str, Racer], arms: Sequence[Arm], learner: Any, time_budget_s: float | None, *, halving: bool
) -> dict[str, Any]:
    return {
        "generators": {name: racer.description for name, racer in racers.items()},
        "n_arms": len(arms),
        "learner": learner if isinstance(learner, str) else repr(learner),
        "time_budget_s": time_budget_s,
        "halving": halving,
    }
