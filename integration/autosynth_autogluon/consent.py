"""What must be agreed to before the rows of every fold leave this machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autosynth.exceptions import ConfigError
from autosynth.generator import GeneratorInfo

ANY_FOLDS = "num_bag_folds x num_bag_sets generations, or one without bagging"
CACHE_OPTION, BUDGET_PREFIX = "cache_dir", "max_"


def check_consent(
    info: GeneratorInfo | None,
    *,
    allowed: bool,
    generator_options: Mapping[str, Any] | None = None,
    n_generations: str = ANY_FOLDS,
) -> None:
    """Raise unless the generator stays on this machine, or the caller agreed to what it does.

    Parameters
    ----------
    info : GeneratorInfo or None
        None for an object of a class that nobody registered.
    allowed : bool
        The user's ``allow_remote``.
    generator_options : mapping, optional
        Decides whether a cache is suggested.
    n_generations : str
        How often rows are generated.

    Raises
    ------
    ConfigError
        With all that agreeing means.
    """
    if not isinstance(allowed, bool):
        raise ConfigError(f"allow_remote={allowed!r}. Use True or False.")
    if info is None or not info.remote or allowed:
        return
    budgets = [name for name, value in info.defaults.items() if name.startswith(BUDGET_PREFIX) and value is None]
    raise ConfigError(
        f"generator {info.name!r} sends real rows to another machine, which may cost money per call. In folds, rows of "
        f"every fold leave this machine, with one generation per fold: {n_generations}; every refit_full adds one."
        + (f" Its limits ({', '.join(budgets)}) hold for each fold, not in total." if budgets else "")
        + _cache_advice(info, generator_options or {})
        + " To agree, give allow_remote=True (--allow-remote on the command line)."
    )


def _cache_advice(info: GeneratorInfo, options: Mapping[str, Any]) -> str:
    if CACHE_OPTION not in info.defaults:
        return ""
    if options.get(CACHE_OPTION) is not None:
        return f" With {CACHE_OPTION} given, the same run again is free."
    return f" With generator_options={{{CACHE_OPTION!r}: FOLDER}} the same run again is free."
