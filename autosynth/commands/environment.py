"""Environment variables that stand in for options: AUTOSYNTH_SEED for all commands, AUTOSYNTH_TUNE_SEED for one."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from typing import Any

from autosynth.commands.option_kinds import Kinds, OptionKind
from autosynth.commands.streams import tell
from autosynth.exceptions import ConfigError

__all__ = ["FILE_VARIABLE", "read_variable", "variables_for", "warn_of_slips"]

PREFIX = "AUTOSYNTH_"
FILE_VARIABLE = "AUTOSYNTH_CONFIG"
OTHER_VARIABLES = (FILE_VARIABLE, "AUTOSYNTH_HASH_KEY", "AUTOSYNTH_AHEAD")  # read elsewhere
SLIP = 0.75  # how much alike two names must be, for one to be taken for the other


def variables_for(command: str, kinds: Mapping[str, OptionKind]) -> dict[str, OptionKind]:
    """Return the environment variables that are set for a command; its own name in one beats one for all commands."""
    found: dict[str, OptionKind] = {}
    for kind in kinds.values():
        names = (_variable(command, kind.key), _variable(kind.key))
        variable = next((name for name in names if os.environ.get(name)), None)
        if variable is not None:
            found[variable] = kind
    return found


def warn_of_slips(kinds: Kinds) -> None:
    """Warn of variables that nobody reads and that look much like one that is read."""
    read = {_variable(*parts) for name, keys in kinds.items() for key in keys for parts in ((key,), (name, key))}
    read.update(OTHER_VARIABLES)
    suffixes = [name.removeprefix(PREFIX) for name in read]
    for variable in sorted(name for name in os.environ if name.startswith(PREFIX) and name not in read):
        close = difflib.get_close_matches(variable.removeprefix(PREFIX), suffixes, n=1, cutoff=SLIP)
        if close:
            tell(f"warning: environment variable {variable} is not read. Did you mean {PREFIX}{close[0]}?")


def _variable(*parts: str) -> str:
    return PREFIX + "_".join(parts).replace("-", "_").upper()


def read_variable(variable: str, kind: OptionKind) -> Any:
    """Return the value of a variable that is set.

    Raises
    ------
    ConfigError
        If it does not read as the option's values do.
    """
    text = os.environ[variable]
    try:
        return kind.read_text(text)
    except TypeError as error:
        raise ConfigError(f"environment variable {variable}={text!r} must be {error}.") from None
