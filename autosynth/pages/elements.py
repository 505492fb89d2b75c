"""Elements: the small parts of a section, such as a list of facts or a part to unfold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from markupsafe import Markup

from autosynth.pages.template import fill
from autosynth.pages.words import MAX_MESSAGE, group_words, shorten

Part: TypeAlias = "Markup | str"  # Markup goes into the page as it is; text is escaped and becomes a paragraph
Tone: TypeAlias = Literal["good", "bad", "warn", "none"]

MAX_UNBROKEN = 26  # characters of a condition such as "income: <=50K"
SYMBOLS: dict[str, str] = {"good": "✓", "bad": "✗", "warn": "!", "none": "–"}


@dataclass(frozen=True)
class Verdict:
    """A word with a symbol and a colour, so that nobody needs to see the colour.

    Attributes
    ----------
    word : str
        Such as "passed", "worse" or "within noise".
    tone : "good", "bad", "warn" or "none"
        Decides symbol and colour.
    """

    word: str
    tone: Tone = "none"

    @property
    def symbol(self) -> str:
        """One character that says the tone without colour."""
        return SYMBOLS[self.tone]

    def __html__(self) -> Markup:
        return fill("verdict.html", verdict=self)


def paragraph(text: Part) -> Markup:
    """Return one paragraph."""
    return fill("paragraph.html", text=_cut(text))


def note(text: Part) -> Markup:
    """Return a paragraph in small grey print: how something was computed, or what was left out."""
    return fill("paragraph.html", text=_cut(text), kind="note")


def subheading(text: str) -> Markup:
    """Return a heading inside a section."""
    return fill("subheading.html", text=text)


def described(name: str, description: str) -> Markup:
    """Return a name with what it means in small print below, for a cell of a table."""
    return fill("described.html", name=shorten(name), description=shorten(description, MAX_MESSAGE))


def group_markup(group: object) -> Markup:
    """Return the name of a group, which is not broken inside a condition where that is short."""
    parts = [(text, len(text) <= MAX_UNBROKEN) for text in shorten(group_words(group)).split(", ")]
    return fill("group.html", parts=parts)


def facts(named: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> Markup:
    """Return names with their values, one below the other."""
    pairs = list(named.items()) if isinstance(named, Mapping) else list(named)
    return fill("facts.html", pairs=pairs)


def bullets(items: Iterable[Part]) -> Markup:
    """Return a list."""
    return fill("bullets.html", items=[_cut(item) for item in items])


def details(summary: str, *parts: Part, is_open: bool = False) -> Markup:
    """Return parts that a click unfolds; in print they are unfolded."""
    return fill("details.html", summary=summary, parts=as_markup(parts), is_open=is_open)


def code(text: str) -> Markup:
    """Return text to copy, such as a call of Python."""
    return fill("code.html", text=text)


def legend(keys: Iterable[tuple[str, str]]) -> Markup:
    """Return what the marks of figures and bars mean: class of the style sheet, and words."""
    return fill("legend.html", keys=list(keys))


def grid(*parts: Part) -> Markup:
    """Return parts side by side where there is room, and one below the other on a phone."""
    return fill("grid.html", parts=as_markup(parts))


def as_markup(parts: Sequence[Part]) -> list[Markup]:
    """Return parts as Markup: text becomes an escaped paragraph."""
    return [part if isinstance(part, Markup) else paragraph(part) for part in parts]


def _cut(part: Part) -> Part:
    return part if isinstance(part, Markup) else shorten(part, MAX_MESSAGE)
