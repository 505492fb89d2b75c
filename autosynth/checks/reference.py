"""Reference: what the gate remembers of the real rows, without the rows."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from autosynth.checks.contamination import KnownRows, compared_columns
from autosynth.checks.group_summary import GroupSummary
from autosynth.checks.hashes import RowHashes
from autosynth.checks.parts import Parts
from autosynth.checks.repetition import count_repeated
from autosynth.checks.rule_record import RuleRecord
from autosynth.checks.rules import as_rules
from autosynth.checks.summary import frequent_levels
from autosynth.checks.tally import ColumnTally
from autosynth.exceptions import AutosynthError, DataError
from autosynth.state import grouping_from_state, grouping_to_state, schema_from_state, schema_to_state

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    import pandas as pd

    from autosynth.checks.rules import Rule
    from autosynth.groups import Group, Grouping
    from autosynth.schema import TableSchema
    from autosynth.table import Table

FORMAT = "autosynth reference"
VERSION = 1


@dataclass(frozen=True, kw_only=True, eq=False)
class Reference:
    """What is known of real rows without having them: enough for the checks that need a summary only.

    It holds no row.  It does hold the smallest and the largest value of every column, which are limits, the values of
    categories and how frequent they are, so it is no anonymous data.  Other numbers are named where five rows
    or more of a group hold them; the rest are cut into cells between them.  Groups of fewer than five rows are not
    summarised, texts not at all.

    Attributes
    ----------
    schema : TableSchema
        What the columns are.
    grouping : Grouping
        What the groups are.
    group_sizes : tuple of int
        Real rows of every group.
    summaries : tuple of GroupSummary or None
        Distributions within every group; None for tiny ones.
    tallies : tuple of ColumnTally
        Counts of every column by group.
    n_repeated : tuple of int
        Real rows of every group that repeat an earlier one of the group in all free columns.
    rules : tuple of RuleRecord
        What every row has to keep, and how many real rows do not.
    hashes : RowHashes or None
        Training and held-out rows as salted hashes; None unless asked for.

    Examples
    --------
    >>> from autosynth import Table
    >>> from autosynth.toy import shortcut_table
    >>> reference = Reference.of(Table.from_frame(shortcut_table(200), label="ill"))
    >>> Reference.from_dict(json.loads(json.dumps(reference.to_dict()))) == reference
    True
    """

    schema: TableSchema
    grouping: Grouping
    group_sizes: tuple[int, ...]
    summaries: tuple[GroupSummary | None, ...]
    tallies: tuple[ColumnTally, ...]
    n_repeated: tuple[int, ...]
    rules: tuple[RuleRecord, ...] = ()
    hashes: RowHashes | None = None

    @classmethod
    def of(
        cls,
        table: Table,
        *,
        holdout: pd.DataFrame | None = None,
        rules: Sequence[Rule | str] = (),
        with_hashes: bool = False,
        known: KnownRows | None = None,
    ) -> Reference:
        """Summarise the real rows.

        Parameters
        ----------
        table : Table
            The real rows in their groups.
        holdout : DataFrame, optional
            Rows that the generator must not know; kept as hashes, and only with ``with_hashes``.
        rules : sequence of Rule or str
            What every row has to keep, such as "start <= end".
        with_hashes : bool
            Whether to keep salted hashes of the rows, so that exact copies are found without the rows.
        known : KnownRows, optional
            The same training and held-out rows, where they were placed before.

        Raises
        ------
        ConfigError
            If a rule cannot be read, or most of the real rows break it.
        DataError
            If the held-out rows have other columns, or none of them fits the schema.
        """
        n_groups, frame = len(table.groups), table.frame
        summarised = [
            column
            for column in table.schema.columns
            if column.name not in table.fixed_columns and column.kind != "text"
        ]
        levels: dict[Hashable, Sequence[Any]] = {
            column.name: () if column.is_number_like else frequent_levels(frame[column.name]) for column in summarised
        }
        order = np.argsort(table.group_codes, kind="stable")
        parts = np.split(order, np.cumsum(table.group_sizes)[:-1])
        if with_hashes and known is None:
            known = KnownRows.of(table, holdout)
        free = [column.name for column in compared_columns(table)]
        return cls(
            schema=table.schema,
            grouping=table.grouping,
            group_sizes=tuple(table.group_sizes.tolist()),
            summaries=tuple(GroupSummary.of(frame.iloc[rows], table.schema, levels) for rows in parts),
            tallies=tuple(
                ColumnTally.of(frame[column.name], column, table.group_codes, n_groups)
                for column in table.schema.columns
            ),
            n_repeated=tuple(count_repeated(frame[free], table.group_codes, n_groups).tolist()),
            rules=tuple(RuleRecord.of(rule, table) for rule in as_rules(rules)),
            hashes=RowHashes.of(known, n_groups) if with_hashes and known is not None else None,
        )

    @property
    def groups(self) -> tuple[Group, ...]:
        """All groups, largest first."""
        return self.grouping.groups

    @property
    def free_columns(self) -> tuple[Hashable, ...]:
        """The columns that a generator fills: not the label, and not the group columns that a request sets."""
        asked = {axis.column.name for axis in self.grouping.axes if axis.edges is None}
        return tuple(column.name for column in self.schema.features if column.name not in asked)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the reference as JSON, in hexadecimal digits: two references with the same digest are equal."""
        text = json.dumps(self.to_dict(), sort_keys=True, allow_nan=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """Return the reference as plain data for JSON.

        Raises
        ------
        DataError
            If a column name or a category has no place in JSON, such as bytes.
        """
        return {
            "format": FORMAT,
            "version": VERSION,
            "schema": schema_to_state(self.schema),
            "grouping": grouping_to_state(self.grouping),
            "group_sizes": list(self.group_sizes),
            "summaries": [None if summary is None else summary.to_dict() for summary in self.summaries],
            "tallies": [tally.to_dict() for tally in self.tallies],
            "n_repeated": list(self.n_repeated),
            "rules": [record.to_dict() for record in self.rules],
            "hashes": None if self.hashes is None else self.hashes.to_dict(),
        }

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> Reference:
        """Return the reference that :meth:`to_dict` wrote; nothing in it is run.

        Raises
        ------
        DataError
            If it is none, of another version, or damaged.
        """
        parts = Parts(state, of="the reference")
        if parts.part("format") != FORMAT or parts.part("version") != VERSION:
            raise DataError(
                f"this is {str(parts.part('format'))[:40]!r} of version {str(parts.part('version'))[:40]}, and "
                f"{FORMAT!r} of version {VERSION} is wanted. Make it again from the real rows."
            )
        try:
            return cls._read(parts)
        except AutosynthError:
            raise
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
            raise DataError(f"the reference is damaged: {type(error).__name__}: {error}") from error

    @classmethod
    def _read(cls, parts: Parts) -> Reference:
        schema = schema_from_state(parts.part("schema"))
        grouping = grouping_from_state(parts.part("grouping"), schema)
        n_groups = len(grouping.groups)
        sizes = parts.wholes("group_sizes", n_groups)
        summaries = parts.items("summaries", n_groups)
        reference = cls(
            schema=schema,
            grouping=grouping,
            group_sizes=sizes,
            summaries=tuple(None if some is None else GroupSummary.from_dict(some) for some in summaries),
            tallies=tuple(
                ColumnTally.from_dict(some, n_groups) for some in parts.items("tallies", len(schema.columns))
            ),
            n_repeated=parts.wholes("n_repeated", n_groups),
            rules=tuple(RuleRecord.from_dict(some) for some in parts.items("rules")),
            hashes=parts.optional("hashes", lambda some: RowHashes.from_dict(some, n_groups)),
        )
        reference._check_consistency()
        return reference

    def _check_consistency(self) -> None:
        """Refuse parts that speak of other columns or numbers of rows than the schema and the groups do."""
        names = self.schema.names
        summarised = [column.name for summary in self.summaries if summary for column in summary.columns]
        n_rows = [summary.n_rows for summary in self.summaries if summary]
        sizes = [size for size, summary in zip(self.group_sizes, self.summaries, strict=True) if summary]
        if (
            len(set(names)) != len(names)
            or tuple(tally.name for tally in self.tallies) != names
            or not {*summarised, self.schema.label, *self.schema.group_by} <= set(names)
            or n_rows != sizes
            or min(self.group_sizes) < 1
        ):
            raise DataError("the reference is damaged: its parts speak of different columns or rows.")
        for column in self.schema.columns:
            if any(
                name == column.name and is_number != column.is_number_like
                for summary in self.summaries
                if summary
                for name, is_number in ((some.name, some.edges is not None) for some in summary.columns)
            ):
                raise DataError(f"the reference is damaged: column {column.name!r} is summarised as another kind.")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reference) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)
