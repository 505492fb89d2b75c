"""Groups under readable keys, as the expectations of a suite name them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from autosynth.exceptions import DataError, nearest

if TYPE_CHECKING:
    from autosynth.checks.reference import Reference


def group_keys(reference: Reference) -> list[str]:
    """Return one text per group of the real rows, in their order; equal texts of different groups get a number."""
    seen: Counter[str] = Counter()
    keys = []
    for group in reference.groups:
        text = str(group)
        seen[text] += 1
        keys.append(text if seen[text] == 1 else f"{text} ({seen[text]})")
    return keys


def group_code(reference: Reference, key: str) -> int:
    """Return the position of the group that a text stands for.

    Raises
    ------
    DataError
        If there is none.
    """
    keys = group_keys(reference)
    if key not in keys:
        raise DataError(f"group {key!r} is none of the real rows.{nearest(key, keys)} Groups: {'; '.join(keys)}.")
    return keys.index(key)
