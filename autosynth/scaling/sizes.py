"""The sizes of a scaling curve: how many synthetic rows per group each of its models gets."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from autosynth.exceptions import ConfigError
from autosynth.options import check_whole
from autosynth.scaling.law import MIN_POINTS

if TYPE_CHECKING:
    from autosynth.table import Table

__all__ = ["default_sizes", "read_sizes"]

N_SIZES = 7
SMALLEST = 5  # rows per group; fewer change hardly any model
FROM, TO = 1 / 32, 2.0  # of the largest group in a training part
MOST_ROWS = 60_000  # synthetic rows of all groups together: beyond that, a curve takes long and says little more


def default_sizes(table: Table, cv: int) -> tuple[int, ...]:
    """Return seven sizes that grow by a common factor, from a 32nd of the largest group to twice that group.

    Parameters
    ----------
    table : Table
        Real rows.
    cv : int
        Folds, of which all but one train.

    Examples
    --------
    >>> from autosynth.table import Table
    >>> from autosynth.toy import shortcut_table
    >>> default_sizes(Table.from_frame(shortcut_table(1000), label="ill"), cv=5)
    (22, 45, 90, 180, 360, 720, 1440)
    """
    n_max = int(table.group_sizes.max()) * (cv - 1) / cv
    last = min(TO * n_max, max(MOST_ROWS / len(table.groups), 100.0))
    first = max(SMALLEST, last * FROM / TO)
    last = max(last, 16 * first)  # a smaller range would show no law
    return tuple(round(size) for size in np.geomspace(first, last, N_SIZES))


def read_sizes(sizes: Any) -> tuple[int, ...]:
    """Return sizes as a user gave them.

    Raises
    ------
    ConfigError
        If there are fewer than 4, one is no whole number from 1 on, or they do not rise.

    Examples
    --------
    >>> read_sizes([50, 100, 200])
    Traceback (most recent call last):
    autosynth.exceptions.ConfigError: sizes=[50, 100, 200] are 3 numbers. A law needs at least 4 sizes, each about ...
    """
    if isinstance(sizes, str) or not isinstance(sizes, Sequence | np.ndarray):
        raise ConfigError(f"sizes={sizes!r} is no list. Give rows per group, such as [50, 100, 200, 400, 800].")
    found = list(sizes)
    for size in found:
        check_whole("sizes", size)
    if len(found) < MIN_POINTS:
        raise ConfigError(
            f"sizes={found} are {len(found)} numbers. A law needs at least {MIN_POINTS} sizes, each about twice the "
            "one before."
        )
    if any(later <= earlier for earlier, later in pairwise(found)):
        raise ConfigError(f"sizes={found} do not rise from one to the next. Sort them, and name none twice.")
    return tuple(int(size) for size in found)
