"""Keys: names of parameters and metrics that every store of MLflow accepts, however groups are called."""

from __future__ import annotations

import re
from collections.abc import Hashable

__all__ = ["Keys", "key_part"]

FOREIGN = re.compile(r"[^\w.\- ]+")  # MLflow takes slashes too, and colons but on Windows; a slash opens a folder
MAX_PART = 72  # of 250 for a whole key; where keys are file names, 255 bytes


def key_part(text: object) -> str:
    """Return a text as one part of a key: letters, digits, ``_``, ``-``, ``.`` and spaces alone.

    Examples
    --------
    >>> key_part("income=high, sex=F"), key_part("age=(34, 51]"), key_part("n/a"), key_part("../x")
    ('income.high sex.F', 'age.34 51', 'n_a', '_x')
    """
    readable = re.sub(r"[()\[\]]", "", str(text)).replace("=", ".").replace(",", " ")
    part = " ".join(FOREIGN.sub("_", readable).split())[:MAX_PART].strip()
    return part.lstrip(". ") or "_"  # MLflow takes no key that begins like the folder above


class Keys:
    """Gives every name one key, and no two names the same.

    Examples
    --------
    >>> keys = Keys("report")
    >>> keys.of("risk", "a=b"), keys.of("risk", "a.b"), keys.of("risk", "a=b")
    ('report/risk/a.b', 'report/risk/a.b 2', 'report/risk/a.b')
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._given: dict[tuple[Hashable, ...], str] = {}
        self._taken: set[str] = set()

    def of(self, *name: Hashable) -> str:
        """Return the key of a name of several parts."""
        if name not in self._given:
            wanted = "/".join([self._prefix, *map(key_part, name)])
            key, number = wanted, 1
            while key.casefold() in self._taken:  # some file systems do not tell "A" from "a"
                number += 1
                key = f"{wanted} {number}"
            self._taken.add(key.casefold())
            self._given[name] = key
        return self._given[name]
