"""Rebalancing as a scikit-learn classifier: synthetic rows inside ``fit``, probabilities for the rows of deployment.

Since rows are added to what ``fit`` is given, any cross-validation or search around it is free of leaks.  scikit-learn
is loaded when a name is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autosynth_sklearn.classifier import RebalancedClassifier

__all__ = ["RebalancedClassifier"]

_HOMES = {"RebalancedClassifier": "classifier"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'autosynth_sklearn' has no attribute {name!r}")
    value = getattr(import_module(f"autosynth_sklearn.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
