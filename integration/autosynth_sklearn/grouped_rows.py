"""Real rows in one frame, with what is to be predicted and the groups that are to be balanced."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from autosynth import Group, Table
from autosynth.exceptions import ConfigError
from autosynth.groups import is_quantity
from autosynth.schema import infer_column
from autosynth.table import GroupBy, as_columns

LABEL = "label"
CELL = "group"

Bins: TypeAlias = "dict[Hashable, int | Sequence[float] | None]"


@dataclass(frozen=True, kw_only=True)
class GroupedRows:
    """Real rows with everything that :func:`autosynth.rebalance` needs to know of them.

    Attributes
    ----------
    table : Table
        Features, group columns that are no features, targets, and a label, in this order; index 0 to n_rows - 1.
    features : list
        The columns that the user gave as ``X``.
    asides : list
        Group columns that are no features.
    targets : list
        The columns that the user gave as ``y``.
    group_by : dict
        Group columns with their bins, as the core takes them.
    """

    table: Table
    features: list[Hashable]
    asides: list[Hashable]
    targets: list[Hashable]
    group_by: Bins

    @classmethod
    def by_class(
        cls,
        features: pd.DataFrame,
        codes: npt.NDArray[np.int64],
        classes: Sequence[Any],
        *,
        group_by: GroupBy = None,
        groups: pd.DataFrame | None = None,
    ) -> GroupedRows:
        """Return rows in the groups class x group columns.

        Parameters
        ----------
        features : DataFrame of shape (n_rows, n_features)
            Index 0 to n_rows - 1.
        codes : ndarray of int, shape (n_rows,)
            Positions of the labels in ``classes``.
        classes : sequence
            Every class once.
        group_by : column, sequence of columns, or mapping, optional
            Columns of ``features``; see :func:`group_columns`.
        groups : DataFrame of shape (n_rows, n_columns), optional
            Group columns that are no features.
        """
        frame, asides = _beside(features, groups)
        label = free_name(LABEL, frame.columns)
        labels = pd.Categorical.from_codes(codes, categories=pd.Index(list(classes)))
        bins = group_columns(group_by, features) | dict.fromkeys(asides)
        table = Table.from_frame(frame.assign(**{label: labels}), label=label, group_by=bins or None)
        return cls(table=table, features=list(features), asides=asides, targets=[label], group_by=bins)

    @classmethod
    def by_group(
        cls,
        features: pd.DataFrame,
        targets: pd.DataFrame,
        *,
        group_by: GroupBy = None,
        groups: pd.DataFrame | None = None,
    ) -> GroupedRows:
        """Return rows in the cells of the group columns alone, whatever the targets are.

        A quantity is the label, as in :func:`autosynth.rebalance`.  Anything else is a column like the features, and
        the name of the cell is the label.

        Raises
        ------
        ConfigError
            If there is no group column.
        """
        frame, asides = _beside(features, groups)
        bins = group_columns(group_by, features) | dict.fromkeys(asides)
        if not bins:
            raise ConfigError(
                "neither group_by nor groups is given, so there is nothing to balance. Name columns of X in group_by, "
                "or pass fit_resample(X, y, groups=...); SyntheticSampler balances classes."
            )
        cells = _cells(frame, bins)
        names: list[Hashable] = [free_name(name, frame.columns) for name in targets]
        frame = pd.concat([frame, targets.set_axis(pd.Index(names), axis=1)], axis=1)
        label = names[0]
        if len(names) > 1 or not is_quantity(infer_column(frame[label])):
            label = free_name(CELL, frame.columns)
            frame = frame.assign(**{label: cells})
        table = Table.from_frame(frame, label=label, group_by=bins)
        return cls(table=table, features=list(features), asides=asides, targets=names, group_by=bins)

    @property
    def cells(self) -> list[tuple[Any, ...]]:
        """The values that users know each group by, largest group first: the class, if any, and the group columns."""
        return [self.shown(group).values for group in self.table.groups]

    @property
    def keys(self) -> list[Any]:
        """The same as keys of a mapping: a lone value where there is one column."""
        return [cell if len(cell) > 1 else cell[0] for cell in self.cells]

    def shown(self, group: Group) -> Group:
        """Return a group without a label that only names its cell."""
        is_known = self.table.label in self.targets
        return group if is_known else Group(tuple(pair for pair in group.cell if pair[0] != self.table.label))

    @property
    def has_classes(self) -> bool:
        """Whether classes are balanced, and not the group columns alone."""
        return self.table.label in self.targets and self.table.label in self.table.fixed_columns


def group_columns(group_by: GroupBy, features: pd.DataFrame) -> Bins:
    """Return group columns with their bins; a whole number that is no column's name counts columns from 0.

    Examples
    --------
    >>> features = pd.DataFrame({"age": [31, 42], "sex": ["F", "M"]})
    >>> group_columns(["sex"], features), group_columns({0: 3}, features)
    ({'sex': None}, {'age': 3})
    """
    bins = dict(group_by) if isinstance(group_by, Mapping) else {}
    return {_column(name, features): bins.get(name) for name in as_columns(group_by, features.columns)}


def free_name(name: Hashable, taken: Collection[Hashable]) -> str:
    """Return a name for a column that no other column has."""
    free = str(name)
    while free in taken:
        free = f"{free}_"
    return free


def _cells(frame: pd.DataFrame, bins: Bins) -> Any:
    """Return the name of every row's cell of the group columns."""
    number = free_name("row", frame.columns)
    numbered = frame.assign(**{number: np.arange(len(frame)) / len(frame)})
    table = Table.from_frame(numbered, label=number, group_by=bins, task="regression")
    return pd.Categorical.from_codes(table.group_codes, categories=pd.Index([*map(str, table.groups)]))


def _column(name: Hashable, features: pd.DataFrame) -> Hashable:
    if isinstance(name, bool) or not isinstance(name, int | np.integer) or name in features.columns:
        return name
    n_columns = features.shape[1]
    return list(features)[name] if -n_columns <= name < n_columns else name


def _beside(features: pd.DataFrame, groups: pd.DataFrame | None) -> tuple[pd.DataFrame, list[Hashable]]:
    """Return features and group columns in one frame, and the names of the latter."""
    if groups is None:
        return features, []
    twice = [name for name in groups.columns if name in features.columns]
    if twice:
        raise ConfigError(
            f"groups holds the column {twice[0]!r}, which X holds as well. Use group_by=[{twice[0]!r}] and leave "
            "groups out, or rename one of them."
        )
    return pd.concat([features, groups], axis=1), list(groups.columns)
