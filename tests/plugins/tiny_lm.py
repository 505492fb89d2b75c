"""A tiny causal language model with random weights and a tokenizer of its own, in a folder like any other."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from autosynth_llm.hf.isolation import quiet

CONTEXT = 512
END = "<|end|>"


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
    family : "gpt2" or "llama"
        Learned positions, or rotary ones.
    width, n_layers : int
        Size of the model.
    seed : int
        Decides the weights.
    """
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    bpe.train_from_iterator(
        lines,
        trainers.BpeTrainer(vocab_size=500, special_tokens=[END], initial_alphabet=alphabet, show_progress=False),
    )
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bpe, bos_token=END, eos_token=END)
    common = {"vocab_size": len(tokenizer), "bos_token_id": 0, "eos_token_id": 0}
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        if family == "llama":
            model = LlamaForCausalLM(
                LlamaConfig(
                    hidden_size=width,
                    intermediate_size=2 * width,
                    num_hidden_layers=n_layers,
                    num_attention_heads=2,
                    num_key_value_heads=1,
                    max_position_embeddings=CONTEXT,
                    **common,
                )
            )
        else:
            model = GPT2LMHeadModel(GPT2Config(n_embd=width, n_layer=n_layers, n_head=2, n_positions=CONTEXT, **common))
    with quiet(offline=True):
        tokenizer.save_pretrained(folder)
        model.save_pretrained(folder)
    return str(folder)


def rows_as_lines(frame: pd.DataFrame) -> list[str]:
    """Return rows roughly as the generator writes them."""
    return [", ".join(f"{name} is {value}" for name, value in row.items()) for row in frame.to_dict("records")]
