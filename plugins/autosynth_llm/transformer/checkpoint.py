"""The state of an unfinished training in a folder, so that it can be taken up again.

Imports torch, so that only methods import this module.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from autosynth.exceptions import ConfigError
from autosynth.files import write_beside
from autosynth_llm.saved_folder import plain_text

if TYPE_CHECKING:
    from autosynth_llm.transformer.training import Task, Training

logger = logging.getLogger(__name__)

FORMAT = 1  # of the state; another network is another format
COUNTS = ("step", "best_step", "n_idle_looks", "best_loss")
FREE_OPTIONS = ("checkpoint", "time_limit_s")  # may differ when training goes on


@dataclass(frozen=True)
class Checkpoint:
    """Where the state of one network goes.

    Attributes
    ----------
    path : Path
        One safetensors file per network; its metadata hold the counts.
    """

    path: Path

    @classmethod
    def of(cls, folder: str | None, task: Task, member: int) -> Checkpoint | None:
        """Return the checkpoint of a network below ``folder``; None when no folder is given."""
        if folder is None:
            return None
        home = home_of(folder, task)
        home.mkdir(parents=True, exist_ok=True)
        if member == 0 and not any(home.iterdir()) and any(path != home for path in Path(folder).iterdir()):
            logger.info("transformer: %s holds no state of this training, which starts anew", folder)
        return cls(home / f"network-{member}.safetensors")

    def save(self, training: Training) -> None:
        """Write the state beside the last one, then replace it."""
        counts = {name: json.dumps(getattr(training, name)) for name in COUNTS}
        write_beside(self.path, lambda path: save_file(_tensors(training), path, metadata=counts))

    def load(self, training: Training) -> bool:
        """Bring ``training`` to the state that was saved and return True; False when there is none.

        Raises
        ------
        ConfigError
            If the file cannot be read.
        """
        if not self.path.is_file():
            return False
        try:
            with safe_open(self.path, framework="pt", device=training.task.device) as file:
                counts = file.metadata()
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
            for name in COUNTS:
                setattr(training, name, json.loads(counts[name]))
            _restore(training, tensors)
        except (OSError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
            raise ConfigError(
                f"checkpoint {str(self.path)!r} cannot be read: {error}. Remove its folder to start anew."
            ) from error
        return True


def home_of(folder: str, task: Task) -> Path:
    """Return the folder of a training: one of its own for every table, seed and set of options, so for each fold."""
    return Path(folder) / f"transformer-{_fingerprint(task)[:16]}"


def clear(folder: str, task: Task) -> None:
    """Remove the state of a training that is complete, and ``folder`` when nothing else is in it."""
    shutil.rmtree(home_of(folder, task), ignore_errors=True)
    with suppress(OSError):  # another training may be at work there
        Path(folder).rmdir()


def _fingerprint(task: Task) -> str:
    options = {key: value for key, value in dataclasses.asdict(task.options).items() if key not in FREE_OPTIONS}
    options |= dataclasses.asdict(task.sizes)
    digest = hashlib.sha256(
        json.dumps([FORMAT, options, task.seed, task.device], sort_keys=True, default=plain_text).encode()
    )
    for array in (task.cells.tokens, task.cells.scores, task.latent, task.group_codes, task.axis_codes, task.folds):
        digest.update(array.tobytes())
    return digest.hexdigest()


def _tensors(training: Training) -> dict[str, Tensor]:
    moments = {
        f"moment.{name}.{key}": value
        for name, parameter in training.network.named_parameters()
        for key, value in training.optimizer.state[parameter].items()
    }
    weights = {f"now.{name}": weight for name, weight in training.network.state_dict().items()}
    best = {f"best.{name}": weight for name, weight in training.best_weights.items()}
    streams = {f"stream.{number}": stream.get_state() for number, stream in enumerate(training.streams)}
    return {name: tensor.clone().contiguous() for name, tensor in (moments | weights | best | streams).items()}


def _restore(training: Training, tensors: dict[str, Tensor]) -> None:
    def part(prefix: str) -> dict[str, Tensor]:
        return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}

    training.network.load_state_dict(part("now."))
    training.best_weights = part("best.")
    for number, stream in enumerate(training.streams):
        stream.set_state(tensors[f"stream.{number}"].cpu())
    for name, parameter in training.network.named_parameters():
        state: dict[str, Any] = part(f"moment.{name}.")
        if state:
            training.optimizer.state[parameter] = state
