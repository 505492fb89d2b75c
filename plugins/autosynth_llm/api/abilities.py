"""What a server has shown that it takes, remembered for the run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Abilities:
    """Parameters that some servers refuse; None where nothing is known yet.

    Attributes
    ----------
    schema : bool or None
        Whether the server takes a JSON schema.
    seed : bool or None
        Whether it takes a seed.
    """

    schema: bool | None = None
    seed: bool | None = None
