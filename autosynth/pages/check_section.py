"""Checks: what failed first and why, then how many of each kind passed, then all of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from markupsafe import Markup

from autosynth.checks.failures import joined
from autosynth.checks.families import FAMILIES
from autosynth.pages.elements import Verdict, described, details, group_markup, note, subheading
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
FAMILY_OF = {"farthest_column": "marginal_fidelity", "farthest_pair": "dependence"}
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
    failures = joined(report.failures)
    parts: list[Markup] = []
    if failures:
        parts += [_card(results) for results in failures[:MAX_CARDS]]
        more = [result for results in failures[MAX_CARDS:] for result in results]
        parts += _listed(f"{len(more):,} more that failed", more)
        parts.append(subheading("All checks by kind"))
    parts.append(_overview(report.results))
    others = sorted((result for result in report.results if result.passed), key=_room_left)
    parts += _listed(f"{_passed_words(report)}, the closest calls first", others)
    return Section(title="Checks", parts=tuple(parts))


def _passed_words(report: CheckReport) -> str:
    n_skipped = len(report.skipped)
    n_passed = sum(result.passed for result in report.results) - n_skipped
    skipped = f", {n_skipped:,} skipped for too few rows" if n_skipped else ""
    return f"{n_passed:,} checks passed{skipped}"


def count_words(results: Iterable[CheckResult]) -> str:
    """Return how many checks had which outcome, in words.

    Examples
    --------
    >>> from autosynth.checks.result import CheckResult
    >>> count_words([CheckResult(name="a", subject="b", passed=True, observed=0, limit=1)])
    '1 passed'
    """
    words = [verdict_of(result).word for result in results]
    order = ("failed", "could not run", "warning", "skipped", "passed")
    return ", ".join(f"{words.count(word):,} {word}" for word in order if word in words)


def subject_of(result: CheckResult) -> Markup | str:
    """Return what a check looked at; a group is written so that it reads as one."""
    family = FAMILIES.get(FAMILY_OF.get(result.name, result.name))
    is_group = family is not None and family.scope == "group"
    return group_markup(result.subject) if is_group else shorten(result.subject)


def _card(results: Sequence[CheckResult]) -> Markup:
    """Return a check that did not pass, with everything that is known of it; or those that one reason kept back."""
    first = results[0]
    is_alone = len(results) == 1
    return fill(
        "check_card.html",
        verdict=verdict_of(first),
        name=shorten(_readable(first.name)) if is_alone else f"{len(results):,} checks could not run",
        subject=subject_of(first) if is_alone else "",
        message=shorten(first.message if is_alone else first.error, MAX_MESSAGE),
        observed=_number(first.observed),
        limit=_number(first.limit),
        effect="fails the report" if first.severity == "critical" else "warns only",
        title="Worst offenders" if is_alone else "Which ones",
        n_offenders=len(first.offenders) if is_alone else len(results),
        offenders=_offenders(first) if is_alone else _which(results),
    )


def _which(results: Sequence[CheckResult]) -> Markup:
    rows = [[_readable(result.name), subject_of(result)] for result in results[:MAX_ROWS]]
    return table(["Check", "Of"], rows, caption="Checks that could not run")


def _overview(results: Sequence[CheckResult]) -> Markup:
    """Return one row per kind of check: how many there were, and the worst verdict among them."""
    kinds: dict[str, list[CheckResult]] = {}
    for result in results:
        kinds.setdefault(result.name, []).append(result)
    rows = [
        [
            described(_readable(name), f"Wanted: {words}" if (words := _what_must_hold(name)) else ""),
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
        [_readable(one.name), subject_of(one), verdict_of(one), _number(one.observed), _number(one.limit), one.message]
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
