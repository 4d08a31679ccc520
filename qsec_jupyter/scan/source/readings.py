"""Renders what source says of values as texts that the rules can read, with the way back to the literals."""

from __future__ import annotations

import ast
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from .names import Facts, facts, telling, unclear
from .pieces import Lines, Piece, Place, Value, inside, text_of
from .reach import Reach
from .tree import statements
from .values import Table, Values, opaque

_REMEMBERED = 2_000_000
_MOST = 4000


_PLAIN = (ast.Name, ast.Attribute, ast.Subscript, ast.Dict, ast.List, ast.Tuple, ast.Lambda)
"""Expressions that put nothing together themselves: without a telling name they say nothing new."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One value under its name.

    Attributes:
        text: ``name = "value"``.
        value: Where the value begins in it.
        pieces: What the value is put together from.
    """

    text: str
    value: int
    pieces: Value

    def places(self, start: int, end: int) -> Iterator[Place]:
        """Yield the literals, or parts of them, that hold ``text[start:end]``."""
        starts, at = [], self.value
        for piece in self.pieces:
            starts.append(at)
            at += len(piece.text)
        for number in range(max(bisect_right(starts, start) - 1, 0), len(starts)):
            piece, begin = self.pieces[number], starts[number]
            first, last = max(start - begin, 0), min(end - begin, len(piece.text))
            if first < last:
                yield from inside(piece, first, last)


class SourceReader:
    """Reads the source of a notebook's cells; what a cell says is remembered by its text. Not thread-safe."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[Facts, Lines]] = OrderedDict()
        self._size = 0

    def readings(
        self, cells: Mapping[int, str], spots: Iterable[int] | None = None, *, any_name: bool = False
    ) -> list[Reading]:
        """Return what ``cells`` say of values, as far as no rule sees it in their text.

        Args:
            cells: Number of each cell with Python source, and the source, in the notebook's order.
            spots: Where something stands that a value has in it: offsets in ``cells`` joined by line ends.
                ``None`` when any value is asked for.
            any_name: Whether any name may be a credential's, as with rules that are not ours.
        """
        reach = Reach(cells, spots, self._facts)
        read = reach.said
        bound, added, returned = Table(), Table(), Table()
        for number, (said, _) in read.items():
            for table, pairs in ((bound, said.bound), (added, said.added), (returned, said.returned)):
                for name, node in pairs:
                    table.setdefault(name, []).append((number, node))
        values = Values({number: lines for number, (_, lines) in read.items()}, bound, added, returned)
        found: dict[tuple[str, Value], Reading] = {}
        for number, (said, _) in read.items():
            for name, node in [*said.named, *(("", one) for one in said.loose)]:
                if isinstance(node, _PLAIN) and not (any_name or name in added or telling(name)):
                    continue  # where it is put together, it is looked at
                if not reach.holds(number, node):
                    continue
                for reading in _readings(values, name, node, number):
                    found.setdefault((reading.text, reading.pieces), reading)
                if len(found) > _MOST:
                    return list(found.values())
        return list(found.values())

    def _facts(self, text: str) -> tuple[Facts, Lines]:
        known = self._known.pop(text, None)
        if known is None:
            known = facts(statements(text)), Lines(text)
            self._size += len(text)
        self._known[text] = known
        while self._size > _REMEMBERED and len(self._known) > 1:
            self._size -= len(self._known.popitem(last=False)[0])
        return known


def _readings(values: Values, name: str, node: ast.expr, cell: int) -> Iterator[Reading]:
    try:
        found = values.of(node, cell)
    except RecursionError:
        return
    for value in found:
        if not any(piece.places for piece in value) or not opaque(value) or unclear(text_of(value), name):
            continue
        if not name and len(value) < 2:
            continue
        lead = f'{name} = "' if name else ""
        yield Reading(f'{lead}{text_of(value)}"', len(lead), value)


__all__ = ["Piece", "Reading", "SourceReader"]
