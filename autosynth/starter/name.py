"""The name of a new plugin, and everything that is called after it."""

from __future__ import annotations

import builtins
import keyword
import re
from dataclasses import dataclass
from importlib.metadata import entry_points
from importlib.util import find_spec

from autosynth.exceptions import ConfigError
from autosynth.plugins import AUTO, ENTRY_POINT_GROUP, current_plugins

MAX_LENGTH = 22  # so that no line of the templates grows too long
RESERVED = {*keyword.kwlist, AUTO}
IMPORTED = {  # classes that files of a new plugin import, and that its own class must not hide
    "Any",
    "Callable",
    "Candidate",
    "CheckResult",
    "ColumnSchema",
    "ConfigError",
    "Group",
    "Hashable",
    "Mapping",
    "SampledRows",
    "SmoothedColumn",
    "Table",
    "TableSchema",
}
WORDS = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")


@dataclass(frozen=True)
class PluginName:
    """A name that a plugin, its generator, its package and its distribution can be called after.

    Parameters
    ----------
    text : str
        Small letters, digits and single underscores between them, at most 22; a letter comes first.

    Raises
    ------
    ConfigError
        If it is anything else, a keyword of Python, or "auto", which means a race between generators; or if its class
        would be called like one that Python or the new plugin's files know already, such as ``True`` or ``Table``.

    Examples
    --------
    >>> name = PluginName("smooth_rows")
    >>> name.package, name.distribution, name.class_name
    ('autosynth_smooth_rows', 'autosynth-smooth-rows', 'SmoothRows')
    >>> PluginName("Smooth-Rows")
    Traceback (most recent call last):
    autosynth.exceptions.ConfigError: the name 'Smooth-Rows' cannot be a Python module. Use small letters, digits and \
single underscores, a letter first, at most 22 of them. Did you mean 'smooth_rows'?
    """

    text: str

    def __post_init__(self) -> None:
        if not WORDS.fullmatch(self.text) or len(self.text) > MAX_LENGTH:
            raise ConfigError(
                f"the name {self.text!r} cannot be a Python module. Use small letters, digits and single underscores, "
                f"a letter first, at most {MAX_LENGTH} of them.{_suggestion(self.text)}"
            )
        if self.text in RESERVED:
            why = "means the choice by validation on real rows" if self.text == AUTO else "is a word of Python"
            raise ConfigError(f"the name {self.text!r} {why}. Choose another one.")
        if _hides(self.class_name):
            raise ConfigError(
                f"the name {self.text!r} would give a class {self.class_name}, which means something else already. "
                f"Choose another one, such as {f'my_{self.text}'[:MAX_LENGTH]!r}."
            )

    @property
    def package(self) -> str:
        """What is imported."""
        return f"autosynth_{self.text}"

    @property
    def distribution(self) -> str:
        """What pip installs, and the repository's folder."""
        return f"autosynth-{self.text.replace('_', '-')}"

    @property
    def class_name(self) -> str:
        """What the generator's class is called."""
        return _class_name(self.text)

    def check_free(self) -> None:
        """Raise where an installed plugin goes by this name already.

        Raises
        ------
        ConfigError
            With the owner of the name.
        """
        owner = self._owner()
        if owner:
            raise ConfigError(
                f"the name {self.text!r} is taken by {owner}. Choose another one; "
                "`autosynth generators` lists what is installed."
            )

    def _owner(self) -> str:
        for info in current_plugins().generators:
            if info.name == self.text:
                return f"a generator of {info.distribution} (plugin {info.plugin!r})"
        for point in entry_points(group=ENTRY_POINT_GROUP):
            if point.name == self.text:
                return f"a plugin of {point.dist.name if point.dist else 'an unknown distribution'}"
        return f"the installed package {self.package!r}" if find_spec(self.package) else ""


def _class_name(text: str) -> str:
    return "".join(word.capitalize() for word in text.split("_"))


def _hides(class_name: str) -> bool:
    return class_name in IMPORTED or hasattr(builtins, class_name)


def _suggestion(text: str) -> str:
    """Return " Did you mean 'x'?" for the valid name closest to ``text``, or an empty string."""
    likely = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_0123456789")
    likely = likely.removeprefix("autosynth_")[:MAX_LENGTH].strip("_")
    is_valid = WORDS.fullmatch(likely) and likely not in RESERVED and not _hides(_class_name(likely))
    return f" Did you mean {likely!r}?" if is_valid else ""
