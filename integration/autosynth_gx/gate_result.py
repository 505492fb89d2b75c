"""What the gate answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from autosynth.check_text import Verdict, to_text, verdict_of
from autosynth.checks.result import CheckReport
from autosynth.exceptions import CheckFailedError

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from autosynth.files import AnyPath

EXIT_CODES: dict[Verdict, int] = {"passed": 0, "failed": 1, "error": 2}


@dataclass(frozen=True)
class GateResult:
    """The verdict of a suite on synthetic rows.

    Attributes
    ----------
    report : CheckReport
        Every check, as :func:`autosynth.check` reports it.
    validation : ExpectationSuiteValidationResult
        What Great Expectations made of the run.  Its ``success`` knows no severity: a warning fails it.
    docs_page : Path or None
        The page of Data Docs, where one was asked for.
    """

    report: CheckReport
    validation: Any
    docs_page: Path | None = None

    @property
    def status(self) -> Verdict:
        """Return "failed" if a critical check failed, "error" if none did and one could not run, else "passed"."""
        return verdict_of(self.report)

    @property
    def exit_code(self) -> int:
        """0 for passed, 1 for failed, 2 for error."""
        return EXIT_CODES[self.status]

    @property
    def passed(self) -> bool:
        """Whether every critical check ran and passed."""
        return self.status == "passed"

    def raise_if_failed(self) -> None:
        """Raise unless every critical check ran and passed.

        Raises
        ------
        CheckFailedError
            With the failures in its message and the report in ``report``.
        """
        if not self.passed:
            raise CheckFailedError(self.report.describe_failures(), self.report)

    def to_frame(self) -> pd.DataFrame:
        """Return one row per check."""
        return self.report.to_frame()

    def to_dict(self) -> dict[str, Any]:
        """Return the verdict and every check as plain data for JSON."""
        return {"status": self.status, "exit_code": self.exit_code, **self.report.to_dict()}

    def to_html(self, path: AnyPath) -> Path:
        """Write the report as one page that opens offline, and return its path."""
        return self.report.to_html(path)

    def __str__(self) -> str:
        return to_text(self.report)
