"""Rows that repeat a real row or an earlier synthetic one, and tables in which that is natural."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autosynth_llm.api.prompt import PromptWriter

COPY_OF_REAL = "a copy of a real row"
DUPLICATE = "a duplicate of an earlier synthetic row"
NATURAL_SHARE = 0.5


@dataclass(frozen=True)
class Repeats:
    """Decides for one table which repeated rows are refused.

    Where at least half of the real rows have a twin in the columns sent, as with a few truth values, repeats are
    natural, and refusing them would both starve the request and bend the distribution: then all are kept.  Elsewhere a
    repeat is refused, unless the real rows themselves hold the same row at least twice.

    Attributes
    ----------
    twin_share : float
        Share of the real rows that equal another one in the columns sent, 0 to 1.
    """

    twin_share: float

    @classmethod
    def of(cls, writer: PromptWriter) -> Repeats:
        """Measure the real rows of a table."""
        names = [column.column.name for column in writer.columns]
        return cls(float(writer.table.frame[names].duplicated(keep=False).mean()))

    @property
    def are_natural(self) -> bool:
        """Whether no row is refused for being a repeat."""
        return self.twin_share >= NATURAL_SHARE

    def judge(self, rows: Sequence[tuple[str, ...]], real: Sequence[tuple[str, ...]]) -> list[str]:
        """Return for every row of a group why it is a repeat to be refused, or "".

        Examples
        --------
        >>> Repeats(twin_share=0.1).judge([("1",), ("2",), ("2",), ("3",)], real=[("1",), ("3",), ("3",)])
        ['a copy of a real row', '', 'a duplicate of an earlier synthetic row', '']
        """
        if self.are_natural:
            return [""] * len(rows)
        n_real = Counter(real)
        seen: set[tuple[str, ...]] = set()
        reasons = []
        for row in rows:
            if n_real[row] == 1:
                reasons.append(COPY_OF_REAL)
            else:
                reasons.append(DUPLICATE if row in seen and not n_real[row] else "")
            seen.add(row)
        return reasons
