"""Colours that colour-blind people can tell apart (Okabe and Ito, 2008), each with a second cue.

The style sheet holds the same colours, and lighter ones for dark screens: ``svg.py`` writes their names into the
figures, not their values.

References
----------
Okabe, Ito. Color Universal Design: How to make figures and presentations that are friendly to colorblind people, 2008.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

Dash: TypeAlias = "str | tuple[int, tuple[int, ...]]"

INK = "#1d2126"
MUTED = "#5b636d"
RULE = "#d4d8dd"
PAPER = "#fdfdfe"

BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY = "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"

VARIABLES = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    RULE: "var(--rule)",
    PAPER: "var(--paper)",
    BLUE: "var(--blue)",
    VERMILLION: "var(--vermillion)",
    GREEN: "var(--green)",
    PURPLE: "var(--purple)",
    ORANGE: "var(--orange)",
    SKY: "var(--sky)",
}


@dataclass(frozen=True)
class Look:
    """How one series of a figure looks: by colour, and by marker, dash or hatch."""

    colour: str
    marker: str
    dash: Dash
    hatch: str


REAL = Look(BLUE, "o", "-", "")
SYNTHETIC = Look(VERMILLION, "x", "--", "////")
SERIES = (
    REAL,
    SYNTHETIC,
    Look(GREEN, "s", "-.", "...."),
    Look(PURPLE, "^", ":", "xxxx"),
    Look(ORANGE, "D", (0, (5, 1, 1, 1, 1, 1)), "\\\\\\\\"),
    Look(SKY, "v", (0, (1, 1)), "++++"),
)
