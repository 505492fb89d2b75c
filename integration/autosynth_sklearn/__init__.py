"""autosynth in scikit-learn and imbalanced-learn: samplers for pipelines, and a classifier that rebalances.

Rows are added to what ``fit`` or ``fit_resample`` is given and nowhere else, so any cross-validation or search around
them is free of leaks.  scikit-learn and imbalanced-learn are loaded when a name is first used; the samplers need the
latter (extra ``sklearn``).
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autosynth_sklearn.classifier import RebalancedClassifier
    from autosynth_sklearn.group_sampler import GroupSampler
    from autosynth_sklearn.sampler import SyntheticSampler

__all__ = ["SyntheticSampler", "GroupSampler", "RebalancedClassifier"]

_HOMES = {"SyntheticSampler": "sampler", "GroupSampler": "group_sampler", "RebalancedClassifier": "classifier"}
_NEED_IMBLEARN = ("SyntheticSampler", "GroupSampler")


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'autosynth_sklearn' has no attribute {name!r}")
    if name in _NEED_IMBLEARN:
        from autosynth import require_extra

        require_extra("imblearn", extra="sklearn")
    value = getattr(import_module(f"autosynth_sklearn.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
