"""The outcome of a check, and a report of many."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from autosynth.checks.failures import in_order, joined, not_run_words
from autosynth.exceptions import CheckFailedError, ConfigError, nearest
from autosynth.plain_data import to_plain

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from autosynth.checks.evidence import Evidence
    from autosynth.files import AnyPath

Severity: TypeAlias = Literal["critical", "warning"]
Status: TypeAlias = Literal["passed", "failed", "error", "skipped"]


@dataclass(frozen=True)
class Offender:
    """One of the worst things that a check looked at, such as a column of a group.

    Attributes
    ----------
    name : str
        What it is: a column, a pair of columns, a group, a reason.
    observed, limit : float
        On the scale of the check that names it; ``limit`` is NaN where only all of them together have one.
    """

    name: str
    observed: float
    limit: float


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
    offenders : tuple of Offender
        The worst of what it looked at, worst first; at most a handful.
    error : str
        Why the check could not run; empty when it could.  Such a check has not passed.
    skipped : bool
        Whether there was nothing to look at, or so few rows that no difference could have shown.  Such a check passes.

    Raises
    ------
    ConfigError
        If a check passed that could not run, or failed though it was skipped.
    """

    name: str
    subject: str
    passed: bool
    observed: float
    limit: float
    severity: Severity = "critical"
    message: str = ""
    offenders: tuple[Offender, ...] = ()
    error: str = ""
    skipped: bool = False

    def __post_init__(self) -> None:
        if self.passed and self.error:
            raise ConfigError(f"check {self.name!r} passed, yet says that it could not run: {self.error}")
        if self.skipped and not self.passed:
            raise ConfigError(f"check {self.name!r} failed, yet says that it was skipped.")

    @property
    def status(self) -> Status:
        """The outcome in one word."""
        if self.error:
            return "error"
        if self.skipped:
            return "skipped"
        return "passed" if self.passed else "failed"

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain data for JSON, its status beside it; NaN becomes None."""
        plain: dict[str, Any] = to_plain(self)
        return {**plain, "status": self.status}

    @classmethod
    def not_run(cls, name: str, subject: str, why: str, *, severity: Severity = "critical") -> CheckResult:
        """Return the result of a check that could not run."""
        nan = float("nan")
        return cls(
            name=name,
            subject=subject,
            passed=False,
            observed=nan,
            limit=nan,
            severity=severity,
            message=f"could not run: {why}",
            error=why,
        )


@dataclass(frozen=True)
class CheckReport:
    """All checks of one batch of synthetic rows.

    Attributes
    ----------
    results : tuple of CheckResult
        In the order in which they were made.
    evidence : Evidence or None
        The rows compared, for the pictures of the page; no part of the text or the JSON.
    """

    results: tuple[CheckResult, ...] = ()
    evidence: Evidence | None = field(default=None, repr=False, compare=False)

    @property
    def passed(self) -> bool:
        """Whether no critical check failed."""
        return not any(result.severity == "critical" for result in self.failures)

    @property
    def failures(self) -> tuple[CheckResult, ...]:
        """The checks that failed or could not run: critical ones first, and among them causes before symptoms."""
        return in_order(result for result in self.results if not result.passed)

    @property
    def skipped(self) -> tuple[CheckResult, ...]:
        """The checks that had nothing to look at, or too few rows."""
        return tuple(result for result in self.results if result.skipped)

    @property
    def errors(self) -> tuple[CheckResult, ...]:
        """The checks that could not run, critical ones first."""
        return tuple(result for result in self.failures if result.error)

    def fail_on(self, severity: Severity) -> CheckReport:
        """Return the report in which a failure of this severity, or a worse one, fails the report.

        Raises
        ------
        ConfigError
            If ``severity`` is neither "critical" nor "warning".
        """
        if severity not in ("critical", "warning"):
            raise ConfigError(f"fail_on={severity!r} is unknown. Use 'critical' or 'warning'.")
        if severity == "critical":
            return self
        return replace(self, results=tuple(replace(result, severity="critical") for result in self.results))

    def only_warn(self, names: Iterable[str]) -> CheckReport:
        """Return the report in which failures of some checks are warnings.

        Raises
        ------
        ConfigError
            If no check has such a name.

        Examples
        --------
        >>> copied = CheckResult(name="exact_copies", subject="all rows", passed=False, observed=1.0, limit=0.1)
        >>> CheckReport((copied,)).only_warn(["exact_copies"]).passed
        True
        """
        weakened = set(names)
        known = sorted({result.name for result in self.results})
        for name in weakened:
            if name not in known:
                raise ConfigError(f"no check is called {name!r}.{nearest(name, known)} There are: {', '.join(known)}.")
        return replace(
            self,
            results=tuple(
                replace(result, severity="warning") if result.name in weakened else result for result in self.results
            ),
        )

    def __iter__(self) -> Iterator[CheckResult]:
        return iter(self.results)

    def to_frame(self) -> pd.DataFrame:
        """Return one row per check."""
        import pandas as pd

        columns = ["name", "subject", "status", "passed", "observed", "limit", "severity", "message"]
        return pd.DataFrame([[getattr(result, name) for name in columns] for result in self.results], columns=columns)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain data for JSON."""
        return {"passed": self.passed, "checks": [result.to_dict() for result in self.results]}

    def to_html(self, path: AnyPath) -> Path:
        """Write the report as one page that needs no network, with pictures where the rows are at hand.

        Raises
        ------
        OutputError
            If no file can be written there; the target is as it was before.
        """
        from autosynth.pages.check_page import check_page
        from autosynth.pages.page import write_page

        return write_page(check_page(self), path)

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
        n_checks, n_skipped, n_errors = len(self.results), len(self.skipped), len(self.errors)
        n_failed = len(self.failures) - n_errors
        skipped = f", {n_skipped} skipped for too few rows" if n_skipped else ""
        if not self.results:
            return "no checks: there are no synthetic rows to check, or checks are off."
        if not self.failures:
            n_passed = n_checks - n_skipped
            return f"{n_passed if skipped else f'all {n_passed}'} checks of the synthetic rows passed{skipped}."
        failed = f"{n_failed} of {n_checks} checks of the synthetic rows failed"
        if n_errors and n_failed:
            failed += f", {n_errors} could not run"
        elif n_errors:
            failed = f"{n_errors} of {n_checks} checks of the synthetic rows could not run"
        lines = [f"  {some[0].severity}: {_told(some)}" for some in joined(self.failures)]
        return "\n".join([f"{failed}{skipped}:", *lines])

    def __str__(self) -> str:
        return self.describe_failures()


def _told(results: Sequence[CheckResult]) -> str:
    first = results[0]
    return not_run_words(results) if len(results) > 1 else f"{first.name} of {first.subject}: {first.message}"
