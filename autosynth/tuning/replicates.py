"""Replicates: one set of bootstrap weights for all candidates of a race, so that their differences are paired."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from autosynth.gains import LossSums
from autosynth.risk import Ranking, all_weights

if TYPE_CHECKING:
    import numpy.typing as npt

    from autosynth.risk import Cells, Weights

    Floats: TypeAlias = npt.NDArray[np.float64]
    Codes: TypeAlias = npt.NDArray[np.int64]

__all__ = ["Replicates"]

MOST_KEPT = 40_000_000  # weights, 160 MB; a larger race draws them again for every candidate


class Replicates:
    """Poisson weights of the rows, the same ones whenever they are asked for."""

    def __init__(self, cells: Cells, n_bootstrap: int, seed: int) -> None:
        self.cells = cells
        self.n_bootstrap = n_bootstrap
        self.places = np.empty(len(cells.order), dtype=np.int64)  # of the input rows, in the order of the cells
        self.places[cells.order] = np.arange(len(cells.order))
        self._seed = seed
        self._kept: list[tuple[slice, Weights]] | None = None

    def __iter__(self) -> Iterator[tuple[slice, Weights]]:
        """Yield blocks of replicates and their weights (n_block, n_rows), whose rows stand in the order of cells."""
        if self._kept is None:
            blocks = all_weights(self.cells, n_bootstrap=self.n_bootstrap, rng=np.random.default_rng(self._seed))
            if len(self.cells.order) * (1 + self.n_bootstrap) > MOST_KEPT:
                yield from blocks
                return
            self._kept = list(blocks)
        yield from self._kept

    def sums(self, columns: Floats) -> Floats:
        """Return weighted sums of columns (n_rows, n_columns) per cell, shape (1 + n_bootstrap, n_cells, n_columns)."""
        sums = LossSums(columns, self.cells, self.n_bootstrap)
        for replicates, weights in self:
            sums.add(replicates, weights)
        return sums.sums[:, :, 1:]

    def ranking(self, rankings: Sequence[tuple[Ranking, Codes]]) -> tuple[Floats, Floats]:
        """Return AUC and average precision, each of shape (1 + n_bootstrap, n_rankings).

        Parameters
        ----------
        rankings : sequence of (Ranking, ndarray of int)
            Each with the input rows that it ranks.
        """
        shape = (1 + self.n_bootstrap, len(rankings))
        auc, precision = np.empty(shape), np.empty(shape)
        for replicates, weights in self:
            for place, (ranking, rows) in enumerate(rankings):
                both = ranking.auc_and_average_precision(weights[:, self.places[rows]])
                auc[replicates, place], precision[replicates, place] = both
        return auc, precision
