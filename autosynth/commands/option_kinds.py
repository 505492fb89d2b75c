"""Kinds of options: which values a command's options take from a settings file or from the environment."""

from __future__ import annotations

import json
import types
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, Union, get_args, get_origin, get_type_hints

__all__ = ["SETTINGS_KEY", "Kinds", "OptionKind", "kinds_of"]

NEVER_SET = ("config", "help", "version", "install_completion", "show_completion")
SETTINGS_KEY = "option"  # takes a table, {k_neighbors = 3}, as well as a list of name=value
WORDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text or a number",
    Path: "the path of a file or folder as a text",
}
TRUTH = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


@dataclass(frozen=True, kw_only=True)
class OptionKind:
    """One option or argument of a command, and what it takes.

    Attributes
    ----------
    name : str
        Of the parameter of the command's function.
    key : str
        In a settings file: the long option without its dashes, such as "group-by".
    base : type
        Of one value: bool, int, float, str or Path.
    is_list : bool
        Whether it can be repeated.
    """

    name: str
    key: str
    base: type
    is_list: bool = False

    @property
    def accepted(self) -> str:
        """What it takes, in words."""
        if self.key == SETTINGS_KEY and self.is_list:
            return "a table such as {k_neighbors = 3}, or a list of texts such as 'k_neighbors=3'"
        return WORDS[self.base] + (", or a list of such" if self.is_list else "")

    def read(self, value: Any) -> Any:
        """Return a value of a TOML file as the command line would have given it.

        Raises
        ------
        TypeError
            If it is of another type.
        """
        if not self.is_list:
            return self._read_one(value)
        if self.key == SETTINGS_KEY and isinstance(value, Mapping):
            return _as_settings(value)
        several = value if isinstance(value, list) else [value]
        if self.key == SETTINGS_KEY and not all(isinstance(each, str) for each in several):
            raise TypeError(self.accepted)
        return [self._read_one(each) for each in several]

    def read_text(self, text: str) -> Any:
        """Return a value of the environment; a list is a JSON array, and any other text is one value.

        Raises
        ------
        TypeError
            If the text does not read as such a value.
        """
        if self.is_list:
            return self.read(_json_or_text(text) if text[:1] in ("[", "{") else text)
        if self.base is bool:
            return self._read_one(TRUTH.get(text.strip().lower(), text))
        return self._read_one(_json_or_text(text) if self.base in (int, float) else text)

    def _read_one(self, value: Any) -> Any:
        if self.base is not bool and isinstance(value, bool):
            raise TypeError(self.accepted)
        if self.base is str and isinstance(value, int | float):
            return str(value)
        allowed = {float: int | float, Path: str}.get(self.base, self.base)
        if not isinstance(value, allowed):
            raise TypeError(self.accepted)
        return value


Kinds: TypeAlias = Mapping[str, Mapping[str, OptionKind]]  # of every command, by key


def kinds_of(command: Any) -> dict[str, OptionKind]:
    """Return what the options and arguments of a command take, by their keys.

    Parameters
    ----------
    command : command of Typer
        Whose function has annotations.
    """
    if command.callback is None:
        return {}
    hints = get_type_hints(command.callback)
    kinds = [_kind(parameter, hints[parameter.name]) for parameter in command.params if parameter.name in hints]
    return {kind.key: kind for kind in kinds if kind.name not in NEVER_SET}


def _kind(parameter: Any, hint: Any) -> OptionKind:
    base = _without_none(hint)
    is_list = get_origin(base) is list
    if is_list:
        base = _without_none(get_args(base)[0])
    long_names = [name for name in parameter.opts if name.startswith("--")]
    key = (long_names[0] if long_names else parameter.name).lstrip("-").replace("_", "-")
    return OptionKind(name=parameter.name, key=key, base=base if base in WORDS else str, is_list=is_list)


def _without_none(hint: Any) -> Any:
    if get_origin(hint) in (Union, types.UnionType):
        return next(part for part in get_args(hint) if part is not type(None))
    return hint


def _as_settings(table: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Return a table of options as name=value; tables inside it, one per generator, as generator.name=value."""
    settings: list[str] = []
    for name, value in table.items():
        if isinstance(value, Mapping):
            settings += _as_settings(value, f"{prefix}{name}.")
        else:
            # As JSON, so that the text "3" stays a text; TOML has dates and times, which JSON has not.
            settings.append(f"{prefix}{name}={json.dumps(value, default=str)}")
    return settings


def _json_or_text(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
