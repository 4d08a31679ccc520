"""Values in QPY: numbers, parameters and their expressions, classical expressions, tuples, circuits.

Formats are those of ``qiskit.qpy``'s documentation, versions 13 to 18.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from typing import Any

from .cursor import INT16, INT64, Cursor, Malformed, NotHidden, Size, TooCostly, Unsupported

MAX_VECTOR = 1_000_000

_TYPED = Struct("!1cQ")
_PARAMETER = Struct("!H16s")
_ELEMENT = Struct("!HQ16sQ")
_EXPRESSION = Struct("!QQ")
_SYMBOL = Struct("!ccQ")
_STEP = Struct("!Bc16sc16s")
_ITEM = Struct("!H1cH")
_ELEMENT_OF_TABLE = 10
"""Bytes of an element where its vector stands in a table."""

TABLE_OF_VECTORS = 18
"""From this version on a circuit's vectors stand in a table."""

_TAGGED = 18
"""From this version on a byte says whether a register follows, or a bit."""

_BY_NAME = 15
"""Up to here, what replaces parameters in an expression is listed by name and not by UUID."""

_INDEX = 4
_NUMPY = b"\x93NUMPY"
_PLAIN = frozenset(b"ifcszdmr")

Circuit = Callable[[Cursor], None]


def typed(cursor: Cursor, circuit: Circuit) -> None:
    """Read a value with its type and length in front."""
    at = cursor.at
    key, length = cursor.take(_TYPED)
    value(cursor, key, length, Size(at + 1, INT64), circuit)


def value(cursor: Cursor, key: Any, length: Any, size: Size, circuit: Circuit) -> None:
    """Read a value.

    Args:
        cursor: Stands where it begins.
        key: Its type, one byte.
        length: In bytes.
        size: Where its length is written.
        circuit: Reads a circuit, for blocks.
    """
    if key[0] in _PLAIN:
        cursor.skip(length)
        return
    outside = cursor.enter(length, size)
    reader = _READERS.get(key)
    if reader is not None:
        reader(cursor)
    elif key == b"t":
        _tuple(cursor, circuit)
    elif key == b"q":
        circuit(cursor)
    else:
        raise Unsupported("a value of an unknown type")
    cursor.leave(outside)


def register_or_bit(cursor: Cursor) -> None:
    """Read a register's name, or a null character and a bit's index, to the end of what is around it."""
    if cursor.data[cursor.at : cursor.at + 1] == b"\x00":
        told = cursor.skip(cursor.end - cursor.at)[1:]
        if not (len(told) == _INDEX if cursor.version >= _TAGGED else told.isdigit()):
            raise Malformed("a bit without an index")
        return
    if cursor.version >= _TAGGED and cursor.skip(1) != b"\x01":
        raise Malformed("neither a register nor a bit")
    size, around = cursor.around[0], cursor.around
    cursor.around = around[1:]
    cursor.name("register", cursor.end - cursor.at, size)
    cursor.around = around


def _tuple(cursor: Cursor, circuit: Circuit) -> None:
    for _ in range(cursor.number(INT64)):
        typed(cursor, circuit)


def _array(cursor: Cursor) -> None:
    if not cursor.skip(cursor.end - cursor.at).startswith(_NUMPY):
        raise Malformed("an array that is none")


def _parameter(cursor: Cursor) -> None:
    at = cursor.at
    length, _ = cursor.take(_PARAMETER)
    cursor.name("parameter", length, Size(at, INT16))  # type: ignore[arg-type]


def _element(cursor: Cursor) -> None:
    if cursor.version >= TABLE_OF_VECTORS:
        cursor.skip(_ELEMENT_OF_TABLE)
        return
    at = cursor.at
    length, elements, _, index = cursor.take(_ELEMENT)
    if elements > MAX_VECTOR:  # type: ignore[operator]
        raise TooCostly("a vector of too many parameters")
    if index >= elements:  # type: ignore[operator]
        raise Malformed("an element that its vector does not have")
    cursor.name("vector", length, Size(at, INT16))  # type: ignore[arg-type]


def _expression(cursor: Cursor) -> None:
    at = cursor.at
    symbols, length = cursor.take(_EXPRESSION)
    outside = cursor.enter(length, Size(at + 8, INT64))  # type: ignore[arg-type]
    while cursor.at < cursor.end:
        _step(cursor)
    cursor.leave(outside)
    for _ in range(symbols):  # type: ignore[call-overload]
        _symbol(cursor)


def _step(cursor: Cursor) -> None:
    at = cursor.at
    _, left, argument, _, _ = cursor.take(_STEP)
    if left != b"u":
        return
    (length,) = INT64.unpack_from(argument)  # type: ignore[arg-type]
    outside = cursor.enter(length, Size(at + 2, INT64))
    for _ in range(cursor.number(INT64)):
        _replacement(cursor)
    cursor.leave(outside)


def _replacement(cursor: Cursor) -> None:
    at = cursor.at
    length, key, size = cursor.take(_ITEM)
    name = cursor.skip(length)  # type: ignore[arg-type]
    if cursor.version < _BY_NAME:
        why = "QPY of this version repeats it where it cannot be told from others"
        cursor.bare.append(NotHidden("parameter name", name.decode(), why))
    value(cursor, key, size, Size(at + 3, INT16), no_circuit)


def _symbol(cursor: Cursor) -> None:
    at = cursor.at
    symbol, key, length = cursor.take(_SYMBOL)
    reader = {b"p": _parameter, b"v": _element, b"e": _expression}.get(symbol)  # type: ignore[call-overload]
    if reader is None:
        raise Malformed("a symbol of an unknown type")
    reader(cursor)
    if length:
        value(cursor, key, length, Size(at + 2, INT64), no_circuit)


def no_circuit(_: Cursor) -> None:
    """Refuse a circuit where none can stand."""
    raise Malformed("a circuit where none can stand")


# -- classical expressions ------------------------------------------------------------------------

_TYPES = {b"b": 0, b"u": 4, b"f": 0, b"d": 0}
_DURATIONS = frozenset({b"t", b"p", b"n", b"u", b"m", b"s"})
_OPERANDS = {b"c": (1, 1), b"u": (1, 1), b"b": (1, 2), b"i": (0, 2)}
"""For each kind of expression the bytes in front of its operands, and how many of those there are."""


def type_(cursor: Cursor) -> None:
    """Read the type of a classical expression."""
    length = _TYPES.get(cursor.skip(1))
    if length is None:
        raise Malformed("an unknown type")
    cursor.skip(length)


def _classical(cursor: Cursor) -> None:
    kind = cursor.skip(1)
    type_(cursor)
    if kind == b"x":
        _variable(cursor)
    elif kind == b"s":
        cursor.skip(2)
    elif kind == b"v":
        _constant(cursor)
    elif kind in _OPERANDS:
        front, operands = _OPERANDS[kind]
        cursor.skip(front)
        for _ in range(operands):
            _classical(cursor)
    else:
        raise Malformed("an unknown kind of expression")


def _variable(cursor: Cursor) -> None:
    kind = cursor.skip(1)
    if kind == b"R":
        size = Size(cursor.at, INT16)
        cursor.name("register", cursor.number(INT16), size)
    elif kind in (b"U", b"C"):
        cursor.skip(2 if kind == b"U" else 4)
    else:
        raise Malformed("an unknown kind of variable")


def _constant(cursor: Cursor) -> None:
    kind = cursor.skip(1)
    if kind == b"t":
        if cursor.skip(1) not in _DURATIONS:
            raise Malformed("an unknown unit")
        cursor.skip(8)
    elif kind in (b"b", b"i", b"f"):
        length = {b"b": 1, b"f": 8}.get(kind)
        cursor.skip(cursor.skip(1)[0] if length is None else length)
    else:
        raise Malformed("an unknown kind of constant")


_READERS: dict[bytes, Callable[[Cursor], None]] = {
    b"n": _array,
    b"p": _parameter,
    b"v": _element,
    b"e": _expression,
    b"x": _classical,
    b"R": register_or_bit,
}
