"""The state of a training on disk, so that an interrupted one goes on where it stopped: safetensors and JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from autosynth.exceptions import ConfigError
from autosynth.files import write_beside

PARTS = ("weights", "best", "moments")


@dataclass(frozen=True, kw_only=True)
class TrainingState:
    """All that a training needs to continue.

    Attributes
    ----------
    weights, best : dict of str to Tensor
        The trained weights now, and those of the best epoch.
    moments : dict of str to Tensor
        The optimizer's memory.
    torch_stream : Tensor
        State of torch's random stream.
    numpy_stream : dict
        State of ours.
    step : int
        Training steps so far.
    record : dict
        Losses so far.
    """

    weights: dict[str, Any]
    best: dict[str, Any]
    moments: dict[str, Any]
    torch_stream: Any
    numpy_stream: Any
    step: int
    record: dict[str, Any]


@dataclass(frozen=True)
class Checkpoints:
    """The last state of one training, in a folder that other trainings (of other folds, say) may share.

    Attributes
    ----------
    folder : Path
        Made when it is missing.
    fingerprint : str
        What the training depends on: rows, model, options, seed.
    """

    folder: Path
    fingerprint: str

    @property
    def path(self) -> Path:
        """The file of this training."""
        return self.folder / f"llm-{self.fingerprint[:16]}.safetensors"

    def save(self, state: TrainingState) -> None:
        """Replace the state by a newer one; an interruption leaves the older one whole."""
        tensors = {
            f"{part}/{name}": tensor.contiguous() for part in PARTS for name, tensor in getattr(state, part).items()
        }
        words = {
            "step": str(state.step),
            "numpy_stream": json.dumps(state.numpy_stream),
            "record": json.dumps(state.record),
        }
        self.folder.mkdir(parents=True, exist_ok=True)
        tensors["torch_stream"] = state.torch_stream
        write_beside(self.path, lambda path: save_file(tensors, path, metadata=words))

    def clear(self) -> None:
        """Remove the state, and the folder when nothing else is in it."""
        self.path.unlink(missing_ok=True)
        if self.folder.is_dir() and not any(self.folder.iterdir()):
            self.folder.rmdir()

    def load(self) -> TrainingState | None:
        """Return the state, or None when there is none yet.

        Raises
        ------
        ConfigError
            If the file cannot be read.
        """
        if not self.path.exists():
            return None
        try:
            with safe_open(self.path, framework="pt") as file:
                words = file.metadata()
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
        except (OSError, SafetensorError) as error:
            raise ConfigError(
                f"checkpoint {str(self.path)!r} cannot be read: {error}. Remove it to start anew."
            ) from error
        parts = {
            part: {name.partition("/")[2]: tensor for name, tensor in tensors.items() if name.startswith(f"{part}/")}
            for part in PARTS
        }
        return TrainingState(
            weights=parts["weights"],
            best=parts["best"],
            moments=parts["moments"],
            torch_stream=tensors["torch_stream"],
            numpy_stream=json.loads(words["numpy_stream"]),
            step=int(words["step"]),
            record=json.loads(words["record"]),
        )
