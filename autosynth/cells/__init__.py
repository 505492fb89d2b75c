"""Rows as cells: whole-number tokens and normal scores, for models that learn a table cell by cell."""

from autosynth.cells.codec import CellCodec, Cells
from autosynth.cells.donors import Donors, is_copied
from autosynth.cells.state import codec_from_state, codec_to_state, group_from_state, group_to_state

__all__ = [
    "CellCodec",
    "Cells",
    "Donors",
    "codec_from_state",
    "codec_to_state",
    "group_from_state",
    "group_to_state",
    "is_copied",
]
