"""What makes an arm: nothing, weights, a registered generator, recorded rows, or a peer."""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol
from zlib import crc32

import numpy as np
import pandas as pd

from autosynth.conform import conform
from autosynth.plugins import current_plugins
from autosynth.synthesis import fit_generator, sample_rows
from autosynth.wanted_rows import resolve_generator
from quality.apart import NoResultError
from quality.distances import equal_rows
from quality.peers import PeerRun, run_peer

if TYPE_CHECKING:
    from autosynth.groups import Group
    from autosynth.table import Table
    from quality.splits import Split

PLAIN = ("none", "none_corrected", "class_weights")
REGISTERED = ("ros", "independent", "tree", "smote", "adasyn", "gaussian_copula", "ctgan", "transformer")
RECORDED = ("gpt4", "gpt4_unrecited")
PEERS = ("be_great", "realtabformer")
METHODS = (*PLAIN, *REGISTERED, *RECORDED, *PEERS)


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Time of this process, in seconds, and its peak memory so far, in MiB."""

    wall_s: float
    cpu_s: float
    peak_rss_mib: float

    @classmethod
    def of(cls, work: Callable[[], Any]) -> tuple[Any, Cost]:
        """Return what ``work`` returns and what it took."""
        wall, cpu = time.perf_counter(), time.process_time()
        result = work()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return result, cls(wall_s=time.perf_counter() - wall, cpu_s=time.process_time() - cpu, peak_rss_mib=peak)


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """Synthetic rows in the dtypes of the real ones, the share of all rows made that is valid, and what they took."""

    rows: pd.DataFrame
    valid_share: float
    cost: Cost
    notes: str = ""


class Learned(Protocol):
    """A method that has seen the training rows."""

    fit_cost: Cost
    nested: bool  # whether it can learn anew inside a fold

    def draw(self, counts: Mapping[Group, int], index: int) -> Drawn: ...


@dataclass(frozen=True, kw_only=True)
class Method:
    """A method by name, with options for a registered generator and the weights its rows are tried at."""

    name: str
    weights: tuple[float, ...] = (1.0,)
    generator: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def makes_rows(self) -> bool:
        return self.name not in PLAIN

    @property
    def arms(self) -> dict[str, float]:
        """Name of every arm, and the weight of its synthetic rows."""
        return {self.name if weight == 1 else f"{self.name} w={weight:g}": weight for weight in self.weights}

    def learn(self, split: Split, table: Table, wanted: PeerRun) -> Learned:
        """Return the method after it has learned from the training rows of ``split``.

        Raises
        ------
        NoResultError
            If there is nothing to learn with, such as no recorded rows for this split, or no row within the limits.
        """
        if self.name in RECORDED:
            return RecordedRows.of(split, table, without_recited=self.name == "gpt4_unrecited")
        if self.name in PEERS:
            return PeerRows.of(self.name, split, table, wanted)
        return RegisteredGenerator.fit(self, split, table)


@dataclass(frozen=True, kw_only=True)
class RegisteredGenerator:
    """A generator of autosynth's registry, fitted as ``autosynth.rebalance`` fits it."""

    name: str
    table: Table
    fitted: Any
    seed: int
    fit_cost: Cost
    nested: bool = True

    @classmethod
    def fit(cls, method: Method, split: Split, table: Table) -> RegisteredGenerator:
        registry = current_plugins()
        name = method.generator or method.name
        if name not in registry.names:
            raise NoResultError("not applicable", f"no plugin registers the generator {name!r}")
        _, unfitted = resolve_generator(name, method.options, registry)
        rng = np.random.default_rng([split.seed, crc32(name.encode()), 0])
        fitted, cost = Cost.of(lambda: fit_generator(unfitted, table, name=name, rng=rng))
        return cls(name=name, table=table, fitted=fitted, seed=split.seed, fit_cost=cost)

    def draw(self, counts: Mapping[Group, int], index: int) -> Drawn:
        rng = np.random.default_rng([self.seed, crc32(self.name.encode()), 1 + index])
        made, cost = Cost.of(lambda: sample_rows(self.fitted, self.table, counts, name=self.name, rng=rng))
        notes = "; ".join(f"{event}: {count}" for event, count in made.notes.most_common(3))
        n_made = len(made.frame) + sum(made.refusals.values())
        return Drawn(rows=made.frame, valid_share=len(made.frame) / max(n_made, 1), cost=cost, notes=notes)


@dataclass(frozen=True, kw_only=True)
class RecordedRows:
    """Rows that a language model once made for these training rows; there is one draw of them.

    The model was shown the training rows, so out-of-fold predictions that use them are not strictly out of fold.
    """

    rows: pd.DataFrame
    table: Table
    valid_share: float
    notes: str
    fit_cost: Cost
    nested: bool = False

    @classmethod
    def of(cls, split: Split, table: Table, *, without_recited: bool) -> RecordedRows:
        if split.recorded is None or split.published is None:
            raise NoResultError("not applicable", "no rows of a language model were recorded for this table")
        (rows, valid, _), cost = Cost.of(
            lambda: conform(split.recorded, table.schema, owner="gpt4", within_limits=False)
        )
        _, inside, _ = conform(split.recorded, table.schema, owner="gpt4")
        recited = equal_rows(rows, split.test) | (equal_rows(rows, split.published) & ~equal_rows(rows, split.train))
        notes = f"{int(recited.sum())} of {len(rows)} rows recited, {int((~valid).sum())} unreadable"
        kept = rows[~recited].reset_index(drop=True) if without_recited else rows
        return cls(rows=kept, table=table, valid_share=float(inside.mean()), notes=notes, fit_cost=cost)

    def draw(self, counts: Mapping[Group, int], index: int) -> Drawn:  # noqa: ARG002 - recorded once
        """Return the first rows of every group in the recorded order, whichever draw it is."""
        rows, cost = Cost.of(lambda: _first_of_group(self.rows, self.table, counts, skip=0))
        return Drawn(rows=rows, valid_share=self.valid_share, cost=cost, notes=self.notes)


@dataclass(frozen=True, kw_only=True)
class PeerRows:
    """Rows that a peer made in one go for all draws; rows outside the observed limits are kept, and counted."""

    rows: pd.DataFrame
    table: Table
    valid_share: float
    n_made: int
    notes: str
    fit_cost: Cost
    sample_cost: Cost
    nested: bool = False

    @classmethod
    def of(cls, name: str, split: Split, table: Table, wanted: PeerRun) -> PeerRows:
        if table.group_by:
            raise NoResultError("not applicable", f"{name} is asked by label, and the groups are finer than that")
        answer = run_peer(name, split, table, wanted)
        timings = answer.timings
        if answer.rows.empty:
            step = "sampling, which brought no row" if "fit_wall_s" in timings else "training"
            raise NoResultError(answer.status, f"{name} got as far as {step}: {answer.notes}")
        rows, valid, _ = conform(answer.rows, table.schema, owner=name, within_limits=False)
        _, inside, _ = conform(answer.rows, table.schema, owner=name)
        n_other_label = int(timings.get("n_other_label", 0))
        costs = [
            Cost(
                wall_s=timings.get(f"{step}_wall_s", np.nan),
                cpu_s=timings.get(f"{step}_cpu_s", np.nan),
                peak_rss_mib=timings.get("peak_rss_mib", np.nan),
            )
            for step in ("fit", "sample")
        ]
        return cls(
            rows=rows,
            table=table,
            valid_share=inside.sum() / (len(inside) + n_other_label),
            n_made=len(answer.rows),
            notes=f"{answer.notes}; {n_other_label} rows of another label, {int((~valid).sum())} unreadable",
            fit_cost=costs[0],
            sample_cost=costs[1],
        )

    def draw(self, counts: Mapping[Group, int], index: int) -> Drawn:
        """Return the rows of one draw, with its share of the cost of all."""
        rows = _first_of_group(self.rows, self.table, counts, skip=index)
        share = len(rows) / max(self.n_made, 1)
        cost = Cost(
            wall_s=self.sample_cost.wall_s * share,
            cpu_s=self.sample_cost.cpu_s * share,
            peak_rss_mib=self.sample_cost.peak_rss_mib,
        )
        return Drawn(rows=rows, valid_share=self.valid_share, cost=cost, notes=self.notes)


def _first_of_group(rows: pd.DataFrame, table: Table, counts: Mapping[Group, int], *, skip: int) -> pd.DataFrame:
    """Return ``counts[group]`` rows of every group in their order, after those of the ``skip`` draws before."""
    codes = table.grouping.codes(rows)
    parts = []
    for group, count in counts.items():
        positions = np.flatnonzero(codes == table.groups.index(group))
        parts.append(rows.iloc[positions[skip * count : (skip + 1) * count]])
    return pd.concat(parts, ignore_index=True) if parts else rows.iloc[:0]


def parse_variant(text: str) -> Method:
    """Return a method from ``NAME=GENERATOR:{"option": value}`` of the command line."""
    name, _, rest = text.partition("=")
    generator, _, options = rest.partition(":")
    if not name or not generator or name in METHODS:
        raise ValueError(f"{text!r} is no variant. Write a new name, '=', a generator, and ':' with options as JSON.")
    return Method(name=name, generator=generator, options=json.loads(options or "{}"))
