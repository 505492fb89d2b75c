"""The front door: every public name is there, says what it is, and the code on the front pages runs."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

import autosynth

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "plugins/README.md", "docs/llm.md", "docs/gate.md", "docs/how-much.md")
BLOCK = re.compile(
    r"(?P<skip><!-- skip-test(?::[^>]*)? -->\s*)?^```python[^\n]*\n(?P<code>.*?)^```", re.MULTILINE | re.DOTALL
)


def type_checking_names() -> dict[str, set[str]]:
    """Return module to names, as the TYPE_CHECKING block of autosynth/__init__.py imports them."""
    tree = ast.parse(Path(autosynth.__file__).read_text(encoding="utf-8"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    statements = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    return {str(node.module): {alias.name for alias in node.names} for node in statements}


def python_blocks(page: Path) -> list[tuple[int, str]]:
    """Return (line, code) of the ```python blocks of a page, without those after ``<!-- skip-test: why -->``."""
    if not page.is_file():
        return []
    text = page.read_text(encoding="utf-8")
    return [
        (text.count("\n", 0, match.start("code")) + 1, match["code"])
        for match in BLOCK.finditer(text)
        if not match["skip"]
    ]


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


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.filterwarnings("ignore::autosynth.AutosynthWarning")
def test_the_code_on_the_front_pages_runs(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The blocks of a page run one after the other, in one namespace and an empty folder."""
    blocks = python_blocks(ROOT / page)
    if not blocks:
        pytest.skip(f"{page} shows no code yet")
    monkeypatch.chdir(tmp_path)
    module = ModuleType("page")
    monkeypatch.setitem(sys.modules, "page", module)  # dataclasses and pickle look their classes up there
    for line, code in blocks:
        # The leading newlines make tracebacks point at the line of the page.
        exec(compile("\n" * (line - 1) + code, str(ROOT / page), "exec"), vars(module))  # noqa: S102 - our own pages


def test_a_marked_block_is_skipped(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    blocks = ["```python\nx = 1\n```", "<!-- skip-test: needs a predictor -->\n```python\ny\n```", "```bash\nls\n```"]
    page.write_text("\n".join(["a", *blocks, "```python\nz = 2\n```"]))
    assert python_blocks(page) == [(3, "x = 1\n"), (13, "z = 2\n")]
