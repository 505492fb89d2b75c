"""TeX in, MathML out: browsers draw it themselves, so that formulas need no script, no font and no network.

It knows what the pages use: letters, numbers, operators, sub- and superscripts, fractions, accents, upright words and
stretched brackets.  Anything else is an error, so that no formula is shown wrong.

    >>> to_mathml("n_g")
    '<math><msub><mi>n</mi><mi>g</mi></msub></math>'
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

SIGN = re.compile(r"\\[A-Za-z]+|\\[,;!{}|%&# ]|\d+(?:\.\d+)?|\S")

LETTERS = {
    "alpha": "α",
    "beta": "β",
    "delta": "δ",
    "Delta": "Δ",
    "ell": "ℓ",
    "epsilon": "ϵ",
    "gamma": "γ",
    "infty": "∞",
    "lambda": "λ",
    "mu": "μ",
    "pi": "π",
    "rho": "ρ",
    "sigma": "σ",
    "tau": "τ",
    "theta": "θ",
}
OPERATORS = {
    "approx": "≈",
    "cdot": "·",
    "ge": "≥",
    "in": "∈",
    "le": "≤",
    "mid": "∣",
    "minus": "−",
    "ne": "≠",
    "pm": "±",
    "propto": "∝",
    "sim": "∼",
    "times": "×",
    "to": "→",
    "{": "{",
    "}": "}",
    "|": "‖",
    "%": "%",
}
BIG = {"sum": "∑", "prod": "∏"}
FUNCTIONS = {"log", "exp", "min", "max", "arg"}
ACCENTS = {"hat": "\u0302", "bar": "\u0304", "tilde": "\u0303"}  # signs that combine with the letter before
SPACES = {",": "0.17em", ";": "0.28em", "quad": "1em", "qquad": "2em", " ": "0.25em"}
ENDS = {None, "}", ")", "\\right"}
THIN = '<mspace width="0.17em"/>'
STYLES = {"mathrm": "normal", "text": "text", "mathbf": "bold"}
PLAIN = {"-": "−", "*": "∗", "'": "′"}


class FormulaError(ValueError):
    """A formula holds something that is not known here."""


def to_mathml(tex: str, *, block: bool = False) -> str:
    """Return a formula as a ``<math>`` element, on a line of its own with ``block``.

    Raises
    ------
    FormulaError
        The formula holds an unknown command, or brackets that do not match.
    """
    body = "".join(_Parser(tex, block).terms(until=None))
    return f'<math display="block">{body}</math>' if block else f"<math>{body}</math>"


class _Parser:
    def __init__(self, tex: str, block: bool) -> None:
        self.tex = tex
        self.block = block
        self.signs = list(_split(tex))
        self.at = 0

    def terms(self, until: str | None) -> list[str]:
        """Read terms up to a closing sign, which is taken too."""
        found = []
        while (sign := self._peek()) != until:
            if sign is None:
                raise FormulaError(f"{self.tex!r} ends before {until!r}.")
            found.append(self._scripted())
        self.at += until is not None
        return found

    def _row(self, until: str) -> str:
        """Read terms as one."""
        terms = self.terms(until)
        return terms[0] if len(terms) == 1 else f"<mrow>{''.join(terms)}</mrow>"

    def _scripted(self) -> str:
        """Read a term with what hangs below and above it."""
        is_function = (self._peek() or "")[1:] in FUNCTIONS
        big = self.block and self._peek() in {"\\sum", "\\prod", "\\max", "\\min"}
        base, below, above = self._atom(), "", ""
        while self._peek() in {"_", "^"}:
            mark = self._next()
            if mark == "_":
                below = self._atom()
            else:
                above = self._atom()
        # between a function and what it is taken of
        space = THIN if is_function and self._peek() not in ENDS else ""
        if below and above:
            tag = "munderover" if big else "msubsup"
        elif below:
            tag = "munder" if big else "msub"
        elif above:
            tag = "mover" if big else "msup"
        else:
            return base + space
        return f"<{tag}>{base}{below}{above}</{tag}>{space}"

    def _atom(self) -> str:
        sign = self._next()
        if sign == "{":
            return self._row(until="}")
        if sign.startswith("\\"):
            return self._command(sign[1:])
        if sign[0].isdigit():
            return f"<mn>{sign}</mn>"
        if sign.isalpha():
            return f"<mi>{sign}</mi>"
        if sign in "_^}&":
            raise FormulaError(f"{self.tex!r}: {sign!r} stands where a term should.")
        look = ' stretchy="false"' if sign in "()[]|" else ""
        if sign == "|":  # a bar that closes looks like one that opens
            look += ' lspace="0" rspace="0"'
        return f"<mo{look}>{escape(PLAIN.get(sign, sign))}</mo>"

    def _letter(self) -> str:
        """Read one letter, in braces or not."""
        letter = re.fullmatch(r"<mi>(.)</mi>", self._atom())
        if letter is None:
            raise FormulaError(f"{self.tex!r}: an accent stands over one letter.")
        return letter[1]

    def _command(self, name: str) -> str:
        if name in LETTERS:
            return f"<mi>{LETTERS[name]}</mi>"
        if name in OPERATORS:
            return f"<mo>{escape(OPERATORS[name])}</mo>"
        if name in BIG:
            return f"<mo>{BIG[name]}</mo>"
        if name in FUNCTIONS:
            return f"<mi>{name}</mi>"
        if name in SPACES:
            return f'<mspace width="{SPACES[name]}"/>'
        if name in ACCENTS:
            return f"<mi>{_italic(self._letter())}{ACCENTS[name]}</mi>"
        if name in STYLES:
            return self._words(STYLES[name])
        if name == "frac":
            return f"<mfrac>{self._atom()}{self._atom()}</mfrac>"
        if name == "sqrt":
            return f"<msqrt>{self._atom()}</msqrt>"
        if name == "left":
            return self._fenced()
        raise FormulaError(f"{self.tex!r}: \\{name} is unknown. Teach docs/hooks/formulas.py, or write it otherwise.")

    def _fenced(self) -> str:
        opening = self._next()
        body = self._row(until="\\right")
        closing = self._next()
        fences = [
            f"<mo>{escape(mark.removeprefix(chr(92)))}</mo>" if mark != "." else "" for mark in (opening, closing)
        ]
        return f"<mrow>{fences[0]}{body}{fences[1]}</mrow>"

    def _words(self, style: str) -> str:
        sign = self._next()
        if not sign.startswith("{"):
            raise FormulaError(f"{self.tex!r}: words stand in braces.")
        words = escape(sign[1:-1])
        if style == "text":
            return f"<mtext>{words}</mtext>"
        return f'<mi mathvariant="{style}">{words}</mi>' if style != "bold" else f'<mi class="bold">{words}</mi>'

    def _peek(self) -> str | None:
        return self.signs[self.at] if self.at < len(self.signs) else None

    def _next(self) -> str:
        sign = self._peek()
        if sign is None:
            raise FormulaError(f"{self.tex!r} ends too early.")
        self.at += 1
        return sign


def _italic(letter: str) -> str:
    """Return the letter as one of the mathematical italics, which browsers do not give a letter with a sign over it."""
    first = 0x1D434 if "A" <= letter <= "Z" else 0x1D44E
    return chr(first + ord(letter.upper()) - ord("A")) if letter.isascii() and letter != "h" else letter


def _split(tex: str) -> Iterator[str]:
    """Cut into commands, numbers and signs; the words of a ``text`` command stay in one piece, with their braces."""
    words = re.compile(r"\\(" + "|".join(STYLES) + r")(\{[^{}]*\})")
    end = 0
    for match in words.finditer(tex):
        yield from SIGN.findall(tex[end : match.start()])
        yield f"\\{match[1]}"
        yield match[2]
        end = match.end()
    yield from SIGN.findall(tex[end:])
