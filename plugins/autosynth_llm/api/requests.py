"""What is asked for: requests of one group each, with real rows of that group drawn afresh for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from autosynth.seeding import integer_seed

if TYPE_CHECKING:
    import numpy.typing as npt

    from autosynth import Group, Table


@dataclass(frozen=True)
class RowRequest:
    """One request to the endpoint.

    Attributes
    ----------
    index : int
        Its place among the requests of a call; answers are used in this order, whichever came first.
    group_code : int
        Position of the group in ``table.groups``.
    n_rows : int
        New rows asked for.
    positions : ndarray of int
        Positions of the real rows that are shown.
    seed : int
        Sent along, for servers that honour it.
    """

    index: int
    group_code: int
    n_rows: int
    positions: npt.NDArray[np.int64]
    seed: int


def plan_requests(
    table: Table, counts: Mapping[Group, int], *, rows_per_request: int, seed_rows: int, rng: np.random.Generator
) -> list[RowRequest]:
    """Split the rows wanted into requests of one group each, of nearly equal size within a group.

    Examples
    --------
    >>> import pandas as pd
    >>> from autosynth import Table
    >>> table = Table.from_frame(pd.DataFrame({"x": range(6), "y": [0, 0, 0, 0, 1, 1]}), label="y")
    >>> requests = plan_requests(
    ...     table, {table.groups[1]: 50}, rows_per_request=20, seed_rows=20, rng=np.random.default_rng(0)
    ... )
    >>> [(request.n_rows, sorted(request.positions.tolist())) for request in requests]
    [(17, [4, 5]), (17, [4, 5]), (16, [4, 5])]
    """
    wanted = {table.groups.index(group): count for group, count in counts.items() if count > 0}
    requests: list[RowRequest] = []
    for code in sorted(wanted):
        own = np.flatnonzero(table.group_codes == code)
        n_requests = -(-wanted[code] // rows_per_request)
        share, n_larger = divmod(wanted[code], n_requests)
        for number in range(n_requests):
            positions = rng.choice(own, size=min(seed_rows, len(own)), replace=False)
            n_rows = share + (number < n_larger)
            requests.append(RowRequest(len(requests), code, n_rows, positions, integer_seed(rng)))
    return requests
