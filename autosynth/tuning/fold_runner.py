"""Runs arms in folds: reads from the ledger what was measured before, and measures and writes down the rest."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from autosynth.tuning.fold_source import FoldRows, draw_fold_rows, fold_stream, largest_counts
from autosynth.tuning.trial import FoldParts, FoldResult, run_trial

if TYPE_CHECKING:
    from autosynth.groups import Group
    from autosynth.plugins import PluginRegistry
    from autosynth.table import Table
    from autosynth.tuning.arm import Arm
    from autosynth.tuning.folds import Folds
    from autosynth.tuning.learners import TableLearner
    from autosynth.tuning.ledger import Ledger
    from autosynth.tuning.racer import Racer

__all__ = ["FoldRunner"]


class FoldRunner:
    """One race's way from an arm and a fold to a result.

    Parameters
    ----------
    table : Table
        Real rows.
    folds : Folds
        Of these rows.
    arms : iterable of Arm
        All arms of the race: a generator is asked for the most rows that any of its arms needs, whether or not that
        arm is still racing, so that no arm's rows depend on the fate of another.
    learner : TableLearner
        What is trained.
    racers : mapping of str to Racer
        The generators by their names in the arms.
    seed : int
        Decides the rows.
    ledger : Ledger
        Already claimed.
    registry : PluginRegistry
        Whose row filters apply.
    clock : callable
        Gives the time in seconds.
    """

    def __init__(
        self,
        table: Table,
        folds: Folds,
        arms: Iterable[Arm],
        learner: TableLearner,
        racers: Mapping[str, Racer],
        *,
        seed: int,
        ledger: Ledger,
        registry: PluginRegistry,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._table = table
        self._folds = folds
        self._arms = tuple(arms)
        self._learner = learner
        self._racers = racers
        self._described = {name: racer.description for name, racer in racers.items()}
        self._seed = seed
        self._ledger = ledger
        self._registry = registry
        self._clock = clock
        # Folds are run one after the other, so only the last one's parts and rows are kept.
        self._fold: tuple[int, int] | None = None
        self._parts: FoldParts | None = None
        self._counts: dict[str, dict[Group, int]] = {}
        self._rows: dict[str, FoldRows | Exception] = {}

    def known(self, arm: Arm, repeat: int, fold: int) -> FoldResult | None:
        """Return the result that the ledger holds, or None."""
        if self._ledger.folder is None:
            return None
        return self._ledger.get(self._key(arm, repeat, fold))

    def run(self, arm: Arm, repeat: int, fold: int) -> FoldResult:
        """Measure an arm in a fold and write the result down; what the learner or the generator raises passes."""
        started = self._clock()
        rows = self._rows_of(arm.generator, repeat, fold) if arm.generator is not None else None
        result = run_trial(arm, self._parts_of(repeat, fold), self._learner, rows)
        result = replace(result, seconds=self._clock() - started)
        if self._ledger.folder is not None:
            self._ledger.put(self._key(arm, repeat, fold), result)
        return result

    def _parts_of(self, repeat: int, fold: int) -> FoldParts:
        if self._fold != (repeat, fold) or self._parts is None:
            self._fold, self._parts = (repeat, fold), FoldParts.of(self._table, self._folds, repeat, fold)
            self._counts, self._rows = {}, {}
        return self._parts

    def _counts_of(self, generator: str, repeat: int, fold: int) -> dict[Group, int]:
        train = self._parts_of(repeat, fold).train
        if generator not in self._counts:
            self._counts[generator] = largest_counts((arm for arm in self._arms if arm.generator == generator), train)
        return self._counts[generator]

    def _rows_of(self, generator: str, repeat: int, fold: int) -> FoldRows:
        """Return the rows of a generator in a fold; where it failed once, the same error is raised for every arm."""
        train = self._parts_of(repeat, fold).train
        if generator not in self._rows:
            try:
                self._rows[generator] = self._draw(generator, train, repeat, fold)
            except Exception as error:
                self._rows[generator] = error
        found = self._rows[generator]
        if isinstance(found, Exception):
            raise found
        return found

    def _draw(self, generator: str, train: Table, repeat: int, fold: int) -> FoldRows:
        def draw() -> FoldRows:
            stream = fold_stream(self._seed, generator, repeat, fold)
            counts = self._counts_of(generator, repeat, fold)
            return draw_fold_rows(self._racers[generator], train, counts, stream, self._registry)

        if self._ledger.folder is None:
            return draw()
        key = {"rows": self._origin(generator, repeat, fold), "repeat": repeat, "fold": fold}
        rows = self._ledger.get_rows(key, train)
        if rows is None:
            rows = draw()
            self._ledger.put_rows(key, rows)
        return rows

    def _key(self, arm: Arm, repeat: int, fold: int) -> dict[str, Any]:
        origin = {} if arm.generator is None else self._origin(arm.generator, repeat, fold)
        return {"arm": arm.to_dict(), "origin": origin, "repeat": repeat, "fold": fold}

    def _origin(self, generator: str, repeat: int, fold: int) -> dict[str, Any]:
        """Return what decides the rows of a generator in a fold, beside what all results share."""
        counts = self._counts_of(generator, repeat, fold)
        return {**self._described[generator], "asked": [[str(group), n] for group, n in counts.items()]}
