"""The options of ``independent``, checked when they are built."""

from __future__ import annotations

from dataclasses import dataclass

from autosynth.options import check_number


@dataclass(frozen=True, kw_only=True)
class IndependentOptions:
    """Options of ``independent``.

    Attributes
    ----------
    pool_share : float
        Share of the cells, 0 to 1, that is drawn from the whole table instead of the group's own rows.  It keeps the
        few values that a tiny group happens to hold from passing for all that the group can be.
    jitter : float
        Width of the noise on numbers, in units of Silverman's bandwidth; 0 gives observed numbers only.
    """

    pool_share: float = 0.2
    jitter: float = 1.0

    def __post_init__(self) -> None:
        check_number("pool_share", self.pool_share, low=0, high=1)
        check_number("jitter", self.jitter, low=0)
