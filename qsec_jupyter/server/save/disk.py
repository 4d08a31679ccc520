"""Scans a file that lies on disk already, and puts its redacted form in its place in one step."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from ...scan.baseline import write_atomically
from ...scan.scanner import ScanResult

READ_LIMIT = 512 * 1024 * 1024
"""A larger file is not read again; its report says so (bytes)."""

_TRIES = 3
_NONBLOCK = getattr(os, "O_NONBLOCK", 0)  # a named pipe must not make us wait


@dataclass(frozen=True)
class Changing(Exception):
    """The file changed while it was read or before it was replaced."""


Stamp = tuple[int, int, int, int]
"""Device, inode, size and time of change: the same as long as nobody writes to the file."""


def stamp(os_path: str | Path) -> Stamp | None:
    """Return the stamp of a file, or ``None`` when there is none."""
    try:
        return _stamp(Path(os_path).stat())
    except OSError:
        return None


def scan_file(os_path: str, scan: Callable[[str], ScanResult]) -> ScanResult:
    """Scan the file at ``os_path`` and rewrite it when ``scan`` returns a redacted text.

    A link is followed and stays a link. Mode and times stay as they are. A file that keeps changing,
    or that cannot be rewritten, is left as it is, and the result says so.

    Raises:
        OSError: The file cannot be read.
    """
    file = Path(os.path.realpath(os_path))
    for _ in range(_TRIES):
        try:
            return _once(file, scan)
        except Changing:
            continue
    return unread("it kept changing while it was read")


def unread(why: str) -> ScanResult:
    """Return the result for a file that was not read."""
    return ScanResult([], unscanned=[{"surface": "file", "why": why}])


def _once(file: Path, scan: Callable[[str], ScanResult]) -> ScanResult:
    with os.fdopen(os.open(file, os.O_RDONLY | _NONBLOCK), "rb") as stream:
        before = os.fstat(stream.fileno())
        if not stat.S_ISREG(before.st_mode):
            return unread("it is not a regular file")
        if before.st_size > READ_LIMIT:
            return unread("larger than 512 MB")
        data = stream.read()
        if _stamp(os.fstat(stream.fileno())) != _stamp(before):
            raise Changing
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return unread("not a text in UTF-8")
    result = scan(text)
    if isinstance(result.redacted, str):
        return _replace(file, before, result)
    return result


def _replace(file: Path, before: os.stat_result, result: ScanResult) -> ScanResult:
    if stamp(file) != _stamp(before):
        raise Changing
    try:
        write_atomically(file, result.redacted.encode("utf-8", "surrogatepass"), stat.S_IMODE(before.st_mode))
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    except OSError as error:
        why = f"found, but the file could not be rewritten ({type(error).__name__})"
        return replace(
            result,
            redacted=None,
            findings=[replace(one, action="reported") for one in result.findings],
            unscanned=[*result.unscanned, {"surface": "file", "why": why}],
        )
    if before.st_nlink > 1:
        why = "the file had more than one name; what lies under the others was not changed"
        return replace(result, unscanned=[*result.unscanned, {"surface": "file", "why": why}])
    return result


def _stamp(status: os.stat_result) -> Stamp:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
