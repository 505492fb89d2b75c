"""How one column becomes tokens and scores, and is read back."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd

from autosynth.cells.scale import Scale, shares_of
from autosynth.schema import ColumnSchema

if TYPE_CHECKING:
    import numpy.typing as npt

    Codes = npt.NDArray[np.int64]
    Floats = npt.NDArray[np.float64]


class CellColumn(Protocol):
    """A column as a model sees it: a token per value or bin, the last one for missing where values may be missing.

    ``score_edges`` holds the limits of the tokens as normal scores when they have an order (numbers, dates, and columns
    of two levels), and None otherwise.
    """

    @property
    def name(self) -> Hashable:
        """The column's name in the table."""
        ...

    @property
    def n_tokens(self) -> int:
        """How many tokens there are, the one for missing among them."""
        ...

    @property
    def has_missing(self) -> bool:
        """Whether the last token stands for a missing value."""
        ...

    @property
    def score_edges(self) -> Floats | None:
        """Limits of the tokens, shape (n_tokens_without_missing + 1,)."""
        ...

    @property
    def score_points(self) -> Floats | None:
        """The score of a token that stands for one value, NaN for a bin, shape (n_tokens_without_missing,)."""
        ...

    def encode(self, values: pd.Series[Any], group_codes: Codes) -> tuple[Codes, Floats]:
        """Return token and score of every value; the score of a missing or unordered value is 0."""
        ...

    def decode(self, tokens: Codes, shares: Floats, group_codes: Codes) -> pd.Series[Any]:
        """Return values in the column's own dtype; ``shares`` say where inside its token each value lies."""
        ...

    def draw_shares(self, tokens: Codes, rng: np.random.Generator) -> Floats:
        """Return a random place inside every token."""
        ...


@dataclass(frozen=True)
class GroupValue:
    """A label or group column whose value the group sets; no model ever sees it."""

    values: pd.Series[Any]  # (n_groups,)

    @classmethod
    def learn(cls, values: pd.Series[Any], group_codes: Codes) -> GroupValue:
        """Take the value from the first real row of every group."""
        _, first = np.unique(group_codes, return_index=True)
        return cls(values.iloc[first].reset_index(drop=True))

    @property
    def name(self) -> Hashable:
        """The column's name in the table."""
        return self.values.name

    def decode(self, group_codes: Codes) -> pd.Series[Any]:
        """Return the value of every group code."""
        return self.values.take(group_codes).reset_index(drop=True)


@dataclass(frozen=True)
class Levels:
    """A token for every distinct value: categories by frequency, numbers with few distinct values in their order."""

    values: pd.Series[Any]  # (n_tokens,), the missing one last
    has_missing: bool
    scale: Scale | None

    @classmethod
    def learn(cls, values: pd.Series[Any], column: ColumnSchema, weights: Floats) -> Levels:
        """Return the levels of a column."""
        codes = np.asarray(pd.factorize(values)[0], dtype=np.int64)
        present = codes >= 0
        _, first, counts = np.unique(codes[present], return_index=True, return_counts=True)
        examples = np.flatnonzero(present)[first]
        by = column.to_float(values.iloc[examples]) if column.is_number_like else -counts
        examples = examples[np.argsort(by, kind="stable")]
        missing = np.flatnonzero(~present)[:1]
        levels = values.iloc[np.concatenate([examples, missing])].reset_index(drop=True)
        learned = cls(levels, bool(len(missing)), None)
        if len(examples) and (column.is_number_like or len(examples) == 2):  # two levels always have an order
            tokens = learned.tokens(values)[present]
            scale = Scale.learn(tokens.astype(np.float64), weights[present], max_bins=1, one_bin_per_value=True)
            learned = cls(levels, learned.has_missing, scale)
        return learned

    @property
    def name(self) -> Hashable:
        return self.values.name

    @property
    def n_tokens(self) -> int:
        return len(self.values)

    @property
    def score_edges(self) -> Floats | None:
        return None if self.scale is None else self.scale.score_edges

    @property
    def score_points(self) -> Floats | None:
        return None if self.scale is None else self.scale.score_points

    def tokens(self, values: pd.Series[Any]) -> Codes:
        """Return the token of every value.

        Values that the real rows do not hold are taken for the last token.
        """
        n_levels = self.n_tokens - self.has_missing
        known = pd.Index(self.values.iloc[:n_levels].astype(object), dtype=object)
        tokens = known.get_indexer(pd.Index(values.astype(object), dtype=object)).astype(np.int64)
        return np.where(tokens < 0, self.n_tokens - 1, tokens)

    def encode(self, values: pd.Series[Any], group_codes: Codes) -> tuple[Codes, Floats]:  # noqa: ARG002 - any group
        tokens = self.tokens(values)
        if self.scale is None:
            return tokens, np.zeros(len(tokens))
        is_missing = values.isna().to_numpy(dtype=bool)
        return tokens, np.where(is_missing, 0.0, self.scale.to_scores(tokens.astype(np.float64)))

    def decode(self, tokens: Codes, shares: Floats, group_codes: Codes) -> pd.Series[Any]:  # noqa: ARG002 - exact values
        return self.values.take(tokens).reset_index(drop=True)

    def draw_shares(self, tokens: Codes, rng: np.random.Generator) -> Floats:  # noqa: ARG002 - nothing inside a value
        return np.full(len(tokens), 0.5)


@dataclass(frozen=True)
class Bins:
    """A number, date or duration cut into bins; inside a bin its place among the real values is kept."""

    column: ColumnSchema
    scale: Scale

    @classmethod
    def learn(cls, values: pd.Series[Any], column: ColumnSchema, weights: Floats, max_bins: int) -> Bins:
        """Return the bins of a column that holds at least one value."""
        numbers = column.to_float(values)
        present = ~np.isnan(numbers)
        return cls(column, Scale.learn(numbers[present], weights[present], max_bins=max_bins))

    @property
    def name(self) -> Hashable:
        return self.column.name

    @property
    def has_missing(self) -> bool:
        return self.column.allows_missing

    @property
    def n_tokens(self) -> int:
        return self.scale.n_bins + self.has_missing

    @property
    def score_edges(self) -> Floats | None:
        return self.scale.score_edges

    @property
    def score_points(self) -> Floats | None:
        return self.scale.score_points

    def encode(self, values: pd.Series[Any], group_codes: Codes) -> tuple[Codes, Floats]:  # noqa: ARG002 - any group
        return _encode_numbers(self.scale, self.column.to_float(values))

    def decode(self, tokens: Codes, shares: Floats, group_codes: Codes) -> pd.Series[Any]:  # noqa: ARG002 - any group
        return self.column.from_float(_decode_numbers(self.scale, tokens, shares))

    def draw_shares(self, tokens: Codes, rng: np.random.Generator) -> Floats:
        return self.scale.draw_shares(np.minimum(tokens, self.scale.n_bins - 1), rng)


@dataclass(frozen=True)
class WithinBin:
    """A binned group column: the position inside the group's bin, from 0 to 1 of what was observed there.

    The bin itself comes with the group, so that no row has to be refused for lying in another bin.
    """

    column: ColumnSchema
    low: Floats  # (n_groups,), NaN where the group's value is missing
    high: Floats
    scale: Scale
    has_missing: bool = False

    @classmethod
    def learn(
        cls,
        values: pd.Series[Any],
        column: ColumnSchema,
        group_codes: Codes,
        bins: Codes,
        weights: Floats,
        max_bins: int,
    ) -> WithinBin:
        """Return the code; ``bins`` gives the bin of every group."""
        numbers = column.to_float(values)
        by_bin = pd.Series(numbers).groupby(bins[group_codes])
        low = np.asarray(by_bin.min().reindex(bins), dtype=np.float64)
        high = np.asarray(by_bin.max().reindex(bins), dtype=np.float64)
        positions = _positions(numbers, low[group_codes], high[group_codes])
        return cls(column, low, high, Scale.learn(positions, weights, max_bins=max_bins))

    @property
    def name(self) -> Hashable:
        return self.column.name

    @property
    def n_tokens(self) -> int:
        return self.scale.n_bins

    @property
    def score_edges(self) -> Floats | None:
        return self.scale.score_edges

    @property
    def score_points(self) -> Floats | None:
        return self.scale.score_points

    def encode(self, values: pd.Series[Any], group_codes: Codes) -> tuple[Codes, Floats]:
        numbers = self.column.to_float(values)
        return _encode_numbers(self.scale, _positions(numbers, self.low[group_codes], self.high[group_codes]))

    def decode(self, tokens: Codes, shares: Floats, group_codes: Codes) -> pd.Series[Any]:
        low, high = self.low[group_codes], self.high[group_codes]
        # The upper limit again: rounding may carry low + (high - low) over it, and so into the next bin.
        numbers = np.minimum(low + _decode_numbers(self.scale, tokens, shares) * (high - low), high)
        return self.column.from_float(numbers)

    def draw_shares(self, tokens: Codes, rng: np.random.Generator) -> Floats:
        return self.scale.draw_shares(tokens, rng)


def inner_shares(column: CellColumn, scores: Floats) -> Floats:
    """Return normal scores as places on the scale of a column."""
    return np.full(len(scores), 0.5) if column.score_edges is None else shares_of(scores)


def _encode_numbers(scale: Scale, numbers: Floats) -> tuple[Codes, Floats]:
    is_missing = np.isnan(numbers)
    filled = np.where(is_missing, scale.observed[0], numbers)
    tokens = np.where(is_missing, scale.n_bins, scale.to_bins(filled))
    return tokens, np.where(is_missing, 0.0, scale.to_scores(filled))


def _decode_numbers(scale: Scale, tokens: Codes, shares: Floats) -> Floats:
    is_missing = tokens >= scale.n_bins
    return np.where(is_missing, np.nan, scale.to_numbers(np.minimum(tokens, scale.n_bins - 1), shares))


def _positions(numbers: Floats, low: Floats, high: Floats) -> Floats:
    width = np.where(high > low, high - low, 1.0)
    return np.nan_to_num((numbers - low) / width, nan=0.5)  # rows of the group of missing values show the middle
