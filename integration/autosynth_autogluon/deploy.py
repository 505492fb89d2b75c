"""strip(): a copy of a predictor that loads where autosynth is not installed."""

from __future__ import annotations

import copy
import io
import logging
import pickle
import shutil
from pathlib import Path
from typing import Any

from autosynth.exceptions import ConfigError
from autosynth.files import AnyPath, write_beside
from autosynth_autogluon.ahead import AHEAD_NAME
from autosynth_autogluon.config import InFoldConfig
from autosynth_autogluon.in_fold import InFoldRebalancing

logger = logging.getLogger(__name__)


def strip(predictor: Any, path: AnyPath) -> Path:
    """Write a deployment copy of a predictor in which every model is AutoGluon's own class.

    Predictions are the same.  The copy holds no synthetic row, and needs no autosynth to load.

    Parameters
    ----------
    predictor : TabularPredictor
        A fitted predictor; left as it is.
    path : path
        A folder that does not exist yet.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    ConfigError
        If the folder exists, or a model was fitted with ``correct_prior=True``: its probabilities need our code.

    Examples
    --------
    ::

        strip(predictor, "deployed")
        TabularPredictor.load("deployed")  # in an environment without autosynth
    """
    target = Path(path)
    if target.exists():
        raise ConfigError(f"{str(target)!r} exists. Name a new folder for the stripped copy.")
    _refuse_corrected_priors(Path(predictor.path))
    predictor.clone_for_deployment(path=str(target))
    for leftover in (target / "models").glob(f"{AHEAD_NAME}*"):
        shutil.rmtree(leftover)
    files = sorted(target.rglob("*.pkl"))
    for file in files:
        write_beside(file, _Rewrite(_load(file)))
        _OwnFree(io.BytesIO(file.read_bytes())).load()
    logger.info("Stripped %d files into %s", len(files), target)
    return target


def _refuse_corrected_priors(folder: Path) -> None:
    for file in sorted((folder / "models").rglob("model.pkl")):
        model = _load(file)
        children = model.models if isinstance(getattr(model, "models", None), list) else []
        for found in [model, *children]:
            if isinstance(found, InFoldRebalancing) and found._priors is not None:
                raise ConfigError(
                    f"model {file.parent.name!r} corrects its prior while predicting, which needs autosynth. "
                    "Fit with correct_prior=False to strip, or install autosynth where the predictor runs."
                )


def _load(file: Path) -> Any:
    return pickle.loads(file.read_bytes())  # noqa: S301 - AutoGluon's own files, which it unpickles itself


class _Rewrite:
    """Pickles an object with plain AutoGluon classes in place of ours."""

    def __init__(self, content: Any) -> None:
        self._content = content

    def __call__(self, file: Path) -> int:
        buffer = io.BytesIO()
        _PlainPickler(buffer, protocol=4).dump(self._content)
        return file.write_bytes(buffer.getvalue())


class _PlainPickler(pickle.Pickler):
    def reducer_override(self, content: Any) -> Any:
        if isinstance(content, type) and issubclass(content, InFoldRebalancing):
            # copy.copy of a class is the class itself: a callable that exists everywhere
            return copy.copy, (_plain_class(content),)
        if isinstance(content, InFoldConfig):
            return dict, ()
        return NotImplemented


class _OwnFree(pickle.Unpickler):
    """Loads what was written once more, and fails where it would need us: only our own bug could bring that about."""

    def find_class(self, module: str, name: str) -> Any:
        assert not module.startswith("autosynth"), f"{module}.{name} is still needed"  # noqa: S101
        return super().find_class(module, name)


def _plain_class(rebalanced: type[Any]) -> type[Any]:
    return rebalanced.__mro__[rebalanced.__mro__.index(InFoldRebalancing) + 1]
