"""Links from pages to files outside of docs/, which work in the repository, made to work on the site as well.

A page of the repository that has its place on the site becomes that page; any other file is published beside the pages
under its own path.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"

# what lies outside docs/ and is a page of the site
PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changes.md",
    "plugins/README.md": "plugins.md",
    "integration/README.md": "adapters.md",
    "examples/README.md": "examples.md",
    "benchmarks": "benchmarks/index.md",
}

FENCE = re.compile(r"^(?P<fence>`{3,}|~{3,}).*?^(?P=fence)[ \t]*$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<=\]\()(?P<target>[^)\s#:]+)(?P<anchor>#[^)\s]*)?(?=[)\s])")


def rewritten(markdown: str, *, source: Path, page: str) -> str:
    """Return a page whose links hold on the site.

    Parameters
    ----------
    markdown : str
        The page as it stands in the repository; what its code blocks show stays as it is.
    source : Path
        Its file, which its links are relative to.
    page : str
        Its place on the site, such as "benchmarks/index.md".
    """

    def replaced(match: re.Match[str]) -> str:
        place = place_of(_target(match["target"], source))
        if place is None:
            return match[0]  # MkDocs says what is wrong with it
        return posixpath.relpath(place, posixpath.dirname(page) or ".") + (match["anchor"] or "")

    return "".join(text if is_code else LINK.sub(replaced, text) for is_code, text in _parts(markdown))


def files_linked(markdown: str, *, source: Path) -> Iterator[Path]:
    """Yield the files outside of docs/ that a page links to and that have no page of their own."""
    for is_code, text in _parts(markdown):
        for match in () if is_code else LINK.finditer(text):
            target = _target(match["target"], source)
            if target.is_file() and DOCS not in target.parents and _name(target) not in PAGES:
                yield target


def place_of(target: Path) -> str | None:
    """Return where a file of the repository is on the site; None where it is not."""
    if DOCS in target.parents:
        return target.relative_to(DOCS).as_posix()
    if _name(target) in PAGES:
        return PAGES[_name(target)]
    return _name(target) if target.is_file() and ROOT in target.parents else None


def _target(link: str, source: Path) -> Path:
    return Path(posixpath.normpath((source.parent / link).as_posix()))


def _name(target: Path) -> str:
    return target.relative_to(ROOT).as_posix() if ROOT in target.parents else ""


def _parts(markdown: str) -> Iterator[tuple[bool, str]]:
    """Cut a page into code blocks and the text between them: pairs of (is code, text)."""
    end = 0
    for match in FENCE.finditer(markdown):
        yield False, markdown[end : match.start()]
        yield True, match[0]
        end = match.end()
    yield False, markdown[end:]
