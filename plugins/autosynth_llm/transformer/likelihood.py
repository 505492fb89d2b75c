"""The likelihood of held-out rows: it chooses the base, says when training stops, and what was gained.

Imports torch, so that only methods import this module.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from autosynth_llm.transformer.copula import CopulaBase, CopulaStatistics, Shrinkage
from autosynth_llm.transformer.copula_logits import CopulaLogits
from autosynth_llm.transformer.rows import Orders, Rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from autosynth_llm.transformer.cell_gpt import CellGPT

MAX_CELLS_AT_ONCE = 20_000
N_ORDERS_TO_CHOOSE = 8
MAX_COLUMNS_TO_CHOOSE = 400  # columns times orders, at most: the cost grows with the cube of the columns
COVARIANCE_ROWS = (20.0, 100.0, 1_000.0)
TRUSTS = (0.0, 0.5, 1.0)
TRUST_ROWS = 30.0
DEPENDENCES = (0.0, 0.3, 0.6, 0.85, 0.95, 1.0)


def network_log_likelihoods(network: CellGPT, orders: Orders, rows: Rows, picked: Tensor) -> Tensor:
    """Return the mean log-probability of the cells of every row, each given the cells before it, shape (B,)."""
    order, *expected = orders.expect(network.base.means, rows, network.base.has_score(rows.tokens), picked)
    logs = network(rows.tokens, rows.scores, rows.group, order, expected[0], expected[1])
    return logs.gather(2, rows.tokens[..., None])[..., 0].mean(1)


def base_log_likelihoods(logits: CopulaLogits, orders: Orders, rows: Rows, picked: Tensor) -> Tensor:
    """Return the same for the base alone."""
    _, expected, deviation = orders.expect(logits.means, rows, logits.has_score(rows.tokens), picked)
    tokens = logits.probabilities(expected, deviation, rows.group, slice(None)).clamp_min(1e-12).log()
    logs = (tokens + logits.tilt[rows.group]).masked_fill(~logits.exists, -math.inf).log_softmax(-1)
    return logs.gather(2, rows.tokens[..., None])[..., 0].mean(1)


@torch.inference_mode()  # type: ignore[untyped-decorator]  # torch is untyped here
def choose_trust(network: CellGPT, orders: Orders, rows: Rows, picked: Tensor, sizes: Tensor) -> None:
    """Set how far each group follows the network beyond the base, by the likelihood of its own held-out rows.

    A network learns a few rows by heart long before it has learned the rest, and few held-out rows cannot tell: so a
    group of n rows follows it by n / (n + ``TRUST_ROWS``) at most, and one without held-out rows not at all.
    """
    losses = torch.stack([_group_losses(network, orders, rows, picked, trust) for trust in TRUSTS])
    chosen = torch.tensor(TRUSTS, device=losses.device)[losses.argmin(0)]
    network.trust.copy_(chosen * sizes.to(losses.device) / (sizes.to(losses.device) + TRUST_ROWS))


def _group_losses(network: CellGPT, orders: Orders, rows: Rows, picked: Tensor, trust: float) -> Tensor:
    network.trust.fill_(trust)
    logs = _by_blocks(network_log_likelihoods, network, orders, rows, picked)
    return torch.zeros_like(network.trust).index_add_(0, rows.group, -logs)


@torch.inference_mode()  # type: ignore[untyped-decorator]  # torch is untyped here
def loss(model: CellGPT | CopulaLogits, orders: Orders, rows: Rows, picked: Tensor) -> float:
    """Return the weighted mean of nats per cell."""
    likelihoods = base_log_likelihoods if isinstance(model, CopulaLogits) else network_log_likelihoods
    return float(-(_by_blocks(likelihoods, model, orders, rows, picked) * rows.weight).sum())


def _by_blocks(likelihoods: Callable[..., Tensor], model: Any, orders: Orders, rows: Rows, picked: Tensor) -> Tensor:
    blocks = torch.arange(len(rows), device=rows.group.device).split(max(1, MAX_CELLS_AT_ONCE // rows.tokens.shape[1]))
    return torch.cat([likelihoods(model, orders, rows.pick(block), picked[block]) for block in blocks])


def choose_base(statistics: CopulaStatistics, held_out: Rows, seed: int) -> tuple[CopulaBase, float, float]:
    """Return the base whose shrinkage gives held-out rows the highest likelihood.

    Dependence is searched first, then what the pooled covariance counts.

    Returns
    -------
    base : CopulaBase
    independent : float
        Held-out nats per cell of the best base whose columns are independent within a group.
    loss : float
        The same of the base that was chosen.
    """
    n_orders = int(np.clip(MAX_COLUMNS_TO_CHOOSE // statistics.means.shape[1], 1, N_ORDERS_TO_CHOOSE))

    @functools.cache
    def score(shrinkage: Shrinkage) -> tuple[float, CopulaBase]:
        base = statistics.base(shrinkage)
        rng = np.random.default_rng(seed)
        orders = Orders.draw(base, rng, n_orders)
        picked = torch.as_tensor(rng.integers(n_orders, size=len(held_out)))
        return loss(CopulaLogits(base), orders, held_out, picked), base

    def best_of(options: Iterable[Shrinkage]) -> Shrinkage:
        return min(options, key=lambda option: score(option)[0])

    independent, _ = score(Shrinkage(COVARIANCE_ROWS[1], 0.0))
    best = best_of(Shrinkage(COVARIANCE_ROWS[1], dependence) for dependence in DEPENDENCES)
    best = best_of(dataclasses.replace(best, covariance_rows=rows) for rows in COVARIANCE_ROWS)
    chosen, base = score(best)
    return base, independent, chosen
