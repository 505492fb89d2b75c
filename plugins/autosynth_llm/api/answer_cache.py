"""Answers on disk, one file each, so that an interrupted run pays once.

A file holds the answer and what it counted, never the prompt or the key; its name is a hash of the request.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from autosynth.exceptions import AutosynthWarning, OutputError
from autosynth.files import AnyPath, write_text
from autosynth_llm.api.completion import Answer

FORMAT = 1


@dataclass(frozen=True)
class AnswerCache:
    """A folder of answers.  Several processes may share it: files are written beside and renamed.

    Attributes
    ----------
    folder : Path
        Made by :meth:`prepare`, readable by its owner alone.
    """

    folder: Path

    @classmethod
    def at(cls, folder: AnyPath | None) -> AnswerCache | None:
        """Return the cache in a folder; None keeps nothing."""
        return None if folder is None else cls(Path(folder).expanduser())

    def get(self, key: str) -> Answer | None:
        """Return the answer kept for a key; a file that cannot be read is passed over with a warning."""
        path = self._path(key)
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
            answer = _checked(kept, key)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError, TypeError, KeyError) as error:
            warnings.warn(
                f"the cached answer {str(path)!r} cannot be used ({type(error).__name__}); it is asked for again.",
                AutosynthWarning,
                stacklevel=2,
            )
            return None
        return answer

    def prepare(self) -> None:
        """Make the folder, before anything is paid for.

        Raises
        ------
        OutputError
            If there can be no such folder.
        """
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"cache_dir={str(self.folder)!r} cannot be made a folder: {error}. Name another one."
            ) from error

    def put(self, key: str, answer: Answer) -> None:
        """Keep an answer.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        path = self._path(key)
        try:
            path.parent.mkdir(exist_ok=True)
        except OSError as error:
            raise OutputError(f"{str(path)!r} could not be written: {error}.") from error
        write_text(json.dumps({"format": FORMAT, "key": key, **asdict(answer)}), path)

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.json"


def cache_key(**request: Any) -> str:
    """Return the hash of everything that decides an answer; equal requests have equal keys.

    Examples
    --------
    >>> cache_key(model="m", seed=1) == cache_key(seed=1, model="m"), len(cache_key(model="m", seed=2))
    (True, 64)
    """
    return hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()


def _checked(kept: Any, key: str) -> Answer:
    if not isinstance(kept, Mapping) or kept["format"] != FORMAT or kept["key"] != key:
        raise ValueError("another format or key")
    counted = (kept["input_tokens"], kept["output_tokens"])
    if not isinstance(kept["text"], str) or not all(count is None or isinstance(count, int) for count in counted):
        raise TypeError("fields of other types")
    return Answer(
        text=kept["text"], finish_reason=kept["finish_reason"], input_tokens=counted[0], output_tokens=counted[1]
    )
