"""A value put together from literals, and where each of them stands."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple

_LITERAL = re.compile(
    r"""(?P<prefix>[rRbBuUfF]{0,2})(?P<quote>'''|\"{3}|'|")(?P<body>(?:\\.|(?!(?P=quote)).)*)(?P=quote)""",
    re.DOTALL,
)


class Place(NamedTuple):
    """Characters ``start:end`` of the source of cell ``cell``."""

    cell: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a value.

    Attributes:
        text: What it contributes.
        places: Which literals it comes from; none for what was not written in a literal.
        exact: Whether ``text`` stands in its one place as it is, character by character.
    """

    text: str
    places: tuple[Place, ...] = ()
    exact: bool = False


Value = tuple[Piece, ...]


def text_of(value: Value) -> str:
    """Return a value as a whole."""
    return "".join(piece.text for piece in value)


def changed(value: Value, change: Callable[[str], str | None]) -> Value | None:
    """Return ``value`` after a call that changes its text."""
    before = text_of(value)
    text = change(before)
    if text is None or text == before:
        return value if text is not None else None
    at = before.find(text) if text else -1
    if at >= 0:  # stripped
        return tuple(_cut(value, at, at + len(text)))
    return (Piece(text, tuple(place for piece in value for place in piece.places)),)


def _cut(value: Value, start: int, end: int) -> Iterator[Piece]:
    offset = 0
    for piece in value:
        first, last = max(start - offset, 0), min(end - offset, len(piece.text))
        offset += len(piece.text)
        if first < last:
            yield Piece(piece.text[first:last], inside(piece, first, last), piece.exact)


def inside(piece: Piece, first: int, last: int) -> tuple[Place, ...]:
    """Return the places of ``piece.text[first:last]``."""
    if not piece.exact:
        return piece.places
    cell, start, _ = piece.places[0]
    return (Place(cell, start + first, start + last),)


class Lines:
    """Turns the positions of a syntax tree into offsets of a text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._ascii = text.isascii()

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *accumulate(len(line) + 1 for line in self.text.split("\n"))]

    def span(self, node: ast.expr) -> tuple[int, int]:
        """Return start and end of ``node``."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self._offset(node.lineno, node.col_offset), self._offset(node.end_lineno, node.end_col_offset)

    def _offset(self, line: int, column: int) -> int:
        line = min(line, len(self._starts) - 1)
        start = self._starts[line - 1]
        if self._ascii:
            return start + column
        text = self.text[start : self._starts[line]]
        return start + len(text.encode("utf-8", "surrogatepass")[:column].decode("utf-8", "replace"))


def literal(node: ast.Constant, cell: int, lines: Lines) -> Value:
    """Return the value of a text or bytes literal; adjacent ones are one node but several pieces."""
    start, end = lines.span(node)
    pieces = []
    for match in _LITERAL.finditer(lines.text, start, end):
        text = _meaning(match)
        if text is None:
            continue
        first, last = match.span("body")
        pieces.append(Piece(text, (Place(cell, first, last),), text == match["body"]))
    return tuple(pieces)


def _meaning(match: re.Match[str]) -> str | None:
    if "f" in match["prefix"].lower():
        return match["body"]
    if "\\" not in match["body"]:
        return match["body"]
    try:
        value = ast.literal_eval(match[0])
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def formatted(node: ast.JoinedStr, cell: int, lines: Lines) -> Iterator[Piece | ast.expr]:
    """Yield the literal pieces of an f-string, and the expressions between them."""
    start, end = lines.span(node)
    at = start
    for part in node.values:
        if isinstance(part, ast.FormattedValue):
            yield part.value
        elif isinstance(part, ast.Constant) and isinstance(part.value, str):
            found = lines.text.find(part.value, at, end)
            if found >= 0 and part.value:
                at = found + len(part.value)
                yield Piece(part.value, (Place(cell, found, at),), exact=True)
            else:
                yield Piece(part.value)
