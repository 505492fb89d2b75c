"""What a model says next about rows that grow: with a cache of what it has read, or by reading all of it again."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from autosynth_llm.hf.loading import cache_limit

if TYPE_CHECKING:
    import numpy.typing as npt

    Ints = npt.NDArray[np.int64]


class RowReader:
    """Rows of one batch, and the model's answers to them.

    With a cache, a row is fed only what is new.  The rows differ in length, so that it is padded on the left, masked,
    and not counted in the positions.  Padding stays in the cache, though, and a model that looks back over a window
    would count it: once the cache is longer than the window, rows are read without it.  Without a cache, whole rows are
    padded on the right and read again each time, as in training; that is right for every causal model, and slower.

    Parameters
    ----------
    model : PreTrainedModel
        On its device, in evaluation mode.
    n_rows : int
        Size of the batch.
    uses_cache : bool
        Whether :func:`~autosynth_llm.hf.self_check.can_use_cache` found that the model may be read with one.
    """

    def __init__(self, model: Any, n_rows: int, *, uses_cache: bool) -> None:
        self._model = model
        self._device = next(model.parameters()).device
        self._takes = inspect.signature(model.forward).parameters
        self._uses_cache = uses_cache and "past_key_values" in self._takes
        self._limit = cache_limit(model)
        self._rows: list[list[int]] = [[] for _ in range(n_rows)]
        self._lengths = np.zeros(n_rows, dtype=np.int64)  # of what has been fed
        self._mask = np.zeros((n_rows, 0), dtype=np.int64)
        self._cache: Any = None
        self.n_steps = 0

    def add(self, row: int, tokens: tuple[int, ...]) -> None:
        """Append tokens to a row; the model reads them when it is next asked."""
        self._rows[row].extend(tokens)

    def read(self) -> torch.Tensor:
        """Return the logits behind every row, shape (n_rows, vocabulary).

        They mean something for rows that were appended to since the last time.
        """
        self.n_steps += 1
        lengths = np.array([len(row) for row in self._rows])
        width = self._mask.shape[1] + int((lengths - self._lengths).max())
        if self._limit is not None and width > self._limit:
            self._uses_cache, self._cache = False, None
        return self._read_new(lengths) if self._uses_cache else self._read_all(lengths)

    def _read_new(self, lengths: Ints) -> torch.Tensor:
        counts = lengths - self._lengths
        fresh = np.arange(counts.max()) >= counts.max() - counts[:, None]  # padded on the left
        new = [row[start:] for row, start in zip(self._rows, self._lengths.tolist(), strict=True)]
        # Padding does not count in the positions: a row is read as if it stood alone.
        positions = np.maximum(self._lengths[:, None] + np.cumsum(fresh, axis=1) - 1, 0)
        self._mask = np.concatenate([self._mask, fresh.astype(np.int64)], axis=1)
        answer = self._model(
            input_ids=self._placed(_padded(new, fresh)),
            attention_mask=self._placed(self._mask),
            past_key_values=self._cache,
            use_cache=True,
            **({"position_ids": self._placed(positions)} if "position_ids" in self._takes else {}),
            **({"logits_to_keep": 1} if "logits_to_keep" in self._takes else {}),
        )
        self._cache, self._lengths = answer.past_key_values, lengths
        logits: torch.Tensor = answer.logits[:, -1]
        return logits

    def _read_all(self, lengths: Ints) -> torch.Tensor:
        real = np.arange(lengths.max()) < lengths[:, None]  # padded on the right
        ends, which = np.unique(lengths - 1, return_inverse=True)
        # The vocabulary is large: logits are asked for only where a row ends, by models that let one say so.
        is_told = "logits_to_keep" in self._takes
        answer = self._model(
            input_ids=self._placed(_padded(self._rows, real)),
            attention_mask=self._placed(real.astype(np.int64)),
            use_cache=False,
            **({"logits_to_keep": self._placed(ends)} if is_told else {}),
        )
        logits: torch.Tensor = answer.logits[np.arange(len(lengths)), which if is_told else lengths - 1]
        return logits

    def _placed(self, array: Ints) -> torch.Tensor:
        return torch.from_numpy(array).to(self._device)


def _padded(rows: list[list[int]], real: npt.NDArray[np.bool_]) -> Ints:
    """Return rows of tokens as a rectangle, where ``real`` says which of its places they fill."""
    tokens = np.zeros(real.shape, dtype=np.int64)
    tokens[real] = np.concatenate([np.asarray(row, dtype=np.int64) for row in rows])
    return tokens
