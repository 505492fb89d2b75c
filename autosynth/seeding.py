"""Random streams: one seed in, independent numpy Generators out, and no global state touched."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from autosynth.exceptions import ConfigError

RandomState: TypeAlias = "int | np.random.Generator | None"


def as_generator(random_state: RandomState) -> np.random.Generator:
    """Return a numpy Generator for a seed, an existing Generator (used as it is), or None (fresh entropy).

    Raises
    ------
    ConfigError
        For anything else, such as numpy's legacy RandomState.

    Examples
    --------
    >>> int(as_generator(0).integers(100)) == int(as_generator(0).integers(100))
    True
    """
    if random_state is None or (isinstance(random_state, (int, np.integer)) and not isinstance(random_state, bool)):
        if random_state is not None and random_state < 0:
            raise ConfigError(f"random_state={random_state} is negative. Use a whole number from 0 on, or None.")
        return np.random.default_rng(random_state)
    if isinstance(random_state, np.random.Generator):
        return random_state
    raise ConfigError(
        f"random_state={random_state!r} is a {type(random_state).__name__}. "
        "Use an int, a numpy.random.Generator, or None."
    )


def integer_seed(rng: np.random.Generator) -> int:
    """Draw a seed below 2**31 for a library that wants an int instead of a Generator."""
    return int(rng.integers(2**31 - 1))
