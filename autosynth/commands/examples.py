"""Worked examples of a command: they end its help, and one of them ends an error of usage."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["examples", "examples_of"]

Function = TypeVar("Function", bound="Callable[..., Any]")
ATTRIBUTE = "worked_examples"


def examples(*pairs: tuple[str, str]) -> Callable[[Function], Function]:
    """Return a decorator that gives the function of a command its examples.

    Parameters
    ----------
    *pairs : tuple of str
        What is done, as a sentence, and the command line that does it.  The first stands for the whole command.

    Examples
    --------
    >>> @examples(("List them.", "autosynth generators"))
    ... def generators(): ...
    >>> examples_of(generators)
    (('List them.', 'autosynth generators'),)
    """

    def attach(function: Function) -> Function:
        setattr(function, ATTRIBUTE, pairs)
        return function

    return attach


def examples_of(function: object) -> tuple[tuple[str, str], ...]:
    """Return the examples of a command's function, or of what wraps it; empty where it has none."""
    return tuple(getattr(function, ATTRIBUTE, ()))
