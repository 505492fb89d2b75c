"""Runs libraries that use the global random streams and torch's threads, and puts both back."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from autosynth.seeding import integer_seed


@contextmanager
def isolated(rng: np.random.Generator, *, torch: Any = None, n_threads: int = 1, gpu: bool = False) -> Iterator[None]:
    """Seed the global streams from ``rng`` and set the threads of torch inside a ``with`` block; then all is as before.

    ctgan, copulas and rdt, and the dropout of torch, draw from the global streams and offer nothing else.  One thread
    makes the rows independent of the number of cores, and costs little: small networks train 12 % faster on two cores,
    and 5 times slower when another process wants the cores too (TVAE on 3,000 rows: 351 s with two threads).  All of it
    belongs to the process: two threads must not be in such a block at the same time.

    Parameters
    ----------
    rng : numpy.random.Generator
        Gives the seed.
    torch : module, optional
        Seeds and restores torch's streams and threads too.
    n_threads : int
        Threads of torch.
    gpu : bool
        The streams of the CUDA devices as well.
    """
    seed = integer_seed(rng)
    python_state, numpy_state = random.getstate(), np.random.get_state()  # noqa: NPY002 - put back below
    torch_state = None if torch is None else torch.get_rng_state()
    threads_before = None if torch is None else torch.get_num_threads()
    cuda_states = torch.cuda.get_rng_state_all() if gpu and torch.cuda.is_available() else None
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - the only door of these libraries
    if torch_state is not None:
        torch.set_num_threads(n_threads)
        # torch.manual_seed would seed the CUDA devices as well, which the caller may be using.
        torch.set_rng_state(torch.Generator().manual_seed(seed).get_state())
    if cuda_states is not None:
        torch.cuda.manual_seed_all(seed)
    try:
        yield
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)  # noqa: NPY002
        if torch_state is not None:
            torch.set_rng_state(torch_state)
            torch.set_num_threads(threads_before)
        if cuda_states is not None:
            torch.cuda.set_rng_state_all(cuda_states)
