"""Successive halving: every arm gets a few folds, the better half gets more, and arms without rows get them all.

Jamieson, Talwalkar. Non-stochastic best arm identification and hyperparameter optimization. AISTATS 2016.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from autosynth.exceptions import ConfigError
from autosynth.plugins import current_plugins
from autosynth.seeding import RandomState, as_generator, integer_seed
from autosynth.tuning.budget import Clock, TimeBudget
from autosynth.tuning.description import digest
from autosynth.tuning.fold_runner import FoldRunner
from autosynth.tuning.ledger import Ledger, describe_learner, fingerprint
from autosynth.tuning.race import OnResult, OnTrial, Race
from autosynth.tuning.racer import Racer, racers_of

if TYPE_CHECKING:
    from autosynth.table import Table
    from autosynth.tuning.arm import Arm
    from autosynth.tuning.folds import Folds
    from autosynth.tuning.judge import Judge
    from autosynth.tuning.learners import TableLearner
    from autosynth.tuning.outcome import ArmOutcome

__all__ = ["measure_arms"]


def measure_arms(
    table: Table,
    arms: Iterable[Arm],
    folds: Folds,
    learner: TableLearner,
    *,
    judge: Judge,
    ledger: Ledger | None = None,
    rng: RandomState = 0,
    time_budget_s: float | None = None,
    halving: bool = True,
    racers: Mapping[str, Racer] | None = None,
    generator_options: Mapping[str, Mapping[str, Any]] | None = None,
    on_result: OnResult | None = None,
    on_trial: OnTrial | None = None,
    clock: Clock = time.perf_counter,
) -> list[ArmOutcome]:
    """Train a model per arm and fold, and return what they say of the real rows that the fold left out.

    Generators and learners see the training rows of a fold alone.  All arms of a generator share its rows: it learns
    once per fold and is asked once, for the most that any of them needs, and an arm takes the first ones.

    Parameters
    ----------
    table : Table
        Real rows whose label holds classes.
    arms : iterable of Arm
        What to do to the training rows.
    folds : Folds
        Of these rows.
    learner : TableLearner
        See :func:`autosynth.tuning.learners.make_learner`.
    judge : Judge
        Says which arms are better, for halving and for ``on_result``.
    ledger : Ledger, optional
        Where results are written, and read when they were measured before.
    rng : int, numpy.random.Generator or None
        Decides the synthetic rows.
    time_budget_s : float, optional
        Seconds; arms that do not fit are marked "out of time".
    halving : bool
        Whether the worse half of the arms with synthetic rows leaves after 2, 4, 8, ... folds.
    racers : mapping of str to Racer, optional
        The generators by their names in the arms; None builds registered ones by name.
    generator_options : mapping of str to mapping, optional
        For the latter.
    on_result : callable, optional
        Called with every candidate of an arm when the arm has run its folds or was dropped; also for results that the
        ledger holds.
    on_trial : callable, optional
        Called after every trial with the arm, the trials so far and how many there will be, at most.
    clock : callable
        Gives the time in seconds.

    Returns
    -------
    list of ArmOutcome
        In the order of ``arms``.

    Raises
    ------
    BudgetError
        If the budget ended before the plain arm and one other had run all their folds.
    ConfigError
        If the ledger holds results of other settings.
    Exception
        What the learner raises where no synthetic row and no weight is in play, and what fails every arm.
    """
    arms = tuple(dict.fromkeys(arms))
    if not arms:
        raise ConfigError("there are no arms to measure. Give at least one.")
    registry = current_plugins()
    if racers is None:
        names = list(dict.fromkeys(arm.generator for arm in arms if arm.generator is not None))
        racers = racers_of(names, generator_options, registry)
    seed = integer_seed(as_generator(rng))
    ledger = ledger or Ledger()
    if ledger.folder is not None:
        ledger.claim(
            {
                "table": fingerprint(table),
                "folds": digest([folds.n_folds, folds.assignment.tolist()]),
                "seed": seed,
                "row filters": registry.implementers("autosynth_keep_rows"),
                **describe_learner(learner),
            }
        )
    runner = FoldRunner(table, folds, arms, learner, racers, seed=seed, ledger=ledger, registry=registry, clock=clock)
    race = Race(runner, arms, folds, judge, TimeBudget(time_budget_s, clock), on_result, on_trial, halving=halving)
    return race.run()
