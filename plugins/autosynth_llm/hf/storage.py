"""A fitted ``llm`` in a folder: the model and its tokenizer as Hugging Face saves them, everything else as JSON."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from autosynth.cells import codec_from_state, codec_to_state, group_from_state, group_to_state
from autosynth_llm.hf.grammar import Decision, Grammar
from autosynth_llm.hf.isolation import quiet
from autosynth_llm.hf.loading import read_folder
from autosynth_llm.hf.options import LLMOptions
from autosynth_llm.hf.row_text import RowText, WrittenCell
from autosynth_llm.hf.training import TrainingRecord
from autosynth_llm.saved_folder import SavedFolder

if TYPE_CHECKING:
    from autosynth_llm.hf.generator import LLMGenerator

FORMAT = "autosynth-llm-1"
FACTS, MODEL = "llm.json", "model"


def save(generator: LLMGenerator, folder: Path) -> Path:
    """Write a fitted generator."""
    facts = {
        "options": asdict(generator.options),
        "dtype": str(generator.model_.dtype).removeprefix("torch."),
        "groups": [group_to_state(group) for group in generator.groups_],
        "codec": codec_to_state(generator.codec_),
        "text": text_to_state(generator.text_),
        "record": asdict(generator.record_),
        "uses_cache": generator.uses_cache_,
    }

    def write_model(home: Path) -> None:
        with quiet(offline=True):
            generator.model_.save_pretrained(home / MODEL)
            generator.tokenizer_.save_pretrained(home / MODEL)

    return SavedFolder(folder, FACTS, FORMAT).write(facts, write_model)


def load(factory: type[LLMGenerator], folder: Path) -> LLMGenerator:
    """Read a fitted generator, or nothing."""

    def restore(facts: dict[str, Any]) -> LLMGenerator:
        model, tokenizer = read_folder(folder / MODEL, dtype=facts["dtype"])
        # A generator that was given objects names no model; the one beside the facts stands for them.
        options = {"model": str(folder / MODEL)} | {
            name: value for name, value in facts["options"].items() if value is not None
        }
        generator = factory(LLMOptions(**options))
        generator.model_, generator.tokenizer_ = model.eval(), tokenizer
        generator.groups_ = tuple(group_from_state(state) for state in facts["groups"])
        generator.codec_ = codec_from_state(facts["codec"])
        generator.text_ = text_from_state(facts["text"])
        generator.record_ = TrainingRecord(**facts["record"])
        generator.uses_cache_ = facts["uses_cache"]
        return generator

    return SavedFolder(folder, FACTS, FORMAT).read(restore)


def text_to_state(text: RowText) -> dict[str, Any]:
    """Return how rows are written as dicts, lists and numbers."""
    distinct = {id(cell): cell for of_column in text.cells for cell in of_column}  # groups share most of them
    numbers = {key: number for number, key in enumerate(distinct)}
    grammar = text.grammar
    return {
        "grammar": {
            "first_tokens": grammar.first_tokens.tolist(),
            "n_branches": grammar.n_branches.tolist(),
            "targets": grammar.targets.tolist(),
            "choices": grammar.choices.tolist(),
            "tokens": grammar.tokens,
        },
        "prompts": text.prompts,
        "names": text.names,
        "written": [_cell_to_state(cell) for cell in distinct.values()],
        "cells": [[numbers[id(cell)] for cell in of_column] for of_column in text.cells],
        "first_columns": text.first_columns,
        "other_columns": text.other_columns,
    }


def text_from_state(state: dict[str, Any]) -> RowText:
    """Return what :func:`text_to_state` wrote."""
    arrays = dict(state["grammar"])
    tokens = tuple(tuple(map(tuple, branches)) for branches in arrays.pop("tokens"))
    width = len(arrays["first_tokens"][0]) if arrays["first_tokens"] else 1
    n_branches = np.array(arrays.pop("n_branches"), dtype=np.int64)
    square = {name: np.array(values, dtype=np.int64).reshape(-1, width) for name, values in arrays.items()}
    written = [_cell_from_state(cell) for cell in state["written"]]
    return RowText(
        grammar=Grammar(n_branches=n_branches, tokens=tokens, **square),
        prompts=tuple(map(tuple, state["prompts"])),
        names=tuple(map(tuple, state["names"])),
        cells=tuple(tuple(written[number] for number in of_column) for of_column in state["cells"]),
        first_columns=tuple(state["first_columns"]),
        other_columns=tuple(state["other_columns"]),
    )


def _cell_to_state(cell: WrittenCell) -> dict[str, Any]:
    return {
        "root": cell.root,
        "tokens": list(cell.tokens.items()),
        "decisions": [
            [value, [[made.offset, made.node, made.branch] for made in path]] for value, path in cell.decisions.items()
        ],
        "written_as": list(cell.written_as.items()),
    }


def _cell_from_state(state: dict[str, Any]) -> WrittenCell:
    return WrittenCell(
        root=state["root"],
        tokens={value: tuple(tokens) for value, tokens in state["tokens"]},
        decisions={value: tuple(Decision(*made) for made in path) for value, path in state["decisions"]},
        written_as=dict(state["written_as"]),
    )
