"""Runs a generator to a plan: asks, conforms, refuses, tops up, and keeps the provenance of every row."""

from __future__ import annotations

import copy
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from autosynth.conform import conform
from autosynth.exceptions import AutosynthError, ConfigError, GenerationError, InsufficientRowsError, PluginError
from autosynth.generator import RowGenerator, SampledRows

if TYPE_CHECKING:
    import numpy.typing as npt

    from autosynth.groups import Group
    from autosynth.plugins import PluginRegistry
    from autosynth.table import Table

logger = logging.getLogger(__name__)

MAX_ROUNDS = 10  # sampling rounds; the first asks for the plan, later ones for what is still missing
MAX_SURPLUS = 10.0  # a later round asks for at most this many times what is missing
MAX_PAID_SURPLUS = 1.5  # the same where rows cost money


@dataclass(frozen=True)
class SyntheticRows:
    """Valid synthetic rows, group by group in the order of the plan.

    Attributes
    ----------
    frame : DataFrame of shape (n_rows, n_columns)
        In the columns and dtypes of the real table, index 0 to n_rows - 1.
    group_codes : ndarray of int, shape (n_rows,)
        Position of each row's group in ``table.groups``.
    parents : ndarray of int, shape (n_rows, n_parents)
        Positions of the real rows behind each row, -1 where there is none; no columns when the generator cannot tell.
    refusals : Counter
        Why rows were refused, and how many.
    notes : Counter
        What the generator reported, such as rows made by its fallback.
    n_rounds : int
        Sampling rounds that were needed.
    """

    frame: pd.DataFrame
    group_codes: npt.NDArray[np.int64]
    parents: npt.NDArray[np.int64]
    refusals: Counter[str]
    notes: Counter[str]
    n_rounds: int


@dataclass(frozen=True)
class RowVeto:
    """Refuses valid rows for reasons of the caller, such as copies of real ones.

    Attributes
    ----------
    judge : callable
        Takes rows in the dtypes of the table; returns pairs of a reason and a bool array, True for a row to refuse.
    advice : str
        What to do when too few rows remain.
    """

    judge: Callable[[pd.DataFrame], Sequence[tuple[str, npt.NDArray[np.bool_]]]]
    advice: str


def fit_generator(generator: RowGenerator, table: Table, *, name: str, rng: np.random.Generator) -> RowGenerator:
    """Return a fitted copy of ``generator``; the one given stays as it is.

    Raises
    ------
    ConfigError
        If the object is no generator.
    GenerationError
        If the generator raises; our own errors pass unchanged.
    PluginError
        If ``fit`` does not return a generator.
    """
    if isinstance(generator, type) or not isinstance(generator, RowGenerator):
        raise ConfigError(
            f"generator={generator!r} has no fit and sample methods. Use a registered name or a generator object "
            "such as SmoteGenerator(SmoteOptions())."
        )
    try:
        fitted: Any = copy.deepcopy(generator).fit(table, rng=rng)
    except AutosynthError:
        raise
    except Exception as error:
        raise GenerationError(
            f"generator {name!r} failed while it learned from {len(table)} rows: {error!r}"
        ) from error
    if not isinstance(fitted, RowGenerator):
        raise PluginError(f"fit of generator {name!r} returned a {type(fitted).__name__}. It must return self.")
    return fitted


def sample_rows(
    fitted: RowGenerator,
    table: Table,
    counts: Mapping[Group, int],
    *,
    name: str,
    rng: np.random.Generator,
    registry: PluginRegistry | None = None,
    veto: RowVeto | None = None,
    is_paid: bool = False,
    on_progress: Callable[[int], None] | None = None,
) -> SyntheticRows:
    """Draw exactly ``counts`` valid rows, topping up what was refused, within a budget of rounds.

    Parameters
    ----------
    fitted : RowGenerator
        As :func:`fit_generator` returned it.
    table : Table
        What it was fitted on.
    counts : mapping of Group to int
        Rows wanted.
    name : str
        For messages.
    rng : numpy.random.Generator
        Its stream decides the rows.
    registry : PluginRegistry, optional
        Whose row filters (hook ``autosynth_keep_rows``) apply; None applies none.
    veto : RowVeto, optional
        Refuses more rows, which are drawn again too.
    is_paid : bool
        Whether rows cost money, so that a later round asks for little more than what is missing.
    on_progress : callable, optional
        Called with the number of valid rows that a round brought.

    Raises
    ------
    InsufficientRowsError
        If rows are still missing when the rounds are used up, or two rounds in a row brought none.
    PluginError
        If the generator returns other columns, or more rows of a group than it was asked for.
    """
    tally = _Tally(table, counts, veto, MAX_PAID_SURPLUS if is_paid else MAX_SURPLUS)
    idle_rounds = 0
    for round_number in range(MAX_ROUNDS):
        request = tally.request(first=round_number == 0)
        if not request:
            break
        try:
            batch = _sample_once(fitted, request, name, rng)
        except GenerationError as error:
            if not tally.n_rows:
                raise
            tally.raise_if_short(name, broken_off=str(error))
            raise
        n_new = tally.add(batch, request, name, registry)
        if on_progress is not None:
            on_progress(n_new)
        idle_rounds = 0 if n_new else idle_rounds + 1
        if idle_rounds == 2:
            break
    tally.raise_if_short(name)
    return tally.result()


def no_rows(table: Table) -> SyntheticRows:
    """Return synthetic rows of a table, none of them."""
    return _Tally(table, {}, None, 1.0).result()


class _Tally:
    """The rows collected so far, against the rows wanted."""

    def __init__(self, table: Table, counts: Mapping[Group, int], veto: RowVeto | None, max_surplus: float) -> None:
        self._max_surplus = max_surplus
        self._table = table
        self._veto = veto
        self._wanted = {table.groups.index(group): int(count) for group, count in counts.items() if count > 0}
        self._frames: dict[int, list[pd.DataFrame]] = {code: [] for code in self._wanted}
        self._parents: dict[int, list[npt.NDArray[np.int64]]] = {code: [] for code in self._wanted}
        self._have: Counter[int] = Counter()
        self._asked: Counter[int] = Counter()
        self._refusals: Counter[str] = Counter()
        self._notes: Counter[str] = Counter()
        self._n_rounds = 0

    def request(self, *, first: bool) -> dict[Group, int]:
        """What to ask for next: the plan, then what is missing, scaled by the share of the group's rows that came."""
        request: dict[Group, int] = {}
        for code, wanted in self._wanted.items():
            missing = wanted - self._have[code]
            if missing > 0:
                surplus = 1.0 if first else min(self._max_surplus, 1.2 * self._asked[code] / max(self._have[code], 1))
                request[self._table.groups[code]] = int(np.ceil(missing * surplus))
        return request

    def add(self, batch: SampledRows, request: Mapping[Group, int], name: str, registry: PluginRegistry | None) -> int:
        """Take the valid rows of a batch and return how many they were."""
        self._n_rounds += 1
        self._asked.update({self._table.groups.index(group): count for group, count in request.items()})
        self._notes.update(batch.notes)
        frame, valid, refusals = conform(batch.frame, self._table.schema, owner=name)
        self._refusals.update(refusals)
        parents = _parents(batch, len(self._table), name)[valid]
        codes = self._table.grouping.codes(frame) if len(frame) else np.empty(0, dtype=np.int64)
        self._refuse_surplus(codes, request, name)
        keep = self._filter(frame, registry) & np.isin(codes, [self._table.groups.index(group) for group in request])
        self._refusals["a group that was not asked for"] += int((~np.isin(codes, list(self._wanted))).sum())
        keep &= self._not_vetoed(frame, keep)
        n_new = 0
        for code in np.unique(codes[keep]).tolist():
            rows = np.flatnonzero(keep & (codes == code))[: self._wanted[code] - self._have[code]]
            self._frames[code].append(frame.iloc[rows])
            self._parents[code].append(parents[rows])
            self._have[code] += len(rows)
            n_new += len(rows)
        return n_new

    def _refuse_surplus(self, codes: npt.NDArray[np.int64], request: Mapping[Group, int], name: str) -> None:
        for group, wanted in request.items():
            n_returned = int((codes == self._table.groups.index(group)).sum())
            if n_returned > wanted:
                raise PluginError(
                    f"generator {name!r} returned {n_returned} rows of {group}, asked for {wanted}. "
                    "Fewer may come back, more never."
                )

    def _filter(self, frame: pd.DataFrame, registry: PluginRegistry | None) -> npt.NDArray[np.bool_]:
        keep = np.ones(len(frame), dtype=bool)
        if registry is None or frame.empty:
            return keep
        rows = frame.drop(columns=self._table.label)
        for plugin, answer in registry.answers("autosynth_keep_rows", rows=rows, schema=self._table.schema):
            is_mask = isinstance(answer, pd.Series) and pd.api.types.is_bool_dtype(answer.dtype)
            if not is_mask or not answer.index.equals(rows.index) or answer.isna().any():
                seen = f"a Series of {answer.dtype}" if isinstance(answer, pd.Series) else f"a {type(answer).__name__}"
                raise PluginError(
                    f"plugin {plugin!r} answered autosynth_keep_rows with {seen}. It must return a bool Series indexed "
                    "like the rows, without missing values (fillna says what a missing answer means)."
                )
            keep &= answer.to_numpy(dtype=bool)
        self._refusals["vetoed by a row filter"] += int((~keep).sum())
        return keep

    def _not_vetoed(self, frame: pd.DataFrame, keep: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Return which rows pass the veto; a row that it refuses for several reasons counts for the first."""
        left = keep.copy()
        if self._veto is not None and keep.any():
            for reason, is_bad in self._veto.judge(frame):
                self._refusals[reason] += int((is_bad & left).sum())
                left &= ~is_bad
        return left

    @property
    def n_rows(self) -> int:
        """Valid rows so far."""
        return self._have.total()

    def raise_if_short(self, name: str, broken_off: str = "") -> None:
        """Raise when rows are missing; ``broken_off`` says what ended the last round."""
        if all(self._have[code] >= wanted for code, wanted in self._wanted.items()):
            return
        refused = ", ".join(f"{reason} ({count} rows)" for reason, count in (+self._refusals).most_common(5))
        noted = ", ".join(f"{event} ({count})" for event, count in (+self._notes).most_common(5))
        raise InsufficientRowsError(
            {self._table.groups[code]: wanted for code, wanted in self._wanted.items()},
            {self._table.groups[code]: self._have[code] for code in self._wanted},
            reasons=f"Generator {name!r} was asked in {self._n_rounds} rounds; refused: {refused or 'none'}."
            + (f" It reported: {noted}." if noted else "")
            + (f" The last round broke off: {broken_off}" if broken_off else ""),
            advice="Ask for fewer rows (strategy), group by fewer columns, or use another generator."
            + (f" {self._veto.advice}" if self._veto is not None else ""),
        )

    def result(self) -> SyntheticRows:
        order = sorted(self._wanted)
        frames = [frame for code in order for frame in self._frames[code]]
        parents = [block for code in order for block in self._parents[code]]
        return SyntheticRows(
            frame=pd.concat(frames, ignore_index=True) if frames else self._table.frame.iloc[:0].reset_index(drop=True),
            group_codes=np.repeat(np.asarray(order, dtype=np.int64), [self._have[code] for code in order]),
            parents=_stack(parents),
            refusals=+self._refusals,
            notes=+self._notes,
            n_rounds=self._n_rounds,
        )


def _sample_once(
    fitted: RowGenerator, request: Mapping[Group, int], name: str, rng: np.random.Generator
) -> SampledRows:
    try:
        answer: Any = fitted.sample(dict(request), rng=rng)
    except AutosynthError:
        raise
    except Exception as error:
        raise GenerationError(f"generator {name!r} failed while it sampled: {error!r}") from error
    return answer if isinstance(answer, SampledRows) else SampledRows(answer)


def _parents(batch: SampledRows, n_real: int, name: str) -> npt.NDArray[np.int64]:
    n_rows = len(batch.frame)
    if batch.parents is None:
        return np.empty((n_rows, 0), dtype=np.int64)
    parents = np.asarray(batch.parents, dtype=np.int64)
    if parents.ndim != 2 or len(parents) != n_rows:
        raise PluginError(
            f"generator {name!r} gave parents of shape {parents.shape} for {n_rows} rows. Give (n_rows, n_parents)."
        )
    if parents.size and (parents.min() < -1 or parents.max() >= n_real):
        raise PluginError(
            f"generator {name!r} names parents from {parents.min()} to {parents.max()}; "
            f"they are positions in the {n_real} rows of the table, or -1."
        )
    return parents


def _stack(blocks: list[npt.NDArray[np.int64]]) -> npt.NDArray[np.int64]:
    width = max((block.shape[1] for block in blocks), default=0)
    padded = [np.pad(block, ((0, 0), (0, width - block.shape[1])), constant_values=-1) for block in blocks]
    return np.concatenate(padded) if padded else np.empty((0, 0), dtype=np.int64)
