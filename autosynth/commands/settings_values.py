"""Values of a settings file for one command; a file is checked as a whole, whichever command reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autosynth.commands.hints import owners_of_option
from autosynth.commands.option_kinds import SETTINGS_KEY, Kinds, OptionKind
from autosynth.commands.settings_file import SettingsFile
from autosynth.exceptions import ConfigError, nearest
from autosynth.hidden import is_secret

__all__ = ["values_for"]

TOP = "at the top"
CONSENT = "allow-remote"


def values_for(command: str, file: SettingsFile, kinds: Kinds) -> dict[str, Any]:
    """Return what a file says to one command, by key, after a look at what it says to all of them.

    Parameters
    ----------
    command : str
        Its name.
    file : SettingsFile
        Keys at the top are for all commands that know them, tables for one command each; a table's key wins.
    kinds : mapping of str to mapping
        What the options of every command take.

    Raises
    ------
    ConfigError
        If a table or a key is unknown, a value is of another type than its option, or a key is no matter for a file.
    """
    _check_spelt_once(file, file.values, TOP)
    tables = {_spelt(name): value for name, value in file.values.items() if _is_table(name, value)}
    for name in tables:
        if name not in kinds:
            hint = " Only pyproject.toml has it: leave it out here." if name == "tool" else nearest(name, kinds)
            raise ConfigError(f"{file}: table [{name}] names no command.{hint} Commands: {', '.join(kinds)}.")
    shared = _at_the_top(command, file, kinds)
    by_command = {name: _in_table(file, values, kinds[name], f"in [{name}]") for name, values in tables.items()}
    return shared | by_command.get(command, {})


def _at_the_top(command: str, file: SettingsFile, kinds: Kinds) -> dict[str, Any]:
    """Return what the keys at the top say to one command; all commands that know a key must be able to read it."""
    known = dict.fromkeys(key for keys in kinds.values() for key in keys)
    shared = {name: value for name, value in file.values.items() if not _is_table(name, value)}
    found: dict[str, Any] = {}
    for name, value in shared.items():
        if _spelt(name) in kinds and _spelt(name) not in known:
            raise ConfigError(f"{file}: {name} = {value!r} is no table. Settings of that command stand under [{name}].")
        key = _known(file, name, known, TOP)
        read = {other: _read(file, name, value, keys[key], TOP) for other, keys in kinds.items() if key in keys}
        if command in read:
            found[key] = read[command]
    return found


def _in_table(
    file: SettingsFile, values: Mapping[str, Any], keys: Mapping[str, OptionKind], place: str
) -> dict[str, Any]:
    """Return what the table of a command says."""
    _check_spelt_once(file, values, place)
    found: dict[str, Any] = {}
    for name, value in values.items():
        key = _known(file, name, keys, place)
        found[key] = _read(file, name, value, keys[key], place)
    return found


def _check_spelt_once(file: SettingsFile, values: Mapping[str, Any], place: str) -> None:
    """Raise where a name stands twice, with dashes and with underscores: which of them wins is nobody's guess."""
    spellings: dict[str, str] = {}
    for name in values:
        other = spellings.setdefault(_spelt(name), name)
        if other != name:
            raise ConfigError(f"{file}: {other!r} and {name!r} {place} are the same. Keep one of them.")


def _is_table(name: str, value: Any) -> bool:
    return isinstance(value, Mapping) and _spelt(name) != SETTINGS_KEY


def _known(file: SettingsFile, name: str, keys: Mapping[str, Any], place: str) -> str:
    key = _spelt(name)
    if key == CONSENT:
        raise ConfigError(
            f"{file}: {name} {place} is a consent, which no file can give. Agree with --{CONSENT} on the command line."
        )
    if key not in keys:
        accepted = ", ".join(sorted(other for other in keys if other != CONSENT))
        spelt, owners = owners_of_option(name)
        hint = f" Generators have it ({owners}): write option = {{ {spelt} = ... }}." if owners else nearest(key, keys)
        raise ConfigError(f"{file}: key {name!r} {place} is unknown.{hint} Keys: {accepted}.")
    return key


def _read(file: SettingsFile, name: str, value: Any, kind: OptionKind, place: str) -> Any:
    if kind.key == SETTINGS_KEY:
        _check_no_secret(file, value)
    try:
        return kind.read(value)
    except TypeError as error:
        at_top = " What commands read differently goes into the tables of each, such as [tune]."
        raise ConfigError(
            f"{file}: {name} = {value!r} {place} must be {error}.{at_top if place == TOP else ''}"
        ) from None


def _check_no_secret(file: SettingsFile, options: Any) -> None:
    """Raise where an option looks like a secret, in a table of options or in a list of name=value."""
    if isinstance(options, Mapping):
        for value in options.values():
            _check_no_secret(file, value)
    listed = options if isinstance(options, list | Mapping) else []
    for name in (str(each).partition("=")[0].rpartition(".")[2] for each in listed):
        if is_secret(name):
            raise ConfigError(
                f"{file}: option {name!r} looks like a secret, and files like this are shared. Take it out, and give "
                "it in the environment variable that the generator reads."
            )


def _spelt(name: str) -> str:
    return name.replace("_", "-")
