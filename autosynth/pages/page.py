"""The skeleton that all reports share: a verdict on top, sections that one can jump to, no script, no network."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

from markupsafe import Markup

from autosynth.files import AnyPath, write_text
from autosynth.pages.elements import Part, Verdict, as_markup
from autosynth.pages.template import fill, printable


@dataclass(frozen=True, kw_only=True)
class Section:
    """One part of a page, with a heading that the navigation names.

    Attributes
    ----------
    title : str
        Heading.  Its letters make the anchor, so it is unique on the page.
    parts : tuple of Markup or str
        What :mod:`elements`, :mod:`table` and :mod:`figure` return; text is escaped and becomes a paragraph.
    """

    title: str
    parts: tuple[Part, ...]

    @property
    def anchor(self) -> str:
        """The name that a link in the page goes to."""
        return re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")

    @cached_property
    def html(self) -> list[Markup]:
        """The parts as HTML."""
        return as_markup(self.parts)


@dataclass(frozen=True, kw_only=True)
class Page:
    """A report.

    Attributes
    ----------
    title : str
        Title of the window and small print above the lead.
    lead : str
        The verdict in one sentence.
    summary : str
        What was done, in small print below the verdict.
    sections : tuple of Section
        In the order of reading.
    verdict : Verdict, optional
        In one word, above the lead.
    tiles : tuple of (str, value)
        A few numbers that matter most, each with what it counts: ``("synthetic rows", 1200)``.
    """

    title: str
    lead: str
    sections: tuple[Section, ...]
    summary: str = ""
    verdict: Verdict | None = None
    tiles: tuple[tuple[str, Any], ...] = ()


def render(page: Page) -> str:
    """Return a page as HTML: complete, with nothing to load, and every value escaped."""
    style = Markup(files("autosynth.pages").joinpath("templates/page.css").read_text(encoding="utf-8"))  # noqa: S704
    return printable(fill("page.html", page=page, style=style))


def write_page(page: Page, path: AnyPath) -> Path:
    """Write a page; one that fails leaves the file as it was.

    Raises
    ------
    OutputError
        If no file can be written there.
    """
    return write_text(render(page), path)
