"""Coded rows and orders of the columns as tensors, and what the copula base expects of each cell.

Shapes: B rows, C columns, G groups, P orders in the pool.

Imports torch, so that only methods import this module.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    import numpy.typing as npt

    from autosynth.cells import Cells
    from autosynth_llm.transformer.copula import CopulaBase

MAX_FACTOR_FLOATS = 20_000_000  # bounds the memory of the pool of orders
MIN_ORDERS, MAX_ORDERS = 4, 256
MIN_GROUP_ROWS = 400  # a row of a smaller group counts no more, lest the network learn it by heart


@dataclass(frozen=True)
class Rows:
    """Coded real rows."""

    tokens: Tensor  # B, C
    scores: Tensor  # B, C: what the network sees
    latent: Tensor  # B, C: what the copula base sees
    group: Tensor  # B
    weight: Tensor  # B, sums to 1

    @classmethod
    def take(
        cls,
        cells: Cells,
        latent: npt.NDArray[np.float64],
        group_codes: npt.NDArray[np.int64],
        positions: npt.NDArray[np.int64],
        balance: float,
    ) -> Rows:
        """Return the rows at ``positions``; a row of group g counts n_g to the power of minus ``balance``."""
        weight = row_weights(group_codes, balance)[positions]
        return cls(
            torch.as_tensor(cells.tokens[positions]),
            torch.as_tensor(cells.scores[positions], dtype=torch.float32),
            torch.as_tensor(latent[positions], dtype=torch.float32),
            torch.as_tensor(group_codes[positions]),
            torch.as_tensor(weight / weight.sum(), dtype=torch.float32),
        )

    def pick(self, index: Tensor) -> Rows:
        """Return some of the rows."""
        return Rows(*(part[index] for part in self._parts()))

    def to(self, device: str) -> Rows:
        """Return the rows on a device."""
        return Rows(*(part.to(device) for part in self._parts()))

    def _parts(self) -> tuple[Tensor, ...]:
        return self.tokens, self.scores, self.latent, self.group, self.weight

    def __len__(self) -> int:
        return len(self.group)


@dataclass(frozen=True)
class Orders:
    """A pool of random orders of the columns, with what predicts each score from those before it."""

    columns: Tensor  # P, C
    weights: Tensor  # G, P, C, C
    deviations: Tensor  # G, P, C

    @classmethod
    def draw(cls, base: CopulaBase, rng: np.random.Generator, n_orders: int | None = None) -> Orders:
        """Draw ``n_orders`` orders, or as many as memory allows."""
        n_groups, n_columns = base.means.shape
        if n_orders is None:
            n_orders = int(np.clip(MAX_FACTOR_FLOATS // (n_groups * n_columns**2), MIN_ORDERS, MAX_ORDERS))
        columns = np.argsort(rng.random((n_orders, n_columns)), axis=1)
        weights, deviations = base.factors(columns)
        return cls(torch.as_tensor(columns), torch.as_tensor(weights), torch.as_tensor(deviations))

    def first(self, n_orders: int) -> Orders:
        """Return the first orders of the pool, as a copy that keeps nothing of the others in memory."""
        parts = (self.columns[:n_orders], self.weights[:, :n_orders], self.deviations[:, :n_orders])
        return Orders(*(part.clone() for part in parts))

    def to(self, device: str) -> Orders:
        """Return the pool on a device."""
        return Orders(self.columns.to(device), self.weights.to(device), self.deviations.to(device))

    def expect(self, means: Tensor, rows: Rows, has_score: Tensor, picked: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return where the base expects each score, given the cells before it.

        Parameters
        ----------
        means : Tensor of shape (G, C)
            Of the groups.
        rows : Rows
            Coded rows.
        has_score : Tensor of shape (B, C)
            0 where a cell is missing or unordered; such a cell says nothing of the others, here.
        picked : Tensor of shape (B,)
            The order of every row, as a position in the pool.

        Returns
        -------
        order : Tensor of shape (B, C)
        expected, deviation : Tensor of shape (B, C)
            In the order of the table.
        """
        order = self.columns[picked]
        centre = means[rows.group]
        centred = ((rows.latent - centre) * has_score).gather(1, order)
        shift = torch.bmm(self.weights[rows.group, picked], centred[:, :, None])[:, :, 0]
        expected = torch.empty_like(centre).scatter_(1, order, centre.gather(1, order) + shift)
        deviation = torch.empty_like(centre).scatter_(1, order, self.deviations[rows.group, picked])
        return order, expected, deviation


def row_weights(group_codes: npt.NDArray[np.int64], balance: float) -> npt.NDArray[np.float64]:
    """Return n_g to the power of minus ``balance`` for every row, n_g being at least ``MIN_GROUP_ROWS``."""
    sizes = np.maximum(np.bincount(group_codes), MIN_GROUP_ROWS).astype(np.float64)
    return np.asarray(sizes[group_codes] ** -balance, dtype=np.float64)
