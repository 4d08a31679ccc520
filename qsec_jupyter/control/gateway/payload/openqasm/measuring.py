"""How wide, deep and long a program is, at most: whichever branch it takes, whichever qubit an index means.

Nothing is carried out. A loop costs what its body costs, as often as it runs; a definition, what its body
costs, at each call. What cannot be bounded so is refused by name.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from .. import refusals
from .lexer import Words
from .operands import Operands
from .statements import Statement
from .symbols import Bindings, Cost, Operand
from .values import Values

_ONE = Cost(1, 1)


class _Frame:
    """What was carried out so far: in the program, or in one body.

    Attributes:
        levels: How many instructions came one after the other on each qubit.
        size: Instructions.
        pulses: Those of them in blocks of pulses, which may all wait for each other.
    """

    __slots__ = ("levels", "pulses", "size")

    def __init__(self) -> None:
        self.levels: dict[int, int] = {}
        self.size = self.pulses = 0

    def depth(self) -> int:
        return max(self.levels.values(), default=0) + self.pulses


class Measuring:
    """Measures a program.

    Args:
        words: The program's.
        bindings: What its names mean.
        most: Instructions that it may have.
    """

    def __init__(self, words: Words, bindings: Bindings, most: int) -> None:
        self._texts, self._kinds, self._words = words.texts, words.kinds, words
        self._of, self._declares = bindings.of, bindings.declares
        self._values = Values(words, bindings.of)
        self._operands = Operands(words, bindings.of, self._values, most)
        self._most = most
        self._frame = _Frame()
        self._calibrated: dict[str, Cost] = {}
        self._in_pulses = False
        self._measures = {
            "alias": self._alias,
            "box": self._inline,
            "cal": self._cal,
            "call": self._call,
            "declare": self._declare,
            "def": self._def,
            "defcal": self._defcal,
            "for": self._loop,
            "gate": self._gate,
            "if": self._branch,
            "line": self._line,
            "measure": self._classical,
            "qubits": self._register,
            "reset": self._reset,
            "scope": self._inline,
            "switch": self._branch,
            "case": self._inline,
            "while": self._while,
        }

    def run(self, program: list[Statement]) -> None:
        """Measure a program.

        Raises:
            Invalid: ``payload.malformed``, ``payload.unsupported``, ``payload.too_costly``.
        """
        self._statements(program)

    @property
    def width(self) -> int:
        """Qubits."""
        return self._operands.width

    @property
    def size(self) -> int:
        """Instructions."""
        return self._frame.size

    @property
    def depth(self) -> int:
        """Instructions one after the other."""
        return self._frame.depth()

    # -- statements -------------------------------------------------------------------------------

    def _statements(self, statements: list[Statement]) -> None:
        for statement in statements:
            measure = self._measures.get(statement.kind, self._classical)
            measure(statement)
            if self._in_pulses and not statement.blocks:
                self._count(1)
                self._frame.pulses += 1

    def _inline(self, statement: Statement) -> None:
        self._expression(statement.at, statement.end)
        for block in statement.blocks:
            self._statements(block)

    def _classical(self, statement: Statement) -> None:
        self._expression(statement.at, statement.end)

    def _declare(self, statement: Statement) -> None:
        self._expression(statement.at, statement.end)
        (symbol,) = self._declares[statement.at]
        self._operands.declare(statement, symbol)

    def _register(self, statement: Statement) -> None:
        (symbol,) = self._declares[statement.at]
        self._operands.register(statement, symbol)

    def _alias(self, statement: Statement) -> None:
        (symbol,) = self._declares[statement.at]
        self._operands.alias(statement, symbol)

    def _reset(self, statement: Statement) -> None:
        operands = self._operands.several(statement.at + 1, statement.end)
        self._apply(operands, self._calibrated.get("reset", _ONE))

    def _call(self, statement: Statement) -> None:
        at, end, texts = statement.at, statement.end, self._texts
        times = 1
        while self._kinds[at] == "keyword" and texts[at] != "gphase":
            stop = texts.index("@", at, end)
            if texts[at] == "pow":
                times = min(times * self._power(at + 1, stop), self._most + 1)
            at = stop + 1
        name, at = at, at + 1
        while at < end and texts[at] in ("(", "["):
            stop = self._words.closing[at] + 1
            self._expression(at, stop)
            at = stop
        cost = self._cost_of(name)
        if times != 1:
            cost = Cost(cost.size * times, cost.depth * times, cost.touched)
        self._apply(self._operands.several(at, end), cost)

    def _cost_of(self, name: int) -> Cost:
        symbol = self._of.get(name)
        if symbol is None:
            return self._calibrated.get(self._texts[name], _ONE)
        if symbol.cost is None:
            raise refusals.unsupported("a gate or function that calls itself")
        return symbol.cost

    def _power(self, at: int, end: int) -> int:
        """Return how often a gate is repeated for a power of it, at most."""
        exponent = self._values.number(at, end)
        if exponent is None:
            raise refusals.unsupported("a power of a gate that is no number")
        return max(1, math.ceil(abs(exponent)))

    def _line(self, statement: Statement) -> None:
        start, end, _ = self._words.lines[statement.at]
        if self._texts[start + 2 : start + 3] == ["unitary"] and self._texts[start + 3 : start + 4] == ["("]:
            at = self._words.closing[start + 3] + 1
            if self._texts[at:end] == ["all"]:
                operands = [self._operands.everything()]
            else:
                operands = self._operands.several(at, end)
            self._apply([_together(operands)], _ONE)

    # -- what runs perhaps, or often ----------------------------------------------------------------

    def _branch(self, statement: Statement) -> None:
        """Measure branches as if all were carried out, behind all that their condition may wait for."""
        self._expression(statement.at, statement.end)
        before, self._frame = self._frame, _Frame()
        for block in statement.blocks:
            self._statements(block)
        inner, self._frame = self._frame, before
        self._merge(inner, 1, waits=True)

    def _loop(self, statement: Statement) -> None:
        times = self._operands.times(statement)
        self._expression(statement.at, statement.end)
        before, self._frame = self._frame, _Frame()
        self._statements(statement.blocks[0])
        inner, self._frame = self._frame, before
        self._merge(inner, times, waits=False)

    def _while(self, statement: Statement) -> None:
        raise refusals.unsupported(
            "a while loop: how often it runs cannot be told",
            "Write it as a for loop over a fixed range, with an if in it.",
        )

    def _merge(self, inner: _Frame, times: int, *, waits: bool) -> None:
        if not times:
            return
        frame = self._frame
        self._count(inner.size * times)
        frame.pulses += inner.pulses * times
        depth = max(inner.levels.values(), default=0) * times
        self._operands.spend(len(frame.levels) if waits else 0)
        self._raise(inner.levels, depth, frame.levels.values() if waits else ())

    def _raise(self, places: Iterable[int], depth: int, others: Iterable[int] = ()) -> None:
        """Put instructions on top of qubits, all of them one above the other."""
        levels, places = self._frame.levels, list(places)
        self._operands.spend(len(places))
        if not places:
            return
        level = max(*(levels.get(place, 0) for place in places), max(others, default=0)) + depth
        levels.update(dict.fromkeys(places, level))

    # -- definitions ------------------------------------------------------------------------------

    def _gate(self, statement: Statement) -> None:
        gate, *rest = self._declares[statement.at]
        operands = self._operands.one_each(rest)
        gate.cost = self._body(statement, operands)

    def _def(self, statement: Statement) -> None:
        function, *arguments = self._declares[statement.at]
        operands = self._operands.arguments(statement, arguments)
        function.cost = self._body(statement, operands)

    def _defcal(self, statement: Statement) -> None:
        name = statement.at + 1
        self._in_pulses = True
        symbols = self._declares.get(statement.at, [])
        cost = self._body(statement, self._operands.one_each(symbols))
        self._in_pulses = False
        symbol, text = self._of.get(name), self._texts[name]
        before = (symbol.cost if symbol else self._calibrated.get(text)) or _ONE
        highest = Cost(
            max(cost.size, before.size), max(cost.depth, before.depth), cost.touched | before.touched
        )
        if symbol:
            symbol.cost = highest
        else:
            self._calibrated[text] = highest

    def _cal(self, statement: Statement) -> None:
        self._in_pulses = True
        self._statements(statement.blocks[0])
        self._in_pulses = False

    def _body(self, statement: Statement, own: set[int]) -> Cost:
        """Return what a body costs each time that it is carried out."""
        before, self._frame = self._frame, _Frame()
        self._statements(statement.blocks[0])
        inner, self._frame = self._frame, before
        return Cost(inner.size, inner.depth(), frozenset(inner.levels) - own)

    # -- instructions -----------------------------------------------------------------------------

    def _expression(self, at: int, end: int) -> None:
        """Carry out what an expression does to qubits: measurements, and calls of functions."""
        texts, of = self._texts, self._of
        for place in range(at, end):
            if texts[place] == "measure":
                stop = place + 1
                while stop < end and texts[stop] != "->":
                    stop += 1
                operands = self._operands.several(place + 1, stop)
                if not operands:
                    raise refusals.malformed("a measurement of nothing")
                self._apply(operands, self._calibrated.get("measure", _ONE))
            elif place + 1 < end and texts[place + 1] == "(" and place in of and of[place].kind == "def":
                self._function(place, self._words.closing[place + 1])

    def _function(self, at: int, end: int) -> None:
        cost = self._cost_of(at)
        self._operands.spend(end - at)
        places: set[int] = set(cost.touched)
        for operand in self._operands.mentioned(at + 1, end):
            places.update(operand.places)
        self._count(cost.size)
        self._raise(places, cost.depth)

    def _apply(self, operands: list[Operand], cost: Cost) -> None:
        """Carry out an instruction, once for each qubit where it is given registers."""
        if not operands:
            return
        times = max(operand.most for operand in operands)
        self._count(cost.size * times)
        levels = self._frame.levels
        if cost.touched or not all(operand.is_known for operand in operands):
            places = set(cost.touched).union(*[operand.places for operand in operands])
            self._raise(places, cost.depth * times)
            return
        self._operands.spend(times)
        for number in range(times):
            bits = [operand.places[number % operand.most] for operand in operands]
            level = max(levels.get(bit, 0) for bit in bits) + cost.depth
            for bit in bits:
                levels[bit] = level

    def _count(self, size: int) -> None:
        self._frame.size += size
        if self._frame.size > self._most:
            raise refusals.too_costly(f"more than {self._most} instructions")


def _together(operands: list[Operand]) -> Operand:
    """Return operands of which one instruction takes all."""
    places = [place for operand in operands for place in operand.places]
    return Operand(places, 1, is_known=False)
