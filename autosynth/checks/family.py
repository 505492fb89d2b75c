"""Family: checks that ask the same question, of the whole batch or of each group."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from autosynth.checks.group_summary import cell_codes
from autosynth.checks.result import CheckResult, Severity

if TYPE_CHECKING:
    import numpy.typing as npt

    from autosynth.checks.batch import Batch
    from autosynth.checks.real_rows import RealRows
    from autosynth.checks.reference import Reference


WHOLLY_AS_GIVEN = ("categories", "refused_rows", "whole_numbers")  # beside "schema", these look at rows as they came,
AS_GIVEN = (*WHOLLY_AS_GIVEN, "missing_rate")  # and this one in part
NO_ROW = "no synthetic row is left to judge: see schema, categories, whole_numbers and missing_rate."
CopyJudgement: TypeAlias = Literal["fail", "warn", "show"]


@dataclass(frozen=True, eq=False)
class Context:
    """What a check may look at.

    Attributes
    ----------
    reference : Reference
        What is known of the real rows without having them.
    batch : Batch
        The synthetic rows.
    rows : RealRows or None
        The real rows, where they are at hand.
    copies : "fail", "warn" or "show"
        What copies of training rows beyond chance are: a critical failure, a warning, or the purpose of the generator,
        so that they are shown and never fail.  A copy is no wrong row, only no new one, and it may give a person away.
    """

    reference: Reference
    batch: Batch
    rows: RealRows | None = None
    copies: CopyJudgement = "fail"
    _cells: dict[int, npt.NDArray[np.int64]] = field(default_factory=dict, init=False, repr=False)

    @property
    def mix(self) -> npt.NDArray[np.int64]:
        """Synthetic rows of every group, shape (n_groups,)."""
        return self.batch.mix(len(self.reference.groups))

    def cells(self, group_code: int) -> npt.NDArray[np.int64]:
        """Return the cell of every synthetic value of a group in every summarised column, shape (n_rows, n_columns).

        Kept, since several families ask for it.
        """
        if group_code not in self._cells:
            summary = self.reference.summaries[group_code]
            columns = () if summary is None else summary.columns
            rows = self.batch.frame.iloc[self.batch.positions(group_code)]
            self._cells[group_code] = cell_codes(rows, self.reference.schema, columns)
        return self._cells[group_code]


RunOnTable: TypeAlias = Callable[[Context], list[CheckResult]]
RunOnGroup: TypeAlias = Callable[[Context, int], list[CheckResult]]


@dataclass(frozen=True, kw_only=True)
class Family:
    """A question that is asked of synthetic rows.

    Attributes
    ----------
    name : str
        Its name in results, such as "marginal_fidelity".
    sentence : str
        What must hold, for people.
    run : callable
        ``run(context)``, or for scope "group" ``run(context, group_code)``: the results, an empty list where there is
        nothing to ask.  What it raises is an error of the check, never a pass.
    scope : "table" or "group"
        Whether it looks at all rows, or inside each group by itself.
    needs : "summary" or "rows"
        Whether the summary of the real rows suffices.
    severity : "critical" or "warning"
        Of a failure to run; the results say their own.
    is_quick : bool
        Whether it takes milliseconds, so that every fold can afford it.
    """

    name: str
    sentence: str
    run: RunOnTable | RunOnGroup
    scope: Literal["table", "group"] = "table"
    needs: Literal["summary", "rows"] = "summary"
    severity: Severity = "critical"
    is_quick: bool = True

    def ask(self, context: Context, group_code: int | None = None) -> list[CheckResult]:
        """Return the results for the batch, or for one group; an error result where the question cannot be asked.

        Where no row of the batch is left to judge, that is an error, and no pass: only what looks at the rows as they
        came can say why.
        """
        if not len(context.batch) and self.name != "schema":
            return self._ask_of_none(context)
        return self._ask_of_rows(context, group_code)

    def _ask_of_none(self, context: Context) -> list[CheckResult]:
        """Return the results for a batch of 0 rows."""
        found = [] if context.batch.misfit or self.name not in AS_GIVEN else self._ask_of_rows(context, None)
        if self.name in WHOLLY_AS_GIVEN or self._has_no_question(context):
            return found
        broken = [result for result in found if result.status == "failed"]
        return [*broken, CheckResult.not_run(self.name, "all rows", NO_ROW, severity=self.severity)]

    def _has_no_question(self, context: Context) -> bool:
        """Return whether the family would be silent of any rows: nobody gave a rule, or rows to hold out."""
        if self.name.startswith("held_out"):
            return context.rows is not None and context.rows.known.held_out is None
        return self.name == "rules" and not context.reference.rules

    def _ask_of_rows(self, context: Context, group_code: int | None) -> list[CheckResult]:
        subject = "all rows" if group_code is None else str(context.reference.groups[group_code])
        if self.needs == "rows" and context.rows is None:
            return [CheckResult.not_run(self.name, subject, "the real rows are not at hand.", severity=self.severity)]
        try:
            return self.run(context) if group_code is None else self.run(context, group_code)  # type: ignore[call-arg]
        except Exception as error:
            why = f"{type(error).__name__}: {error}"
            return [CheckResult.not_run(self.name, subject, why, severity=self.severity)]

    def ask_all(self, context: Context) -> list[CheckResult]:
        """Return the results for the batch, group by group where the scope is a group that has rows."""
        if self.scope == "table" or not len(context.batch):
            return self.ask(context)
        codes = sorted(set(context.batch.group_codes.tolist()))
        return [result for code in codes for result in self.ask(context, code)]
