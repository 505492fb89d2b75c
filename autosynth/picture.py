"""Pictures: what a plot may be written as, and how a figure becomes the same file every time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from autosynth.exceptions import ConfigError
from autosynth.files import AnyPath, write_beside

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["SUFFIXES", "check_picture", "write_picture"]

SUFFIXES = (".png", ".svg")
DPI = 150  # of a PNG


def check_picture(path: AnyPath) -> None:
    """Raise unless a picture can be written under this name.

    Raises
    ------
    ConfigError
        If it ends otherwise.
    """
    if Path(path).suffix.lower() not in SUFFIXES:
        raise ConfigError(f"{str(path)!r} ends in none of {', '.join(SUFFIXES)}, the pictures that can be drawn.")


def write_picture(figure: Figure, path: AnyPath) -> Path:
    """Write a figure in the form that the name says, beside the target first; the same figure gives the same bytes.

    Raises
    ------
    ConfigError
        If the name ends otherwise.
    OutputError
        If no file can be written there.
    """
    check_picture(path)
    form = Path(path).suffix.lower()[1:]
    metadata = {"Date": None} if form == "svg" else {"Software": None}
    return write_beside(path, lambda target: figure.savefig(target, format=form, dpi=DPI, metadata=metadata))
