"""What to do inside every fold, carried to each model as one hyperparameter."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Literal, TypeAlias, get_args

from autosynth.auto import AutoOptions, is_auto
from autosynth.checks.rules import Rule
from autosynth.exceptions import ConfigError
from autosynth.generator import GeneratorInfo, RowGenerator, Space
from autosynth.options import check_choice
from autosynth.plan import check_amounts
from autosynth.plugins import current_plugins
from autosynth_autogluon.fold_prior import PRIOR_WISHES, PriorWish
from autosynth_autogluon.side_table import SideTable

OnTimeout: TypeAlias = Literal["plain", "raise"]
FoldCheck: TypeAlias = Literal["off", "warn", "drop", "raise"]

CONFIG_KEY = "autosynth"  # AutoGluon takes unknown keys with the prefix "ag." and hands them on without it
PARAMETER_PREFIX = "autosynth_"  # knobs that a hyperparameter search may set


@dataclass(frozen=True, kw_only=True)
class InFoldConfig:
    """The arguments of :func:`autosynth_autogluon.rebalanced` that every fold needs, checked when built."""

    generator: str | RowGenerator = "smote"
    generator_options: Mapping[str, Any] = field(default_factory=dict)
    group_columns: tuple[Hashable, ...] = ()
    bins: Mapping[Hashable, Any] = field(default_factory=dict)
    side_table: SideTable | None = None
    space: Space = "model"
    augment: int = 0
    alpha: float | None = None
    ratio: float = 1.0
    synthetic_weight: float = 1.0
    stack: bool = False
    correct_prior: PriorWish = False
    max_time_share: float = 0.5
    on_timeout: OnTimeout = "plain"
    check: FoldCheck = "warn"
    rules: tuple[Rule, ...] = ()
    random_state: int = 0

    def __post_init__(self) -> None:
        check_amounts(self.augment, self.alpha, self.synthetic_weight)
        if isinstance(self.random_state, bool) or not isinstance(self.random_state, int):
            raise ConfigError(f"random_state={self.random_state!r}. Use a whole number: folds must agree on it.")
        if not isinstance(self.ratio, int | float) or not 0 < self.ratio <= 1:
            raise ConfigError(f"ratio={self.ratio!r}. Use a share of the largest group in (0, 1], or a search space.")
        if not 0 < self.max_time_share < 1:
            raise ConfigError(f"max_time_share={self.max_time_share!r}. Use a share of a fold's time in (0, 1).")
        if self.on_timeout not in ("plain", "raise"):
            raise ConfigError(f"on_timeout={self.on_timeout!r} is unknown. Use 'plain' or 'raise'.")
        check_choice("check", self.check, get_args(FoldCheck))
        check_choice("correct_prior", self.correct_prior, PRIOR_WISHES)
        if self.correct_prior == "group" and not self.group_columns:
            raise ConfigError(
                "correct_prior='group' corrects by class x group columns, and there are none. Name them with group_by, "
                "or use correct_prior='class'."
            )
        if self.space not in ("model", "original"):
            raise ConfigError(f"space={self.space!r} is unknown. Use 'model' (encoded features) or 'original'.")
        if self.rules and self.space != "original":
            raise ConfigError(
                "rules compare your own columns, and with space='model' a fold holds AutoGluon's encoded features. "
                "Give data=train, the DataFrame that fit is given, and leave space out or use space='original'."
            )

    @property
    def generator_name(self) -> str:
        """What reports call the generator."""
        return self.generator if isinstance(self.generator, str) else type(self.generator).__name__

    @property
    def group_by(self) -> dict[Any, Any] | None:
        """The group columns with their bins, as the core takes them."""
        return {name: self.bins.get(name) for name in self.group_columns} or None

    @property
    def auto(self) -> AutoOptions | None:
        """The settings of the race in every fold; None where the user named a generator."""
        return AutoOptions.of(self.generator_options) if is_auto(self.generator) else None

    def of_winner(self, arguments: Mapping[str, Any]) -> InFoldConfig:
        """Return the configuration that the winner of a race calls for, by its arguments of ``rebalance``."""
        given = dict(arguments)
        strategy = given.pop("strategy")
        options = given.pop("generator_options", None) or {}
        return replace(self, ratio=1.0 if strategy == "balance" else strategy, generator_options=options, **given)

    @property
    def generator_info(self) -> GeneratorInfo | None:
        """What the registry knows about the generator; None for a race or an object of a class that nobody knows."""
        registry = current_plugins()
        if is_auto(self.generator):
            return None
        return registry.info(self.generator) if isinstance(self.generator, str) else registry.info_of(self.generator)

    @property
    def is_remote(self) -> bool:
        """Whether the generator sends rows to another machine, which may cost money per call."""
        info = self.generator_info
        return info is not None and info.remote

    @property
    def copies_wanted(self) -> bool:
        """Whether copies of real rows are the generator's purpose, so that no check reports them."""
        info = self.generator_info
        return info is not None and info.copies

    def build_generator(self) -> RowGenerator:
        """Return the unfitted generator."""
        if isinstance(self.generator, str):
            return current_plugins().build(self.generator, self.generator_options)
        return self.generator

    @property
    def fingerprint(self) -> bytes:
        """Bytes that change with everything that decides what the generator learns."""
        if is_auto(self.generator):
            generator = repr(sorted((name, _described(value)) for name, value in self.generator_options.items()))
        elif isinstance(self.generator, str):
            distribution = current_plugins().info(self.generator).distribution
            release = _release(distribution)
            generator = repr((self.generator, distribution, release, sorted(self.generator_options.items())))
        else:
            generator = hashlib.sha256(pickle.dumps(self.generator)).hexdigest()
        decisive = (generator, self.group_columns, self.bins, self.space, self.random_state)
        return repr((*decisive, *map(str, self.rules))).encode()

    def __deepcopy__(self, memo: dict[int, Any]) -> InFoldConfig:
        return self  # AutoGluon copies hyperparameters for every model and fold

    def __repr__(self) -> str:
        by = f", group_by={list(self.group_columns)}" if self.group_columns else ""
        return f"InFoldConfig({self.generator_name!r}{by}, ratio={self.ratio}, random_state={self.random_state})"


def _described(value: Any) -> str:
    """Return a text that is the same in every process: what an object's repr says may be its address."""
    if isinstance(value, Mapping):
        return repr([(key, _described(inner)) for key, inner in value.items()])
    if isinstance(value, list | tuple):
        return repr([_described(inner) for inner in value])
    if value is None or isinstance(value, str | int | float):
        return repr(value)
    return hashlib.sha256(pickle.dumps(value)).hexdigest()


def _release(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "unknown"
