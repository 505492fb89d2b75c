"""autosynth repairs imbalanced tabular training data with synthetic rows, and proves what it did.

Start with :func:`rebalance`; inside AutoGluon, with ``autosynth_autogluon.rebalanced``.

Names are imported when they are first used, so that ``import autosynth`` costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autosynth.checks import CheckReport, CheckResult, Rule, check
    from autosynth.exceptions import AutosynthError, AutosynthWarning
    from autosynth.extras import require_extra
    from autosynth.generator import GeneratorInfo, RowGenerator, SampledRows
    from autosynth.group_reports import GroupReport, group_report
    from autosynth.groups import Group
    from autosynth.hookspecs import Register, hookimpl
    from autosynth.plan import SamplingPlan
    from autosynth.plugins import generators
    from autosynth.probe import MemorizationProbe, probe_memorization
    from autosynth.rebalancing import RebalanceResult, rebalance
    from autosynth.report import RebalanceReport
    from autosynth.scaling.curve import ScalingCurve
    from autosynth.scaling.law import ScalingLaw
    from autosynth.scaling.measure import scaling_curve
    from autosynth.schema import ColumnSchema, TableSchema
    from autosynth.table import Table
    from autosynth.tuning.report import TuningReport
    from autosynth.tuning.tuner import tune

__version__ = "0.1.0"

__all__ = [
    # what users call
    "rebalance",
    "check",
    "Rule",
    "probe_memorization",
    "group_report",
    "tune",
    "scaling_curve",
    "generators",
    # what they get
    "RebalanceResult",
    "RebalanceReport",
    "CheckReport",
    "CheckResult",
    "MemorizationProbe",
    "GroupReport",
    "TuningReport",
    "ScalingCurve",
    "ScalingLaw",
    "SamplingPlan",
    "AutosynthError",
    "AutosynthWarning",
    # for authors of generators and plugins
    "RowGenerator",
    "SampledRows",
    "Table",
    "TableSchema",
    "ColumnSchema",
    "Group",
    "GeneratorInfo",
    "Register",
    "hookimpl",
    "require_extra",
]

_HOMES = {
    "autosynth.checks": ("CheckReport", "CheckResult", "Rule", "check"),
    "autosynth.exceptions": ("AutosynthError", "AutosynthWarning"),
    "autosynth.extras": ("require_extra",),
    "autosynth.generator": ("GeneratorInfo", "RowGenerator", "SampledRows"),
    "autosynth.group_reports": ("GroupReport", "group_report"),
    "autosynth.groups": ("Group",),
    "autosynth.hookspecs": ("Register", "hookimpl"),
    "autosynth.plan": ("SamplingPlan",),
    "autosynth.plugins": ("generators",),
    "autosynth.probe": ("MemorizationProbe", "probe_memorization"),
    "autosynth.rebalancing": ("RebalanceResult", "rebalance"),
    "autosynth.report": ("RebalanceReport",),
    "autosynth.scaling.curve": ("ScalingCurve",),
    "autosynth.scaling.law": ("ScalingLaw",),
    "autosynth.scaling.measure": ("scaling_curve",),
    "autosynth.schema": ("ColumnSchema", "TableSchema"),
    "autosynth.table": ("Table",),
    "autosynth.tuning.report": ("TuningReport",),
    "autosynth.tuning.tuner": ("tune",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'autosynth' has no attribute {name!r}")
    value = getattr(import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
