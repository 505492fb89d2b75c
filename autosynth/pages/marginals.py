"""How far each column of the synthetic rows is from the real ones, group by group, worst first; numbers only."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from autosynth.checks.fidelity import kolmogorov_smirnov_distance
from autosynth.pages.thinning import thin

if TYPE_CHECKING:
    from autosynth.checks.evidence import Evidence
    from autosynth.schema import ColumnSchema

Floats: TypeAlias = npt.NDArray[np.float64]
Codes: TypeAlias = npt.NDArray[np.int64]

MAX_PAIRS = 6_000  # (column, group): beyond, the groups with the fewest synthetic rows are left out
MAX_ROWS = 20_000  # real and synthetic ones each; more would draw no other picture
KOLMOGOROV_95 = 1.36  # 95 % point of the two-sample statistic, times sqrt(1 / n + 1 / m)


@dataclass(frozen=True, kw_only=True)
class Marginal:
    """One column of one group, real against synthetic.

    Attributes
    ----------
    column : ColumnSchema
        The column.
    group : str
        The group.
    real, synthetic : ndarray
        Numbers on the number line of the column, missing as NaN; or positions in ``levels``, missing as -1.
    levels : tuple
        Values of a category column; empty for numbers.
    distance : float
        From 0 (same distribution) to 1 (disjoint): Kolmogorov-Smirnov for numbers, total variation for categories.
    """

    column: ColumnSchema
    group: str
    real: Floats | Codes
    synthetic: Floats | Codes
    levels: tuple[Any, ...]
    distance: float

    @property
    def chance(self) -> float:
        """Distance that two samples of these sizes from one distribution rarely exceed (at most 1 in 20)."""
        spread = 1 / len(self.real) + 1 / len(self.synthetic)
        extra = math.sqrt((len(self.levels) - 1) * spread) / 2 if len(self.levels) > 2 else 0.0
        return min(1.0, KOLMOGOROV_95 * math.sqrt(spread) + extra)

    @property
    def excess(self) -> float:
        """How much farther apart they are than chance explains; negative where it does."""
        return self.distance - self.chance

    @property
    def missing(self) -> tuple[float, float]:
        """Share of missing values, real and synthetic."""
        return _missing_share(self.real), _missing_share(self.synthetic)


@dataclass(frozen=True)
class Marginals:
    """All columns of all groups that were compared, worst first.

    Attributes
    ----------
    pairs : tuple of Marginal
        By their excess over chance, largest first.
    n_groups, n_groups_left_out : int
        Groups with synthetic rows: compared, and left out because there are so many.
    text_columns : tuple of str
        Columns of free text, which have no distribution to draw.
    is_thinned : bool
        Whether only ``MAX_ROWS`` of the real or of the synthetic rows were looked at.
    """

    pairs: tuple[Marginal, ...]
    n_groups: int
    n_groups_left_out: int
    text_columns: tuple[str, ...]
    is_thinned: bool

    @classmethod
    def of(cls, evidence: Evidence) -> Marginals:
        """Compare the columns that a request for a group does not set."""
        table = evidence.table
        columns = [column for column in table.schema.columns if column.name not in table.fixed_columns]
        compared = [column for column in columns if column.kind != "text"]
        groups, n_left_out = _groups(evidence, max(1, MAX_PAIRS // max(1, len(compared))))
        rows = thin(table.group_codes, MAX_ROWS), thin(evidence.group_codes, MAX_ROWS)
        pairs = [pair for column in compared for pair in _column(evidence, column, groups, rows)]
        pairs.sort(key=lambda pair: -pair.excess)
        texts = tuple(str(column.name) for column in columns if column.kind == "text")
        is_thinned = len(rows[0]) < len(table) or len(rows[1]) < len(evidence.synthetic)
        return cls(tuple(pairs), len(groups), n_left_out, texts, is_thinned)

    @cached_property
    def worst_of_each_column(self) -> list[Marginal]:
        """Every column once, in the group where it is farthest."""
        first: dict[Any, Marginal] = {}
        for pair in self.pairs:
            first.setdefault(pair.column.name, pair)
        return list(first.values())


def _groups(evidence: Evidence, n_most: int) -> tuple[list[int], int]:
    """Return the groups with synthetic rows, those with the most rows first, and how many are left out."""
    made = np.bincount(evidence.group_codes, minlength=len(evidence.table.groups))
    order = [int(code) for code in np.argsort(-made, kind="stable") if made[code]]
    return order[:n_most], len(order[n_most:])


def _column(
    evidence: Evidence, column: ColumnSchema, groups: list[int], rows: tuple[Codes, Codes]
) -> Iterator[Marginal]:
    """Yield the column of each group, as some of the rows show it."""
    table = evidence.table
    given = table.frame[column.name].iloc[rows[0]], evidence.synthetic[column.name].iloc[rows[1]]
    real, synthetic, levels = _values(*given, column)
    real_codes, made_codes = table.group_codes[rows[0]], evidence.group_codes[rows[1]]
    for code in groups:
        real_here, made_here = real[real_codes == code], synthetic[made_codes == code]
        yield Marginal(
            column=column,
            group=str(table.groups[code]),
            real=real_here,
            synthetic=made_here,
            levels=levels,
            distance=_level_distance(real_here, made_here, len(levels)) if levels else _distance(real_here, made_here),
        )


def _values(
    real: pd.Series[Any], synthetic: pd.Series[Any], column: ColumnSchema
) -> tuple[Floats | Codes, Floats | Codes, tuple[Any, ...]]:
    if column.is_number_like:
        return column.to_float(real), column.to_float(synthetic), ()
    codes, levels = pd.factorize(pd.concat([real.astype(object), synthetic.astype(object)]))
    return codes[: len(real)], codes[len(real) :], tuple(levels) or (None,)


def _distance(real: Floats, synthetic: Floats) -> float:
    present = [values[~np.isnan(values)] for values in (real, synthetic)]
    missing_gap = abs(_missing_share(real) - _missing_share(synthetic))
    if not len(present[0]) or not len(present[1]):
        return missing_gap
    return max(missing_gap, kolmogorov_smirnov_distance(present[0], present[1]))


def _level_distance(real: Codes, synthetic: Codes, n_levels: int) -> float:
    shares = [np.bincount(codes + 1, minlength=n_levels + 1) / len(codes) for codes in (real, synthetic)]
    return float(np.abs(shares[0] - shares[1]).sum() / 2)


def _missing_share(values: Floats | Codes) -> float:
    return float(np.mean(np.isnan(values) if values.dtype.kind == "f" else values < 0))
