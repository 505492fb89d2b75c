"""The gate in a fold: whether its synthetic rows pass the checks against its own real rows, and what follows."""

from __future__ import annotations

import logging
import re
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from autogluon.tabular.trainer.abstract_trainer import AbstractTabularTrainer

from autosynth import CheckReport, CheckResult, Table
from autosynth.check_text import printable
from autosynth.checks.family import CopyJudgement
from autosynth.checks.rules import Rule
from autosynth.checks.verdict import check_rows
from autosynth.exceptions import CheckFailedError
from autosynth.plugins import PluginRegistry, current_plugins, use_plugins

if TYPE_CHECKING:
    from autosynth.synthesis import SyntheticRows
    from autosynth_autogluon.config import FoldCheck

logger = logging.getLogger(f"autogluon.{__name__}")  # shown at the verbosity that fit was given


@dataclass(frozen=True)
class FoldVerdict:
    """What the checks say of the synthetic rows of one fold.

    Attributes
    ----------
    report : CheckReport
        All checks, in the names that the fold has for its groups.
    seconds : float
        How long the checks took.
    plugins_skipped : tuple of str
        Plugins whose checks were not asked, as they cannot read encoded features.
    """

    report: CheckReport
    seconds: float
    plugins_skipped: tuple[str, ...] = ()

    @property
    def facts(self) -> dict[str, Any]:
        """What ``predictor.info()`` shows, as plain data."""
        failures = [
            {"name": result.name, "subject": result.subject, "severity": result.severity, "message": result.message}
            for result in self.report.failures
        ]
        return {
            "passed": self.report.passed,
            "n_checks": len(self.report.results),
            "failures": failures,
            "seconds": round(self.seconds, 3),
            **({"plugins_skipped": list(self.plugins_skipped)} if self.plugins_skipped else {}),
        }

    @property
    def reason(self) -> str:
        """Which critical checks did not pass, without figures, so that folds with the same fault say the same."""
        names = [f"{result.name} of {result.subject}" for result in self._critical]
        return f"its synthetic rows failed the checks: {', '.join(names)}"

    def act(self, check: FoldCheck, *, is_news: bool) -> str:
        """Do what the user chose for rows that failed, and return why they must not be used; empty if they may be.

        Parameters
        ----------
        check : "warn", "drop" or "raise"
            The user's choice.
        is_news : bool
            Whether no earlier model has logged this verdict.

        Raises
        ------
        CheckFailedError
            Under "raise".
        """
        if self.report.passed:
            return ""
        if check == "raise":
            _let_the_trainer_raise()
            raise CheckFailedError(f"check='raise' stops here: {self.report.describe_failures()}", self.report)
        if is_news:
            follows = "trains with them all the same" if check == "warn" else "trains on its real rows alone"
            logger.warning("\t%s", printable(f"Synthetic rows of this fold failed {self._summary}. It {follows}."))
        return self.reason if check == "drop" else ""

    @property
    def _critical(self) -> list[CheckResult]:
        return [result for result in self.report.failures if result.severity == "critical"]

    @property
    def _summary(self) -> str:
        first = self._critical[0]
        more = f", and {len(self._critical) - 1} more" if len(self._critical) > 1 else ""
        return (
            f"{len(self._critical)} of {len(self.report.results)} checks "
            f"({first.name} of {first.subject}: {first.message}{more})"
        )


def judge_rows(
    table: Table,
    rows: SyntheticRows,
    *,
    names: Mapping[str, str],
    copies_wanted: bool,
    asks_plugins: bool,
    rules: Sequence[Rule] = (),
) -> FoldVerdict:
    """Return the verdict on the synthetic rows of a fold, against the real rows of that fold alone.

    Checks that fit models of their own are left out, as a fold waits for the verdict.

    Parameters
    ----------
    table : Table
        The fold's training rows, as the generator sees them.
    rows : SyntheticRows
        Made from them.
    names : mapping of str to str
        What the table calls something, to what people call it.
    copies_wanted : bool
        Whether copies of real rows are the generator's purpose.
    asks_plugins : bool
        Whether checks of plugins apply: they know the user's own columns only.
    rules : sequence of Rule
        What every row has to keep.
    """
    started = time.perf_counter()
    skipped = () if asks_plugins else tuple(current_plugins().implementers("autosynth_check_rows"))
    try:
        with use_plugins(current_plugins() if asks_plugins else PluginRegistry()):
            copies: CopyJudgement = "show" if copies_wanted else "warn"
            report = check_rows(table, rows.frame, rows.group_codes, rules=rules, copies=copies, quick_only=True)
    except Exception as error:  # neither a pass, nor the end of a run that was to be warned only
        why = f"{type(error).__name__}: {error}"
        report = CheckReport((CheckResult.not_run("checks", "all rows", why),))
    results = tuple(_renamed(result, names) for result in report)
    return FoldVerdict(CheckReport(results), time.perf_counter() - started, skipped)


def _renamed(result: CheckResult, names: Mapping[str, str]) -> CheckResult:
    """Return a result in the words of people; of two names that start alike, the longer one is looked for first."""
    longest_first = sorted(names, key=len, reverse=True)
    pattern = re.compile("|".join(map(re.escape, longest_first)))

    def rename(text: str) -> str:
        return pattern.sub(lambda match: names[match[0]], text) if names else text

    offenders = tuple(replace(offender, name=rename(offender.name)) for offender in result.offenders)
    return replace(
        result,
        subject=rename(result.subject),
        message=rename(result.message),
        error=rename(result.error),
        offenders=offenders,
    )


def _let_the_trainer_raise() -> None:
    """Make AutoGluon's trainer raise what its model raises, as ``fit(raise_on_model_failure=True)`` does.

    It would log the exception, and go on with the next model.  A model does not know its trainer, which is looked for
    up the stack.  A fold that trains in another process finds none there: then its models fail.
    """
    frame = sys._getframe()
    while frame.f_back is not None:
        frame = frame.f_back
        owner = frame.f_locals.get("self")
        if isinstance(owner, AbstractTabularTrainer):
            owner.raise_on_model_failure = True
