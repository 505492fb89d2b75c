"""Draws rows from a trained network, cell by cell, for many rows at once.

Shapes: B rows, C columns, K tokens of the widest column.

Imports torch, so that only methods import this module.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from autosynth.seeding import spread_uniforms
from autosynth_llm.transformer.cell_gpt import CellGPT, waves
from autosynth_llm.transformer.training import Member

MAX_SCORE = 6.0  # of a drawn value; the observed limits lie within


@dataclass(frozen=True)
class Drawn:
    """Cells that a network drew."""

    tokens: Tensor  # B, C
    scores: Tensor  # B, C


@torch.inference_mode()  # type: ignore[untyped-decorator]  # torch is untyped here
def draw_cells(member: Member, group: Tensor, order: int, temperature: float, rng: np.random.Generator) -> Drawn:
    """Draw one row for every entry of ``group``.

    Parameters
    ----------
    member : Member
        A trained network.
    group : Tensor of int, shape (B,)
        Codes of the groups wanted.
    order : int
        Position of the order of columns, the same for all rows, in the member's pool.
    temperature : float
        Divides the logits.
    rng : numpy.random.Generator
        Decides the draws.
    """
    network, columns = member.network, member.orders.columns[order]
    state = _Block(network, group, len(columns))
    weights, deviations = member.orders.weights[:, order], member.orders.deviations[:, order]
    readout = network.readout()
    for step, column in enumerate(columns.tolist()):
        mean = network.base.means[group, column]
        expected = mean + (weights[group, step, :step] * state.centred[:, :step]).sum(1)
        deviation = deviations[group, step]
        hidden = state.advance(column, expected, step)
        probabilities = network.base.probabilities(
            expected[:, None], deviation[:, None], group, slice(column, column + 1)
        )[:, 0]
        learned = hidden @ readout[column].T + network.bias[group, column]
        logits = network.trust[group][:, None] * learned + network.base.tilt[group, column]
        logits = (logits + probabilities.clamp_min(1e-12).log()) / temperature
        chances = torch.as_tensor(spread_uniforms(group.numpy(), rng), dtype=torch.float32)
        token = _invert(logits.masked_fill(~network.base.exists[column], -math.inf).softmax(-1), chances)
        latent = _place(network, column, token, expected, deviation, torch.as_tensor(rng.random(len(group))))
        state.take(column, step, token, latent, mean)
    return Drawn(state.tokens, state.scores)


class _Block:
    """Rows in the making: their cells so far, and what the network remembers of them."""

    def __init__(self, network: CellGPT, group: Tensor, n_columns: int) -> None:
        heads, width = network.sizes.heads, network.sizes.width
        sizes = (len(group), heads, n_columns, width // heads)
        self.network = network
        self.tokens = torch.zeros(len(group), n_columns, dtype=torch.long)
        self.scores = torch.zeros(len(group), n_columns)
        self.centred = torch.zeros(len(group), n_columns)  # in the order of drawing
        self._caches = [(torch.empty(sizes), torch.empty(sizes)) for _ in network.blocks]
        self._before = network.first(group)

    def advance(self, column: int, expected: Tensor, step: int) -> Tensor:
        """Return what the network makes of the row so far when it is asked for ``column``, shape (B, D)."""
        network = self.network
        asked = network.next_column.weight[column] + waves(expected) @ network.expected_in[column]
        x = (self._before + asked)[:, None]
        for block, cache in zip(network.blocks, self._caches, strict=True):
            x = block(x, cache, step)
        hidden: Tensor = network.norm(x[:, 0])
        return hidden

    def take(self, column: int, step: int, token: Tensor, latent: Tensor, mean: Tensor) -> None:
        """Write a cell that was drawn."""
        network = self.network
        point = network.base.points[column, token]
        score = torch.where(point.isnan(), latent, point)
        has_score = network.base.is_ordered[column] & ~network.base.is_missing[column, token]
        self.tokens[:, column], self.scores[:, column] = token, latent
        self.centred[:, step] = torch.where(has_score, latent - mean, 0.0)
        self._before = network.token_in[column, token] + network.column.weight[column]
        self._before = self._before + (waves(score) * has_score[:, None]) @ network.wave_in[column]


def _invert(probabilities: Tensor, chances: Tensor) -> Tensor:
    """Return the token at which the cumulated probability passes the chance, for every row."""
    cumulated = probabilities.cumsum(-1)
    passed = (cumulated < chances[:, None] * cumulated[:, -1:]).sum(-1)
    last = probabilities.shape[-1] - 1 - probabilities.gt(0).flip(-1).int().argmax(-1)  # the last token that exists
    return torch.minimum(passed, last)


def _place(network: CellGPT, column: int, token: Tensor, expected: Tensor, deviation: Tensor, place: Tensor) -> Tensor:
    """Return scores inside the tokens, as the base spreads them there; 0 for missing and unordered cells."""
    base = network.base
    if not bool(base.is_ordered[column]):
        return torch.zeros_like(expected)
    edges, is_missing = base.edges[column].double(), base.is_missing[column, token]
    low, high = edges[token], edges[token + 1]
    share_low, share_high = (torch.special.ndtr((edge - expected) / deviation) for edge in (low, high))
    drawn = expected + deviation * torch.special.ndtri(share_low + (share_high - share_low) * place)
    inside = torch.minimum(torch.maximum(drawn.nan_to_num(), low), high).clamp(-MAX_SCORE, MAX_SCORE)
    return torch.where(is_missing, 0.0, inside.float())
