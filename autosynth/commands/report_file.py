"""The file of ``--report``: its place is checked before the work, and its ending says what is written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from autosynth.commands.streams import tell
from autosynth.exceptions import ConfigError

if TYPE_CHECKING:
    from autosynth import RebalanceReport


def check_report_path(path: Path | None) -> None:
    """Raise unless a report can be written to ``path``: before the work, and not after it.

    Raises
    ------
    ConfigError, OutputError
        If its name ends in neither .html nor .json, or no file can be written there.
    """
    if path is not None and path.suffix not in (".html", ".json"):
        raise ConfigError(f"--report {str(path)!r} ends in neither .html nor .json.")
    if path is not None:
        from autosynth.files import check_target

        check_target(path)


def check_file(option: str, path: Path | None, *suffixes: str) -> None:
    """Raise unless ``path`` is None or can be written and ends as it must.

    Raises
    ------
    ConfigError, OutputError
        With the name of the option.
    """
    if path is None:
        return
    from autosynth.files import check_target

    if path.suffix not in suffixes:
        raise ConfigError(f"{option} {str(path)!r} does not end in {' or '.join(suffixes)}.")
    check_target(path)


def write_report(report: RebalanceReport, path: Path) -> None:
    """Write a report in the form that the ending of the path names, and say so."""
    if path.suffix == ".json":
        report.to_json(path)
    else:
        report.to_html(path)
    tell(f"Wrote {path}")
