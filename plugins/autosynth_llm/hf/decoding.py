"""Batched sampling with a cache: the model is asked where the grammar leaves a choice, and answers within it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from autosynth_llm.hf.grammar import UNDECIDED
from autosynth_llm.hf.reading import RowReader
from autosynth_llm.hf.row_text import RowText

if TYPE_CHECKING:
    import numpy.typing as npt

    Ints = npt.NDArray[np.int64]


class RowDecoder:
    """Writes rows with a language model.

    The rows of a batch share the order of their columns, so that a column's name enters for all of them at once.

    Parameters
    ----------
    model : PreTrainedModel
        On its device, in evaluation mode.
    text : RowText
        The grammar and its tokens.
    temperature : float
        Divides the logits.
    uses_cache : bool
        Whether the model may be read with a cache; see :class:`~autosynth_llm.hf.reading.RowReader`.
    """

    def __init__(self, model: Any, text: RowText, *, temperature: float, uses_cache: bool = True) -> None:
        self._model = model
        self._text = text
        self._temperature = temperature
        self._device = next(model.parameters()).device
        self._first_tokens = torch.from_numpy(text.grammar.first_tokens).to(self._device)
        self._allowed = text.grammar.allowed
        self._uses_cache = uses_cache
        self.n_steps = 0

    def draw(self, group_codes: Ints, n_columns: int, rng: np.random.Generator) -> Ints:
        """Return one row per entry of ``group_codes`` in the codec's tokens, shape (n_rows, n_columns).

        Columns that are not written hold their only token, 0.
        """
        cells = np.zeros((len(group_codes), n_columns), dtype=np.int64)
        codes = group_codes.tolist()
        reader = RowReader(self._model, len(codes), uses_cache=self._uses_cache)
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

    def _draw_values(self, nodes: Ints, reader: RowReader, rng: np.random.Generator) -> Ints:
        """Follow the grammar from a node per row to a value per row."""
        grammar = self._text.grammar
        values = np.full(len(nodes), UNDECIDED)
        while (open_rows := np.flatnonzero(values == UNDECIDED)).size:
            at = nodes[open_rows]
            branches = np.zeros(len(at), dtype=np.int64)
            if (grammar.n_branches[at] > 1).any():
                shares = self._shares(self.branch_logits(reader.read(), open_rows, at))
                # The first branch at which the running sum passes a random share; rounding must not pass the last one.
                passed = (np.cumsum(shares, axis=1) < rng.random(len(at))[:, None]).sum(axis=1)
                branches = np.minimum(passed, grammar.n_branches[at] - 1)
            for row, node, branch in zip(open_rows.tolist(), at.tolist(), branches.tolist(), strict=True):
                reader.add(row, grammar.tokens[node][branch])
            values[open_rows] = grammar.choices[at, branches]
            nodes[open_rows] = grammar.targets[at, branches]
        return values

    def branch_logits(self, logits: torch.Tensor, rows: Ints, nodes: Ints) -> npt.NDArray[np.float64]:
        """Return the logits of every branch, shape (n_rows, max_branches); minus infinity beyond those of a node."""
        index = torch.from_numpy(rows).to(self._device)
        tokens = self._first_tokens[torch.from_numpy(nodes).to(self._device)]
        asked: npt.NDArray[np.float64] = logits[index].gather(1, tokens).double().cpu().numpy()
        asked[~self._allowed[nodes]] = -np.inf
        return asked

    def _shares(self, logits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the probability of every branch, shape (n_rows, max_branches)."""
        shares = np.exp((logits - logits.max(axis=1, keepdims=True)) / self._temperature)
        return np.asarray(shares / shares.sum(axis=1, keepdims=True), dtype=np.float64)
