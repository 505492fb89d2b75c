"""Checks that cry wolf on the real rows themselves: said, recorded in the suite, and weakened on request."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from great_expectations.expectations.metadata_types import FailureSeverity

from autosynth import AutosynthWarning
from autosynth.exceptions import ConfigError
from autosynth_gx.suite_meta import facts_of

if TYPE_CHECKING:
    from great_expectations.core import ExpectationSuite

    from autosynth.checks.self_test import CheckTrial, SelfTest

OnNoisy: TypeAlias = Literal["warn", "raise", "demote"]

FAMILY_OF_CHECK = {"farthest_column": "marginal_fidelity", "farthest_pair": "dependence"}


def record_noise(suite: ExpectationSuite, found: SelfTest, on_noisy: OnNoisy) -> None:
    """Write into the suite what the self-test found, and do with noisy checks what the caller wants.

    Raises
    ------
    ConfigError
        If a critical check is noisy and ``on_noisy`` is "raise".
    """
    noisy = [trial for trial in found.noisy if trial.severity == "critical"]
    facts_of(suite)["self_test"] = {
        "n_splits": found.n_splits,
        "n_passed": found.n_passed,
        "noisy": [_record(trial) for trial in noisy],
        "on_noisy": on_noisy,
    }
    if not noisy:
        return
    if on_noisy == "raise":
        raise ConfigError(f"{found} With on_noisy='demote', their failures count as warnings.")
    if on_noisy == "demote":
        for trial in noisy:
            _demote(suite, trial)
    what = "Their failures count as warnings." if on_noisy == "demote" else "on_noisy='demote' makes them warnings."
    warnings.warn(f"{found} {what}", AutosynthWarning, stacklevel=3)


def _record(trial: CheckTrial) -> dict[str, Any]:
    return {
        "name": trial.name,
        "subject": trial.subject,
        "n_alarms": trial.n_alarms,
        "n_splits": trial.n_splits,
    }


def _demote(suite: ExpectationSuite, trial: CheckTrial) -> None:
    """Weaken the expectation that makes this check, which may make others too."""
    family = FAMILY_OF_CHECK.get(trial.name, trial.name)
    for expectation in suite.expectations:
        if expectation.family().name == family and expectation.group in (None, trial.subject):
            expectation.severity = FailureSeverity.WARNING
