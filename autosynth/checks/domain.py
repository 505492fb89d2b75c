"""Domain: numbers that leave the range of the real rows more often than fresh real rows would."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from autosynth.checks.result import CheckResult

if TYPE_CHECKING:
    import pandas as pd

    from autosynth.table import Table

FALSE_ALARM_RATE = 0.01  # over all columns together


def check_limits(table: Table, synthetic: pd.DataFrame) -> list[CheckResult]:
    """Return one check per number-like column: the share of synthetic values outside the real minimum and maximum.

    A fresh value of the same continuous distribution lies outside the range of n earlier ones with probability
    2 / (n + 1), by exchangeability.  The limit adds the deviation that the number of synthetic rows allows
    (Hoeffding's inequality), and a whole range of one value leaves no room at all.
    """
    columns = [column for column in table.schema.columns if column.is_number_like]
    results = []
    for column in columns:
        if column.minimum is None or column.maximum is None:
            continue
        numbers = column.to_float(synthetic[column.name])
        present = numbers[~np.isnan(numbers)]
        if not len(present):
            continue
        outside = float(np.mean((present < column.minimum) | (present > column.maximum)))
        n_real = len(table) - column.n_missing
        noise = math.sqrt(math.log(len(columns) / FALSE_ALARM_RATE) / (2 * len(present)))
        limit = 0.0 if column.n_distinct == 1 else min(1.0, 2 / (n_real + 1) + noise)
        results.append(
            CheckResult(
                name="limits",
                subject=str(column.name),
                passed=outside <= limit,
                observed=outside,
                limit=limit,
                message=f"{outside:.1%} of the values lie outside the real minimum and maximum, allowed {limit:.1%}",
            )
        )
    return results
