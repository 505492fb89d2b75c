"""ProbabilityShift: a chosen shift of probabilities, ready for the probabilities of a model that was trained later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd

from autosynth.exceptions import ConfigError, DataError
from autosynth.schema import plain
from autosynth.segments import Segments
from autosynth.tuning.shifts import FittedShift, log_probabilities, shifted

if TYPE_CHECKING:
    import numpy.typing as npt

    from autosynth.groups import Group
    from autosynth.table import Table
    from autosynth.tuning.label_codes import Coded

    Floats: TypeAlias = npt.NDArray[np.float64]
    Codes: TypeAlias = npt.NDArray[np.int64]

__all__ = ["ProbabilityShift"]


@dataclass(frozen=True)
class ProbabilityShift:
    """A temperature and offsets of the log probabilities of the classes, for each combination of group columns.

    Attributes
    ----------
    offsets : ndarray of shape (n_segments + 1, n_classes)
        What is added to log p / temperature.  The first class's are 0; the last row is for rows of a combination that
        the table did not hold.
    classes : tuple
        The classes, in the order of the columns.
    segments : tuple of Group
        The combinations, in the order of the rows.
    reader : Segments
        Tells the combination of a row, bins among them.
    temperature : float
        Above 1 where the models are too sure of themselves; 1 leaves them as they are.
    """

    offsets: Floats
    classes: tuple[Any, ...]
    segments: tuple[Group, ...]
    reader: Segments
    temperature: float = 1.0

    @classmethod
    def of(cls, fitted: FittedShift, table: Table, coded: Coded) -> ProbabilityShift:
        """Return a shift that was found on the rows of a table, ready for others."""
        reader = Segments.from_table(table)
        return cls(fitted.offsets, coded.classes, coded.segments, reader, fitted.temperature)

    @property
    def depends_on_groups(self) -> bool:
        """Whether rows of different groups are shifted differently, so that their group columns are needed."""
        return bool(np.ptp(self.offsets, axis=0).any())

    @property
    def threshold(self) -> float | None:
        """The threshold on the second class's probability that the shift moves to 0.5; None where there is not one."""
        if len(self.classes) != 2 or self.depends_on_groups:
            return None
        return float(1 / (1 + np.exp(self.offsets[0, 1] * self.temperature)))

    def apply(self, proba: Any, groups: Any = None) -> Any:
        """Return shifted probabilities; every row sums to 1.

        Parameters
        ----------
        proba : DataFrame or array of shape (n_rows, n_classes)
            Of a model trained as the choice says.  A DataFrame has one column per class, in any order; an array has
            them in the order of ``classes``.
        groups : DataFrame or Series of n_rows rows, optional
            The group columns, such as the rows that were predicted; needed where shifts differ between groups.  With
            the index of ``proba``, when both have one.

        Returns
        -------
        DataFrame or ndarray
            As given.

        Raises
        ------
        ConfigError
            If group columns are needed and absent.
        DataError
            If shapes, columns or indexes do not fit, or a probability is no finite number.
        """
        order, values = self._read(proba)
        self._check_order(proba, groups)
        offsets = self.offsets[self._codes(groups, len(values))]
        moved = np.exp(shifted(log_probabilities(values), offsets, self.temperature))
        if not isinstance(proba, pd.DataFrame):
            return moved
        back = np.empty_like(moved)
        back[:, order] = moved
        return pd.DataFrame(back, index=proba.index, columns=proba.columns)

    def _read(self, proba: Any) -> tuple[list[int], Floats]:
        """Return where each class's column stands, and the probabilities in the order of the classes."""
        order = list(range(len(self.classes)))
        if isinstance(proba, pd.DataFrame):
            columns = [plain(column) for column in proba.columns]
            if set(columns) != set(self.classes) or len(columns) != len(self.classes):
                raise DataError(f"probabilities have the columns {columns}; the classes are {list(self.classes)}.")
            order = [columns.index(value) for value in self.classes]
        values = np.asarray(proba, dtype="float64")
        if values.ndim != 2 or values.shape[1] != len(self.classes):
            raise DataError(f"probabilities have the shape {values.shape}. Give (n_rows, {len(self.classes)}).")
        if not np.isfinite(values).all():
            raise DataError("probabilities are missing or infinite somewhere. Predict those rows again.")
        return order, values[:, order]

    def _check_order(self, proba: Any, groups: Any) -> None:
        """Raise when rows that must belong together are said to be others."""
        has_index = isinstance(proba, pd.DataFrame) and isinstance(groups, pd.DataFrame | pd.Series)
        if self.depends_on_groups and has_index and len(groups) == len(proba) and not proba.index.equals(groups.index):
            raise DataError(
                "probabilities and groups have different indexes, so their rows may not belong together. Pass "
                "groups.loc[proba.index], or proba.to_numpy() if the order is right already."
            )

    def _codes(self, groups: Any, n_rows: int) -> Codes:
        """Return the row of the offsets that is meant for every row."""
        if not self.depends_on_groups:
            return np.zeros(n_rows, dtype=np.int64)
        names = [axis.column.name for axis in self.reader.axes]
        if groups is None:
            raise ConfigError(f"this shift differs between groups. Pass groups=rows[{names!r}] for the rows predicted.")
        frame = groups.to_frame(names[0]) if isinstance(groups, pd.Series) else groups
        absent = [name for name in names if name not in frame.columns]
        if absent:
            raise ConfigError(f"groups lack the columns {absent}. Pass the rows that were predicted, with {names}.")
        if len(frame) != n_rows:
            raise DataError(f"groups have {len(frame)} rows, probabilities {n_rows}. Pass the same rows.")
        return self.reader.codes(frame)  # -1, the last row of the offsets, for a combination that it did not hold
