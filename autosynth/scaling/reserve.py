"""Reserve: further real rows, kept apart from all others, which a reference model gets in place of synthetic ones."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from autosynth.exceptions import ConfigError, DataError, TooFewRowsError
from autosynth.options import check_number
from autosynth.tuning.description import digest
from autosynth.tuning.fold_source import FoldRows

if TYPE_CHECKING:
    import numpy.typing as npt

    from autosynth.plan import SamplingPlan
    from autosynth.table import Table

__all__ = ["Reserve", "hold_back"]

FEWEST_BASE_ROWS = 4  # of a group that stay when rows of it are held back


@dataclass(frozen=True)
class Reserve:
    """Real rows that neither train, nor validate, nor father synthetic rows in any other model of a curve.

    Attributes
    ----------
    frame : DataFrame of shape (n_rows, n_columns)
        In the columns and dtypes of the table, index 0 to n_rows - 1, group by group, by chance within a group.
    group_codes : ndarray of int, shape (n_rows,)
        The group of every row, a position in the table's groups; rising.
    n_groups : int
    """

    frame: pd.DataFrame
    group_codes: npt.NDArray[np.int64]
    n_groups: int

    @classmethod
    def of(
        cls, frame: pd.DataFrame, group_codes: npt.NDArray[np.int64], table: Table, rng: np.random.Generator
    ) -> Reserve:
        """Shuffle rows within their groups; the first of each are taken first."""
        order = np.lexsort((rng.random(len(frame)), group_codes))
        rows = frame.iloc[order].reset_index(drop=True)
        return cls(rows.astype(dict(table.frame.dtypes)), group_codes[order], len(table.groups))

    @classmethod
    def read(cls, frame: pd.DataFrame, table: Table, rng: np.random.Generator) -> Reserve:
        """Return the reserve of further rows that a user has.

        Raises
        ------
        DataError
            If columns are missing or cannot be brought to the table's dtypes, or rows belong to no group of the table
            or are in it already.
        """
        missing = [name for name in table.frame.columns if name not in frame.columns]
        if missing:
            raise DataError(f"reserve lacks the columns {missing} of the table. Give further rows of the same table.")
        frame = frame[list(table.frame.columns)]
        codes = table.grouping.codes(frame)
        if (codes < 0).any():
            raise DataError(
                f"{int((codes < 0).sum())} of {len(frame)} reserve rows belong to no group of the table: their label "
                "or group value is missing or new. Drop them first."
            )
        try:
            reserve = cls.of(frame, codes, table, rng)
        except (TypeError, ValueError) as error:
            raise DataError(f"reserve cannot be brought to the table's dtypes: {error}.") from error
        lost = [name for name in frame.columns if reserve.frame[name].isna().sum() > frame[name].isna().sum()]
        if lost:
            raise DataError(f"reserve holds categories in {lost} that the table's dtypes do not know. Drop these rows.")
        _check_other_rows(reserve.frame, table.frame)
        return reserve

    @property
    def n_per_group(self) -> int:
        """Rows that every group has: the most that can be added to each of them."""
        return int(np.bincount(self.group_codes, minlength=self.n_groups).min())

    @cached_property
    def fingerprint(self) -> str:
        """A hash of the rows in their order."""
        cells = pd.util.hash_pandas_object(self.frame, index=False).to_numpy()
        return digest([cells.tolist(), self.group_codes.tolist()])

    def sizes(self, sizes: tuple[int, ...]) -> tuple[int, ...]:
        """Return which sizes real rows can be measured at: those of the curve up to the most, and the most itself.

        Raises
        ------
        TooFewRowsError
            If a group has no row here.
        """
        most = self.n_per_group
        if most == 0:
            raise TooFewRowsError(
                "reserve holds no row of one of the groups, so that real rows cannot stand in for synthetic ones. Hold "
                "back a larger share, group by fewer columns, or give a DataFrame with rows of every group."
            )
        fitting = tuple(size for size in sizes if size <= most)
        return fitting if fitting and most < min(1.2 * fitting[-1], sizes[-1] + 1) else (*fitting, min(most, sizes[-1]))

    def in_place_of(self, rows: FoldRows, plan: SamplingPlan) -> FoldRows:
        """Return the oversampled rows of every group, followed by real ones where augmented ones would be.

        Parameters
        ----------
        rows : FoldRows
            Synthetic rows of a fold, those that oversample first.
        plan : SamplingPlan
            Of oversampling without augmentation.
        """
        oversampled = rows.first(plan)
        codes = np.concatenate([oversampled.group_codes, self.group_codes])
        order = np.argsort(codes, kind="stable")
        frame = pd.concat([oversampled.frame, self.frame], ignore_index=True) if len(oversampled.frame) else self.frame
        return FoldRows(frame.iloc[order].reset_index(drop=True), codes[order], rows.notes)


def hold_back(table: Table, share: float, rng: np.random.Generator) -> tuple[Table, Reserve]:
    """Return the table without a share of every group's rows, and the reserve of these rows.

    Raises
    ------
    ConfigError
        If the share is not above 0 and below 1.
    TooFewRowsError
        If a group has too few rows to give any away.
    """
    check_number("reserve", share, above=0.0, high=1.0)
    if share == 1:
        raise ConfigError("reserve=1 holds back every row. Use a share below 1, such as 0.3.")
    is_held = np.zeros(len(table), dtype=bool)
    for group, size in zip(table.groups, table.group_sizes.tolist(), strict=True):
        n_held = min(round(share * size), size - FEWEST_BASE_ROWS)
        if n_held < 1:
            raise TooFewRowsError(
                f"reserve={share} holds back no row of group {group}, which has {size}. Hold back a larger share, "
                f"group by fewer columns, or leave reserve out; at least {FEWEST_BASE_ROWS} rows of a group stay."
            )
        is_held[rng.permutation(table.positions(group))[:n_held]] = True
    reserve = Reserve.of(table.frame.loc[is_held], table.group_codes[is_held], table, rng)
    return table.keep(~is_held), reserve


def _check_other_rows(reserve: pd.DataFrame, frame: pd.DataFrame) -> None:
    """Raise when rows of the table are in the reserve more often than rows of the table equal each other."""
    known = pd.util.hash_pandas_object(frame, index=False)
    n_equal = int(pd.util.hash_pandas_object(reserve, index=False).isin(known).sum())
    allowed = 2 * known.duplicated(keep=False).mean() * len(reserve) + 0.01 * len(reserve)
    if n_equal > allowed:
        raise DataError(
            f"{n_equal} of {len(reserve)} reserve rows equal rows of the table, which validate the models: their "
            "scores would be worthless. Give rows that are not in the table, or a share of it to hold back."
        )
