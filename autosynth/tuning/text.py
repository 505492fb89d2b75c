"""A tuning report as short text for a terminal of 120 columns."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

from autosynth.tuning.arm import NONE
from autosynth.tuning.candidate import Candidate
from autosynth.tuning.report import FLATTERED

if TYPE_CHECKING:
    from autosynth.interval import Interval
    from autosynth.tuning.lines import CandidateLine
    from autosynth.tuning.report import TuningReport

__all__ = ["to_text"]

WIDTH = 116
GAP, CUT = "  ", " ... "
NAME_PLACE, LEFT_PLACES = 1, (1, 4)
MOST_LINES, MOST_REASONS = 8, 6
PLAIN = Candidate(NONE)


def to_text(report: TuningReport) -> str:
    """Return the answer, the best candidates, what did not finish, and what a reader must know."""
    return "\n".join(_lines(report))


def _lines(report: TuningReport) -> Iterator[str]:
    yield from textwrap.wrap(str(report.best), WIDTH, break_on_hyphens=False)
    yield ""
    yield _head(report)
    yield ""
    yield from _table(report)
    left = [outcome for outcome in report.failed if outcome.status != "dropped"]
    n_dropped = len(report.failed) - len(left)
    if n_dropped:
        arms = "arm" if n_dropped == 1 else "arms"
        yield f"{n_dropped} {arms} left the race early: others were better, or there was nothing to add."
    for outcome in left[:MOST_REASONS]:
        yield from _wrapped(f"{outcome.arm.name}: {outcome.status}. {outcome.reason}")
    if len(left) > MOST_REASONS:
        yield f"and {len(left) - MOST_REASONS} more that did not finish: report.failed"
    for text in (*report.notes, FLATTERED):
        yield from _wrapped(text)


def _head(report: TuningReport) -> str:
    better = "higher" if report.metric.greater_is_better else "lower"
    repeats = f" x {report.n_repeats} repeats" if report.n_repeats > 1 else ""
    return (
        f"{report.metric.title} on {report.n_rows:,} real rows, {report.n_folds} folds{repeats}; {better} is better; "
        f"95 % limits"
    )


def _table(report: TuningReport) -> Iterator[str]:
    ranked = [line for line in report.lines if line.rank is not None]
    shown = [*ranked[:MOST_LINES], *(line for line in ranked[MOST_LINES:] if _must_be_seen(line, report))]
    rows = [["", "candidate", "score", "se", "difference", "AUC", "avg prec"], *(_cells(line) for line in shown)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    widths[NAME_PLACE] = min(
        widths[NAME_PLACE], WIDTH - sum(widths) + widths[NAME_PLACE] - len(GAP) * (len(widths) - 1)
    )
    for row in rows:
        row[NAME_PLACE] = _cut(row[NAME_PLACE], widths[NAME_PLACE])
        aligned = [
            cell.ljust(width) if place in LEFT_PLACES else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield GAP.join(aligned).rstrip()
    reference = report.best.pick.reference
    if reference is not None:
        yield from _wrapped(f"difference: to the best without synthetic rows, {reference.name}.  * chosen")
    if len(ranked) > len(shown):
        yield f"and {len(ranked) - len(shown)} more: report.to_frame(), or --html and --json on the command line"


def _must_be_seen(line: CandidateLine, report: TuningReport) -> bool:
    """Whether a line is shown however low it ranks: the choice, the one to beat, and plain training as it comes."""
    is_plain = line.scored is not None and line.scored.candidate == PLAIN
    return line.chosen or is_plain or line.scored is report.best.pick.reference


def _cut(name: str, width: int) -> str:
    """Return a name cut in its middle: both the generator and what is done to the probabilities tell it from others."""
    if len(name) <= width:
        return name
    tail = (width - len(CUT)) // 2
    return f"{name[: width - len(CUT) - tail]}{CUT}{name[-tail:]}"


def _cells(line: CandidateLine) -> list[str]:
    side = line.scored.side if line.scored is not None else {}
    return [
        f"{line.rank}{'*' if line.chosen else ' '}",
        line.name,
        _number(line.score.value),
        _number(line.standard_error),
        _signed(line.difference),
        _number(side.get("roc_auc", math.nan)),
        _number(side.get("average_precision", math.nan)),
    ]


def _signed(interval: Interval) -> str:
    if math.isnan(interval.value):
        return "-"
    if interval.value == 0 and not interval.excludes_zero:
        return "0"
    limits = "" if math.isnan(interval.low) else f" [{interval.low:+.3f}, {interval.high:+.3f}]"
    return f"{interval.value:+.3f}{limits}"


def _number(number: float) -> str:
    return "-" if math.isnan(number) else f"{number:.3f}"


def _wrapped(text: str) -> Iterator[str]:
    yield from textwrap.wrap(text, WIDTH, subsequent_indent="  ", break_on_hyphens=False)
