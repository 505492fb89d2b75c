"""Settings: options that come from the environment or from a settings file where the command line is silent."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autosynth.commands.environment import FILE_VARIABLE, read_variable, variables_for, warn_of_slips
from autosynth.commands.option_kinds import SETTINGS_KEY, kinds_of
from autosynth.commands.settings_file import SettingsFile
from autosynth.commands.settings_values import values_for
from autosynth.commands.streams import tell
from autosynth.exceptions import ConfigError
from autosynth.plugins import current_plugins

if TYPE_CHECKING:
    import typer

__all__ = ["apply_settings", "check_trust", "tell_settings"]

META = "autosynth.settings"  # under which a context keeps where its settings come from


@dataclass(kw_only=True)
class Origins:
    """Where the settings of a command come from.

    Attributes
    ----------
    file : SettingsFile or None
        What was read.
    from_file, from_environment : dict of str to str
        Keys of the file and variables of the environment, by the parameters that they set.
    """

    file: SettingsFile | None
    from_file: dict[str, str] = field(default_factory=dict)
    from_environment: dict[str, str] = field(default_factory=dict)


def apply_settings(ctx: typer.Context, named: str | None) -> None:
    """Let a command fall back on the environment, then on the settings file, for what the command line leaves out.

    Parameters
    ----------
    ctx : typer.Context
        Of the command; its parent knows all commands.
    named : str or None
        The file of ``--config``.

    Raises
    ------
    ConfigError
        If a key or a table of the file is unknown, or a value is of another type than its option.
    """
    if ctx.parent is None:
        return
    group: Any = ctx.parent.command
    command = str(ctx.info_name)
    file = SettingsFile.of(named or os.environ.get(FILE_VARIABLE) or None, Path())
    kinds = {name: kinds_of(known) for name, known in group.commands.items()}
    origins = Origins(file=file)
    own = kinds.get(command, {})
    if not ctx.resilient_parsing:
        warn_of_slips(kinds)
    values: dict[str, Any] = {}
    if file is not None:
        for key, value in values_for(command, file, kinds).items():
            values[own[key].name] = value
            origins.from_file[own[key].name] = key
    for variable, kind in variables_for(command, own).items():
        values[kind.name] = read_variable(variable, kind)
        origins.from_environment[kind.name] = variable
        origins.from_file.pop(kind.name, None)
    ctx.default_map = values
    ctx.meta[META] = origins


def tell_settings(ctx: typer.Context) -> None:
    """Say on stderr which settings did not come from the command line; nothing where all did."""
    origins = ctx.meta.get(META)
    if origins is None:
        return
    used = [key for name, key in origins.from_file.items() if _is_used(ctx, name)]
    if used:
        beside = f"; [tool.autosynth] of {origins.file.passed_over} is not read" if origins.file.passed_over else ""
        tell(f"settings from {origins.file}: {', '.join(used)}{beside}")
    variables = [variable for name, variable in origins.from_environment.items() if _is_used(ctx, name)]
    if variables:
        tell(f"settings from the environment: {', '.join(variables)}")


def check_trust(ctx: typer.Context) -> None:
    """Raise where a file that merely lies in the folder has a say in where real rows are sent.

    Raises
    ------
    ConfigError
        If a generator that sends rows to another machine, or its options, come from such a file.
    """
    origins = ctx.meta.get(META)
    if origins is None or origins.file is None or origins.file.is_named:
        return
    keys = [
        key for name, key in origins.from_file.items() if key in ("generator", SETTINGS_KEY) and _is_used(ctx, name)
    ]
    named = ctx.params.get("generator") or ctx.params.get("generators") or []
    names = [part.strip() for text in ([named] if isinstance(named, str) else named) for part in text.split(",")]
    remote = [info.name for info in current_plugins().generators if info.remote and info.name in names]
    if keys and remote:
        raise ConfigError(
            f"{origins.file} sets {' and '.join(keys)} for {remote[0]!r}, which sends real rows to another machine. A "
            f"file that lies in the folder is no consent: give {' and '.join('--' + key for key in keys)} on the "
            f"command line, or name the file with --config {origins.file.path}."
        )


def _is_used(ctx: typer.Context, name: str) -> bool:
    source = ctx.get_parameter_source(name)
    return source is not None and source.name == "DEFAULT_MAP"
