"""check(): the verdict on synthetic rows, wherever they come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autosynth.checks.batch import Batch
from autosynth.checks.contamination import KnownRows
from autosynth.checks.evidence import Evidence
from autosynth.checks.families import run_families
from autosynth.checks.family import Context, CopyJudgement
from autosynth.checks.real_rows import RealRows
from autosynth.checks.reference import Reference
from autosynth.checks.result import CheckReport, CheckResult
from autosynth.checks.rules import Rule, as_rules
from autosynth.exceptions import PluginError
from autosynth.notices import announce
from autosynth.plugins import current_plugins
from autosynth.table import GroupBy, Table

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    import numpy as np
    import numpy.typing as npt
    import pandas as pd


def check(
    real: pd.DataFrame,
    synthetic: pd.DataFrame,
    *,
    label: Hashable,
    group_by: GroupBy = None,
    holdout: pd.DataFrame | None = None,
    rules: Sequence[Rule | str] | Rule | str = (),
) -> CheckReport:
    """Return the verdict on synthetic rows: schema, fidelity inside each group, copies, and what plugins check.

    Columns that are absent or foreign fail the check "schema".  The checks that then have no row to judge are errors.

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
    rules : sequence of Rule or str
        What every row has to keep, such as "start <= end"; one rule needs no list.

    Returns
    -------
    CheckReport
        ``passed`` is False when a critical check failed; a check that could not run counts as failed.

    Raises
    ------
    DataError, ConfigError
        If the real table cannot be used, the synthetic rows are no DataFrame, the held-out rows have other columns, or
        more than 5 % of the real rows break a rule.
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
    rows = _real_rows(table, RealRows(table, holdout))
    reference = Reference.of(table, rules=as_rules(rules))
    batch = Batch.read(synthetic, reference)
    report = _judge(Context(reference, batch, rows))
    announce("autosynth_reported", report=report)
    return report


def check_rows(
    table: Table,
    synthetic: pd.DataFrame,
    group_codes: npt.NDArray[np.int64],
    *,
    real_rows: RealRows | KnownRows | None = None,
    rules: Sequence[Rule | str] | Rule | str = (),
    copies: CopyJudgement = "warn",
    quick_only: bool = False,
) -> CheckReport:
    """Return the verdict on rows that already have the dtypes of the table and a group each.

    Parameters
    ----------
    table : Table
        The real rows.
    synthetic : DataFrame of shape (n_rows, n_columns)
        Index ignored.
    group_codes : ndarray of int, shape (n_rows,)
        Position of each row's group in ``table.groups``.
    real_rows : RealRows or KnownRows, optional
        The training and held-out rows that may have been copied; None stands for the table alone.
    rules : sequence of Rule or str
        What every row has to keep; one rule needs no list.
    copies : "fail", "warn" or "show"
        What copies of training rows beyond chance are: critical, a warning, or the purpose of the generator.
    quick_only : bool
        Whether to leave out the checks that fit models.
    """
    if synthetic.empty:
        return CheckReport()
    rows = _real_rows(table, real_rows)
    batch = Batch.of_groups(synthetic.reset_index(drop=True), group_codes)
    context = Context(Reference.of(table, rules=as_rules(rules)), batch, rows, copies)
    return _judge(context, quick_only=quick_only)


def _judge(context: Context, *, quick_only: bool = False) -> CheckReport:
    assert context.rows is not None  # noqa: S101 - both callers give them
    batch, table = context.batch, context.rows.table
    results = run_families(context, quick_only=quick_only)
    if len(batch):
        results += _ask_plugins(table, batch.frame)
    return CheckReport(tuple(results), Evidence(table, batch.frame, batch.group_codes, batch.n_given))


def _real_rows(table: Table, given: RealRows | KnownRows | None) -> RealRows:
    """Return the real rows, placed already: what is wrong with held-out rows is an error, not a failed check."""
    rows = given if isinstance(given, RealRows) else RealRows(table, placed=given)
    _ = rows.known
    return rows


def _ask_plugins(table: Table, synthetic: pd.DataFrame) -> list[CheckResult]:
    results: list[CheckResult] = []
    answers = current_plugins().answers(
        "autosynth_check_rows", real=table.frame, synthetic=synthetic, schema=table.schema
    )
    for plugin, answer in answers:
        if not isinstance(answer, list) or not all(isinstance(result, CheckResult) for result in answer):
            raise PluginError(
                f"plugin {plugin!r} answered autosynth_check_rows with {answer!r}. It must be a list of CheckResult."
            )
        results += answer
    return results
