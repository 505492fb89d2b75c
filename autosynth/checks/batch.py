"""Batch: synthetic rows as the checks see them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd
from pandas.api import types as pdt

from autosynth.conform import FaultKind, hold_against
from autosynth.exceptions import DataError

if TYPE_CHECKING:
    from collections.abc import Hashable

    import numpy.typing as npt

    from autosynth.groups import GroupAxis, Grouping
    from autosynth.schema import ColumnSchema, TableSchema

NO_GROUP = "in no group of the real rows"


class KnowsTable(Protocol):
    """What a batch must know of the real rows: a Reference does, and so does a Table."""

    @property
    def schema(self) -> TableSchema:
        """What the columns are."""

    @property
    def grouping(self) -> Grouping:
        """What the groups are."""


@dataclass(frozen=True, eq=False)
class Batch:
    """Synthetic rows to be judged.

    Attributes
    ----------
    given : DataFrame of shape (n_given, n_columns)
        The rows as they came.
    frame : DataFrame of shape (n_rows, n_columns)
        Those of them that fit the schema and fall into a group of the real rows, in the real dtypes, index 0 to
        n_rows - 1.
    group_codes : ndarray of int, shape (n_rows,)
        Position of each one's group among the groups of the real rows.
    refusals : Counter
        Why the others are left out: reason to number of rows; a row with several faults counts for its first.
    faults : Counter
        Column and kind of fault to number of the given rows; a row with several faults counts for each.  A value that
        is no class of the label is one of kind "value".
    examples : dict
        Column and kind of fault to a cell that has it.
    misfit : str
        Why the rows as a whole cannot be held against the schema, such as absent columns; empty when they can.
    """

    given: pd.DataFrame
    frame: pd.DataFrame
    group_codes: npt.NDArray[np.int64]
    refusals: Counter[str] = field(default_factory=Counter)
    faults: Counter[tuple[Hashable, FaultKind]] = field(default_factory=Counter)
    misfit: str = ""
    examples: dict[tuple[Hashable, FaultKind], Any] = field(default_factory=dict)

    @classmethod
    def read(cls, synthetic: pd.DataFrame, reference: KnowsTable) -> Batch:
        """Return the rows of any origin as a batch.

        Rows with other columns, or with cells that are no plain values, make a batch of 0 rows that says so in
        ``misfit``.

        Raises
        ------
        DataError
            If the rows are no DataFrame.
        """
        schema = reference.schema
        if not isinstance(synthetic, pd.DataFrame):
            raise DataError(f"the synthetic rows are a {type(synthetic).__name__}. Give a pandas DataFrame.")
        try:
            conformed = hold_against(synthetic, schema, owner=None, within_limits=False)
        except DataError as error:
            none = pd.DataFrame({column.name: pd.Series(dtype=column.dtype) for column in schema.columns})
            return cls(synthetic, none, np.empty(0, dtype=np.int64), misfit=str(error))
        rows = conformed.frame
        codes = reference.grouping.codes(rows) if len(rows) else np.empty(0, dtype=np.int64)
        known = codes >= 0
        refusals, faults, examples = conformed.refusals, conformed.faults, dict(conformed.examples)
        refusals[NO_GROUP] += int((~known).sum())
        for column in schema.columns:
            if column.kind in ("numeric", "integer"):
                texts = _texts(synthetic[column.name])
                faults[column.name, "text"] += len(texts)
                if texts:
                    examples[column.name, "text"] = texts[0]
        classes = label_classes(reference)
        if classes is not None and schema[schema.label].values is None:  # a number, which the schema lets pass
            faults[schema.label, "value"] += int((classes.codes(rows[schema.label]) < 0).sum())
        frame = rows if known.all() else rows.loc[known].reset_index(drop=True)
        return cls(synthetic, frame, codes[known], +refusals, +faults, examples=examples)

    @classmethod
    def of_groups(cls, frame: pd.DataFrame, group_codes: npt.NDArray[np.int64]) -> Batch:
        """Return rows that already have the dtypes of the real rows and a group each."""
        return cls(frame, frame, group_codes)

    @property
    def n_given(self) -> int:
        """How many rows came."""
        return len(self.given)

    def positions(self, group_code: int) -> npt.NDArray[np.int64]:
        """Return which rows of ``frame`` are of a group."""
        return np.flatnonzero(self.group_codes == group_code)

    def count_missing(self, column: ColumnSchema) -> tuple[int, int]:
        """Return how many rows have no value in a column, and of how many."""
        if column.allows_missing:
            return int(self.frame[column.name].isna().sum()), len(self)
        return self.faults[column.name, "missing"], self.n_given  # such rows do not fit the schema

    def count_outside(self, column: ColumnSchema) -> tuple[int, int]:
        """Return how many values of a number-like column lie outside its minimum and maximum, and of how many."""
        numbers = column.to_float(self.frame[column.name])
        present = numbers[~np.isnan(numbers)]
        low, high = column.minimum, column.maximum
        n_inside = 0 if low is None or high is None else int(((present >= low) & (present <= high)).sum())
        return len(present) - n_inside, len(present)

    def mix(self, n_groups: int) -> npt.NDArray[np.int64]:
        """Return the rows of every group, shape (n_groups,)."""
        return np.bincount(self.group_codes, minlength=n_groups).astype(np.int64)

    def __len__(self) -> int:
        return len(self.frame)


def label_classes(reference: KnowsTable) -> GroupAxis | None:
    """Return the axis of the label where it holds classes; None where it is a quantity."""
    label = reference.schema.label
    return next((axis for axis in reference.grouping.axes if axis.column.name == label and axis.edges is None), None)


def _texts(values: pd.Series[Any]) -> list[str]:
    """Return the cells that are texts: such numbers can be read, and yet whoever uses them will stumble."""
    if not (pdt.is_object_dtype(values.dtype) or pdt.is_string_dtype(values.dtype)):
        return []
    return [value for value in values if isinstance(value, str)]
