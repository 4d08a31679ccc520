"""A program that was read: how wide, deep and long it is, its hash, and the same with other names."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

from ...model import Circuit
from . import lexer, scopes, statements
from .measuring import Measuring

ALGORITHM = "qsec-openqasm-v1"

NESTING = 64
"""Blocks within one another."""

_ENDS = frozenset({";", "{", "}"})


class Program:
    """A program that was read.

    Args:
        source: Its text.
        most: How many instructions it may have.
        pragmas: Words that its pragmas may hold beside names and numbers; none where there are no pragmas.

    Attributes:
        names: All that it declares, in order of declaration.
        inputs: Those of them whose values come with it.
        pulses: Whether it plays pulses.

    Raises:
        Invalid: ``payload.malformed``, ``payload.unsupported``, ``payload.too_costly``.
    """

    def __init__(self, source: str, most: int, pragmas: frozenset[str] = frozenset()) -> None:
        self._words = lexer.read(source, 40 * most)
        told = statements.read(self._words, NESTING)
        bindings = scopes.bind(self._words, told, pragmas)
        self._of = {at: symbol.name for at, symbol in bindings.of.items()}
        self.names = list(bindings.names)
        self.inputs = frozenset(bindings.inputs)
        self.pulses = bindings.pulses
        measuring = Measuring(self._words, bindings, most)
        measuring.run(told)
        self._circuit = Circuit(self.hash(), measuring.width, measuring.depth, measuring.size)

    def circuit(self) -> Circuit:
        """Return what is known of it."""
        return self._circuit

    def hash(self) -> str:
        """Return the SHA-256 of its words, with each name that it declares replaced by its number."""
        numbers = {name: f"n{number}" for number, name in enumerate(self.names)}
        text = self.renamed(numbers.__getitem__)
        return hashlib.sha256(f"{ALGORITHM}\n{text}".encode()).hexdigest()

    def renamed(self, rename: Callable[[str], str]) -> str:
        """Return the program with other names, without comments."""
        new = {name: rename(name) for name in self.names}
        texts = list(self._words.texts)
        for at, name in self._of.items():
            texts[at] = new[name]
        for at in self._words.lines:
            texts[at] = f"\n{self._line(at, new)}\n"
        lines = self._words.lines
        return "".join(
            [
                f"{text}\n" if text in _ENDS else text if at in lines else f"{text} "
                for at, text in enumerate(texts[: self._words.size])
            ]
        )

    def _line(self, at: int, new: Mapping[str, str]) -> str:
        """Return a pragma with other names, and nothing else of it changed."""
        line, (start, end, places) = self._words.texts[at], self._words.lines[at]
        for word in reversed(range(start, end)):
            if word in self._of:
                place, name = places[word - start], self._of[word]
                line = f"{line[:place]}{new[name]}{line[place + len(name) :]}"
        return line
