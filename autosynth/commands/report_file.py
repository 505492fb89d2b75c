"""Files that commands write: their place is checked before the work, and their ending says what is written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from autosynth.commands.streams import tell
from autosynth.exceptions import ConfigError

if TYPE_CHECKING:
    from autosynth import RebalanceReport


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
