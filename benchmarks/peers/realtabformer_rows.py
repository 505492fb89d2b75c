"""Rows from REaLTabFormer: a GPT-2 over tokens of digits and categories, trained from random weights.

Run by the benchmarks in the environment that setup.py builds:  python realtabformer_rows.py FOLDER

The model is a GPT-2 of 128 x 3 instead of the default 768 x 6, and trains for a given number of epochs without the
bootstrap that decides when to stop: both make it faster than its defaults.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

os.environ |= {"HF_HUB_OFFLINE": "1", "WANDB_DISABLED": "true", "TOKENIZERS_PARALLELISM": "false"}

import torch
import transformers
from exchange import Exchange
from realtabformer import REaLTabFormer, rtf_sampler

if TYPE_CHECKING:
    import pandas as pd

N_PREFIX_TOKENS = 2  # the start of the sequence, and the label


encode_whole_rows = rtf_sampler.TabularSampler._process_seed_input


def encode_label(sampler: rtf_sampler.TabularSampler, seed_input: pd.DataFrame) -> torch.Tensor:
    """Return the tokens that a row begins with which has the label of the row in ``seed_input``.

    REaLTabFormer itself numbers columns by the columns it is given, so a lone label becomes an unknown token and
    conditions nothing.  A whole row is numbered as in training; all but its label is cut off.
    """
    return encode_whole_rows(sampler, seed_input)[:, :N_PREFIX_TOKENS]


def main() -> None:
    exchange = Exchange.from_command_line()
    request = exchange.request()
    train = exchange.train(request.label)
    transformers.set_seed(request.seed)
    torch.set_num_threads(1)
    rtf_sampler.TabularSampler._process_seed_input = encode_label
    exchange.start()
    model = REaLTabFormer(
        model_type="tabular",
        tabular_config=transformers.GPT2Config(n_embd=128, n_layer=3, n_head=4),
        checkpoints_dir=str(exchange.folder / "checkpoints"),
        samples_save_dir=str(exchange.folder / "samples"),
        epochs=request.epochs,
        batch_size=request.batch_size,
        random_state=request.seed,
        gradient_accumulation_steps=1,
        learning_rate=1e-3,
        save_strategy="no",
        eval_strategy="no",
        load_best_model_at_end=False,
        use_cpu=True,
        disable_tqdm=True,
        report_to=[],
    )
    model.fit(train, device="cpu", n_critic=0)
    exchange.stop("fit")

    def draw(value: str, n_rows: int) -> pd.DataFrame:
        seed_row = train[train[request.label] == value].head(1)
        return model.sample(n_rows, device="cpu", gen_batch=n_rows, seed_input=seed_row)

    exchange.collect(request.counts, request.label, draw, chunk=64)


if __name__ == "__main__":
    main()
