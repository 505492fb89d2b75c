"""Draws rows until every cell has what it needs, within a budget, and counts what was thrown away."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Cells: TypeAlias = npt.NDArray[np.int64]
    Draw: TypeAlias = Callable[[Cells], tuple[npt.NDArray[np.float32], Cells]]

SURPLUS = 1.2  # drawn per row that is expected to be needed
MIN_ROUND_DRAWS = 100
MAX_ROUND_DRAWS = 100_000  # encoded rows held at a time


@dataclass(frozen=True)
class AcceptedRows:
    """Encoded rows of the right cells, and what it took to get them.

    Attributes
    ----------
    encoded : ndarray of shape (n_rows, n_dimensions)
        As the network drew them, ordered by cell.
    cells : ndarray of int, shape (n_rows,)
        The cell of each.
    n_rejected : int
        Rows drawn that were not of a cell that still wanted some.
    n_missing : int
        Rows still missing when the budget was used up.
    """

    encoded: npt.NDArray[np.float32]
    cells: Cells
    n_rejected: int
    n_missing: int

    @property
    def notes(self) -> Mapping[str, int]:
        """What is worth reporting."""
        notes = {
            "rows drawn and rejected, not being of a group that wanted some": self.n_rejected,
            "rows given up when the budget of rejection was used up": self.n_missing,
        }
        return {note: count for note, count in notes.items() if count}


def draw_until_full(draw: Draw, wanted: Cells, *, max_draws: int, max_rounds: int) -> AcceptedRows:
    """Collect ``wanted`` rows per cell.

    Parameters
    ----------
    draw : callable
        Takes the cells to try for, and returns as many encoded rows with the cells they came out with (-1 for none).
    wanted : ndarray of int, shape (n_cells,)
        Rows to collect per cell.
    max_draws, max_rounds : int
        The budget: rows drawn, and calls of ``draw``, in all.

    Examples
    --------
    >>> def draw(cells):  # every second row comes out in cell 0
    ...     got = np.where(np.arange(len(cells)) % 2, cells, 0)
    ...     return got[:, None].astype("float32"), got
    >>> rows = draw_until_full(draw, np.array([0, 30]), max_draws=1000, max_rounds=5)
    >>> rows.cells.tolist() == [1] * 30, rows.n_missing
    (True, 0)
    """
    missing = wanted.copy()
    kept: list[npt.NDArray[np.float32]] = []
    kept_cells: list[Cells] = []
    n_tried = np.zeros(len(wanted), dtype=np.int64)
    n_hit = np.zeros(len(wanted), dtype=np.int64)
    n_drawn = n_rejected = 0
    for _ in range(max_rounds):
        tries = _tries(missing, n_tried, n_hit, max_draws - n_drawn)
        if not len(tries):
            break
        encoded, cells = draw(tries)
        n_drawn += len(tries)
        n_rejected += int((~np.isin(cells, np.flatnonzero(missing))).sum())
        n_tried += np.bincount(tries, minlength=len(wanted))
        n_hit += np.bincount(cells[cells >= 0], minlength=len(wanted))
        for cell in np.flatnonzero(missing).tolist():
            rows = np.flatnonzero(cells == cell)[: missing[cell]]
            kept.append(encoded[rows])
            kept_cells.append(cells[rows])
            missing[cell] -= len(rows)
    encoded = np.concatenate(kept) if kept else np.empty((0, 0), dtype=np.float32)
    all_cells = np.concatenate([np.empty(0, dtype=np.int64), *kept_cells])
    order = np.argsort(all_cells, kind="stable")
    return AcceptedRows(encoded[order], all_cells[order], n_rejected, int(missing.sum()))


def _tries(missing: Cells, n_tried: Cells, n_hit: Cells, budget: int) -> Cells:
    """Choose the cells to try for: what is missing, scaled by how often a try has hit so far."""
    open_cells = np.flatnonzero(missing)
    hit_share = (n_hit[open_cells] + 1) / (n_tried[open_cells] + 1)  # no try yet counts as a sure hit
    needed = np.ceil(np.maximum(missing[open_cells] * SURPLUS / np.minimum(hit_share, 1.0), MIN_ROUND_DRAWS))
    scale = min(1.0, min(budget, MAX_ROUND_DRAWS) / needed.sum()) if len(open_cells) else 0.0
    return np.repeat(open_cells, np.floor(needed * scale).astype(np.int64))
