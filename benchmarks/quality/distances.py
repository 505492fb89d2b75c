"""How close synthetic minority rows come to minority rows that nobody has seen, and how many of them are copies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from autosynth.checks.fidelity import column_distance

if TYPE_CHECKING:
    import numpy.typing as npt

    from autosynth.schema import TableSchema
    from quality.splits import Groups, Split

DECIMALS = 6  # numbers closer than that are the same number


def distances(split: Split, groups: Groups, synthetic: pd.DataFrame) -> dict[str, float]:
    """Return distances to the unseen minority rows, and the shares of copies.

    ``distance`` is the mean over feature columns of the Kolmogorov-Smirnov distance (numbers) or the total variation
    (categories), averaged over minority groups; ``association_error`` the mean absolute difference of rank correlations
    between numeric columns; ``copies`` and ``test_copies`` the shares of rows that equal a training and a test row.
    """
    made, unseen = groups.codes(synthetic), groups.codes(split.test)
    columns, associations = [], []
    for group in groups.minorities:
        mine, real = synthetic[made == group], split.test[unseen == group]
        if len(mine) and len(real):
            columns.append(_mean_column_distance(real, mine, groups.table.schema))
            associations.append(_association_error(real, mine, groups.table.schema))
    return {
        "distance": float(np.mean(columns)) if columns else np.nan,
        "association_error": float(np.mean(associations)) if associations else np.nan,
        "copies": float(equal_rows(synthetic, split.train).mean()) if len(synthetic) else np.nan,
        "test_copies": float(equal_rows(synthetic, split.test).mean()) if len(synthetic) else np.nan,
    }


def equal_rows(rows: pd.DataFrame, known: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Return which of ``rows`` equal a row of ``known`` in all columns, whatever the dtypes, shape (n_rows,)."""
    return np.isin(_hashes(rows), _hashes(known[rows.columns]))


def _hashes(rows: pd.DataFrame) -> npt.NDArray[np.uint64]:
    plain = {}
    for name in rows.columns:
        values = rows[name]
        if pd.api.types.is_numeric_dtype(values):
            plain[name] = values.astype("float64").round(DECIMALS) + 0.0  # -0.0 is 0.0
        else:
            plain[name] = values.astype(object).where(values.notna(), None).astype(str)
    return np.asarray(pd.util.hash_pandas_object(pd.DataFrame(plain), index=False))


def _mean_column_distance(real: pd.DataFrame, mine: pd.DataFrame, schema: TableSchema) -> float:
    return float(np.mean([column_distance(real[c.name], mine[c.name], c) for c in schema.features]))


def _association_error(real: pd.DataFrame, mine: pd.DataFrame, schema: TableSchema) -> float:
    numbers = [column.name for column in schema.features if column.is_number_like]
    if len(numbers) < 2 or min(len(real), len(mine)) < 3:
        return np.nan
    gap = (real[numbers].corr("spearman") - mine[numbers].corr("spearman")).abs().to_numpy()
    above = gap[np.triu_indices(len(numbers), 1)]
    return float(np.nanmean(above)) if np.isfinite(above).any() else np.nan
