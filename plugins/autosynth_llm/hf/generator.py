"""The generator ``llm``: a pretrained causal language model, fine-tuned on the table's rows as text."""

from __future__ import annotations

import copy
import hashlib
import json
import logging
import math
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from autosynth import Group, SampledRows, Table
from autosynth.cells import CellCodec
from autosynth.exceptions import ConfigError, DataError, GenerationError
from autosynth.extras import require_extra
from autosynth.isolation import isolated
from autosynth_llm.hf.isolation import borrowed_accelerator, quiet
from autosynth_llm.hf.loading import check_model, context_length
from autosynth_llm.hf.loading import load as load_model
from autosynth_llm.hf.options import LLMOptions
from autosynth_llm.hf.row_text import RowText

if TYPE_CHECKING:
    from autosynth_llm.hf.examples import Examples

logger = logging.getLogger(__name__)

REQUIRED = ("torch", "transformers", "peft", "accelerate")
MIN_GAIN_NATS = 0.02  # per column; below it the rows are hardly better than columns drawn independently


class LLMGenerator:
    """A Hugging Face causal language model that writes rows of the table and nothing else.

    A row is written as ``ill is yes, hospital is south, age is 61, ...``: first what the group fixes, which is the
    prompt, then the other columns in a random order.  Sampling is held to a grammar: a column can only take its own
    values, so that every row is valid and in its group, whatever the model's weights.  A category or a number with few
    distinct values is written as it is; other numbers, dates and durations as the middle of one of about
    ``max_number_values`` bins, in training and in sampling alike, and the value inside the bin is then drawn between
    real ones.  A binned group column is kept inside its bin the same way.

    Without pretrained weights text is a poor way to write a table: use it with a model that has read something, and
    ``transformer`` otherwise.

    Parameters
    ----------
    options : LLMOptions, optional
        Names the model, unless one is given here.
    model, tokenizer : PreTrainedModel and PreTrainedTokenizer, optional
        Objects in place of ``options.model``, both or none; the model is copied before it is trained.

    Attributes
    ----------
    record_ : TrainingRecord
        Losses per epoch.
    uses_cache_ : bool
        Whether rows are written with the model's cache.  ``fit`` finds out on a few rows; without it, as some families
        need it, writing takes several times as long.

    Raises
    ------
    ConfigError
        If no model is named or given.
    """

    def __init__(self, options: LLMOptions | None = None, *, model: Any = None, tokenizer: Any = None) -> None:
        self.options = options or LLMOptions()
        if (model is None) != (tokenizer is None):
            raise ConfigError("a model or a tokenizer was given alone. Give both objects, or name the model.")
        if model is None and self.options.model is None:
            raise ConfigError(
                "model=None names no language model. Give a folder or the id of one on the Hugging Face hub, such as "
                "model='distilgpt2' (downloaded only with local_files_only=False), or use the generator 'transformer', "
                "which learns from your rows alone and needs no download."
            )
        self.model = model
        self.tokenizer = tokenizer

    def __deepcopy__(self, memo: dict[int, Any]) -> LLMGenerator:
        """Return a copy that shares the model given: ``fit`` trains a copy of it, and one is enough."""
        twin = copy.copy(self)
        memo[id(self)] = twin
        # Not in ``memo`` itself: whoever copies us together with the model may want a copy of that.
        shared = memo | {id(self.model): self.model}
        vars(twin).update({name: copy.deepcopy(value, shared) for name, value in vars(self).items()})
        return twin

    def fit(self, table: Table, *, rng: np.random.Generator) -> LLMGenerator:
        """Fine-tune the model on the real rows.

        Raises
        ------
        MissingExtraError
            If a package of the extra ``llm`` is not installed.
        ConfigError
            If the model cannot be had or used, as one that looks ahead in a row, or there is no such device.
        DataError
            If the rows are too long for the model, or its tokenizer cannot write them.
        """
        for module in REQUIRED:
            require_extra(module, extra="llm")
        started = time.monotonic()
        stream = json.dumps(rng.bit_generator.state, default=str)  # before anything is drawn: part of a fingerprint
        model, tokenizer = (
            (copy.deepcopy(self.model), self.tokenizer) if self.model is not None else load_model(self.options)
        )
        check_model(model, self._model_name(model))
        self.groups_ = table.groups
        self.codec_ = CellCodec.learn(
            table, max_bins=self.options.max_number_values, max_levels=self.options.max_levels
        )
        with quiet(offline=True):
            self.text_ = RowText.learn(table, self.codec_, tokenizer)
        self._check_length(model)
        self.tokenizer_ = tokenizer
        self._train(model, table, stream, started, rng)
        logger.info("fitted on %d rows in %.1f s", len(table), time.monotonic() - started)
        return self

    def sample(self, counts: Mapping[Group, int], *, rng: np.random.Generator) -> SampledRows:
        """Write the rows asked for; all of them come."""
        from autosynth_llm.hf.decoding import RowDecoder

        torch = require_extra("torch", extra="llm")
        wanted = [(self.groups_.index(group), count) for group, count in counts.items()]
        groups = np.repeat(
            np.array([code for code, _ in wanted], dtype=np.int64), np.array([count for _, count in wanted], dtype=int)
        )
        cells = np.zeros((len(groups), len(self.codec_.columns)), dtype=np.int64)
        with (
            quiet(offline=True),
            isolated(rng, torch=torch, n_threads=self.options.n_threads, gpu=self.options.device != "cpu"),
            borrowed_accelerator(self.options) as accelerator,
        ):
            self.model_.to(accelerator.device)
            decoder = RowDecoder(
                self.model_, self.text_, temperature=self.options.temperature, uses_cache=self.uses_cache_
            )
            with accelerator.autocast():
                for start in range(0, len(groups), self.options.sample_batch_size):
                    batch = slice(start, start + self.options.sample_batch_size)
                    cells[batch] = decoder.draw(groups[batch], cells.shape[1], rng)
            self.model_.to("cpu")  # other folds may want the GPU
        return self.codec_.decode(cells, groups, rng=rng, notes=self._notes(len(groups)))

    def save(self, folder: str | Path) -> Path:
        """Write the fitted generator into a folder: safetensors, JSON and the tokenizer's files.

        The folder holds real values (categories, limits, and whole cells of columns that are copied): treat it as you
        treat the table.

        Raises
        ------
        GenerationError
            If nothing was fitted yet.
        ConfigError
            If the folder exists and holds something else.
        """
        if not hasattr(self, "record_"):
            raise GenerationError("this generator has not learned from a table yet. Call fit before save.")
        from autosynth_llm.hf.storage import save

        return save(self, Path(folder))

    @classmethod
    def load(cls, folder: str | Path) -> LLMGenerator:
        """Return the generator that :meth:`save` wrote.

        Raises
        ------
        ConfigError
            If the folder is no saved generator, incomplete, or of another version of the format.
        """
        for module in REQUIRED:
            require_extra(module, extra="llm")
        from autosynth_llm.hf.storage import load

        return load(cls, Path(folder))

    def _train(self, model: Any, table: Table, stream: str, started: float, rng: np.random.Generator) -> None:
        from autosynth_llm.hf.checkpoints import Checkpoints
        from autosynth_llm.hf.examples import Examples
        from autosynth_llm.hf.self_check import can_use_cache
        from autosynth_llm.hf.training import train, with_adapters, without_adapters

        torch = require_extra("torch", extra="llm")
        options = self.options
        cells = self.codec_.encode(table.frame, table.group_codes).tokens
        examples = Examples(self.text_, cells, table.group_codes)
        checkpoints = None
        if options.checkpoint is not None:
            fingerprint = self._fingerprint(examples, model, stream)
            checkpoints = Checkpoints(Path(options.checkpoint).expanduser(), fingerprint)
        with (
            quiet(offline=True),
            isolated(rng, torch=torch, n_threads=options.n_threads, gpu=options.device != "cpu"),
            borrowed_accelerator(options) as accelerator,
        ):
            model.to(accelerator.device)
            self.uses_cache_ = can_use_cache(model, self.text_, len(self.groups_), len(self.codec_.columns))
            model.to("cpu")
            trained, self.record_ = train(
                with_adapters(model, options),
                examples,
                options,
                accelerator=accelerator,
                checkpoints=checkpoints,
                deadline=math.inf if options.time_limit_s is None else started + options.time_limit_s,
                rng=rng,
            )
            self.model_ = without_adapters(trained)

    def _check_length(self, model: Any) -> None:
        needed, context = self.text_.max_row_tokens, context_length(model)
        limit = min(self.options.max_row_tokens, context or needed)
        if needed > limit:
            n_written = len(self.text_.first_columns) + len(self.text_.other_columns)
            raise DataError(
                f"a row may take {needed} tokens for its {n_written} columns; max_row_tokens is "
                f"{self.options.max_row_tokens} and the model reads {context or 'any number of'} tokens. Leave out or "
                "shorten columns, raise the limit, use a model with a longer context, or the generator 'transformer', "
                "which takes one step per column."
            )

    def _fingerprint(self, examples: Examples, model: Any, stream: str) -> str:
        """Return a name for all that decides how a training goes."""
        options = asdict(self.options) | {"checkpoint": None, "time_limit_s": None}
        digest = hashlib.sha256(json.dumps([options, self._model_name(model), stream], sort_keys=True).encode())
        text, grammar = examples.text, examples.text.grammar
        # What is written, not the codes alone: tables of other values may have the same codes.
        digest.update(json.dumps([text.prompts, text.names, grammar.tokens]).encode())
        for array in (examples.cells, examples.group_codes, grammar.first_tokens, grammar.targets, grammar.choices):
            digest.update(f"{array.shape}".encode() + np.ascontiguousarray(array).tobytes())
        for name, weight in model.named_parameters():
            digest.update(f"{name} {tuple(weight.shape)} {weight.dtype}".encode())
            flat = weight.detach().cpu().reshape(-1)
            digest.update(flat.view(require_extra("torch", extra="llm").uint8).numpy())  # bytes: numpy has no bfloat16
        return digest.hexdigest()

    def _model_name(self, model: Any) -> str:
        return self.options.model or type(model).__name__

    def _notes(self, n_rows: int) -> dict[str, int]:
        """Say so unless the model is better than columns drawn independently, by more than chance may explain.

        The figure stays in ``record_``: the notes of several folds are added up by their words.
        """
        n_written = len(self.text_.first_columns) + len(self.text_.other_columns)
        gain, error = self.record_.gain_nats, self.record_.gain_error_nats
        if gain is None or error is None or gain > max(MIN_GAIN_NATS * n_written, error):
            return {}
        return {"written by a model that predicts held-out rows no better than independent columns": n_rows}
