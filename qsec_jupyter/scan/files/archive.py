"""Archives, opened in memory and never on disk, as far as a bound on members, depth and unpacked bytes."""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterator
from typing import IO, Any

from .model import Unreadable

DEPTH = 2
"""Archives inside archives that are opened."""

MEMBERS = 20_000
"""Most members that are read of one archive."""

_DIRECTORY = 16 * 1024 * 1024  # of a ZIP file: 46 bytes and a name for each member
_ZIP = re.compile(r"\.(?:zip|whl|jar)$", re.IGNORECASE)
_TAR = re.compile(r"\.(?:tar|tgz|tbz2?|txz|tar\.(?:gz|bz2|xz))$", re.IGNORECASE)
_PACKED = re.compile(r"\.(?:gz|bz2|xz)$", re.IGNORECASE)


def members(name: str, data: bytes, limit: int) -> Iterator[tuple[str, bytes]]:
    """Yield (name, content) of each file in an archive.

    Args:
        name: Tells the kind of archive.
        data: The archive.
        limit: Most bytes that all of it may unpack to.

    Raises:
        Unreadable: when it is damaged, encrypted or goes past a bound; what came before was yielded.
    """
    import lzma
    import zlib

    try:
        bound = _Bound(limit)
        if _ZIP.search(name):
            yield from _zip(data, bound)
        elif _TAR.search(name):
            yield from _tar(_Bounded(_unpacked(name, data), bound), limit)
        else:
            yield from _whole(_PACKED.sub("", name).rsplit("/", 1)[-1], _unpacked(name, data), bound)
    except Unreadable:
        raise
    except (
        OSError,
        EOFError,
        ValueError,
        RuntimeError,
        ArithmeticError,
        zlib.error,
        lzma.LZMAError,
    ) as error:
        raise Unreadable("the archive is damaged, encrypted or of an unknown kind") from error


class _Bound:
    """How much an archive may still unpack to."""

    def __init__(self, limit: int) -> None:
        self.left = limit
        self._limit = limit

    def take(self, size: int) -> None:
        """Count bytes that were unpacked."""
        self.left -= size
        if self.left < 0:
            raise Unreadable(f"it unpacks to more than {self._limit:,} bytes; the rest was not read")


class _Bounded(io.RawIOBase):
    """Reads a stream, and stops a bomb before it fills the memory."""

    def __init__(self, stream: IO[bytes], bound: _Bound) -> None:
        self._stream = stream
        self._bound = bound

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        most = self._bound.left + 1
        data = self._stream.read(most if size is None or size < 0 else min(size, most))
        self._bound.take(len(data))
        return data


def _whole(name: str, stream: IO[bytes], bound: _Bound) -> Iterator[tuple[str, bytes]]:
    """Yield one member as far as the bound, and raise behind it."""
    content = stream.read(bound.left + 1)
    yield name, content[: bound.left]
    bound.take(len(content))


def _unpacked(name: str, data: bytes) -> IO[bytes]:
    stream: Any = io.BytesIO(data)
    lower = name.lower()
    if lower.endswith((".gz", ".tgz")):
        import gzip

        stream = gzip.GzipFile(fileobj=stream)
    elif lower.endswith((".bz2", ".tbz", ".tbz2")):
        import bz2

        stream = bz2.BZ2File(stream)
    elif lower.endswith((".xz", ".txz")):
        import lzma

        stream = lzma.LZMAFile(stream)  # noqa: SIM115  # closed with its memory
    opened: IO[bytes] = stream
    return opened


def _tar(stream: _Bounded, limit: int) -> Iterator[tuple[str, bytes]]:
    import tarfile

    grown = _Bound(limit)
    try:
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            for count, member in enumerate(archive):
                _count(count)
                if member.isreg() and (content := archive.extractfile(member)):
                    # A sparse member is larger than the archive; its holes are read as zeros.
                    yield from _whole(member.name, content, grown)
    except tarfile.TarError as error:
        raise Unreadable("the archive is damaged, encrypted or of an unknown kind") from error


def _zip(data: bytes, bound: _Bound) -> Iterator[tuple[str, bytes]]:
    import zipfile

    _check_directory(data)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for count, member in enumerate(archive.infolist()):
                _count(count)
                if not member.is_dir():
                    with archive.open(member) as stream:
                        yield from _whole(member.filename, stream, bound)
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise Unreadable("the archive is damaged, encrypted or of an unknown kind") from error


def _count(number: int) -> None:
    if number >= MEMBERS:
        raise Unreadable(f"it has more than {MEMBERS:,} members; the rest was not read")


def _check_directory(data: bytes) -> None:
    """Refuse a directory that would fill the memory when it is listed (APPNOTE.TXT, 4.3.16)."""
    end = data.rfind(b"PK\x05\x06", max(0, len(data) - 66_000))
    if end < 0 or end + 16 > len(data):
        raise Unreadable("the archive is damaged, encrypted or of an unknown kind")
    (size,) = struct.unpack_from("<L", data, end + 12)
    if size > _DIRECTORY:  # also 0xFFFFFFFF, which refers to the directory of a ZIP64 file
        raise Unreadable(f"its directory is larger than {_DIRECTORY:,} bytes")
