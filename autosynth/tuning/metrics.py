"""Metric: what the race is about, in its own direction for people and as a loss inside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from autosynth.exceptions import ConfigError, nearest
from autosynth.options import check_choice

if TYPE_CHECKING:
    from autosynth.tuning.candidate import Shift

__all__ = ["METRICS", "Metric", "ScoreFunction", "positive_code"]

ScoreFunction: TypeAlias = "Callable[[Any, Any], float]"


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One way to judge probabilities.

    Attributes
    ----------
    name : str
        As users write it.
    title : str
        As people say it.
    greater_is_better : bool
        The direction that people know it in.
    shifts : tuple of "none", "prior", "tuned"
        Shifts of the prior that may change it.  The order of the rows decides AUC and average precision, so none may.
    function : callable or None
        ``function(y_true, y_proba)`` of the user's own; greater is better.

    Examples
    --------
    >>> Metric.of("roc_auc").score(0.25), Metric.of("log_loss").score(0.25)
    (0.75, 0.25)
    """

    name: str
    title: str
    greater_is_better: bool = False
    shifts: tuple[Shift, ...] = ("none", "prior", "tuned")
    function: ScoreFunction | None = None

    @classmethod
    def of(cls, metric: str | ScoreFunction) -> Metric:
        """Return the metric of a name, or of a function ``(y_true, y_proba) -> float``.

        A function that has the name of one of ours goes by another: "own_log_loss".

        Raises
        ------
        ConfigError
            If it is neither a known name nor callable.
        """
        if not isinstance(metric, str):
            if not callable(metric):
                raise ConfigError(
                    f"metric={metric!r} is neither a name nor a function. Use one of {', '.join(METRICS)}, or a "
                    "function (y_true, y_proba) -> float in which greater is better."
                )
            name = str(getattr(metric, "__name__", type(metric).__name__))
            if name in METRICS:  # another one is asked for, however it is called
                name = f"own_{name}"
            return cls(name=name, title=name.replace("_", " "), greater_is_better=True, function=metric)
        check_choice("metric", metric, METRICS)
        return METRICS[metric]

    @property
    def tunes_balanced_risk(self) -> bool:
        """Whether the tuned shift is the one with the least balanced cross-entropy: also where nothing else suits."""
        return self.function is not None or self.name == "balanced_cross_entropy"

    def loss(self, score: Any) -> Any:
        """Return a score as a loss, for which lower is better."""
        if not self.greater_is_better:
            return score
        return -score if self.function is not None else 1 - score

    def score(self, loss: Any) -> Any:
        """Return a loss in the metric's own direction."""
        return self.loss(loss)  # both ways it is the same mirror


METRICS = {
    metric.name: metric
    for metric in (
        Metric(name="balanced_cross_entropy", title="balanced cross-entropy"),
        Metric(name="worst_group_risk", title="cross-entropy of the worst group"),
        Metric(name="roc_auc", title="AUC", greater_is_better=True, shifts=("none",)),
        Metric(name="average_precision", title="average precision", greater_is_better=True, shifts=("none",)),
        Metric(name="log_loss", title="log loss"),
        Metric(name="balanced_accuracy", title="balanced accuracy", greater_is_better=True),
    )
}


def positive_code(positive_class: Any, classes: tuple[Any, ...]) -> int | None:
    """Return the position of the positive class of two, the second one by default; None with more than two.

    Raises
    ------
    ConfigError
        If it is no class of the label, or there are more than two.
    """
    if len(classes) != 2:
        if positive_class is not None:
            raise ConfigError(
                f"positive_class={positive_class!r} is for two classes, and there are {len(classes)}. Leave it out."
            )
        return None
    if positive_class is None:
        return 1
    if positive_class not in classes:
        raise ConfigError(
            f"positive_class={positive_class!r} is not a class of the label.{nearest(positive_class, classes)} "
            f"Use one of {', '.join(map(repr, classes))}."
        )
    return classes.index(positive_class)
