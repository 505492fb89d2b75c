"""run_gate(): a suite on synthetic rows, and the verdict with its exit code."""

from __future__ import annotations

import copy
import datetime as dt
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from great_expectations.core import ExpectationSuite
from great_expectations.core.batch_definition import BatchDefinition
from great_expectations.datasource.fluent.interfaces import Batch

from autosynth.checks.evidence import Evidence
from autosynth.exceptions import ConfigError
from autosynth.notices import announce
from autosynth.options import check_choice
from autosynth_gx.contexts import as_current, own_context, without_progress_bars
from autosynth_gx.data_docs import check_docs_folder, write_data_docs
from autosynth_gx.engine_rows import EngineRows, held_rows
from autosynth_gx.gate_result import GateResult
from autosynth_gx.real_rows import source_with_rows
from autosynth_gx.sources import Source, in_force
from autosynth_gx.suite_file import check_suite
from autosynth_gx.verdicts import read_report

if TYPE_CHECKING:
    from great_expectations.data_context import AbstractDataContext

    from autosynth.checks.result import Severity
    from autosynth.files import AnyPath

# Without sample values: Data Docs would show them as they are, and on large frames they cost half of the time.
RESULT_FORMAT = {"result_format": "BASIC", "partial_unexpected_count": 0}

_lock = threading.RLock()  # Great Expectations keeps a current context per process


def run_gate(
    suite: ExpectationSuite,
    synthetic: pd.DataFrame | BatchDefinition | Batch,
    *,
    real: pd.DataFrame | None = None,
    holdout: pd.DataFrame | None = None,
    rows_dir: AnyPath | None = None,
    docs_dir: AnyPath | None = None,
    fail_on: Severity = "critical",
    context: AbstractDataContext | None = None,
) -> GateResult:
    """Return the verdict of a suite on synthetic rows.

    Parameters
    ----------
    suite : ExpectationSuite
        From :func:`build_suite` or :func:`load_suite`.
    synthetic : DataFrame, BatchDefinition or Batch
        The rows: in memory, or wherever a data source of Great Expectations finds them, such as SQL or Spark.
    real, holdout : DataFrame, optional
        The rows that the suite was built from, for the checks that need rows.  Without them, they are taken from
        ``rows_dir``, or from the suite that was built in this process; where there are none, these checks err.
    rows_dir : path, optional
        The folder that :func:`build_suite` wrote rows to.
    docs_dir : path, optional
        A folder for Data Docs: pages that open offline and run no script.
    fail_on : "critical" or "warning"
        The mildest failure that fails the run.
    context : DataContext, optional
        A context of yours to run in, for instance one whose plugins your own expectations need.  It is left as it was.

    Returns
    -------
    GateResult
        ``status``, ``exit_code`` (0 passed, 1 failed, 2 could not be decided), ``report`` and ``validation``.

    Raises
    ------
    ConfigError, DataError
        If the suite is not complete, or the real or held-out rows are not those that it was built from.
    OutputError
        If the pages cannot be written.

    Examples
    --------
    >>> from autosynth.toy import shortcut_table
    >>> from autosynth_gx import build_suite
    >>> suite = build_suite(shortcut_table(300), label="ill", self_test=False)
    >>> run_gate(suite, shortcut_table(300, random_state=1)).status
    'passed'
    >>> run_gate(suite, shortcut_table(300, random_state=1).assign(ward="moon")).exit_code
    1
    """
    check_choice("fail_on", fail_on, ("critical", "warning"))
    check_suite(suite)
    docs_folder = None if docs_dir is None else check_docs_folder(Path(docs_dir))
    source = source_with_rows(suite, real=real, holdout=holdout, rows_dir=rows_dir)
    with _lock:
        context = own_context() if context is None else context
        before, evidence = held_rows(), None
        try:
            with as_current(context), in_force(source):
                batch = _as_batch(synthetic)
                with without_progress_bars(batch.datasource.data_context):
                    validation = batch.validate(copy_of(suite), result_format=RESULT_FORMAT)
            evidence = _evidence(held_rows() - before, source)
        finally:
            for rows in held_rows() - before:  # an engine of the caller's would keep them
                rows.release()
        report = replace(read_report(validation, len(suite.expectations)), evidence=evidence).fail_on(fail_on)
        page = None
        if docs_folder is not None:
            run_time = dt.datetime.now(dt.timezone.utc)
            with as_current(own_docs := own_context()):
                page = write_data_docs(
                    validation,
                    report=report,
                    fail_on=fail_on,
                    run_time=run_time,
                    context=own_docs,
                    docs_dir=docs_folder,
                )
    announce("autosynth_reported", report=report)
    return GateResult(report, validation, page)


def _evidence(looked_at: set[EngineRows], source: Source) -> Evidence | None:
    """Return real and synthetic rows side by side, where there are both."""
    contexts = [rows.memory[source] for rows in looked_at if source in rows.memory]
    if source.rows is None or not contexts or not len(contexts[0].batch):
        return None
    batch = contexts[0].batch
    return Evidence(source.rows.table, batch.frame, batch.group_codes)


def _as_batch(synthetic: Any) -> Batch:
    if isinstance(synthetic, Batch):
        return synthetic
    if isinstance(synthetic, BatchDefinition):
        return synthetic.get_batch()
    if not isinstance(synthetic, pd.DataFrame):
        raise ConfigError(
            f"the synthetic rows are a {type(synthetic).__name__}. Give a DataFrame, or a BatchDefinition or Batch of "
            "Great Expectations."
        )
    asset = own_context().data_sources.add_pandas("synthetic").add_dataframe_asset("rows")
    return asset.add_batch_definition_whole_dataframe("all rows").get_batch(batch_parameters={"dataframe": synthetic})


def copy_of(suite: ExpectationSuite, meta: dict[str, Any] | None = None) -> ExpectationSuite:
    """Return the suite without its ties to a store; without ``meta``, also without the summary of the real rows."""
    return ExpectationSuite(
        name=suite.name,
        expectations=[copy.copy(expectation) for expectation in suite.expectations],
        suite_parameters=dict(suite.suite_parameters),
        meta=meta,
    )
