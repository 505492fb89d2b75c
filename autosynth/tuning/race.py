"""A race of arms over folds: who runs next, who leaves, and when time is up."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from autosynth.exceptions import BudgetError
from autosynth.tuning.collected import Collected
from autosynth.tuning.rungs import n_better, n_trials, rungs

if TYPE_CHECKING:
    from autosynth.tuning.arm import Arm
    from autosynth.tuning.budget import TimeBudget
    from autosynth.tuning.candidate import Scored
    from autosynth.tuning.fold_runner import FoldRunner
    from autosynth.tuning.folds import Folds
    from autosynth.tuning.judge import Judge
    from autosynth.tuning.outcome import ArmOutcome


OnResult: TypeAlias = "Callable[[Scored], None]"
OnTrial: TypeAlias = "Callable[[Arm, int, int], None]"

__all__ = ["OnResult", "OnTrial", "Race"]

logger = logging.getLogger(__name__)


class _OutOfTimeError(Exception):
    """The next trial does not fit into the budget."""


class Race:
    """Runs the arms: first those without synthetic rows, through all folds, then the others, rung by rung.

    Parameters
    ----------
    runner : FoldRunner
        Runs an arm in a fold.
    arms : sequence of Arm
        Each once.
    folds : Folds
        All folds.
    judge : Judge
        Says which arms are better.
    budget : TimeBudget
        Asked before every trial.
    on_result, on_trial : callable, optional
        See :func:`autosynth.tuning.halving.measure_arms`.
    halving : bool
        Whether the worse half leaves after each rung.
    """

    def __init__(
        self,
        runner: FoldRunner,
        arms: Sequence[Arm],
        folds: Folds,
        judge: Judge,
        budget: TimeBudget,
        on_result: OnResult | None,
        on_trial: OnTrial | None,
        *,
        halving: bool,
    ) -> None:
        self._runner = runner
        self._judge = judge
        self._budget = budget
        self._on_result = on_result
        self._on_trial = on_trial
        self._halving = halving
        self._pairs = list(folds)
        self._arms = {arm: Collected(arm, folds, judge.coded) for arm in arms}
        self._synthetic = [arm for arm in arms if arm.is_synthetic]
        self._seconds: list[float] = []  # of the trials so far, for the guess whether another one fits
        self._n_trials = 0
        self._first_error: Exception | None = None

    def run(self) -> list[ArmOutcome]:
        """Run what the budget allows."""
        try:
            for arm in self._arms:
                if not arm.is_synthetic:
                    self._run_folds([arm], self._pairs)
                    self._tell([arm])
            self._seconds = []  # trials with synthetic rows take longer than those without
            self._race()
        except _OutOfTimeError:
            self._stop_all()
        if self._first_error is not None and all(one.status == "failed" for one in self._arms.values()):
            raise self._first_error
        self._check_enough()
        return [collected.outcome() for collected in self._arms.values()]

    def _race(self) -> None:
        """Run the arms with synthetic rows: all at once rung by rung, or generator by generator without halving."""
        if not self._halving:
            for generator in dict.fromkeys(arm.generator for arm in self._synthetic):
                entrants = [arm for arm in self._synthetic if arm.generator == generator]
                self._run_folds(entrants, self._pairs)
                self._tell(entrants)
            return
        for start, stop in rungs(len(self._pairs)):
            self._run_folds(self._synthetic, self._pairs[start:stop])
            if stop < len(self._pairs):
                self._halve(stop)
        self._tell([arm for arm in self._synthetic if self._arms[arm].status == "done"])

    def _run_folds(self, arms: Sequence[Arm], pairs: Sequence[tuple[int, int]]) -> None:
        for repeat, fold in pairs:
            for arm in arms:
                if self._arms[arm].is_running:
                    self._try(arm, repeat, fold)

    def _try(self, arm: Arm, repeat: int, fold: int) -> None:
        """Run an arm in a fold; an error takes it out of the race, unless every arm would meet the same one."""
        result = self._runner.known(arm, repeat, fold)
        if result is None:
            expected = float(np.mean(self._seconds)) if self._seconds else 0.0
            if not self._budget.has_time_for(expected):
                raise _OutOfTimeError
            try:
                result = self._runner.run(arm, repeat, fold)
            except Exception as error:
                if not arm.is_synthetic and not arm.class_weights:
                    raise
                logger.info("arm %r failed in fold %d of repeat %d", arm.name, fold, repeat, exc_info=True)
                self._first_error = self._first_error or error
                self._arms[arm].leave("failed", f"{type(error).__name__}: {error}")
        if result is not None:
            self._seconds.append(result.seconds)
            self._arms[arm].add(repeat, fold, result)
        self._n_trials += 1
        if self._on_trial is not None:
            self._on_trial(arm, self._n_trials, self._planned())

    def _planned(self) -> int:
        n_plain = len(self._arms) - len(self._synthetic)
        return n_trials(n_plain, len(self._synthetic), len(self._pairs), halving=self._halving)

    def _halve(self, n_done: int) -> None:
        """Take the worse half out when there is enough to tell, and of the rest those that there is no time for."""
        running = [arm for arm in self._synthetic if self._arms[arm].is_running]
        ranked = sorted(running, key=self._loss)  # stable: of equals, the arm named first stays
        n_good = n_better(len(ranked), n_done)
        n_fitting = self._n_fitting(len(self._pairs) - n_done)
        kept, left, late = ranked[: min(n_good, n_fitting)], ranked[n_good:], ranked[n_fitting:n_good]
        of_folds = f"after {n_done} of {len(self._pairs)} folds"
        for arm in left:
            self._arms[arm].leave("dropped", f"{of_folds}, {n_good} of {len(ranked)} arms with rows were better")
        for arm in late:
            self._arms[arm].leave(
                "out of time", f"{of_folds}, there was time left for {len(kept)} of the arms with rows"
            )
        self._tell([arm for arm in ranked if arm in (*left, *late)])

    def _n_fitting(self, n_folds: int) -> int:
        """Return how many arms there is time for in the rest of the folds, one at least."""
        if math.isinf(self._budget.left_s):
            return len(self._arms)
        per_arm = float(np.mean(self._seconds)) * n_folds if self._seconds else 0.0
        return max(1, int(self._budget.left_s / per_arm)) if per_arm else len(self._arms)

    def _loss(self, arm: Arm) -> float:
        """Return the least loss of an arm's candidates in the folds so far."""
        losses = [scored.loss for scored in self._judge.score(self._arms[arm].outcome())]
        return min((loss for loss in losses if not math.isnan(loss)), default=math.inf)

    def _tell(self, arms: Iterable[Arm]) -> None:
        if self._on_result is None:
            return
        for arm in arms:
            if self._arms[arm].status != "failed":
                for scored in self._judge.score(self._arms[arm].outcome()):
                    self._on_result(scored)

    def _stop_all(self) -> None:
        for collected in self._arms.values():
            if collected.is_running:
                reason = f"the time budget of {self._budget.seconds:g} s ended after {collected.n_done} of its folds"
                collected.leave("out of time", reason)

    def _check_enough(self) -> None:
        """Raise when the budget ended before there was anything to compare."""
        late = [one for one in self._arms.values() if one.status == "out of time"]
        done = [arm for arm, one in self._arms.items() if one.status == "done"]
        plain_is_missing = any(not one.arm.is_synthetic and not one.arm.class_weights for one in late)
        if not late or (len(done) >= min(2, len(self._arms)) and not plain_is_missing):
            return
        measured = ", ".join(f"{one.arm.name!r} {one.n_done}" for one in self._arms.values() if one.n_done)
        n_folds = len(self._pairs)
        raise BudgetError(
            f"time_budget_s={self._budget.seconds:g} ended before two candidates had run all {n_folds} folds. Folds "
            f"run: {measured or 'none'}.{self._needed()} Give more time, a smaller cv, or fewer rows; with a ledger, "
            "what was measured is not lost."
        )

    def _needed(self) -> str:
        """Say how much time a race takes, where a trial has shown it."""
        if not self._n_trials:
            return ""
        per_trial = self._budget.used_s / self._n_trials
        two = 2 * len(self._pairs) * per_trial
        return f" Two candidates need about {two:.3g} s here, and all up to {self._planned() * per_trial:.3g} s."
