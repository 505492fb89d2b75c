"""The option ``--resume``: a folder in which an interrupted run can be taken up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from autosynth.commands.panels import RUN
from autosynth.commands.streams import tell

Resume = Annotated[
    Path | None,
    typer.Option(
        "--resume",
        metavar="FOLDER",
        file_okay=False,
        rich_help_panel=RUN,
        help="A folder for results, made if need be; the same command goes on from there.",
    ),
]


@contextmanager
def saying_how_to_resume(folder: Path | None) -> Iterator[None]:
    """Say on an interrupt whether what was measured is kept, and where, then let it go on."""
    try:
        yield
    except KeyboardInterrupt:
        if folder is None:
            tell("nothing that was measured is kept; with --resume FOLDER, the same command could go on from here.")
        else:
            tell(f"what was measured is in {folder}; the same command goes on from there.")
        raise
