"""The classes and segments of a table as whole numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from autosynth.exceptions import ConfigError
from autosynth.groups import Group

if TYPE_CHECKING:
    import numpy.typing as npt

    from autosynth.table import Table

__all__ = ["Coded"]


@dataclass(frozen=True)
class Coded:
    """The class and the segment of every row and of every group.

    A segment is a combination of group columns, without the label; without group columns, all rows are one segment.

    Attributes
    ----------
    classes : tuple
        The K values of the label, in the order of their codes.
    label_codes : ndarray of int, shape (n_rows,)
        The class of every row, a position in ``classes``.
    segments : tuple of Group
        The S combinations of group values that occur, as cells without the label.
    segment_codes : ndarray of int, shape (n_rows,)
        The segment of every row, a position in ``segments``.
    group_labels, group_segments : ndarray of int, shape (n_groups,)
        The class and the segment of every group of the table.
    """

    classes: tuple[Any, ...]
    label_codes: npt.NDArray[np.int64]
    segments: tuple[Group, ...]
    segment_codes: npt.NDArray[np.int64]
    group_labels: npt.NDArray[np.int64]
    group_segments: npt.NDArray[np.int64]

    @classmethod
    def of(cls, table: Table) -> Coded:
        """Read the codes off the groups of a table.

        The table of some rows (:meth:`Table.keep`) has the codes of the whole one.

        Raises
        ------
        ConfigError
            If the label is a quantity.

        Examples
        --------
        >>> from autosynth.table import Table
        >>> from autosynth.toy import shortcut_table
        >>> coded = Coded.of(Table.from_frame(shortcut_table(200), label="ill", group_by="hospital"))
        >>> coded.classes, [str(segment) for segment in coded.segments]
        (('no', 'yes'), ['hospital=north', 'hospital=south'])
        """
        grouping = table.grouping
        if not grouping.axes or grouping.axes[0].column.name != table.label:
            raise ConfigError(
                f"label {table.label!r} holds {table.schema[table.label].n_distinct} different values and reads as a "
                "quantity (regression); whether rows help is measured for classes only. If it holds classes, turn it "
                "into text with astype(str)."
            )
        group_labels = grouping.axis_codes[:, 0].astype(np.int64)
        cells, group_segments = np.unique(grouping.axis_codes[:, 1:], axis=0, return_inverse=True)
        group_segments = group_segments.reshape(-1).astype(np.int64)
        segments = tuple(
            Group(table.groups[int(np.flatnonzero(group_segments == code)[0])].cell[1:]) for code in range(len(cells))
        )
        return cls(
            classes=grouping.axes[0].values,
            label_codes=group_labels[table.group_codes],
            segments=segments,
            segment_codes=group_segments[table.group_codes],
            group_labels=group_labels,
            group_segments=group_segments,
        )

    @property
    def n_classes(self) -> int:
        """K, how many classes there are."""
        return len(self.classes)

    @property
    def n_segments(self) -> int:
        """S, how many segments there are; 1 without group columns."""
        return len(self.segments)
