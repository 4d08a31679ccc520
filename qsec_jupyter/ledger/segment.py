"""The bytes of a segment file: a header, then frames. Written down in ``docs/formats/ledger.md``.

Header, 96 bytes: ``QSECLOG1``, journal id (16), index of the first entry (u64), chain hash before it (32),
and the SHA-256 of all that (32), which is where this segment's chain begins.
Frame: length of the payload (u32), the same with every bit inverted (u32), chain hash (32), payload.
Chain hash: SHA-256 of the chain hash before it, the payload's length (u32) and the payload.

Numbers are big endian. The inverted length is what tells an interrupted write from a changed byte: a write
that was cut short is a prefix of a frame, and no single changed byte makes a whole frame look like one.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

MAGIC = b"QSECLOG1"
SUFFIX = ".seg"
HEADER_SIZE = 96
FRAME_OVERHEAD = 40
MAX_PAYLOAD = 1024 * 1024
"""Longest payload (bytes)."""

_HEADER = struct.Struct(">8s16sQ32s")
_FRAME = struct.Struct(">II32s")
_LENGTH = struct.Struct(">I")
_HOLE = bytes(512)  # a sector that was allocated and never written; our own bytes never hold one

Broken = Literal["torn", "damaged"]


@dataclass(frozen=True, slots=True)
class Header:
    """What a segment says about itself."""

    journal: bytes
    first: int
    previous: bytes

    def encode(self) -> bytes:
        """Return the 96 bytes at the start of the file."""
        body = _HEADER.pack(MAGIC, self.journal, self.first, self.previous)
        return body + hashlib.sha256(body).digest()

    @property
    def chain(self) -> bytes:
        """The chain hash that this segment's first frame builds on."""
        return self.encode()[_HEADER.size :]

    @classmethod
    def decode(cls, data: bytes) -> Header:
        """Read a header.

        Raises:
            ValueError: If it is short, of another format or altered.
        """
        if len(data) < HEADER_SIZE:
            raise ValueError("the header is incomplete")
        magic, journal, first, previous = _HEADER.unpack_from(data)
        if magic != MAGIC:
            raise ValueError("this is not a ledger segment")
        header = cls(journal, first, previous)
        if header.encode() != data[:HEADER_SIZE]:
            raise ValueError("the header's digest does not match")
        return header


@dataclass(frozen=True, slots=True)
class Frame:
    """One entry's payload, or the place where reading had to stop.

    Attributes:
        offset: Where the frame starts in the file.
        chain: The chain hash that the frame holds.
        payload: The entry; empty when ``broken``.
        broken: ``torn`` for what an interrupted write leaves, ``damaged`` for anything else.
    """

    offset: int
    chain: bytes
    payload: bytes
    broken: Broken | None = None


def chain_hash(previous: bytes, payload: bytes) -> bytes:
    """Return the chain hash of the entry that follows ``previous``."""
    return hashlib.sha256(previous + _LENGTH.pack(len(payload)) + payload).digest()


def encode_frame(chain: bytes, payload: bytes) -> bytes:
    """Return one frame."""
    return _FRAME.pack(len(payload), len(payload) ^ 0xFFFFFFFF, chain) + payload


def frames(data: bytes) -> Iterator[Frame]:
    """Yield the frames of a segment's bytes; a broken one is the last. Chain hashes are not checked here."""
    offset = HEADER_SIZE
    while offset < len(data):
        if len(data) - offset < 8:
            yield Frame(offset, b"", b"", "torn")
            return
        length, inverted = struct.unpack_from(">II", data, offset)
        end = offset + FRAME_OVERHEAD + length
        if length ^ inverted != 0xFFFFFFFF or length > MAX_PAYLOAD:
            yield Frame(offset, b"", b"", "torn" if _has_hole(data, offset) else "damaged")
            return
        if end > len(data):
            yield Frame(offset, b"", b"", "torn")
            return
        yield Frame(offset, data[offset + 8 : offset + FRAME_OVERHEAD], data[offset + FRAME_OVERHEAD : end])
        offset = end


def is_torn(frame: Frame, data: bytes, *, fits: bool) -> bool:
    """Say whether reading stopped at what an interrupted write or a power cut leaves.

    Args:
        frame: The frame where it stopped.
        data: The segment it is from.
        fits: Whether the frame's chain hash is the right one.
    """
    return frame.broken == "torn" or (not fits and _has_hole(data, frame.offset))


def _has_hole(data: bytes, offset: int) -> bool:
    """Say whether there is unwritten space (zeros) at or after ``offset``."""
    rest = data[offset:]
    return _HOLE in rest or not any(rest)


def paths(folder: Path) -> list[Path]:
    """Return the segment files of a ledger in order."""
    return sorted(folder.glob(f"{'[0-9]' * 20}{SUFFIX}"))


def path_of(folder: Path, first: int) -> Path:
    """Return the file of the segment that starts with entry ``first``."""
    return folder / f"{first:020d}{SUFFIX}"
