"""The models of a portfolio, AutoGluon's dict of model keys, each turned into one that rebalances its own rows."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Mapping, Sequence
from itertools import repeat
from typing import Any

from autogluon.common.space import Space
from autogluon.common.utils.hyperparameter_utils import is_advanced_hyperparameter_format
from autogluon.core.constants import AG_ARGS, AG_ARGS_ENSEMBLE
from autogluon.tabular.configs.hyperparameter_configs import get_hyperparameter_config
from autogluon.tabular.configs.presets_configs import tabular_presets_alias, tabular_presets_dict

from autosynth import AutosynthWarning
from autosynth.exceptions import ConfigError, nearest
from autosynth_autogluon.ahead import AHEAD_KEY, RowsAhead
from autosynth_autogluon.config import CONFIG_KEY, InFoldConfig
from autosynth_autogluon.families import KEY_SUFFIX, LEFT_PLAIN
from autosynth_autogluon.model_classes import rebalanced_class

__all__ = ["Portfolio", "resolve_portfolio"]

FIRST = 10_000  # a priority above all of AutoGluon's


class Portfolio:
    """Models that rebalance in their folds, made from dicts of model key to one configuration or several."""

    def __init__(self, config: InFoldConfig, searched: Mapping[str, Space], keep_plain: bool, name_suffix: str) -> None:
        self._config = config
        self._searched = searched
        self._keep_plain = keep_plain
        self._name_suffix = name_suffix

    def convert_levels(self, given: dict[Any, Any], *, ahead: bool, stack: bool) -> dict[Any, Any]:
        """Convert the first stacking level, and the others when ``stack`` says so; they stay as they are otherwise."""
        levels = given if is_advanced_hyperparameter_format(given) else {"default": given}
        first = levels.get(1, levels.get("default", {}))
        others = {level: portfolio for level, portfolio in levels.items() if level != 1}
        if stack:
            others = {level: self._convert(portfolio, ahead=False) for level, portfolio in others.items()}
        return {1: self._convert(first, ahead=ahead), **others}

    def _convert(self, portfolio: Mapping[Any, Any], *, ahead: bool) -> dict[Any, Any]:
        converted: dict[Any, Any] = {}
        for key, configurations in portfolio.items():
            several = configurations if isinstance(configurations, list) else [configurations]
            # map, since a comprehension is a frame of its own in some Pythons and the warning below counts frames
            changed = list(map(self._rebalance, repeat(key), several))
            plain = list(several) if self._keep_plain and changed != several else []
            converted[key] = plain + changed
        if ahead:
            placeholder = {"model_type": RowsAhead, "priority": FIRST, "valid_stacker": False, "disable_in_hpo": True}
            here = {"fold_fitting_strategy": "sequential_local", "use_child_oof": False}
            converted[AHEAD_KEY] = [{AG_ARGS: placeholder, AG_ARGS_ENSEMBLE: here, f"ag.{CONFIG_KEY}": self._config}]
        return converted

    def _rebalance(self, key: Any, configuration: Any) -> dict[str, Any]:
        if not isinstance(configuration, Mapping):
            raise ConfigError(f"the configuration of model {key!r} is {configuration!r}. AutoGluon wants a dict.")
        args = dict(configuration.get(AG_ARGS, {}))
        model_class = rebalanced_class(args.get("model_type", key))
        family = (model_class.ag_key or "").removesuffix(KEY_SUFFIX)
        if family in LEFT_PLAIN:
            message = f"{family} is left plain: synthetic rows make no sense for this family."
            warnings.warn(message, AutosynthWarning, stacklevel=5)
            return dict(configuration)
        args["model_type"] = model_class
        args["name_suffix"] = args.get("name_suffix", "") + self._name_suffix
        changed = {**configuration, **self._searched, AG_ARGS: args, f"ag.{CONFIG_KEY}": self._config}
        if configuration.get(AG_ARGS_ENSEMBLE, {}).get("use_child_oof"):
            changed[AG_ARGS_ENSEMBLE] = {**configuration[AG_ARGS_ENSEMBLE], "use_child_oof": False}
        return changed


def resolve_portfolio(
    hyperparameters: str | Mapping[Any, Any] | None, presets: str | Sequence[str] | None
) -> dict[Any, Any]:
    """Return the models that AutoGluon would train, as a dict of their own that may be changed.

    Raises
    ------
    ConfigError
        If AutoGluon knows no such name, or chooses the preset's models while fitting.
    """
    if isinstance(hyperparameters, Mapping):
        return copy.deepcopy(dict(hyperparameters))
    name: Any = hyperparameters
    if name is None:
        for preset in [presets] if isinstance(presets, str) else presets or []:
            if tabular_presets_alias.get(preset, preset) not in tabular_presets_dict:
                known = [*tabular_presets_dict, *tabular_presets_alias]
                raise ConfigError(f"presets={preset!r} is unknown to AutoGluon.{nearest(preset, known)}")
            settings = tabular_presets_dict[tabular_presets_alias.get(preset, preset)]
            if "_experimental_dynamic_hyperparameters" in settings:
                raise ConfigError(
                    f"presets={preset!r} choose their models while fitting. Give hyperparameters instead."
                )
            name = settings.get("hyperparameters", name)
    if isinstance(name, Mapping):
        return copy.deepcopy(dict(name))
    try:
        resolved: dict[Any, Any] = get_hyperparameter_config(name or "default")
    except ValueError as error:
        raise ConfigError(f"hyperparameters={name!r} is unknown to AutoGluon: {error}") from error
    return resolved
