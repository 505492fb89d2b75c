"""Figures: what matplotlib draws, as SVG inside the page; the same data give the same bytes."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import StringIO
from typing import TYPE_CHECKING, Any, TypeAlias

from markupsafe import Markup

from autosynth.pages.palette import INK, MUTED, RULE
from autosynth.pages.svg import WHOLE_NAME, inline
from autosynth.pages.template import fill
from autosynth.pages.words import MAX_TEXT, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

__all__ = ["MAX_CHARACTERS", "figure", "keep_whole_name", "name_rows", "shorten", "write_name"]

Draw: TypeAlias = "Callable[[Figure], None]"

MAX_CHARACTERS = 24  # of a name inside a figure
STYLE: dict[str, Any] = {
    "svg.fonttype": "none",  # text stays text: it can be searched, read aloud, and takes the font of the page
    "text.parse_math": False,  # a $ in a name is a $
    "font.size": 11,
    "text.color": INK,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlecolor": INK,
    "axes.labelsize": 11,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": RULE,
    "axes.facecolor": "none",
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
    "xtick.color": RULE,
    "ytick.color": RULE,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 10.5,
    "ytick.labelsize": 10.5,
    "hatch.linewidth": 0.8,
    "legend.frameon": False,
    "legend.fontsize": 10.5,
    "lines.linewidth": 1.8,
}


def figure(
    draw: Draw,
    *,
    name: str,
    label: str,
    width: int = 640,
    height: int = 360,
    shrinks: bool = False,
    title: str = "",
    subtitle: str = "",
    caption: str = "",
) -> Markup:
    """Return a figure.

    Parameters
    ----------
    draw : callable
        Gets an empty ``matplotlib.figure.Figure`` and draws on it: with its methods, never with pyplot.
    name : str
        Unique on the page: letters, digits and hyphens.  Not a name from the data.
    label : str
        What the figure shows, and what one sees in it, in a sentence for those who cannot see it.
    width, height : int
        In CSS pixels.  Up to 340 a figure fits on a phone; a wider one scrolls there inside its box.
    shrinks : bool
        Whether it may become as narrow as a phone instead, since no text in it gets too small to read.
    title, subtitle : str
        Text above the figure, of any length.
    caption : str
        Text below it.
    """
    svg = _drawn(draw, name, width, height)
    element = inline(svg, name=name, label=shorten(label, MAX_TEXT), shrinks=shrinks)
    return fill(
        "figure.html",
        svg=Markup(element),  # noqa: S704 (written by ElementTree, which escapes)
        title=shorten(title, MAX_TEXT),
        subtitle=shorten(subtitle, MAX_TEXT),
        caption=caption,
    )


def write_name(text: Text, name: object, max_characters: int = MAX_CHARACTERS) -> None:
    """Let a text of a figure show a name; a long one is cut, and seen whole when one points at it."""
    text.set_text(shorten(name, max_characters))
    keep_whole_name(text, name)


def keep_whole_name(text: Text, name: object) -> None:
    """Let a text of a figure that shows a part of a name show the whole when one points at it."""
    if text.get_text() != str(name):
        text.set_gid(f"{WHOLE_NAME}{shorten(name, MAX_TEXT)}")


def name_rows(axes: Axes, names: Sequence[object], max_characters: int = MAX_CHARACTERS) -> None:
    """Label the rows of a figure, at 0, 1, 2 and so on from the top, with names from the data."""
    axes.set_yticks(range(len(names)), labels=[shorten(name, max_characters) for name in names])
    for text, name in zip(axes.get_yticklabels(), names, strict=True):
        keep_whole_name(text, name)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")


def _drawn(draw: Draw, name: str, width: int, height: int) -> str:
    with _matplotlib_kept_quiet():
        import matplotlib as mpl
        from matplotlib.figure import Figure

        with mpl.rc_context():
            mpl.rcdefaults()  # whatever style the caller has set
            mpl.rcParams.update({**STYLE, "svg.hashsalt": name})
            canvas = Figure(
                figsize=(width / 72, height / 72), dpi=72, layout="constrained"
            )  # an SVG has 72 units per inch
            draw(canvas)
            buffer = StringIO()
            canvas.savefig(buffer, format="svg", metadata={"Date": None})
            return buffer.getvalue()


@contextmanager
def _matplotlib_kept_quiet() -> Iterator[None]:
    """Keep matplotlib from talking about its font cache, and about letters that only the browser's fonts have."""
    logger = logging.getLogger("matplotlib")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph .* missing from")
            warnings.filterwarnings("ignore", message="Matplotlib currently does not support")
            yield
    finally:
        logger.setLevel(level)
