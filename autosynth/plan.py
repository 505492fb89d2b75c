"""The sampling plan: how many rows each group gets, and how much every row counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd

from autosynth.exceptions import ConfigError
from autosynth.plain_data import to_plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from autosynth.groups import Group, Grouping
    from autosynth.table import Table

Strategy: TypeAlias = "str | float | Mapping[Any, int]"


@dataclass(frozen=True, kw_only=True)
class GroupPlan:
    """Rows of one group: the real ones, and the synthetic ones that oversampling and augmentation add."""

    group: Group
    n_real: int
    n_oversample: int
    n_augment: int

    @property
    def n_synthetic(self) -> int:
        return self.n_oversample + self.n_augment


@dataclass(frozen=True, kw_only=True)
class SamplingPlan:
    """Rows to add per group, and the weights of the parts, after arXiv 2406.03628.

    Oversampling brings group g from n_g to the target of the strategy (n_max for "balance"); augmentation adds N more
    rows to every group.  The training objective is (1 - α) times the mean loss over real and oversampled rows plus α
    times the mean loss over augmented rows; ``synthetic_weight`` w makes a synthetic row count w times a real one.

    Attributes
    ----------
    groups : tuple of GroupPlan
        Largest group first.
    augment : int
        N, rows added to every group.
    alpha : float
        Weight of the augmented part, 0 to 1; 0 when N is 0.
    synthetic_weight : float
        Weight of a synthetic row against a real one, before the weights are rescaled to mean 1.
    notes : tuple of str
        What a reader of the plan should know, such as the edges of binned group columns.
    strategy : str, float, mapping or None
        What the oversampled rows follow from, as it was asked for; None where nobody said.
    """

    groups: tuple[GroupPlan, ...]
    augment: int
    alpha: float
    synthetic_weight: float
    notes: tuple[str, ...] = ()
    strategy: Strategy | None = field(default=None, hash=False)

    @classmethod
    def make(
        cls,
        table: Table,
        *,
        strategy: Strategy = "balance",
        augment: int = 0,
        alpha: float | None = None,
        synthetic_weight: float = 1.0,
    ) -> SamplingPlan:
        """Plan the rows for a table; the arguments are those of :func:`autosynth.rebalance`.

        Raises
        ------
        ConfigError
            If an argument is out of its range, or the strategy names an unknown group or fewer rows than there are.

        Examples
        --------
        >>> from autosynth.toy import shortcut_table
        >>> from autosynth.table import Table
        >>> table = Table.from_frame(shortcut_table(n_rows=200, random_state=0), label="ill", group_by="hospital")
        >>> plan = SamplingPlan.make(table, strategy=0.5)
        >>> plan.groups[0].n_oversample, min(row.n_real + row.n_oversample for row in plan.groups[1:])
        (0, 82)
        """
        check_amounts(augment, alpha, synthetic_weight)
        augment = int(augment)
        sizes = table.group_sizes
        targets = _targets(strategy, table.grouping, sizes)
        n_max = int(sizes.max())
        if alpha is None:
            alpha = augment / (n_max + augment)
        groups = tuple(
            GroupPlan(group=group, n_real=int(size), n_oversample=max(0, int(target - size)), n_augment=augment)
            for group, size, target in zip(table.groups, sizes, targets, strict=True)
        )
        return cls(
            groups=groups,
            augment=augment,
            alpha=float(alpha),
            synthetic_weight=float(synthetic_weight),
            notes=_notes(table.grouping),
            strategy=dict(strategy) if isinstance(strategy, Mapping) else strategy,
        )

    @property
    def n_real(self) -> int:
        """Real rows in all groups."""
        return sum(row.n_real for row in self.groups)

    @property
    def n_synthetic(self) -> int:
        """Rows to add, in all groups and both parts."""
        return sum(row.n_synthetic for row in self.groups)

    @property
    def counts(self) -> dict[Group, int]:
        """Rows to ask a generator for, per group that gets any."""
        return {row.group: row.n_synthetic for row in self.groups if row.n_synthetic}

    def part_weights(self) -> tuple[float, float, float]:
        """Return the weight of one real, one oversampled and one augmented row, with mean 1 over all rows."""
        n_oversample = sum(row.n_oversample for row in self.groups)
        n_augment = self.augment * len(self.groups)
        base = (1 - self.alpha) / (self.n_real + n_oversample)
        extra = self.alpha / n_augment if n_augment else 0.0
        raw = (base, base * self.synthetic_weight, extra * self.synthetic_weight)
        total = raw[0] * self.n_real + raw[1] * n_oversample + raw[2] * n_augment
        scale = (self.n_real + n_oversample + n_augment) / total
        return raw[0] * scale, raw[1] * scale, raw[2] * scale

    def weights(self, is_augmented: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
        """Return the weights of all rows: real ones first, then synthetic ones as ``is_augmented`` splits them."""
        real, oversampled, augmented = self.part_weights()
        return np.concatenate([np.full(self.n_real, real), np.where(is_augmented, augmented, oversampled)])

    def to_frame(self) -> pd.DataFrame:
        """Return one row per group: its cell, real rows, rows to add and total."""
        return pd.DataFrame(
            [
                {
                    "group": str(row.group),
                    "real": row.n_real,
                    "oversample": row.n_oversample,
                    "augment": row.n_augment,
                    "total": row.n_real + row.n_synthetic,
                }
                for row in self.groups
            ]
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as plain data for JSON."""
        return {
            "groups": self.to_frame().to_dict(orient="records"),
            "strategy": to_plain(self.strategy),
            "augment": self.augment,
            "alpha": self.alpha,
            "synthetic_weight": self.synthetic_weight,
            "notes": list(self.notes),
        }

    def __str__(self) -> str:
        lines = [self.to_frame().to_string(index=False)]
        real, oversampled, augmented = self.part_weights()
        if self.augment or not np.allclose([real, oversampled], 1.0):
            lines.append(
                f"weights: real {real:.3g}, oversampled {oversampled:.3g}"
                + (f", augmented {augmented:.3g} (α = {self.alpha:.3g})" if self.augment else "")
            )
        return "\n".join([*lines, *self.notes])


def group_weights(table: Table) -> npt.NDArray[np.float64]:
    """Return weights that give the rows of every group the same sum, shape (n_rows,), mean 1.

    Examples
    --------
    >>> import pandas as pd
    >>> from autosynth.table import Table
    >>> frame = pd.DataFrame({"age": [31, 42, 50, 61], "fraud": ["no", "no", "no", "yes"]})
    >>> group_weights(Table.from_frame(frame, label="fraud")).round(3).tolist()
    [0.667, 0.667, 0.667, 2.0]
    """
    each = len(table) / (len(table.groups) * table.group_sizes)
    return np.asarray(each[table.group_codes], dtype=np.float64)


def check_amounts(augment: int, alpha: float | None, synthetic_weight: float) -> None:
    """Raise ConfigError for an amount outside its range."""
    if isinstance(augment, bool) or not isinstance(augment, int | np.integer) or augment < 0:
        raise ConfigError(f"augment={augment!r}. Use a whole number of rows per group, from 0 on.")
    if alpha is not None and not (_is_number(alpha) and 0 <= alpha <= 1):
        raise ConfigError(f"alpha={alpha!r}. Use a weight from 0 to 1, or None for N / (n_max + N).")
    if alpha and not augment:
        raise ConfigError(
            f"alpha={alpha!r} weighs augmented rows, and augment=0 asks for none. Set augment or drop alpha."
        )
    if alpha == 1:
        raise ConfigError("alpha=1 gives real rows no weight at all. Use less than 1.")
    if not (_is_number(synthetic_weight) and 0 < synthetic_weight <= 10):
        raise ConfigError(
            f"synthetic_weight={synthetic_weight!r}. Use a number above 0, at most 10; 1 counts like a real row."
        )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def _targets(strategy: Strategy, grouping: Grouping, sizes: npt.NDArray[np.int64]) -> Sequence[int]:
    """Return the rows wanted per group, real and oversampled together."""
    n_max = int(sizes.max())
    if isinstance(strategy, Mapping):
        return _explicit_targets(strategy, grouping, sizes)
    if isinstance(strategy, str) and strategy == "balance":
        return [n_max] * len(sizes)
    if not isinstance(strategy, str) and _is_number(strategy) and 0 < strategy <= 1:
        return [max(int(size), round(float(strategy) * n_max)) for size in sizes]
    raise ConfigError(
        f"strategy={strategy!r} is unknown. Use 'balance', a ratio in (0, 1] of the largest group, "
        "or {group: rows wanted in total}."
    )


def _explicit_targets(strategy: Mapping[Any, int], grouping: Grouping, sizes: npt.NDArray[np.int64]) -> Sequence[int]:
    targets: list[int] = sizes.tolist()
    named: dict[int, Any] = {}
    for key, wanted in strategy.items():
        position = grouping.groups.index(grouping.find(key))
        if position in named:
            raise ConfigError(f"strategy names {grouping.groups[position]} twice: {named[position]!r} and {key!r}.")
        named[position] = key
        if isinstance(wanted, bool) or not isinstance(wanted, int | np.integer) or wanted < 0:
            raise ConfigError(f"strategy asks for {wanted!r} rows of {key!r}. Use a whole number.")
        if wanted < sizes[position]:
            raise ConfigError(
                f"strategy asks for {wanted} rows of {grouping.groups[position]}, which holds {sizes[position]} real "
                "ones. Real rows are never dropped: ask for at least as many, or leave the group out."
            )
        targets[position] = int(wanted)
    return targets


def _notes(grouping: Grouping) -> tuple[str, ...]:
    notes = [grouping.describe_bins()] if grouping.describe_bins() else []
    if grouping.n_empty_cells:
        notes.append(
            f"{grouping.n_empty_cells} combinations of label and group values hold no real row; nothing is made there."
        )
    return tuple(notes)
