"""Trains one network on the cells of real rows, with a part of the rows held out to say when to stop.

Imports torch, so that only methods import this module.
"""

from __future__ import annotations

import logging
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from autosynth_llm.transformer.cell_gpt import CellGPT
from autosynth_llm.transformer.copula import CopulaStatistics
from autosynth_llm.transformer.likelihood import choose_base, choose_trust, loss, network_log_likelihoods
from autosynth_llm.transformer.rows import Orders, Rows, row_weights

if TYPE_CHECKING:
    import numpy.typing as npt

    from autosynth.cells import CellCodec, Cells
    from autosynth_llm.transformer.checkpoint import Checkpoint
    from autosynth_llm.transformer.copula import CopulaBase
    from autosynth_llm.transformer.options import TransformerOptions
    from autosynth_llm.transformer.sizes import Sizes

logger = logging.getLogger(__name__)

N_LOOKS = 20  # looks at the held-out rows in a full training
MIN_STEPS_BETWEEN_LOOKS = 10
MIN_IMPROVEMENT = 1e-4  # nats per cell
WARM_UP_STEPS = 50
LAST_RATE = 0.05  # of the learning rate, at the end
MAX_HELD_OUT_ROWS = 2_000
MIN_HELD_OUT_VIEWS = 400  # few held-out rows are seen in several orders each
MAX_VIEWS = 8
N_ORDERS_KEPT = 64  # for drawing; training needs more of them


@dataclass(frozen=True)
class Task:
    """A table as a network learns it.

    Attributes
    ----------
    codec : CellCodec
    cells : Cells
        Of all real rows.
    latent : ndarray of shape (n_rows, n_columns)
        Their scores as the copula base sees them.
    group_codes : ndarray of int, shape (n_rows,)
    axis_codes : ndarray of int, shape (n_groups, n_axes)
        The values of every group, numbered across the axes.
    folds : ndarray of int, shape (n_rows,)
        Which member holds a row out; -1 for none.
    options : TransformerOptions
    sizes : Sizes
        For this table.
    seed : int
    device : str
    """

    codec: CellCodec
    cells: Cells
    latent: npt.NDArray[np.float64]
    group_codes: npt.NDArray[np.int64]
    axis_codes: npt.NDArray[np.int64]
    folds: npt.NDArray[np.int64]
    options: TransformerOptions
    sizes: Sizes
    seed: int
    device: str


@dataclass(frozen=True)
class Member:
    """A trained network and what its training showed, in nats per held-out cell.

    Attributes
    ----------
    network : CellGPT
    base : CopulaBase
        What the network was built on.
    orders : Orders
        Those that rows are drawn in.
    independent : float
        Loss of columns that are independent within the group.
    copula : float
        Loss of the base, before training.
    trained : float
        Loss of the network.
    n_steps : int
        Steps until the best one.
    is_complete : bool
        False when a time limit ended the training.
    """

    network: CellGPT
    base: CopulaBase
    orders: Orders
    independent: float
    copula: float
    trained: float
    n_steps: int
    is_complete: bool = True

    @property
    def gain(self) -> float:
        """What the network knows beyond independent columns."""
        return self.independent - self.trained


def train_member(task: Task, member: int, deadline: float, checkpoint: Checkpoint | None = None) -> Member:
    """Return a network that was trained on all rows but those of fold ``member``.

    Parameters
    ----------
    task : Task
        What to learn.
    member : int
        Number of the network, and of the fold that it holds out.
    deadline : float
        On the clock of ``time.monotonic``; training ends with the first step after it.
    checkpoint : Checkpoint, optional
        Where the state goes at every look, and from where training goes on.
    """
    options, rng = task.options, np.random.default_rng([task.seed, member])
    train = np.flatnonzero(task.folds != member)
    rows = Rows.take(task.cells, task.latent, task.group_codes, train, options.group_balance)
    held_out = _held_out_rows(task, member, rng)
    statistics = CopulaStatistics.learn(
        task.codec, task.cells.tokens[train], task.latent[train], task.group_codes[train], len(task.axis_codes)
    )
    base, independent, copula = choose_base(statistics, held_out, task.seed)
    orders = Orders.draw(base, rng)
    stream = torch.Generator().manual_seed(int(rng.integers(2**31)))
    network = CellGPT(base, torch.as_tensor(task.axis_codes), task.sizes, options.dropout, stream).to(task.device)
    picked = torch.as_tensor(rng.integers(len(orders.columns), size=len(held_out)))
    training = Training(task, network, orders.to(task.device), rows.to(task.device), stream)
    training.run(held_out.to(task.device), picked.to(task.device), deadline, checkpoint)
    logger.info(
        "transformer %d: %d steps, held-out nats per cell %.4f (independent columns %.4f, copula %.4f)",
        member, training.best_step, training.best_loss, independent, copula,
    )  # fmt: skip
    network.load_state_dict(training.best_weights)
    network.eval()
    sizes = torch.as_tensor(np.bincount(task.group_codes, minlength=len(task.axis_codes)))
    choose_trust(network, training.orders, held_out.to(task.device), picked.to(task.device), sizes)
    network.use_stream(None)
    kept = orders.first(N_ORDERS_KEPT)
    return Member(
        network=network.cpu(),
        base=base,
        orders=kept,
        independent=independent,
        copula=copula,
        trained=training.best_loss,
        n_steps=training.best_step,
        is_complete=training.is_complete,
    )


class Training:
    """The state of a training: what a checkpoint has to hold."""

    def __init__(self, task: Task, network: CellGPT, orders: Orders, rows: Rows, stream: torch.Generator) -> None:
        self.task, self.network, self.orders, self.rows, self.stream = task, network, orders, rows, stream
        options = task.options
        self.optimizer = torch.optim.AdamW(
            network.decay_groups(options.weight_decay), lr=options.learning_rate, betas=(0.9, 0.98), fused=True
        )
        self.n_steps, self.is_complete = task.sizes.steps, True
        self.step, self.best_step, self.best_loss, self.n_idle_looks = 0, 0, math.inf, 0
        self.best_weights = _copy(network)
        self.cumulated = rows.weight.double().cumsum(0).cpu()
        dropout = stream if task.device == "cpu" else _on(task.device, stream)
        self.streams = [stream] if dropout is stream else [stream, dropout]
        network.use_stream(dropout)

    def run(self, held_out: Rows, picked: Tensor, deadline: float, checkpoint: Checkpoint | None) -> None:
        """Train until nothing more is gained on the held-out rows, all steps are done, or time is up."""
        every = max(MIN_STEPS_BETWEEN_LOOKS, self.n_steps // N_LOOKS)
        if checkpoint is None or not checkpoint.load(self):
            self.look(held_out, picked)
        while self.step < self.n_steps and self.n_idle_looks < self.task.options.patience:
            self.take_step()
            if self.step % every == 0 or self.step == self.n_steps:
                self.look(held_out, picked)
                if checkpoint is not None:
                    checkpoint.save(self)
            if time.monotonic() >= deadline:
                logger.info("transformer: time is up after %d of %d steps", self.step, self.n_steps)
                self.is_complete = False
                self.look(held_out, picked)  # after the state was saved: a resumed training looks on schedule
                break

    def take_step(self) -> None:
        """Train on one batch."""
        options, n_rows = self.task.options, self.task.sizes.batch_size
        self.network.train()
        for group in self.optimizer.param_groups:
            group["lr"] = options.learning_rate * _rate(self.step + 1, self.n_steps)
        draws = torch.rand(n_rows, generator=self.stream, dtype=torch.float64) * self.cumulated[-1]
        index = torch.searchsorted(self.cumulated, draws).clamp_max(len(self.rows) - 1).to(self.task.device)
        picked = torch.randint(len(self.orders.columns), (n_rows,), generator=self.stream).to(self.task.device)
        nats = -network_log_likelihoods(self.network, self.orders, self.rows.pick(index), picked).mean()
        self.optimizer.zero_grad(set_to_none=True)
        nats.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1

    def look(self, held_out: Rows, picked: Tensor) -> None:
        """Score the held-out rows, and keep the weights when they are the best so far."""
        self.network.eval()
        now = loss(self.network, self.orders, held_out, picked)
        if now < self.best_loss - MIN_IMPROVEMENT:
            self.best_loss, self.best_step, self.n_idle_looks = now, self.step, 0
            self.best_weights = _copy(self.network)
        else:
            self.n_idle_looks += 1


def _held_out_rows(task: Task, member: int, rng: np.random.Generator) -> Rows:
    held = np.flatnonzero(task.folds == member)
    if len(held) > MAX_HELD_OUT_ROWS:
        weights = row_weights(task.group_codes, task.options.group_balance)[held]
        held = rng.choice(held, MAX_HELD_OUT_ROWS, replace=False, p=weights / weights.sum())
        return Rows.take(task.cells, task.latent, task.group_codes, held, 0.0)  # drawn by weight already
    n_views = int(np.clip(MIN_HELD_OUT_VIEWS // len(held), 1, MAX_VIEWS))
    return Rows.take(task.cells, task.latent, task.group_codes, np.tile(held, n_views), task.options.group_balance)


def _rate(step: int, n_steps: int) -> float:
    """Return the factor on the learning rate: a linear warm-up, then half a cosine down to ``LAST_RATE``."""
    falling = LAST_RATE + (1 - LAST_RATE) * 0.5 * (1 + math.cos(math.pi * step / n_steps))
    return min(1.0, step / WARM_UP_STEPS) * falling


def _copy(network: CellGPT) -> dict[str, Tensor]:
    return {name: weight.clone() for name, weight in network.state_dict().items()}


def _on(device: str, stream: torch.Generator) -> torch.Generator:
    """Return a stream on another device, seeded by the one given."""
    return torch.Generator(device).manual_seed(int(torch.randint(2**31, (1,), generator=stream)))
