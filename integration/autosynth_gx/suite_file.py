"""Suites as files: JSON without a real row in it, loaded complete or not at all."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from great_expectations.core import ExpectationSuite
from great_expectations.exceptions import ExpectationNotFoundError
from great_expectations.expectations.registry import get_expectation_impl

from autosynth.checks.reference import Reference
from autosynth.exceptions import AutosynthError, ConfigError
from autosynth.files import write_text
from autosynth_gx.expectations import EXPECTATIONS
from autosynth_gx.real_rows import source_with_rows
from autosynth_gx.sources import Source, is_known, remember
from autosynth_gx.suite_meta import KEY, check_seal, facts_of, questions, seal

if TYPE_CHECKING:
    from autosynth.files import AnyPath

TYPES = frozenset(expectation.expectation_type for expectation in EXPECTATIONS.values())


def save_suite(suite: ExpectationSuite, path: AnyPath) -> Path:
    """Write a suite as JSON and return the path.

    The file holds summaries, salted hashes and the names of columns and groups, and no real row.

    Raises
    ------
    ConfigError
        If the suite was not built by autosynth.
    OutputError
        If the file cannot be written; what stood there is as it was.
    """
    seal(suite)
    return write_text(json.dumps(suite.to_json_dict(), indent=1, allow_nan=False) + "\n", path)


def load_suite(
    suite: AnyPath | ExpectationSuite, *, rows_dir: AnyPath | None = None, trusted: bool = False
) -> ExpectationSuite:
    """Return a suite from a file, complete or not at all.

    Parameters
    ----------
    suite : path, text or ExpectationSuite
        A file that :func:`save_suite` wrote, its text, or the suite as Great Expectations read it from a project.
    rows_dir : path, optional
        The folder that :func:`build_suite` wrote real rows to.  They are verified; where they are absent or altered,
        the checks that need them err.
    trusted : bool
        Whether a file may also hold expectations of others, which you added.  Some of those run text of the file as SQL
        or Python code, so a file of unknown origin may not.

    Raises
    ------
    ConfigError
        If the file is none of ours, of another format, lacks an expectation, or was changed since it was saved.
    """
    loaded = suite if isinstance(suite, ExpectationSuite) else _build(_read(suite), trusted=trusted)
    reference = _reference_of(loaded)
    check_suite(loaded)
    if not is_known(loaded):
        remember(Source(reference), loaded)
    if rows_dir is not None:
        remember(source_with_rows(loaded, rows_dir=rows_dir), loaded)
    return loaded


def check_suite(suite: Any) -> None:
    """Raise unless this is a suite of ours, as it was built, loaded or saved.

    Raises
    ------
    ConfigError
        With what is wrong.
    """
    if not isinstance(suite, ExpectationSuite):
        raise ConfigError(f"the suite is a {type(suite).__name__}. Load it with autosynth_gx.load_suite.")
    facts = facts_of(suite)
    known, found = Counter(facts.get("asked", ())), questions(suite)
    missing = sorted((known - found).elements())
    if missing or not found:
        raise ConfigError(
            f"the suite had {known.total()} expectations and lacks {', '.join(missing) or 'all of them'} now. If you "
            "took some out, save it again with autosynth_gx.save_suite; else load a complete one."
        )


def _read(source: AnyPath) -> dict[str, Any]:
    """Return a file, or its text, as data."""
    text = os.fspath(source)
    if not text.lstrip().startswith("{"):
        try:
            text = Path(text).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"the suite {os.fspath(source)!r} cannot be read: {error}") from error
    try:
        data: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"the suite is no JSON: {error}") from error
    meta = data.get("meta") if isinstance(data, dict) else None
    if not isinstance(data, dict) or not isinstance(meta, dict) or not isinstance(meta.get(KEY), dict):
        raise ConfigError("the file is no suite of autosynth. Make one with autosynth_gx.build_suite and save_suite.")
    return data


def _build(data: dict[str, Any], *, trusted: bool) -> ExpectationSuite:
    """Return the suite; Great Expectations itself leaves out what it does not know, and only logs it."""
    expectations = data.get("expectations")
    if not isinstance(expectations, list) or not all(isinstance(config, dict) for config in expectations):
        raise ConfigError("the suite holds no list of expectations.")
    unknown = sorted({str(config.get("type")) for config in expectations if not _is_known(config.get("type"))})
    if unknown:
        raise ConfigError(
            f"the suite holds expectations of types that are not installed: {', '.join(unknown)}. "
            "Import what defines them, or build the suite anew with this version."
        )
    foreign = sorted({str(config["type"]) for config in expectations} - TYPES)
    if foreign and not trusted:
        raise ConfigError(
            f"the suite holds expectations that are not autosynth's: {', '.join(foreign)}. Some of their kind run text "
            "of the file as code. If you added them yourself, load it with trusted=True."
        )
    try:
        return ExpectationSuite(**data)
    except Exception as error:
        raise ConfigError(f"the suite cannot be read: {error}") from error


def _is_known(expectation_type: Any) -> bool:
    if expectation_type in TYPES:
        return True
    try:
        return get_expectation_impl(expectation_type) is not None
    except (ExpectationNotFoundError, AttributeError, TypeError):
        return False


def _reference_of(suite: ExpectationSuite) -> Reference:
    """Return the summary of the real rows that a suite carries, after its seal was checked."""
    facts = facts_of(suite)
    check_seal(suite)
    try:
        reference = Reference.from_dict(facts["reference"])
    except (AutosynthError, KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"the suite's summary of the real rows cannot be read: {error}. Build it anew.") from error
    if reference.digest != facts.get("reference_digest"):
        raise ConfigError("the suite's summary of the real rows is not the one that its checks name. Build it anew.")
    return reference
