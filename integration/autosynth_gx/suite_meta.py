"""What a suite carries beside its expectations, under ``meta["autosynth"]``, sealed by a digest."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import autosynth
from autosynth.exceptions import ConfigError

if TYPE_CHECKING:
    from great_expectations.core import ExpectationSuite

KEY = "autosynth"
FORMAT = 1
WRITTEN_BY_SEAL = frozenset({"seal", "n_expectations", "asked", "version"})
UNSEALED = frozenset({"id", "rendered_content"})  # of an expectation: what a project of Great Expectations adds


def facts_of(suite: ExpectationSuite) -> dict[str, Any]:
    """Return what a suite carries.

    Raises
    ------
    ConfigError
        If it was not built by autosynth, or by a version that writes suites differently.
    """
    facts = (suite.meta or {}).get(KEY) if hasattr(suite, "meta") else None
    if not isinstance(facts, dict):
        raise ConfigError(
            f"suite {getattr(suite, 'name', suite)!r} was not built by autosynth. "
            "Make one with autosynth_gx.build_suite."
        )
    if facts.get("format") != FORMAT:
        raise ConfigError(
            f"the suite is of format {facts.get('format')!r}, written by autosynth {facts.get('version')}. "
            f"autosynth {autosynth.__version__} reads format {FORMAT}. Build the suite anew."
        )
    return facts


def seal(suite: ExpectationSuite) -> None:
    """Write into a suite how many expectations it has and what they say, so that a loss or a change is noticed."""
    facts = facts_of(suite)
    facts.update(
        version=autosynth.__version__,
        n_expectations=len(suite.expectations),
        asked=sorted(questions(suite).elements()),
        seal=_seal_of(suite),
    )


def questions(suite: ExpectationSuite) -> Counter[str]:
    """Return what a suite asks, and how many times: the type of each expectation, with its group."""
    configs = [expectation.configuration for expectation in suite.expectations]
    return Counter(f"{config.type} {config.kwargs.get('group') or ''}".strip() for config in configs)


def check_seal(suite: ExpectationSuite) -> None:
    """Raise unless the suite is as it was sealed.

    Raises
    ------
    ConfigError
        With what is lost or changed.
    """
    facts = facts_of(suite)
    n_expected, n_found = facts.get("n_expectations"), len(suite.expectations)
    if n_found != n_expected:
        raise ConfigError(
            f"the suite was saved with {n_expected} expectations and has {n_found} now. "
            "Load a complete one, or save yours again with autosynth_gx.save_suite."
        )
    if _seal_of(suite) != facts.get("seal"):
        raise ConfigError(
            "the suite was changed since it was saved: its expectations or the facts beside them differ. "
            "Change a loaded suite in Python and save it with autosynth_gx.save_suite, or build it anew."
        )


def _seal_of(suite: ExpectationSuite) -> str:
    """Return the sha256 of all that decides verdicts, whatever the order of the expectations."""
    sealed = [
        json.dumps({key: value for key, value in config.items() if key not in UNSEALED}, sort_keys=True)
        for config in (expectation.configuration.to_json_dict() for expectation in suite.expectations)
    ]
    facts = {
        key: value
        for key, value in facts_of(suite).items()
        if key not in ("seal", "n_expectations", "asked", "version")
    }
    text = json.dumps([sorted(sealed), facts], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
