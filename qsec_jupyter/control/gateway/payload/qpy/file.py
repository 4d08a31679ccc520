"""A QPY file: its header, its circuits, and the same file with other names in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from struct import Struct, error as StructError  # noqa: N812

from .circuit import circuit
from .cursor import INT64, Cursor, Malformed, NotHidden, Place, Size, TooCostly, Unsupported
from .listing import Listing

VERSIONS = range(13, 19)
"""Versions that are read. Older ones hold expressions that are parsed as text, or unpickled."""

MAX_PROGRAMS = 10_000
_HEADER = Struct("!6sBBBBQc")
_TABLE = 16
"""From this version on a table says where each circuit begins."""


@dataclass(frozen=True, slots=True)
class QpyFile:
    """A file that was read.

    Attributes:
        data: The file.
        version: Of its format.
        programs: How many circuits it holds.
        places: Where names stand, from front to back.
        bare: Names that cannot be replaced.
        starts: Where the table says that circuits begin, and where they do.
        listings: The instructions of each circuit, where they were listed.
    """

    data: bytes
    version: int
    programs: int
    places: list[Place]
    bare: list[NotHidden]
    starts: list[tuple[Size, int]]
    listings: list[Listing]


def read(data: bytes, known: frozenset[bytes], instructions: int, *, listed: bool = False) -> QpyFile:
    """Read a file to its last byte.

    Args:
        data: The file.
        known: Names of operations that Qiskit itself has.
        instructions: How many it may hold.
        listed: Whether those of each circuit are listed.

    Raises:
        Malformed, Unsupported, TooCostly: What stands in its way.
    """
    cursor, listings = Cursor(data, instructions, known), list[Listing]()
    try:
        programs, starts = _circuits(cursor, listings if listed else None)
    except (Malformed, TooCostly, Unsupported):
        raise
    except (ValueError, IndexError, StructError, RecursionError) as error:
        raise Malformed("it cannot be read") from error
    if cursor.at != len(data):
        raise Malformed("something follows its end")
    places = sorted(cursor.places, key=lambda place: place.at)
    return QpyFile(data, cursor.version, programs, places, cursor.bare, starts, listings)


def rewrite(file: QpyFile, rename: Callable[[Place], bytes | None]) -> bytes:
    """Return the file with other names in it.

    Args:
        file: The file.
        rename: Gives for each place what is to stand there; ``None`` leaves what does.

    Raises:
        Unsupported: If a name would be longer than the format can hold.
    """
    out = bytearray(file.data)
    grown: dict[Size, int] = {}
    pieces: list[memoryview | bytes] = []
    changes: list[tuple[Place, bytes]] = []
    for place in file.places:
        text = rename(place)
        if text is None:
            continue
        changes.append((place, text))
        for size in place.sizes:
            grown[size] = grown.get(size, 0) + len(text) - place.length
    for size, begins in file.starts:
        grown[size] = sum(len(text) - place.length for place, text in changes if place.at < begins)
    try:
        for (at, form), growth in grown.items():
            form.pack_into(out, at, form.unpack_from(out, at)[0] + growth)
    except StructError as error:
        raise Unsupported("a name is too long") from error
    view, last = memoryview(out), 0
    for place, text in changes:
        pieces += view[last : place.at], text
        last = place.at + place.length
    return b"".join([*pieces, view[last:]])


def _circuits(cursor: Cursor, listings: list[Listing] | None) -> tuple[int, list[tuple[Size, int]]]:
    programs, starts = _header(cursor)
    for number in range(programs):
        if starts and starts[number][1] != cursor.at:
            raise Malformed("the table of circuits is wrong")
        circuit(cursor, listings)
    return programs, starts


def _header(cursor: Cursor) -> tuple[int, list[tuple[Size, int]]]:
    magic, version, _, _, _, programs, encoding = cursor.take(_HEADER)
    if magic != b"QISKIT":
        raise Malformed("it does not begin as QPY does")
    if version not in VERSIONS or encoding not in (b"p", b"e"):
        raise Unsupported(f"QPY version {version}")
    if cursor.skip(1) != b"q":
        raise Unsupported("something else than circuits")
    assert isinstance(version, int)
    assert isinstance(programs, int)
    if programs > MAX_PROGRAMS:
        raise TooCostly("it holds too many circuits")
    cursor.version = version
    table = [Size(cursor.at + 8 * number, INT64) for number in range(programs if version >= _TABLE else 0)]
    return programs, [(size, cursor.number(INT64)) for size in table]
