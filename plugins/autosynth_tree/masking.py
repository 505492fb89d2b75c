"""What a model of one column is trained on: real rows, shown several times with random cells hidden."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Codes = npt.NDArray[np.int64]
    Context = npt.NDArray[np.float32]

MIN_WEIGHT_ROWS = 50  # a group with fewer rows weighs no more per row than one of this size


@dataclass(frozen=True)
class TokenRows:
    """Real rows as models see them.

    Attributes
    ----------
    tokens : ndarray of int, shape (n_rows, n_columns)
        The cells.
    groups : ndarray of int, shape (n_rows,)
        The group of every row.
    axes : ndarray of int, shape (n_groups, n_axes)
        Each group as one code per label or group column, so that a rare cell borrows strength from those that share
        a code with it.
    """

    tokens: Codes
    groups: Codes
    axes: Codes

    @property
    def weights(self) -> npt.NDArray[np.float64]:
        """What each row counts: n_g^(-1/2), halfway between rows counting equally and groups counting equally.

        The rows of a tiny group count as if it were larger; else trees would learn them by heart.
        """
        sizes = np.maximum(np.bincount(self.groups), MIN_WEIGHT_ROWS)
        return np.asarray(1.0 / np.sqrt(sizes[self.groups]), dtype=np.float64)

    def shown(self, column: int, n_shown: int, rng: np.random.Generator) -> tuple[Codes, Context]:
        """Return rows drawn by their weights, and what the model of ``column`` sees of each.

        Of the other cells of a row a random share is hidden, from none to all, so that the model can answer whatever
        was drawn before it; the group is always visible.

        Returns
        -------
        positions : ndarray of int, shape (n_shown,)
        context : ndarray of float, shape (n_shown, n_axes + n_columns - 1)
            NaN where hidden.
        """
        positions = _drawn(self.weights, n_shown, rng)
        cells = self.tokens[positions].astype(np.float32)
        hidden_share = rng.random((n_shown, 1))
        cells[rng.random(cells.shape) < hidden_share] = np.nan
        return positions, context_of(self.axes[self.groups[positions]], cells, column)


def context_of(axes: Codes, cells: Context, column: int) -> Context:
    """Return what the model of ``column`` sees: the group and the other cells, NaN where hidden or not yet drawn."""
    return np.column_stack([axes.astype(np.float32), np.delete(cells, column, axis=1)])


def _drawn(weights: npt.NDArray[np.float64], n_drawn: int, rng: np.random.Generator) -> Codes:
    """Return positions, each as often as its weight says, to within one (systematic sampling)."""
    upper = np.cumsum(weights) / weights.sum() * n_drawn
    positions = np.searchsorted(upper, np.arange(n_drawn) + rng.random(), side="right")
    return np.minimum(positions, len(weights) - 1).astype(np.int64)
