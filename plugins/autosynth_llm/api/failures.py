"""What can go wrong at an endpoint, as plain data without the key, and as errors that say what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from autosynth.exceptions import GenerationError

if TYPE_CHECKING:
    from autosynth import Group
    from autosynth_llm.api.endpoint import Endpoint
    from autosynth_llm.api.options import LLMApiOptions

MAX_MESSAGE = 300  # characters of a server's complaint that are repeated


class EndpointError(GenerationError):
    """The endpoint could not be used.

    Attributes
    ----------
    host : str
        Whom we asked.
    status : int or None
        HTTP status; None when no answer came.
    requested, produced : mapping of Group to int
        Rows wanted by the call, and valid ones that had come when it failed.
    """

    def __init__(
        self,
        message: str,
        *,
        host: str,
        status: int | None,
        requested: Mapping[Group, int],
        produced: Mapping[Group, int],
    ) -> None:
        super().__init__(message)
        self.host = host
        self.status = status
        self.requested = dict(requested)
        self.produced = dict(produced)


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A request that brought no answer.

    Attributes
    ----------
    status : int or None
        HTTP status; None when the server could not be reached, did not answer in time, or broke off.
    message : str
        What the server or the connection said, without the key.
    is_unreadable : bool
        Whether an answer came that is no chat completion.
    """

    status: int | None
    message: str
    is_unreadable: bool = False

    @classmethod
    def of(cls, error: Any, endpoint: Endpoint, *, is_unreadable: bool = False) -> Failure:
        """Return what an exception of the client says; the exception itself holds the key in its headers."""
        status = getattr(error, "status_code", None)
        said = " ".join(endpoint.scrub(_said(error)).split())
        return cls(
            status=status,
            message=said if len(said) <= MAX_MESSAGE else f"{said[:MAX_MESSAGE]} ...",
            is_unreadable=is_unreadable or (status is not None and status < 300),
        )

    @property
    def summary(self) -> str:
        """What happened, without advice."""
        return self.message if self.status is None else f"status {self.status}, {self.message}"

    def in_words(self, endpoint: Endpoint, options: LLMApiOptions) -> str:
        """Return what happened and what to do about it."""
        return f"{self._what(endpoint)} ({self.message}). {self._advice(endpoint, options)}"

    def _what(self, endpoint: Endpoint) -> str:
        if self.is_unreadable:
            return f"{endpoint.host} answered with what is no chat completion"
        if self.status is None:
            return f"{endpoint.host} could not be reached or did not answer in time"
        return f"{endpoint.host} refused the request with status {self.status}"

    def _advice(self, endpoint: Endpoint, options: LLMApiOptions) -> str:
        n_tries = options.max_retries + 1
        tries = f"It was tried up to {n_tries} times." if n_tries > 1 else "It was tried 1 time."
        if self.is_unreadable:
            return f"Check base_url ({endpoint.base_url}): it ends before /chat/completions, often in /v1."
        if self.status is None:
            return f"{tries} Check that it runs and base_url ({endpoint.base_url}), or raise timeout_s or max_retries."
        if self.status in (401, 403):
            source = f"The key came from the environment variable {endpoint.api_key_env}"
            return (
                f"{source if endpoint.api_key_env else 'No key was sent (api_key_env=None)'}. Check that it is right."
            )
        if self.status == 404:
            return f"Check model={options.model!r} and base_url ({endpoint.base_url})."
        if self.status == 429:
            return f"{tries} Check the quota, lower max_concurrency, raise max_retries, or try again later."
        if self.status >= 500:
            return f"{tries} Try again later, or with structured_output='never', over which some servers break down."
        if 300 <= self.status < 400:
            return "It points elsewhere; rows go to no other host than the one announced. Set base_url to that place."
        return (
            "Some models want temperature=None (null on the command line) or structured_output='never'; a context that "
            "is too short wants smaller seed_rows and max_prompt_tokens."
        )


def _said(error: BaseException) -> str:
    """Return what an exception says, and the cause where it only says "Connection error." as the client's do."""
    root = error
    while root.__cause__ is not None:
        root = root.__cause__
    if root is error or str(root) in str(error):
        return str(error)
    return f"{str(error).rstrip('.')}: {str(root) or type(root).__name__}"
