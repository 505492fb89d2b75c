"""The outcome of a check, and a report of many."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from autosynth.exceptions import CheckFailedError

if TYPE_CHECKING:
    import pandas as pd

Severity: TypeAlias = Literal["critical", "warning"]


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """One check of synthetic against real rows.

    Attributes
    ----------
    name : str
        Which check, such as "marginal_fidelity".
    subject : str
        What it looked at: a group, a column, or "all rows".
    passed : bool
        Whether ``observed`` keeps to ``limit``.  A check that cannot run has failed.
    observed, limit : float
        On the scale that ``message`` names; NaN where the check could not run.
    severity : "critical" or "warning"
        Whether a failure fails the report, or is only said.
    message : str
        One sentence for people.
    """

    name: str
    subject: str
    passed: bool
    observed: float
    limit: float
    severity: Severity = "critical"
    message: str = ""


@dataclass(frozen=True)
class CheckReport:
    """All checks of one batch of synthetic rows."""

    results: tuple[CheckResult, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether no critical check failed."""
        return not any(result.severity == "critical" for result in self.failures)

    @property
    def failures(self) -> tuple[CheckResult, ...]:
        """The checks that failed, critical ones first."""
        failed = [result for result in self.results if not result.passed]
        return tuple(sorted(failed, key=lambda result: result.severity != "critical"))

    def __iter__(self) -> Iterator[CheckResult]:
        return iter(self.results)

    def to_frame(self) -> pd.DataFrame:
        """Return one row per check."""
        import pandas as pd

        columns = ["name", "subject", "passed", "observed", "limit", "severity", "message"]
        return pd.DataFrame([[getattr(result, name) for name in columns] for result in self.results], columns=columns)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain data for JSON."""
        return {"passed": self.passed, "checks": json.loads(self.to_frame().to_json(orient="records"))}

    def raise_if_failed(self) -> None:
        """Raise when a critical check failed.

        Raises
        ------
        CheckFailedError
            With the failures in its message and this report in ``report``.
        """
        if not self.passed:
            raise CheckFailedError(self.describe_failures(), self)

    def describe_failures(self) -> str:
        """Return the failed checks as text, one line each; a sentence when there is none."""
        if not self.failures:
            return f"all {len(self.results)} checks of the synthetic rows passed."
        lines = [
            f"  {result.severity}: {result.name} of {result.subject}: {result.message}" for result in self.failures
        ]
        n_failed = len(self.failures)
        return "\n".join([f"{n_failed} of {len(self.results)} checks of the synthetic rows failed:", *lines])

    def __str__(self) -> str:
        return self.describe_failures()
