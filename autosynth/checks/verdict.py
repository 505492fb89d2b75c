"""check(): the verdict on synthetic rows, wherever they come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from autosynth.checks.contamination import KnownRows
from autosynth.checks.domain import check_limits
from autosynth.checks.fidelity import check_fidelity
from autosynth.checks.memorization import check_copies
from autosynth.checks.result import CheckReport, CheckResult
from autosynth.conform import conform
from autosynth.exceptions import PluginError
from autosynth.plugins import current_plugins
from autosynth.table import GroupBy, Table

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Hashable

    import numpy.typing as npt


def check(
    real: pd.DataFrame,
    synthetic: pd.DataFrame,
    *,
    label: Hashable,
    group_by: GroupBy = None,
    holdout: pd.DataFrame | None = None,
) -> CheckReport:
    """Return the verdict on synthetic rows: schema, fidelity inside each group, copies, and what plugins check.

    Parameters
    ----------
    real : DataFrame of shape (n_real, n_features + 1)
        Real rows with the label; ideally those that the generator learned from.
    synthetic : DataFrame of shape (n_synthetic, n_features + 1)
        Rows of any origin with the same columns.
    label : Hashable
        The label column.
    group_by : Hashable or sequence of them, optional
        Columns that split the classes into groups.
    holdout : DataFrame of shape (n_held_out, n_features) or (n_held_out, n_features + 1), optional
        Real rows that the generator never saw, such as a test set; the label may be left out.  Copies of these beyond
        chance fail the report, since scores on those rows would be worthless.  They serve no other purpose.

    Returns
    -------
    CheckReport
        ``passed`` is False when a critical check failed; a check that could not run counts as failed.

    Raises
    ------
    DataError, ConfigError
        If the real table cannot be used, or the synthetic or held-out rows have other columns.
    PluginError
        If a plugin's check raises, or answers with something else than CheckResults.

    Examples
    --------
    >>> from autosynth.toy import shortcut_table
    >>> real, fresh = shortcut_table(n_rows=400, random_state=0), shortcut_table(n_rows=400, random_state=1)
    >>> check(real, fresh, label="ill").passed
    True
    >>> check(real, fresh.assign(severity=fresh["severity"].max()), label="ill").passed
    False
    >>> check(real, fresh, label="ill", holdout=fresh).passed
    False
    """
    table = Table.from_frame(real, label=label, group_by=group_by)
    rows, _, refusals = conform(synthetic, table.schema, owner=None, within_limits=False)
    codes = table.grouping.codes(rows) if len(rows) else np.empty(0, dtype=np.int64)
    refusals["in no group of the real rows"] += int((codes < 0).sum())
    known = codes >= 0
    report = check_rows(table, rows.loc[known], codes[known], real_rows=KnownRows.of(table, holdout))
    schema_check = _schema_check(len(synthetic), +refusals)
    return CheckReport((schema_check, *check_limits(table, rows), *report.results))


def check_rows(
    table: Table,
    synthetic: pd.DataFrame,
    group_codes: npt.NDArray[np.int64],
    *,
    real_rows: KnownRows | None = None,
    copies_wanted: bool = False,
) -> CheckReport:
    """Return the verdict on rows that already have the dtypes of the table and a group each.

    ``real_rows`` are the training and held-out rows that may have been copied; None stands for the table alone.
    """
    if synthetic.empty:
        return CheckReport()
    real = table.frame
    results = check_fidelity(table, synthetic, group_codes)
    real_rows = KnownRows.of(table) if real_rows is None else real_rows
    results += check_copies(real_rows, synthetic, group_codes, copies_wanted=copies_wanted)
    answers = current_plugins().answers("autosynth_check_rows", real=real, synthetic=synthetic, schema=table.schema)
    for plugin, answer in answers:
        if not isinstance(answer, list) or not all(isinstance(result, CheckResult) for result in answer):
            raise PluginError(
                f"plugin {plugin!r} answered autosynth_check_rows with {answer!r}. It must be a list of CheckResult."
            )
        results += answer
    return CheckReport(tuple(results))


def _schema_check(n_rows: int, refusals: Counter[str]) -> CheckResult:
    n_refused = sum(refusals.values())
    reasons = "; ".join(f"{reason} ({count} rows)" for reason, count in refusals.most_common(5))
    return CheckResult(
        name="schema",
        subject="all rows",
        passed=n_refused == 0 and n_rows > 0,
        observed=float(n_refused),
        limit=0.0,
        message=f"{n_refused} of {n_rows} rows break the schema of the real table{': ' + reasons if reasons else ''}",
    )
