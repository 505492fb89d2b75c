"""The network: a causal transformer over the cells of a row, in any order of the columns.

Shapes: B rows, C columns, K tokens of the widest column, D channels, H heads, G groups, A group axes.

Imports torch, so that only methods import this module.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from autosynth_llm.transformer.copula_logits import CopulaLogits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autosynth_llm.transformer.copula import CopulaBase
    from autosynth_llm.transformer.sizes import Sizes

N_WAVES = 6  # smooth functions of a score that the network is shown
MAX_SCORE = 3.5  # beyond it, the network sees no difference


class RowDropout(nn.Module):  # type: ignore[misc]  # torch is untyped here
    """Dropout of channels shared by the cells of a row, from a stream of its own."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate
        self.stream: torch.Generator | None = None

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or not self.rate:
            return x
        kept = torch.rand(x.shape[0], 1, x.shape[2], generator=self.stream, device=x.device) >= self.rate
        return x * kept / (1 - self.rate)


class Block(nn.Module):  # type: ignore[misc]  # torch is untyped here
    """Attention and a two-layer network, each after normalisation and added to what came in."""

    def __init__(self, sizes: Sizes, dropout: float) -> None:
        super().__init__()
        self.heads = sizes.heads
        self.norm_attention, self.norm_mlp = nn.LayerNorm(sizes.width), nn.LayerNorm(sizes.width)
        self.qkv = nn.Linear(sizes.width, 3 * sizes.width)
        self.out = nn.Linear(sizes.width, sizes.width)
        self.widen = nn.Linear(sizes.width, 2 * sizes.width)
        self.narrow = nn.Linear(2 * sizes.width, sizes.width)
        self.dropout = RowDropout(dropout)

    def forward(self, x: Tensor, cache: tuple[Tensor, Tensor] | None = None, step: int = 0) -> Tensor:
        """Return x of the same shape (B, T, D); with a cache, T is 1 and ``step`` its place in the row."""
        rows, steps, width = x.shape
        query, key, value = (
            self.qkv(self.norm_attention(x))
            .view(rows, steps, 3, self.heads, width // self.heads)
            .permute(2, 0, 3, 1, 4)
        )  # each B, H, T, D / H
        if cache is None:
            seen = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        else:
            keys, values = cache
            keys[:, :, step], values[:, :, step] = key[:, :, 0], value[:, :, 0]
            seen = functional.scaled_dot_product_attention(query, keys[:, :, : step + 1], values[:, :, : step + 1])
        x = x + self.dropout(self.out(seen.transpose(1, 2).reshape(rows, steps, width)))
        return x + self.dropout(self.narrow(functional.relu(self.widen(self.norm_mlp(x)), inplace=True)))


class CellGPT(nn.Module):  # type: ignore[misc]  # torch is untyped here
    """Predicts each cell of a row from the group and the cells before it.

    The input at a step is the sum of the embeddings of the cell just seen (token, score, column), of the column that
    is asked for next, and of where the base expects its score.  The first step sees the group instead of a cell: the
    sum of the embeddings of its values (such as label and sex), so that rare groups borrow from their relatives.
    """

    def __init__(
        self, base: CopulaBase, axis_codes: Tensor, sizes: Sizes, dropout: float, stream: torch.Generator
    ) -> None:
        super().__init__()
        n_columns = base.shares.shape[1]
        self.n_columns, self.sizes = n_columns, sizes
        with torch.random.fork_rng(devices=[]):  # torch draws first weights from its global stream; ours follow
            self._build(base, axis_codes, dropout)
        self._start(stream)

    def _build(self, base: CopulaBase, axis_codes: Tensor, dropout: float) -> None:
        n_groups, n_columns, n_tokens = base.shares.shape
        sizes, width = self.sizes, self.sizes.width
        self.base = CopulaLogits(base)
        self.register_buffer("trust", torch.ones(n_groups))  # how far each group follows the network beyond the base
        self.register_buffer("axis_codes", axis_codes)  # G, A: rows of the table of axis values
        self.column = nn.Embedding(n_columns, width)
        self.next_column = nn.Embedding(n_columns, width)
        self.axis_value = nn.Embedding(int(axis_codes.max()) + 1, width)
        self.group = nn.Embedding(n_groups, width)
        self.token_in = nn.Parameter(torch.zeros(n_columns, n_tokens, width))
        self.wave_in = nn.Parameter(torch.zeros(n_columns, N_WAVES, width))
        self.expected_in = nn.Parameter(torch.zeros(n_columns, N_WAVES, width))
        self.token_out = nn.Parameter(torch.zeros(n_columns, n_tokens, width))
        self.wave_out = nn.Parameter(torch.zeros(n_columns, N_WAVES, width))
        self.bias = nn.Parameter(torch.zeros(n_groups, n_columns, n_tokens))
        centres = self.base.edges.clamp(-MAX_SCORE, MAX_SCORE)
        self.register_buffer(
            "token_waves", waves((centres[:, 1:] + centres[:, :-1]) / 2) * self.base.is_ordered[:, None, None]
        )  # C, K, N_WAVES
        self.blocks = nn.ModuleList(Block(sizes, dropout) for _ in range(sizes.layers))
        self.norm, self.dropout = nn.LayerNorm(width), RowDropout(dropout)

    def _start(self, stream: torch.Generator) -> None:
        """Draw the first weights; the outputs start at zero, where the network says what the base says."""
        with torch.no_grad():
            for module in self.modules():
                if isinstance(module, nn.Linear):
                    module.weight.normal_(std=1 / math.sqrt(module.in_features), generator=stream)
                    module.bias.zero_()
                elif isinstance(module, nn.Embedding):
                    module.weight.normal_(std=0.3, generator=stream)
            self.group.weight.mul_(0.1)
            is_free = ~self.base.is_ordered[:, None, None]
            self.token_in.normal_(std=0.3, generator=stream).mul_(torch.where(is_free, 1.0, 0.07))
            self.wave_in.normal_(std=0.3, generator=stream)

    def use_stream(self, stream: torch.Generator | None) -> None:
        """Draw dropout from this stream."""
        for module in self.modules():
            if isinstance(module, RowDropout):
                module.stream = stream

    def forward(
        self, tokens: Tensor, scores: Tensor, group: Tensor, order: Tensor, expected: Tensor, deviation: Tensor
    ) -> Tensor:
        """Return log-probabilities of the tokens of every cell, shape (B, C, K), in the order of the table.

        Parameters
        ----------
        tokens, scores : Tensor of shape (B, C)
            In the order of the table.
        group : Tensor of shape (B,)
            Codes.
        order : Tensor of shape (B, C)
            The order of the columns in every row.
        expected, deviation : Tensor of shape (B, C)
            Of every score given the cells before it, in the order of the table.
        """
        rows, columns = tokens.shape
        cells = functional.embedding(tokens + self._offsets(), self.token_in.flatten(0, 1))
        cells = (
            cells
            + torch.einsum("bcw,cwd->bcd", waves(scores) * self.base.has_score(tokens)[..., None], self.wave_in)
            + self.column.weight
        )
        asked = self.next_column.weight + torch.einsum("bcw,cwd->bcd", waves(expected), self.expected_in)
        index = order[:, :, None].expand(rows, columns, self.sizes.width)
        before = cells.gather(1, index[:, :-1])
        x = self.dropout(torch.cat([self.first(group)[:, None], before], dim=1) + asked.gather(1, index))
        for block in self.blocks:
            x = block(x)
        hidden = torch.empty_like(x).scatter_(1, index, self.norm(x))  # back to the order of the table
        learned = torch.einsum("bcd,ckd->bck", hidden, self.readout()) + self.bias[group]
        logits = self.trust[group][:, None, None] * learned + self.base.tilt[group]
        logits = logits + self.base.probabilities(expected, deviation, group, slice(None)).clamp_min(1e-12).log()
        return logits.masked_fill(~self.base.exists, -math.inf).log_softmax(-1)

    def first(self, group: Tensor) -> Tensor:
        """Return the embedding of groups, shape (B, D)."""
        return self.group(group) + self.axis_value(self.axis_codes[group]).sum(1)

    def readout(self) -> Tensor:
        """Return the output vectors of all tokens, shape (C, K, D)."""
        return self.token_out + self.token_waves @ self.wave_out

    def _offsets(self) -> Tensor:
        return torch.arange(self.n_columns, device=self.token_in.device) * self.token_in.shape[1]

    def decay_groups(self, weight_decay: float) -> list[dict[str, Any]]:
        """Return the parameters for an optimizer: matrices decay, vectors do not."""
        matrices = [parameter for parameter in self.parameters() if parameter.ndim > 1]
        vectors = [parameter for parameter in self.parameters() if parameter.ndim <= 1]
        return [{"params": matrices, "weight_decay": weight_decay}, {"params": vectors, "weight_decay": 0.0}]


def waves(scores: Tensor) -> Tensor:
    """Return smooth functions of scores, shape (*scores.shape, N_WAVES)."""
    z = scores.clamp(-MAX_SCORE, MAX_SCORE) / 2
    turns: Sequence[Tensor] = [math.pi * z / 2, math.pi * z]
    return torch.stack([z, z * z, *(turn.sin() for turn in turns), *(turn.cos() for turn in turns)], dim=-1)
