"""What goes to which stream: answers to stdout, everything else to stderr, and nothing that a terminal would obey."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

import typer

from autosynth.exceptions import AutosynthWarning, OutputError
from autosynth.printable import printable

COLOURS = {"error:": "red", "warning:": "yellow"}  # of the word that a message starts with
FIRST_WORD = re.compile(f"^({'|'.join(COLOURS)})", re.MULTILINE)


def tell(message: str) -> None:
    """Print to stderr, with what a terminal would obey written out; on a terminal, the first word shows what it is."""
    text = printable(message, keep="\n")
    if not has_colours(sys.stderr):
        typer.echo(text, err=True)
        return
    painted = FIRST_WORD.sub(lambda word: typer.style(word[0], fg=COLOURS[word[0]], bold=True), text)
    typer.echo(painted, err=True, color=True)


def has_colours(stream: TextIO) -> bool:
    """Return whether a stream gets colours: a terminal does, unless NO_COLOR is set or TERM is dumb.

    FORCE_COLOR gives colours to a pipe too, as a person has asked for them.
    """
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return bool(os.environ.get("FORCE_COLOR")) or is_watched(stream)


def is_watched(stream: TextIO) -> bool:
    """Return whether a person looks at a stream, on a terminal that can move its cursor."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def answer(text: object) -> None:
    """Print an answer for people to stdout, with what a terminal would obey written out."""
    with whatever_becomes_of_stdout():
        typer.echo(printable(text, keep="\n"))


def answer_json(facts: object) -> None:
    """Print plain data, or JSON, to stdout: in ASCII, so that no character is left that a terminal would act on."""
    with whatever_becomes_of_stdout():
        typer.echo(json.dumps(json.loads(facts) if isinstance(facts, str) else facts, indent=2))


@contextmanager
def whatever_becomes_of_stdout() -> Iterator[None]:
    """Let a reader that went away, as ``head`` does, change no exit code; a full disk is an error of output."""
    try:
        yield
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left in the buffer goes nowhere
        if not isinstance(error, BrokenPipeError):
            raise OutputError(f"the answer cannot be printed: {error}.") from error


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
