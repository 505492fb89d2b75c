"""The reference of real rows: the models of a curve again, with real rows in place of the augmented ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from autosynth.tuning.collected import Collected
from autosynth.tuning.fold_runner import FoldRunner
from autosynth.tuning.fold_source import FoldRows, plan_of
from autosynth.tuning.label_codes import Coded

if TYPE_CHECKING:
    from autosynth.scaling.reserve import Reserve
    from autosynth.table import Table
    from autosynth.tuning.arm import Arm
    from autosynth.tuning.budget import TimeBudget
    from autosynth.tuning.folds import Folds
    from autosynth.tuning.outcome import ArmOutcome

__all__ = ["RealRowsRunner", "measure_real_rows"]


class RealRowsRunner(FoldRunner):
    """Runs arms in folds with real rows where augmented ones would be; oversampled rows are those of the other models.

    Parameters
    ----------
    reserve : Reserve
        The real rows.
    oversampled : Arm
        The arm without augmentation.
    **race
        What the runner of the other models was made with: the same arms among them, so that a generator that learns
        again gives the same rows again.
    """

    def __init__(self, reserve: Reserve, oversampled: Arm, **race: Any) -> None:
        super().__init__(**race)
        self._reserve = reserve
        self._oversampled = oversampled

    def _rows_of(self, generator: str, repeat: int, fold: int) -> FoldRows:
        train = self._parts_of(repeat, fold).train
        return self._reserve.in_place_of(super()._rows_of(generator, repeat, fold), plan_of(self._oversampled, train))

    def _key(self, arm: Arm, repeat: int, fold: int) -> dict[str, Any]:
        return {**super()._key(arm, repeat, fold), "reserve": self._reserve.fingerprint}


def measure_real_rows(
    runner: RealRowsRunner,
    arms: Sequence[Arm],
    table: Table,
    folds: Folds,
    pairs: Sequence[tuple[int, int]],
    budget: TimeBudget,
    on_trial: Callable[[Arm], None],
) -> list[ArmOutcome]:
    """Return what the models of the arms say of the validation rows, as far as the budget allows.

    Parameters
    ----------
    runner : RealRowsRunner
        Of the table and its folds.
    arms : sequence of Arm
        One per size.
    table : Table
        The rows that train and validate.
    folds : Folds
        Of these rows.
    pairs : sequence of (repeat, fold)
        The folds that the other models ran.
    budget : TimeBudget
        Of the whole curve.
    on_trial : callable
        Called after every model.
    """
    coded = Coded.of(table)
    collected = {arm: Collected(arm, folds, coded) for arm in arms}
    for repeat, fold in pairs:
        for arm, one in collected.items():
            result = runner.known(arm, repeat, fold)
            if result is None:
                if not budget.has_time_for(one.seconds / max(one.n_done, 1)):
                    return [each.outcome() for each in collected.values()]
                result = runner.run(arm, repeat, fold)
            one.add(repeat, fold, result)
            on_trial(arm)
    return [one.outcome() for one in collected.values()]
