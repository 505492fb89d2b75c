"""Help as text: usage, options under headings, and worked examples; in colours on terminals alone."""

from __future__ import annotations

import inspect
import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import typer

from autosynth.commands.examples import examples_of
from autosynth.commands.panels import ARGUMENTS, COMMAND_ORDER, HELP, OPTIONS, ORDER
from autosynth.commands.streams import has_colours

__all__ = ["help_of", "metavar_of", "name_of", "usage_of"]

WIDEST = 100  # columns; longer lines are hard to read
NARROW = 60  # columns, below which descriptions stand under what they describe
NARROWEST = 40  # columns, even where a terminal has fewer: the longest names of options fit
LEFT = 30  # columns for what is described, at most
METAVARS = {"Path": "FILE", "int": "N", "float": "NUMBER", "path": "FILE", "integer": "N"}


@dataclass(frozen=True, kw_only=True)
class Page:
    """How wide help is, and whether it has colours."""

    width: int
    is_coloured: bool

    @classmethod
    def of_terminal(cls) -> Page:
        """Return the page that stdout is; 80 columns where it is no terminal and COLUMNS does not say otherwise."""
        width = min(max(shutil.get_terminal_size().columns, NARROWEST), WIDEST)
        return cls(width=width, is_coloured=has_colours(sys.stdout))

    def heading(self, text: str) -> str:
        """Return a heading."""
        return typer.style(text, bold=True) if self.is_coloured else text

    def paragraph(self, text: str) -> list[str]:
        """Return a text in lines."""
        return textwrap.wrap(text, self.width, break_on_hyphens=False)

    def definitions(self, pairs: Sequence[tuple[str, str]], longest: int) -> Iterator[str]:
        """Yield two columns: names, of which the longest has so many letters, and what they mean."""
        left = 4 if self.width < NARROW else min(longest, LEFT) + 4
        for name, text in pairs:
            shown = typer.style(name, fg="cyan", bold=True) if self.is_coloured else name
            first, *rest = textwrap.wrap(text, self.width - left, break_on_hyphens=False) or [""]
            fits = len(name) + 4 <= left
            yield (f"  {shown}{' ' * (left - len(name) - 2)}{first}" if fits else f"  {shown}").rstrip()
            yield from (" " * left + line for line in (rest if fits else [first, *rest]) if line)

    def examples(self, pairs: Sequence[tuple[str, str]]) -> Iterator[str]:
        """Yield examples as a shell would take them: what is done as a comment, then the command line."""
        yield self.heading("Examples")
        for words, line in pairs:
            yield ""
            for part in textwrap.wrap(words, self.width - 4, break_on_hyphens=False):
                yield typer.style(f"  # {part}", dim=True) if self.is_coloured else f"  # {part}"
            yield from (f"  {part}" for part in line.splitlines())


def help_of(ctx: Any) -> str:
    """Return the help of the command or the group that a context belongs to."""
    page, command = Page.of_terminal(), ctx.command
    sections = [[f"{page.heading('Usage:')} {usage_of(ctx)}"]]
    sections += [page.paragraph(part) for part in _text_of(command).split("\n\n")]
    for listed in (_commands(command), _parameters(ctx)):
        longest = max((len(name) for pairs in listed.values() for name, _ in pairs), default=0)
        sections += [[page.heading(title), *page.definitions(pairs, longest)] for title, pairs in listed.items()]
    if pairs := examples_of(command.callback):
        sections.append(list(page.examples(pairs)))
    return "\n\n".join("\n".join(lines) for lines in sections if lines) + "\n"


def usage_of(ctx: Any) -> str:
    """Return how the command is called, with all that it needs."""
    pieces = [ctx.command_path]
    shown = [parameter for parameter in ctx.command.params if not getattr(parameter, "hidden", False)]
    pieces += [
        name_of(parameter) if parameter.required else f"[{name_of(parameter)}]"
        for parameter in shown
        if parameter.param_type_name == "argument"
    ]
    pieces += [
        f"{name_of(parameter)} {metavar_of(parameter)}"
        for parameter in shown
        if parameter.param_type_name == "option" and parameter.required
    ]
    return " ".join([*pieces, "[OPTIONS]", *(["COMMAND ..."] if hasattr(ctx.command, "commands") else [])])


def name_of(parameter: Any) -> str:
    """Return what a user writes for an option, or what the usage calls an argument."""
    is_option = parameter.param_type_name == "option"
    return str(parameter.opts[0] if is_option else parameter.metavar or parameter.name.upper())


def metavar_of(parameter: Any) -> str:
    """Return what stands for an option's value; empty for a flag."""
    if getattr(parameter, "is_flag", False):
        return ""
    if parameter.metavar:
        return str(parameter.metavar)
    described = getattr(parameter, "type_descriptor", None)  # Click's own parameters have a type instead
    kind = parameter.type.name if described is None else getattr(described.annotation, "__name__", "")
    return METAVARS.get(kind, "TEXT")


def _text_of(command: Any) -> str:
    """Return what the docstring of a command says, with code as a shell's users quote it."""
    return inspect.cleandoc(command.help or "").replace("``", "`")


def _commands(group: Any) -> dict[str, list[tuple[str, str]]]:
    """Return the commands of a group and what they do, by their headings; nothing for a command."""
    sections: dict[str, list[tuple[str, str]]] = {}
    for name, command in getattr(group, "commands", {}).items():
        if not command.hidden:
            text = _text_of(command).partition("\n\n")[0]
            title = getattr(command, "rich_help_panel", None) or "More commands"
            sections.setdefault(title, []).append((name, " ".join(text.split())))
    foreign = [title for title in sections if title not in COMMAND_ORDER]
    return {title: sections[title] for title in (*COMMAND_ORDER, *foreign) if title in sections}


def _parameters(ctx: Any) -> dict[str, list[tuple[str, str]]]:
    """Return arguments and options and what they mean, by their headings."""
    sections: dict[str, list[tuple[str, str]]] = {}
    untitled = HELP if hasattr(ctx.command, "commands") else OPTIONS
    for parameter in ctx.command.get_params(ctx):
        if not getattr(parameter, "hidden", False):
            title = ARGUMENTS if parameter.param_type_name == "argument" else untitled
            title = getattr(parameter, "rich_help_panel", None) or title
            sections.setdefault(title, []).append((_names(parameter), _described(parameter)))
    foreign = [title for title in sections if title not in (*ORDER, HELP)]
    return {title: sections[title] for title in (*ORDER, *foreign, HELP) if title in sections}


def _names(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return name_of(parameter)
    *short, long = sorted(parameter.opts, key=len)
    if parameter.secondary_opts == [long.replace("--", "--no-", 1)]:
        long = long.replace("--", "--[no-]", 1)
        return ", ".join([*short, long])
    return f"{', '.join([*short, long, *parameter.secondary_opts])} {metavar_of(parameter)}".rstrip()


def _described(parameter: Any) -> str:
    words = " ".join((getattr(parameter, "help", None) or "").split())
    if parameter.required:
        return f"{words} (required)"
    default = parameter.default
    shows = getattr(parameter, "show_default", False) and default is not False and default not in (None, "", (), [])
    if not shows or callable(default):
        return words
    if default is True:
        return f"{words} (default: {parameter.opts[0]})"
    return f"{words} (default: {default})"
