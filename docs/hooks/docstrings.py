"""Sphinx roles in docstrings, such as a ``func`` role around a name, become links of the site.

Docstrings are read in editors and terminals too, where the roles are customary.
"""

from __future__ import annotations

import re
from typing import Any

import griffe

# a role around a name, or a name with its whole path as code
NAME = re.compile(r":(?:func|class|meth|data|mod|exc|attr):`~?([^`]+)`|``(autosynth\w*(?:\.\w+)+)``")


class Roles(griffe.Extension):
    """Turn roles into links where the site has what they name, and into code elsewhere."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite the docstring of anything that has one."""
        if obj.docstring is not None:
            obj.docstring.value = NAME.sub(lambda match: _link(match[1] or match[2], obj), obj.docstring.value)


def _link(name: str, where: griffe.Object) -> str:
    """Return an optional reference: a name of the same class, the same package, or with its whole path."""
    package, owner = where.path.split(".")[0], where.parent
    if name.split(".")[0].startswith("autosynth"):
        path = name
    elif owner is not None and owner.is_class and name in owner.members:
        path = f"{owner.path}.{name}"
    else:
        path = f"{package}.{name}"
    return f'<autoref optional identifier="{path}"><code>{name}</code></autoref>'
