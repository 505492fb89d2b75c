"""The gate: autosynth's checks as a Great Expectations suite that is built from real rows and run on synthetic ones.

Great Expectations is loaded when a name is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

import autosynth

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from autosynth_gx.gate import run_gate
    from autosynth_gx.gate_result import GateResult
    from autosynth_gx.project import export_suite
    from autosynth_gx.suite import build_suite
    from autosynth_gx.suite_file import load_suite, save_suite

__all__ = ["build_suite", "save_suite", "load_suite", "export_suite", "run_gate", "GateResult"]

_HOMES = {
    "build_suite": "suite",
    "save_suite": "suite_file",
    "load_suite": "suite_file",
    "export_suite": "project",
    "run_gate": "gate",
    "GateResult": "gate_result",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'autosynth_gx' has no attribute {name!r}")
    from autosynth_gx.importing import import_gx

    import_gx()
    value = getattr(import_module(f"autosynth_gx.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


@autosynth.hookimpl
def autosynth_register_commands(app: Any) -> None:
    from autosynth_gx.commands import add_commands

    add_commands(app)


@autosynth.hookimpl
def autosynth_run_suite(
    suite: "Path | None",
    real: "pd.DataFrame",
    synthetic: "pd.DataFrame",
    label: Any,
    group_by: Any,
    holdout: "pd.DataFrame | None",
    rules: Any,
    data_docs: "Path | None",
) -> autosynth.CheckReport:
    from autosynth_gx.commands import run_suite

    given = {"real": real, "label": label, "group_by": group_by, "holdout": holdout, "rules": rules}
    return run_suite(suite, synthetic, data_docs, **given)
