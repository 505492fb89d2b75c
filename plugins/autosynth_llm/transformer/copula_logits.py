"""The copula base inside the network: probabilities of the tokens of a cell, given where its score is expected.

Shapes: B rows, C columns, K tokens of the widest column, G groups.

Imports torch, so that only methods import this module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from autosynth_llm.transformer.copula import CopulaBase

FLOOR = 0.003  # share of the base that follows the group's marginals alone, so that no token is out of reach
MAX_TILT = 7.0


class CopulaLogits(nn.Module):  # type: ignore[misc]  # torch is untyped here
    """The copula base as tensors: logits of the tokens of a cell, given what is known of its score."""

    def __init__(self, base: CopulaBase) -> None:
        super().__init__()
        edges = torch.as_tensor(base.edges, dtype=torch.float32)
        shares = torch.as_tensor(base.shares, dtype=torch.float32)
        self.register_buffer("edges", edges)  # C, K + 1
        self.register_buffer("points", torch.as_tensor(base.points, dtype=torch.float32))  # C, K
        self.register_buffer("means", torch.as_tensor(base.means, dtype=torch.float32))  # G, C
        self.register_buffer("shares", shares)  # G, C, K
        self.register_buffer("is_ordered", torch.as_tensor(base.is_ordered))  # C
        exists = torch.arange(shares.shape[2]) < torch.as_tensor(base.n_tokens)[:, None]
        self.register_buffer("exists", exists)  # C, K
        missing = torch.as_tensor(base.has_missing)[:, None] & (
            torch.arange(shares.shape[2]) == torch.as_tensor(base.n_tokens)[:, None] - 1
        )
        self.register_buffer("is_missing", missing)  # C, K
        deviations = torch.as_tensor(base.covariances.diagonal(axis1=1, axis2=2).copy(), dtype=torch.float32).sqrt()
        self.register_buffer("tilt", self._tilt(deviations))  # G, C, K

    def probabilities(self, means: Tensor, deviations: Tensor, group: Tensor, column: Tensor | slice) -> Tensor:
        """Return probabilities of the tokens, shape (*means.shape, K).

        Parameters
        ----------
        means, deviations : Tensor of shape (B, n_columns) or (B,)
            Of the score given the cells before it.
        group : Tensor of shape (B,)
            Codes.
        column : Tensor or slice
            The columns of the last axis of ``means``.
        """
        limits = (self.edges[column] - means[..., None]) / deviations[..., None]
        within = torch.special.ndtr(limits).diff(dim=-1)
        shares = self.shares[group][:, column]
        missing = (shares * self.is_missing[column]).sum(-1, keepdim=True)
        within = torch.where(self.is_missing[column], shares, within * (1 - missing))
        mixed = (1 - FLOOR) * within + FLOOR * shares
        return torch.where(self.is_ordered[column][..., None], mixed, shares)

    def has_score(self, tokens: Tensor) -> Tensor:
        """Return 1 where a cell of ``tokens``, shape (B, C), has a score; 0 where it is missing or unordered."""
        columns = torch.arange(tokens.shape[1], device=tokens.device)
        return (self.is_ordered & ~self.is_missing[columns, tokens]).float()

    def _tilt(self, deviations: Tensor) -> Tensor:
        """Return what brings the base's marginals to the shares of the tokens in each group, as logits."""
        group = torch.arange(len(self.means))
        marginal = self.probabilities(self.means, deviations, group, slice(None))
        ratio = (self.shares.clamp_min(1e-9) / marginal.clamp_min(1e-9)).log().clamp(-MAX_TILT, MAX_TILT)
        return torch.where(self.exists, ratio, torch.zeros_like(ratio))
