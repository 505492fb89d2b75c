"""Rows as sequences of tokens: ``ill is yes, hospital is south, age is 61, ...``, the group's columns first."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd

from autosynth import ColumnSchema, Table
from autosynth.cells import CellCodec
from autosynth.cells.columns import Bins, CellColumn, WithinBin
from autosynth.exceptions import DataError
from autosynth_llm.hf.grammar import AmbiguousTokensError, Decision, Grammar, GrammarBuilder, Tokens
from autosynth_llm.value_text import ValueText

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

MIN_DIGITS, MAX_DIGITS = 3, 17  # significant digits with which the bins of a number are told apart


class Tokenizer(Protocol):
    """What is used of a Hugging Face tokenizer."""

    bos_token_id: int | None
    eos_token_id: int | None

    def encode(self, text: str, *, add_special_tokens: bool) -> list[int]: ...

    def decode(self, token_ids: Sequence[int], **options: Any) -> str: ...


@dataclass(frozen=True)
class WrittenCell:
    """The values that a column may take in rows of one group (all groups alike, unless the column is cut into bins)."""

    root: int  # where the grammar decides
    tokens: Mapping[int, Tokens]  # cell token of the codec -> tokens of the text, its end included
    decisions: Mapping[int, tuple[Decision, ...]]
    written_as: Mapping[int, int]  # cell token -> the one with the same text that stands for it


@dataclass(frozen=True)
class RowText:
    """How rows are written, in tokens.

    Text is cut into segments (name, value, end), and each is turned into tokens by itself, in training and in sampling:
    a tokenizer that saw the whole line would merge over the seams, and the same value would have other tokens beside
    other neighbours.

    Attributes
    ----------
    grammar : Grammar
        What may come next inside a value.
    prompts : tuple of Tokens
        Per group, how its rows begin: the values that the group fixes.
    names : tuple of Tokens
        Per column of the codec, what stands before its value.
    cells : tuple of tuple of WrittenCell
        Per column and group, the values.
    first_columns, other_columns : tuple of int
        Columns of the codec that are written: binned group columns, which come first, and all others.
    """

    grammar: Grammar
    prompts: tuple[Tokens, ...]
    names: tuple[Tokens, ...]
    cells: tuple[tuple[WrittenCell, ...], ...]
    first_columns: tuple[int, ...]
    other_columns: tuple[int, ...]

    @classmethod
    def learn(cls, table: Table, codec: CellCodec, tokenizer: Tokenizer) -> RowText:
        """Compile the grammar of a table.

        Raises
        ------
        DataError
            If the tokenizer cannot write a value, or writes two values alike.
        """
        writer = _Writer(tokenizer)
        builder = GrammarBuilder()
        names, cells = [], []
        for column in codec.columns:
            schema = table.schema[column.name]
            names.append(writer.name(column.name))
            if isinstance(column, WithinBin):
                cells.append(_cells_within_bins(column, schema, table, writer, builder))
            else:
                texts = _texts(column, schema, group_code=0)
                cells.append((writer.cell(column.name, texts, builder),) * len(table.groups))
        written = [at for at, column in enumerate(codec.columns) if column.n_tokens > 1]
        is_first = [isinstance(column, WithinBin) for column in codec.columns]
        return cls(
            builder.build(),
            writer.prompts(table, codec),
            tuple(names),
            tuple(cells),
            tuple(at for at in written if is_first[at]),
            tuple(at for at in written if not is_first[at]),
        )

    @property
    def max_row_tokens(self) -> int:
        """Tokens that the longest row may take."""
        longest = [
            len(self.names[at]) + max(len(tokens) for cell in self.cells[at] for tokens in cell.tokens.values())
            for at in (*self.first_columns, *self.other_columns)
        ]
        return max(map(len, self.prompts)) + sum(longest)

    def draw_order(self, rng: np.random.Generator) -> list[int]:
        """Return the columns in an order to write them in: the group's first, the others at random."""
        return [*rng.permutation(self.first_columns).tolist(), *rng.permutation(self.other_columns).tolist()]

    def write(
        self, cell_tokens: npt.NDArray[np.int64], group_code: int, order: Sequence[int]
    ) -> tuple[list[int], list[tuple[int, int, int]]]:
        """Return the tokens of a row, and its decisions as (position in the tokens, node, branch).

        Parameters
        ----------
        cell_tokens : ndarray of shape (n_columns,)
            The row in the codec's tokens.
        group_code : int
            Its group.
        order : sequence of int
            Columns to write.
        """
        tokens = list(self.prompts[group_code])
        decisions = []
        for at in order:
            tokens += self.names[at]
            cell = self.cells[at][group_code]
            value = cell.written_as[int(cell_tokens[at])]
            decisions += [(len(tokens) + made.offset, made.node, made.branch) for made in cell.decisions[value]]
            tokens += cell.tokens[value]
        return tokens, decisions


class _Writer:
    """Turns segments of text into tokens, and checks that the tokenizer can read them back."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._end = tuple(tokenizer.encode(",", add_special_tokens=False))
        start = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
        self._start: Tokens = () if start is None else (start,)

    def name(self, name: Hashable, *, first: bool = False) -> Tokens:
        """Return the tokens before a value; only the first column of a row has no blank before its name."""
        return self._segment(f"{'' if first else ' '}{name} is", what=f"the column name {name!r}")

    def value(self, text: str, column: Hashable) -> Tokens:
        """Return the tokens of a value and its end."""
        return self._segment(f" {text}", what=f"{text!r} in column {column!r}") + self._end

    def cell(self, column: Hashable, texts: Mapping[int, str], builder: GrammarBuilder) -> WrittenCell:
        """Return the values of a column; texts that occur twice stand for the first of their values."""
        by_text: dict[str, int] = {}
        written_as = {value: by_text.setdefault(text, value) for value, text in texts.items()}
        tokens = {value: self.value(text, column) for text, value in by_text.items()}
        try:
            root, decisions = builder.add(tokens)
        except AmbiguousTokensError:
            # A value may hold the end of another one: 'a' and 'a, b'. In quotes none is the beginning of another.
            tokens = {value: self.value(_in_quotes(text), column) for text, value in by_text.items()}
            try:
                root, decisions = builder.add(tokens)
            except AmbiguousTokensError as error:
                raise DataError(
                    f"column {column!r} holds values that the model's tokenizer writes alike, among "
                    f"{list(by_text)[:5]}. "
                    "Rename them, use a model with another tokenizer, or the generator 'transformer', which needs none."
                ) from error
        return WrittenCell(root, tokens, decisions, written_as)

    def prompts(self, table: Table, codec: CellCodec) -> tuple[Tokens, ...]:
        """Return the beginning of the rows of every group."""
        prompts = [self._start] * len(table.groups)
        for position, column in enumerate(codec.group_values):
            name = self.name(column.name, first=position == 0)
            texts = ValueText.of(table.schema[column.name]).write(column.values)
            prompts = [
                prompt + name + self.value(text, column.name) for prompt, text in zip(prompts, texts, strict=True)
            ]
        return tuple(prompts)

    def _segment(self, text: str, *, what: str) -> Tokens:
        tokens = tuple(self._tokenizer.encode(text, add_special_tokens=False))
        back = self._tokenizer.decode(list(tokens), skip_special_tokens=False, clean_up_tokenization_spaces=False)
        # Some tokenizers put a blank before every text or drop the first one; no other change is harmless.
        if back.strip() != text.strip():
            raise DataError(
                f"the model's tokenizer cannot write {what}: it reads {back.strip()!r} back. Use a model whose "
                "tokenizer keeps all characters, or the generator 'transformer', which needs none."
            )
        return tokens


def _cells_within_bins(
    column: WithinBin, schema: ColumnSchema, table: Table, writer: _Writer, builder: GrammarBuilder
) -> tuple[WrittenCell, ...]:
    """Return the values of a binned group column: per group, those in its bin."""
    by_bin: dict[Any, WrittenCell] = {}
    for code, group in enumerate(table.groups):
        if group[column.name] not in by_bin:
            by_bin[group[column.name]] = writer.cell(column.name, _texts(column, schema, code), builder)
    return tuple(by_bin[group[column.name]] for group in table.groups)


def _texts(column: CellColumn, schema: ColumnSchema, group_code: int) -> dict[int, str]:
    """Return how each cell token is written: a level by its name, a bin by the value in its middle.

    A number that stands for a bin gets as few digits as tell the bins apart, which saves tokens: the digits behind them
    are drawn inside the bin anyway.
    """
    tokens, groups = np.arange(column.n_tokens), np.full(column.n_tokens, group_code)
    if not isinstance(column, Bins | WithinBin):
        return dict(enumerate(ValueText.of(schema).write(column.decode(tokens, np.full(len(tokens), 0.5), groups))))
    values = column.decode(tokens, _middles(column, len(tokens)), groups)
    if schema.kind in ("numeric", "integer"):
        values = pd.Series(schema.to_float(values))
        schema = replace(schema, kind="numeric", dtype=values.dtype, resolution=None)
    texts: list[str] = []
    for digits in range(MIN_DIGITS, MAX_DIGITS + 1):
        texts = ValueText.of(schema, significant_digits=digits).write(values)
        if len(set(texts)) == len(texts):
            break
    return dict(enumerate(texts))


def _middles(column: Bins | WithinBin, n_tokens: int) -> npt.NDArray[np.float64]:
    """Return the middle of every bin as a share; a missing value has none, so that any number will do."""
    edges = column.scale.edges
    return np.resize((edges[:-1] + edges[1:]) / 2, n_tokens)


def _in_quotes(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
