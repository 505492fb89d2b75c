"""The metric ``autosynth.rows``: the rows of a batch as pandas, whichever engine holds them."""

# ruff: noqa: N805 - Great Expectations makes class methods of what a metric defines, and passes ``cls`` by name

from __future__ import annotations

import math
import threading
import weakref
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from great_expectations.compatibility.sqlalchemy import sqlalchemy as sa
from great_expectations.execution_engine import (
    PandasExecutionEngine,
    SparkDFExecutionEngine,
    SqlAlchemyExecutionEngine,
)
from great_expectations.expectations.metrics.metric_provider import metric_value
from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider

MAX_ROWS = 200_000
ROW_NUMBER = "autosynth_row_number"
SEED = 0

_held: weakref.WeakSet[EngineRows] = weakref.WeakSet()
_lock = threading.Lock()


@dataclass(eq=False)
class EngineRows:
    """Rows of a batch.

    Great Expectations may keep the value of a metric for as long as its engine lives; ``release`` empties it.

    Attributes
    ----------
    frame : DataFrame of shape (n_rows, n_columns)
        The rows looked at.
    n_total : int
        How many there are.
    is_typed : bool
        Whether the engine keeps pandas' types; SQL and Spark lose some.
    memory : dict
        What was worked out from the rows, so that many expectations do it once.
    """

    frame: pd.DataFrame | None
    n_total: int
    is_typed: bool
    memory: dict[Any, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        with _lock:
            _held.add(self)

    def release(self) -> None:
        """Let go of the rows."""
        self.frame = None
        self.memory.clear()


def held_rows() -> set[EngineRows]:
    """Return the values of the metric that are alive in this process."""
    with _lock:
        return set(_held)


class AutosynthRows(TableMetricProvider):
    """All rows on pandas; on SQL and Spark at most ``max_rows``, spread over the table, the same ones every time."""

    metric_name = "autosynth.rows"
    value_keys = ("max_rows",)
    default_kwarg_values = {"max_rows": MAX_ROWS}  # noqa: RUF012 - the way of Great Expectations

    @metric_value(engine=PandasExecutionEngine)
    def _pandas(cls, execution_engine: Any, metric_domain_kwargs: Any, **_: Any) -> EngineRows:
        frame = _domain(execution_engine, metric_domain_kwargs)
        return EngineRows(frame, len(frame), is_typed=True)

    @metric_value(engine=SqlAlchemyExecutionEngine)
    def _sql(cls, execution_engine: Any, metric_domain_kwargs: Any, metric_value_kwargs: Any, **_: Any) -> EngineRows:
        table = _domain(execution_engine, metric_domain_kwargs)
        table = table.subquery() if isinstance(table, sa.Select) else table
        with execution_engine.get_connection() as connection:
            n_total = int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())
            query = sa.select(sa.text("*")).select_from(table)
            if n_total > metric_value_kwargs["max_rows"]:
                query = _spread_rows(table, n_total, metric_value_kwargs["max_rows"])
            answer = connection.execute(query)
            # As they are: a column of whole numbers with a NULL would become one of floats.
            frame = pd.DataFrame([tuple(row) for row in answer], columns=list(answer.keys()), dtype=object)
        return EngineRows(frame.drop(columns=ROW_NUMBER, errors="ignore"), n_total, is_typed=False)

    @metric_value(engine=SparkDFExecutionEngine)
    def _spark(cls, execution_engine: Any, metric_domain_kwargs: Any, metric_value_kwargs: Any, **_: Any) -> EngineRows:
        table = _domain(execution_engine, metric_domain_kwargs)
        n_total, n_wanted = table.count(), metric_value_kwargs["max_rows"]
        if n_total > n_wanted:
            table = table.sample(withReplacement=False, fraction=n_wanted / n_total, seed=SEED).limit(n_wanted)
        return EngineRows(table.toPandas(), n_total, is_typed=False)


def _domain(engine: Any, domain: Any) -> Any:
    rows, *_ = engine.get_compute_domain(domain, "table")
    return rows


def _spread_rows(table: Any, n_total: int, n_wanted: int) -> Any:
    """Return a query for exactly ``n_wanted`` rows, spread evenly over the table but in no fixed step.

    Multiplying the row's number by a number near n / golden ratio, modulo n, visits every remainder once in a scattered
    order; the rows with the lowest remainders are taken.  The product of two such numbers fits into 64 bits.
    """
    no_order = sa.select(sa.null()).scalar_subquery()  # some dialects insist on an order
    number = sa.func.row_number().over(order_by=no_order)
    numbered = sa.select(sa.text("*"), sa.cast(number, sa.BigInteger).label(ROW_NUMBER)).select_from(table).subquery()
    remainder = (sa.literal_column(ROW_NUMBER) * _scatter(n_total)) % n_total
    return sa.select(sa.text("*")).select_from(numbered).where(remainder < n_wanted)


def _scatter(n_total: int) -> int:
    candidates = range(round(n_total * 0.6180339887), n_total)
    return next(number for number in candidates if math.gcd(number, n_total) == 1)
