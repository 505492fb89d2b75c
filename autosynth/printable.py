"""Texts from files as they can be printed: what a terminal or an XML reader would act on is written out."""

from __future__ import annotations

import re

__all__ = ["printable"]

# Control characters, line and paragraph separators, marks that turn the reading direction, and what UTF-8 cannot hold.
UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
)


def printable(text: object, *, keep: str = "") -> str:
    r"""Return a text in which characters that a terminal or an XML reader would act on are written as escapes.

    Parameters
    ----------
    text : object
        Anything with a ``str``.
    keep : str
        Characters to leave as they are, such as line ends.

    Examples
    --------
    >>> printable("age" + chr(27) + "[2J")
    'age\\x1b[2J'
    """

    def escape(match: re.Match[str]) -> str:
        character = match[0]
        return character if character in keep else character.encode("unicode_escape").decode("ascii")

    return UNPRINTABLE.sub(escape, str(text))
