"""The options of the generator ``llm``, checked when they are built."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from autosynth.exceptions import ConfigError
from autosynth.options import check_choice, check_flag, check_number, check_whole


@dataclass(frozen=True, kw_only=True)
class LLMOptions:
    """Options of ``llm``.

    Attributes
    ----------
    model : str or None
        A folder with a Hugging Face model, or the id of one on the hub, such as "distilgpt2".  Needed, unless a model
        object is given to the generator.
    revision : str or None
        Branch, tag or commit on the hub; name a commit to get the same weights for ever.
    local_files_only : bool
        Use what is on this machine and never the network.  With False, a model that is not here yet is downloaded.
    dtype : "float32" or "bfloat16"
        In which the weights are kept.
    mixed_precision : "auto", "no", "bf16" or "fp16"
        What accelerate computes in; "auto" takes bf16 on a GPU that has it.
    device : "auto", "cpu" or "cuda"
        Where to train and sample; "auto" leaves it to accelerate, which takes a GPU when there is one.
    n_threads : int
        Threads of torch while it trains and writes.  Sums, and so rows, may depend on it, but not on the number of
        cores.  A large model without a GPU wants as many as there are free cores; a tiny one was six times slower with
        two than with one while other processes were busy.
    lora : bool or None
        Train low-rank adapters (peft) instead of all weights; None does so from 300 million weights on.
    lora_rank : int
        Rank of the adapters.
    epochs : int
        Passes over the training rows at most; 0 samples from the model as it is.
    patience : int
        Training ends when the held-out loss has not fallen for so many epochs; the best epoch counts.
    holdout_share : float
        Share of the rows, 0 to 0.5, on which that loss is measured; at least 40 rows are needed for it.
    batch_size : int
        Rows per training step.
    learning_rate : float or None
        At its peak; None takes 5e-5, and 2e-4 for adapters.
    temperature : float
        Above 1 makes rows more varied, below 1 more typical.
    sample_batch_size : int
        Rows that are written at once, in a common order of columns.
    max_row_tokens : int
        A table whose rows would take more tokens is refused before training.
    max_number_values : int
        Numbers with more distinct values are written by about this many typical ones; see the generator.
    max_levels : int
        A category column with more levels is copied from real rows of the same group, as texts are, and counted.
    time_limit_s : float or None
        Training stops after this many seconds and keeps the best epoch so far.
    checkpoint : str or None
        A folder for the state of unfinished trainings, a file for each.  When the same table, model, options and seed
        come again, training goes on from there; the state is removed when a training is complete.
    """

    model: str | None = None
    revision: str | None = None
    local_files_only: bool = True
    dtype: Literal["float32", "bfloat16"] = "float32"
    mixed_precision: Literal["auto", "no", "bf16", "fp16"] = "auto"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    n_threads: int = 1
    lora: bool | None = None
    lora_rank: int = 8
    epochs: int = 10
    patience: int = 2
    holdout_share: float = 0.1
    batch_size: int = 16
    learning_rate: float | None = None
    temperature: float = 1.0
    sample_batch_size: int = 64
    max_row_tokens: int = 1024
    max_number_values: int = 64
    max_levels: int = 100
    time_limit_s: float | None = None
    checkpoint: str | None = None

    def __post_init__(self) -> None:
        for name in ("model", "revision", "checkpoint"):
            _check_name(name, getattr(self, name))
        check_flag("local_files_only", self.local_files_only)
        check_choice("dtype", self.dtype, ("float32", "bfloat16"))
        check_choice("mixed_precision", self.mixed_precision, ("auto", "no", "bf16", "fp16"))
        check_choice("device", self.device, ("auto", "cpu", "cuda"))
        if self.lora is not None:
            check_flag("lora", self.lora)
        check_whole("epochs", self.epochs, minimum=0)
        for name in ("n_threads", "lora_rank", "patience", "batch_size", "sample_batch_size", "max_row_tokens"):
            check_whole(name, getattr(self, name))
        for name in ("max_number_values", "max_levels"):
            check_whole(name, getattr(self, name), minimum=2)
        check_number("holdout_share", self.holdout_share, low=0.0, high=0.5)
        check_number("temperature", self.temperature, above=0.0)
        for name in ("learning_rate", "time_limit_s"):
            if getattr(self, name) is not None:
                check_number(name, getattr(self, name), above=0.0)


def _check_name(name: str, value: object) -> None:
    if value is not None and (not isinstance(value, str) or not value.strip()):
        raise ConfigError(f"{name}={value!r} is no name. Use a text, or None.")
