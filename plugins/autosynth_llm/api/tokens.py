"""A guess of how many tokens a text has, without the tokenizer of a model that we do not know."""

from __future__ import annotations

import re

# As tokenizers of chat models cut: common words whole, digits in threes, marks one by one. Rows of a table are mostly
# digits and marks, of which the usual rule of four characters to a token finds about half.
_TOKEN = re.compile(r"[A-Za-z]{1,6}|\d{1,3}|[^\sA-Za-z\d]")


def estimate_tokens(text: str) -> int:
    """Return about how many tokens a chat model reads or writes for a text.

    Examples
    --------
    >>> estimate_tokens("age is 54, dose is 3.25."), len("age is 54, dose is 3.25.") / 4
    (10, 6.0)
    """
    return sum(1 for _ in _TOKEN.finditer(text))
