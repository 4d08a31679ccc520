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


def is_archive(name: str) -> bool:
    """Tell by its name whether a file is an archive that :func:`members` opens."""
    return bool(_ZIP.search(name) or _TAR.search(name) or _PACKED.search(name))


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
        if _ZIP.search(name):
            yield from _zip(data, limit)
        elif _TAR.search(name):
            yield from _tar(_Bounded(_unpacked(name, data), limit), limit)
        else:
            yield _PACKED.sub("", name).rsplit("/", 1)[-1], _Bounded(_unpacked(name, data), limit).read()
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


class _Bounded(io.RawIOBase):
    """Reads a stream, and stops a bomb before it fills the memory."""

    def __init__(self, stream: IO[bytes], limit: int) -> None:
        self._stream = stream
        self._left = self._limit = limit

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        wanted = self._left + 1 if size is None or size < 0 else min(size, self._left + 1)
        data = self._stream.read(wanted)
        self._left -= len(data)
        if self._left < 0:
            raise Unreadable(f"it unpacks to more than {self._limit:,} bytes; the rest was not read")
        return data


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

    try:
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            for count, member in enumerate(archive):
                _count(count)
                if member.isreg() and (content := archive.extractfile(member)):
                    # A sparse member is larger than the archive; its holes are read as zeros.
                    yield member.name, _Bounded(content, limit).read()
    except tarfile.TarError as error:
        raise Unreadable("the archive is damaged, encrypted or of an unknown kind") from error


def _zip(data: bytes, limit: int) -> Iterator[tuple[str, bytes]]:
    import zipfile

    _check_directory(data)
    left = limit
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for count, member in enumerate(archive.infolist()):
                _count(count)
                if not member.is_dir():
                    with archive.open(member) as stream:
                        content = _Bounded(stream, left).read()
                    left -= len(content)
                    yield member.filename, content
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
