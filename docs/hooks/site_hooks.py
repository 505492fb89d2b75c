"""What the site does beyond MkDocs: formulas without scripts, links that leave the folder, pages from result files."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import benchmark_pages
from formulas import to_mathml
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page
from outside_links import DOCS, PAGES, ROOT, files_linked, rewritten

FORMULA = re.compile(r'<(?P<tag>span|div) class="arithmatex">(?P<tex>.*?)</(?P=tag)>', re.DOTALL)

# pages that are files elsewhere in the repository
BORROWED = {PAGES[name]: ROOT / name for name in ("CHANGELOG.md", "integration/README.md", "examples/README.md")}


def on_config(config: MkDocsConfig) -> None:
    """Put the pages of the result files into the navigation."""
    for entry in config.nav or []:
        if "Benchmarks" in entry:
            entry["Benchmarks"] = benchmark_pages.navigation()


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that lie elsewhere or are made here, and the files that pages link to."""
    for place, source in BORROWED.items():
        files.append(File.generated(config, place, abs_src_path=str(source)))
    for place, markdown in benchmark_pages.pages():
        files.append(File.generated(config, place, content=markdown))
    sources = [Path(str(file.abs_src_path)) for file in files.documentation_pages() if file.abs_src_path]
    linked = [path for source in sources for path in files_linked(source.read_text(encoding="utf-8"), source=source)]
    for path in dict.fromkeys([*linked, *benchmark_pages.files()]):
        place = path.relative_to(ROOT).as_posix()
        if files.get_file_from_path(place) is not None:  # such as a summary that a page was made in place of
            continue
        files.append(File.generated(config, place, abs_src_path=str(path), inclusion=InclusionLevel.INCLUDED))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Let links to files outside of docs/ lead to where those are on the site."""
    place = page.file.src_uri
    if page.parent is None:  # an entry of the navigation by itself, which needs no list of neighbours
        page.meta["hide"] = ["navigation"]
    return rewritten(markdown, source=BORROWED.get(place, DOCS / place), page=place)


def on_page_content(content: str, **_: Any) -> str:
    """Draw the formulas of a page."""
    return FORMULA.sub(_formula, content)


def _formula(match: re.Match[str]) -> str:
    tex = html.unescape(match["tex"]).strip().removeprefix("\\(").removeprefix("\\[")
    return to_mathml(tex.removesuffix("\\)").removesuffix("\\]"), block=match["tag"] == "div")
