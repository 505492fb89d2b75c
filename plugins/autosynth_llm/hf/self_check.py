"""Does a model say the same while a row is being written as it does about the whole row, which is how it is trained?"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from autosynth.exceptions import ConfigError
from autosynth_llm.hf.decoding import RowDecoder
from autosynth_llm.hf.row_text import RowText

if TYPE_CHECKING:
    import numpy.typing as npt

    Ints = npt.NDArray[np.int64]
    Floats = npt.NDArray[np.float64]

logger = logging.getLogger(__name__)

CHECKED_ROWS = 8
# How far apart is the same, by whether a cache is used: as a share of how far the logits of a decision lie apart, and
# in roundings on top.  A false alarm costs time with a cache, and a model that could be used without.
TOLERANCE = {True: 0.003, False: 0.05}
ROUNDINGS = {True: 2.0, False: 8.0}
BROKEN = (AttributeError, IndexError, RuntimeError, TypeError, ValueError)


def can_use_cache(model: Any, text: RowText, n_groups: int, n_columns: int) -> bool:
    """Return whether rows can be written with a cache; without one every step reads the whole row again.

    A few rows of the grammar are written in a batch, and what the model said at each decision is compared with what it
    says there when each row is read alone and as a whole.

    Parameters
    ----------
    model : PreTrainedModel
        On its device.
    text : RowText
        The grammar and its tokens.
    n_groups, n_columns : int
        Groups of the table and columns of the codec.

    Raises
    ------
    ConfigError
        If they differ without a cache as well: the model looks at tokens that are not written yet, or at other rows.
    """
    codes = np.resize(np.arange(n_groups), CHECKED_ROWS)
    model.eval()
    uses_cache = _works_with_cache(model, text, codes, n_columns)
    if not uses_cache and not _says_the_same(model, text, codes, n_columns, uses_cache=False):
        kind = f"{model.config.model_type} ({type(model).__name__})"
        raise ConfigError(
            f"a model of type {kind} says something else about a row that is being written than about the same row "
            "when it is complete, so that it cannot write what it learns. Name a causal language model, such as GPT-2, "
            "Llama or Qwen, or use the generator 'transformer', which needs none."
        )
    if not uses_cache:
        logger.warning(
            "%s does not read padded rows from its cache as it does without: every step reads whole rows, which is "
            "slower. The rows are none the worse.",
            type(model).__name__,
        )
    return uses_cache


def _works_with_cache(model: Any, text: RowText, codes: Ints, n_columns: int) -> bool:
    try:
        return _says_the_same(model, text, codes, n_columns, uses_cache=True)
    except torch.OutOfMemoryError:
        raise
    except BROKEN as error:
        # Models that know no masked cache fail in the middle of their attention, each in its own way.
        logger.info("%s fails when it is read with a cache: %r", type(model).__name__, error)
        return False


def _says_the_same(model: Any, text: RowText, codes: Ints, n_columns: int, *, uses_cache: bool) -> bool:
    witness = _Witness(model, text, temperature=1.0, uses_cache=uses_cache)
    witness.heard = [[] for _ in codes]
    cells = witness.draw(codes, n_columns, np.random.default_rng(0))
    order = text.draw_order(np.random.default_rng(0))  # the first thing that was drawn for the cells
    heard, expected = [], []
    for of_row, row, code in zip(witness.heard, cells, codes.tolist(), strict=True):
        heard += of_row
        expected += _said_about(model, text, *text.write(row, code, order))
    if not heard:
        return True  # nothing is ever asked
    asked, whole = np.concatenate(heard), np.concatenate(expected)
    centred = np.concatenate([logits - logits.mean() for logits in expected])
    rounding = ROUNDINGS[uses_cache] * float(torch.finfo(model.dtype).eps) * _size(whole)
    return _size(asked - whole) <= TOLERANCE[uses_cache] * _size(centred) + rounding


def _said_about(model: Any, text: RowText, tokens: list[int], decisions: list[tuple[int, int, int]]) -> list[Floats]:
    """Return the logits of the branches at every decision of a row that is read alone and as a whole."""
    grammar = text.grammar
    device = next(model.parameters()).device
    with torch.inference_mode():
        logits = model(input_ids=torch.tensor([tokens], device=device), use_cache=False).logits[0]
    return [
        logits[position - 1, grammar.first_tokens[node, : grammar.n_branches[node]]].double().cpu().numpy()
        for position, node, _ in decisions
        if grammar.n_branches[node] > 1
    ]


def _size(values: Floats) -> float:
    """Return the root of the mean square."""
    return float(np.sqrt(np.mean(values**2)))


class _Witness(RowDecoder):
    """Remembers what the model said at every decision of every row."""

    heard: list[list[Floats]]

    def branch_logits(self, logits: torch.Tensor, rows: Ints, nodes: Ints) -> Floats:
        said = super().branch_logits(logits, rows, nodes)
        for row, n_branches, of_row in zip(rows.tolist(), self._allowed[nodes].sum(axis=1), said, strict=True):
            if n_branches > 1:
                self.heard[row].append(of_row[:n_branches])
        return said
