"""The options of the three generators, checked when they are built."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np

from autosynth.exceptions import ConfigError

Scale: TypeAlias = Literal["raw", "std"]
Kind: TypeAlias = Literal["borderline-1", "borderline-2"]

MAX_REFERENCE_ROWS = 20_000


@dataclass(frozen=True, kw_only=True)
class SmoteOptions:
    """Options of ``smote``.

    Attributes
    ----------
    k_neighbors : int
        Neighbours within the group that a row may be interpolated with; n - 1 in a group of n rows or fewer than k + 1.
    scale : "raw" or "std"
        How numbers enter the distance: as they are, like imbalanced-learn, or divided by their standard deviation in
        the table, so that no column wins by its unit.
    max_reference_rows : int
        Neighbours are searched among at most this many rows of the group, drawn at random from a larger one.  It
        bounds the time; every row of the group can still be a base row.
    """

    k_neighbors: int = 5
    scale: Scale = "raw"
    max_reference_rows: int = MAX_REFERENCE_ROWS

    def __post_init__(self) -> None:
        _check_neighbours("k_neighbors", self.k_neighbors)
        _check_search(self.scale, self.max_reference_rows, "k_neighbors", self.k_neighbors)


@dataclass(frozen=True, kw_only=True)
class AdasynOptions:
    """Options of ``adasyn``.

    Attributes
    ----------
    n_neighbors : int
        K of the paper, used twice: neighbours in the whole table that tell how hard a row is, and neighbours within
        the group that it is interpolated with.
    scale : "raw" or "std"
        As for ``smote``.
    max_reference_rows : int
        As for ``smote``; the hardness too is judged for at most this many rows of the group, which then are its
        base rows.
    """

    n_neighbors: int = 5
    scale: Scale = "raw"
    max_reference_rows: int = MAX_REFERENCE_ROWS

    def __post_init__(self) -> None:
        _check_neighbours("n_neighbors", self.n_neighbors)
        _check_search(self.scale, self.max_reference_rows, "n_neighbors", self.n_neighbors)


@dataclass(frozen=True, kw_only=True)
class BorderlineSmoteOptions:
    """Options of ``borderline_smote``.

    Attributes
    ----------
    k_neighbors : int
        Neighbours that a row may be interpolated with.
    m_neighbors : int
        Neighbours in the whole table that tell whether a row is in danger.
    kind : "borderline-1" or "borderline-2"
        Interpolate within the group, or also with rows of other labels (in the same cell of the group columns), going
        less than half of the way towards those.
    scale : "raw" or "std"
        As for ``smote``.
    max_reference_rows : int
        As for ``smote``; danger too is judged for at most this many rows of the group, which then are its base rows.
    """

    k_neighbors: int = 5
    m_neighbors: int = 10
    kind: Kind = "borderline-1"
    scale: Scale = "raw"
    max_reference_rows: int = MAX_REFERENCE_ROWS

    def __post_init__(self) -> None:
        _check_neighbours("k_neighbors", self.k_neighbors)
        _check_neighbours("m_neighbors", self.m_neighbors)
        _check_choice("kind", self.kind, get_args(Kind))
        _check_search(self.scale, self.max_reference_rows, "k_neighbors", self.k_neighbors)


def _check_neighbours(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise ConfigError(f"{name}={value!r}. Use a whole number of neighbours, from 1 on.")


def _check_choice(name: str, value: Any, accepted: tuple[str, ...]) -> None:
    if value not in accepted:
        raise ConfigError(f"{name}={value!r} is unknown. Use {' or '.join(map(repr, accepted))}.")


def _check_search(scale: Any, max_reference_rows: Any, neighbours_name: str, n_neighbours: int) -> None:
    _check_choice("scale", scale, get_args(Scale))
    is_whole = isinstance(max_reference_rows, int | np.integer) and not isinstance(max_reference_rows, bool)
    if not is_whole or max_reference_rows <= n_neighbours:
        raise ConfigError(
            f"max_reference_rows={max_reference_rows!r}. Use a whole number above {neighbours_name}={n_neighbours}, "
            f"such as the default {MAX_REFERENCE_ROWS}."
        )
