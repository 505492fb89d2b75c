"""self_test(): does the gate cry wolf on this table?  One half of the real rows judges the other, again and again."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from autosynth.checks.batch import Batch
from autosynth.checks.families import run_families
from autosynth.checks.family import Context
from autosynth.checks.noise import level_of_each
from autosynth.checks.real_rows import RealRows
from autosynth.checks.reference import Reference
from autosynth.checks.rule_record import RuleRecord
from autosynth.checks.rules import Rule, as_rules
from autosynth.options import check_flag, check_whole
from autosynth.seeding import RandomState, as_generator
from autosynth.table import GroupBy, Table

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    import numpy.typing as npt
    import pandas as pd

    from autosynth.checks.result import CheckResult, Severity

SURPRISE = 0.01  # so many alarms that chance brings them less often than this are no chance
STATUSES = ("failed", "error", "skipped")


@dataclass(frozen=True, kw_only=True)
class CheckTrial:
    """How one check did on halves of the real rows.

    Attributes
    ----------
    name, subject : str
        The check, and what it looked at.
    severity : "critical" or "warning"
        What its failure would have meant.
    n_splits : int
        Pairs of halves that it was asked about.
    n_alarms : int
        Those in which it failed or could not run.
    n_skipped : int
        Those in which it had too few rows to see anything.
    """

    name: str
    subject: str
    severity: Severity
    n_splits: int
    n_alarms: int
    n_skipped: int

    @property
    def is_noisy(self) -> bool:
        """Whether it failed more often than chance allows."""
        rate = level_of_each(1)
        at_least = sum(
            math.comb(self.n_splits, hits) * rate**hits * (1 - rate) ** (self.n_splits - hits)
            for hits in range(self.n_alarms, self.n_splits + 1)
        )
        return self.n_alarms > 0 and at_least < SURPRISE


@dataclass(frozen=True, kw_only=True)
class SelfTest:
    """What :func:`self_test` found.

    Attributes
    ----------
    n_splits : int
        Pairs of halves.
    n_passed : int
        Those in which no critical check failed.
    checks : tuple of CheckTrial
        Every check that was made, those with most alarms first.
    """

    n_splits: int
    n_passed: int
    checks: tuple[CheckTrial, ...]

    @property
    def noisy(self) -> tuple[CheckTrial, ...]:
        """The checks that cried wolf more often than chance allows."""
        return tuple(check for check in self.checks if check.is_noisy)

    @property
    def passed(self) -> bool:
        """Whether no critical check is noisy."""
        return not any(check.severity == "critical" for check in self.noisy)

    def to_frame(self) -> pd.DataFrame:
        """Return one row per check."""
        import pandas as pd

        columns = ["name", "subject", "severity", "n_splits", "n_alarms", "n_skipped", "is_noisy"]
        return pd.DataFrame([[getattr(check, name) for name in columns] for check in self.checks], columns=columns)

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as plain data for JSON."""
        return {
            "passed": self.passed,
            "n_splits": self.n_splits,
            "n_passed": self.n_passed,
            "checks": self.to_frame().to_dict(orient="records"),
        }

    def __str__(self) -> str:
        head = f"{self.n_passed} of {self.n_splits} halves of the real rows passed when judged by the other half."
        if not self.noisy:
            return f"{head} No check cried wolf more often than chance allows."
        lines = [
            f"  {check.severity}: {check.name} of {check.subject} failed in {check.n_alarms} of {check.n_splits}"
            for check in self.noisy
        ]
        advice = "Do not trust their failures on this table: are the rows in an order, repeated, or of several sources?"
        return "\n".join([f"{head} These cried wolf:", *lines, advice])


def self_test(
    real: pd.DataFrame,
    *,
    label: Hashable,
    group_by: GroupBy = None,
    rules: Sequence[Rule | str] = (),
    n_splits: int = 10,
    quick_only: bool = True,
    random_state: RandomState = 0,
) -> SelfTest:
    """Return how often each check fails on real rows, so that a limit that would cry wolf is found at once.

    Each time, the groups are cut into random halves: one is taken for the real rows, the other for synthetic ones.
    Halves are smaller than the table, so this says nothing about what only the whole table could show.

    Parameters
    ----------
    real : DataFrame of shape (n_real, n_features + 1)
        Real rows with the label.
    label, group_by
        As in :func:`autosynth.check`.
    rules : sequence of Rule or str
        Rules between columns.
    n_splits : int
        How many times the rows are cut into halves.
    quick_only : bool
        Whether the checks that grow trees are left out; they take most of a second each.
    random_state : int, numpy.random.Generator or None
        Decides the halves.

    Returns
    -------
    SelfTest

    Raises
    ------
    ConfigError, DataError
        If an argument is wrong, or the table cannot be used.

    Examples
    --------
    >>> from autosynth.toy import shortcut_table
    >>> found = self_test(shortcut_table(400), label="ill", n_splits=3)
    >>> found.n_passed, found.noisy
    (3, ())
    """
    check_whole("n_splits", n_splits)
    check_flag("quick_only", quick_only)
    table = Table.from_frame(real, label=label, group_by=group_by)
    known_rules = as_rules(rules)
    for rule in known_rules:
        RuleRecord.of(rule, table)  # a rule that real rows do not keep is an error of the user, not of a half
    rng = as_generator(random_state)
    tallies: dict[tuple[str, str, Severity], Counter[str]] = {}
    n_passed = 0
    for _ in range(n_splits):
        results = _judge_halves(table, known_rules, quick_only, rng)
        n_passed += all(result.passed or result.severity == "warning" for result in results)
        for result in results:
            tallies.setdefault((result.name, result.subject, result.severity), Counter())[result.status] += 1
    checks = [
        CheckTrial(
            name=name,
            subject=subject,
            severity=severity,
            n_splits=tally.total(),
            n_alarms=tally["failed"] + tally["error"],
            n_skipped=tally["skipped"],
        )
        for (name, subject, severity), tally in tallies.items()
    ]
    checks.sort(key=lambda check: -check.n_alarms)
    return SelfTest(n_splits=n_splits, n_passed=n_passed, checks=tuple(checks))


def _judge_halves(table: Table, rules: Sequence[Rule], quick_only: bool, rng: np.random.Generator) -> list[CheckResult]:
    """Return the checks of one half of the rows, in which small groups may be absent, by the other half."""
    is_judge = half_of_groups(table.group_codes, rng)
    judge = table.keep(is_judge)
    reference = Reference.of(judge, rules=rules)
    batch = Batch.read(table.frame.loc[~is_judge], reference)
    return run_families(Context(reference, batch, RealRows(judge)), quick_only=quick_only)


def half_of_groups(group_codes: npt.NDArray[np.int64], rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Return a mask of a random half of the rows of every group, the larger one where a group has an odd number."""
    order = np.lexsort((rng.random(len(group_codes)), group_codes))
    in_order = group_codes[order]
    rank = np.arange(len(order)) - np.searchsorted(in_order, in_order)
    is_chosen = np.empty(len(order), dtype=bool)
    is_chosen[order] = rank < (np.bincount(group_codes)[in_order] + 1) // 2
    return is_chosen
