"""What came of the requests of one call of ``sample``: answers, failures, and events worth reporting."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autosynth_llm.api.completion import Answer
    from autosynth_llm.api.failures import Failure

NO_SCHEMA = "requests sent again without a JSON schema, which the server refused"
NO_SEED = "requests sent again without a seed, which the server refused"
FROM_CACHE = "answers taken from the cache"
SENT = "requests sent"
REPEATED = "tries that the client repeated"
ESTIMATED = "answers whose tokens were estimated, as the server does not count them"
NOT_KEPT = "answers that could not be written to the cache"
UNREADABLE = "answers that were no chat completion"


@dataclass
class Exchange:
    """What came of the requests of one call.

    Attributes
    ----------
    answers : dict of int to Answer
        By the index of the request.
    failures : dict of int to Failure
        Requests that brought no answer.
    stopped_by : str or None
        The limit of the budget that left requests unsent, or gave them up.
    notes : Counter
        Events worth reporting.
    """

    answers: dict[int, Answer] = field(default_factory=dict)
    failures: dict[int, Failure] = field(default_factory=dict)
    stopped_by: str | None = None
    notes: Counter[str] = field(default_factory=Counter)

    @property
    def failure(self) -> Failure | None:
        """The failure that ended the exchange: the first one, or an unreadable answer when no other came."""
        fatal = [failure for _, failure in sorted(self.failures.items()) if not failure.is_unreadable]
        if fatal:
            return fatal[0]
        return None if self.answers or not self.failures else self.failures[min(self.failures)]
