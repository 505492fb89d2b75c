"""One expectation per family of checks: the question is the core's, the frame is Great Expectations'.

Importing this module registers them, once, under names such as ``expect_synthetic_marginal_fidelity``.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from great_expectations.expectations.expectation import BatchExpectation, MetaExpectation

from autosynth import CheckResult
from autosynth.checks.batch import Batch
from autosynth.checks.families import FAMILIES
from autosynth.checks.family import Context, Family
from autosynth.exceptions import AutosynthError
from autosynth_gx.check_records import to_record
from autosynth_gx.engine_counts import COUNTED, EngineCounts, ask_with_counts, count_all_rows
from autosynth_gx.engine_rows import MAX_ROWS, EngineRows
from autosynth_gx.groups import group_code
from autosynth_gx.read_back import read_back
from autosynth_gx.rendering import Rendered
from autosynth_gx.sources import Source, find_source

if TYPE_CHECKING:
    from autosynth.checks.result import Severity

ALL_ROWS = "all rows"
NO_ROWS = "the batch holds no rows of this group"
NO_ROWS_AT_ALL = "no synthetic row is left to judge"

GIVE_ROWS = "Give them to run_gate(), or the folder that build_suite() wrote them to."


class CheckNotRunError(AutosynthError):
    """A check could not run; Great Expectations makes an exception of the expectation out of it."""


class SyntheticExpectation(Rendered, BatchExpectation):
    """Asks the question of one family of checks, of all rows or of one group.

    Parameters
    ----------
    reference : str
        Digest of what the suite knows of the real rows.
    group : str, optional
        The group, as text; None for all rows.
    max_rows : int
        How many rows are looked at where SQL or Spark holds them.
    severity : "critical", "warning" or "info"
        Of a failure.  The family's own leaves its results theirs; another one goes for all of them, and "info" counts
        as a warning.
    """

    reference: str
    group: str | None = None
    max_rows: int = MAX_ROWS

    metric_dependencies: ClassVar[tuple[str, ...]] = ("autosynth.rows",)
    success_keys: ClassVar[tuple[str, ...]] = ("reference", "group", "max_rows")

    @classmethod
    @abstractmethod  # without one, Great Expectations would register this class too
    def family(cls) -> Family:
        """Return the family of checks."""

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: Any = None,  # noqa: ARG002 - the frame passes it
        execution_engine: Any = None,
    ) -> dict[str, Any]:
        rows: EngineRows = metrics["autosynth.rows"]
        source = find_source(self.reference)
        context = context_of(rows, source)
        if self.family().name in COUNTED and not rows.is_typed and not context.batch.misfit:
            counts = self._counts(rows, source, execution_engine)
            results = ask_with_counts(self.family(), context, counts)
        else:
            results = self._ask(source, context)
        if not len(context.batch) and all(result.skipped for result in results):
            # a group may be empty where others have rows; where no row is left at all, nothing was judged
            results = [self._not_run(NO_ROWS_AT_ALL)]
        return as_outcome(self._in_my_severity(results), rows)

    def _ask(self, source: Source, context: Context) -> list[CheckResult]:
        family = self.family()
        if family.name.startswith("held_out") and source.rows is not None and source.rows.holdout is None:
            context = replace(context, rows=None)  # else the check would take it that there are no held-out rows
        code = None if self.group is None else group_code(source.reference, self.group)
        if code is not None and len(context.batch) and not len(context.batch.positions(code)):
            return [skipped(family.name, str(self.group), NO_ROWS, severity=family.severity)]
        results = family.ask(context, code)
        needs_rows = family.needs == "rows" or family.name == "held_out_near_copies"
        if not needs_rows or context.rows is not None:
            return results
        return [_explained(result, source.why_no_rows or GIVE_ROWS) for result in results]

    def _not_run(self, why: str) -> CheckResult:
        family = self.family()
        return CheckResult.not_run(family.name, self.group or ALL_ROWS, why, severity=family.severity)

    def _counts(self, rows: EngineRows, source: Source, engine: Any) -> EngineCounts:
        key = (source, "counts")
        if key not in rows.memory:
            assert rows.frame is not None  # noqa: S101 - context_of() has seen to it
            schema = source.reference.schema
            rows.memory[key] = count_all_rows(engine, self.batch_id, schema, rows.frame, rows.n_total)
        counts: EngineCounts = rows.memory[key]
        return counts

    def _in_my_severity(self, results: list[CheckResult]) -> list[CheckResult]:
        mine: Severity = "critical" if self.severity.value == "critical" else "warning"
        if mine == self.family().severity:
            return results
        return [replace(result, severity=mine) for result in results]


def context_of(rows: EngineRows, source: Source) -> Context:
    """Return what the checks look at; the rows are read once for all expectations of a run."""
    if source not in rows.memory:
        if rows.frame is None:
            raise CheckNotRunError("the rows of this run were let go of already.")
        frame = rows.frame if rows.is_typed else read_back(rows.frame, source.reference.schema)
        rows.memory[source] = Context(source.reference, Batch.read(frame, source.reference), source.rows)
    context: Context = rows.memory[source]
    return context


def as_outcome(results: list[CheckResult], rows: EngineRows) -> dict[str, Any]:
    """Return what Great Expectations wants to hear: success, and the results in plain data.

    Raises
    ------
    CheckNotRunError
        If a check could not run while none failed.
    """
    failed = [result for result in results if not result.passed and not result.error]
    errors = [result for result in results if result.error]
    if errors and not failed:
        raise CheckNotRunError(errors[0].error)
    n_looked_at = rows.n_total if rows.frame is None else len(rows.frame)
    record = to_record((failed or results)[0]) if results else {}
    details = {
        "status": "skipped" if all(result.skipped for result in results) else "failed" if failed else "passed",
        "limit": record.get("limit"),
        "message": record.get("message", "nothing to ask"),
        "offenders": record.get("offenders", []),
        "n_rows": n_looked_at,
        "n_total": rows.n_total,
        "checks": [to_record(result) for result in results],
    }
    return {"success": not failed, "result": {"observed_value": record.get("observed"), "details": details}}


def _explained(result: CheckResult, why: str) -> CheckResult:
    """Return an error result that also says why the rows are absent; any other as it is."""
    if not result.error:
        return result
    return CheckResult.not_run(result.name, result.subject, f"{result.error} {why}", severity=result.severity)


def skipped(name: str, subject: str, why: str, *, severity: Severity) -> CheckResult:
    """Return the result of a check that had nothing to look at."""
    nan = float("nan")
    return CheckResult(
        name=name,
        subject=subject,
        passed=True,
        observed=nan,
        limit=nan,
        severity=severity,
        message=f"skipped: {why}",
        skipped=True,
    )


def class_name(family: Family) -> str:
    """Return the name of the expectation for a family, such as ExpectSyntheticMarginalFidelity."""
    return "ExpectSynthetic" + "".join(word.capitalize() for word in family.name.split("_"))


def _expectation_for(family: Family) -> type[SyntheticExpectation]:
    body = {
        "__doc__": f"{family.sentence}\n\nScope: {family.scope}.  Needs: {family.needs} of the real rows.",
        "__module__": __name__,
        "family": classmethod(lambda _: family),
    }
    made: type[SyntheticExpectation] = MetaExpectation(class_name(family), (SyntheticExpectation,), body)
    return made


EXPECTATIONS: dict[str, type[SyntheticExpectation]] = {
    name: _expectation_for(family) for name, family in FAMILIES.items()
}
FAMILY_OF_TYPE: dict[str, Family] = {
    expectation.expectation_type: FAMILIES[name] for name, expectation in EXPECTATIONS.items()
}
globals().update({expectation.__name__: expectation for expectation in EXPECTATIONS.values()})
