"""What may be spent on an endpoint, and what was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autosynth_llm.api.options import LLMApiOptions


@dataclass
class Spending:
    """What one fitted generator has spent so far, over all calls of ``sample``.

    Attributes
    ----------
    n_requests : int
        Answers asked for; the client's repeated tries are not counted.
    input_tokens, output_tokens : int
        As the server counted them, or estimated where it does not say.
    seconds : float
        Time spent on requests.
    """

    n_requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0
    _reserved_tokens: int = 0

    @property
    def tokens(self) -> int:
        """Tokens in both directions."""
        return self.input_tokens + self.output_tokens

    def start(self, expected_tokens: int) -> None:
        """Count a request that is about to be sent."""
        self.n_requests += 1
        self._reserved_tokens += expected_tokens

    def finish(self, expected_tokens: int, input_tokens: int, output_tokens: int) -> None:
        """Replace what was expected of a request by what it took."""
        self._reserved_tokens -= expected_tokens
        self.input_tokens += input_tokens
        self.output_tokens += output_tokens

    def end(self, seconds: float) -> None:
        """Close a call that took so many seconds; requests that were given up under way expect nothing more."""
        self.seconds += seconds
        self._reserved_tokens = 0

    def what_stops(self, options: LLMApiOptions, expected_tokens: int) -> str | None:
        """Return which limit forbids one more request of so many tokens; None when there is none."""
        if options.max_requests is not None and self.n_requests >= options.max_requests:
            return f"max_requests={options.max_requests}"
        tokens = self.tokens + self._reserved_tokens + expected_tokens
        if options.max_tokens is not None and tokens > options.max_tokens:
            return f"max_tokens={options.max_tokens}"
        if options.max_seconds is not None and self.seconds >= options.max_seconds:
            return f"max_seconds={options.max_seconds:g}"
        return None

    def cost(self, options: LLMApiOptions) -> float | None:
        """Return the cost at the prices given; None without prices."""
        return cost(options, self.input_tokens, self.output_tokens)


def cost(options: LLMApiOptions, input_tokens: int, output_tokens: int) -> float | None:
    """Return what so many tokens cost at the prices of the options; None when one of them is not given."""
    price_in, price_out = options.price_per_million_input_tokens, options.price_per_million_output_tokens
    if price_in is None or price_out is None:
        return None
    return (input_tokens * price_in + output_tokens * price_out) / 1e6
