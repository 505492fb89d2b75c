"""Neutral names for columns and categories, so that their meaning stays on this machine."""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence

from autosynth.exceptions import DataError

# Anything else could be taken for a part of the format of rows; the name is only an address, and translated back.
_UNSAFE = re.compile(r"[^\w .()/%$#@&+*°-]|\bis\b", re.IGNORECASE)


def shown_names(names: Sequence[Hashable], *, pseudonymise: bool) -> list[str]:
    """Return how columns are called towards the endpoint, no two alike.

    Raises
    ------
    DataError
        If two columns could not be told apart once written as text.

    Examples
    --------
    >>> shown_names(["age", "income, yearly"], pseudonymise=False)
    ['age', 'income_ yearly']
    >>> shown_names(["age", "income"], pseudonymise=True)
    ['column_1', 'column_2']
    """
    if pseudonymise:
        return [f"column_{number}" for number in range(1, len(names) + 1)]
    shown = [_UNSAFE.sub("_", " ".join(str(name).split())) or "_" for name in names]
    owners: dict[str, Hashable] = {}
    for name, text in zip(names, shown, strict=True):
        if text.casefold() in owners:
            raise DataError(
                f"columns {owners[text.casefold()]!r} and {name!r} look alike as text ({text!r}), so that answers "
                "could not be told apart. Rename one, send only one (send_columns), or use pseudonymise=True."
            )
        owners[text.casefold()] = name
    return shown


def shown_levels(texts: Sequence[str], *, pseudonymise: bool) -> dict[str, str]:
    """Return what is written for each category: itself, or value_1, value_2, ... in the order given.

    Examples
    --------
    >>> shown_levels(["north", "south"], pseudonymise=True)
    {'north': 'value_1', 'south': 'value_2'}
    """
    return {text: f"value_{number}" if pseudonymise else text for number, text in enumerate(texts, 1)}
