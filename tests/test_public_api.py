"""The front door: every public name is there and says what it is."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest

import autosynth


def type_checking_names() -> dict[str, set[str]]:
    """Return module to names, as the TYPE_CHECKING block of autosynth/__init__.py imports them."""
    tree = ast.parse(Path(autosynth.__file__).read_text(encoding="utf-8"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    statements = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    return {str(node.module): {alias.name for alias in node.names} for node in statements}


@pytest.mark.parametrize("name", autosynth.__all__)
def test_every_public_name_can_be_imported_and_says_what_it_is(name: str) -> None:
    value = getattr(autosynth, name)
    if name != "hookimpl":  # a marker object of pluggy
        assert inspect.getdoc(value), f"autosynth.{name} has no docstring"


@pytest.mark.parametrize("name", autosynth.__all__)
def test_public_methods_have_docstrings(name: str) -> None:
    value = getattr(autosynth, name)
    if not inspect.isclass(value):
        return
    for attribute, member in vars(value).items():
        if not attribute.startswith("_") and (inspect.isfunction(member) or isinstance(member, property | classmethod)):
            assert inspect.getdoc(member), f"autosynth.{name}.{attribute} has no docstring"


def test_names_are_unique_and_lazily_known() -> None:
    lazy = {name for names in autosynth._HOMES.values() for name in names}
    assert len(set(autosynth.__all__)) == len(autosynth.__all__)
    assert lazy == set(autosynth.__all__)
    assert set(autosynth.__all__) <= set(dir(autosynth))


def test_what_type_checkers_see_is_what_is_imported() -> None:
    assert type_checking_names() == {home: set(names) for home, names in autosynth._HOMES.items()}


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'autosynth' has no attribute 'rebalanse'"):
        autosynth.rebalanse  # noqa: B018


def test_every_error_is_one_of_ours() -> None:
    from autosynth import exceptions

    for name in exceptions.__all__:
        value = getattr(exceptions, name)
        if inspect.isclass(value) and name != "AutosynthWarning":
            assert issubclass(value, autosynth.AutosynthError)
            assert f"{name}" in str(exceptions.__doc__)
