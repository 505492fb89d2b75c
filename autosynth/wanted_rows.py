"""The rows that rebalance() is to make, and who makes them: as the user says, or as a race says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from autosynth.auto import is_auto
from autosynth.exceptions import ConfigError
from autosynth.plan import SamplingPlan
from autosynth.plugins import AUTO

if TYPE_CHECKING:
    from autosynth.auto import AutoOptions
    from autosynth.generator import RowGenerator
    from autosynth.plugins import PluginRegistry
    from autosynth.table import Table
    from autosynth.tuning.report import TuningReport

__all__ = ["WantedRows", "resolve_generator"]


@dataclass(frozen=True, kw_only=True)
class WantedRows:
    """A plan and the generator that is to fill it.

    Attributes
    ----------
    name : str
        Of the generator; "auto" where a race answers that no row is to be made.
    unfitted : RowGenerator, or whatever the user gave for one
        None where a race answers so.
    plan : SamplingPlan
        Rows per group.
    is_declined : bool
        Whether a race answers so.
    copies : bool
        Whether copies of real rows are the generator's purpose.
    tuning : TuningReport or None
        What the race found.
    settings : AutoOptions or None
        Of the race.
    """

    name: str
    unfitted: Any
    plan: SamplingPlan
    is_declined: bool = False
    copies: bool = False
    tuning: TuningReport | None = None
    settings: AutoOptions | None = None

    @classmethod
    def of(
        cls,
        table: Table,
        generator: str | RowGenerator,
        generator_options: Mapping[str, Any] | None,
        amounts: Mapping[str, Any],
        registry: PluginRegistry,
    ) -> WantedRows:
        """Return what a user asks for; ``amounts`` are the arguments of :meth:`SamplingPlan.make`.

        Raises
        ------
        ConfigError, PluginError
            If an amount, a name or an option is wrong, or a package is missing.
        """
        plan = SamplingPlan.make(table, **amounts)
        name, unfitted = resolve_generator(generator, generator_options, registry)
        known = registry.info_of(unfitted)
        return cls(name=name, unfitted=unfitted, plan=plan, copies=known is not None and known.copies)

    @classmethod
    def by_race(cls, table: Table, tuning: TuningReport, settings: AutoOptions, registry: PluginRegistry) -> WantedRows:
        """Return what the winner of a race asks for."""
        arguments = dict(tuning.best.rebalance_arguments)
        if not tuning.best.uses_synthetic:
            nothing = SamplingPlan.make(table, strategy={})
            return cls(name=AUTO, unfitted=None, plan=nothing, is_declined=True, tuning=tuning, settings=settings)
        generator, options = arguments.pop("generator"), arguments.pop("generator_options", None)
        return replace(cls.of(table, generator, options, arguments, registry), tuning=tuning, settings=settings)

    @property
    def options(self) -> Any:
        """The generator's options; those of the race where there is no generator."""
        return self.settings if self.is_declined else getattr(self.unfitted, "options", None)


def resolve_generator(
    generator: str | RowGenerator, generator_options: Mapping[str, Any] | None, registry: PluginRegistry
) -> tuple[str, RowGenerator]:
    """Return the name and the unfitted generator that a user's ``generator`` and options mean.

    Raises
    ------
    ConfigError
        If a name or an option is wrong, or a race is asked for, which names a generator only when it has been run.
    """
    if not isinstance(generator, str):
        if generator_options:
            raise ConfigError("generator_options go with a registered name. Configure the generator object itself.")
        return type(generator).__name__, generator
    if is_auto(generator):
        raise ConfigError(
            f"generator={AUTO!r} is a race between generators, and one is wanted here. Name one of "
            f"{', '.join(registry.names) or 'none installed'}; autosynth.tune(...) says which is worth it."
        )
    return generator, registry.build(generator, generator_options)
