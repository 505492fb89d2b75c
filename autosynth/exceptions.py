"""Every error that autosynth raises, as one tree.

::

    AutosynthError
      ConfigError (ValueError)            wrong option, found before data is read
        UnknownGeneratorError             lists the names installed and the nearest match
      DataError (ValueError)              this table cannot be used
        TooFewRowsError                   a group is smaller than the generator needs
      OutputError (OSError)               a file could not be written; nothing half-written is left
      PluginError                         names the plugin and its distribution
        PluginLoadError                   import or registration failed; the cause is chained
        MissingExtraError (ImportError)   carries the pip command
      GenerationError (RuntimeError)      the generator ran and could not deliver
        InsufficientRowsError             .requested and .produced, per group
      BudgetError (RuntimeError)          the time budget ended before there was an answer
      CheckFailedError                    .report holds every CheckResult

A message says what was seen, what is accepted, and what to do next.  What a program may want sits in attributes.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from autosynth.checks.result import CheckReport
    from autosynth.groups import Group

__all__ = [
    "AutosynthError",
    "AutosynthWarning",
    "BudgetError",
    "CheckFailedError",
    "ConfigError",
    "DataError",
    "GenerationError",
    "InsufficientRowsError",
    "MissingExtraError",
    "OutputError",
    "PluginError",
    "PluginLoadError",
    "TooFewRowsError",
    "UnknownGeneratorError",
    "nearest",
]


class AutosynthError(Exception):
    """The root of every error that autosynth raises on purpose; it travels between processes with its attributes."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


class ConfigError(AutosynthError, ValueError):
    """An option is wrong, which was found before any data was read."""


class UnknownGeneratorError(ConfigError):
    """No installed plugin registers a generator of this name."""

    def __init__(self, name: str, available: Iterable[str]) -> None:
        self.name = name
        self.available = tuple(sorted(available))
        super().__init__(
            f"generator={name!r} is not installed.{nearest(name, self.available)} "
            f"Installed: {', '.join(self.available) or 'none'}. `autosynth generators` says more."
        )


class DataError(AutosynthError, ValueError):
    """A table cannot be used as it is."""


class TooFewRowsError(DataError):
    """A group has fewer real rows than the generator needs."""


class OutputError(AutosynthError, OSError):
    """A file could not be written; the target is as it was before."""


class PluginError(AutosynthError):
    """A plugin raised or broke its contract."""


class PluginLoadError(PluginError):
    """A plugin could not be imported or registered."""


class MissingExtraError(PluginError, ImportError):
    """A heavy package is not installed."""

    def __init__(self, package: str, extra: str | None = None, distribution: str = "autosynth") -> None:
        self.package = package
        self.extra = extra
        self.distribution = distribution
        wanted = package if extra is None else f"'{distribution}[{extra}]'"
        super().__init__(f"{package!r} is not installed. Bring it with: pip install {wanted}")


class GenerationError(AutosynthError, RuntimeError):
    """A generator ran and could not deliver."""


class InsufficientRowsError(GenerationError):
    """Fewer valid rows came than were asked for, after every top-up round."""

    def __init__(
        self, requested: Mapping[Group, int], produced: Mapping[Group, int], *, reasons: str, advice: str
    ) -> None:
        self.requested = dict(requested)
        self.produced = dict(produced)
        short = "; ".join(
            f"{group}: {produced.get(group, 0)} of {wanted}"
            for group, wanted in requested.items()
            if produced.get(group, 0) < wanted
        )
        super().__init__(f"too few valid synthetic rows ({short}). {reasons} {advice}")


class BudgetError(AutosynthError, RuntimeError):
    """A time budget ended before there was an answer; the message says what was measured and what would do."""


class CheckFailedError(AutosynthError):
    """At least one critical check of the synthetic rows failed."""

    def __init__(self, message: str, report: CheckReport) -> None:
        self.report = report
        super().__init__(message)


def _rebuild(error_class: type[AutosynthError], args: tuple[Any, ...], attributes: dict[str, Any]) -> AutosynthError:
    error = error_class.__new__(error_class)
    error.args = args
    error.__dict__.update(attributes)
    return error


def nearest(name: object, candidates: Iterable[object]) -> str:
    """Return " Did you mean 'x'?" for the candidate closest to ``name``, or an empty string."""
    close = difflib.get_close_matches(str(name), [str(candidate) for candidate in candidates], n=1)
    return f" Did you mean {close[0]!r}?" if close else ""


class AutosynthWarning(UserWarning):
    """Something worth knowing that stops nothing, such as a failed check under ``check="warn"``."""
