"""What a model answered, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a model wrote, and what it counted.

    Attributes
    ----------
    text : str
        The answer; empty when the model refused.
    finish_reason : str or None
        Why it ended: "stop", "length" (cut off), or what else the server says.
    input_tokens, output_tokens : int or None
        As the server counted them; None when it does not say.
    """

    text: str
    finish_reason: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None

    @classmethod
    def of(cls, completion: Any) -> Answer:
        """Return what a completion of the client says.

        Raises
        ------
        ValueError
            If it is no completion, whatever the server calls it.
        """
        choices = getattr(completion, "choices", None)
        first = choices[0] if isinstance(choices, list) and choices else None
        message = getattr(first, "message", None)
        if message is None:
            raise ValueError(f"a {type(completion).__name__} without choices came")
        text = getattr(message, "content", None)
        usage = getattr(completion, "usage", None)
        reason = getattr(first, "finish_reason", None)
        return cls(
            text=text if isinstance(text, str) else "",
            finish_reason=reason if isinstance(reason, str) else None,
            input_tokens=_count(getattr(usage, "prompt_tokens", None)),
            output_tokens=_count(getattr(usage, "completion_tokens", None)),
        )


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
