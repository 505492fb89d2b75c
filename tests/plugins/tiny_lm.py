"""A tiny causal language model with random weights and a tokenizer of its own, in a folder like any other."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from autosynth_llm.hf.isolation import quiet

CONTEXT = 512
END = "<|end|>"
WINDOW = 16  # tokens that some layers look back over
WINDOWED, OTHERS = ("gpt_neo", "mistral"), ("mpt", "bert")


def make_tiny_lm(
    folder: Path, lines: Iterable[str] = (), *, family: str = "gpt2", width: int = 32, n_layers: int = 2, seed: int = 0
) -> str:
    """Write a model and a byte-level BPE tokenizer into ``folder`` and return its path.

    Parameters
    ----------
    folder : Path
        Made when it is missing.
    lines : iterable of str
        What the tokenizer learns its merges from; it can write any text, with more tokens.
    family : "gpt2", "llama", "gpt_neo", "mistral", "mpt" or "bert"
        Learned positions; rotary ones; either of these with a window of 16 tokens; biases by distance; no language
        model at all, as its attention goes both ways.
    width, n_layers : int
        Size of the model.
    seed : int
        Decides the weights.
    """
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    bpe.train_from_iterator(
        lines,
        trainers.BpeTrainer(vocab_size=500, special_tokens=[END], initial_alphabet=alphabet, show_progress=False),
    )
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bpe, bos_token=END, eos_token=END)
    config = _config(family, width, n_layers, len(tokenizer))
    with torch.random.fork_rng(), quiet(offline=True):
        torch.manual_seed(seed)
        model = AutoModelForCausalLM.from_config(config)
        if family in WINDOWED + OTHERS:
            for weight in model.parameters():
                if weight.ndim > 1:
                    torch.nn.init.normal_(weight, std=0.3)  # attention must matter for how it looks to be seen
    with quiet(offline=True):
        tokenizer.save_pretrained(folder)
        model.save_pretrained(folder)
    return str(folder)


def _config(family: str, width: int, n_layers: int, n_tokens: int) -> Any:
    import transformers

    common: dict[str, Any] = {"vocab_size": n_tokens, "bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 0}
    usual = common | {
        "hidden_size": width,
        "intermediate_size": 2 * width,
        "num_hidden_layers": n_layers,
        "num_attention_heads": 2,
        "max_position_embeddings": CONTEXT,
    }
    few_keys = usual | {"num_key_value_heads": 1}
    if family == "gpt2":
        return transformers.GPT2Config(n_embd=width, n_layer=n_layers, n_head=2, n_positions=CONTEXT, **common)
    if family == "llama":
        return transformers.LlamaConfig(**few_keys)
    if family == "mistral":
        return transformers.MistralConfig(sliding_window=WINDOW, **few_keys)
    if family == "bert":
        return transformers.BertConfig(**usual)
    if family == "mpt":
        return transformers.MptConfig(d_model=width, n_layers=n_layers, n_heads=2, max_seq_len=CONTEXT, **common)
    return transformers.GPTNeoConfig(
        hidden_size=width,
        num_layers=2,
        num_heads=2,
        attention_types=[[["global", "local"], 1]],
        window_size=WINDOW,
        max_position_embeddings=CONTEXT,
        **common,
    )


def rows_as_lines(frame: pd.DataFrame) -> list[str]:
    """Return rows roughly as the generator writes them."""
    return [", ".join(f"{name} is {value}" for name, value in row.items()) for row in frame.to_dict("records")]
