"""Checks: what failed first and why, then how many of each kind passed, then all of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from markupsafe import Markup

from autosynth.checks.families import FAMILIES
from autosynth.pages.elements import Verdict, described, details, note, subheading
from autosynth.pages.page import Section
from autosynth.pages.table import table
from autosynth.pages.template import fill
from autosynth.pages.words import MAX_MESSAGE, shorten

if TYPE_CHECKING:
    from autosynth.checks.result import CheckReport, CheckResult

MAX_CARDS = 12
MAX_ROWS = 150
SENTENCES = {  # of checks that share a family with another one
    "farthest_column": "Within the group, no column is far from the real one.",
    "farthest_pair": "Within the group, no two columns hang together otherwise than the real ones.",
}
TITLES = ["Check", "Of", "Verdict", "Observed", "Limit", "In words"]


def verdict_of(result: CheckResult) -> Verdict:
    """Return the outcome of a check; a failed warning is told apart from a failure that counts."""
    if result.status == "failed":
        return Verdict("failed", "bad") if result.severity == "critical" else Verdict("warning", "warn")
    if result.status == "error":
        return Verdict("could not run", "bad" if result.severity == "critical" else "warn")
    return Verdict("skipped", "none") if result.status == "skipped" else Verdict("passed", "good")


def check_section(report: CheckReport) -> Section:
    """Return the section of all checks."""
    if not report.results:
        return Section(title="Checks", parts=("No check was run, so nothing is known of the quality of these rows.",))
    failures = report.failures
    parts: list[Markup] = []
    if failures:
        parts += [_card(result) for result in failures[:MAX_CARDS]]
        parts += _listed(f"{len(failures) - MAX_CARDS:,} more that failed", failures[MAX_CARDS:])
        parts.append(subheading("All checks by kind"))
    parts.append(_overview(report.results))
    others = sorted((result for result in report.results if result.passed), key=_room_left)
    what = "passed or were skipped" if any(result.skipped for result in others) else "passed"
    parts += _listed(f"{len(others):,} checks that {what}, the closest calls first", others)
    return Section(title="Checks", parts=tuple(parts))


def count_words(report: CheckReport) -> str:
    """Return how many checks had which outcome, in words.

    Examples
    --------
    >>> from autosynth.checks.result import CheckReport, CheckResult
    >>> count_words(CheckReport((CheckResult(name="a", subject="b", passed=True, observed=0, limit=1),)))
    '1 passed'
    """
    words = [verdict_of(result).word for result in report.results]
    order = ("failed", "could not run", "warning", "skipped", "passed")
    return ", ".join(f"{words.count(word):,} {word}" for word in order if word in words)


def _card(result: CheckResult) -> Markup:
    """Return a check that did not pass, with everything that is known of it."""
    return fill(
        "check_card.html",
        verdict=verdict_of(result),
        name=shorten(_readable(result.name)),
        subject=shorten(result.subject),
        message=shorten(result.message, MAX_MESSAGE),
        observed=_number(result.observed),
        limit=_number(result.limit),
        effect="fails the report" if result.severity == "critical" else "warns only",
        n_offenders=len(result.offenders),
        offenders=_offenders(result),
    )


def _overview(results: Sequence[CheckResult]) -> Markup:
    """Return one row per kind of check: how many there were, and the worst verdict among them."""
    kinds: dict[str, list[CheckResult]] = {}
    for result in results:
        kinds.setdefault(result.name, []).append(result)
    rows = [
        [
            described(_readable(name), _what_must_hold(name)),
            verdict_of(min(same, key=_rank)),
            _how_many(same),
        ]
        for name, same in kinds.items()
    ]
    return table(["Kind", "Worst verdict", "Passed"], rows, caption="Checks by kind")


def _what_must_hold(name: str) -> str:
    return FAMILIES[name].sentence if name in FAMILIES else SENTENCES.get(name, "")


def _how_many(same: Sequence[CheckResult]) -> str:
    n_skipped = sum(result.skipped for result in same)
    n_passed = sum(result.passed for result in same) - n_skipped
    return f"{n_passed:,} of {len(same):,}" + (f", {n_skipped:,} skipped" if n_skipped else "")


def _rank(result: CheckResult) -> tuple[bool, bool, bool]:
    return result.passed, result.severity != "critical", result.status == "skipped"


def _room_left(result: CheckResult) -> float:
    """Return how far a check that passed was from its limit, as a share of it; the closest come first."""
    if result.skipped or not math.isfinite(result.observed) or not result.limit:
        return math.inf
    return abs(result.limit - result.observed) / abs(result.limit)


def _listed(summary: str, results: Sequence[CheckResult]) -> list[Markup]:
    if not results:
        return []
    rows = [
        [_readable(one.name), one.subject, verdict_of(one), _number(one.observed), _number(one.limit), one.message]
        for one in results[:MAX_ROWS]
    ]
    parts = [table(TITLES, rows, caption=summary)]
    if len(results) > MAX_ROWS:
        parts.append(note(f"{len(results) - MAX_ROWS:,} more are in the report's to_frame() and to_json()."))
    return [details(summary, *parts)]


def _offenders(result: CheckResult) -> Markup:
    if not result.offenders:
        return Markup("")
    rows = [[offender.name, _number(offender.observed), _number(offender.limit)] for offender in result.offenders]
    n_columns = 3 if any(row[2] is not None for row in rows) else 2  # there may be a limit for all together only
    titles = ["Worst offenders", "Observed", "Limit"][:n_columns]
    return table(titles, [row[:n_columns] for row in rows], caption="Worst offenders")


def _readable(name: str) -> str:
    return name.replace("_", " ")


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
