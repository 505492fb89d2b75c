from __future__ import annotations

import numpy as np
import pytest

from autosynth.exceptions import ConfigError
from autosynth.seeding import as_generator, integer_seed, spread_uniforms


def test_equal_seeds_give_equal_streams() -> None:
    assert as_generator(3).integers(10**9) == as_generator(np.int64(3)).integers(10**9)
    assert as_generator(3).integers(10**9) != as_generator(4).integers(10**9)


def test_a_generator_is_used_as_it_is_and_none_is_fresh() -> None:
    rng = np.random.default_rng(0)
    assert as_generator(rng) is rng
    assert as_generator(None).integers(10**9) != as_generator(None).integers(10**9)


@pytest.mark.parametrize(
    ("random_state", "message"),
    [
        (-1, "random_state=-1 is negative"),
        (1.5, "random_state=1.5 is a float. Use an int, a numpy.random.Generator, or None"),
        (True, "random_state=True is a bool"),
        ("0", "random_state='0' is a str"),
        (np.random.RandomState(0), "is a RandomState"),
    ],
)
def test_other_seeds_are_refused(random_state: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        as_generator(random_state)


def test_no_global_stream_moves() -> None:
    before = np.random.get_state()[1].copy()  # noqa: NPY002 - looked at, not used
    seeds = {integer_seed(as_generator(seed)) for seed in range(50)}
    assert len(seeds) == 50
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert np.array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_spread_numbers_fall_once_into_every_slice_of_their_class_in_any_order() -> None:
    classes = np.array([1, 0, 1, 3, 0, 1])
    spread = spread_uniforms(classes, np.random.default_rng(0))
    for code in (0, 1, 3):
        own = spread[classes == code]
        assert sorted((own * len(own)).astype(int)) == list(range(len(own)))
