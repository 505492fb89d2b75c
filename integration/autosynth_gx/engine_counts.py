"""Counts that SQL or Spark makes over all rows, where the other checks look at some of them."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from great_expectations.validator.metric_configuration import MetricConfiguration
from great_expectations.validator.metrics_calculator import MetricsCalculator

from autosynth.checks.batch import Batch
from autosynth.checks.family import Context
from autosynth_gx.read_back import column_names, known_value

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    import pandas as pd

    from autosynth import CheckResult, ColumnSchema, TableSchema
    from autosynth.checks.family import Family

# Of the families that count: which columns the engine counts for them; the others are judged by the rows looked at.
COUNTED = ("schema", "categories", "limits", "missing_rate")


@dataclass(frozen=True)
class EngineCounts:
    """What was counted over all rows of a table.

    Attributes
    ----------
    n_rows : int
        How many there are.
    n_missing : mapping of column to int
        Rows without a value, of every column.
    n_outside : mapping of column to int
        Values outside the real minimum and maximum, of number columns.
    n_unseen : mapping of column to int
        Values that no real row holds, of category and boolean columns.
    """

    n_rows: int
    n_missing: Mapping[Hashable, int]
    n_outside: Mapping[Hashable, int]
    n_unseen: Mapping[Hashable, int]

    def subjects(self, family: str) -> frozenset[str]:
        """Return what the checks of a family look at that was counted."""
        if family == "schema":
            return frozenset({"all rows"})
        counted = {"categories": self.n_unseen, "limits": self.n_outside, "missing_rate": self.n_missing}
        return frozenset(map(str, counted.get(family, ())))


def count_all_rows(
    engine: Any, batch_id: str | None, schema: TableSchema, stored: pd.DataFrame, n_rows: int
) -> EngineCounts:
    """Return the counts, made by Great Expectations' own metrics in one query.

    What an engine cannot count, such as numbers between limits in a column of texts, is left out.

    Parameters
    ----------
    engine : ExecutionEngine
        Where the table is.
    batch_id : str or None
        Which table.
    schema : TableSchema
        Of the real rows.
    stored : DataFrame
        Some of the rows, with names and values as the engine has them.
    n_rows : int
        How many rows there are.
    """
    found: dict[str, dict[Hashable, int]] = {"missing": {}, "outside": {}, "unseen": {}}
    names = {**{name: name for name in stored if name in schema.names}, **column_names(stored.columns, schema)}
    wanted: dict[tuple[str, Hashable], MetricConfiguration] = {}
    for name, known in names.items():
        for what, metric, values in _questions(schema[known], stored[name]):
            domain = {"batch_id": batch_id, "column": name}
            wanted[what, known] = MetricConfiguration(f"{metric}.unexpected_count", domain, values)
    calculator = MetricsCalculator(engine, show_progress_bars=False)
    answers, _ = calculator.compute_metrics(list(wanted.values()) if n_rows else [])
    for (what, known), metric in wanted.items():
        if metric.id in answers:
            found[what][known] = int(answers[metric.id])
    return EngineCounts(n_rows, found["missing"], found["outside"], found["unseen"])


def _questions(column: ColumnSchema, stored: pd.Series[Any]) -> list[tuple[str, str, dict[str, Any]]]:
    asked: list[tuple[str, str, dict[str, Any]]] = [("missing", "column_values.nonnull", {})]
    if column.kind in ("numeric", "integer") and column.minimum is not None:
        limits = {"min_value": column.minimum, "max_value": column.maximum}
        asked.append(("outside", "column_values.between", limits))
    if column.values:
        asked.append(("unseen", "column_values.in_set", {"value_set": _as_stored(column, stored)}))
    return asked


def _as_stored(column: ColumnSchema, stored: pd.Series[Any]) -> list[Any]:
    """Return the values of a column as the engine spells them: all as text where it stores text."""
    known = list(column.values or ())
    seen = [value for value in stored.dropna().unique() if isinstance(value, str)]
    if not seen or all(isinstance(value, str) for value in known):
        return known
    return sorted({*map(str, known), *(value for value in seen if known_value(value, column) in known)})


@dataclass(frozen=True, eq=False)
class CountedBatch(Batch):
    """Rows looked at, with counts over all rows of the table that they are from."""

    counts: EngineCounts | None = None

    @classmethod
    def of(cls, batch: Batch, counts: EngineCounts) -> CountedBatch:
        """Return a batch that answers with the counts where they were made."""
        known = {field.name: getattr(batch, field.name) for field in fields(Batch)}
        faults = Counter(batch.faults)
        for column, count in counts.n_unseen.items():
            faults[column, "value"] = count
        scale = counts.n_rows / max(batch.n_given, 1)  # rows in no group are not counted, so their share is kept
        refusals = Counter({reason: math.ceil(count * scale) for reason, count in batch.refusals.items()})
        return cls(**{**known, "faults": +faults, "refusals": refusals}, counts=counts)

    @property
    def n_given(self) -> int:
        """How many rows the table has."""
        return super().n_given if self.counts is None else self.counts.n_rows

    def count_missing(self, column: ColumnSchema) -> tuple[int, int]:
        """Return how many rows have no value in a column, and of how many."""
        if self.counts is None or column.name not in self.counts.n_missing:
            return super().count_missing(column)
        return self.counts.n_missing[column.name], self.counts.n_rows

    def count_outside(self, column: ColumnSchema) -> tuple[int, int]:
        """Return how many values lie outside the real minimum and maximum, and of how many."""
        if self.counts is None or not {column.name} <= {*self.counts.n_outside} & {*self.counts.n_missing}:
            return super().count_outside(column)
        n_present = self.counts.n_rows - self.counts.n_missing[column.name]
        return self.counts.n_outside[column.name], n_present


def ask_with_counts(family: Family, context: Context, counts: EngineCounts) -> list[CheckResult]:
    """Return the results of a family, by the counts for what was counted, else by the rows looked at."""
    by_rows = {result.subject: result for result in family.ask(context)}
    by_counts = family.ask(replace(context, batch=CountedBatch.of(context.batch, counts)))
    counted = counts.subjects(family.name)
    return [result if result.subject in counted else by_rows.get(result.subject, result) for result in by_counts]
