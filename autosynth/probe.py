"""probe_memorization(): does a generator know rows of this table that nobody showed it?"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from autosynth.checks.contamination import KnownRows, compared_columns
from autosynth.checks.memorization import KIND_WORDS, copy_shares
from autosynth.exceptions import ConfigError, DataError, TooFewRowsError
from autosynth.generator import RowGenerator
from autosynth.notices import announce, unannounced
from autosynth.options import check_number, check_whole
from autosynth.plugins import current_plugins
from autosynth.seeding import RandomState, as_generator
from autosynth.synthesis import fit_generator, sample_rows
from autosynth.table import GroupBy, Table
from autosynth.wanted_rows import resolve_generator

if TYPE_CHECKING:
    from collections.abc import Hashable

    import numpy.typing as npt
    import pandas as pd

    from autosynth.checks.chance import CopyShare
    from autosynth.groups import Group


@dataclass(frozen=True, kw_only=True)
class MemorizationProbe:
    """What :func:`probe_memorization` found.

    Attributes
    ----------
    generator : str
        Name of the generator.
    n_shown, n_hidden : int
        Real rows that it learned from, and real rows that were hidden from it.
    n_rows : int
        Synthetic rows that were compared with them.
    hidden, shown : mapping of "exact" and "near" to CopyShare
        Copies of hidden and of shown rows against chance.
    random_state : int or None
        The seed; None when the caller gave a numpy Generator.
    seconds : float
        Wall time.
    """

    generator: str
    n_shown: int
    n_hidden: int
    n_rows: int
    hidden: Mapping[str, CopyShare]
    shown: Mapping[str, CopyShare]
    random_state: int | None
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether the generator copies hidden rows no more often than chance allows."""
        return all(share.passed for share in self.hidden.values())

    @property
    def verdict(self) -> str:
        """The finding in one or two sentences."""
        if not self.passed:
            return (
                f"contaminated: {self.generator!r} makes rows of this table that nobody showed it, more often than "
                "fresh real rows coincide with them. Scores on rows that it may know are worthless: keep only rows "
                "from rebalance(..., holdout=test_rows, copies='drop_near'), or use another generator."
            )
        unseen = max(share.limit for share in self.hidden.values())
        return (
            f"clean: {self.generator!r} copies hidden rows no more often than fresh real rows do. "
            f"With {self.n_rows} rows, up to {unseen:.1%} of copies would not stand out."
        )

    def to_frame(self) -> pd.DataFrame:
        """Return one row per kind of copy: counts, shares with their limits, and what chance gives."""
        import pandas as pd

        return pd.DataFrame(
            [
                {"copies_of": whose, "kind": kind, **share.to_dict()}
                for whose, shares in (("hidden", self.hidden), ("shown", self.shown))
                for kind, share in shares.items()
            ]
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as plain data."""
        return {
            "passed": self.passed,
            "verdict": self.verdict,
            "generator": self.generator,
            "n_shown": self.n_shown,
            "n_hidden": self.n_hidden,
            "n_rows": self.n_rows,
            "copies": json.loads(self.to_frame().to_json(orient="records")),
            "random_state": self.random_state,
            "seconds": round(self.seconds, 3),
        }

    def __str__(self) -> str:
        lines = [
            f"  {KIND_WORDS[kind]} to a {whose} row: {share}, allowed {share.limit:.1%}"
            for whose, shares in (("hidden", self.hidden), ("shown", self.shown))
            for kind, share in shares.items()
        ]
        head = (
            f"{self.n_rows} synthetic rows by {self.generator!r}, which learned from {self.n_shown} real rows while "
            f"{self.n_hidden} were hidden from it:"
        )
        return "\n".join([head, *lines, self.verdict])


def probe_memorization(
    train: pd.DataFrame,
    *,
    label: Hashable,
    generator: str | RowGenerator,
    group_by: GroupBy = None,
    generator_options: Mapping[str, Any] | None = None,
    n_rows: int = 200,
    hidden_share: float = 0.5,
    random_state: RandomState = 0,
    on_progress: Callable[[int], None] | None = None,
) -> MemorizationProbe:
    """Hide a part of the real rows from a generator, and count how often it makes them all the same.

    A pretrained language model may have read the table on the web.  A generator that never saw a row cannot hit it
    more often than fresh real rows do: chance is taken from the real rows themselves, group by group.  Compared are
    the columns that the generator fills, so neither the label nor group columns whose value the request sets.  As in
    :func:`rebalance`, rows outside the limits of the shown rows are refused and drawn again; they count nowhere.

    Parameters
    ----------
    train : DataFrame of shape (n_rows, n_features + 1)
        Real rows with the label in them.  Left as it is.
    label : Hashable
        The label column.
    generator : str or RowGenerator
        A registered name or a configured generator object.
    group_by : Hashable, sequence of them, or mapping, optional
        As in :func:`rebalance`.
    generator_options : mapping, optional
        For a registered name.
    n_rows : int
        Synthetic rows to draw, spread evenly over the groups.  More of them find smaller shares of copies.
    hidden_share : float
        Share of the rows of every group that is hidden, above 0 and below 1.
    random_state : int, numpy.random.Generator or None
        Decides which rows are hidden, and the synthetic ones.
    on_progress : callable, optional
        Called with the number of rows that each sampling round brought.

    Returns
    -------
    MemorizationProbe
        ``passed``, ``verdict``, the counts; prints as text.

    Raises
    ------
    ConfigError
        An argument is wrong.
    DataError
        The table cannot be used, or every hidden row holds a category that no shown row has, as names and other
        identifiers do; TooFewRowsError when no group has a row to hide.
    GenerationError, PluginError
        As in :func:`rebalance`.

    Examples
    --------
    >>> from autosynth.toy import shortcut_table
    >>> probe = probe_memorization(shortcut_table(400), label="ill", generator="ros")
    >>> probe.passed, probe.n_hidden, probe.hidden["exact"].n_copies
    (True, 200, 0)
    """
    started = time.perf_counter()
    check_whole("n_rows", n_rows)
    check_number("hidden_share", hidden_share, above=0.0, high=1.0)
    if hidden_share == 1:
        raise ConfigError(f"hidden_share={hidden_share!r} hides every row. Use a number above 0 and below 1.")
    seed = int(np.random.default_rng().integers(2**31 - 1)) if random_state is None else random_state
    split_rng, fit_rng, sample_rng = as_generator(seed).spawn(3)
    everyone = Table.from_frame(train, label=label, group_by=group_by)
    is_hidden = _hide(everyone, hidden_share, split_rng)
    shown = everyone.keep(~is_hidden)
    real_rows = _real_rows(shown, train.loc[is_hidden])
    registry = current_plugins()
    name, unfitted = resolve_generator(generator, generator_options, registry)
    with unannounced():  # what a generator calls for itself is no news
        fitted = fit_generator(unfitted, shown, name=name, rng=fit_rng)
        made = sample_rows(
            fitted,
            shown,
            _spread_over_groups(shown, n_rows),
            name=name,
            rng=sample_rng,
            registry=registry,
            is_paid=registry.is_remote(fitted),
            on_progress=on_progress,
        )
    shares = copy_shares(real_rows, made.frame, made.group_codes)
    probe = MemorizationProbe(
        generator=name,
        n_shown=len(shown),
        n_hidden=int(is_hidden.sum()),
        n_rows=len(made.frame),
        hidden=shares["held-out"],
        shown=shares["training"],
        random_state=int(seed) if isinstance(seed, int | np.integer) else None,
        seconds=time.perf_counter() - started,
    )
    announce("autosynth_reported", report=probe)
    return probe


def _hide(table: Table, hidden_share: float, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Return which rows to hide: a share of every group, and never all of one."""
    is_hidden = np.zeros(len(table), dtype=bool)
    for group, size in zip(table.groups, table.group_sizes.tolist(), strict=True):
        n_hidden = min(round(hidden_share * size), size - 1)
        is_hidden[rng.permutation(table.positions(group))[:n_hidden]] = True
    if not is_hidden.any():
        raise TooFewRowsError(
            f"hidden_share={hidden_share} of groups with {table.group_sizes.max()} rows or fewer hides no row. "
            "Give more rows, group by fewer columns, or hide a larger share."
        )
    return is_hidden


def _real_rows(shown: Table, hidden: pd.DataFrame) -> KnownRows:
    """Return shown and hidden rows to compare with, or say why no hidden row can be compared."""
    try:
        return KnownRows.of(shown, hidden)
    except DataError as error:
        foreign = {
            column.name: int((~hidden[column.name].isin(column.values) & hidden[column.name].notna()).sum())
            for column in compared_columns(shown)
            if column.values is not None
        }
        name = max(foreign, key=lambda column: foreign[column], default=None)
        if name is None or not foreign[name]:
            raise
        n_values, n_rows = shown.schema[name].n_distinct, len(shown)
        raise DataError(
            f"none of the {len(hidden)} hidden rows could be made from the {n_rows} shown ones: {foreign[name]} of "
            f"them hold a value in column {name!r} that no shown row has ({n_values} different values in {n_rows} "
            "rows). A column with a value of its own in nearly every row, such as a name, is an identifier. Drop it: "
            f"train.drop(columns=[{name!r}])."
        ) from error


def _spread_over_groups(table: Table, n_rows: int) -> dict[Group, int]:
    each, left = divmod(n_rows, len(table.groups))
    return {group: each + (place < left) for place, group in enumerate(table.groups)}
