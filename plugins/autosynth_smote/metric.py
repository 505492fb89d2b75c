"""How far apart two rows are, when columns hold numbers, dates, categories and missing values.

The squared distance is a sum over the feature columns, the label left out:

- **numbers** bring their squared difference, as in SMOTE;
- **categories** that differ bring p², where p is the median of the standard deviations of the numeric columns within
  the group, as in SMOTE-NC (Chawla et al. 2002, section 6.1).  Where that median is 0, so that categories would not
  count at all, the median of the standard deviations above 0 stands in, and 1 where there is none;
- **dates and durations** have no unit in common with the numbers: one standard deviation of theirs counts like p;
- **a missing number** stands at the mean m of its column, plus one standard deviation s off the line.  Two missing
  ones are 0 apart; a present one x is (x - m)² + s² away from a missing one, on average 2 s², as two random rows are;
- **a missing category** is a category of its own.

Where no feature is number-like, two categories are compared by how differently the labels are distributed among their
rows, as in SMOTE-N (section 6.2): the value difference metric, here with exponent 2, which orders rows of two classes
as imbalanced-learn's does and makes the rows points of a Euclidean space.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from autosynth_smote.encoding import EncodedRows, EncodedTable


@dataclass(frozen=True)
class Points:
    """Rows ready for a neighbour search: squared distance = Euclidean part + ``penalty`` times differing codes.

    Attributes
    ----------
    coordinates : ndarray of float, shape (n_rows, n_dimensions)
    codes : ndarray of int, shape (n_category_columns, n_rows)
        Column by column, as the search reads them.
    penalty : float
        What a differing category adds to the squared distance.
    """

    coordinates: npt.NDArray[np.float64]
    codes: npt.NDArray[np.int32]
    penalty: float

    def __len__(self) -> int:
        return len(self.coordinates)

    @property
    def has_codes(self) -> bool:
        """Whether the coordinates alone do not tell the distance."""
        return len(self.codes) > 0

    def take(self, rows: npt.NDArray[np.int64]) -> Points:
        """Return the points at these places."""
        return Points(self.coordinates[rows], self.codes[:, rows], self.penalty)


@dataclass(frozen=True)
class MixedMetric:
    """The distance of a group: where its numbers are centred, and what every column weighs."""

    features: npt.NDArray[np.bool_]  # (n_number_columns,): False for a label that is a quantity
    centre: npt.NDArray[np.float64]  # (n_features,)
    weight: npt.NDArray[np.float64]  # (n_features,)
    off_line: npt.NDArray[np.float64]  # (n_features,): how far a missing number stands off the line
    has_gaps: npt.NDArray[np.bool_]  # (n_features,): columns that hold missing values somewhere in the table
    penalty: float

    @classmethod
    def of(cls, rows: EncodedRows, encoded: EncodedTable, table_std: npt.NDArray[np.float64] | None) -> MixedMetric:
        """Return the distance for the rows of one group.

        Parameters
        ----------
        rows : EncodedRows
            The group.
        encoded : EncodedTable
            The table that it is part of.
        table_std : ndarray of shape (n_number_columns,) or None
            What to divide the numbers by; None leaves them as they are.
        """
        columns = encoded.roles.numbers
        features = np.array([column.name != encoded.table.label for column in columns], dtype=bool)
        is_time = np.array([column.kind in ("datetime", "timedelta") for column in columns], dtype=bool)[features]
        centre, std = column_moments(rows.numbers[:, features])
        if table_std is None:
            weight = np.ones(len(std))
            unit = _typical(std[~is_time])
            weight[is_time] = unit / np.where(std[is_time] > 0, std[is_time], 1.0)
            weight[is_time & (std == 0)] = 0.0
        else:
            divisor = table_std[features]
            weight = np.divide(1.0, divisor, out=np.zeros(len(std)), where=divisor > 0)
            unit = _typical(std * weight)
        has_gaps = np.array([column.allows_missing for column in columns], dtype=bool)[features]
        return cls(features, centre, weight, std * weight, has_gaps, unit**2)

    def points(self, rows: EncodedRows) -> Points:
        """Return rows, of this group or of others, as points."""
        offsets = (rows.numbers[:, self.features] - self.centre) * self.weight
        missing = np.isnan(offsets)
        on_line = np.where(missing, 0.0, offsets)
        off_line = missing[:, self.has_gaps] * self.off_line[self.has_gaps]
        return Points(np.hstack([on_line, off_line]), np.ascontiguousarray(rows.codes.T), self.penalty)


@dataclass(frozen=True)
class ValueDifferenceMetric:
    """The distance of tables without any number-like feature."""

    profiles: tuple[npt.NDArray[np.float64], ...]  # per column (n_categories + 1, n_labels); the last row is "missing"

    @classmethod
    def of(cls, encoded: EncodedTable) -> ValueDifferenceMetric:
        """Return the distance learned from all rows of a table."""
        codes = encoded.all_rows.codes
        labels = encoded.labels
        n_labels = int(labels.max()) + 1
        profiles = []
        for column in codes.T:
            n_categories = int(column.max()) + 1
            cells = np.where(column < 0, n_categories, column).astype(np.int64) * n_labels + labels
            counts = np.bincount(cells, minlength=(n_categories + 1) * n_labels).reshape(-1, n_labels)
            profiles.append(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1))
        return cls(tuple(profiles))

    def points(self, rows: EncodedRows) -> Points:
        """Return rows as points; their codes must come from the whole table."""
        blocks = [profile[column] for profile, column in zip(self.profiles, rows.codes.T, strict=True)]
        coordinates = np.hstack(blocks) if blocks else np.empty((len(rows), 0))
        return Points(coordinates, np.empty((0, len(rows)), dtype=np.int32), 0.0)


def column_moments(numbers: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return mean and standard deviation per column over the cells that are present; 0 where none is."""
    present = ~np.isnan(numbers)
    n_present = np.maximum(present.sum(axis=0), 1)
    mean = np.where(present, numbers, 0.0).sum(axis=0) / n_present
    squares = np.where(present, numbers - mean, 0.0) ** 2
    return mean, np.sqrt(squares.sum(axis=0) / n_present)


def _typical(std: npt.NDArray[np.float64]) -> float:
    """Return the median, over the columns that vary when it is 0 over all, and 1 when none varies."""
    median = float(np.median(std)) if len(std) else 0.0
    if median > 0:
        return median
    varying = std[std > 0]
    return float(np.median(varying)) if len(varying) else 1.0
