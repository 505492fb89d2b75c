"""The threads of torch and of the linear algebra below numpy, for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from threadpoolctl import threadpool_limits


@contextmanager
def limited_threads(n_threads: int) -> Iterator[None]:
    """Use at most ``n_threads`` threads inside a ``with`` block; then as many as before.

    Sums depend on how many threads share them, and so would the rows; and small sums take far longer when threads of
    other processes want the same cores.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(n_threads)
    try:
        with threadpool_limits(n_threads, user_api="blas"):
            yield
    finally:
        torch.set_num_threads(before)
