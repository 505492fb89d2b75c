"""Folds of repeated cross-validation, dealt so that small groups are spread as evenly as large ones."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from autosynth.exceptions import AutosynthWarning, DataError
from autosynth.options import check_whole
from autosynth.seeding import RandomState, as_generator
from autosynth.tuning.label_codes import Coded

if TYPE_CHECKING:
    import numpy.typing as npt

    from autosynth.table import Table

__all__ = ["NEVER", "Folds"]

NEVER = -1  # the fold of a row that no fold validates
MAX_NAMED = 5  # groups named in a warning


@dataclass(frozen=True)
class Folds:
    """In which fold of which repeat every row is validated.

    Attributes
    ----------
    assignment : ndarray of int, shape (n_repeats, n_rows)
        The fold, 0 to ``n_folds`` - 1, that validates a row; -1 for a row that always trains.
    n_folds : int
        F, folds per repeat.
    """

    assignment: npt.NDArray[np.int64]
    n_folds: int

    @classmethod
    def of(cls, table: Table, cv: int = 5, repeats: int = 1, random_state: RandomState = 0) -> Folds:
        """Deal the rows of every group to folds, as one deals cards: sizes differ by one row at most.

        Every training part holds rows of every group, since a group of one row never validates, and every fold
        validates every class, since ``cv`` is cut to the rows of the smallest class.  A group with fewer rows than
        folds is missing from the validation rows of some.

        Parameters
        ----------
        table : Table
            Real rows whose label holds classes.
        cv : int
            Folds, from 2 on.
        repeats : int
            How often all rows are dealt anew.
        random_state : int, numpy.random.Generator or None
            The same int gives the same folds.

        Raises
        ------
        ConfigError
            If an option is out of its range, or the label is a quantity.
        DataError
            If there are more folds than rows, or a class cannot both train and validate.

        Warns
        -----
        AutosynthWarning
            If ``cv`` had to be cut, or a group has one row only.

        Examples
        --------
        >>> from autosynth.table import Table
        >>> from autosynth.toy import shortcut_table
        >>> table = Table.from_frame(shortcut_table(200), label="ill")
        >>> folds = Folds.of(table, cv=4)
        >>> [np.bincount(table.group_codes[folds.validates(0, fold)]).tolist() for fold in range(4)]
        [[45, 5], [45, 5], [45, 5], [45, 5]]
        """
        check_whole("cv", cv, minimum=2)
        check_whole("repeats", repeats)
        coded = Coded.of(table)
        if cv > len(table):
            raise DataError(f"cv={cv} asks for more folds than the table has rows ({len(table)}). Use fewer folds.")
        can_validate = table.group_sizes[table.group_codes] > 1
        n_folds = min(int(cv), _most_folds(table, coded, can_validate, int(cv)))
        _warn_of_single_rows(table)
        rng = as_generator(random_state)
        rows = np.flatnonzero(can_validate)
        assignment = np.full((int(repeats), len(table)), NEVER, dtype=np.int64)
        for repeat in assignment:
            # Dealing on from class to class keeps the folds equally large; within a class, from group to group.
            by_chance = rng.permutation(len(rows))
            keys = (by_chance, coded.segment_codes[rows], coded.label_codes[rows])
            repeat[rows[np.lexsort(keys)]] = np.arange(len(rows)) % n_folds
        return cls(assignment, n_folds)

    @property
    def n_repeats(self) -> int:
        """R, how often all rows are dealt."""
        return len(self.assignment)

    @property
    def n_rows(self) -> int:
        """Rows, those that never validate among them."""
        return int(self.assignment.shape[1])

    def __len__(self) -> int:
        """Return how many pairs of a training and a validation part there are, R x F."""
        return self.n_repeats * self.n_folds

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """Yield (repeat, fold), repeat by repeat."""
        return ((repeat, fold) for repeat in range(self.n_repeats) for fold in range(self.n_folds))

    def validates(self, repeat: int, fold: int) -> npt.NDArray[np.bool_]:
        """Return which rows a fold validates, shape (n_rows,)."""
        return np.asarray(self.assignment[repeat] == fold, dtype=bool)

    def trains(self, repeat: int, fold: int) -> npt.NDArray[np.bool_]:
        """Return which rows train while a fold validates, shape (n_rows,): all others."""
        return ~self.validates(repeat, fold)


def _most_folds(table: Table, coded: Coded, can_validate: npt.NDArray[np.bool_], cv: int) -> int:
    """Return the rows of the smallest class that may validate, with a word where these are fewer than the folds."""
    n_rows = np.bincount(coded.label_codes, minlength=coded.n_classes)
    n_validating = np.bincount(coded.label_codes[can_validate], minlength=coded.n_classes)
    smallest = int(n_validating.argmin())
    most = int(n_validating[smallest])
    name = f"{table.label}={coded.classes[smallest]}"
    if most == 0:
        raise DataError(
            f"class {name} has {n_rows[smallest]} of {len(table)} rows, "
            + ("" if n_rows[smallest] == 1 else "each in a group of its own, ")
            + "and a row cannot both train and validate. Collect more rows of it"
            + (", leave the class out, or group by fewer columns." if table.group_by else " or leave the class out.")
        )
    if most < cv:
        message = (
            f"class {name} has {most} rows to validate with, so {most} folds are used instead of {cv}: every fold "
            "needs a row of every class."
        )
        warnings.warn(message, AutosynthWarning, stacklevel=4)
    return most


def _warn_of_single_rows(table: Table) -> None:
    single = [str(group) for group, size in zip(table.groups, table.group_sizes, strict=True) if size == 1]
    if not single:
        return
    named = "; ".join(single[:MAX_NAMED]) + ("; ..." if len(single) > MAX_NAMED else "")
    message = (
        f"{len(single)} group{'s have' if len(single) > 1 else ' has'} one row only, which always trains and never "
        f"validates: {named}."
    )
    warnings.warn(message, AutosynthWarning, stacklevel=4)
