"""A check report for people: the verdict in one line, what failed, and how each family of checks did.

Names and values come from files, so they may hold anything: what a terminal would obey is written out as an escape.
"""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING, Literal, TextIO, TypeAlias

from autosynth.checks.failures import joined, names_of, not_run_words
from autosynth.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.console import RenderableType
    from rich.table import Table as RichTable

    from autosynth.checks.result import CheckReport, CheckResult

__all__ = [
    "OUTCOMES",
    "Outcome",
    "Verdict",
    "headline",
    "outcome_of",
    "print_report",
    "printable",
    "to_text",
    "verdict_of",
]

Outcome: TypeAlias = Literal["failed", "error", "warned", "skipped", "passed"]
Verdict: TypeAlias = Literal["passed", "failed", "error"]

OUTCOMES: tuple[Outcome, ...] = ("passed", "warned", "failed", "error", "skipped")
WORDS = {"error": "could not run", "skipped": "skipped for too few rows"}
STYLES = {"passed": "green", "warned": "yellow", "failed": "bold red", "error": "bold magenta", "skipped": "dim"}


def outcome_of(result: CheckResult) -> Outcome:
    """Return how a check ended: as its status, but "warned" where it did not pass and is no critical one."""
    if not result.passed and result.severity != "critical":
        return "warned"
    return result.status


def verdict_of(report: CheckReport) -> Verdict:
    """Return the verdict in one word: "failed" if a critical check failed, "error" if none did and one could not run.

    Examples
    --------
    >>> from autosynth import CheckReport, CheckResult
    >>> verdict_of(CheckReport((CheckResult.not_run("schema", "all rows", "no rows"),)))
    'error'
    """
    outcomes = {outcome_of(result) for result in report if result.severity == "critical"}
    return "failed" if "failed" in outcomes else "error" if "error" in outcomes else "passed"


def to_text(report: CheckReport, *, verbose: bool = False) -> str:
    """Return the report as plain lines, one per check, so that they can be searched; ``verbose`` shows passed ones."""
    return "\n".join(_lines(report, verbose))


def print_report(report: CheckReport, *, verbose: bool = False, file: TextIO | None = None) -> None:
    """Print the report: with tables and colours on a terminal, as :func:`to_text` anywhere else.

    Parameters
    ----------
    report : CheckReport
        What to print.
    verbose : bool
        Whether checks that passed are shown one by one too.
    file : text stream, optional
        Where to; None is stdout.
    """
    target = sys.stdout if file is None else file
    if not target.isatty():
        print(to_text(report, verbose=verbose), file=target)
        return
    from rich.console import Console

    console = Console(file=target, markup=False, emoji=False, highlight=False)
    for part in _tables(report, verbose):
        console.print(part)


def headline(report: CheckReport) -> str:
    """Return the verdict and what it rests on, in one line."""
    counts = Counter(_counted_as(result) for result in report)
    critical = Counter(outcome_of(result) for result in report)
    sentence = {
        "failed": f"{_checks(critical['failed'], 'critical ')} failed",
        "error": f"{_checks(critical['error'], 'critical ')} could not run",
        "passed": "no critical check failed",
    }[verdict_of(report)]
    n_mild = counts["error"] - critical["error"]
    mild = f", {_checks(n_mild, 'warning ')} could not run" if n_mild else ""
    listed = ", ".join(f"{counts[outcome]} {WORDS.get(outcome, outcome)}" for outcome in OUTCOMES if counts[outcome])
    return f"{verdict_of(report)}: {sentence}{mild} ({_checks(len(report.results))}{': ' if listed else ''}{listed})"


def _counted_as(result: CheckResult) -> Outcome:
    """Return how a check is counted for people: a warning that could not run has warned of nothing."""
    return "error" if result.error else outcome_of(result)


def _lines(report: CheckReport, verbose: bool) -> Iterator[str]:
    yield headline(report)
    if report.failures:
        yield ""
        yield from (_joined_line(results) for results in joined(report.failures))
    if verbose:
        yield ""
        yield from (_line(result, result.status) for result in report if result.passed)
    if report.results:
        yield ""
        yield from _aligned([["family", *OUTCOMES], *_family_rows(report)])


def _joined_line(results: Sequence[CheckResult]) -> str:
    first = results[0]
    if len(results) == 1:
        return _line(first, first.severity)
    return printable(f"{first.severity}: {not_run_words(results)}")


def _line(result: CheckResult, mark: str) -> str:
    return printable(f"{mark}: {result.name} of {result.subject}: {result.message}")


def _tables(report: CheckReport, verbose: bool) -> Iterator[RenderableType]:
    from rich.text import Text

    yield Text(headline(report), style=STYLES[verdict_of(report)])
    shown = [*joined(report.failures), *((result,) for result in report if verbose and result.passed)]
    if shown:
        yield _check_table(shown)
    if report.results:
        yield _family_table(report)


def _check_table(shown: Iterable[Sequence[CheckResult]]) -> RichTable:
    from rich.table import Table as RichTable
    from rich.text import Text

    table = RichTable(show_lines=True)
    for title, share in (("outcome", None), ("check", 2), ("of", 3), ("what was seen", 6)):
        table.add_column(title, ratio=share, overflow="fold", no_wrap=share is None)
    for results in shown:
        outcome = outcome_of(results[0])
        table.add_row(Text(outcome, style=STYLES[outcome]), *(Text(printable(text)) for text in _cells(results)))
    return table


def _cells(results: Sequence[CheckResult]) -> tuple[str, str, str]:
    first = results[0]
    if len(results) == 1:
        return first.name, first.subject, first.message
    return f"{len(results)} checks", ", ".join(names_of(results)), first.message


def _family_table(report: CheckReport) -> RichTable:
    from rich.table import Table as RichTable
    from rich.text import Text

    table = RichTable()
    table.add_column("family", overflow="fold")
    for outcome in OUTCOMES:
        table.add_column(outcome, justify="right")
    for name, *counts in _family_rows(report):
        styles = (STYLES[outcome] if count != "0" else "dim" for outcome, count in zip(OUTCOMES, counts, strict=True))
        table.add_row(Text(name), *(Text(count, style) for count, style in zip(counts, styles, strict=True)))
    return table


def _family_rows(report: CheckReport) -> list[list[str]]:
    """Return one row per family, in the order in which they were run: its name and how its checks ended."""
    families: dict[str, Counter[Outcome]] = {}
    for result in report:
        families.setdefault(printable(result.name), Counter())[_counted_as(result)] += 1
    return [[name, *(str(counts[outcome]) for outcome in OUTCOMES)] for name, counts in families.items()]


def _aligned(lines: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    for name, *counts in lines:
        cells = (count.rjust(width) for count, width in zip(counts, widths[1:], strict=True))
        yield "  ".join([name.ljust(widths[0]), *cells])


def _checks(count: int, kind: str = "") -> str:
    return f"{count} {kind}{'check' if count == 1 else 'checks'}"
