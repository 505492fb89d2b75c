"""Rebalanced subclasses of AutoGluon's models, made on demand and importable by name in any process.

A class such as ``Rebalanced:autogluon/tabular/models/lgb/lgb_model:LGBModel`` is an attribute of this module that
:func:`__getattr__` (PEP 562) builds from its own name.  So pickle finds it in a Ray worker or in a fresh process
without any registration beforehand.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from typing import Any

from autogluon.tabular.registry import ag_model_registry

from autosynth.exceptions import ConfigError, nearest
from autosynth_autogluon.families import KEY_SUFFIX
from autosynth_autogluon.in_fold import InFoldRebalancing

NAME_PREFIX = "Rebalanced:"


def rebalanced_class(base: Any) -> Any:
    """Return the rebalanced subclass of a model class, or of the class that AutoGluon registers under a key.

    Raises
    ------
    ConfigError
        If AutoGluon knows no such key, or the class is not importable by name (one of a script or function).
    """
    if not inspect.isclass(base):
        known = ag_model_registry.keys
        if base not in known:
            raise ConfigError(f"{base!r} is no model of AutoGluon.{nearest(base, known)} Models: {', '.join(known)}.")
        base = ag_model_registry.key_to_cls(base)
    if issubclass(base, InFoldRebalancing):
        return base
    if base.__module__ == "__main__" or "<locals>" in base.__qualname__:
        raise ConfigError(
            f"model class {base.__qualname__} is defined in a script or function, so no other process could load it. "
            "Move it to a module."
        )
    return getattr(sys.modules[__name__], f"{NAME_PREFIX}{base.__module__.replace('.', '/')}:{base.__qualname__}")


def __getattr__(name: str) -> Any:
    if not name.startswith(NAME_PREFIX):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, qualname = name.removeprefix(NAME_PREFIX).split(":")
    base = getattr(importlib.import_module(module.replace("/", ".")), qualname)
    key = f"{base.ag_key}{KEY_SUFFIX}" if base.ag_key else None
    namespace = {"__module__": __name__, "__qualname__": name, "ag_key": key}
    made = type(base)(name, (InFoldRebalancing, base), namespace)
    made.__name__ = f"Rebalanced{qualname}"  # what leaderboards and info show; pickle goes by __qualname__
    if key and key not in ag_model_registry.keys:
        ag_model_registry.add(made)  # otherwise AutoGluon reports a custom model for every configuration
    return globals().setdefault(name, made)
