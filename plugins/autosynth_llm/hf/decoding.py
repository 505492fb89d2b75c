"""Batched sampling with a cache: the model is asked where the grammar leaves a choice, and answers within it."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from autosynth_llm.hf.grammar import UNDECIDED
from autosynth_llm.hf.row_text import RowText

if TYPE_CHECKING:
    import numpy.typing as npt

    Ints = npt.NDArray[np.int64]


class RowDecoder:
    """Writes rows with a language model.

    The rows of a batch share the order of their columns, so that a column's name enters for all of them at once.  Their
    values differ in length: what a row has to be fed is padded on the left, and masked out for good.

    Parameters
    ----------
    model : PreTrainedModel
        On its device, in evaluation mode.
    text : RowText
        The grammar and its tokens.
    temperature : float
        Divides the logits.
    """

    def __init__(self, model: Any, text: RowText, *, temperature: float) -> None:
        self._model = model
        self._text = text
        self._temperature = temperature
        self._device = next(model.parameters()).device
        self._first_tokens = torch.from_numpy(text.grammar.first_tokens).to(self._device)
        self._allowed = text.grammar.allowed
        takes = inspect.signature(model.forward).parameters
        self._options = {"logits_to_keep": 1} if "logits_to_keep" in takes else {}
        self.n_steps = 0

    def draw(self, group_codes: Ints, n_columns: int, rng: np.random.Generator) -> Ints:
        """Return one row per entry of ``group_codes`` in the codec's tokens, shape (n_rows, n_columns).

        Columns that are not written hold their only token, 0.
        """
        cells = np.zeros((len(group_codes), n_columns), dtype=np.int64)
        codes = group_codes.tolist()
        reader = _Reader(self._model, self._device, self._options, len(codes))
        with torch.inference_mode():
            for row, code in enumerate(codes):
                reader.add(row, self._text.prompts[code])
            for column in self._text.draw_order(rng):
                for row in range(len(codes)):
                    reader.add(row, self._text.names[column])
                roots = np.array([self._text.cells[column][code].root for code in codes])
                cells[:, column] = self._draw_values(roots, reader, rng)
        self.n_steps += reader.n_steps
        return cells

    def _draw_values(self, nodes: Ints, reader: _Reader, rng: np.random.Generator) -> Ints:
        """Follow the grammar from a node per row to a value per row."""
        grammar = self._text.grammar
        values = np.full(len(nodes), UNDECIDED)
        while (open_rows := np.flatnonzero(values == UNDECIDED)).size:
            at = nodes[open_rows]
            branches = np.zeros(len(at), dtype=np.int64)
            if (grammar.n_branches[at] > 1).any():
                shares = self._shares(reader.read(), open_rows, at)
                # The first branch at which the running sum passes a random share; rounding must not pass the last one.
                passed = (np.cumsum(shares, axis=1) < rng.random(len(at))[:, None]).sum(axis=1)
                branches = np.minimum(passed, grammar.n_branches[at] - 1)
            for row, node, branch in zip(open_rows.tolist(), at.tolist(), branches.tolist(), strict=True):
                reader.add(row, grammar.tokens[node][branch])
            values[open_rows] = grammar.choices[at, branches]
            nodes[open_rows] = grammar.targets[at, branches]
        return values

    def _shares(self, logits: torch.Tensor, rows: Ints, nodes: Ints) -> npt.NDArray[np.float64]:
        """Return the probability of every branch, shape (n_rows, max_branches); 0 beyond the branches of a node."""
        index = torch.from_numpy(rows).to(self._device)
        tokens = self._first_tokens[torch.from_numpy(nodes).to(self._device)]
        asked = logits[index].gather(1, tokens).float().cpu().numpy().astype(np.float64) / self._temperature
        asked[~self._allowed[nodes]] = -np.inf
        shares = np.exp(asked - asked.max(axis=1, keepdims=True))
        return np.asarray(shares / shares.sum(axis=1, keepdims=True), dtype=np.float64)


class _Reader:
    """The model's memory of what the rows hold so far, and the tokens that each row has yet to be fed."""

    def __init__(self, model: Any, device: Any, options: dict[str, Any], n_rows: int) -> None:
        self._model, self._device, self._options = model, device, options
        self._pending: list[list[int]] = [[] for _ in range(n_rows)]
        self._lengths = np.zeros(n_rows, dtype=np.int64)
        self._mask = np.zeros((n_rows, 0), dtype=np.int64)
        self._cache: Any = None
        self.n_steps = 0

    def add(self, row: int, tokens: tuple[int, ...]) -> None:
        """Append tokens to a row; the model reads them when it is next asked."""
        self._pending[row].extend(tokens)

    def read(self) -> torch.Tensor:
        """Feed what is pending and return the logits after it, shape (n_rows, vocabulary).

        They mean something for rows that had tokens pending.
        """
        counts = np.array([len(tokens) for tokens in self._pending])
        fresh = np.arange(counts.max()) >= counts.max() - counts[:, None]  # padded on the left
        tokens = np.zeros(fresh.shape, dtype=np.int64)
        tokens[fresh] = np.concatenate([np.asarray(row, dtype=np.int64) for row in self._pending])
        # Padding does not count in the positions: a row is read as if it stood alone.
        positions = np.maximum(self._lengths[:, None] + np.cumsum(fresh, axis=1) - 1, 0)
        self._mask = np.concatenate([self._mask, fresh.astype(np.int64)], axis=1)
        answer = self._model(
            input_ids=torch.from_numpy(tokens).to(self._device),
            attention_mask=torch.from_numpy(self._mask).to(self._device),
            position_ids=torch.from_numpy(positions).to(self._device),
            past_key_values=self._cache,
            use_cache=True,
            **self._options,
        )
        self._cache = answer.past_key_values
        self._lengths += counts
        self._pending = [[] for _ in self._pending]
        self.n_steps += 1
        logits: torch.Tensor = answer.logits[:, -1]
        return logits
