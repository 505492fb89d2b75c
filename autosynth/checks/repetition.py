"""Repetition: synthetic rows that repeat another synthetic row of their group."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from autosynth.checks.distance import row_hashes
from autosynth.checks.noise import Chance, level_of_each
from autosynth.checks.result import CheckResult

if TYPE_CHECKING:
    import numpy.typing as npt

    from autosynth.checks.family import Context

    Codes = npt.NDArray[np.int64]

TOLERANCE = 0.05  # share of rows


def count_repeated(rows: pd.DataFrame, group_codes: Codes, n_groups: int) -> Codes:
    """Return for each group how many of its rows repeat an earlier one of the group, shape (n_groups,)."""
    keys = pd.DataFrame({"row": row_hashes(rows), "group": group_codes})
    return np.bincount(group_codes[keys.duplicated().to_numpy()], minlength=n_groups).astype(np.int64)


def check_repeated_rows(context: Context) -> list[CheckResult]:
    """Return one check, a warning: the share of rows that repeat another row of their group in all free columns.

    As many may do so as among the real rows of the group; where there are more synthetic rows than real ones,
    proportionally more.
    """
    reference, batch, mix = context.reference, context.batch, context.mix
    if not len(batch):
        return []
    n_repeated = int(count_repeated(batch.frame[list(reference.free_columns)], batch.group_codes, len(mix)).sum())
    sizes = np.asarray(reference.group_sizes)
    natural = np.minimum(np.asarray(reference.n_repeated) * np.maximum(1.0, mix / sizes), sizes)
    chance = Chance.of_mix(natural, sizes, mix)
    limit = 1.0 if context.copies == "show" else chance.highest(len(batch), level_of_each(1), TOLERANCE)
    observed = n_repeated / len(batch)
    return [
        CheckResult(
            name="repeated_rows",
            subject="all rows",
            passed=observed <= limit,
            observed=observed,
            limit=limit,
            severity="warning",
            message=f"{observed:.1%} of the synthetic rows repeat another synthetic row, allowed {limit:.1%}",
        )
    ]
