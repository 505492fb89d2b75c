"""What becomes of matplotlib's SVG before it goes into a page: small, in the page's font and colours, its own ids."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree as ET

from autosynth.pages.palette import VARIABLES
from autosynth.pages.template import printable

WHOLE_NAME = "whole name: "  # the gid of a text that shows only a part of a name begins so

DROPPED = ("metadata", "style")
TEXTS = ("text", "tspan", "title")
GEOMETRY = ("d", "x", "y", "transform", "points", "width", "height", "cx", "cy", "r")
NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")
FONT = re.compile(r"font: (?P<kind>[^;]*?)(?P<size>[\d.]+)px [^;]*")  # matplotlib before 3.10
FAMILY = re.compile(r"font-family: [^;]*;? ?")
UNSEEN = {"fill: none", "fill: none; stroke: none", "opacity: 0"}  # the frames around figure and axes
NOT_TURNED = re.compile(r"rotate\(-?0 [^)]*\)")
LETTER = re.compile(r" ?([MLCQz]) ?")  # of a path: needs no space around it
REFERENCE = re.compile(r"url\(#([^)]+)\)")


def inline(drawn: str, *, name: str, label: str, shrinks: bool = False) -> str:
    """Return an SVG document of matplotlib as an element of a page.

    Parameters
    ----------
    drawn : str
        The document.
    name : str
        Unique on the page; the ids of the element begin with it.
    label : str
        What the figure shows, for those who hear the page.
    shrinks : bool
        Whether it may become narrower than what keeps text readable.
    """
    root = ET.fromstring(printable(drawn))  # noqa: S314 (our own document, without entities)
    _without_namespaces(root)
    _remove_unseen(root)
    _rename_ids(root, name)
    for element in root.iter():
        _tidy(element)
    _frame(root, label, shrinks=shrinks)
    return ET.tostring(root, encoding="unicode")


def _without_namespaces(root: ET.Element) -> None:
    """HTML knows the elements of SVG by their bare names, and links without xlink."""
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        for key in [key for key in element.attrib if key.startswith("{")]:
            element.set(key.rpartition("}")[2], element.attrib.pop(key))


def _remove_unseen(root: ET.Element) -> None:
    """Remove frames without ink, matplotlib's metadata, and its style sheet, which would rule the whole page."""
    for parent in list(root.iter()):
        for child in list(parent):
            is_frame = child.tag == "path" and child.get("style", "") in UNSEEN
            if child.tag in DROPPED or is_frame or (child.tag == "defs" and not len(child)):
                parent.remove(child)


def _rename_ids(root: ET.Element, name: str) -> None:
    """Number the ids that something refers to; drop the others, which are the same in every figure.

    A dropped id that holds a whole name becomes a title, which browsers show when one points at the text.
    """
    new = {old: f"fig-{name}-{number}" for number, old in enumerate(dict.fromkeys(_referred(root)), 1)}
    for element in root.iter():
        old = element.attrib.pop("id", "")
        if old in new:
            element.set("id", new[old])
        elif old.startswith(WHOLE_NAME):
            title = ET.Element("title")
            title.text = old.removeprefix(WHOLE_NAME)
            element.insert(0, title)
        for key, value in element.attrib.items():
            if key == "href":
                element.set(key, f"#{new[value[1:]]}")
            elif "url(#" in value:
                element.set(key, REFERENCE.sub(lambda match: f"url(#{new[match[1]]})", value))


def _referred(root: ET.Element) -> Iterator[str]:
    for element in root.iter():
        for key, value in element.attrib.items():
            if key == "href":
                yield value[1:]
            elif key != "id":
                yield from REFERENCE.findall(value)


def _tidy(element: ET.Element) -> None:
    """Round coordinates, name colours by the page's variables, leave the font family to the page."""
    for key in GEOMETRY:
        if key in element.attrib:
            element.set(key, LETTER.sub(r"\1", " ".join(NUMBER.sub(_round, element.attrib[key]).split())))
    if NOT_TURNED.fullmatch(element.get("transform", "")):
        element.attrib.pop("transform")
    if "style" in element.attrib:
        style = FAMILY.sub("", FONT.sub(_font, element.attrib["style"]))
        for colour, variable in VARIABLES.items():
            style = style.replace(colour, variable)
        element.set("style", style)
    if element.tag not in TEXTS:
        element.text = None
    element.tail = None


def _round(match: re.Match[str]) -> str:
    """Return a coordinate to the tenth of a pixel."""
    return f"{float(match[0]):.1f}".removesuffix(".0")


def _font(match: re.Match[str]) -> str:
    weight = "; font-weight: 600" if match["kind"].strip() in ("bold", "600", "700") else ""
    return f"font-size: {match['size']}px{weight}"


def _frame(root: ET.Element, label: str, *, shrinks: bool) -> None:
    """Let the figure fill its box, but not shrink below what can be read: then its box scrolls."""
    width = float(root.attrib["viewBox"].split()[2])
    root.attrib.pop("height", None)
    root.attrib.pop("width", None)
    root.attrib.pop("version", None)
    root.set("role", "img")
    root.set("aria-label", printable(label))
    root.set(
        "style", f"width: 100%; min-width: {0 if shrinks else 0.85 * width:.0f}px; max-width: {1.15 * width:.0f}px"
    )
