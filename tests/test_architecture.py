"""The direction of dependencies, read off every import statement, and what an import may cost."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import autosynth

ROOT = Path(__file__).parents[1]
CORE = sorted((ROOT / "autosynth").rglob("*.py"))
BACKENDS = sorted((ROOT / "plugins").rglob("*.py"))
ADAPTERS = sorted((ROOT / "integration").rglob("*.py"))
PACKAGES = sorted(
    path.parent.name for folder in ("plugins", "integration") for path in ROOT.glob(f"{folder}/*/__init__.py")
)

HEAVY = (
    "torch",
    "sdv",
    "ctgan",
    "copulas",
    "great_expectations",
    "autogluon",
    "imblearn",
    "jinja2",
    "matplotlib",
    "mlflow",
    "transformers",
    "xgboost",
)
MAY_CORE_IMPORT = {
    "autosynth",
    "jinja2",
    "markupsafe",
    "matplotlib",
    "numpy",
    "pandas",
    "pluggy",
    "pyarrow",
    "rich",
    "scipy",
    "sklearn",
    "typer",
    "typing_extensions",
}
MAX_IMPORT_S = 0.5

pytestmark = pytest.mark.skipif(not BACKENDS, reason="needs the source tree")


def imports(path: Path) -> Iterator[tuple[int, str, str]]:
    """Yield (line, module, imported name or "") of every import statement, wherever in the file it stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}:{node.lineno} is a relative import; write the name in full"
            yield from ((node.lineno, node.module or "", alias.name) for alias in node.names)


def where(path: Path, line: int) -> str:
    return f"{path.relative_to(ROOT)}:{line}"


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", CORE, ids=relative)
def test_the_core_imports_no_plugin_no_adapter_and_no_backend(path: Path) -> None:
    for line, module, _ in imports(path):
        package = module.partition(".")[0]
        assert package in MAY_CORE_IMPORT or package in sys.stdlib_module_names, f"{where(path, line)} imports {module}"


@pytest.mark.parametrize("path", [*BACKENDS, *ADAPTERS], ids=relative)
def test_plugins_and_adapters_lean_on_public_names_only(path: Path) -> None:
    own = path.relative_to(ROOT).parts[1]
    for line, module, name in imports(path):
        package, *inner = module.split(".")
        if package == "autosynth":
            assert not any(part.startswith("_") for part in (*inner, name)), (
                f"{where(path, line)} imports {module}.{name}"
            )
            if not inner and name:
                assert name in autosynth.__all__, f"{where(path, line)} imports {name}, which autosynth does not offer"
        elif package in PACKAGES:
            assert package == own, f"{where(path, line)} imports {module}: plugins know autosynth, not each other"


@pytest.mark.parametrize("path", [*BACKENDS, *ADAPTERS], ids=relative)
def test_plugins_and_adapters_reach_for_no_private_attribute_of_autosynth(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "autosynth":
            assert not node.attr.startswith("_") or node.attr == "__version__", (
                f"{where(path, node.lineno)}: {node.attr}"
            )


def test_the_source_folders_are_no_packages() -> None:
    assert not (ROOT / "plugins" / "__init__.py").exists()
    assert not (ROOT / "integration" / "__init__.py").exists()
    assert len(PACKAGES) == len(set(PACKAGES))


def run(program: str) -> str:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("package", ["autosynth", *PACKAGES])
def test_importing_loads_no_heavy_package(package: str) -> None:
    loaded = run(f"import sys, {package}; print(*sorted(set(sys.modules) & set({HEAVY})))")
    assert loaded.split() == []


def test_listing_generators_loads_no_heavy_package() -> None:
    loaded = run(f"import sys, autosynth; autosynth.generators(); print(*sorted(set(sys.modules) & set({HEAVY})))")
    assert loaded.split() == []


def test_importing_autosynth_costs_less_than_half_a_second() -> None:
    program = "import time; start = time.perf_counter(); import autosynth; print(time.perf_counter() - start)"
    assert min(float(run(program)) for _ in range(3)) < MAX_IMPORT_S
