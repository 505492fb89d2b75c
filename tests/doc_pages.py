"""Pages as programs: the blocks of a page in their order, what they are said to print, and running them.

A page may say in a comment before a block:

    <!-- skip-test: why -->    the block is not run; a command line is still parsed
    <!-- prints -->            the block is what the Python block before it prints; three dots stand for any words
"""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

BLOCK = re.compile(
    r"(?:^<!-- (?P<mark>skip-test|prints)(?:: (?P<why>[^>]*?))? -->\s*?\n\n?)?"
    r"^(?P<indent>[ ]*)```(?P<language>[a-z]+)[^\n]*\n(?P<code>.*?)^(?P=indent)```[ ]*$",
    re.MULTILINE | re.DOTALL,
)
NUMBER = re.compile(r"[-+]?(?:\d[\d,]*\.?\d*|\.\d+)")
TOKEN = re.compile(rf"{NUMBER.pattern}|[^\s\d]+")
RELATIVE, ABSOLUTE = 0.05, 0.02  # what another processor or a library's next release may change


@dataclass(frozen=True, kw_only=True)
class Block:
    """A fenced block of a page.

    Attributes
    ----------
    line : int
        Where it starts, from 1 on.
    mark : str
        "skip-test", "prints" or "".
    why : str
        The reason of a skip.
    """

    page: Path
    line: int
    language: str
    code: str
    mark: str = ""
    why: str = ""


def blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page that name a language."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(
            page=page,
            line=text.count("\n", 0, match.start("code")) + 1,
            language=match["language"],
            code=re.sub(rf"^{match['indent']}", "", match["code"], flags=re.MULTILINE),
            mark=match["mark"] or "",
            why=match["why"] or "",
        )
        for match in BLOCK.finditer(text)
    ]


def commands(block: Block) -> Iterator[list[str]]:
    """Yield the arguments of every line of a shell block that calls ``autosynth``, continued lines joined."""
    for line in block.code.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] == ["autosynth"]:
            yield words[1:]


def run_page(page: Path, run_command: Callable[[list[str]], None]) -> None:
    """Run a page from top to bottom: Python in one namespace, command lines by ``run_command``, outputs compared.

    Raises
    ------
    AssertionError
        A block prints something else than the page says.
    """
    module = sys.modules["page"] = ModuleType("page")  # dataclasses and pickle look their classes up there
    printed = ""
    for block in blocks(page):
        if block.language == "python" and block.mark != "skip-test":
            printed = _run_python(block, module)
        elif block.mark == "prints":
            assert is_alike(block.code, printed), f"{page}:{block.line} says\n{block.code}\nbut was\n{printed}"
        elif block.language == "bash" and block.mark != "skip-test":
            for arguments in commands(block):
                run_command(arguments)


def is_alike(shown: str, printed: str) -> bool:
    """Return whether an output is the one shown: the same words, and numbers that are nearly the same.

    >>> is_alike("risk 0.25", "risk  0.251"), is_alike("risk 0.25", "risk 0.35"), is_alike("a ... d", "a b c d")
    (True, False, True)
    """
    parts = [TOKEN.findall(part) for part in shown.split("...")]
    tokens, at = TOKEN.findall(printed), 0
    for index, part in enumerate(parts):
        places = range(at, len(tokens) - len(part) + 1)
        if index == 0:
            places = places[:1]
        elif index == len(parts) - 1:
            places = places[-1:]
        found = next((place for place in places if _match(part, tokens[place : place + len(part)])), None)
        if found is None:
            return False
        at = found + len(part)
    return at == len(tokens)


def _run_python(block: Block, module: ModuleType) -> str:
    printed = io.StringIO()
    # the leading newlines make tracebacks point at the line of the page
    code = compile("\n" * (block.line - 1) + block.code, str(block.page), "exec")
    with contextlib.redirect_stdout(printed):
        exec(code, vars(module))  # noqa: S102 - our own pages
    return printed.getvalue()


def _match(shown: list[str], printed: list[str]) -> bool:
    return len(shown) == len(printed) and all(map(_is_near, shown, printed))


def _is_near(shown: str, printed: str) -> bool:
    if shown == printed or not (NUMBER.fullmatch(shown) and NUMBER.fullmatch(printed)):
        return shown == printed
    ours, theirs = (float(text.replace(",", "")) for text in (shown, printed))
    return abs(ours - theirs) <= max(ABSOLUTE, RELATIVE * abs(theirs))
