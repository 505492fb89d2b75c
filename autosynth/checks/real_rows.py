"""RealRows: the rows themselves, for the checks that no summary can serve."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from autosynth.checks.contamination import KnownRows

if TYPE_CHECKING:
    import pandas as pd

    from autosynth.table import Table


@dataclass(frozen=True, eq=False)
class RealRows:
    """Training rows, and held-out rows when there are some.

    Attributes
    ----------
    table : Table
        The rows that the generator learned from, in their groups.
    holdout : DataFrame or None
        Rows that it never saw; the label may be left out.
    placed : KnownRows or None
        The same rows ready to be searched for copies, where the caller has them already.
    """

    table: Table
    holdout: pd.DataFrame | None = None
    placed: KnownRows | None = None

    @cached_property
    def known(self) -> KnownRows:
        """The same rows, ready to be searched for copies.

        Raises
        ------
        DataError
            If the held-out rows have other columns, or none of them fits the schema of the table.
        """
        return KnownRows.of(self.table, self.holdout) if self.placed is None else self.placed
