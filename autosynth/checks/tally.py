"""Tally: what is counted of a column in every group of the real rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from autosynth.checks.parts import Parts
from autosynth.checks.rounding import N_STEPS, steps_needed
from autosynth.state import value_from_state, value_to_state

if TYPE_CHECKING:
    from collections.abc import Hashable

    import numpy.typing as npt

    from autosynth.schema import ColumnSchema

    Codes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ColumnTally:
    """Counts of real rows, one number per group each.

    Attributes
    ----------
    name : Hashable
        The column.
    n_missing : tuple of int
        Rows without a value.
    n_single : tuple of int
        Rows of a boolean or category column whose value no other row of the table has: about as many fresh rows hold a
        value that no real row has (Good and Turing).
    n_extreme : tuple of int
        How many of the two limits of a number-like column the group reaches: 0, 1 or 2.
    n_steps : tuple of tuples of int, one tuple per group
        How many values of a number column need which step; see :func:`autosynth.checks.rounding.steps_needed`.
    """

    name: Hashable
    n_missing: tuple[int, ...]
    n_single: tuple[int, ...] = ()
    n_extreme: tuple[int, ...] = ()
    n_steps: tuple[tuple[int, ...], ...] = ()

    @classmethod
    def of(cls, values: pd.Series[Any], column: ColumnSchema, group_codes: Codes, n_groups: int) -> ColumnTally:
        """Count the values of a column by group."""

        def per_group(mask: npt.NDArray[np.bool_]) -> tuple[int, ...]:
            return tuple(np.bincount(group_codes[mask], minlength=n_groups).tolist())

        missing = per_group(values.isna().to_numpy(dtype=bool))
        if column.values is not None:
            codes, distinct = pd.factorize(values)
            counts = np.append(np.bincount(codes[codes >= 0], minlength=len(distinct)), 0)  # the last one: missing
            return cls(column.name, missing, n_single=per_group(counts[codes] == 1))
        if not column.is_number_like or column.minimum is None:
            return cls(column.name, missing)
        numbers = column.to_float(values)
        reached = [np.asarray(per_group(numbers == limit)) > 0 for limit in (column.minimum, column.maximum)]
        extreme = tuple((reached[0].astype(int) + reached[1]).tolist())
        if column.kind not in ("numeric", "integer"):
            return cls(column.name, missing, n_extreme=extreme)
        steps, looked_at = steps_needed(numbers, column)
        counts = np.bincount(group_codes[looked_at] * N_STEPS + steps, minlength=n_groups * N_STEPS)
        n_steps = tuple(tuple(some) for some in counts.reshape(n_groups, N_STEPS).tolist())
        return cls(column.name, missing, n_extreme=extreme, n_steps=n_steps)

    def to_dict(self) -> dict[str, Any]:
        """Return the counts as plain data for JSON."""
        counts = {name: list(getattr(self, name)) for name in ("n_missing", "n_single", "n_extreme")}
        return {"name": value_to_state(self.name), **counts, "n_steps": [list(some) for some in self.n_steps]}

    @classmethod
    def from_dict(cls, state: Any, n_groups: int) -> ColumnTally:
        """Return the counts that :meth:`to_dict` wrote.

        Raises
        ------
        DataError
            If they are none.
        """
        parts = Parts(state, of="the tally of a column")

        def per_group(name: str) -> tuple[int, ...]:
            return parts.wholes(name, n_groups if parts.part(name) else 0)

        steps = parts.items("n_steps", n_groups if parts.part("n_steps") else 0)
        return cls(
            value_from_state(parts.part("name")),
            parts.wholes("n_missing", n_groups),
            per_group("n_single"),
            per_group("n_extreme"),
            tuple(Parts({"steps": some}, of="the tally of a column").wholes("steps", N_STEPS) for some in steps),
        )
