"""The qubits of a program: which a name with its index stands for, as far as the text tells."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from .. import refusals
from .lexer import Words
from .statements import Statement
from .symbols import Operand, Symbol
from .values import Number, Values

MAX_QUBITS = 1_000_000
"""Of a register."""

_WORK = 4
_BITS = 32
"""Of a whole number whose type does not say it."""


class Operands:
    """The qubits that a program declares or uses.

    Args:
        words: The program's.
        of: What each name means.
        values: Reads numbers.
        most: Instructions that the program may have; looking at qubits is bounded by it, too.
    """

    def __init__(self, words: Words, of: dict[int, Symbol], values: Values, most: int) -> None:
        self._texts, self._kinds, self._closing = words.texts, words.kinds, words.closing
        self._of, self._values = of, values
        self._left = _WORK * most
        self._next = 0
        self._registers: list[Operand] = []
        self._hardware = {text: -1 - _number(text) for text in set(self._texts) if text[0] == "$"}

    @property
    def width(self) -> int:
        """How many qubits are declared, or used by their number."""
        return sum(register.most for register in self._registers) + len(set(self._hardware.values()))

    def spend(self, places: int) -> None:
        """Make sure that looking at qubits does not take too long.

        Raises:
            Invalid: ``payload.too_costly``.
        """
        self._left -= places
        if self._left < 0:
            raise refusals.too_costly("instructions on too many qubits")

    # -- declarations -------------------------------------------------------------------------------

    def register(self, statement: Statement, symbol: Symbol) -> None:
        """Take in a register of qubits."""
        symbol.operand = self._made(self._size(statement.at, statement.end))
        self._registers.append(symbol.operand)

    def alias(self, statement: Statement, symbol: Symbol) -> None:
        """Take in another name for qubits, or for bits, of which nothing is to be known."""
        places: list[int] = []
        is_known = True
        parts = list(self._split(statement.at + 3, statement.end, "++"))
        if any((found := self._of.get(at)) is not None and found.operand is None for at, _ in parts):
            return
        for at, end in parts:
            operand = self.one(at, end)
            self.spend(len(operand.places))
            places += operand.places
            is_known &= operand.is_known
        if len(places) > MAX_QUBITS:
            raise refusals.too_costly("a register of too many qubits")
        symbol.operand = Operand(places, len(places), is_known)

    def declare(self, statement: Statement, symbol: Symbol) -> None:
        """Take in something classical: how many bits or elements it has, or what it is worth."""
        at, end = statement.at, statement.end
        if self._texts[at] in ("input", "output"):
            at += 1
        head = self._texts[at]
        if head == "const" and "=" in self._texts[at:end]:
            self._constant(at + 1, self._texts.index("=", at, end) + 1, end, symbol)
        elif head in ("bit", "creg"):
            symbol.size = self._size(at, end)
        elif head == "array":
            opening = at + 1
            sizes = list(self._split(opening + 1, self._closing.get(opening, opening), ","))
            symbol.size = self._values.whole(*sizes[1]) if len(sizes) > 1 else None

    def _constant(self, kind: int, at: int, end: int, symbol: Symbol) -> None:
        """Take in a constant, where it has the same value for everybody."""
        head = self._texts[kind]
        if head == "float":
            symbol.value = self._values.number(at, end)
        elif head in ("int", "uint"):
            bits: int | None = _BITS
            if self._texts[kind + 1] == "[":
                bits = self._values.whole(kind + 2, self._closing[kind + 1])
            value = self._values.whole(at, end)
            if value is None or bits is None or not 1 <= bits <= 64:
                return
            low, high = (0, 1 << bits) if head == "uint" else (-1 << (bits - 1), 1 << (bits - 1))
            if low <= value < high:
                symbol.value, symbol.holds = value, (low, high)

    def one_each(self, symbols: Sequence[Symbol]) -> set[int]:
        """Let each of a definition's names be one qubit; return them."""
        for symbol in symbols:
            symbol.operand = self._made(1)
        return {place for symbol in symbols if symbol.operand for place in symbol.operand.places}

    def arguments(self, statement: Statement, symbols: Sequence[Symbol]) -> set[int]:
        """Take in what a function is given; return its qubits."""
        own: set[int] = set()
        opening = statement.at + 2
        parts = [part for part in self._split(opening + 1, self._closing[opening], ",") if part[0] < part[1]]
        if len(parts) != len(symbols):
            raise refusals.malformed("a function's definition of another form")
        for (at, end), symbol in zip(parts, symbols, strict=True):
            if self._texts[at] in ("qubit", "qreg"):
                symbol.operand = self._made(self._size(at, end))
                own.update(symbol.operand.places)
            elif self._texts[at] in ("bit", "creg"):
                symbol.size = self._size(at, end)
        return own

    def _size(self, at: int, end: int) -> int:
        """Return the size in a declaration: that in the first brackets, or 1."""
        stop = self._texts.index("=", at, end) if "=" in self._texts[at:end] else end
        if "[" not in self._texts[at:stop]:
            return 1
        opening = self._texts.index("[", at, stop)
        size = self._values.whole(opening + 1, self._closing[opening])
        if size is None or size < 1:
            raise refusals.unsupported("a register whose size is no number")
        if size > MAX_QUBITS:
            raise refusals.too_costly("a register of too many qubits")
        return size

    def _made(self, size: int) -> Operand:
        start = self._next
        self._next += size
        return Operand(range(start, start + size), size, is_known=True)

    # -- use ----------------------------------------------------------------------------------------

    def several(self, at: int, end: int) -> list[Operand]:
        """Return the operands between commas."""
        return [self.one(first, last) for first, last in self._split(at, end, ",") if first < last]

    def mentioned(self, at: int, end: int) -> Iterator[Operand]:
        """Return each operand that is mentioned in what a function is given."""
        place = at
        while place < end:
            first, place = place, place + 1
            symbol = self._of.get(first)
            if self._kinds[first] == "qubit" or (symbol is not None and symbol.operand is not None):
                while place < end and self._texts[place] == "[":
                    place = self._closing[place] + 1
                yield self.one(first, place)

    def everything(self) -> Operand:
        """Return all qubits there are."""
        places = [place for register in self._registers for place in register.places]
        places += self._hardware.values()
        return Operand(places, len(places), is_known=False)

    def one(self, at: int, end: int) -> Operand:
        """Return an operand: ``$3``, ``q``, ``q[3]``, ``q[0:2]`` or ``q[{0, 2}]``.

        Raises:
            Invalid: ``payload.unsupported`` for what is no qubit of a register.
        """
        if self._kinds[at] == "qubit" and end == at + 1:
            return Operand((self._hardware[self._texts[at]],), 1, is_known=True)
        symbol = self._of.get(at)
        whole = symbol.operand if symbol else None
        if whole is None:
            raise refusals.unsupported("an operand that is no qubit of a register")
        if end == at + 1:
            return whole
        if self._texts[at + 1] != "[" or self._closing[at + 1] != end - 1 or end == at + 3:
            raise refusals.unsupported("an operand that is no qubit of a register")
        return self._indexed(whole, at + 2, end - 1)

    def _indexed(self, whole: Operand, at: int, end: int) -> Operand:
        texts, size = self._texts, len(whole.places)
        if texts[at] == "{":
            chosen = [self._values.whole(*part) for part in self._split(at + 1, end - 1, ",")]
            return self._chosen(whole, chosen)
        parts = list(self._split(at, end, ":"))
        if len(parts) == 1:
            return self._chosen(whole, [self._values.whole(at, end)])
        if len(parts) > 3:
            raise refusals.malformed("an index of another form")
        step = self._values.whole(*parts[1]) if len(parts) == 3 else 1
        if not step or not whole.is_known:
            return Operand(whole.places, whole.most, is_known=False)
        first = self._bound(parts[0], 0 if step > 0 else size - 1, size)
        last = self._bound(parts[-1], size - 1 if step > 0 else 0, size)
        if first is None or last is None:
            return Operand(whole.places, whole.most, is_known=False)
        indices = range(first, last + (1 if step > 0 else -1), step)
        if not indices or not 0 <= first < size or not 0 <= last < size:
            raise refusals.unsupported("a qubit whose index is no number of its register")
        self.spend(len(indices))
        return Operand([whole.places[index] for index in indices], len(indices), is_known=True)

    def _bound(self, part: tuple[int, int], usual: int, size: int) -> int | None:
        """Return one end of a range of indices."""
        if part[0] == part[1]:
            return usual
        value = self._values.whole(*part)
        return value + size if value is not None and value < 0 else value

    def _chosen(self, whole: Operand, indices: Sequence[int | None]) -> Operand:
        """Return the qubits with these indices; any of the register, where one cannot be told."""
        size, places = len(whole.places), []
        for index in indices:
            if index is None or not whole.is_known:
                return Operand(whole.places, len(indices), is_known=False)
            if not -size <= index < size:
                raise refusals.unsupported("a qubit whose index is no number of its register")
            places.append(whole.places[index])
        return Operand(places, len(indices), is_known=True)

    def times(self, statement: Statement) -> int:
        """Return how often a loop runs, at most.

        Raises:
            Invalid: ``payload.unsupported`` where the text does not tell.
        """
        at, end = self._texts.index("in", statement.at, statement.end) + 1, statement.end
        if self._texts[at] == "{":
            return len([part for part in self._split(at + 1, end - 1, ",") if part[0] < part[1]])
        if self._texts[at] == "[":
            found = self._steps([self._values.number(*part) for part in self._split(at + 1, end - 1, ":")])
        else:
            symbol = self._of.get(at)
            found = symbol.size if symbol is not None and "(" not in self._texts[at:end] else None
        if found is None:
            raise refusals.unsupported(
                "a loop: how often it runs cannot be told", "Write its range with numbers or constants."
            )
        return found

    def _steps(self, numbers: Sequence[Number | None]) -> int | None:
        """Return how many numbers a range holds, at most; its end is one of them."""
        known = [number for number in numbers if number is not None]
        if len(known) != len(numbers) or not 2 <= len(known) <= 3:
            return None
        first, last, step = known[0], known[-1], known[1] if len(known) == 3 else 1
        if not step:
            return None
        rounded = not all(isinstance(number, int) for number in known)
        return max(0, math.floor((last - first) / step) + 1 + rounded)

    def _split(self, at: int, end: int, sign: str) -> Iterator[tuple[int, int]]:
        """Return where each part begins and ends between signs that stand in no brackets."""
        start, texts, closing = at, self._texts, self._closing
        while at < end:
            if texts[at] == sign:
                yield start, at
                start = at + 1
            at = closing.get(at, at) + 1
        yield start, end


def _number(text: str) -> int:
    if len(text) > 10:
        raise refusals.too_costly("a qubit of too large a number")
    return int(text[1:])
