"""What the expectations of a suite know of the real rows, found by the digest that they carry."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from autosynth.exceptions import AutosynthError

if TYPE_CHECKING:
    from autosynth.checks.real_rows import RealRows
    from autosynth.checks.reference import Reference


class UnknownReferenceError(AutosynthError):
    """No suite with this reference is loaded in the process."""


@dataclass(frozen=True, eq=False)
class Source:
    """The reference of a suite, and the real rows where they are at hand.

    Attributes
    ----------
    reference : Reference
        What the suite knows of the real rows.
    rows : RealRows or None
        The rows themselves.
    why_no_rows : str
        What is wrong with them, where they were looked for and are not to be had.
    """

    reference: Reference
    rows: RealRows | None = None
    why_no_rows: str = ""


# Weak, so that a service which loads many suites forgets each with the suite itself.
_known: weakref.WeakSet[Source] = weakref.WeakSet()
_by_suite: dict[int, Source] = {}  # by the id of the suite, which has no hash
_in_force: dict[str, Source] = {}
_lock = threading.Lock()


def remember(source: Source, suite: Any) -> None:
    """Let a suite and its expectations find a source for as long as the suite lives."""
    with _lock:
        _known.add(source)
    if id(suite) not in _by_suite:
        weakref.finalize(suite, _by_suite.pop, id(suite), None).atexit = False
    _by_suite[id(suite)] = source


def source_of(suite: Any, digest: str) -> Source:
    """Return the source of a suite; without rows where the suite is a copy that nobody loaded.

    Whether another suite with the same digest happens to have rows makes no difference to this one.

    Raises
    ------
    UnknownReferenceError
        If the suite was not loaded.
    """
    return _by_suite.get(id(suite)) or Source(find_source(digest).reference)


def is_known(suite: Any) -> bool:
    """Return whether a suite was built or loaded in this process."""
    return id(suite) in _by_suite


def find_source(digest: str) -> Source:
    """Return the source of a digest: the one in force, else one that has the rows, else any.

    Raises
    ------
    UnknownReferenceError
        If no suite in this process holds it.
    """
    if digest in _in_force:
        return _in_force[digest]
    with _lock:
        found = [source for source in _known if source.reference.digest == digest]
    if not found:
        raise UnknownReferenceError(
            f"the summary of the real rows {digest[:12]}... is not loaded. Load the suite with "
            "autosynth_gx.load_suite, which also takes a suite of a project, and keep it while it runs."
        )
    return max(found, key=lambda source: source.rows is not None)


@contextmanager
def in_force(source: Source) -> Iterator[None]:
    """Let expectations find this source rather than another one of the same digest, for a while."""
    digest = source.reference.digest
    before = _in_force.get(digest)
    _in_force[digest] = source
    try:
        yield
    finally:
        if before is None:
            del _in_force[digest]
        else:
            _in_force[digest] = before
