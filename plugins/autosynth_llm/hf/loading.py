"""A causal language model and its tokenizer, from a folder or the hub: safetensors only, never code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from autosynth.exceptions import ConfigError
from autosynth.extras import require_extra
from autosynth_llm.hf.isolation import quiet
from autosynth_llm.hf.options import LLMOptions

WANTED_FILES = ("*.json", "*.safetensors", "*.model", "*.txt", "*.jinja")
UNWANTED_FILES = ("*/*",)  # copies for other frameworks lie in subfolders
WINDOWS = ("sliding_window", "window_size", "attention_chunk_size")  # as the configs of several families name them
ADAPTER_FILE = "adapter_config.json"  # what peft writes beside adapters
INSTEAD = "or use the generator 'transformer', which learns from your rows alone and needs no download"


def load(options: LLMOptions) -> tuple[Any, Any]:
    """Return the model, on the CPU, and its tokenizer.

    Raises
    ------
    ConfigError
        If the model is not on this machine and the network may not be used or does not answer; if it has no weights in
        safetensors format; if it is no causal language model, or one without a cache of keys and values.
    """
    with quiet(offline=options.local_files_only):
        folder = find_folder(options)
    return read_folder(folder, dtype=options.dtype, name=str(options.model))


def read_folder(folder: Path, *, dtype: str, name: str = "") -> tuple[Any, Any]:
    """Return the model and the tokenizer in a folder, without asking the hub for anything.

    Raises
    ------
    ConfigError
        If they cannot be read.
    """
    transformers = require_extra("transformers", extra="llm")
    torch = require_extra("torch", extra="llm")
    name = name or str(folder)
    _check_no_adapters(folder, name)
    _check_weights(folder, name)
    here_only: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    with quiet(offline=True):
        try:
            tokenizer = transformers.AutoTokenizer.from_pretrained(folder, **here_only)
            model = transformers.AutoModelForCausalLM.from_pretrained(
                folder, use_safetensors=True, dtype=getattr(torch, dtype), **here_only
            )
        except (OSError, ValueError, KeyError, ImportError) as error:
            raise ConfigError(
                f"model={name!r} cannot be loaded from {folder} as a causal language model: {error} "
                f"Name another model, {INSTEAD}."
            ) from error
    return model, tokenizer


def find_folder(options: LLMOptions) -> Path:
    """Return the folder with the model's files, after a download where that is allowed.

    Raises
    ------
    ConfigError
        If there is none.
    """
    name = str(options.model)
    if Path(name).expanduser().is_dir():
        return Path(name).expanduser()
    hub = require_extra("huggingface_hub", extra="llm")
    try:
        return Path(
            hub.snapshot_download(
                name,
                revision=options.revision,
                local_files_only=options.local_files_only,
                allow_patterns=list(WANTED_FILES),
                ignore_patterns=list(UNWANTED_FILES),
            )
        )
    except Exception as error:
        # The hub client raises its own errors, those of its HTTP client and plain OSErrors, depending on what failed.
        if options.local_files_only:
            advice = "Give a folder, let it be downloaded with local_files_only=False"
            raise ConfigError(
                f"model={name!r} is no folder, and no model of that name has been downloaded to this machine. "
                f"{advice}, {INSTEAD}."
            ) from error
        raise ConfigError(
            f"model={name!r} is no folder and could not be downloaded: {error} Check the name and the network, or give "
            f"a folder, {INSTEAD}."
        ) from error


def check_model(model: Any, name: str) -> None:
    """Raise unless rows can be sampled from a model with a cache.

    Raises
    ------
    ConfigError
        If it keeps a running state, which cannot be padded, in place of keys and values.
    """
    if getattr(model, "_is_stateful", False):
        raise ConfigError(
            f"model={name!r} is a {type(model).__name__}, which keeps a running state in place of a cache of keys and "
            f"values. Name a transformer such as GPT-2, Llama or Qwen, {INSTEAD}."
        )


def context_length(model: Any) -> int | None:
    """Return how many tokens the model can read, or None when it has no limit."""
    config = model.config.get_text_config()
    length = getattr(config, "max_position_embeddings", None)
    return None if length is None else int(length)


def cache_limit(model: Any) -> int | None:
    """Return how long a cache with padding in it may grow, or None when there is no limit.

    A window, which some layers look back over, is counted in entries of the cache, padding included.
    """
    config = model.config.get_text_config()
    lengths = [getattr(config, name, None) for name in WINDOWS] + [context_length(model)]
    return min((int(length) for length in lengths if length), default=None)


def _check_no_adapters(folder: Path, name: str) -> None:
    if (folder / ADAPTER_FILE).exists():
        raise ConfigError(
            f"model={name!r}: {folder} holds adapters ({ADAPTER_FILE}) for another model. Merge them into it first: "
            "model.merge_and_unload().save_pretrained(folder) with peft, into a new folder, the tokenizer beside it."
        )


def _check_weights(folder: Path, name: str) -> None:
    if not any(folder.glob("*.safetensors")):
        others = sorted(path.name for path in folder.glob("*.bin"))
        seen = f"only {', '.join(others)}, which could run code when loaded" if others else "no weights"
        raise ConfigError(
            f"model={name!r}: {folder} holds {seen}. Weights must be in safetensors format: convert them with "
            f"model.save_pretrained(folder), name another model, {INSTEAD}."
        )
