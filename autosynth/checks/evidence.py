"""Evidence: real and synthetic rows side by side, kept for the pictures of a report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from autosynth.table import Table


@dataclass(frozen=True, eq=False)
class Evidence:
    """The rows that a report speaks of.

    Attributes
    ----------
    table : Table
        The real rows in their groups.
    synthetic : DataFrame of shape (n_synthetic, n_columns)
        In the columns and dtypes of the table, index ignored.
    group_codes : ndarray of int, shape (n_synthetic,)
        Position of each synthetic row's group in ``table.groups``.
    n_given : int or None
        Rows that came, of which ``synthetic`` are those that fit the table; None where nobody counted.
    """

    table: Table
    synthetic: pd.DataFrame
    group_codes: npt.NDArray[np.int64]
    n_given: int | None = None
