"""A fitted transformer in a folder: weights as safetensors, everything else as JSON, nothing as pickle.

Imports torch, so that only methods import this module.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from autosynth.cells import codec_from_state, codec_to_state, group_from_state, group_to_state
from autosynth.files import write_beside
from autosynth_llm.saved_folder import SavedFolder
from autosynth_llm.transformer.cell_gpt import CellGPT
from autosynth_llm.transformer.copula import CopulaBase
from autosynth_llm.transformer.options import TransformerOptions
from autosynth_llm.transformer.rows import Orders
from autosynth_llm.transformer.sizes import Sizes
from autosynth_llm.transformer.training import Member

if TYPE_CHECKING:
    from autosynth_llm.transformer.generator import TransformerGenerator

FORMAT = "autosynth-transformer-1"
FACTS, WEIGHTS = "transformer.json", "transformer.safetensors"
LOSSES = ("independent", "copula", "trained", "n_steps")
BASE_PARTS = tuple(field.name for field in dataclasses.fields(CopulaBase))


def save(generator: TransformerGenerator, folder: Path) -> Path:
    """Write a fitted generator."""
    facts = {
        "options": dataclasses.asdict(generator.options),
        "sizes": dataclasses.asdict(generator.sizes_),
        "groups": [group_to_state(group) for group in generator.groups_],
        "codec": codec_to_state(generator.codec_),
        "members": [{name: getattr(member, name) for name in LOSSES} for member in generator.members_],
    }
    tensors = {
        f"{number}.{name}": tensor.clone().contiguous()  # safetensors refuses tensors that share memory
        for number, member in enumerate(generator.members_)
        for name, tensor in _tensors(member).items()
    }
    home = SavedFolder(folder, FACTS, FORMAT)
    return home.write(facts, lambda path: write_beside(path / WEIGHTS, lambda part: save_file(tensors, part)))


def load(factory: type[TransformerGenerator], folder: Path) -> TransformerGenerator:
    """Read a fitted generator, or nothing."""
    home = SavedFolder(folder, FACTS, FORMAT)
    return home.read(
        lambda facts: _restore(factory, facts, load_file(folder / WEIGHTS)), (RuntimeError, SafetensorError)
    )


def _restore(
    factory: type[TransformerGenerator], facts: dict[str, Any], tensors: dict[str, Tensor]
) -> TransformerGenerator:
    generator = factory(TransformerOptions(**facts["options"]))
    generator.sizes_ = Sizes(**facts["sizes"])
    generator.groups_ = tuple(group_from_state(state) for state in facts["groups"])
    generator.codec_ = codec_from_state(facts["codec"])
    generator.members_ = tuple(
        _member(losses, _part(tensors, f"{number}."), generator) for number, losses in enumerate(facts["members"])
    )
    return generator


def _tensors(member: Member) -> dict[str, Tensor]:
    orders = {f"orders.{field.name}": getattr(member.orders, field.name) for field in dataclasses.fields(Orders)}
    base = {f"base.{name}": torch.as_tensor(getattr(member.base, name)) for name in BASE_PARTS}
    return {f"network.{name}": weight for name, weight in member.network.state_dict().items()} | orders | base


def _member(losses: dict[str, Any], tensors: dict[str, Tensor], generator: TransformerGenerator) -> Member:
    base = CopulaBase(**{name: tensor.numpy() for name, tensor in _part(tensors, "base.").items()})
    weights = _part(tensors, "network.")
    network = CellGPT(base, weights["axis_codes"], generator.sizes_, generator.options.dropout, torch.Generator())
    network.load_state_dict(weights)
    network.eval()
    return Member(network=network, base=base, orders=Orders(**_part(tensors, "orders.")), **losses)


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
