"""Random streams: one seed in, independent numpy Generators out, and no global state touched."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from autosynth.exceptions import ConfigError

if TYPE_CHECKING:
    import numpy.typing as npt

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


def spread_uniforms(classes: npt.NDArray[np.int64], rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Return one number in [0, 1) per entry of ``classes``, spread evenly within each class.

    The i-th of n entries of a class, in random order, lies in [i / n, (i + 1) / n): each is uniform, and a class as a
    whole follows the distribution that is drawn from more closely than with independent numbers.

    Parameters
    ----------
    classes : ndarray of int, shape (n,)
        From 0 on.
    rng : numpy.random.Generator
        Decides the order and the places.

    Examples
    --------
    >>> spread = spread_uniforms(np.array([0, 0, 1, 0]), np.random.default_rng(0))
    >>> np.sort(np.floor(3 * spread[[0, 1, 3]])).tolist()
    [0.0, 1.0, 2.0]
    """
    sizes = np.bincount(classes)
    first = np.cumsum(sizes) - sizes
    by_chance = np.lexsort((rng.random(len(classes)), classes))
    ranks = np.empty(len(classes), dtype=np.int64)
    ranks[by_chance] = np.arange(len(classes))
    spread = (ranks - first[classes] + rng.random(len(classes))) / sizes[classes]
    return np.asarray(np.minimum(spread, np.nextafter(1.0, 0.0)), dtype=np.float64)
