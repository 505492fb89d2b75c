"""The files that `autosynth check` reads a suite from and writes its verdict to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from autosynth.checks.result import CheckReport, CheckResult
from autosynth.exceptions import ConfigError, OutputError
from autosynth.files import check_target, write_text
from autosynth.junit import junit_xml


@dataclass(frozen=True, kw_only=True)
class GateFiles:
    """Paths that were checked when this was built, before any work is done for them.

    Attributes
    ----------
    suite : Path or None
        A file with a suite of checks.
    junit, html : Path or None
        Where JUnit XML (.xml) and the page (.html) go; the endings keep a slip from overwriting a table.
    data_docs : Path or None
        The folder for pages that a plugin writes; it may not exist yet.

    Raises
    ------
    ConfigError
        If the suite is no file, or a name ends otherwise.
    OutputError
        If nothing can be written there.
    """

    suite: Path | None = None
    junit: Path | None = None
    html: Path | None = None
    data_docs: Path | None = None

    def __post_init__(self) -> None:
        if self.suite is not None and not self.suite.is_file():
            raise ConfigError(f"--suite {str(self.suite)!r} is not a file. Save one with `autosynth suite`.")
        _check_file("--junit", self.junit, ".xml")
        _check_file("--html", self.html, ".html")
        if self.data_docs is not None:
            _check_folder(self.data_docs)

    @property
    def needs_plugin(self) -> bool:
        """Whether a plugin that runs suites is asked for."""
        return self.suite is not None or self.data_docs is not None

    def write_error(self, error: BaseException) -> Iterator[Path]:
        """Write XML with one error in place of the verdict of an earlier run, remove its page, yield what was written.

        For a run that came to no verdict: a green file of the last one would stand for this one.
        """
        if self.html is not None:
            self.html.unlink(missing_ok=True)
        if self.junit is not None:
            report = CheckReport((CheckResult.not_run("autosynth check", "the run", str(error) or repr(error)),))
            yield write_text(junit_xml(report), self.junit)

    def write(self, report: CheckReport) -> Iterator[Path]:
        """Write the page and the XML, and yield the path of everything that was written."""
        if self.html is not None:
            yield report.to_html(self.html)
        if self.junit is not None:
            yield write_text(junit_xml(report), self.junit)
        if self.data_docs is not None:
            yield self.data_docs


def _check_file(option: str, path: Path | None, suffix: str) -> None:
    if path is None:
        return
    if path.suffix != suffix:
        raise ConfigError(f"{option} {str(path)!r} does not end in {suffix}.")
    check_target(path)


def _check_folder(path: Path) -> None:
    if path.exists() and not path.is_dir():
        raise OutputError(f"--data-docs {str(path)!r} is a file. Give the path of a folder.")
    if not path.parent.is_dir():
        raise OutputError(f"--data-docs: {str(path.parent)!r} is not a folder. Create it first.")
