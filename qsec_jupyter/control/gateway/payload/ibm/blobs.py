"""Where QPY stands in a job, and putting other QPY there.

The runtime's encoder writes ``{"__type__": "QuantumCircuit", "__value__": …}``; the models of newer programs
``{"b64_data": …, "qpy_version": …}`` or ``{"circuit_b64": …, "qpy_version": …}``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .. import circuits, packing, qpy, refusals
from ..limits import Limits

_MAGIC = b"QISKIT"
_BESIDE = frozenset({"__type__", "qpy_version", "num_programs"})
_TYPES = frozenset({"QuantumCircuit", "Instruction"})


@dataclass(slots=True)
class Blob:
    """QPY in its place.

    Attributes:
        holder: The object in which it stands.
        key: Under which name.
        packed: Whether it is compressed.
        file: What it holds.
    """

    holder: dict[str, Any]
    key: str
    packed: bool
    file: qpy.QpyFile

    def put(self, data: bytes) -> None:
        """Put other QPY there."""
        self.holder[self.key] = packing.encode(data, packed=self.packed)


def key_of(value: dict[str, Any]) -> str | None:
    """Return under which name an object holds QPY, if it does."""
    if "__type__" in value:
        return "__value__" if value["__type__"] in _TYPES else None
    if "qpy_version" in value:
        return next((key for key in ("b64_data", "circuit_b64") if key in value), None)
    return None


class Blobs:
    """All QPY of one job; what stands there twice is read once.

    Args:
        limits: What reading it may take, all together.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._room = packing.Room(limits.unpacked)
        self._files: dict[str, tuple[bool, qpy.QpyFile]] = {}
        self._of: dict[int, Blob] = {}
        self.all: list[Blob] = []

    def find(self, value: Any) -> None:
        """Read all QPY in a value.

        Raises:
            Invalid: As :func:`.circuits.walk`; ``payload.too_large``.
        """
        for holder, key in holders(value):
            blob = self._of[id(holder)] = self.add(holder, key)
            _check_told(holder, key, blob.file)

    def add(self, holder: dict[str, Any], key: str) -> Blob:
        """Read the QPY in one place.

        Raises:
            Invalid: As :meth:`find`.
        """
        text = holder[key]
        if not isinstance(text, str):
            raise refusals.malformed("what should be QPY is none")
        if text not in self._files:
            self._files[text] = self._read(text)
        blob = Blob(holder, key, *self._files[text])
        self.all.append(blob)
        return blob

    def of(self, holder: Any) -> Blob:
        """Return what an object holds.

        Raises:
            Invalid: ``payload.unsupported`` if it is no QPY.
        """
        blob = self._of.get(id(holder))
        if blob is None:
            raise refusals.unsupported(
                "a circuit that is not in QPY", "Submit it with the provider's own client, which writes QPY."
            )
        return blob

    @property
    def room(self) -> packing.Room:
        """How much may still be unpacked."""
        return self._room

    def _read(self, text: str) -> tuple[bool, qpy.QpyFile]:
        data = self._room.decode(text)
        packed = not data.startswith(_MAGIC)
        data = self._room.unpack(data) if packed else data
        return packed, circuits.walk(data, self._limits.instructions, listed=True)


def _check_told(holder: dict[str, Any], key: str, file: qpy.QpyFile) -> None:
    """Refuse QPY that is not what stands beside it says, or more: nobody would look at the rest."""
    if not set(holder) <= {key, *_BESIDE}:
        raise refusals.unsupported("QPY with something beside it that is not known")
    told = holder.get("num_programs", 1), holder.get("qpy_version", file.version)
    if told != (file.programs, file.version):
        raise refusals.malformed("QPY is not what is said of it")


def holders(value: Any) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield each object that holds QPY, in order of appearance."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            key = key_of(value)
            if key is not None:
                yield value, key
            waiting += reversed(value.values())
        elif isinstance(value, list):
            waiting += reversed(value)
