"""The program: commands that take settings from files and end their help with worked examples.

It is a Typer app, so that a plugin adds a command with ``@app.command()`` as to any other, and has all of this too.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

import autosynth
from autosynth.commands.completion import files_of_settings
from autosynth.commands.help_text import help_of
from autosynth.commands.panels import HELP
from autosynth.commands.settings import apply_settings, check_trust, tell_settings
from autosynth.commands.usage import usage_errors_of
from autosynth.exceptions import AutosynthError, nearest

if TYPE_CHECKING:
    from autosynth.commands.examples import Function

__all__ = ["PROGRAM", "Command", "Program"]

PROGRAM = "autosynth"
NAMED_FILE = "autosynth.config"  # under which a context keeps what --config says


class Command(TyperCommand):
    """A command that says where its settings come from, and how it is used."""

    def get_help_option(self, ctx: Any) -> Any:
        """Return ``--help``, listed last, beside ``--config``."""
        option = super().get_help_option(ctx)
        if option is not None:
            option.rich_help_panel = HELP  # type: ignore[attr-defined, unused-ignore]  # of Typer's own options
        return option

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help."""
        formatter.write(help_of(ctx))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the command line."""
        with usage_errors_of(ctx):
            return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> None:
        """Run the command; what its function returns is no exit code."""
        check_trust(ctx)
        tell_settings(ctx)
        super().invoke(ctx)


class Root(TyperGroup):
    """All commands; each takes ``--config`` too, so that it may stand before or after a command's name."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        for parameter in self.params:
            if parameter.name == "config":
                for command in self.commands.values():
                    _add_once(command, parameter)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help."""
        formatter.write(help_of(ctx))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read what stands before the command's name."""
        with usage_errors_of(ctx):
            return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command of a name; a name that is none gets the nearest one."""
        name = args[0]
        if not ctx.resilient_parsing and not name.startswith("-") and self.get_command(ctx, name) is None:
            begun = [f" Did you mean {known!r}?" for known in self.commands if known.startswith(name)]
            hint = begun[0] if len(begun) == 1 else nearest(name, self.commands)
            ctx.fail(f"{name!r} is no command.{hint} Commands: {', '.join(self.commands)}.")
        return super().resolve_command(ctx, args)


class Program(typer.Typer):
    """The command line as an app of Typer's kind, whose commands are of :class:`Command`'s kind."""

    def __init__(self, **given: Any) -> None:
        super().__init__(name=PROGRAM, cls=Root, context_settings={"help_option_names": ["--help", "-h"]}, **given)

    def command(
        self, name: str | None = None, *, cls: type[TyperCommand] | None = None, **given: Any
    ) -> Callable[[Function], Function]:
        """Return a decorator that adds a command; arguments are those of Typer."""
        return super().command(name, cls=Command if cls is None else cls, **given)


def _say_version(value: bool) -> None:
    if value:
        typer.echo(f"{PROGRAM} {autosynth.__version__}")
        raise typer.Exit


def _take_settings(ctx: typer.Context, value: str | None) -> str | None:
    """Remember the file named before the command, and apply it when the command itself is read."""
    if value is not None:
        ctx.meta[NAMED_FILE] = value
    # Completion goes on without settings that cannot be read.
    with suppress(AutosynthError) if ctx.resilient_parsing else nullcontext():
        apply_settings(ctx, ctx.meta.get(NAMED_FILE))
    return value


Config = Annotated[
    str | None,
    typer.Option(
        "--config",
        metavar="FILE",
        is_eager=True,
        callback=_take_settings,
        autocompletion=files_of_settings,
        rich_help_panel=HELP,
        help="Settings for what the command line leaves out, as TOML; without it, autosynth.toml or [tool.autosynth] "
        "of pyproject.toml in this folder. none: no file.",
    ),
]
Version = Annotated[
    bool,
    typer.Option(
        "--version",
        is_eager=True,
        callback=_say_version,
        rich_help_panel=HELP,
        help="Print the version and exit.",
    ),
]


def _add_once(command: Any, parameter: Any) -> None:
    if not any(other.name == parameter.name or "--config" in other.opts for other in command.params):
        own = copy.copy(parameter)
        own.expose_value = False  # the functions of commands do not know it
        command.params.append(own)


def is_completing() -> bool:
    """Return whether a shell asks for completions, so that nothing else may be said."""
    return f"_{PROGRAM.upper()}_COMPLETE" in os.environ
