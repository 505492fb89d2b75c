"""generator="auto" in a fold: a race on the fold's own training rows, once for all models of the fold."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from autosynth.auto import AutoOptions
from autosynth.exceptions import DataError
from autosynth_autogluon.time_limit import run_within

if TYPE_CHECKING:
    from collections.abc import Hashable

    import pandas as pd

    from autosynth import Table
    from autosynth.table import GroupBy

logger = logging.getLogger(f"autogluon.{__name__}")  # shown at the verbosity that fit was given

UNLIMITED_S = 120.0  # for the race of a fold where AutoGluon has no time limit
SHARE = 0.7  # of the fold's time for generators; the rest is for the winner, which learns from the whole fold
# AutoGluon's metrics that a race can be about, by the names that its scorers bear ("roc_auc_ovo_macro" bears the name
# "roc_auc_ovo"); any other one leaves it to the balanced cross-entropy.
RACED_METRICS = {
    "roc_auc": "roc_auc",
    "roc_auc_ovo": "roc_auc",
    "roc_auc_ovr": "roc_auc",
    "average_precision": "average_precision",
    "log_loss": "log_loss",
    "balanced_accuracy": "balanced_accuracy",
    "recall_macro": "balanced_accuracy",
    "worst_class_log_loss": "worst_group_risk",
}


@dataclass(frozen=True, kw_only=True)
class RaceAnswer:
    """What the race in one fold says, as plain as the cache can keep it.

    Attributes
    ----------
    chosen : str
        The winner in a few words; empty where there was no race.
    reason : str
        Why, in plain words; or why there was no race.
    metric : str
        What decided.
    arguments : mapping
        Those of :func:`autosynth.rebalance` that make the winner's rows; empty where no rows are to be made.
    class_weights : bool
        Whether the rows of all groups are to weigh the same instead.
    n_candidates : int
        How many were judged.
    seconds : float
        How long it took.
    """

    chosen: str = ""
    reason: str = ""
    metric: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    class_weights: bool = False
    n_candidates: int = 0
    seconds: float = 0.0

    @property
    def left_plain(self) -> str:
        """Why the fold gets neither rows nor weights: in the same words for all folds with the same winner."""
        if self.arguments or self.class_weights:
            return ""
        if not self.chosen:
            return f"no race could be run: {self.reason}"
        return f"a race on the fold's own rows found nothing better than {self.chosen!r}"

    @property
    def facts(self) -> dict[str, Any]:
        """What ``predictor.info()`` shows."""
        return {
            "chosen": self.chosen,
            "reason": self.reason,
            "metric": self.metric,
            "n_candidates": self.n_candidates,
            "seconds": round(self.seconds, 3),
        }

    def is_good_for(self, time_limit_s: float | None) -> bool:
        """Return whether a model with so much time takes the answer as it is, or whether to race again for it."""
        return bool(self.chosen) or not (time_limit_s is None or time_limit_s >= 2 * self.seconds > 0)


def raced_by(options: AutoOptions, given: Mapping[str, Any], eval_metric: str) -> AutoOptions:
    """Return the settings of a race that is about what AutoGluon is asked for, unless the user's own say otherwise.

    Parameters
    ----------
    options : AutoOptions
        The settings.
    given : mapping
        What the user wrote of them.
    eval_metric : str
        AutoGluon's name of the predictor's metric.
    """
    raced = RACED_METRICS.get(eval_metric)
    return options if raced is None or "metric" in given else replace(options, metric=raced)


def race_step(
    options: AutoOptions,
    rows: pd.DataFrame,
    label: Hashable,
    group_by: GroupBy,
    positive_class: Any,
    seed: int,
    budget_s: float,
) -> RaceAnswer:
    """Race on the rows of a fold, in this process or in another; rows that cannot be dealt to folds are an answer."""
    started = time.perf_counter()
    try:
        found = options.race(
            rows,
            label=label,
            group_by=group_by,
            random_state=seed,
            is_quiet=True,
            time_budget_s=budget_s,
            positive_class=positive_class,
        )
    except DataError as error:
        return RaceAnswer(reason=str(error), seconds=time.perf_counter() - started)
    return RaceAnswer(
        chosen=found.best.name,
        reason=found.best.reason,
        metric=found.metric.name,
        arguments=found.best.rebalance_arguments,
        class_weights=found.best.arm.class_weights,
        n_candidates=len(found.scored),
        seconds=time.perf_counter() - started,
    )


def race_in_fold(
    options: AutoOptions,
    table: Table,
    group_by: GroupBy,
    seed: int,
    time_limit_s: float | None,
    *,
    positive_class: Any = None,
) -> RaceAnswer:
    """Return what the race says, within the fold's time.

    Parameters
    ----------
    options : AutoOptions
        Settings of the race.
    table : Table
        The training rows of the fold, as generators see them.
    group_by
        As :func:`autosynth.tune` takes it.
    seed : int
        Decides folds and rows of the race.
    time_limit_s : float or None
        What the fold has for its generator.
    positive_class
        Of two classes the one that AutoGluon's metrics are about.

    Raises
    ------
    BudgetError, GeneratorTimeoutError
        If there was no time for two candidates, or if one of them could not be stopped in time.
    """
    budget_s = options.time_budget_s or UNLIMITED_S
    if time_limit_s is not None:
        budget_s = min(budget_s, SHARE * time_limit_s)
    arguments = (options, table.frame, table.label, group_by, positive_class, seed, budget_s)
    if time_limit_s is None or any(_is_of_script(part) for part in _objects(options)):
        answer = race_step(*arguments)
    else:
        answer = run_within(time_limit_s, "auto", race_step, *arguments)
    logger.log(15, "\tRace on %d rows, in %.1f s: %s", len(table), answer.seconds, answer.chosen or answer.reason)
    return answer


def _objects(options: AutoOptions) -> list[Any]:
    """Return what a user may have defined in a script, which no other process can load."""
    given = options.generators
    generators = list(given.values()) if isinstance(given, Mapping) else list(given or ())
    return [part for part in (*generators, options.learner, options.metric) if not isinstance(part, str)]


def _is_of_script(part: Any) -> bool:
    return "__main__" in (type(part).__module__, getattr(part, "__module__", ""))
