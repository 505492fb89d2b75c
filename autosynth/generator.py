"""What a generator is, what it owes, and what the registry knows about it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, runtime_checkable

import numpy as np

from autosynth.exceptions import AutosynthError, ConfigError, PluginError, nearest
from autosynth.extras import missing_modules

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd
    from typing_extensions import Self

    from autosynth.groups import Group
    from autosynth.table import Table

Space: TypeAlias = Literal["model", "original"]

LOCAL = "local"  # the distribution of a plugin that is registered by hand


@dataclass(frozen=True)
class SampledRows:
    """Rows with what a generator knows about their origin; ``sample`` may return it instead of a bare DataFrame.

    Attributes
    ----------
    frame : DataFrame of shape (n_rows, n_columns)
        The synthetic rows, with all columns of the table.
    parents : ndarray of int, shape (n_rows, n_parents), or None
        Positions of the real rows (in the table given to ``fit``) that each row was made from; -1 fills up.
    notes : mapping of str to int
        Events worth reporting with their counts, such as rows that a fallback made.
    """

    frame: pd.DataFrame
    parents: npt.NDArray[np.int64] | None = None
    notes: Mapping[str, int] = field(default_factory=dict)


@runtime_checkable
class RowGenerator(Protocol):
    """Learns from real rows, then makes rows of the groups it is asked for.

    A generator owes:

    - rows of the group that was asked for, label and group columns included, with all columns of the table;
    - at most as many rows as asked for, per group (fewer may come: the core asks again);
    - values that the real rows allow: observed categories, numbers inside the observed limits, missing values only
      where the real rows hold some;
    - equal rows for an equal table, options and ``rng`` on CPU, and no use of any global random state;
    - the table as it was, and a fitted state that survives pickling between our own processes.

    ``autosynth.testing.check_generator`` tests all of it.
    """

    def fit(self, table: Table, *, rng: np.random.Generator) -> Self:
        """Learn from the real rows of ``table`` and return self; what is learned goes into ``attributes_``."""
        ...

    def sample(self, counts: Mapping[Group, int], *, rng: np.random.Generator) -> pd.DataFrame | SampledRows:
        """Make ``counts[group]`` rows of every group, in any order."""
        ...


@dataclass(frozen=True, kw_only=True)
class GeneratorInfo:
    """A registered generator: where it comes from, what it needs, and how to build it.

    Attributes
    ----------
    name : str
        What users write as ``generator=``.
    factory : callable
        Takes an instance of ``options`` and returns an unfitted generator.  Give the class itself, so that an object
        of it, or of a subclass, is known too.
    options : type
        A frozen, keyword-only dataclass that checks itself when built.
    summary : str
        One line for listings.
    requires : tuple of str
        Modules that must be installed to run it.
    extra : str or None
        The extra of ``distribution`` that brings them; None where they have to be installed by their own names.
    space : "model" or "original"
        What it wants to see inside an AutoML run: encoded features, or the user's own columns (text, dates, missing).
    refits : bool
        Whether it learns from the rows it is given.  One that does not (rows from a file) is refused inside folds.
    copies : bool
        Whether copies of real rows are its purpose, so that no check reports them.
    quick : bool
        Whether it takes milliseconds; any other one gets a process of its own under a time limit, which takes seconds
        to start.
    remote : bool
        Whether it sends real rows to another machine, which may cost money per call.  Inside folds, where it would do
        so for each of them, it is refused without consent.
    plugin, distribution : str
        Who registered it: the entry point's name and the installed distribution.
    """

    name: str
    factory: Callable[[Any], RowGenerator]
    options: type[Any]
    summary: str = ""
    requires: tuple[str, ...] = ()
    extra: str | None = None
    space: Space = "model"
    refits: bool = True
    copies: bool = False
    quick: bool = False
    remote: bool = False
    plugin: str = ""
    distribution: str = ""

    @property
    def missing(self) -> list[str]:
        """Packages that must be installed before it can run; empty when it can."""
        return missing_modules(self.requires)

    @property
    def install(self) -> str:
        """The command that brings what is missing; empty when nothing is."""
        if not self.missing:
            return ""
        wanted = f"'{self.distribution}[{self.extra}]'" if self.has_extra else " ".join(self.missing)
        return f"pip install {wanted}"

    @property
    def has_extra(self) -> bool:
        """Whether an extra of an installed distribution brings what it needs."""
        return self.extra is not None and self.distribution != LOCAL

    @property
    def defaults(self) -> dict[str, Any]:
        """The options and their default values."""
        return {entry.name: _default_of(entry) for entry in dataclasses.fields(self.options)}

    def build(self, options: Mapping[str, Any] | None = None) -> RowGenerator:
        """Return an unfitted generator with these options.

        Raises
        ------
        ConfigError
            If an option is unknown (with the nearest one) or out of its range.
        PluginError
            If the plugin's own code raises.
        """
        if options is not None and not isinstance(options, Mapping):
            raise ConfigError(
                f"generator_options={options!r} is a {type(options).__name__}. Give a mapping of names to values."
            )
        given = dict(options or {})
        for key in given:
            if key not in self.defaults:
                raise ConfigError(
                    f"generator {self.name!r} has no option {key!r}.{nearest(key, self.defaults)} "
                    f"Options: {', '.join(f'{name}={value!r}' for name, value in self.defaults.items()) or 'none'}."
                )
        try:
            return self.factory(self.options(**given))
        except AutosynthError:
            raise
        except (TypeError, ValueError) as error:
            raise ConfigError(f"options of generator {self.name!r} are wrong: {error}") from error
        except Exception as error:
            raise PluginError(
                f"plugin {self.plugin!r} of {self.distribution} raised while it built {self.name!r}: {error!r}"
            ) from error


@dataclass(frozen=True, kw_only=True)
class NoOptions:
    """For generators without any knob."""


def _default_of(entry: dataclasses.Field[Any]) -> Any:
    if entry.default_factory is not dataclasses.MISSING:
        return entry.default_factory()
    return None if entry.default is dataclasses.MISSING else entry.default
