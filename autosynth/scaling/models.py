"""The models of a scaling curve: what decides them, and how they come about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from autosynth.plugins import current_plugins
from autosynth.scaling.real_rows import RealRowsRunner, measure_real_rows
from autosynth.seeding import as_generator, integer_seed
from autosynth.tuning.arm import CLASS_WEIGHTS, NONE, Arm
from autosynth.tuning.halving import measure_arms

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from autosynth.scaling.reserve import Reserve
    from autosynth.table import Table
    from autosynth.tuning.budget import TimeBudget
    from autosynth.tuning.folds import Folds
    from autosynth.tuning.judge import Judge
    from autosynth.tuning.learners import TableLearner
    from autosynth.tuning.ledger import Ledger
    from autosynth.tuning.outcome import ArmOutcome
    from autosynth.tuning.race import OnTrial
    from autosynth.tuning.racer import Racer

    Mask: TypeAlias = npt.NDArray[np.bool_]

__all__ = ["CurveModels"]


@dataclass(frozen=True, kw_only=True)
class CurveModels:
    """Everything that decides the models of a curve.

    Attributes
    ----------
    table, folds, judge, learner, racer
        Real rows, how they are split, who scores, what is trained, and whose rows are added.
    zero : Arm
        Oversampled only.
    arms : mapping of int to Arm
        By N.
    seed : int
        Decides the synthetic rows.
    ledger : Ledger
    budget : TimeBudget
    real_sizes : tuple of int
        N of the models on real rows.
    on_trial : callable
        Called after every model with its arm, how many there are so far and how many there will be.
    """

    table: Table
    folds: Folds
    judge: Judge
    learner: TableLearner
    racer: Racer
    zero: Arm
    arms: Mapping[int, Arm]
    seed: int
    ledger: Ledger
    budget: TimeBudget
    real_sizes: tuple[int, ...]
    on_trial: OnTrial

    @property
    def all_arms(self) -> list[Arm]:
        return [NONE, CLASS_WEIGHTS, self.zero, *self.arms.values()]

    @property
    def n_models(self) -> int:
        return len(self.folds) * (len(self.all_arms) + len(self.real_sizes))

    def measure(self) -> dict[Arm, ArmOutcome]:
        """Train and ask all models but those on real rows."""
        outcomes = measure_arms(
            self.table,
            self.all_arms,
            self.folds,
            self.learner,
            judge=self.judge,
            ledger=self.ledger,
            rng=self.seed,
            time_budget_s=self.budget.seconds,
            halving=False,
            racers={self.racer.name: self.racer},
            on_trial=lambda arm, n_done, _: self.on_trial(arm, n_done, self.n_models),
        )
        return {outcome.arm: outcome for outcome in outcomes}

    def measure_real(self, reserve: Reserve, mask: Mask) -> dict[int, ArmOutcome]:
        """Train and ask the models on real rows in the folds that count; sizes that the time was too short for lack."""
        # What measure_arms draws from the same seed: the same folds then have the same synthetic rows.
        arms = {n: self.arms.get(n, self._arm_of(n)) for n in self.real_sizes}
        runner = RealRowsRunner(
            reserve,
            self.zero,
            table=self.table,
            folds=self.folds,
            arms=self.all_arms,
            learner=self.learner,
            racers={self.racer.name: self.racer},
            seed=integer_seed(as_generator(self.seed)),
            ledger=self.ledger,
            registry=current_plugins(),
        )
        n_before = len(self.folds) * len(self.all_arms)
        n_done = iter(range(n_before + 1, self.n_models + 1))
        pairs = [pair for pair in self.folds if mask[pair]]
        outcomes = measure_real_rows(
            runner,
            list(arms.values()),
            self.table,
            self.folds,
            pairs,
            self.budget,
            on_trial=lambda arm: self.on_trial(arm, next(n_done), self.n_models),
        )
        return {n: outcome for n, outcome in zip(arms, outcomes, strict=True) if outcome.n_done == len(pairs)}

    def _arm_of(self, n: int) -> Arm:
        like = next(iter(self.arms.values()))
        return Arm(generator=like.generator, augment=n, alpha=like.alpha, synthetic_weight=like.synthetic_weight)
