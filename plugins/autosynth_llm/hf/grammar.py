"""What a language model may write as the value of a column: tries over token sequences, compiled to arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Ints: TypeAlias = npt.NDArray[np.int64]

Tokens: TypeAlias = "tuple[int, ...]"
UNDECIDED = -1


class AmbiguousTokensError(ValueError):
    """Two values have the same tokens, or those of one begin like all of another's."""


@dataclass(frozen=True)
class Decision:
    """A place in a value where more than one token may come next."""

    offset: int  # of the chosen token in the value's tokens
    node: int
    branch: int


@dataclass(frozen=True)
class Grammar:
    """All tries in one set of arrays; a step of sampling is one gather per row, whatever the vocabulary's size.

    A node is a place where a decision is due, a branch one of its answers.  A branch carries the tokens up to the next
    decision, the chosen one first, so that tokens without an alternative are never asked for.

    Attributes
    ----------
    first_tokens : ndarray of shape (n_nodes, max_branches)
        The token that decides for each branch; 0 beyond the branches of a node.
    n_branches : ndarray of shape (n_nodes,)
        How many there are.
    targets : ndarray of shape (n_nodes, max_branches)
        The node behind a branch, or UNDECIDED where it ends a value.
    choices : ndarray of shape (n_nodes, max_branches)
        The value that a branch ends, or UNDECIDED.
    tokens : tuple of tuple of Tokens
        Per node and branch, what it writes.
    """

    first_tokens: Ints
    n_branches: Ints
    targets: Ints
    choices: Ints
    tokens: tuple[tuple[Tokens, ...], ...]

    @property
    def allowed(self) -> npt.NDArray[np.bool_]:
        """Which entries of ``first_tokens`` are branches."""
        return np.arange(self.first_tokens.shape[1]) < self.n_branches[:, None]


class GrammarBuilder:
    """Collects tries, then compiles them.

    Examples
    --------
    >>> builder = GrammarBuilder()
    >>> root, decisions = builder.add({0: (5, 9), 1: (5, 6, 9), 2: (7, 8, 9)})  # 9 ends every value
    >>> [(decision.offset, decision.branch) for decision in decisions[1]]
    [(0, 0), (1, 0)]
    >>> grammar = builder.build()
    >>> grammar.tokens[root], grammar.choices[root].tolist()
    (((5,), (7, 8, 9)), [-1, 2])
    """

    def __init__(self) -> None:
        self._branches: list[list[tuple[Tokens, int, int]]] = []

    def add(self, values: Mapping[int, Tokens]) -> tuple[int, dict[int, tuple[Decision, ...]]]:
        """Add the values of one column.

        Parameters
        ----------
        values : mapping of int to Tokens
            Value to tokens; all sequences end alike, so that none is the beginning of another one.

        Returns
        -------
        root : int
            The node where its decisions begin.
        decisions : dict
            Value to the decisions that lead to it.

        Raises
        ------
        AmbiguousTokensError
            If the tokens do not tell the values apart.
        """
        decisions: dict[int, list[Decision]] = {value: [] for value in values}
        root = self._node(sorted(values.items(), key=lambda item: item[1]), 0, decisions)
        return root, {value: tuple(path) for value, path in decisions.items()}

    def build(self) -> Grammar:
        """Return the arrays."""
        width = max((len(branches) for branches in self._branches), default=1)
        shape = (len(self._branches), width)
        first, targets, choices = np.zeros(shape, np.int64), np.full(shape, UNDECIDED), np.full(shape, UNDECIDED)
        for node, branches in enumerate(self._branches):
            for position, (tokens, target, choice) in enumerate(branches):
                first[node, position], targets[node, position], choices[node, position] = tokens[0], target, choice
        return Grammar(
            first,
            np.array([len(branches) for branches in self._branches], dtype=np.int64),
            targets,
            choices,
            tuple(tuple(tokens for tokens, _, _ in branches) for branches in self._branches),
        )

    def _node(self, values: Sequence[tuple[int, Tokens]], start: int, decisions: dict[int, list[Decision]]) -> int:
        """Make the node at which ``values``, sorted and alike up to ``start``, part."""
        node = len(self._branches)
        self._branches.append([])
        for branch, members in enumerate(_by_token(values, start)):
            for value, _ in members:
                decisions[value].append(Decision(start, node, branch))
            end = _common_length(members[0][1], members[-1][1])  # sorted: the outermost two share the least
            if len(members) == 1:
                self._branches[node].append((members[0][1][start:], UNDECIDED, members[0][0]))
            else:
                if end == len(members[0][1]):
                    raise AmbiguousTokensError(f"values {members[0][0]} and {members[1][0]}")
                target = self._node(members, end, decisions)
                self._branches[node].append((members[0][1][start:end], target, UNDECIDED))
        return node


def _by_token(values: Sequence[tuple[int, Tokens]], position: int) -> list[list[tuple[int, Tokens]]]:
    parts: dict[int, list[tuple[int, Tokens]]] = {}
    for value, tokens in values:
        parts.setdefault(tokens[position], []).append((value, tokens))
    return list(parts.values())


def _common_length(first: Tokens, last: Tokens) -> int:
    return next((at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
