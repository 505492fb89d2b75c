"""A folder that holds a fitted generator: its facts as JSON, the rest beside them, nothing as pickle."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from autosynth.exceptions import ConfigError
from autosynth.files import write_beside

Restored = TypeVar("Restored")

INCOMPLETE: tuple[type[Exception], ...] = (OSError, ValueError, KeyError, TypeError, AttributeError)


@dataclass(frozen=True)
class SavedFolder:
    """Where a fitted generator is kept.

    Attributes
    ----------
    path : Path
    facts_name : str
        Name of the JSON file, which is written last: without it, the folder is no saved generator.
    format : str
        Name and version of what the folder holds.
    """

    path: Path
    facts_name: str
    format: str

    def write(self, facts: Mapping[str, Any], write_rest: Callable[[Path], object]) -> Path:
        """Write ``facts``, after ``write_rest`` has put everything else into the folder.

        Raises
        ------
        ConfigError
            If the folder exists and holds something else.
        """
        facts_path = self.path / self.facts_name
        is_ours = self.path.is_dir() and (facts_path.is_file() or not any(self.path.iterdir()))
        if self.path.exists() and not is_ours:
            raise ConfigError(f"{str(self.path)!r} exists and holds something else. Give a new or empty folder.")
        text = json.dumps({"format": self.format, **facts}, default=plain_text)
        self.path.mkdir(parents=True, exist_ok=True)
        facts_path.unlink(missing_ok=True)
        write_rest(self.path)
        write_beside(facts_path, lambda path: path.write_text(text, encoding="utf-8"))
        return self.path

    def read(self, restore: Callable[[dict[str, Any]], Restored], errors: tuple[type[Exception], ...] = ()) -> Restored:
        """Return what ``restore`` makes of the facts.

        Parameters
        ----------
        restore : callable
            Takes the facts.
        errors : tuple of exception types
            What ``restore`` raises on incomplete files, beside the usual ones.

        Raises
        ------
        ConfigError
            If the folder holds no saved generator, an incomplete one, or another format.
        """
        try:
            facts = json.loads((self.path / self.facts_name).read_text(encoding="utf-8"))
            if facts.get("format") != self.format:
                raise ConfigError(
                    f"{str(self.path)!r} holds format {facts.get('format')!r}; this version reads {self.format!r}. "
                    "Train and save it again."
                )
            return restore(facts)
        except ConfigError:
            raise
        except (*INCOMPLETE, *errors) as error:
            raise ConfigError(
                f"{str(self.path)!r} is no complete saved generator: {error}. Give the folder that save() was given."
            ) from error


def plain_text(value: Any) -> Any:
    """Return what JSON has no type for, such as a numpy number or a path in the options, as a value that it has."""
    return value.item() if isinstance(value, np.generic) else str(value)
