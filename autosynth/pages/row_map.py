"""A map of rows: where real and synthetic ones lie in the two directions in which real rows differ most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from autosynth.checks.distance import RankScale
from autosynth.pages.thinning import thin

if TYPE_CHECKING:
    from autosynth.checks.evidence import Evidence
    from autosynth.schema import ColumnSchema

Floats: TypeAlias = npt.NDArray[np.float64]
Codes: TypeAlias = npt.NDArray[np.int64]

MAX_POINTS = 1_000  # of real and of synthetic rows each
MAX_LEVELS = 12  # of a category column; rarer values share one place
RANK_SPREAD = 12**0.5  # gives ranks the variance 1, a little more than category values have: clouds, not clumps


@dataclass(frozen=True)
class RowMap:
    """Rows as points of a plane.

    Attributes
    ----------
    real, synthetic : ndarray of float, shape (n_rows, 2)
        Points of some real and some synthetic rows.
    real_groups, synthetic_groups : ndarray of int, shape (n_rows,)
        Position of each one's group in the table's groups.
    explained : float
        Share of the variance of the real rows that the two directions hold, 0 to 1.
    n_real, n_synthetic : int
        All rows, of which these are some.
    """

    real: Floats
    synthetic: Floats
    real_groups: Codes
    synthetic_groups: Codes
    explained: float
    n_real: int
    n_synthetic: int

    @classmethod
    def of(cls, evidence: Evidence) -> RowMap | None:
        """Place the rows; None where there are too few, or no column to tell them apart.

        Numbers count by their rank among the real ones, so that no unit and no far value decides; each value of a
        category is a direction of its own.  The directions are the principal components of the real rows.
        """
        table = evidence.table
        columns = [
            column
            for column in table.schema.columns
            if column.kind != "text" and column.name != table.label and column.n_distinct > 1
        ]
        kept, made = thin(table.group_codes, MAX_POINTS), thin(evidence.group_codes, MAX_POINTS)
        if len(kept) < 3 or not columns or not len(made):
            return None
        real_rows, made_rows = table.frame.iloc[kept], evidence.synthetic.iloc[made]
        placed = [_place(real_rows[column.name], made_rows[column.name], column) for column in columns]
        real, synthetic = (np.column_stack([pair[side] for pair in placed]) for side in (0, 1))
        if real.shape[1] < 2 or not real.var():
            return None
        points, explained = _project(real, synthetic)
        codes = table.group_codes[kept], evidence.group_codes[made]
        return cls(*points, *codes, explained, len(table), len(evidence.synthetic))


def _project(real: Floats, synthetic: Floats) -> tuple[tuple[Floats, Floats], float]:
    from sklearn.decomposition import PCA

    is_wide = min(real.shape) > 50
    model = PCA(n_components=2, svd_solver="randomized" if is_wide else "full", random_state=0).fit(real)
    explained = float(np.sum(model.explained_variance_ratio_))
    return (model.transform(real), model.transform(synthetic)), explained


def _place(real: pd.Series[Any], synthetic: pd.Series[Any], column: ColumnSchema) -> tuple[Floats, Floats]:
    """Return the coordinates that one column gives the rows, each of shape (n_rows, n_directions)."""
    if column.is_number_like:
        numbers = column.to_float(real), column.to_float(synthetic)
        scale = RankScale.fit(numbers[0])
        gaps = [np.isnan(values) for values in numbers]
        ranks = [
            RANK_SPREAD * np.where(gap, 0.5, np.clip(scale(values), -0.25, 1.25))
            for values, gap in zip(numbers, gaps, strict=True)
        ]
        if not gaps[0].any() and not gaps[1].any():
            return ranks[0][:, None], ranks[1][:, None]
        return np.column_stack([ranks[0], gaps[0]]), np.column_stack([ranks[1], gaps[1]])
    common = real.astype(object).value_counts().index[: MAX_LEVELS - 1]
    codes = [common.get_indexer(pd.Index(values.astype(object), dtype=object)) for values in (real, synthetic)]
    eye = np.eye(len(common) + 1)
    return eye[codes[0]], eye[codes[1]]
