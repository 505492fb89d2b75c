"""Templates of source files: filled with names, a name that is missing is an error."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined


def fill(template: str, **values: str | bool) -> str:
    """Return the text of a template, its values filled in as they are.

    Parameters
    ----------
    template : str
        Name of a file in ``templates/``, without ``.jinja``.
    **values
        What the templates name.
    """
    return _environment().get_template(f"{template}.jinja").render(**values)


@cache
def _environment() -> Environment:
    return Environment(  # noqa: S701 - source code, and values that PluginName has checked; no page
        loader=PackageLoader("autosynth.starter"),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
    )
