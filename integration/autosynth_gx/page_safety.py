"""Makes a page of Data Docs safe and independent of the network.

Great Expectations writes cell values and column names into its pages as they are, and loads styles, scripts, fonts and
pictures from half a dozen other hosts.  So the page is written anew: of its elements and attributes only harmless ones
are kept, every text is escaped, and a policy forbids the browser to run or load anything.
"""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser
from importlib.resources import files

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
# fmt: off
KEPT = frozenset({
    "a", "abbr", "b", "br", "code", "dd", "div", "dl", "dt", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "li",
    "main", "nav", "ol", "p", "pre", "section", "small", "span", "strong", "sub", "sup", "table", "tbody", "td", "th",
    "thead", "tr", "u", "ul",
})
SWALLOWED = frozenset({  # with their content
    "button", "footer", "head", "iframe", "label", "noscript", "object", "script", "style", "svg", "template", "title",
})
# fmt: on
FOLDED = "More"
EMPTY = frozenset({"br", "hr"})
ATTRIBUTES = frozenset({"class", "colspan", "id", "rowspan"})
GOOD_NAME = re.compile(r"[\w -]*")
GOOD_LINK = re.compile(r"#[\w-]+")


def make_safe(page: str, *, title: str, before: str = "") -> str:
    """Return a page of Data Docs without anything that could run, load or pose as something else.

    ``before`` is HTML of our own that the page begins with.

    Examples
    --------
    >>> safe = make_safe("<body><p onclick='x()'>a &lt; b<img src=x><script>x()</script></p></body>", title="t")
    >>> safe.partition("<body>")[2].strip()
    '<p>a &lt; b</p></body></html>'
    """
    writer = _Rewriter()
    writer.feed(page)
    writer.close()
    return as_page(before + writer.text(), title=title)


def as_page(body: str, *, title: str) -> str:
    """Return a whole page around a safe body."""
    return (
        "<!DOCTYPE html>\n"
        '<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>{style()}</style></head>\n"
        f"<body>\n{body}</body></html>\n"
    )


def style() -> str:
    """Return our own style sheet."""
    return files("autosynth_gx").joinpath("data_docs.css").read_text(encoding="utf-8")


class _Rewriter(HTMLParser):
    """Writes what it reads anew, so that nothing depends on how a browser reads the original."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[str] = []
        self._open: list[tuple[str, str]] = []  # what is open in the original, and what was written for it
        self._swallowing: list[str] = []

    def text(self) -> str:
        """Return the page so far, all elements closed."""
        return re.sub(r"\n\s*\n+", "\n", "".join(self._parts)) + "".join(
            f"</{written}>" for _, written in reversed(self._open)
        )

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._swallowing:
            if tag == self._swallowing[-1]:
                self._swallowing.append(tag)
        elif tag in SWALLOWED or (tag, "collapse") == ("a", dict(attrs).get("data-toggle")):
            self._swallowing.append(tag)
        elif tag == "div" and "collapse" in (dict(attrs).get("class") or "").split():
            self._parts.append(f"<details><summary>{FOLDED}</summary>")  # folds without a script
            self._open.append((tag, "details"))
        elif tag in KEPT:
            kept = "".join(f' {name}="{html.escape(value)}"' for name, value in _good_attributes(tag, attrs))
            kept += " hidden" if ("hidden", None) in attrs else ""
            self._parts.append(f"<{tag}{kept}>")
            if tag not in EMPTY:
                self._open.append((tag, tag))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        if not self._swallowing and tag in EMPTY:
            self._parts.append(f"<{tag}>")

    def handle_endtag(self, tag: str) -> None:
        if self._swallowing:
            if tag == self._swallowing[-1]:
                self._swallowing.pop()
        elif any(tag == opened for opened, _ in self._open):
            closed = ""
            while closed != tag:  # an element left open ends with the one around it
                closed, written = self._open.pop()
                self._parts.append(f"</{written}>")

    def handle_data(self, data: str) -> None:
        if not self._swallowing:
            self._parts.append(html.escape(data, quote=False))


def _good_attributes(tag: str, attributes: list[tuple[str, str | None]]) -> list[tuple[str, str]]:
    """Return the attributes that say how something looks or where on this page it is; all links lead to this page."""
    good = [(name, value) for name, value in attributes if name in ATTRIBUTES and value and GOOD_NAME.fullmatch(value)]
    links = [("href", value) for name, value in attributes if (tag, name) == ("a", "href") and value]
    return good + [(name, value) for name, value in links if GOOD_LINK.fullmatch(value)]
