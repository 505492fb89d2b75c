"""What goes to which stream: answers to stdout, everything else to stderr, and nothing that a terminal would obey."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

import typer

from autosynth.check_text import printable
from autosynth.exceptions import AutosynthWarning, OutputError


def tell(message: str) -> None:
    """Print to stderr, with what a terminal would obey written out."""
    typer.echo(printable(message, keep="\n"), err=True)


def answer(text: object) -> None:
    """Print an answer for people to stdout, with what a terminal would obey written out."""
    typer.echo(printable(text, keep="\n"))


def answer_json(text: str) -> None:
    """Print JSON to stdout, in ASCII, so that no character is left that a terminal would act on."""
    typer.echo(json.dumps(json.loads(text), indent=2))


@contextmanager
def whatever_becomes_of_stdout() -> Iterator[None]:
    """Let a reader that went away, as ``head`` does, change no exit code; a full disk is an error of output."""
    try:
        yield
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left in the buffer goes nowhere
        if not isinstance(error, BrokenPipeError):
            raise OutputError(f"the verdict cannot be printed: {error}.") from error


def show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,  # noqa: ARG001 - the signature of warnings.showwarning
    lineno: int,  # noqa: ARG001
    file: TextIO | None = None,  # noqa: ARG001
    line: str | None = None,  # noqa: ARG001
) -> None:
    """Print our own warnings in one line on stderr, and those of libraries not at all."""
    if issubclass(category, AutosynthWarning):
        tell(f"warning: {message}")
