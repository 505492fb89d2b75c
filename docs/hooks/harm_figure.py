"""The figure of harm and benefit: for every arm, on how many tables it was worse and better, metric by metric.

Drawn as SVG in the page's own colours, so that it follows light and dark, and says its numbers to screen readers.
"""

from __future__ import annotations

from html import escape

import pandas as pd

METRICS = {
    "auc": "AUC",
    "average_precision": "average precision",
    "balanced_ce_shifted": "balanced cross-entropy, shifted",
}
NAMES, PANEL, GAP, LINE, TOP = 190, 200, 20, 24, 46  # sizes in units of the drawing


def draw(rows: pd.DataFrame) -> str:
    """Return the figure as a ``<figure>`` element.

    Parameters
    ----------
    rows : DataFrame
        Comparisons with one reference: columns ``arm``, ``metric``, ``verdict``, ``setting`` and ``against``.
    """
    reference = rows["against"].iloc[0]
    arms = [arm for arm in dict.fromkeys(rows["arm"]) if arm != reference]
    width, height = NAMES + len(METRICS) * (PANEL + GAP), TOP + LINE * len(arms) + 8
    parts = [_text(NAMES - 10, TOP + LINE * place + 16, arm, anchor="end") for place, arm in enumerate(arms)]
    for place, (metric, title) in enumerate(METRICS.items()):
        left = NAMES + place * (PANEL + GAP)
        parts += _panel(rows[rows["metric"] == metric], title, arms, left, height)
    return (
        f'<figure class="harm"><svg viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="Tables on which each arm is significantly worse or better than {escape(reference)}">'
        f"{''.join(parts)}</svg>"
        "<figcaption>Share of the tables on which an arm is significantly worse (to the left) and better (to the "
        f"right) than “{escape(reference)}”.</figcaption></figure>"
    )


def _panel(rows: pd.DataFrame, title: str, arms: list[str], left: float, height: float) -> list[str]:
    middle = left + PANEL / 2
    parts = [_text(middle, 16, title, anchor="middle", look="title")]
    parts += [
        _text(middle - 6, 34, "worse", anchor="end", look="worse"),
        _text(middle + 6, 34, "better", look="better"),
    ]
    parts.append(f'<line class="axis" x1="{middle}" x2="{middle}" y1="{TOP - 4}" y2="{height}"/>')
    for place, arm in enumerate(arms):
        verdicts = rows.loc[rows["arm"] == arm, "verdict"]
        for verdict, side in (("worse", -1), ("better", 1)):
            share = float((verdicts == verdict).mean()) if len(verdicts) else 0.0
            parts.append(_bar(middle, TOP + LINE * place, side * share, verdict, arm))
    return parts


def _bar(middle: float, top: float, share: float, verdict: str, arm: str) -> str:
    """Return a bar from the middle, which a full panel to one side would be 100 %, with its number."""
    length = abs(share) * (PANEL / 2 - 34)
    if not length:
        return ""
    anchor = "end" if share < 0 else "start"
    left, end = (middle - length, middle - length - 4) if share < 0 else (middle, middle + length + 4)
    told = f"<title>{escape(arm)}: {verdict} on {abs(share):.0%} of the tables</title>"
    place = f'x="{left:.1f}" y="{top + 4}" width="{length:.1f}" height="{LINE - 8}"'
    return f'<rect class="{verdict}" {place}>{told}</rect>' + _text(
        end, top + 16, f"{abs(share):.0%}", anchor=anchor, look="number"
    )


def _text(x: float, y: float, words: str, *, anchor: str = "start", look: str = "name") -> str:
    return f'<text class="{look}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'
