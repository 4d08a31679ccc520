"""A place in bytes that others sent: nothing is read beyond its end, and where names stand is noted."""

from __future__ import annotations

from struct import Struct
from typing import Literal, NamedTuple

Kind = Literal[
    "circuit", "register", "parameter", "vector", "variable", "gate", "label", "metadata", "reference"
]
"""What a name names."""

MAX_NESTING = 32
"""Blocks, definitions and expressions within one another."""

INT16, INT32, INT64, SIGNED32 = Struct("!H"), Struct("!I"), Struct("!Q"), Struct("!i")


class Malformed(ValueError):
    """These bytes are no QPY."""


class Unsupported(ValueError):
    """QPY, with something in it that nobody here looks into."""


class TooCostly(ValueError):
    """QPY that would take more than it may."""


class Size(NamedTuple):
    """Where the length of something is written, and how."""

    at: int
    form: Struct


class Place(NamedTuple):
    """A name in the bytes.

    Attributes:
        kind: What it names.
        at: Where it begins.
        length: In bytes.
        text: The name.
        sizes: Where its length is written, and those of what is around it.
    """

    kind: Kind
    at: int
    length: int
    text: str
    sizes: tuple[Size, ...]


class NotHidden(NamedTuple):
    """Something that a user may have named, and that cannot be renamed."""

    what: str
    text: str
    why: str


Outside = tuple[int, tuple[Size, ...]]
"""Where what is around ends, and where its lengths are written."""


class Cursor:
    """Reads one file from front to back.

    Args:
        data: The file.
        instructions: How many instructions it may hold, those in blocks and definitions included.
        known: Names of operations that Qiskit itself has.
    """

    def __init__(self, data: bytes, instructions: int, known: frozenset[bytes]) -> None:
        self.data = data
        self.at = 0
        self.end = len(data)
        self.version = 0
        self.known = known
        self.places: list[Place] = []
        self.bare: list[NotHidden] = []
        self.around: tuple[Size, ...] = ()
        self.namespaces: list[str] = []
        self._instructions = instructions
        self._nesting = 0

    def take(self, form: Struct) -> tuple[object, ...]:
        """Return what stands here, and go on behind it."""
        at, after = self.at, self.at + form.size
        if after > self.end:
            raise Malformed("it ends too early")
        self.at = after
        return form.unpack_from(self.data, at)

    def number(self, form: Struct) -> int:
        """Return the number that stands here."""
        (value,) = self.take(form)
        assert isinstance(value, int)
        return value

    def skip(self, length: int) -> bytes:
        """Return the next bytes, and go on behind them."""
        at = self.at
        if length < 0 or length > self.end - at:
            raise Malformed("it ends too early")
        self.at = at + length
        return self.data[at : at + length]

    def text(self, length: int) -> str:
        """Return the text that stands here."""
        return self.skip(length).decode()

    def name(self, kind: Kind, length: int, size: Size) -> str:
        """Return the name that stands here, and note its place."""
        at = self.at
        text = self.skip(length).decode()
        self.places.append(Place(kind, at, length, text, (size, *self.around)))
        return text

    def spend(self, instructions: int) -> None:
        """Count instructions.

        Raises:
            TooCostly: If there are more than there may be.
        """
        self._instructions -= instructions
        if self._instructions < 0:
            raise TooCostly("it holds too many instructions")

    def enter(self, length: int, *sizes: Size) -> Outside:
        """Go into something of this length, which must end where it says; :meth:`leave` comes out of it.

        Args:
            length: In bytes.
            sizes: Where its length is written.
        """
        outside = self.end, self.around
        if length < 0 or length > self.end - self.at:
            raise Malformed("a part is longer than the whole")
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            raise TooCostly("it nests too deeply")
        self.end = self.at + length
        self.around = (*sizes, *self.around)
        return outside

    def leave(self, outside: Outside) -> None:
        """Come out of what was gone into."""
        if self.at != self.end:
            raise Malformed("a part is shorter than it says")
        self._nesting -= 1
        self.end, self.around = outside
