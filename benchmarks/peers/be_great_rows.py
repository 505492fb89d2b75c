"""Rows from be_great: fine-tunes a language model on rows as text and reads its answers.

Run by the benchmarks in the environment that setup.py builds:  python be_great_rows.py FOLDER

No weights can be downloaded, so the model is a GPT-2 of 128 x 3 with random weights, and its tokenizer is learned from
the training rows.  A pretrained model is slower still, and may well be better.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

os.environ |= {"HF_HUB_OFFLINE": "1", "WANDB_DISABLED": "true", "TOKENIZERS_PARALLELISM": "false"}

import torch
import transformers
from be_great import GReaT
from exchange import Exchange
from tokenizers import ByteLevelBPETokenizer

if TYPE_CHECKING:
    import pandas as pd

END = "<|endoftext|>"


def row_texts(frame: pd.DataFrame) -> list[str]:
    rows = frame.to_dict(orient="records")
    return [", ".join(f"{name} is {value}" for name, value in row.items()) for row in rows]


def make_model(folder: Path, texts: list[str]) -> int:
    """Write a small GPT-2 with random weights into ``folder`` and return how many tokens the longest row takes."""
    folder.mkdir()
    bpe = ByteLevelBPETokenizer()
    bpe.train_from_iterator(texts, vocab_size=600, special_tokens=[END], show_progress=False)
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=bpe._tokenizer, bos_token=END, eos_token=END, pad_token=END
    )
    tokenizer.save_pretrained(folder)
    longest = max(len(tokenizer(text)["input_ids"]) for text in texts)
    config = transformers.GPT2Config(
        vocab_size=len(tokenizer),
        n_positions=2 * longest + 64,
        n_embd=128,
        n_layer=3,
        n_head=4,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    transformers.GPT2LMHeadModel(config).save_pretrained(folder)
    return longest


def main() -> None:
    exchange = Exchange.from_command_line()
    request = exchange.request()
    train = exchange.train(request.label)
    transformers.set_seed(request.seed)
    torch.set_num_threads(1)
    longest = make_model(exchange.folder / "gpt2", row_texts(train))
    exchange.start()
    model = GReaT(
        str(exchange.folder / "gpt2"),
        experiment_dir=str(exchange.folder / "trainer"),
        epochs=request.epochs,
        batch_size=request.batch_size,
        learning_rate=1e-3,  # from random weights; the default of 5e-5 is for pretrained ones
        save_strategy="no",
        use_cpu=True,
        disable_tqdm=True,
    )
    model.fit(train, conditional_col=request.label, random_conditional_col=False)
    exchange.stop("fit")

    def draw(value: str, n_rows: int) -> pd.DataFrame:
        return model.sample(
            n_rows,
            start_col=request.label,
            start_col_dist={value: 1.0},
            k=max(n_rows, 16),
            max_length=longest + 32,
            device="cpu",
            drop_nan=not train.isna().any(axis=None),
        )

    exchange.collect(request.counts, request.label, draw, chunk=32)


if __name__ == "__main__":
    main()
