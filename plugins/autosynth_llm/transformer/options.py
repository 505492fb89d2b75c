"""The options of ``transformer``."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal, TypeAlias

from autosynth.exceptions import ConfigError
from autosynth.options import check_choice, check_number, check_whole

Device: TypeAlias = Literal["auto", "cpu", "cuda"]


@dataclass(frozen=True, kw_only=True)
class TransformerOptions:
    """Options of ``transformer``; None means a value by the size of the table, see ``sizes.py``.

    Attributes
    ----------
    bins : int or None
        Numbers with more distinct values are cut into about this many bins.
    max_levels : int
        Categories with more levels are copied from real rows of the same group, as texts are.
    width, layers, heads : int or None
        Channels of the network, its blocks, and attention heads per block; heads divides width.
    dropout : float
        Share of the channels dropped in training.
    members : int or None
        Networks trained, each with another part of the rows held out; the synthetic rows come from all of them.
    steps : int or None
        Training steps per network at most.
    batch_size : int or None
        Rows per step.
    learning_rate, weight_decay : float
        Of AdamW.
    patience : int
        Training stops after this many looks at the held-out rows (20 in ``steps``) without a better one.
    holdout_share : float
        Share of every group's rows held out by each network.
    group_balance : float
        Rows are drawn with weight n_g to the power of minus this: 0 as they come, 1 all groups equally often.
    temperature : float
        Below 1 the network's draws are more typical, above 1 more varied.
    device : "auto", "cpu" or "cuda"
        "auto" takes a GPU when there is one and the table is large enough to gain by it.  Equal seeds give equal rows
        on CPU only.
    n_threads : int
        Threads of torch while it trains and draws.  The number of cores does not change it, so that rows do not depend
        on the machine; networks this small gain little by a second one, and lose much when other processes want it.
    time_limit_s : float or None
        Training stops after this many seconds and keeps the best network so far.  What comes before, the choice of
        the copula, is not cut short; on very wide tables it takes seconds.
    checkpoint : str or None
        A folder for the state of unfinished trainings, each below a name of its own.  When the same table, options and
        seed come again, training goes on from there; the state is removed when a training is complete.
    """

    bins: int | None = None
    max_levels: int = 256
    width: int | None = None
    layers: int | None = None
    heads: int | None = None
    dropout: float = 0.05
    members: int | None = None
    steps: int | None = None
    batch_size: int | None = None
    learning_rate: float = 6e-3
    weight_decay: float = 0.3
    patience: int = 6
    holdout_share: float = 0.2
    group_balance: float = 0.5
    temperature: float = 1.0
    device: Device = "auto"
    n_threads: int = 1
    time_limit_s: float | None = None
    checkpoint: str | None = None

    def __post_init__(self) -> None:
        for name, minimum in (("bins", 2), ("width", 4), ("layers", 1), ("heads", 1), ("members", 1), ("steps", 1)):
            if getattr(self, name) is not None:
                check_whole(name, getattr(self, name), minimum=minimum)
        if self.batch_size is not None:
            check_whole("batch_size", self.batch_size)
        for name in ("max_levels", "patience", "n_threads"):
            check_whole(name, getattr(self, name))
        check_number("learning_rate", self.learning_rate, above=0)
        check_number("temperature", self.temperature, low=0.05)
        check_number("dropout", self.dropout, low=0, high=0.9)
        check_number("weight_decay", self.weight_decay, low=0)
        check_number("holdout_share", self.holdout_share, above=0, high=0.5)
        check_number("group_balance", self.group_balance, low=0, high=1)
        check_choice("device", self.device, ("auto", "cpu", "cuda"))
        if self.time_limit_s is not None:
            check_number("time_limit_s", self.time_limit_s, above=0)
        if self.checkpoint is not None:
            if not isinstance(self.checkpoint, str | os.PathLike) or not str(self.checkpoint).strip():
                raise ConfigError(f"checkpoint={self.checkpoint!r} names no folder. Give the path of one.")
            object.__setattr__(self, "checkpoint", str(self.checkpoint))
        if self.width is not None and self.heads is not None and self.width % self.heads:
            raise ConfigError(
                f"width={self.width} is not a multiple of heads={self.heads}. Try width={self.heads * 16}."
            )
