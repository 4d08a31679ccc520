"""A circuit in QPY: header, registers, variables, definitions, instructions, layout."""

from __future__ import annotations

import re
from struct import Struct
from typing import Any

from . import values
from .annotations import read_annotations, read_namespaces
from .cursor import (
    INT16,
    INT64,
    SIGNED32,
    Cursor,
    Malformed,
    NotHidden,
    Place,
    Size,
    TooCostly,
    Unsupported,
)
from .evolution import evolution
from .gates import BIT, COMPACT, INSTRUCTION, LAYOUT
from .listing import Listing

MAX_BITS = 1_000_000
"""Qubits, or classical bits, of one circuit."""

_HEADER = Struct("!H1cHIIQIQI")
_REGISTER = Struct("!1c?IH?")
_VECTOR = Struct("!HQ16s")
_VARIABLE = Struct("!16scH")
_CUSTOM = Struct("!H1cII?QIIQ")
_LAYOUT_BIT = Struct("!ii")

_ANNOTATED = 128
_BY_EXPRESSION = 2
_ANNOTATIONS = 15
"""From this version on circuits have annotations."""

_OF_CUSTOM = frozenset({b"Gate", b"Instruction", b"ControlledGate"})
_EVOLUTION = "###PauliEvolutionGate_"
_OPEN = re.compile(r"_o\d+$")
_AS_IT_IS = frozenset(b"ifcszdmr")

Customs = dict[bytes, int]
"""How many bytes at the front of a custom operation's name are the user's; 0 for those of Qiskit's own."""


def circuit(cursor: Cursor, listings: list[Listing] | None = None) -> None:
    """Read a circuit, to its end.

    Args:
        cursor: Stands where it begins.
        listings: Receives a list of its instructions, where one is wanted.

    Raises:
        Malformed, Unsupported, TooCostly: What stands in its way.
    """
    at = cursor.at
    name, phase, phase_size, qubits, clbits, metadata, registers, instructions, variables = _take(
        cursor, _HEADER
    )
    if max(qubits, clbits) > MAX_BITS:
        raise TooCostly("it has too many bits")
    cursor.spend(instructions)
    cursor.name("circuit", name, Size(at, INT16))
    values.value(cursor, phase, phase_size, Size(at + 3, INT16), circuit)
    cursor.name("metadata", metadata, Size(at + 13, INT64))
    for _ in range(registers):
        _register(cursor)
    for _ in range(variables):
        at = cursor.at
        _, _, length = _take(cursor, _VARIABLE)
        values.type_(cursor)
        cursor.name("variable", length, Size(at + 17, INT16))
    outer = cursor.namespaces
    cursor.namespaces = read_namespaces(cursor) if cursor.version >= _ANNOTATIONS else []
    if cursor.version >= values.TABLE_OF_VECTORS:
        _vectors(cursor)
    customs = _customs(cursor)
    if listings is None:
        _instructions(cursor, instructions, customs)
    else:
        listings.append(_listed(cursor, instructions, customs))
    if cursor.version < COMPACT and cursor.number(INT16):
        raise Unsupported("pulse calibrations")
    _layout(cursor)
    cursor.namespaces = outer


def _take(cursor: Cursor, form: Struct) -> tuple[Any, ...]:
    return cursor.take(form)


def _register(cursor: Cursor) -> None:
    at, is_compact = cursor.at, cursor.version >= COMPACT
    kind, _, size, length, _ = _take(cursor, _REGISTER)
    if kind not in (b"q", b"c", b"a"):
        raise Malformed("an unknown kind of register")
    is_range = is_compact and cursor.skip(1) == b"\x01"
    cursor.name("register", length, Size(at + 6, INT16))
    cursor.skip((4 if is_compact else 8) * (1 if is_range else size))
    if size > MAX_BITS:
        raise TooCostly("a register of too many bits")


def _vectors(cursor: Cursor) -> None:
    for _ in range(cursor.number(INT16)):
        at = cursor.at
        length, elements, _ = _take(cursor, _VECTOR)
        if elements > values.MAX_VECTOR:
            raise TooCostly("a vector of too many parameters")
        cursor.name("vector", length, Size(at, INT16))


# -- definitions ----------------------------------------------------------------------------------


def _customs(cursor: Cursor) -> Customs:
    customs: Customs = {}
    bases: list[_Named] = []
    for _ in range(cursor.number(INT64)):
        _custom(cursor, customs, bases)
    for base in bases:  # may be defined behind what is based on it
        _note(cursor, base, customs)
    return customs


def _custom(cursor: Cursor, customs: Customs, bases: list[_Named]) -> None:
    at = cursor.at
    length, kind, _, _, defined, size, controls, state, base = _take(cursor, _CUSTOM)
    start, around = cursor.at, cursor.around
    full = cursor.skip(length)
    name = full.decode()
    own = _own_part(name, kind, is_open=(state + 1).bit_length() <= controls) if defined else ""
    customs[full] = len(own.encode())
    if own:
        cursor.places.append(Place("gate", start, customs[full], own, (Size(at, INT16), *around)))
    elif kind in (b"i", b"g") and not defined:
        why = "an operation without a definition is known to the vendor by its name only"
        cursor.bare.append(NotHidden("operation", name.rpartition("_")[0], why))
    if defined:
        outside = cursor.enter(size, Size(at + 12, INT64))
        (evolution if name.startswith(_EVOLUTION) else circuit)(cursor)
        cursor.leave(outside)
    if base:
        outside = cursor.enter(base, Size(at + 28, INT64))
        bases.append(_instruction(cursor, has_bits=False))
        cursor.leave(outside)


def _own_part(name: str, kind: bytes, *, is_open: bool) -> str:
    """Return the part of an operation's name that a user chose: what follows tells uses of it apart."""
    if name.startswith(_EVOLUTION) or kind not in (b"i", b"g", b"c"):
        return ""
    own, _, _ = name.rpartition("_")
    return _OPEN.sub("", own) if is_open and kind == b"c" else own


# -- instructions ---------------------------------------------------------------------------------

_Named = tuple[int, bytes, tuple[Size, ...]]
"""Where an instruction's name stands, the name, and where its length is written."""


def _instructions(cursor: Cursor, count: int, customs: Customs) -> None:
    """Read instructions. This loop is what reading costs: most are plain gates and have nothing to note."""
    data, end, known = cursor.data, cursor.end, cursor.known
    unpack, step = INSTRUCTION.unpack_from, INSTRUCTION.size
    for _ in range(count):
        start = cursor.at
        if start + step > end:
            raise Malformed("it ends too early")
        length, label, params, qargs, cargs, extras, condition, _, _, _ = unpack(data, start)
        at = start + step + length
        name = data[start + step : at]
        if label or extras or condition or name not in known:
            _note(cursor, _instruction(cursor), customs)
            continue
        at += BIT * (qargs + cargs)
        for _ in range(params):
            if at + 9 > end or data[at] not in _AS_IT_IS:
                cursor.at = at
                values.typed(cursor, circuit)
                at = cursor.at
            else:
                at += 9 + int.from_bytes(data[at + 1 : at + 9], "big")
        if at > end:
            raise Malformed("it ends too early")
        cursor.at = at


def _listed(cursor: Cursor, count: int, customs: Customs) -> Listing:
    """Read instructions, and return a list of them."""
    listing = Listing(cursor.version, customs)
    while count := count - listing.read(cursor, count):
        at = cursor.at
        _note(cursor, _instruction(cursor), customs)
        listing.add(cursor.data, at)
        count -= 1
    return listing


def _instruction(cursor: Cursor, *, has_bits: bool = True) -> _Named:
    """Read an instruction with all that it may have; return its name, which may be that of a definition.

    Args:
        cursor: Stands where it begins.
        has_bits: Whether it acts on bits; what a gate is based on stands by itself.
    """
    at = cursor.at
    length, label, params, qargs, cargs, extras, condition, _, _, _ = _take(cursor, INSTRUCTION)
    named = cursor.at, cursor.skip(length), (Size(at, INT16), *cursor.around)
    if label:
        cursor.name("label", label, Size(at + 2, INT16))
    if condition:
        outside = cursor.enter(condition, Size(at + 15, INT16))
        values.register_or_bit(cursor)
        cursor.leave(outside)
    if extras & 3 == _BY_EXPRESSION:
        values.typed(cursor, circuit)
    cursor.skip(BIT * (qargs + cargs) if has_bits else 0)
    for _ in range(params):
        values.typed(cursor, circuit)
    if extras & _ANNOTATED:
        read_annotations(cursor)
    return named


def _note(cursor: Cursor, named: _Named, customs: Customs) -> None:
    """Note the name of an instruction if it is that of a definition.

    Raises:
        Unsupported: If it is neither that nor the name of one of Qiskit's own classes.
    """
    at, name, sizes = named
    own = customs.get(name)
    if own:
        cursor.places.append(Place("gate", at, own, name[:own].decode(), sizes))
    elif own is None and name not in cursor.known and name not in _OF_CUSTOM:
        raise Unsupported("an operation that Qiskit does not know")


# -- layout ---------------------------------------------------------------------------------------


def _layout(cursor: Cursor) -> None:
    exists, initial, mapping, final, registers, _ = _take(cursor, LAYOUT)
    if not exists:
        return
    for _ in range(registers):
        _register(cursor)
    for _ in range(initial):
        at = cursor.at
        _, length = _take(cursor, _LAYOUT_BIT)
        if length >= 0:
            cursor.name("register", length, Size(at + 4, SIGNED32))
    cursor.skip(4 * (max(mapping, 0) + max(final, 0)))
