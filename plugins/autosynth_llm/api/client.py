"""Asks the endpoint through the official client: in parallel, within the budget, keeping every answer that comes."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections import deque
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from autosynth.exceptions import OutputError
from autosynth.extras import require_extra
from autosynth_llm.api.answer_cache import AnswerCache, cache_key
from autosynth_llm.api.answers import AnswerParser
from autosynth_llm.api.completion import Answer
from autosynth_llm.api.exchange import (
    ESTIMATED,
    FROM_CACHE,
    NO_SCHEMA,
    NO_SEED,
    NOT_KEPT,
    REPEATED,
    SENT,
    UNREADABLE,
    Exchange,
)
from autosynth_llm.api.failures import Failure
from autosynth_llm.api.own_loop import run_in_own_loop
from autosynth_llm.api.prompt import prompt_tokens
from autosynth_llm.api.tokens import estimate_tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autosynth_llm.api.abilities import Abilities
    from autosynth_llm.api.budget import Spending
    from autosynth_llm.api.endpoint import Endpoint
    from autosynth_llm.api.options import LLMApiOptions
    from autosynth_llm.api.prompt import PromptWriter
    from autosynth_llm.api.requests import RowRequest

logger = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 10.0


class Conversation:
    """Holds the exchange of one call of ``sample``.

    Parameters
    ----------
    options : LLMApiOptions
        Model, limits, and how many requests run side by side.
    endpoint : Endpoint
        Whom to ask.
    writer : PromptWriter
        Writes the prompts.
    abilities, spending : Abilities, Spending
        Read and brought up to date; they outlive the call.
    """

    def __init__(
        self,
        options: LLMApiOptions,
        endpoint: Endpoint,
        writer: PromptWriter,
        abilities: Abilities,
        spending: Spending,
    ) -> None:
        self._options = options
        self._endpoint = endpoint
        self._writer = writer
        self._abilities = abilities
        self._spending = spending
        self._cache = AnswerCache.at(options.cache_dir)
        self._parser = AnswerParser([column.shown_name for column in writer.columns])
        self._exchange = Exchange()
        self._waiting: deque[RowRequest] = deque()

    def recall(self, requests: Sequence[RowRequest]) -> list[RowRequest]:
        """Take from the cache what is there, and return the requests that must be sent.

        Raises
        ------
        OutputError
            If the cache cannot be written to.
        """
        self._waiting = deque(request for request in requests if not self._is_known(request))
        if self._cache is not None and self._waiting:
            self._cache.prepare()
        return list(self._waiting)

    def hold(self) -> Exchange:
        """Send what :meth:`recall` left, and return all answers; failures are data, not exceptions.

        Raises
        ------
        ConfigError
            If the key is not in the environment.
        MissingExtraError
            If openai is not installed.
        """
        if not self._waiting:
            return self._exchange
        openai = require_extra("openai", extra="api")
        key = self._endpoint.read_key()
        started = time.monotonic()
        try:
            run_in_own_loop(lambda: self._talk(openai, key))
        finally:
            self._spending.end(time.monotonic() - started)
        return self._exchange

    async def _talk(self, openai: Any, key: str) -> None:
        limit = self._options.max_seconds
        ends = None if limit is None else time.monotonic() + limit - self._spending.seconds
        timeout = openai.Timeout(self._options.timeout_s, connect=min(self._options.timeout_s, CONNECT_TIMEOUT_S))
        async with openai.AsyncOpenAI(
            api_key=key,
            base_url=self._endpoint.base_url,
            max_retries=self._options.max_retries,
            timeout=timeout,
            # A redirect would carry rows to a host that was not announced.
            http_client=openai.DefaultAsyncHttpxClient(
                follow_redirects=False, timeout=timeout, event_hooks={"request": [self._only_meant_headers(key)]}
            ),
        ) as client:
            if self._abilities.seed is None:  # the first request alone finds out what the server takes
                await self._within(ends, [self._work(client, openai, at_most=1)])
            await self._within(
                ends,
                [self._work(client, openai) for _ in range(min(self._options.max_concurrency, len(self._waiting)))],
            )

    def _only_meant_headers(self, key: str) -> Any:
        """Return a hook that takes off what the client adds from the environment for another server than this one."""
        not_meant = self._endpoint.headers_not_meant()

        async def take_off(request: Any) -> None:
            for name in not_meant:
                request.headers.pop(name, None)
            request.headers["Authorization"] = f"Bearer {key}"  # custom headers may have replaced it

        async def leave(request: Any) -> None:
            """Change nothing."""

        return take_off if not_meant else leave

    async def _within(self, ends: float | None, work: list[Coroutine[Any, Any, None]]) -> None:
        """Do the work side by side; what is not done at the time ``ends`` is given up."""
        if not work:
            return
        tasks = [asyncio.create_task(part) for part in work]
        try:
            left = None if ends is None else max(ends - time.monotonic(), 0.0)
            done, late = await asyncio.wait(tasks, timeout=left)
            if late:
                self._exchange.stopped_by = f"max_seconds={self._options.max_seconds:g}"
                self._waiting.clear()
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _work(self, client: Any, openai: Any, at_most: int | None = None) -> None:
        n_done = 0
        while self._waiting and (at_most is None or n_done < at_most):
            request = self._waiting.popleft()
            n_done += 1
            try:
                found = await self._ask(client, openai, request)
            except Exception as error:  # a surprise may cost its own rows, not those that others have paid for
                found = Failure.of(error, self._endpoint, is_unreadable=True)
            if isinstance(found, Failure):
                self._exchange.failures[request.index] = found
                self._exchange.notes[UNREADABLE] += found.is_unreadable
                if not found.is_unreadable:
                    self._waiting.clear()  # the others would fare no better; those under way may still come
            elif found is not None:
                self._exchange.answers[request.index] = found

    async def _ask(self, client: Any, openai: Any, request: RowRequest) -> Answer | Failure | None:
        """Return the answer, why there is none, or None when the budget forbids asking."""
        schema, seed = self._uses_schema, self._abilities.seed is not False
        while True:
            messages = self._writer.messages(request, structured=schema)
            expected_in = prompt_tokens(messages)
            expected = expected_in + self._expected_answer_tokens(request)
            stop = self._spending.what_stops(self._options, expected)
            if stop is not None:
                self._exchange.stopped_by = stop
                self._waiting.clear()
                return None
            self._spending.start(expected)
            self._exchange.notes[SENT] += 1
            found = await self._send(client, openai, self._body(request, messages, schema=schema, seed=seed))
            if isinstance(found, Answer):
                self._spending.finish(expected, *self._counted(found, expected_in))
                self._abilities.schema, self._abilities.seed = schema, seed
                self._keep(request, schema, found)
                return found
            self._spending.finish(expected, 0, 0)
            if seed and self._abilities.seed is None and _complains(found, "seed"):
                seed = False
                self._exchange.notes[NO_SEED] += 1
            elif schema and self._may_drop_schema and _complains(found) and not _complains(found, "temperature"):
                schema = False
                self._exchange.notes[NO_SCHEMA] += 1
            else:
                return found

    async def _send(self, client: Any, openai: Any, body: dict[str, Any]) -> Answer | Failure:
        try:
            raw = await client.chat.completions.with_raw_response.create(**body)
            self._exchange.notes[REPEATED] += getattr(raw, "retries_taken", 0)
            return Answer.of(raw.parse())
        except openai.OpenAIError as error:
            return Failure.of(error, self._endpoint)
        except Exception as error:  # bytes that are no completion make parsers fail in any way; the others may be fine
            return Failure.of(error, self._endpoint, is_unreadable=True)

    def _body(self, request: RowRequest, messages: Any, *, schema: bool, seed: bool) -> dict[str, Any]:
        body: dict[str, Any] = {"model": self._options.model, "messages": messages}
        if self._options.request_options:
            body["extra_body"] = self._options.request_options
        if self._options.temperature is not None:
            body["temperature"] = self._options.temperature
        if seed:
            body["seed"] = request.seed
        if schema:
            bound = {"name": "rows", "strict": True, "schema": self._writer.json_schema(request.group_code)}
            body["response_format"] = {"type": "json_schema", "json_schema": bound}
        return body

    def _counted(self, answer: Answer, expected_in: int) -> tuple[int, int]:
        if answer.input_tokens is None or answer.output_tokens is None:
            self._exchange.notes[ESTIMATED] += 1
        n_in = expected_in if answer.input_tokens is None else answer.input_tokens
        n_out = estimate_tokens(answer.text) if answer.output_tokens is None else answer.output_tokens
        self._exchange.notes["input tokens"] += n_in
        self._exchange.notes["output tokens"] += n_out
        return n_in, n_out

    def _expected_answer_tokens(self, request: RowRequest) -> int:
        return math.ceil(self._writer.row_tokens(request.group_code) * request.n_rows)

    @property
    def _uses_schema(self) -> bool:
        wanted = self._options.structured_output
        return wanted == "always" or (wanted == "auto" and self._abilities.schema is not False)

    @property
    def _may_drop_schema(self) -> bool:
        return self._options.structured_output == "auto" and self._abilities.schema is None

    def _is_known(self, request: RowRequest) -> bool:
        """Take the answer from the cache if it is there, in either form where both are possible."""
        if self._cache is None:
            return False
        wanted = self._options.structured_output
        forms = {"always": (True,), "never": (False,)}.get(wanted, (True, False))
        for schema in forms:
            answer = self._cache.get(self._key(request, schema))
            if answer is not None and self._holds_rows(answer):
                self._exchange.answers[request.index] = answer
                self._exchange.notes[FROM_CACHE] += 1
                if self._may_drop_schema:
                    self._abilities.schema = schema  # as it was found out when this was asked
                return True
        return False

    def _holds_rows(self, answer: Answer) -> bool:
        """Whether there is anything in an answer; a refusal is asked for again by the next run."""
        return bool(self._parser.parse(answer.text).rows)

    def _keep(self, request: RowRequest, schema: bool, answer: Answer) -> None:
        if self._cache is None or not self._holds_rows(answer):
            return
        try:
            self._cache.put(self._key(request, schema), answer)
        except OutputError as error:  # the rows are here all the same
            if not self._exchange.notes[NOT_KEPT]:
                logger.warning("llm_api: an answer could not be kept: %s", error)
            self._exchange.notes[NOT_KEPT] += 1

    def _key(self, request: RowRequest, schema: bool) -> str:
        return cache_key(
            endpoint=self._endpoint.base_url,
            model=self._options.model,
            messages=self._writer.messages(request, structured=schema),
            schema=self._writer.json_schema(request.group_code) if schema else None,
            temperature=self._options.temperature,
            request_options=self._options.request_options,
            seed=request.seed,
            index=request.index,
        )


def _complains(failure: Failure, word: str = "") -> bool:
    """Whether the server refused the request as such, and names ``word`` as the reason."""
    return failure.status in (400, 422) and word in failure.message.casefold()
