"""Finds plugins by their entry points, loads them one by one, and knows every registered generator."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

import pluggy

from autosynth import hookspecs
from autosynth.exceptions import (
    AutosynthError,
    ConfigError,
    MissingExtraError,
    PluginError,
    PluginLoadError,
    UnknownGeneratorError,
    nearest,
)
from autosynth.generator import LOCAL, GeneratorInfo, NoOptions, RowGenerator

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from autosynth.table import Table

ENTRY_POINT_GROUP = "autosynth"
AUTO = "auto"  # as generator=, the answer of a race between the generators that plugins propose


class PluginRegistry:
    """The loaded plugins, the generators they registered, and those that are broken.

    Examples
    --------
    >>> registry = PluginRegistry()
    >>> registry.names
    ()
    """

    def __init__(self) -> None:
        self._manager = pluggy.PluginManager(hookspecs.PROJECT)
        self._manager.add_hookspecs(hookspecs)
        self._generators: dict[str, GeneratorInfo] = {}
        self.broken: dict[str, PluginLoadError] = {}

    @classmethod
    def from_entry_points(cls) -> PluginRegistry:
        """Load every installed plugin; a broken one is kept in ``broken`` by name while the others work.

        Our own come first, so that nobody else's can take their names.
        """
        registry = cls()
        for point in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda point: (not _is_ours(point), point.name)):
            registry._load(point)
        return registry

    def register(self, plugin: object, *, name: str, distribution: str = LOCAL) -> None:
        """Register one plugin object and its generators.

        Raises
        ------
        PluginLoadError
            If a hook is misspelt or has arguments that the specification does not know, if registration raises, or
            if a generator's name is taken.  The plugin then leaves nothing behind.
        """
        before = dict(self._generators)
        if self._manager.is_registered(plugin) or self._manager.has_plugin(name):
            raise PluginLoadError(
                f"plugin {name!r} of {distribution} could not be loaded: it, or its name, is registered."
            )
        try:
            self._manager.register(plugin, name=name)
            self._manager.check_pending()
            caller = self._manager.subset_hook_caller(
                "autosynth_register_generators", [other for other in self._manager.get_plugins() if other is not plugin]
            )
            caller(register=_Registration(self._generators, name, distribution))
        except Exception as error:
            self._generators = before
            if self._manager.is_registered(plugin):
                self._manager.unregister(plugin)
            raise PluginLoadError(f"plugin {name!r} of {distribution} could not be loaded: {error}") from error

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all registered generators, sorted."""
        return tuple(sorted(self._generators))

    @property
    def generators(self) -> tuple[GeneratorInfo, ...]:
        """All registered generators, by name."""
        return tuple(self._generators[name] for name in self.names)

    def info(self, name: str) -> GeneratorInfo:
        """Return what is known about a generator.

        Raises
        ------
        UnknownGeneratorError
            If no plugin registers the name.
        """
        if name not in self._generators:
            raise UnknownGeneratorError(name, self.names)
        return self._generators[name]

    def info_of(self, generator: RowGenerator) -> GeneratorInfo | None:
        """Return what is known about a generator object: the entry whose factory is its class or a base, or None."""
        by_factory = {id(info.factory): info for info in self._generators.values()}
        ancestors = type(generator).__mro__
        return next((by_factory[id(base)] for base in ancestors if id(base) in by_factory), None)

    def is_remote(self, generator: RowGenerator) -> bool:
        """Return whether a generator object sends rows to another machine, which may cost money per call."""
        info = self.info_of(generator)
        return info is not None and info.remote

    def build(self, name: str, options: Mapping[str, Any] | None = None) -> RowGenerator:
        """Return an unfitted generator by name.

        Raises
        ------
        UnknownGeneratorError, ConfigError
            If the name or an option is wrong.
        MissingExtraError
            If a package that it needs is not installed.
        """
        info = self.info(name)
        generator = info.build(options)
        if info.missing:
            raise MissingExtraError(info.missing[0], info.extra if info.has_extra else None, info.distribution)
        return generator

    def proposals(self, table: Table) -> tuple[str, ...]:
        """Return the generators that plugins propose to race on a table and that can run here, sorted by name.

        Raises
        ------
        PluginError
            If a plugin proposes what cannot be raced: a name that nobody registered, a generator that sends rows to
            another machine, or one that learns nothing from the rows that it is given.
        """
        sizes = dict(zip(table.groups, table.group_sizes.tolist(), strict=True))
        proposed: set[str] = set()
        for plugin, names in self.answers("autosynth_propose_generators", schema=table.schema, groups=sizes):
            if isinstance(names, str):
                raise PluginError(f"plugin {plugin!r} proposes the text {names!r}. Return a sequence of names.")
            proposed |= {self._raceable(name, plugin) for name in names}
        return tuple(sorted(name for name in proposed if not self.info(name).missing))

    def _raceable(self, name: str, plugin: str) -> str:
        info = self._generators.get(name)
        if info is None:
            raise PluginError(
                f"plugin {plugin!r} proposes the generator {name!r}, which nobody registered."
                f"{nearest(name, self.names)} Registered: {', '.join(self.names) or 'none'}."
            )
        if info.remote or not info.refits:
            what = "sends rows to another machine" if info.remote else "learns nothing from the rows that it is given"
            raise PluginError(f"plugin {plugin!r} proposes the generator {name!r}, which {what}. Propose others.")
        return name

    def call(self, hook: str, **arguments: Any) -> list[Any]:
        """Call a hook plugin by plugin and return the answers that are not None; raises as :meth:`answers`."""
        return [answer for _, answer in self.answers(hook, **arguments)]

    def answers(self, hook: str, **arguments: Any) -> list[tuple[str, Any]]:
        """Call a hook plugin by plugin and return (plugin, answer) for the answers that are not None.

        Raises
        ------
        PluginError
            If an implementation raises; it names the plugin and chains the cause.  Our own errors pass unchanged.
        """
        answers: list[tuple[str, Any]] = []
        for implementation in self._implementations(hook):
            answer = self._ask(implementation, hook, arguments)
            if answer is not None:
                answers.append((implementation.plugin_name, answer))
                if getattr(self._manager.hook, hook).spec.opts["firstresult"]:
                    break
        return answers

    def call_each(self, hook: str, **arguments: Any) -> list[AutosynthError]:
        """Call a hook of every plugin, whatever the others do, and return the errors of those that raised."""
        errors: list[AutosynthError] = []
        for implementation in self._implementations(hook):
            try:
                self._ask(implementation, hook, arguments)
            except AutosynthError as error:  # noqa: PERF203 - one failing plugin must not silence the next
                errors.append(error)
        return errors

    def _implementations(self, hook: str) -> list[Any]:
        return list(reversed(getattr(self._manager.hook, hook).get_hookimpls()))

    def _ask(self, implementation: Any, hook: str, arguments: Mapping[str, Any]) -> Any:
        try:
            return implementation.function(*(arguments[name] for name in implementation.argnames))
        except AutosynthError:
            raise
        except Exception as error:
            raise PluginError(f"plugin {implementation.plugin_name!r} raised in {hook}: {error!r}") from error

    def implementers(self, hook: str) -> list[str]:
        """Return the names of the plugins that implement a hook."""
        return sorted(
            implementation.plugin_name for implementation in getattr(self._manager.hook, hook).get_hookimpls()
        )

    def _load(self, point: EntryPoint) -> None:
        distribution = point.dist.name if point.dist else "an unknown distribution"
        try:
            plugin = point.load()
            self.register(plugin, name=point.name, distribution=distribution)
        except PluginLoadError as error:
            self.broken[point.name] = error
        except Exception as error:
            failure = PluginLoadError(f"plugin {point.name!r} of {distribution} could not be imported: {error!r}")
            failure.__cause__ = error
            self.broken[point.name] = failure


class _Registration:
    """The ``register`` callback of one plugin."""

    def __init__(self, generators: dict[str, GeneratorInfo], plugin: str, distribution: str) -> None:
        self._generators = generators
        self._plugin = plugin
        self._distribution = distribution

    def __call__(
        self, name: str, factory: Callable[[Any], RowGenerator], *, options: type[Any] = NoOptions, **facts: Any
    ) -> None:
        if not dataclasses.is_dataclass(options):
            raise ConfigError(
                f"options={options!r} of generator {name!r} is no dataclass. Options are a frozen dataclass."
            )
        if isinstance(facts.get("requires"), str):
            raise ConfigError(f"requires={facts['requires']!r} of generator {name!r} is a text. Give a tuple.")
        if name == AUTO:
            raise ConfigError(f"the generator name {AUTO!r} is reserved for the choice by validation on real rows.")
        taken = self._generators.get(name)
        if taken is not None:
            raise ConfigError(
                f"the generator name {name!r} is taken: {taken.plugin!r} of {taken.distribution} registered it before "
                f"{self._plugin!r} of {self._distribution}. One of the two must choose another name."
            )
        self._generators[name] = GeneratorInfo(
            name=name, factory=factory, options=options, plugin=self._plugin, distribution=self._distribution, **facts
        )


@dataclasses.dataclass(frozen=True)
class InstalledGenerators:
    """What :func:`generators` found: generators by name, and plugins that could not be loaded."""

    found: tuple[GeneratorInfo, ...]
    broken: Mapping[str, str]

    def __iter__(self) -> Iterator[GeneratorInfo]:
        return iter(self.found)

    def __len__(self) -> int:
        return len(self.found)

    def __getitem__(self, name: str) -> GeneratorInfo:
        for info in self.found:
            if info.name == name:
                return info
        raise UnknownGeneratorError(name, [info.name for info in self.found])

    def to_frame(self) -> pd.DataFrame:
        """Return one row per generator: name, whether it runs, what is missing, who registered it, and its options."""
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    "name": info.name,
                    "runs": not info.missing,
                    "missing": ", ".join(info.missing),
                    "remote": info.remote,
                    "install": info.install,
                    "plugin": info.plugin,
                    "distribution": info.distribution,
                    "summary": info.summary,
                    "options": ", ".join(f"{key}={value!r}" for key, value in info.defaults.items()),
                }
                for info in self.found
            ]
        )

    def __str__(self) -> str:
        lines = [
            f"{info.name:18} {'runs' if not info.missing else 'needs ' + ', '.join(info.missing):18} {info.summary}"
            + (" (remote)" if info.remote else "")
            for info in self.found
        ]
        return "\n".join([*lines, *(f"broken: {message}" for message in self.broken.values())])


def _is_ours(point: EntryPoint) -> bool:
    return point.dist is not None and point.dist.name == hookspecs.PROJECT


@cache
def _installed() -> PluginRegistry:
    return PluginRegistry.from_entry_points()


_override: ContextVar[PluginRegistry | None] = ContextVar("autosynth_plugins", default=None)


def current_plugins() -> PluginRegistry:
    """Return the registry in force: that of :func:`use_plugins`, or the installed plugins, loaded once per process."""
    return _override.get() or _installed()


@contextmanager
def use_plugins(registry: PluginRegistry) -> Iterator[PluginRegistry]:
    """Put another registry in force inside a ``with`` block, for tests and for plugins under development."""
    token = _override.set(registry)
    try:
        yield registry
    finally:
        _override.reset(token)


def generators() -> InstalledGenerators:
    """Return the installed generators: by whom, with which options, and what is missing to run them.

    Examples
    --------
    >>> "ros" in [info.name for info in generators()]
    True
    """
    registry = current_plugins()
    return InstalledGenerators(registry.generators, {name: str(error) for name, error in registry.broken.items()})
