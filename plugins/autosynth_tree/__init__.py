"""Any-order autoregression with one gradient-boosted model per column: the fast tier where torch is not installed."""

from __future__ import annotations

import autosynth
from autosynth.extras import missing_modules
from autosynth_tree.generator import TreeGenerator
from autosynth_tree.options import TreeOptions

__all__ = ["TreeGenerator", "TreeOptions"]


@autosynth.hookimpl
def autosynth_register_generators(register: autosynth.Register) -> None:
    register(
        "tree",
        TreeGenerator,
        options=TreeOptions,
        summary="columns drawn one after another in any order, each by an XGBoost model of the others",
        requires=("xgboost",),
        extra="tree",
        space="original",
    )


@autosynth.hookimpl
def autosynth_propose_generators() -> tuple[str, ...] | None:
    """Propose ``tree`` where torch is not installed: a transformer does the same job as well, and once is enough."""
    return ("tree",) if missing_modules(["torch"]) else None
