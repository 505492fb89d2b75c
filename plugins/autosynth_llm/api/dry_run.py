"""What would be sent and what it would cost, found out without sending anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from autosynth.exceptions import AutosynthError
from autosynth_llm.api.budget import cost
from autosynth_llm.api.prompt import prompt_tokens

if TYPE_CHECKING:
    from autosynth_llm.api.endpoint import Endpoint
    from autosynth_llm.api.options import LLMApiOptions
    from autosynth_llm.api.prompt import Messages, PromptWriter
    from autosynth_llm.api.requests import RowRequest

NO_PRICES = "unknown (no prices given)"


@dataclass(frozen=True, kw_only=True)
class DryRun:
    """The requests of a run before any is sent; printing it shows the first prompt.

    Attributes
    ----------
    host, model : str
        Who would be asked.
    columns, columns_not_sent : tuple of str
        What leaves the machine, and what stays.
    n_rows : int
        Rows asked for.
    n_requests : int
        Requests to send, when no row is refused.
    n_real_rows_shown : int
        Different real rows that the requests show.
    input_tokens, output_tokens : int
        Guessed; models cut texts in ways of their own.
    cost : float or None
        At the prices of the options; None without them.
    messages : list of dict
        The first request's.
    is_plain_http : bool
        Whether all this would cross the network unencrypted.
    is_pseudonymised : bool
        Whether columns and categories go under neutral names.
    """

    host: str
    model: str
    columns: tuple[str, ...]
    columns_not_sent: tuple[str, ...]
    n_rows: int
    n_requests: int
    n_real_rows_shown: int
    input_tokens: int
    output_tokens: int
    cost: float | None
    messages: Messages
    is_plain_http: bool = False
    is_pseudonymised: bool = False

    @classmethod
    def of(
        cls, requests: Sequence[RowRequest], writer: PromptWriter, options: LLMApiOptions, endpoint: Endpoint
    ) -> DryRun:
        """Work out what a list of requests would send."""
        structured = options.structured_output != "never"
        # One prompt per group is written; those of its other requests are as long.
        first_of_group = {request.group_code: request for request in reversed(requests)}
        prompts = {code: writer.messages(request, structured=structured) for code, request in first_of_group.items()}
        lengths = {code: prompt_tokens(messages) for code, messages in prompts.items()}
        input_tokens = sum(lengths[request.group_code] for request in requests)
        output_tokens = round(sum(request.n_rows * writer.row_tokens(request.group_code) for request in requests))
        return cls(
            host=endpoint.host,
            model=options.model,
            columns=tuple(str(column.column.name) for column in writer.columns),
            columns_not_sent=tuple(str(name) for name in writer.not_sent),
            n_rows=sum(request.n_rows for request in requests),
            n_requests=len(requests),
            n_real_rows_shown=len({position for request in requests for position in request.positions.tolist()}),
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            cost=cost(options, input_tokens, output_tokens),
            messages=prompts[requests[0].group_code] if requests else [],
            is_plain_http=endpoint.is_plain_http,
            is_pseudonymised=options.pseudonymise,
        )

    def announcement(self) -> str:
        """Return in one line what is about to leave the machine."""
        stay = f"; not sent: {', '.join(self.columns_not_sent)}" if self.columns_not_sent else ""
        names = " (under neutral names)" if self.is_pseudonymised else ""
        return (
            f"{self.n_requests} request{'s' * (self.n_requests != 1)} to {self.host}"
            f"{' (unencrypted http)' if self.is_plain_http else ''}, model {self.model}, will show "
            f"{self.n_real_rows_shown} real rows with the columns {', '.join(self.columns)}{names}{stay}; about "
            f"{self.input_tokens} tokens in and {self.output_tokens} out for {self.n_rows} rows, cost {self._cost()}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data."""
        return asdict(self)

    def __str__(self) -> str:
        prompt = "\n\n".join(f"[{message['role']}]\n{message['content']}" for message in self.messages)
        return (
            f"Dry run, nothing was sent: {self.announcement()}.\nRefused rows cost further requests.\n\n"
            f"First prompt:\n\n{prompt or '(no row is wanted)'}"
        )

    def _cost(self) -> str:
        return f"about {self.cost:.4g}" if self.cost is not None else NO_PRICES


class DryRunError(AutosynthError):
    """Raised in place of sending anything, with ``dry_run=True``.

    Attributes
    ----------
    dry_run : DryRun
        What would have been sent.
    """

    def __init__(self, dry_run: DryRun) -> None:
        super().__init__(f"dry_run=True. {dry_run}")
        self.dry_run = dry_run
