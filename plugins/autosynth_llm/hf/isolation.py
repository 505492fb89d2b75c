"""The process is left as it was found: settings of accelerate, and what libraries print."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from autosynth.exceptions import ConfigError
from autosynth.extras import require_extra
from autosynth_llm.hf.options import LLMOptions

# Set by launchers of distributed training. A generator is one process: it must not join theirs.
LAUNCHER_VARIABLES = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE")


@contextmanager
def quiet(*, offline: bool) -> Iterator[None]:
    """Silence progress bars, notices and telemetry of transformers and its hub client inside a ``with`` block.

    Parameters
    ----------
    offline : bool
        Also forbid the hub client any request.
    """
    hub = require_extra("huggingface_hub", extra="llm")
    logs = require_extra("transformers.utils.logging", extra="llm")
    constants = hub.constants
    level, has_bars = logs.get_verbosity(), logs.is_progress_bar_enabled()
    hub_has_bars = not hub.utils.are_progress_bars_disabled()
    telemetry_off, was_offline = constants.HF_HUB_DISABLE_TELEMETRY, constants.HF_HUB_OFFLINE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logs.set_verbosity_error()
        logs.disable_progress_bar()
        constants.HF_HUB_DISABLE_TELEMETRY = True
        constants.HF_HUB_OFFLINE = was_offline or offline
        try:
            yield
        finally:
            constants.HF_HUB_DISABLE_TELEMETRY, constants.HF_HUB_OFFLINE = telemetry_off, was_offline
            logs.set_verbosity(level)
            if has_bars:
                logs.enable_progress_bar()
            (hub.utils.enable_progress_bars if hub_has_bars else hub.utils.disable_progress_bars)()


@contextmanager
def borrowed_accelerator(options: LLMOptions) -> Iterator[Any]:
    """Give an accelerate ``Accelerator`` of our own inside a ``with`` block.

    accelerate keeps its device and precision in one state for the whole process, and refuses a second Accelerator with
    other settings.  That state is set aside, and put back afterwards.

    Raises
    ------
    ConfigError
        If ``device="cuda"`` and there is none.
    """
    torch = require_extra("torch", extra="llm")
    accelerate = require_extra("accelerate", extra="llm")
    states = require_extra("accelerate.state", extra="llm")
    if options.device == "cuda" and not torch.cuda.is_available():
        raise ConfigError("device='cuda', but torch finds no CUDA device. Use device='auto' or 'cpu'.")
    shared = [kind._shared_state for kind in (states.PartialState, states.AcceleratorState, states.GradientState)]
    with ExitStack() as stack:
        for state in shared:
            stack.callback(_put_back, state, dict(state))
            state.clear()
        environment = dict(os.environ)
        stack.callback(_put_back, os.environ, environment)
        for variable in LAUNCHER_VARIABLES:
            os.environ.pop(variable, None)
        yield accelerate.Accelerator(cpu=options.device == "cpu", mixed_precision=_precision(options, torch))


def _precision(options: LLMOptions, torch: Any) -> str:
    if options.mixed_precision != "auto":
        return options.mixed_precision
    has_bf16 = options.device != "cpu" and torch.cuda.is_available() and torch.cuda.is_bf16_supported()
    return "bf16" if has_bf16 else "no"


def _put_back(target: Any, content: dict[Any, Any]) -> None:
    if dict(target) != content:
        target.clear()
        target.update(content)
