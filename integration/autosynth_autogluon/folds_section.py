"""What the folds did: rows added per group, the generator's facts, verdicts of checks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from autosynth.pages.elements import Part, Verdict, bullets, facts, note, paragraph, subheading
from autosynth.pages.page import Section
from autosynth.pages.table import Cell, NumberText, folded_table, table

if TYPE_CHECKING:
    from autosynth_autogluon.fold_record import FoldRecord

MAX_EVENTS = 12


def folds_section(folds: Sequence[FoldRecord], arm: str) -> Section:
    """Return the section; it says so when no fold was recorded."""
    title = "What the folds did"
    if not folds:
        return Section(title=title, parts=(paragraph("No model recorded what happened in its folds."),))
    trained = [fold for fold in folds if fold.n_synthetic]
    parts: list[Part] = [
        paragraph(
            f"In {arm!r}, {len(trained)} of {len(folds)} model folds trained on synthetic rows beside their real ones. "
            "The rows were made after the split, from the rows of the fold alone, and validated nothing."
        ),
        _group_table(folds),
        subheading("Generator"),
        facts(_generator_facts(folds)),
        *_checks(folds),
        *_events("Left plain", Counter(fold.left_plain for fold in folds if fold.left_plain), "model folds"),
        *_events("Rows refused", _summed(fold.refusals for fold in trained), "rows"),
        *_events("What the generator reported", _summed(fold.notes for fold in trained), "rows"),
        _fold_table(folds),
    ]
    return Section(title=title, parts=tuple(parts))


def _group_table(folds: Sequence[FoldRecord]) -> Part:
    """Return real and added rows per group and model fold: their span, as folds differ by a row or two."""
    names = dict.fromkeys(name for fold in folds for name in (*fold.groups, *fold.rows_added))
    body: list[list[Cell]] = []
    for name in names:
        real = [fold.groups[name] for fold in folds if name in fold.groups]
        added = [fold.rows_added.get(name, 0) for fold in folds if fold.n_synthetic]
        body.append([name, NumberText(_span(real)), NumberText(_span(added))])
    if not body:
        return paragraph("No rows per group were recorded.")
    return table(["group", "real rows per fold", "rows added per fold"], body, caption="Rows per group in a fold")


def _generator_facts(folds: Sequence[FoldRecord]) -> dict[str, Any]:
    names = sorted({fold.generator for fold in folds if fold.generator})
    fits = [fold.generator_fit_s for fold in folds if fold.generator_fit_s is not None and not fold.cached]
    return {
        "name": ", ".join(names) or "none was asked",
        "models": len({fold.model for fold in folds}),
        "model folds": len(folds),
        "synthetic rows, over all model folds": sum(fold.n_synthetic for fold in folds),
        "made for another model of the same fold": f"{sum(fold.cached for fold in folds)} model folds",
        "seconds to learn, per fold": _seconds(fits),
    }


def _seconds(fits: Sequence[float]) -> str:
    if not fits:
        return "not recorded"
    return _span([round(seconds, 2) for seconds in fits]) if max(fits) >= 0.01 else "less than 0.01"


def _checks(folds: Sequence[FoldRecord]) -> list[Part]:
    judged = [fold.checks for fold in folds if fold.checks]
    if not judged:
        return [subheading("Checks"), note("No fold asked for checks of its rows.")]
    passed = sum(bool(verdict.get("passed")) for verdict in judged)
    parts: list[Part] = [
        subheading("Checks"),
        paragraph(f"The rows of {passed} of {len(judged)} model folds passed all critical checks."),
    ]
    failures = [failure for verdict in judged for failure in verdict.get("failures", ())]
    counts = Counter((str(each["name"]), str(each["subject"]), str(each["severity"])) for each in failures)
    messages = {(str(each["name"]), str(each["subject"])): str(each["message"]) for each in failures}
    body: list[list[Cell]] = [
        [
            f"{name} of {subject}",
            Verdict("failed", "bad") if severity == "critical" else Verdict("warning", "warn"),
            count,
            messages[name, subject],
        ]
        for (name, subject, severity), count in sorted(counts.items(), key=lambda item: (item[0][2], -item[1]))
    ]
    if body:
        titles = ["check", "", "model folds", "such as"]
        parts.append(table(titles, body[:MAX_EVENTS], caption="Checks that failed in folds"))
        parts.append(folded_table(f"{len(body) - MAX_EVENTS} more", titles, body[MAX_EVENTS:], caption="More checks"))
    return parts


def _events(title: str, counts: Counter[str], unit: str) -> list[Part]:
    if not counts:
        return []
    listed: list[Part] = [f"{event}: {count:,} {unit}" for event, count in counts.most_common(MAX_EVENTS)]
    if len(counts) > MAX_EVENTS:
        listed.append(f"and {len(counts) - MAX_EVENTS} more")
    return [subheading(title), bullets(listed)]


def _summed(counts: Iterable[Any]) -> Counter[str]:
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return total


def _fold_table(folds: Sequence[FoldRecord]) -> Part:
    body: list[list[Cell]] = [
        [fold.model, fold.fold, fold.n_real, fold.n_synthetic, _fold_verdict(fold), fold.left_plain] for fold in folds
    ]
    titles = ["model", "fold", "real rows", "rows added", "checks", "why none"]
    return folded_table(f"All {len(folds)} model folds", titles, body, caption="Every fold of every model")


def _fold_verdict(fold: FoldRecord) -> Cell:
    if not fold.checks:
        return None
    return Verdict("passed", "good") if fold.checks.get("passed") else Verdict("failed", "bad")


def _span(numbers: Sequence[float]) -> str:
    if not numbers:
        return "none"
    low, high = min(numbers), max(numbers)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"
