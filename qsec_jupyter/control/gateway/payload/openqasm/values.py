"""What an expression is worth, where the text tells: for sizes, indices, and how often a loop runs.

Where two readers might come to different numbers, as where one is too large for the type of a constant in it,
this one comes to none.
"""

from __future__ import annotations

import operator
from collections.abc import Callable

from .lexer import Words
from .symbols import Symbol

Number = int | float
_MOST = 1 << 31
"""Beyond this, what a number is depends on how many bits a machine has for it."""

_NESTING = 50


class _Unknown(Exception):
    """The text does not tell."""


def _divided(one: Number, other: Number) -> Number:
    """Divide whole numbers, where nothing is left: what a reader does with the rest is its own."""
    if not isinstance(one, int) or not isinstance(other, int) or one < 0 or other < 1 or one % other:
        raise _Unknown
    return one // other


def _rest(one: Number, other: Number) -> Number:
    if not isinstance(one, int) or not isinstance(other, int) or one < 0 or other < 1:
        raise _Unknown
    return one % other


_LEVELS: tuple[dict[str, Callable[[Number, Number], Number]], ...] = (
    {"+": operator.add, "-": operator.sub},
    {"*": operator.mul, "/": _divided, "%": _rest},
)


class Values:
    """Reads numbers.

    Args:
        words: The program's.
        of: What each name means.
    """

    def __init__(self, words: Words, of: dict[int, Symbol]) -> None:
        self._kinds, self._texts = words.kinds, words.texts
        self._of = of
        self._at = self._end = 0
        self._lowest, self._highest = -_MOST, _MOST

    def whole(self, at: int, end: int) -> int | None:
        """Return the whole number that stands there; ``None`` where that cannot be told."""
        value = self.number(at, end)
        return value if isinstance(value, int) else None

    def number(self, at: int, end: int) -> Number | None:
        """Return the number that stands there; ``None`` where that cannot be told."""
        if end == at + 1 and self._texts[at].isdigit() and len(self._texts[at]) < 10:  # nearly all are this
            return int(self._texts[at])
        self._at, self._end = at, end
        self._lowest, self._highest = -_MOST, _MOST
        try:
            value = self._sum(0, 0)
        except _Unknown:
            return None
        return value if self._at == end else None

    def _sum(self, level: int, depth: int) -> Number:
        if level == len(_LEVELS):
            return self._signed(depth)
        value = self._sum(level + 1, depth)
        while self._at < self._end and self._texts[self._at] in _LEVELS[level]:
            operation = _LEVELS[level][self._texts[self._at]]
            self._at += 1
            value = self._checked(operation(value, self._sum(level + 1, depth)))
        return value

    def _signed(self, depth: int) -> Number:
        if self._at >= self._end or depth > _NESTING:
            raise _Unknown
        text, kind = self._texts[self._at], self._kinds[self._at]
        self._at += 1
        if text == "-":
            return self._checked(-self._signed(depth + 1))
        if text == "(":
            value = self._sum(0, depth + 1)
            if self._at >= self._end or self._texts[self._at] != ")":
                raise _Unknown
            self._at += 1
        elif kind == "number":
            value = self._checked(_literal(text))
        else:
            value = self._named(self._at - 1)
        if self._at < self._end and self._texts[self._at] == "**":
            self._at += 1
            return self._power(value, self._signed(depth + 1))
        return value

    def _named(self, at: int) -> Number:
        symbol = self._of.get(at)
        if symbol is None or symbol.value is None:
            raise _Unknown
        if symbol.holds is not None:
            self._lowest = max(self._lowest, symbol.holds[0])
            self._highest = min(self._highest, symbol.holds[1])
        return self._checked(symbol.value)

    def _power(self, base: Number, exponent: Number) -> Number:
        if not isinstance(base, int) or not isinstance(exponent, int) or base < 0 or not 0 <= exponent < 32:
            raise _Unknown
        return self._checked(base**exponent)

    def _checked(self, value: Number) -> Number:
        if not self._lowest <= value < self._highest:
            raise _Unknown
        return value


def _literal(text: str) -> Number:
    text = text.replace("_", "")
    if len(text) > 40:
        raise _Unknown
    try:
        return int(text, 0) if text[1:2].isalpha() and text[0] == "0" else int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        raise _Unknown from None  # it has a unit
