"""Rebalancing inside AutoGluon: every model adds synthetic rows to its own training rows, after the split.

AutoGluon is loaded when a name is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

import autosynth

if TYPE_CHECKING:
    from autosynth_autogluon.comparison import compare_arms
    from autosynth_autogluon.comparison_report import ComparisonReport
    from autosynth_autogluon.deploy import strip
    from autosynth_autogluon.fit_facts import describe_folds
    from autosynth_autogluon.hyperparameters import rebalanced
    from autosynth_autogluon.learner import AutoGluonClassifier
    from autosynth_autogluon.reliability import prior_reliability
    from autosynth_autogluon.scorers import balanced_log_loss, worst_class_log_loss, worst_class_recall

__all__ = [
    "rebalanced",
    "strip",
    "compare_arms",
    "ComparisonReport",
    "AutoGluonClassifier",
    "describe_folds",
    "prior_reliability",
    "balanced_log_loss",
    "worst_class_log_loss",
    "worst_class_recall",
]

_HOMES = {
    "rebalanced": "hyperparameters",
    "strip": "deploy",
    "compare_arms": "comparison",
    "ComparisonReport": "comparison_report",
    "AutoGluonClassifier": "learner",
    "describe_folds": "fit_facts",
    "prior_reliability": "reliability",
    "balanced_log_loss": "scorers",
    "worst_class_log_loss": "scorers",
    "worst_class_recall": "scorers",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'autosynth_autogluon' has no attribute {name!r}")
    autosynth.require_extra("autogluon.tabular", extra="autogluon")
    value = getattr(import_module(f"autosynth_autogluon.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


@autosynth.hookimpl
def autosynth_register_commands(app: Any) -> None:
    from autosynth_autogluon.commands import add_commands

    add_commands(app)


@autosynth.hookimpl
def autosynth_make_learner(name: str, random_state: int) -> Any:
    if name != "autogluon":
        return None
    autosynth.require_extra("autogluon.tabular", extra="autogluon")
    from autosynth_autogluon.learner import AutoGluonClassifier

    return AutoGluonClassifier(random_state=random_state)
