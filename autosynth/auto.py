"""generator="auto": a race on the rows at hand says whether rows are added, whose, how many, and how heavy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from autosynth.exceptions import ConfigError, nearest
from autosynth.notices import unannounced
from autosynth.options import check_number, check_whole
from autosynth.plugins import AUTO, current_plugins

if TYPE_CHECKING:
    from collections.abc import Hashable

    import pandas as pd

    from autosynth.generator import GeneratorInfo, RowGenerator
    from autosynth.table import GroupBy
    from autosynth.tuning.report import TuningReport

__all__ = ["AutoOptions", "auto_options", "is_auto"]

DEFAULTS = {"strategy": "balance", "ratio": 1.0, "augment": 0, "alpha": None, "synthetic_weight": 1.0}


@dataclass(frozen=True, kw_only=True)
class AutoOptions:
    """What ``generator_options`` may hold with ``generator="auto"``: settings of :func:`autosynth.tune`.

    Attributes
    ----------
    generators : sequence of str or RowGenerator, mapping, or None
        Who races; None takes what the installed plugins propose for the table.
    ratios, augment, synthetic_weights : sequence of numbers
        Amounts to try.
    learner : str or classifier
        What is trained in the race.
    metric : str or callable
        What decides it.
    positive_class : Hashable or None
        Of two classes the one that average precision is about; None is the second in sort order.  Inside AutoGluon, its
        own positive class counts.
    cv, repeats : int
        Folds, and how often all rows are dealt anew.
    time_budget_s : float or None
        Seconds for the race.

    Examples
    --------
    >>> AutoOptions.of({"cv": 3}).settings["cv"]
    3
    """

    generators: Sequence[str | RowGenerator] | Mapping[str, str | RowGenerator] | None = None
    ratios: Sequence[float] = (0.25, 1.0)
    augment: Sequence[int] = (0,)
    synthetic_weights: Sequence[float] = (0.3, 1.0)
    learner: Any = "xgboost"
    metric: Any = "balanced_cross_entropy"
    positive_class: Hashable | None = None
    cv: int = 5
    repeats: int = 1
    time_budget_s: float | None = None

    def __post_init__(self) -> None:
        from autosynth.tuning.arm import arms_of
        from autosynth.tuning.learners import check_learner
        from autosynth.tuning.metrics import Metric

        _check_racers(self.generators)
        arms_of(["any"], self.ratios, self.augment, (None,), self.synthetic_weights)
        check_learner(self.learner)
        Metric.of(self.metric)
        check_whole("cv", self.cv, minimum=2)
        check_whole("repeats", self.repeats)
        if self.time_budget_s is not None:
            check_number("time_budget_s", self.time_budget_s, above=0)

    @classmethod
    def of(cls, given: Mapping[str, Any] | None) -> AutoOptions:
        """Return the settings that a user's ``generator_options`` mean.

        Raises
        ------
        ConfigError
            If a key is unknown (with those accepted) or a value is out of its range.
        """
        if given is not None and not isinstance(given, Mapping):
            raise ConfigError(
                f"generator_options={given!r} is a {type(given).__name__}. Give a mapping of names to values."
            )
        known = [entry.name for entry in fields(cls)]
        for key in given or {}:
            if key not in known:
                raise ConfigError(
                    f"generator_options holds {key!r}, and generator='auto' has no such setting.{nearest(key, known)} "
                    f"Settings: {', '.join(known)}. Options of one generator go with its name, or to autosynth.tune."
                )
        return cls(**dict(given or {}))

    @property
    def settings(self) -> dict[str, Any]:
        """The arguments of :func:`autosynth.tune`."""
        return {entry.name: getattr(self, entry.name) for entry in fields(self)}

    @property
    def copiers(self) -> list[str]:
        """Names of those racers, out of the ones that a user has named, whose purpose are copies of real rows."""
        named = self.generators.values() if isinstance(self.generators, Mapping) else self.generators or ()
        infos = [_info_of(generator) for generator in named]
        return [info.name for info in infos if info is not None and info.copies]

    def race(
        self,
        train: pd.DataFrame,
        *,
        label: Hashable,
        group_by: GroupBy,
        random_state: int,
        is_quiet: bool,
        time_budget_s: float | None = None,
        positive_class: Hashable | None = None,
    ) -> TuningReport:
        """Return what the race on these rows says.

        Parameters
        ----------
        train, label, group_by
            As :func:`autosynth.tune` takes them.
        random_state : int
            Decides folds and rows.
        is_quiet : bool
            Whether the progress bar stays away.
        time_budget_s : float, optional
            Seconds that are left, when that may be less than the options allow.
        positive_class : Hashable, optional
            In place of the one among the options.
        """
        from autosynth.tuning.tuner import tune

        budgets = [budget for budget in (self.time_budget_s, time_budget_s) if budget is not None]
        settings = {**self.settings, "time_budget_s": min(budgets, default=None)}
        if positive_class is not None:
            settings["positive_class"] = positive_class
        progress = False if is_quiet else None
        with unannounced():  # part of a run, which is announced as a whole
            return tune(train, label=label, group_by=group_by, random_state=random_state, progress=progress, **settings)


def _check_racers(generators: Any) -> None:
    """Raise unless all that a user names can race, and on this machine."""
    from autosynth.tuning.racer import racers_of

    if generators is None:
        return
    registry = current_plugins()
    given = generators.values() if isinstance(generators, Mapping) else generators
    for generator in given if isinstance(given, Iterable) and not isinstance(given, str) else ():
        known = _info_of(generator)
        if known is not None and known.remote:
            raise ConfigError(
                f"generator {known.name!r} sends real rows to another machine, and generator='auto' races local ones "
                "only. Leave it out, or race it with autosynth.tune(..., allow_remote=True)."
            )
    racers_of(generators, None, registry)


def _info_of(generator: str | RowGenerator) -> GeneratorInfo | None:
    registry = current_plugins()
    return registry.info(generator) if isinstance(generator, str) else registry.info_of(generator)


def auto_options(generator_options: Mapping[str, Any] | None, amounts: Mapping[str, Any]) -> AutoOptions:
    """Return the settings of a race, after a look at whether the user fixed an amount that it is to choose.

    Parameters
    ----------
    generator_options : mapping or None
        Settings of the race.
    amounts : mapping
        "strategy" or "ratio", "augment", "alpha" and "synthetic_weight" as given.

    Raises
    ------
    ConfigError
        If an amount is not at its default, or a setting is wrong.
    """
    changed = [f"{name}={value!r}" for name, value in amounts.items() if not _is_default(name, value)]
    if changed:
        raise ConfigError(
            f"generator='auto' chooses the amounts itself, and {', '.join(changed)} fixes some. Leave them out, name a "
            "generator for fixed amounts, or see with autosynth.tune(...) what each of them is worth. "
            "generator_options={'ratios': [...], 'augment': [...], 'synthetic_weights': [...]} says what auto tries."
        )
    return AutoOptions.of(generator_options)


def is_auto(generator: str | RowGenerator) -> bool:
    """Return whether a user's ``generator`` asks for a race."""
    return isinstance(generator, str) and generator == AUTO


def _is_default(name: str, value: Any) -> bool:
    default = DEFAULTS[name]
    return value is default or (isinstance(value, int | float | str) and bool(value == default))
