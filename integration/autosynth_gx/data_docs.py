"""Data Docs: Great Expectations builds the page, and it is made safe before it reaches the folder of the user."""

from __future__ import annotations

import html
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from great_expectations.core import ExpectationSuiteValidationResult
from great_expectations.core.run_identifier import RunIdentifier
from great_expectations.data_context.types.resource_identifiers import (
    ExpectationSuiteIdentifier,
    ValidationResultIdentifier,
)
from great_expectations.render.renderer.site_builder import SiteBuilder

from autosynth.exceptions import OutputError
from autosynth.files import write_text
from autosynth_gx.page_safety import as_page, make_safe
from autosynth_gx.rendering import status_of

if TYPE_CHECKING:
    import datetime as dt

    from great_expectations.data_context import EphemeralDataContext

ORDER = ("failed", "error", "skipped", "passed")
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
    status: str,
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
    title = f"{status}: {validation.suite_name}, {run_time:%Y-%m-%d %H:%M:%S} UTC"
    with tempfile.TemporaryDirectory(prefix="autosynth-gx-") as folder:
        raw = _build(validation, run_time, context, Path(folder))
    banner = f'<p><a href="../index.html">All runs</a></p><h1 class="autosynth-{status}">{html.escape(title)}</h1>\n'
    runs = docs_dir / RUNS
    try:
        runs.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{str(runs)!r} cannot be made: {error}") from error
    page = write_text(make_safe(raw, title=title, before=banner), runs / f"{_file_name(validation, run_time)}.html")
    write_text(_index(docs_dir), docs_dir / "index.html")
    return page


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
    results = sorted(validation.results, key=lambda result: ORDER.index(status_of(result)))
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
