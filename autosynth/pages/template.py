"""Templates: plain data into HTML, with every value escaped."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from autosynth.pages.numbers import is_number, number_text

# What neither XML nor UTF-8 can hold: control characters, halves of surrogate pairs, non-characters.  Written as
# escapes, so that no reader of this line needs to guess.
UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def fill(template: str, **values: Any) -> Markup:
    """Return a template filled with values; text is escaped, Markup is taken as it is.

    Parameters
    ----------
    template : str
        Name of a file in ``templates/``.
    **values
        What the template names; one that is absent is an error.
    """
    return Markup(_environment().get_template(template).render(**values))  # noqa: S704 (autoescape has been at work)


def printable(text: str) -> str:
    r"""Return text in which characters that no page can hold are replaced by U+FFFD.

    Examples
    --------
    >>> printable("age\x00")
    'age�'
    """
    return UNPRINTABLE.sub("�", text)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("autosynth.pages"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters["shown"] = _shown
    return environment


def _shown(value: Any) -> Any:
    """Return a number as people read it, anything else as it is."""
    return number_text(value) if is_number(value) else value
