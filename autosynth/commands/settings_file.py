"""The settings file: autosynth.toml, or the table [tool.autosynth] of pyproject.toml, in the current folder."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from autosynth.commands.environment import FILE_VARIABLE
from autosynth.exceptions import ConfigError

__all__ = ["NO_FILE", "SettingsFile"]

OWN_NAME, SHARED_NAME = "autosynth.toml", "pyproject.toml"
NO_FILE = "none"  # as --config: read no file


@dataclass(frozen=True, kw_only=True)
class SettingsFile:
    """What a settings file holds, as TOML gives it.

    Attributes
    ----------
    path : Path
        The file.
    values : mapping
        Keys shared by all commands, and one table per command.
    is_named : bool
        Whether a person named the file; one that merely lies in the folder may come from anybody.
    passed_over : Path or None
        A pyproject.toml whose table [tool.autosynth] is not read, since autosynth.toml lies beside it.
    """

    path: Path
    values: Mapping[str, Any]
    is_named: bool = True
    passed_over: Path | None = None

    @classmethod
    def of(cls, named: str | None, folder: Path) -> SettingsFile | None:
        """Return the file that a person named, or the one in the folder; None where there is none, or for "none".

        Raises
        ------
        ConfigError
            If the file named is no file, or one is not TOML.
        """
        if named == NO_FILE:
            return None
        return cls._in_folder(folder) if named is None else cls._named(Path(named))

    @classmethod
    def _named(cls, path: Path) -> SettingsFile:
        if not path.is_file():
            raise ConfigError(
                f"settings file {str(path)!r} is not a file. Give --config or {FILE_VARIABLE} the path of a TOML file, "
                f"or {NO_FILE!r} to read none."
            )
        values = _read(path)
        if path.name == SHARED_NAME:
            own = _own_table(path, values)
            if own is None:
                raise ConfigError(
                    f"settings file {str(path)!r} has no table [tool.autosynth]. Add it, or name another file."
                )
            values = own
        return cls(path=path, values=values)

    @classmethod
    def _in_folder(cls, folder: Path) -> SettingsFile | None:
        own, shared = folder / OWN_NAME, folder / SHARED_NAME
        table: dict[str, Any] | None = None
        with suppress(ConfigError) if own.is_file() else nullcontext():  # what is not read may be as it likes
            table = _own_table(shared, _read(shared)) if _mentions_us(shared) else None
        if own.is_file():
            passed_over = None if table is None else Path(SHARED_NAME)
            return cls(path=Path(OWN_NAME), values=_read(own), is_named=False, passed_over=passed_over)
        return None if table is None else cls(path=Path(SHARED_NAME), values=table, is_named=False)

    def __str__(self) -> str:
        return f"[tool.autosynth] of {self.path}" if self.path.name == SHARED_NAME else str(self.path)


def _mentions_us(path: Path) -> bool:
    """Return whether a pyproject.toml may be meant for us: what is wrong in another's is no concern of ours."""
    try:
        return b"autosynth" in path.read_bytes()
    except OSError:
        return False


def _read(path: Path) -> dict[str, Any]:
    toml = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    try:
        values: dict[str, Any] = toml.loads(path.read_text(encoding="utf-8-sig"))  # editors of Windows add a mark
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise ConfigError(
            f"{path} could not be read as TOML: {error}. Correct it, or leave it out with --config {NO_FILE}."
        ) from error
    return values


def _own_table(path: Path, values: Mapping[str, Any]) -> dict[str, Any] | None:
    tools = values.get("tool", {})
    own = tools.get("autosynth") if isinstance(tools, dict) else None
    if own is not None and not isinstance(own, dict):
        raise ConfigError(f"{path}: tool.autosynth is {own!r}. It must be a table: [tool.autosynth].")
    return own
