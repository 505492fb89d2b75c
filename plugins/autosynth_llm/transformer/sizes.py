"""How large the network and its training are, by the options or by the table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autosynth_llm.transformer.options import TransformerOptions

SMALL_ROWS, LARGE_ROWS, HUGE_ROWS = 1_000, 5_000, 50_000
CELLS_PER_STEP = 6_000  # a training step sees about this many cells, within the limits below


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """The options that may be None, with the values that they have for one table.

    Small tables get a small network and several members, large ones a wider network and one member.  The cost of a step
    grows with rows x cells, so wide tables get fewer rows per step.
    """

    bins: int
    width: int
    layers: int
    heads: int
    members: int
    steps: int
    batch_size: int

    @classmethod
    def of(cls, options: TransformerOptions, n_rows: int, n_columns: int) -> Sizes:
        """Return the sizes for a table; what the options set stays."""
        small, large, huge = n_rows < SMALL_ROWS, n_rows >= LARGE_ROWS, n_rows >= HUGE_ROWS
        width = options.width or (64 if large else 32)
        return cls(
            bins=options.bins or (16 if n_rows < 300 else 32),
            width=width,
            layers=options.layers or 2,
            heads=options.heads or next(heads for heads in (4 if large else 2, 3, 2, 1) if width % heads == 0),
            members=options.members or (3 if small else 1),
            steps=options.steps or (300 if small else 2_500 if huge else 1_000 if large else 600),
            batch_size=options.batch_size or max(8, min(48 if small else 128, CELLS_PER_STEP // max(1, n_columns))),
        )
