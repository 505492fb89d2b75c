"""Answers to rows of the table: cells are read, rows that the table or the request does not allow are refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from autosynth import Group, SampledRows
from autosynth_llm.api.answers import AnswerParser, Cell
from autosynth_llm.api.repeats import Repeats

if TYPE_CHECKING:
    import numpy.typing as npt

    from autosynth_llm.api.completion import Answer
    from autosynth_llm.api.prompt import PromptWriter
    from autosynth_llm.api.requests import RowRequest

WRONG_GROUP = "a row of another group"
CUT_OFF_REASON = "length"  # what servers call an answer that reached its greatest length
UNREADABLE = "refused: an answer that could not be read ({error})"
RESPELT = "cells read from another spelling, such as 1.0 for 1"
SURPLUS = "valid rows beyond those asked for, left out"
FILLED = "rows whose columns {names} were not sent, and come from a real row of the same group"
NATURAL_REPEATS = "rows kept though they may repeat others, as {share:.0%} of the real rows have a twin"


@dataclass(frozen=True)
class _Pool:
    """The rows of all answers of a call: cells per column, and the request that each row answers."""

    cells: list[tuple[Cell, ...]]
    owners: npt.NDArray[np.int64]  # positions in the list of requests


class RowReader:
    """Reads the answers for one table.

    Parameters
    ----------
    writer : PromptWriter
        Wrote the prompts, and knows the columns.
    """

    def __init__(self, writer: PromptWriter) -> None:
        self._writer = writer
        self._table = writer.table
        self._parser = AnswerParser([column.shown_name for column in writer.columns])
        self._repeats = Repeats.of(writer)

    def read(
        self,
        requests: Sequence[RowRequest],
        answers: Mapping[int, Answer],
        counts: Mapping[Group, int],
        rng: np.random.Generator,
    ) -> SampledRows:
        """Return the valid rows, at most ``counts`` per group, in the order of the requests.

        Parameters
        ----------
        requests : sequence of RowRequest
            All requests of the call.
        answers : mapping of int to Answer
            By the index of the request; some may be absent.
        counts : mapping of Group to int
            Rows wanted.
        rng : numpy.random.Generator
            Draws the real rows that columns not sent come from.

        Returns
        -------
        SampledRows
            Parents are the real rows that the request showed, and the one that columns not sent come from.
        """
        notes: Counter[str] = Counter()
        pool = self._parse(requests, answers, notes)
        columns, reasons = self._read_columns(pool.cells, notes)
        groups = np.array([request.group_code for request in requests], dtype=np.int64)[pool.owners]
        donors = self._donors(groups, rng)
        frame = self._frame(columns, donors)
        self._refuse_other_groups(frame, groups, reasons)
        self._refuse_repeats(frame, groups, reasons)
        kept = self._first(groups, reasons, counts, notes)
        for reason in reasons[reasons != ""]:
            notes[f"refused: {reason}"] += 1
        self._note_origin(len(kept), notes)
        parents = _parents(
            [requests[owner] for owner in pool.owners[kept]], donors[kept] if donors is not None else None
        )
        return SampledRows(frame.iloc[kept].reset_index(drop=True), parents, +notes)

    def _parse(self, requests: Sequence[RowRequest], answers: Mapping[int, Answer], notes: Counter[str]) -> _Pool:
        cells: list[tuple[Cell, ...]] = []
        owners: list[int] = []
        for position, request in enumerate(requests):
            answer = answers.get(request.index)
            if answer is None:
                continue
            try:
                parsed = self._parser.parse(answer.text, cut_off=answer.finish_reason == CUT_OFF_REASON)
                self._read_columns(parsed.rows, Counter())
            except Exception as error:  # whatever a model wrote, it must not cost the rows of the other answers
                notes[UNREADABLE.format(error=type(error).__name__)] += 1
                continue
            cells += parsed.rows
            owners += [position] * len(parsed.rows)
            notes.update({f"refused: {reason}": count for reason, count in parsed.refusals.items()})
        return _Pool(cells, np.array(owners, dtype=np.int64))

    def _read_columns(
        self, rows: Sequence[tuple[Cell, ...]], notes: Counter[str]
    ) -> tuple[dict[object, pd.Series], npt.NDArray[np.object_]]:
        reasons = np.full(len(rows), "", dtype=object)
        columns: dict[object, pd.Series] = {}
        for position, column in enumerate(self._writer.columns):
            read = column.read([row[position] for row in rows])
            columns[column.column.name] = read.values
            is_new = (read.reasons != "") & (reasons == "")
            reasons[is_new] = [f"{column.column.name}: {reason}" for reason in read.reasons[is_new]]
            notes[RESPELT] += read.n_respelt
        return columns, reasons

    def _donors(self, groups: npt.NDArray[np.int64], rng: np.random.Generator) -> npt.NDArray[np.int64] | None:
        """Draw one real row of its group for every row; None when all columns were sent."""
        if not self._writer.not_sent:
            return None
        donors = np.zeros(len(groups), dtype=np.int64)
        for code in np.unique(groups):
            mine = groups == code
            donors[mine] = rng.choice(np.flatnonzero(self._table.group_codes == code), size=int(mine.sum()))
        return donors

    def _frame(self, columns: Mapping[object, pd.Series], donors: npt.NDArray[np.int64] | None) -> pd.DataFrame:
        real = self._table.frame
        filled = {
            name: real[name].iloc[donors].reset_index(drop=True)  # type: ignore[index]  # there are donors for these
            for name in self._writer.not_sent
        }
        return pd.DataFrame({name: filled[name] if name in filled else columns[name] for name in real.columns})

    def _refuse_other_groups(
        self, frame: pd.DataFrame, groups: npt.NDArray[np.int64], reasons: npt.NDArray[np.object_]
    ) -> None:
        valid = np.flatnonzero(reasons == "")
        if len(valid):
            found = self._table.grouping.codes(frame.iloc[valid])
            reasons[valid[found != groups[valid]]] = WRONG_GROUP

    def _refuse_repeats(
        self, frame: pd.DataFrame, groups: npt.NDArray[np.int64], reasons: npt.NDArray[np.object_]
    ) -> None:
        if self._repeats.are_natural:
            return
        for code in np.unique(groups):
            mine = np.flatnonzero((groups == code) & (reasons == ""))
            written = [column.text.write(frame[column.column.name].iloc[mine]) for column in self._writer.columns]
            real = self._writer.texts(np.flatnonzero(self._table.group_codes == code))
            reasons[mine] = self._repeats.judge(list(zip(*written, strict=True)), real)

    def _first(
        self,
        groups: npt.NDArray[np.int64],
        reasons: npt.NDArray[np.object_],
        counts: Mapping[Group, int],
        notes: Counter[str],
    ) -> npt.NDArray[np.int64]:
        """Return the valid rows up to the number wanted of their group; a model often writes more."""
        kept = []
        for group, count in counts.items():
            mine = np.flatnonzero((groups == self._table.groups.index(group)) & (reasons == ""))
            kept.append(mine[:count])
            notes[SURPLUS] += max(len(mine) - count, 0)
        return np.sort(np.concatenate([np.empty(0, dtype=np.int64), *kept]))

    def _note_origin(self, n_rows: int, notes: Counter[str]) -> None:
        absent = [
            name for name in self._writer.not_sent if self._table.schema[name].n_distinct and not self._is_set(name)
        ]
        if absent:
            notes[FILLED.format(names=", ".join(map(str, absent)))] += n_rows
        if self._repeats.are_natural:
            notes[NATURAL_REPEATS.format(share=self._repeats.twin_share)] += n_rows

    def _is_set(self, name: object) -> bool:
        return any(axis.column.name == name and axis.edges is None for axis in self._table.grouping.axes)


def _parents(requests: Sequence[RowRequest], donors: npt.NDArray[np.int64] | None) -> npt.NDArray[np.int64]:
    width = max((len(request.positions) for request in requests), default=0)
    parents = np.full((len(requests), width + (donors is not None)), -1, dtype=np.int64)
    for row, request in enumerate(requests):
        parents[row, : len(request.positions)] = request.positions
    if donors is not None:
        parents[:, -1] = donors
    return parents
