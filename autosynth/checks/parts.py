"""Parts: reads plain data that may come from anywhere, and says by name what is not as it should be."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from autosynth.exceptions import DataError

T = TypeVar("T")

MAX_ITEMS = 1_000_000  # in one list


class Parts:
    """The parts of a mapping, each checked for its type when it is asked for.

    Every method raises DataError where the part is absent or not as asked.

    Examples
    --------
    >>> parts = Parts({"n_rows": 3, "shares": [0.5, 0.5]}, of="a summary")
    >>> parts.whole("n_rows"), parts.numbers("shares", 2)
    (3, (0.5, 0.5))
    >>> parts.text("name")
    Traceback (most recent call last):
    autosynth.exceptions.DataError: a summary is damaged: 'name' is absent.
    """

    def __init__(self, state: Any, *, of: str) -> None:
        self.of = of
        if not isinstance(state, Mapping) or not all(isinstance(name, str) for name in state):
            raise DataError(f"{of} is damaged: it is a {type(state).__name__}, and should map names to parts.")
        self.state = state

    def part(self, name: str) -> Any:
        """Return a part of any type."""
        if name not in self.state:
            raise DataError(f"{self.of} is damaged: {name!r} is absent.")
        return self.state[name]

    def whole(self, name: str, *, low: int = 0) -> int:
        """Return a whole number."""
        value = self.part(name)
        if not _is_whole(value) or value < low:
            raise self._wrong(name, value, f"a whole number from {low} on")
        return int(value)

    def number(self, name: str, *, low: float = -math.inf, high: float = math.inf) -> float:
        """Return a finite number."""
        value = self.part(name)
        if not _is_number(value) or not low <= value <= high:
            raise self._wrong(name, value, f"a finite number from {low:g} to {high:g}")
        return float(value)

    def text(self, name: str) -> str:
        """Return a text."""
        value = self.part(name)
        if not isinstance(value, str):
            raise self._wrong(name, value, "a text")
        return value

    def wholes(self, name: str, length: int | None = None) -> tuple[int, ...]:
        """Return whole numbers from 0 on."""
        values = self.items(name, length)
        if not all(_is_whole(value) for value in values):
            raise self._wrong(name, values, "a list of whole numbers from 0 on")
        return tuple(values)

    def numbers(self, name: str, length: int | None = None) -> tuple[float, ...]:
        """Return finite numbers."""
        values = self.items(name, length)
        if not all(_is_number(value) for value in values):
            raise self._wrong(name, values, "a list of finite numbers")
        return tuple(float(value) for value in values)

    def items(self, name: str, length: int | None = None) -> list[Any]:
        """Return a list, of this length where one is given."""
        values = self.part(name)
        if not isinstance(values, list) or len(values) > MAX_ITEMS or (length is not None and len(values) != length):
            raise self._wrong(name, values, "a list" if length is None else f"a list of {length} items")
        return values

    def optional(self, name: str, read: Callable[[Any], T]) -> T | None:
        """Return a part as ``read`` reads it, or None where it is null."""
        value = self.part(name)
        return None if value is None else read(value)

    def _wrong(self, name: str, value: Any, wanted: str) -> DataError:
        seen = f"{type(value).__name__} of {len(value)} items" if isinstance(value, list) else repr(value)[:80]
        return DataError(f"{self.of} is damaged: {name!r} is {seen}, and should be {wanted}.")


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
