"""Racers: the generators of a race under the names that their arms carry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from autosynth.exceptions import ConfigError, nearest
from autosynth.generator import GeneratorInfo, RowGenerator
from autosynth.hidden import plain_options
from autosynth.options import check_flag
from autosynth.tuning.description import describe, digest, home_of
from autosynth.versions import packages_of, versions_of

if TYPE_CHECKING:
    from autosynth.plugins import PluginRegistry

__all__ = ["Generators", "Racer", "racers_of"]

Generators: TypeAlias = "Sequence[str | RowGenerator] | Mapping[str, str | RowGenerator]"


@dataclass(frozen=True)
class Racer:
    """A generator that has not learned anything yet, and how a user would ask for it.

    Attributes
    ----------
    name : str
        In the race and in its arms.
    unfitted : RowGenerator
        Copied for every fold.
    generator : str or RowGenerator
        What :func:`autosynth.rebalance` takes as ``generator``.
    options : mapping
        What it takes as ``generator_options``.
    info : GeneratorInfo or None
        What the registry knows; None for an object of a class that nobody registered.
    """

    name: str
    unfitted: RowGenerator
    generator: str | RowGenerator
    options: Mapping[str, Any] = field(default_factory=dict)
    info: GeneratorInfo | None = None

    @property
    def is_remote(self) -> bool:
        """Whether it sends real rows to another machine, which may cost money per call."""
        return self.info is not None and self.info.remote

    @property
    def rebalance_arguments(self) -> dict[str, Any]:
        """The arguments of :func:`autosynth.rebalance` that name this generator."""
        return {"generator": self.generator, "generator_options": dict(self.options) or None}

    @cached_property
    def description(self) -> dict[str, Any]:
        """What decides its rows beside the seed, as plain data: class, configuration, versions."""
        kind = type(self.unfitted)
        known = () if self.info is None else filter(None, (self.info.distribution, *self.info.requires))
        packages = dict.fromkeys([*known, *packages_of(home_of(self.unfitted))])
        return {
            "name": self.name,
            "class": f"{kind.__module__}.{kind.__qualname__}",
            "configuration": _configuration(getattr(self.unfitted, "options", None)),
            "digest": digest(describe(self.unfitted)),  # of all that it holds, and shows nothing of it
            "versions": versions_of(packages),
        }


def _configuration(options: Any) -> str:
    """Return an options dataclass as it would be written, without secrets; empty when it is none."""
    told = ", ".join(f"{name}={value!r}" for name, value in (plain_options(options) or {}).items())
    return f"{type(options).__name__}({told})" if told else ""


def racers_of(
    generators: Generators,
    generator_options: Mapping[str, Mapping[str, Any]] | None,
    registry: PluginRegistry,
    *,
    allow_remote: bool = False,
) -> dict[str, Racer]:
    """Build the generators of a race, by their names in it.

    Parameters
    ----------
    generators : sequence of str or RowGenerator, or mapping of str to them
        Registered names, and configured objects, which go by the name of their class.  A mapping names them freely, so
        that one generator can race under several configurations.
    generator_options : mapping of str to mapping, optional
        Options of registered generators, by name in the race.
    registry : PluginRegistry
        Knows the names.
    allow_remote : bool
        Whether generators may send the rows of every fold to another machine.

    Raises
    ------
    ConfigError
        If a name occurs twice, an option is wrong or meant for nobody, a generator learns nothing from a fold's rows,
        or is remote without consent.
    UnknownGeneratorError, MissingExtraError
        If a generator is not installed, or a package that it needs is not.
    """
    check_flag("allow_remote", allow_remote)
    named = _by_name(generators)
    options = _options(generator_options, named)
    racers = {name: _racer(name, given, options.get(name, {}), registry) for name, given in named.items()}
    for racer in racers.values():
        _check_in_folds(racer, allow_remote=allow_remote)
    return racers


def _by_name(generators: Any) -> dict[str, str | RowGenerator]:
    if isinstance(generators, Mapping):
        pairs = list(generators.items())
    elif isinstance(generators, Sequence) and not isinstance(generators, str):
        pairs = [(given if isinstance(given, str) else type(given).__name__, given) for given in generators]
    else:
        raise ConfigError(
            f"generators={generators!r} is no list. Give names or generator objects in a list, such as ['smote'], an "
            "empty one to race none, or a mapping from a name of your own to them. On the command line, that is "
            "--option 'generators=[\"smote\"]'."
        )
    named = dict(pairs)
    wrong = [name for name in named if not isinstance(name, str) or not name]
    if wrong:
        raise ConfigError(f"generators names one {wrong[0]!r}. Use a text that is not empty.")
    if len(named) < len(pairs):
        twice = next(name for name in named if sum(name == other for other, _ in pairs) > 1)
        raise ConfigError(
            f"generators holds {twice!r} more than once. To race it under several options, give a mapping with a name "
            f"for each, such as {{'{twice} A': {twice!r}, '{twice} B': {twice!r}}}, with generator_options by name."
        )
    return named


def _options(given: Any, named: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    if given is None:
        return {}
    if not isinstance(given, Mapping) or not all(isinstance(options, Mapping) for options in given.values()):
        raise ConfigError(
            f"generator_options={given!r} is no mapping from generators to their options. Give "
            "{'smote': {'k_neighbors': 3}}, for instance."
        )
    for name, options in given.items():
        if name not in named:
            raise ConfigError(
                f"generator_options names {name!r}, which does not race.{nearest(name, named)} "
                f"Racing: {', '.join(named) or 'none'}."
            )
        if options and not isinstance(named[name], str):
            raise ConfigError(
                f"generator_options are given for {name!r}, which is an object. Configure the object itself."
            )
    return dict(given)


def _racer(name: str, given: str | RowGenerator, options: Mapping[str, Any], registry: PluginRegistry) -> Racer:
    if isinstance(given, str):
        return Racer(name, registry.build(given, options), given, dict(options), registry.info(given))
    if isinstance(given, type) or not isinstance(given, RowGenerator):
        raise ConfigError(
            f"generators holds {given!r}, which has no fit and sample methods. Use a registered name or a generator "
            "object such as SmoteGenerator(SmoteOptions())."
        )
    return Racer(name, given, given, {}, registry.info_of(given))


def _check_in_folds(racer: Racer, *, allow_remote: bool) -> None:
    if racer.info is not None and not racer.info.refits:
        raise ConfigError(
            f"generator {racer.name!r} learns nothing from a fold's rows, so validation rows may have fathered its "
            "rows. Leave it out, and compare it on data that is split already."
        )
    if racer.is_remote and not allow_remote:
        raise ConfigError(
            f"generator {racer.name!r} sends real rows to another machine, which may cost money per call. In a race it "
            "does so for every fold, cv x repeats times. To agree, give allow_remote=True; with a ledger folder, "
            "nothing is asked for twice."
        )
