"""The LLM family: a table transformer trained in seconds, fine-tuned language models, in-context generation.

- ``transformer`` learns the user's own rows from scratch, without any download;
- ``llm`` fine-tunes any causal language model of Hugging Face on rows as text;
- ``llm_api`` shows rows to a model behind an OpenAI-compatible endpoint and asks for more of them.

Nothing here loads torch, transformers or openai before a generator is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import autosynth
from autosynth_llm.api.generator import LLMApiGenerator
from autosynth_llm.api.options import LLMApiOptions
from autosynth_llm.hf.generator import LLMGenerator
from autosynth_llm.hf.options import LLMOptions
from autosynth_llm.transformer.generator import TransformerGenerator
from autosynth_llm.transformer.options import TransformerOptions
from autosynth_llm.transformer.worth import is_worth_training

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "LLMApiGenerator",
    "LLMApiOptions",
    "LLMGenerator",
    "LLMOptions",
    "TransformerGenerator",
    "TransformerOptions",
]


@autosynth.hookimpl
def autosynth_register_generators(register: autosynth.Register) -> None:
    register(
        "transformer",
        TransformerGenerator,
        options=TransformerOptions,
        summary="compact transformer over table cells, trained on your rows; no download",
        requires=("torch", "safetensors"),
        extra="llm",
        space="original",
    )
    register(
        "llm",
        LLMGenerator,
        options=LLMOptions,
        summary="a Hugging Face language model fine-tuned on rows as text, held to the table's grammar",
        requires=("torch", "transformers", "peft", "accelerate"),
        extra="llm",
        space="original",
    )
    register(
        "llm_api",
        LLMApiGenerator,
        options=LLMApiOptions,
        summary="rows from a model behind an OpenAI-compatible endpoint, which is shown real rows",
        requires=("openai",),
        extra="api",
        space="original",
        remote=True,
    )


@autosynth.hookimpl
def autosynth_propose_generators(
    schema: autosynth.TableSchema, groups: Mapping[autosynth.Group, int]
) -> tuple[str, ...] | None:
    """Propose ``transformer`` where it can learn something in minutes; ``llm`` and ``llm_api`` are for users to ask."""
    return ("transformer",) if is_worth_training(schema, list(groups.values())) else None


@autosynth.hookimpl
def autosynth_register_commands(app: Any) -> None:
    from autosynth_llm.api.commands import add_commands

    add_commands(app)
