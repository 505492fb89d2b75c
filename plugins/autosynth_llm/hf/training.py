"""Fine-tuning on rows as text, full or with low-rank adapters, with early stopping on rows held out."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from autosynth_llm.hf.checkpoints import Checkpoints, TrainingState
from autosynth_llm.hf.examples import Batch, Examples, independent_nats
from autosynth_llm.hf.options import LLMOptions

if TYPE_CHECKING:
    import numpy.typing as npt

    from autosynth_llm.hf.grammar import Grammar

logger = logging.getLogger(__name__)

ADAPTERS_FROM_WEIGHTS = 300_000_000  # for lora=None
LEARNING_RATE, ADAPTER_LEARNING_RATE = 5e-5, 2e-4
WEIGHT_DECAY = 0.01
MAX_GRADIENT_NORM = 1.0
WARM_UP_SHARE = 0.05  # of all steps
MIN_IMPROVEMENT = 1e-4  # in nats per row; a smaller one counts as none


@dataclass
class TrainingRecord:
    """How a training went.

    Attributes
    ----------
    holdout_nats : list of float
        Loss on the rows held out in nats per row: before training, then after every epoch.  Empty without such rows.
    train_nats : list of float
        Mean loss per row of every epoch.
    best_epoch : int
        The epoch whose weights were kept; 0 means those from before training.
    independent_nats : float or None
        The same loss of columns drawn independently from the row's group; None without held-out rows.
    gain_error_nats : float or None
        One standard error of ``gain_nats``, from the differences of single rows; None with fewer than two of them.
    """

    holdout_nats: list[float] = field(default_factory=list)
    train_nats: list[float] = field(default_factory=list)
    best_epoch: int = 0
    independent_nats: float | None = None
    gain_error_nats: float | None = None

    @property
    def gain_nats(self) -> float | None:
        """How much less the held-out rows cost than under independent columns, in nats per row."""
        if self.independent_nats is None:
            return None
        return self.independent_nats - self.holdout_nats[self.best_epoch]


def with_adapters(model: Any, options: LLMOptions) -> Any:
    """Return the model to train: with adapters on all its linear layers where the options say so."""
    n_weights = sum(weight.numel() for weight in model.parameters())
    if not (n_weights >= ADAPTERS_FROM_WEIGHTS if options.lora is None else options.lora):
        return model
    import peft

    config = peft.LoraConfig(
        task_type="CAUSAL_LM",
        r=options.lora_rank,
        lora_alpha=2 * options.lora_rank,
        target_modules="all-linear",
        lora_dropout=0.05,
    )
    return peft.get_peft_model(model, config)


def without_adapters(model: Any) -> Any:
    """Return the model with its adapters merged into the weights."""
    return model.merge_and_unload() if hasattr(model, "merge_and_unload") else model


def train(
    model: Any,
    examples: Examples,
    options: LLMOptions,
    *,
    accelerator: Any,
    checkpoints: Checkpoints | None,
    deadline: float,
    rng: np.random.Generator,
) -> tuple[Any, TrainingRecord]:
    """Return the trained model and the record of its training.

    The loss is the one of constrained sampling: at every decision of the grammar, the cross-entropy among the tokens
    allowed there.  Nothing is spent on learning what the grammar fixes anyway: names, separators, the group.

    Parameters
    ----------
    model : PreTrainedModel or PeftModel
        Trained in place.
    examples : Examples
        All real rows.
    options : LLMOptions
        Knobs.
    accelerator : accelerate.Accelerator
        Places the model, and sets the precision.
    checkpoints : Checkpoints or None
        Where the state is kept after every epoch, and found again after an interruption.
    deadline : float
        On the clock of ``time.monotonic``: training stops then.
    rng : numpy.random.Generator
        Splits, shuffles and orders.  torch's global stream draws the dropout.
    """
    training, held_out = examples.split(options.holdout_share, rng)
    # The same rows in the same orders every time, so that two losses can be compared.
    judged = held_out.batches(np.arange(len(held_out)), options.batch_size, rng)
    session = _Session(model, examples.text.grammar, options, len(training), accelerator)
    record, best = TrainingRecord(), session.weights()
    if judged:
        independent = independent_nats(training, held_out)
        record.holdout_nats.append(float(session.losses(judged).mean()))
        record.independent_nats = float(independent.mean())
    state = checkpoints.load() if checkpoints is not None else None
    if state is not None:
        record, best = session.resume(state, rng)
        logger.info("training continues after epoch %d", len(record.train_nats))
    while len(record.train_nats) < options.epochs and time.monotonic() < deadline:
        if judged and len(record.train_nats) - record.best_epoch >= options.patience:
            break
        batches = training.batches(training.draw_epoch(rng), options.batch_size, rng)
        record.train_nats.append(session.epoch(batches, deadline))
        if judged:
            record.holdout_nats.append(float(session.losses(judged).mean()))
        if not judged or record.holdout_nats[-1] < record.holdout_nats[record.best_epoch] - MIN_IMPROVEMENT:
            record.best_epoch, best = len(record.train_nats), session.weights()
        logger.info("epoch %d: %.3f nats per row", len(record.train_nats), record.train_nats[-1])
        if checkpoints is not None:
            checkpoints.save(session.state(record, best, rng))
    session.put(best)
    if len(held_out) > 1:
        gains = independent - session.losses(judged)
        record.gain_error_nats = float(gains.std(ddof=1) / math.sqrt(len(gains)))
    if checkpoints is not None:
        checkpoints.clear()
    return session.release(), record


class _Session:
    """A model with its optimizer on a device."""

    def __init__(self, model: Any, grammar: Grammar, options: LLMOptions, n_rows: int, accelerator: Any) -> None:
        rate = options.learning_rate
        if rate is None:
            rate = ADAPTER_LEARNING_RATE if hasattr(model, "peft_config") else LEARNING_RATE
        weights = [weight for weight in model.parameters() if weight.requires_grad]
        optimizer = torch.optim.AdamW(weights, lr=rate, weight_decay=WEIGHT_DECAY)
        self._n_steps = max(1, options.epochs * math.ceil(n_rows / options.batch_size))
        self._step, self._rate = 0, rate
        self._accelerator = accelerator
        self._model, self._optimizer = accelerator.prepare(model, optimizer)
        device = accelerator.device
        self._allowed = torch.from_numpy(grammar.allowed).to(device)
        self._first_tokens = torch.from_numpy(grammar.first_tokens).to(device)

    def epoch(self, batches: list[Batch], deadline: float) -> float:
        """Take a step per batch, one at least, until the deadline, and return the mean loss per row."""
        self._model.train()
        total, n_rows = 0.0, 0
        for batch in batches:
            self._set_rate()
            loss = self._losses(batch).sum()
            self._accelerator.backward(loss / max(len(batch.rows), 1))
            self._accelerator.clip_grad_norm_(self._trained(), MAX_GRADIENT_NORM)
            self._optimizer.step()
            self._optimizer.zero_grad()
            self._step += 1
            total, n_rows = total + float(loss.detach()), n_rows + len(batch.tokens)
            if time.monotonic() >= deadline:
                break
        return total / n_rows

    def losses(self, batches: list[Batch]) -> npt.NDArray[np.float64]:
        """Return the loss of every row, in the order of the batches."""
        self._model.eval()
        with torch.no_grad():
            losses = [
                np.bincount(batch.rows, self._losses(batch).double().cpu().numpy(), minlength=len(batch.tokens))
                for batch in batches
            ]
        return np.concatenate(losses)

    def weights(self) -> dict[str, torch.Tensor]:
        """Return a copy of the trained weights, on the CPU."""
        return {
            name: weight.detach().to("cpu", copy=True)
            for name, weight in self._bare.named_parameters()
            if weight.requires_grad
        }

    def put(self, weights: dict[str, torch.Tensor]) -> None:
        """Set the trained weights."""
        with torch.no_grad():
            for name, weight in self._bare.named_parameters():
                if weight.requires_grad:
                    weight.copy_(weights[name])

    def release(self) -> Any:
        """Return the model as it was given: without accelerate's wrapping, on the CPU, for reading only."""
        model = self._accelerator.unwrap_model(self._model, keep_fp32_wrapper=False)
        self._optimizer.zero_grad(set_to_none=True)
        return model.to("cpu").eval()

    def state(self, record: TrainingRecord, best: dict[str, torch.Tensor], rng: np.random.Generator) -> TrainingState:
        """Return all that is needed to continue."""
        moments = {
            f"{number}.{key}": value.detach().cpu()
            for number, entry in self._optimizer.state_dict()["state"].items()
            for key, value in entry.items()
        }
        return TrainingState(
            weights=self.weights(),
            best=best,
            moments=moments,
            torch_stream=torch.get_rng_state(),
            numpy_stream=rng.bit_generator.state,
            step=self._step,
            record=asdict(record),
        )

    def resume(self, state: TrainingState, rng: np.random.Generator) -> tuple[TrainingRecord, dict[str, torch.Tensor]]:
        """Continue from a state and return its record and its best weights."""
        self.put(state.weights)
        entries: dict[int, dict[str, torch.Tensor]] = {}
        for name, value in state.moments.items():
            number, _, key = name.partition(".")
            entries.setdefault(int(number), {})[key] = value
        groups = self._optimizer.state_dict()["param_groups"]
        self._optimizer.load_state_dict({"state": entries, "param_groups": groups})
        self._step = state.step
        rng.bit_generator.state = state.numpy_stream
        torch.set_rng_state(state.torch_stream)
        return TrainingRecord(**state.record), state.best

    def _losses(self, batch: Batch) -> torch.Tensor:
        """Return the loss of every decision of a batch, in nats, shape (n_decisions,)."""
        device = self._accelerator.device
        tokens, mask, rows, positions, nodes, branches = (
            torch.from_numpy(part).to(device)
            for part in (batch.tokens, batch.mask, batch.rows, batch.positions, batch.nodes, batch.branches)
        )
        logits = self._model(
            input_ids=tokens, attention_mask=mask, use_cache=False
        ).logits  # (batch, longest, vocabulary)
        asked = logits[rows, positions].gather(1, self._first_tokens[nodes]).float()  # (n_decisions, max_branches)
        asked = asked.masked_fill(~self._allowed[nodes], -torch.inf)
        return torch.nn.functional.cross_entropy(asked, branches, reduction="none")

    def _set_rate(self) -> None:
        """Rise in a straight line, then fall as a cosine."""
        warm_up = max(1, round(WARM_UP_SHARE * self._n_steps))
        progress = min(1.0, max(0.0, (self._step - warm_up) / max(1, self._n_steps - warm_up)))
        rate = self._rate * min(1.0, (self._step + 1) / warm_up) * 0.5 * (1 + math.cos(math.pi * progress))
        for group in self._optimizer.param_groups:
            group["lr"] = rate

    def _trained(self) -> Iterable[torch.Tensor]:
        return (weight for weight in self._model.parameters() if weight.requires_grad)

    @property
    def _bare(self) -> Any:
        return self._accelerator.unwrap_model(self._model)
