"""Data Docs: Great Expectations builds the page, and it is made safe before it reaches the folder of the user."""

from __future__ import annotations

import copy
import html
import re
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from great_expectations.core import ExpectationSuiteValidationResult
from great_expectations.core.run_identifier import RunIdentifier
from great_expectations.data_context.types.resource_identifiers import (
    ExpectationSuiteIdentifier,
    ValidationResultIdentifier,
)
from great_expectations.render.renderer.site_builder import SiteBuilder

from autosynth.check_text import headline, verdict_of
from autosynth.exceptions import OutputError
from autosynth.files import write_text
from autosynth_gx.page_safety import as_page, make_safe
from autosynth_gx.rendering import OUTCOME, status_of

if TYPE_CHECKING:
    import datetime as dt

    from great_expectations.data_context import EphemeralDataContext

    from autosynth import CheckReport, CheckResult
    from autosynth.checks.result import Severity

ORDER = ("failed", "error", "warned", "skipped", "passed")
COUNTED_AS = {
    "failed": "failed",
    "warned": "warned",
    "error": "could not run",
    "skipped": "skipped",
    "passed": "passed",
}
RUNS = "runs"
TITLE = re.compile(r"<title>(.*?)</title>")


def check_docs_folder(docs_dir: Path) -> Path:
    """Return the folder for pages, before any work is done for them.

    Raises
    ------
    OutputError
        If it is a file, or the folder that it lies in does not exist.
    """
    if docs_dir.exists() and not docs_dir.is_dir():
        raise OutputError(f"{str(docs_dir)!r} is a file. Give a folder for the pages.")
    if not docs_dir.parent.is_dir():
        raise OutputError(f"{str(docs_dir.parent)!r} is not a folder. Create it first.")
    return docs_dir


def write_data_docs(
    validation: ExpectationSuiteValidationResult,
    *,
    report: CheckReport,
    fail_on: Severity,
    run_time: dt.datetime,
    context: EphemeralDataContext,
    docs_dir: Path,
) -> Path:
    """Write the page of a run into a folder, and an index of all runs in it; return the path of the page.

    Raises
    ------
    OutputError
        If Great Expectations made no page, or it cannot be written.
    """
    status = verdict_of(report)
    run = f"{status}: {validation.suite_name}, {run_time:%Y-%m-%d %H:%M:%S} UTC"
    title = f"{run} ({counts_of(report)})"
    with tempfile.TemporaryDirectory(prefix="autosynth-gx-") as folder:
        raw = _build(validation, run_time, context, Path(folder))
    banner = (
        f'<p><a href="../index.html">All runs</a></p><h1 class="autosynth-{status}">{html.escape(run)}</h1>\n'
        f"<p>{html.escape(headline(report))}</p>\n"
        + ("<p>Warnings count like critical failures in this run.</p>\n" if fail_on == "warning" else "")
    )
    runs = docs_dir / RUNS
    try:
        runs.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{str(runs)!r} cannot be made: {error}") from error
    page = write_text(make_safe(raw, title=title, before=banner), runs / f"{_file_name(validation, run_time)}.html")
    write_text(_index(docs_dir), docs_dir / "index.html")
    return page


def counts_of(report: CheckReport) -> str:
    """Return how many checks there are, and how many ended in which way, worst first.

    Examples
    --------
    >>> from autosynth import CheckReport, CheckResult
    >>> absent = CheckResult.not_run("coverage", "ill=yes", "no rows", severity="warning")
    >>> counts_of(CheckReport((absent,)))
    '1 check: 1 could not run'
    """
    counts = Counter(_counted_as(result) for result in report)
    listed = ", ".join(f"{counts[word]} {word}" for word in COUNTED_AS.values() if counts[word])
    return f"{counts.total()} {'check' if counts.total() == 1 else 'checks'}: {listed or 'none'}"


def _counted_as(result: CheckResult) -> str:
    is_warning = result.status == "failed" and result.severity != "critical"
    return COUNTED_AS["warned" if is_warning else result.status]


def _build(
    validation: ExpectationSuiteValidationResult, run_time: dt.datetime, context: EphemeralDataContext, folder: Path
) -> str:
    """Return the page that Great Expectations makes of a result, as it came."""
    run_id = RunIdentifier(run_name=_file_name(validation, run_time), run_time=run_time)
    validation.meta.update(run_id=run_id, validation_time=run_time)
    key = ValidationResultIdentifier(
        expectation_suite_identifier=ExpectationSuiteIdentifier(name="suite"),
        run_id=run_id,
        batch_identifier="rows",
    )
    store = context.validation_results_store
    store.set(key, _worst_first(validation))
    try:
        SiteBuilder(
            data_context=context,
            store_backend={"class_name": "TupleFilesystemStoreBackend", "base_directory": str(folder)},
            runtime_environment={"root_directory": str(folder)},
            site_name="autosynth",
            show_how_to_buttons=False,
            site_section_builders={"expectations": "none", "profiling": "none"},
        ).build(resource_identifiers=[key], build_index=False)
    finally:
        store.remove_key(key)
    pages = list((folder / "validations").rglob("*.html"))  # a renderer that fails is only logged
    if len(pages) != 1:
        raise OutputError(f"Great Expectations made {len(pages)} pages of the result instead of one. Its log says why.")
    return pages[0].read_text(encoding="utf-8")


def _worst_first(validation: ExpectationSuiteValidationResult) -> Any:
    """Return a copy in the order of the page, in which each configuration says how its expectation ended."""
    results = [copy.deepcopy(result) for result in validation.results]
    for result in results:
        config = result.expectation_config
        config.meta = {**(config.meta or {}), OUTCOME: status_of(result)}
    results.sort(key=lambda result: ORDER.index(status_of(result)))
    return ExpectationSuiteValidationResult(
        success=validation.success,
        results=results,
        suite_name=validation.suite_name,
        statistics=validation.statistics,
        meta=validation.meta,
        batch_id=validation.batch_id,
    )


def _file_name(validation: ExpectationSuiteValidationResult, run_time: dt.datetime) -> str:
    readable = re.sub(r"[^\w-]+", "-", validation.suite_name)[:60]
    return f"{run_time:%Y%m%dT%H%M%S%f}-{readable}"


def _index(docs_dir: Path) -> str:
    """Return the page that lists all runs, newest first."""
    rows = []
    for page in sorted((docs_dir / RUNS).glob("*.html"), reverse=True):
        found = TITLE.search(page.read_text(encoding="utf-8"))
        title = html.unescape(found[1]) if found else page.stem
        status = title.partition(":")[0]
        rows.append(
            f'<li class="autosynth-{html.escape(status)}"><a href="{RUNS}/{page.name}">{html.escape(title)}</a></li>'
        )
    return as_page(f"<h1>Checks of synthetic rows</h1>\n<ul>{''.join(rows)}</ul>\n", title="Checks of synthetic rows")
