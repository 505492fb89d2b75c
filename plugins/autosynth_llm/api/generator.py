"""The generator ``llm_api``: shows real rows of a group to a chat model, and asks for new ones."""

from __future__ import annotations

import copy
import logging
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from autosynth import Group, SampledRows, SamplingPlan, Table
from autosynth.exceptions import InsufficientRowsError
from autosynth_llm.api.abilities import Abilities
from autosynth_llm.api.budget import Spending
from autosynth_llm.api.dry_run import DryRun, DryRunError
from autosynth_llm.api.endpoint import Endpoint
from autosynth_llm.api.failures import EndpointError
from autosynth_llm.api.options import LLMApiOptions
from autosynth_llm.api.prompt import PromptWriter
from autosynth_llm.api.requests import RowRequest, plan_requests
from autosynth_llm.api.row_reading import RowReader

if TYPE_CHECKING:
    from autosynth_llm.api.exchange import Exchange

logger = logging.getLogger(__name__)


class LLMApiGenerator:
    """In-context generation through any OpenAI-compatible endpoint, after arXiv 2406.03628.

    Every request shows real rows of one group, drawn afresh, and asks for new rows of that group.  It also describes
    the columns: names, limits, categories, shares of missing values.  What is about to leave the machine is logged as a
    warning before it does.  Rows that the table does not allow, of another group, or
    that repeat a real or an earlier row of the call are refused and counted in the notes.

    ``fit`` sends nothing and needs no key.  A fitted generator keeps the real rows, and what it has spent in
    ``spent_``: its budget holds over all calls of ``sample``.  It holds neither key nor connection, so it pickles.

    Parameters
    ----------
    options : LLMApiOptions
        The model is required.

    Examples
    --------
    >>> from autosynth.toy import shortcut_table
    >>> table = Table.from_frame(shortcut_table(200), label="ill")
    >>> generator = LLMApiGenerator(LLMApiOptions(model="gpt-4.1", send_columns=["age", "ward", "ill"]))
    >>> plan = generator.dry_run(table, {table.groups[1]: 50})
    >>> plan.host, plan.n_requests, plan.columns
    ('api.openai.com', 3, ('age', 'ward', 'ill'))
    """

    def __init__(self, options: LLMApiOptions) -> None:
        self.options = options

    def fit(self, table: Table, *, rng: np.random.Generator) -> LLMApiGenerator:  # noqa: ARG002 - nothing is learned
        """Keep the real rows, and check that prompts can be written; nothing is sent.

        Raises
        ------
        ConfigError
            If an option names an unknown column, or leaves none to make values for.
        DataError
            If a prompt with a single row would be longer than allowed, or two columns look alike as text.
        """
        self.table_ = table
        self.writer_ = PromptWriter.make(table, self.options)
        self.spent_ = Spending()
        self.abilities_ = Abilities()
        return self

    def sample(self, counts: Mapping[Group, int], *, rng: np.random.Generator) -> SampledRows:
        """Ask for the rows of every group; fewer may come, as refused ones are not asked for again here.

        Raises
        ------
        ConfigError
            If the environment holds no key.
        EndpointError
            If the endpoint fails before any valid row came; after that the rows that came are returned, with a note.
        InsufficientRowsError
            If the budget ends before any valid row came; after that the rows that came are returned, with a note.
        DryRunError
            With ``dry_run=True``.
        """
        from autosynth_llm.api.client import Conversation  # brings asyncio, which listing generators can do without

        requests = self._requests(self.table_, counts, rng)
        endpoint = self._endpoint()
        if self.options.dry_run:
            raise DryRunError(DryRun.of(requests, self.writer_, self.options, endpoint))
        conversation = Conversation(self.options, endpoint, self.writer_, self.abilities_, self.spent_)
        unanswered = conversation.recall(requests)
        if unanswered:
            endpoint.read_key()  # a missing one is an error before anything is announced
            logger.warning("llm_api: %s", DryRun.of(unanswered, self.writer_, self.options, endpoint).announcement())
        exchange = conversation.hold()
        rows = RowReader(self.writer_).read(requests, exchange.answers, counts, rng)
        if exchange.failure is not None or exchange.stopped_by is not None:
            self._break_off(exchange, len(rows.frame), counts, endpoint)
        return SampledRows(rows.frame, rows.parents, Counter(rows.notes) + exchange.notes)

    def dry_run(
        self, table: Table, counts: Mapping[Group, int] | None = None, *, rng: np.random.Generator | None = None
    ) -> DryRun:
        """Return what a run on ``table`` would send and cost, without sending anything; the generator stays as it is.

        Parameters
        ----------
        table : Table
            The real rows.
        counts : mapping of Group to int, optional
            Rows wanted; None balances the groups.
        rng : numpy.random.Generator, optional
            Draws the real rows to show.
        """
        rng = rng or np.random.default_rng(0)
        fitted = copy.copy(self).fit(table, rng=rng)
        wanted = SamplingPlan.make(table).counts if counts is None else counts
        return DryRun.of(fitted._requests(table, wanted, rng), fitted.writer_, self.options, self._endpoint())

    def _requests(self, table: Table, counts: Mapping[Group, int], rng: np.random.Generator) -> list[RowRequest]:
        return plan_requests(
            table,
            counts,
            rows_per_request=self.options.rows_per_request,
            seed_rows=self.options.seed_rows,
            rng=rng,
        )

    def _endpoint(self) -> Endpoint:
        return Endpoint.resolve(self.options.base_url, self.options.api_key_env)

    def _break_off(self, exchange: Exchange, n_rows: int, counts: Mapping[Group, int], endpoint: Endpoint) -> None:
        """Note why the exchange ended early; raise only if no row came, as rows that came are paid for."""
        failure = exchange.failure
        why = f"stopped by {exchange.stopped_by}" if failure is None else f"the endpoint failed: {failure.summary}"
        if n_rows:
            exchange.notes[why] += 1
            logger.warning("llm_api: %s; %d of %d rows came.", why, n_rows, sum(counts.values()))
        elif failure is None:
            raise self._budget_error(exchange, counts)
        else:
            raise EndpointError(
                f"{failure.in_words(endpoint, self.options)} No valid row came in this call."
                f"{self._what_is_kept(exchange)}",
                host=endpoint.host,
                status=failure.status,
                requested=counts,
                produced=dict.fromkeys(counts, 0),
            )

    def _budget_error(self, exchange: Exchange, counts: Mapping[Group, int]) -> InsufficientRowsError:
        spent = self.spent_
        return InsufficientRowsError(
            counts,
            dict.fromkeys(counts, 0),
            reasons=f"The budget {exchange.stopped_by} is used up: {spent.n_requests} requests, {spent.tokens} tokens, "
            f"{spent.seconds:.0f} s.{self._what_is_kept(exchange)}",
            advice="Raise the limit, or ask for fewer rows (strategy).",
        )

    def _what_is_kept(self, exchange: Exchange) -> str:
        if not exchange.answers and not self.spent_.output_tokens:
            return ""
        if self.options.cache_dir is None:
            return " What came is lost with this run: with cache_dir=FOLDER, answers are kept and paid for once."
        return (
            f" The answers are kept in {str(self.options.cache_dir)!r}: the same run again takes them from there, and "
            "pays for the missing ones only."
        )
