"""Words from outside: on one line, printable, and never so long that they fill a page."""

from __future__ import annotations

import re

from autosynth.pages.template import printable

MAX_TEXT = 400  # characters of a name or a value
MAX_MESSAGE = 1_500  # of a sentence
CONDITION = re.compile(r"(^|, )([^=,]+)=")  # the start of "column=value" in the name of a group


def shorten(name: object, max_characters: int = MAX_TEXT) -> str:
    """Return a name on one line, cut in the middle where it is longer; both ends tell names apart.

    Examples
    --------
    >>> shorten("mean_corpuscular_haemoglobin_concentration", 20)
    'mean_corpu…centration'
    """
    text = " ".join(printable(str(name)).split())
    if len(text) <= max_characters:
        return text
    half = max_characters // 2
    return f"{text[:half]}…{text[-half:]}"


def group_words(group: object) -> str:
    """Return the name of a group with colons, as values such as "<=50K" would make "income=<=50K" an operator.

    Examples
    --------
    >>> group_words("income=<=50K, sex=Male")
    'income: <=50K, sex: Male'
    """
    return CONDITION.sub(r"\1\2: ", str(group))
