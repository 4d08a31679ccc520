"""Which of a notebook's source a literal that looks drawn can reach: the rest needs no syntax tree.

A value gets its name where its literal stands, or where a name stands that is bound to it. So what is read is
the cells with such literals, those that mention a name bound to one, and those that bind what else these
expressions are made of.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import accumulate

from .names import Facts, name_of
from .pieces import Lines
from .values import CARRYING

_WORD = re.compile(r"\w+")
_BINDING = re.compile(  # what stands before a sign of equality, between `for` and `in`, and the like
    r"[^=\n;(]*=(?!=)|\bfor\b[^\n]*?\bin\b|\bdef\s+\w+|\w+[\"'\])]*\.(?:append|extend|write)\b"
)

_MADE_OF = (ast.Constant, ast.Name, ast.Attribute, ast.Subscript, ast.JoinedStr, ast.List, ast.Tuple)
"""Names, literals, and lists, whose numbers may be characters."""


class Reach:
    """What is read of some cells, and which expressions in it are reached.

    Args:
        cells: Number of each cell, and its source, in the notebook's order.
        spots: Offsets in ``cells`` joined by line ends; ``None`` when everything is reached.
        read: Returns what a text says.
    """

    def __init__(
        self,
        cells: Mapping[int, str],
        spots: Iterable[int] | None,
        read: Callable[[str], tuple[Facts, Lines]],
    ) -> None:
        self._cells = cells
        self._read = read
        self._said: dict[int, tuple[Facts, Lines]] = {}
        self._bound: list[tuple[str, bool, frozenset[str]]] = []
        self._names: set[str] = set()
        self._known: dict[tuple[int, ast.expr], tuple[bool, frozenset[str]]] = {}
        self._everything = spots is None
        self._spots = {} if spots is None else _by_cell(cells, spots)
        for number in cells if self._everything else self._spots:
            self._facts(number)
        if not self._everything:
            self._forward()
            self._backward()

    @property
    def said(self) -> dict[int, tuple[Facts, Lines]]:
        """What each cell says that was read, in the notebook's order."""
        return {number: self._said[number] for number in self._cells if number in self._said}

    def holds(self, number: int, node: ast.expr) -> bool:
        """Tell whether a spot, or a name that is bound to one, may be a part of what ``node`` comes to."""
        if self._everything:
            return True
        spotted, names = self._made_of(number, node)
        return spotted or not self._names.isdisjoint(names)

    def _facts(self, number: int) -> None:
        self._said[number] = said, _ = self._read(self._cells[number])
        if not self._everything:
            self._bound += [
                (name, *self._made_of(number, node))
                for name, node in (*said.bound, *said.added, *said.returned)
                if name
            ]

    def _made_of(self, number: int, node: ast.expr) -> tuple[bool, frozenset[str]]:
        """Return whether an expression has a spot in what its value is made of, and the names in that."""
        known = self._known.get((number, node))
        if known is not None:
            return known
        spots, lines = self._spots.get(number), self._said[number][1]
        spotted, names = False, set()
        for part in _parts(node):
            if name := name_of(part):
                names.add(name)
            elif spots and not spotted:
                start, end = lines.span(part)
                spotted = bisect_left(spots, start) < bisect_left(spots, end)
        found = self._known[number, node] = spotted, frozenset(names)
        return found

    def _forward(self) -> None:
        """Read what mentions a name that is bound to a spot, also by way of other names."""
        fresh = self._spotted()
        while fresh:
            self._names |= fresh
            for number in self._mentioning(fresh):
                self._facts(number)
            fresh = self._spotted()

    def _mentioning(self, names: set[str]) -> list[int]:
        """Return the cells that were not read yet and hold one of ``names``."""
        return [
            number
            for number, text in self._cells.items()
            if number not in self._said and any(name in text for name in names)
        ]

    def _spotted(self) -> set[str]:
        return {
            name
            for name, spotted, names in self._bound
            if name not in self._names and (spotted or not self._names.isdisjoint(names))
        }

    def _backward(self) -> None:
        """Read what binds the other names that go into what is reached."""
        known: set[str] = set()
        fresh = {
            name
            for number, (said, _) in self._said.items()
            for node in (*(node for _, node in said.named), *said.loose)
            for spotted, names in [self._made_of(number, node)]
            if spotted or not self._names.isdisjoint(names)
            for name in names
        }
        while fresh:
            known |= fresh
            for number in self._mentioning(fresh):
                if not fresh.isdisjoint(_binding(self._cells[number])):
                    self._facts(number)
            fresh = {one for name, _, names in self._bound if name in known for one in names} - known


def _by_cell(cells: Mapping[int, str], spots: Iterable[int]) -> dict[int, list[int]]:
    numbers = list(cells)
    starts = [0, *accumulate(len(text) + 1 for text in cells.values())]
    found: dict[int, list[int]] = {}
    for spot in sorted(spots):
        at = bisect_right(starts, spot) - 1
        found.setdefault(numbers[at], []).append(spot - starts[at])
    return found


def _binding(text: str) -> set[str]:
    """Return the words of ``text`` that may be bound in it; more than those only cost time."""
    return set(_WORD.findall(" ".join(_BINDING.findall(text))))


def _parts(node: ast.expr) -> Iterator[ast.expr]:
    """Yield the names and literals that the value of an expression may be made of."""
    stack: list[ast.AST] = [node]
    while stack:
        one = stack.pop()
        if isinstance(one, _MADE_OF):
            yield one
        if isinstance(one, ast.Call) and name_of(one.func) not in CARRYING:
            yield one.func
        else:
            stack += ast.iter_child_nodes(one)
