"""Errors of usage, told as all other errors are: what was seen, what is accepted, what to do next."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer

from autosynth.commands.examples import examples_of
from autosynth.commands.help_text import name_of, usage_of
from autosynth.commands.hints import owners_of_option
from autosynth.exceptions import nearest

__all__ = ["USAGE_ERRORS", "explain_usage", "is_call_for_help", "usage_errors_of"]

# Typer brings a parser of its own or Click's, by its version; both name these classes alike.
USAGE_ERRORS: type[Any] = typer.BadParameter.__mro__[2]


def explain_usage(error: Any) -> str:
    """Return what is wrong with a command line, with the command's usage before and an example after it.

    Parameters
    ----------
    error : one of USAGE_ERRORS
        As the parser raised it.
    """
    kind, ctx = type(error).__name__, getattr(error, "ctx", None)
    message = _MESSAGES.get(kind, _as_it_is)(error, ctx)
    if ctx is None:
        return f"error: {message}"
    pairs = () if hasattr(ctx.command, "commands") else examples_of(ctx.command.callback)
    example = f"\nFor example: {pairs[0][1]}" if pairs else ""
    return f"Usage: {usage_of(ctx)}\nerror: {message} `{ctx.command_path} --help` says more.{example}"


@contextmanager
def usage_errors_of(ctx: Any) -> Iterator[None]:
    """Let errors of usage know whose they are: the parser tells it of most, and of an option without its value not."""
    try:
        yield
    except USAGE_ERRORS as error:
        error.ctx = error.ctx or ctx
        raise


def is_call_for_help(error: Any) -> bool:
    """Return whether the error is but a command line without any word, whose message is the help."""
    return type(error).__name__ == "NoArgsIsHelpError"


def _no_such_option(error: Any, ctx: Any) -> str:
    name = error.option_name
    known = [name for parameter in ctx.command.params for name in (*parameter.opts, *parameter.secondary_opts)]
    options = [name for name in known if name.startswith("-")]
    spelt, owners = owners_of_option(name)
    if owners and "--option" in options:
        return f"`{ctx.command_path}` has no option {name}. Generators have it ({owners}): give --option {spelt}=VALUE."
    return f"`{ctx.command_path}` has no option {name}.{nearest(name, options)}"


def _missing(error: Any, ctx: Any) -> str:
    parameter = error.param
    if parameter is None or ctx is None:
        return _as_it_is(error, ctx)
    words = getattr(parameter, "help", None) or "it must be given."
    return f"`{ctx.command_path}` needs {name_of(parameter)}: {words}"


def _bad_value(error: Any, ctx: Any) -> str:
    parameter = error.param
    if parameter is None:
        return _as_it_is(error, ctx)
    return _ended(f"{name_of(parameter)}{_seen(error)}: {error.message}")


def _seen(error: Any) -> str:
    """Return the value that was given, where a newer parser's message leaves it out."""
    details: Any = getattr(error.__cause__, "errors", list)()
    return f" {details[0]['input']!r}" if details else ""


def _as_it_is(error: Any, ctx: Any) -> str:  # noqa: ARG001 - as the others are called
    return _ended(error.format_message())


def _ended(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."


_MESSAGES = {"NoSuchOption": _no_such_option, "MissingParameter": _missing, "BadParameter": _bad_value}
