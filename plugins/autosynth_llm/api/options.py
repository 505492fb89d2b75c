"""The options of ``llm_api``, checked when they are built."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from autosynth.exceptions import ConfigError
from autosynth.options import check_choice, check_flag, check_number, check_whole
from autosynth_llm.api.endpoint import check_base_url

STRUCTURED = ("auto", "always", "never")
OWN_PARAMETERS = ("messages", "model", "n", "response_format", "seed", "stream", "temperature")


@dataclass(frozen=True, kw_only=True)
class LLMApiOptions:
    """Which model is asked, what it is shown, and what it may cost.

    Attributes
    ----------
    model : str
        The model's name at the endpoint; required.
    base_url : str or None
        The endpoint; None takes the environment variable OPENAI_BASE_URL, or else OpenAI's own.
    api_key_env : str or None
        The *name* of the environment variable that holds the key, which is read when a request is made and kept
        nowhere; None for a server that wants no key.
    rows_per_request, seed_rows : int
        New rows asked for, and real rows of the group shown, at most, per request.
    temperature : float or None
        From 0 to 2; None leaves it out, for models that refuse it.
    request_options : mapping of str to value
        Further parameters of the request, sent as they are, such as {"max_tokens": 4000} for servers that cut answers
        short, or {"reasoning_effort": "low"}.
    structured_output : "auto", "always" or "never"
        Whether answers are bound to a JSON schema; "auto" falls back to lines of text where the server refuses it.
    max_concurrency : int
        Requests under way at the same time.
    max_retries : int
        How often the client repeats a request after a time-out, a lost connection, 408, 409, 429 or 5xx; it waits as
        Retry-After says (up to two minutes), or else 0.5 s, twice that, and so on up to 8 s, less a random quarter.
    timeout_s : float
        Seconds for one try.
    max_requests, max_tokens, max_seconds : int, int, float or None
        Hard stops for one fitted generator, over all rounds and calls of ``sample``: answers asked for (repeated tries
        not counted), tokens sent and received (a request that might exceed it is not sent; answers under way may
        exceed it by their own length), and seconds spent on requests.  Answers from the cache count for nothing.
    price_per_million_input_tokens, price_per_million_output_tokens : float or None
        For estimates of the cost, in your currency.
    max_prompt_tokens : int
        A prompt may be about this long; fewer real rows are shown where more would not fit.
    cache_dir : str, path or None
        Folder in which answers are kept, so that an interrupted run, or the same run again, pays only once.  None keeps
        nothing: answers resemble the real rows, and are not written anywhere unasked.
    send_columns : sequence of column names or None
        Only these leave the machine; None sends all.  Other columns are copied together from one real row of the same
        group, and counted.  Label and group columns that are not sent are set by the group.
    pseudonymise : bool
        Write column_1, column_2, ... for column names and value_1, value_2, ... for categories, and translate answers
        back.  Numbers, dates, durations and truth values go as they are; texts are not sent at all.
    table_description : str
        One sentence for the model on what a row is.  Sent as it is.
    column_descriptions : mapping of column name to str
        Meaning and unit of columns.  Sent as it is.
    dry_run : bool
        Send nothing: ``sample`` raises DryRunError, whose text shows the first prompt and the estimated cost.
    """

    model: str = ""
    base_url: str | None = None
    api_key_env: str | None = "OPENAI_API_KEY"
    rows_per_request: int = 20
    seed_rows: int = 20
    temperature: float | None = 0.6
    request_options: Mapping[str, Any] = field(default_factory=dict, hash=False)
    structured_output: str = "auto"
    max_concurrency: int = 4
    max_retries: int = 5
    timeout_s: float = 120.0
    max_requests: int | None = None
    max_tokens: int | None = None
    max_seconds: float | None = None
    price_per_million_input_tokens: float | None = None
    price_per_million_output_tokens: float | None = None
    max_prompt_tokens: int = 16_000
    cache_dir: str | os.PathLike[str] | None = None
    send_columns: Sequence[Any] | None = None
    pseudonymise: bool = False
    table_description: str = ""
    column_descriptions: Mapping[Any, str] = field(default_factory=dict, hash=False)
    dry_run: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.model, str) or not self.model.strip():
            raise ConfigError(
                f"model={self.model!r} names no model. Name one that the endpoint offers; it is required."
            )
        if self.base_url is not None:
            check_base_url(self.base_url, "base_url")
        _check_variable_name(self.api_key_env)
        check_choice("structured_output", self.structured_output, STRUCTURED)
        for name in ("rows_per_request", "seed_rows", "max_concurrency", "max_prompt_tokens"):
            check_whole(name, getattr(self, name))
        check_whole("max_retries", self.max_retries, minimum=0)
        if self.temperature is not None:
            check_number("temperature", self.temperature, low=0, high=2)
        check_number("timeout_s", self.timeout_s, above=0)
        self._check_request_options()
        self._check_budget()
        for name in ("pseudonymise", "dry_run"):
            check_flag(name, getattr(self, name))
        self._check_what_is_sent()

    def _check_request_options(self) -> None:
        given = self.request_options
        if not isinstance(given, Mapping) or not _is_json(given):
            raise ConfigError(
                f"request_options={given!r} is no mapping that JSON could write. Use {{'max_tokens': 4000}}, say."
            )
        own = [name for name in OWN_PARAMETERS if name in given]
        if own:
            raise ConfigError(
                f"request_options names {', '.join(own)}, which the generator sets itself. Leave them out; model and "
                "temperature are options of their own."
            )
        object.__setattr__(self, "request_options", dict(given))

    def _check_budget(self) -> None:
        for name in ("max_requests", "max_tokens"):
            if getattr(self, name) is not None:
                check_whole(name, getattr(self, name))
        if self.max_seconds is not None:
            check_number("max_seconds", self.max_seconds, above=0)
        for name in ("price_per_million_input_tokens", "price_per_million_output_tokens"):
            if getattr(self, name) is not None:
                check_number(name, getattr(self, name), low=0)
        if self.cache_dir is not None and (
            not isinstance(self.cache_dir, str | os.PathLike) or not str(self.cache_dir)
        ):
            raise ConfigError(f"cache_dir={self.cache_dir!r} is no path. Give a folder, or None to keep no answers.")

    def _check_what_is_sent(self) -> None:
        if self.send_columns is not None:
            if (
                isinstance(self.send_columns, str)
                or not isinstance(self.send_columns, Sequence)
                or not self.send_columns
            ):
                raise ConfigError(
                    f"send_columns={self.send_columns!r} is no list of column names. Use ['age', 'income'], or None "
                    "for all columns."
                )
            object.__setattr__(self, "send_columns", tuple(self.send_columns))
        if not isinstance(self.table_description, str):
            raise ConfigError(f"table_description={self.table_description!r} is no text. Use one sentence, or ''.")
        given = self.column_descriptions
        if not isinstance(given, Mapping) or not all(isinstance(text, str) for text in given.values()):
            raise ConfigError(f"column_descriptions={given!r} is no mapping of column names to texts.")
        object.__setattr__(self, "column_descriptions", dict(given))
        if self.pseudonymise and given:
            raise ConfigError(
                "pseudonymise=True hides what columns mean, and column_descriptions tell it. Use one of them."
            )


def _is_json(value: object) -> bool:
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return False
    return True


def _check_variable_name(name: object) -> None:
    """Refuse what is no variable name without repeating it: it may be the key itself, pasted in the wrong place."""
    if name is not None and not (isinstance(name, str) and re.fullmatch("[A-Z_][A-Z0-9_]*", name)):
        raise ConfigError(
            "api_key_env is no name of an environment variable (capital letters, digits and _; what was given is not "
            "shown here, in case it is a key). Put the key into a variable and give its name, such as 'OPENAI_API_KEY'."
        )
