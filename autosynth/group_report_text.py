"""A group report as aligned text for a terminal of 100 to 120 columns."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING

from autosynth.gain_words import gain_parts, gain_verdict, part_title, part_verdict
from autosynth.group_rows import SUMMARY

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from autosynth.gains import Gain
    from autosynth.group_gains import GroupGain
    from autosynth.group_reports import GroupReport, ReportDifference
    from autosynth.group_rows import GroupRow
    from autosynth.interval import Interval

__all__ = ["to_text"]

GROUP_WIDTH, SEGMENT_WIDTH = 40, 22  # longer names wrap
TEXT_WIDTH = 110
UNDEFINED, SMALL_MARK = "-", " *"
MERE_SHIFT = "lower by a mere shift of the prior"
SUMMARY_TITLES = dict(zip(SUMMARY, ("balanced risk", "mean risk", "worst group", "gap"), strict=True))
GROUP_METRICS = {"risk": "risk", "accuracy": "accuracy", "brier": "Brier"}  # what rows of one label can tell
SEGMENT_METRICS = {
    "risk": "risk",
    "accuracy": "accuracy",
    "recall": "recall",
    "auc": "AUC",
    "average_precision": "avg prec",
    "brier": "Brier",
    "calibration_error": "calib err",
}


def to_text(report: GroupReport) -> str:
    """Return summary, groups, segments, the difference if there is one, and what the marks mean."""
    return "\n".join(_lines(report))


def _lines(report: GroupReport) -> Iterator[str]:
    limits = f"with {100 * report.confidence_level:g} % limits" if report.n_bootstrap else "without limits"
    yield f"Risk by group: cross-entropy in nats, {limits}"
    yield ""
    for name, title in SUMMARY_TITLES.items():
        where = f"  {report.worst_group}" if name == "worst_risk" else ""
        yield f"  {title:<15}{_show(getattr(report, name))}{where}"
    yield ""
    yield from _group_table(report)
    yield ""
    yield from _segment_table(report)
    if report.difference:
        yield ""
        yield from _difference_lines(report.difference, report.gain)
    if report.gain:
        yield ""
        yield from _gain_lines(report.gain)
    if report.group_gains:
        yield ""
        yield from _group_gain_lines(report.group_gains)
    yield from _legend(report)


def _group_table(report: GroupReport) -> Iterator[str]:
    lines = [["group", "rows", *GROUP_METRICS.values()]]
    for row in report.groups:
        lines += _named(row, GROUP_WIDTH, [f"{row.n_rows:,}", *(_show(getattr(row, name)) for name in GROUP_METRICS)])
    yield from _aligned(lines)


def _segment_table(report: GroupReport) -> Iterator[str]:
    """Give every segment two lines, values above limits, as seven metrics are too many for one."""
    has_positives = report.positive_class is not None
    lines = [["segment", "rows", *(["pos."] if has_positives else []), *SEGMENT_METRICS.values()]]
    for row in report.segments:
        counts = [f"{row.n_rows:,}", *([f"{row.n_positive:,}"] if has_positives else [])]
        metrics: list[Interval] = [getattr(row, name) for name in SEGMENT_METRICS]
        values = [*counts, *(_number(metric.value) for metric in metrics)]
        limits = ["" for _ in counts] + [_limits(metric) for metric in metrics]
        lines += _named(row, SEGMENT_WIDTH, values, *([limits] if report.n_bootstrap else []))
    yield from _aligned(lines)


def _difference_lines(difference: ReportDifference, gain: Gain | None) -> Iterator[str]:
    yield "Against the baseline: new minus baseline, paired; below zero is better for risk"
    yield ""
    for name, title in SUMMARY_TITLES.items():
        change: Interval = getattr(difference, name)
        verdict = MERE_SHIFT if name == "balanced_risk" and gain and gain.is_mere_shift else _verdict(change)
        yield f"  {title:<15}{_show(change, signed=True)}  {verdict}".rstrip()
    yield ""
    lines = [["group", "rows", "risk", "accuracy", ""]]
    for row in difference.groups:
        changes = [_show(row.risk, signed=True), _show(row.accuracy, signed=True)]
        lines += _named(row, GROUP_WIDTH, [f"{row.n_rows:,}", *changes, _verdict(row.risk)])
    yield from _aligned(lines)


def _gain_lines(gain: Gain) -> Iterator[str]:
    yield "Where the change of balanced risk comes from: nats gained, paired"
    yield ""
    for part in gain_parts(gain):
        yield f"  {part_title(part):<28}{_show(part.nats, signed=True)}  {part_verdict(part, gain.total)}"
    yield ""
    yield f"  verdict: {gain_verdict(gain)}"
    yield ""
    for text in (gain.sentence, f"Shifts are fitted on {gain.fitted_on}."):
        yield from textwrap.wrap(text, TEXT_WIDTH, initial_indent="  ", subsequent_indent="  ")


def _group_gain_lines(gains: Sequence[GroupGain]) -> Iterator[str]:
    yield "The same for every group: nats of its own risk gained; shift and ranking add up to all"
    yield ""
    lines = [["group", "shift", "ranking", "all"]]
    for each in gains:
        parts = (each.gain.shift, each.gain.step("ranking"), each.gain.total)
        name = textwrap.wrap(each.name, GROUP_WIDTH)
        lines.append([name[0], *(_show(part.nats, signed=True) for part in parts)])
        lines += [[more, "", "", ""] for more in name[1:]]
    yield from _aligned(lines)


def _named(row: GroupRow, width: int, *lines: list[str]) -> list[list[str]]:
    """Put the row's name before its lines of cells, wrapped over as many lines as it needs."""
    name = textwrap.wrap(row.name + (SMALL_MARK if row.is_small else ""), width)
    height = max(len(name), len(lines))
    name += [""] * (height - len(name))
    cells = [*lines, *([""] * len(lines[0]) for _ in range(height - len(lines)))]
    return [[part, *line] for part, line in zip(name, cells, strict=True)]


def _legend(report: GroupReport) -> Iterator[str]:
    rows = (*report.groups, *report.segments)
    legend = []
    if any(row.is_small for row in rows):
        legend.append(f"{SMALL_MARK.strip()} fewer than {report.small_group} rows: read the limits, not the value")
    if any(math.isnan(getattr(row, metric).value) for row in report.segments for metric in SEGMENT_METRICS):
        missing = "both labels" if report.positive_class is not None else "every class"
        legend.append(f"{UNDEFINED} undefined: needs rows of {missing}")
    legend.extend(report.notes)
    if legend:
        yield ""
        for line in legend:
            yield from textwrap.wrap(line, TEXT_WIDTH, subsequent_indent="  ")


def _verdict(change: Interval) -> str:
    return ("better" if change.high < 0 else "worse") if change.excludes_zero else ""


def _show(interval: Interval, *, signed: bool = False) -> str:
    if math.isnan(interval.low):
        return _number(interval.value, signed=signed)
    low, high = (_number(limit, signed=signed) for limit in (interval.low, interval.high))
    return f"{_number(interval.value, signed=signed)} [{low}, {high}]"


def _limits(interval: Interval) -> str:
    return "" if math.isnan(interval.low) else f"{_short(interval.low)}-{_short(interval.high)}"


def _short(number: float) -> str:
    return f"{number:.3f}".removeprefix("0")


def _number(number: float, *, signed: bool = False) -> str:
    if math.isnan(number):
        return UNDEFINED
    return f"{number:+.3f}" if signed else f"{number:.3f}"


def _aligned(lines: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the lines with the first column to the left and the others to the right."""
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    for line in lines:
        first, *others = (
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        yield "  ".join([first, *others]).rstrip()
