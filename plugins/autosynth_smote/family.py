"""From parents to children: which rows a new row comes from, and its cells."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from autosynth import Table
    from autosynth_smote.encoding import ColumnRoles, EncodedRows


@dataclass(frozen=True)
class Family:
    """The new rows of one group, by their parents.

    Attributes
    ----------
    parents : ndarray of int, shape (n_rows, 2)
        Positions in the table of the base row and of the neighbour that it is interpolated with, -1 for none.
    numbers : ndarray of float, shape (n_rows, n_number_columns)
        Interpolated cells, missing where the base row's cell is missing.
    donors : ndarray of int, shape (n_rows, n_category_columns)
        Position in the table of the row whose category won the vote.
    notes : mapping of str to int
        Events to report.
    """

    parents: npt.NDArray[np.int64]
    numbers: npt.NDArray[np.float64]
    donors: npt.NDArray[np.int64]
    notes: Mapping[str, int] = field(default_factory=dict)


def copies(rows: EncodedRows, bases: npt.NDArray[np.int64], notes: Mapping[str, int]) -> Family:
    """Return children that equal the rows at ``bases``."""
    positions = rows.positions[bases]
    parents = np.column_stack([positions, np.full(len(bases), -1)])
    donors = np.repeat(positions[:, None], rows.codes.shape[1], axis=1)
    return Family(parents, rows.numbers[bases], donors, notes)


def interpolate(
    base: npt.NDArray[np.float64], partner: npt.NDArray[np.float64], gap: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return the numbers at the share ``gap`` of the way from base to partner, shape (n_rows, n_columns).

    Missing exactly where the base is missing; where only the partner is, the base's number stays.
    """
    partner = np.where(np.isnan(partner), base, partner)
    between = base + gap[:, None] * (partner - base)
    # Rounding could put the last bit outside the segment, and a row on the edge of a bin into the next bin.
    return np.clip(between, np.fmin(base, partner), np.fmax(base, partner))


def vote(base: npt.NDArray[np.int32], voters: npt.NDArray[np.int32], rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Return which voter holds the most frequent category among the voters.

    Parameters
    ----------
    base : ndarray of int, shape (n_rows,)
        The base rows' codes, -1 for missing.
    voters : ndarray of int, shape (n_rows, n_voters)
        The codes of the rows that vote; missing ones abstain.
    rng : numpy.random.Generator
        Breaks ties.

    Returns
    -------
    ndarray of int, shape (n_rows,)
        Column in ``voters``; -1 where the base row's own cell stays: where it is missing, or all voters abstain.
    """
    votes = np.zeros(voters.shape)
    for ballot in voters.T:
        votes += voters == ballot[:, None]
    votes[voters < 0] = 0.0
    winner = np.argmax(votes + rng.random(votes.shape), axis=1)
    keeps_own = (base < 0) | ~(voters >= 0).any(axis=1)
    return np.where(keeps_own, -1, winner)


def to_frame(table: Table, roles: ColumnRoles, families: Sequence[Family]) -> pd.DataFrame:
    """Return the children of all families as a frame in the columns and dtypes of the table."""
    base = np.concatenate([family.parents[:, 0] for family in families])
    numbers = np.concatenate([family.numbers for family in families])
    donors = np.concatenate([family.donors for family in families])
    cells: dict[Any, pd.Series[Any]] = {}
    for place, column in enumerate(roles.numbers):
        if column.name in roles.interpolated:
            cells[column.name] = column.from_float(numbers[:, place])
    for place, column in enumerate(roles.categories):
        if column.name in roles.voted:
            cells[column.name] = table.frame[column.name].iloc[donors[:, place]].reset_index(drop=True)
    for name in roles.copied:
        cells[name] = table.frame[name].iloc[base].reset_index(drop=True)
    return pd.DataFrame({name: cells[name] for name in table.schema.names})
