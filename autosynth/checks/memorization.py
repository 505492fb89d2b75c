"""Memorization: synthetic rows that copy real ones, or each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from autosynth.checks.result import CheckResult

if TYPE_CHECKING:
    import numpy.typing as npt

COPY_TOLERANCE = 0.05  # share of copies beyond what the real rows do among themselves


def row_hashes(rows: pd.DataFrame) -> npt.NDArray[np.uint64]:
    """Return one 64-bit hash per row over all columns; equal rows in equal dtypes have equal hashes."""
    return np.asarray(pd.util.hash_pandas_object(rows, index=False), dtype=np.uint64)


def check_copies(real: pd.DataFrame, synthetic: pd.DataFrame, *, copies_wanted: bool = False) -> list[CheckResult]:
    """Return the share of synthetic rows that equal a real row, and the share that repeat another synthetic row.

    On a table of few discrete columns, rows coincide by chance.  So each share is compared with the share of real rows
    that repeat another real row, plus 0.05.  Both are warnings: a copy is no wrong row, only no new one.

    Parameters
    ----------
    real, synthetic : DataFrame of shape (n_rows, n_columns)
        In the same columns and dtypes, index ignored.
    copies_wanted : bool
        Whether the generator copies on purpose; the shares are then shown and never fail.
    """
    real_hashes, synthetic_hashes = row_hashes(real), row_hashes(synthetic)
    natural = float(pd.Series(real_hashes).duplicated().mean())
    copied = float(np.isin(synthetic_hashes, real_hashes).mean())
    repeated = float(pd.Series(synthetic_hashes).duplicated().mean())
    limit = 1.0 if copies_wanted else min(1.0, natural + COPY_TOLERANCE)
    return [
        _share("exact_copies", copied, limit, "equal a real row"),
        _share("repeated_rows", repeated, limit, "repeat another synthetic row"),
    ]


def _share(name: str, observed: float, limit: float, what: str) -> CheckResult:
    return CheckResult(
        name=name,
        subject="all rows",
        passed=observed <= limit,
        observed=observed,
        limit=limit,
        severity="warning",
        message=f"{observed:.1%} of the synthetic rows {what}, allowed {limit:.1%}",
    )
