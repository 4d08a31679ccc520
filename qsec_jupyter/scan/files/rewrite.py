"""Puts a file's new content in its place: whole or not at all; mode, times, owner and attributes stay."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

from .model import Unreadable


def rewrite(path: str, read: os.stat_result, content: bytes, backup: str = "") -> None:
    """Replace the content of a file.

    Args:
        path: A link is followed, and stays a link.
        read: The file's status when it was read; when it has changed since, it is left alone.
        content: The new content.
        backup: Suffix of a copy that keeps the old content, empty for none. It is never overwritten.

    Raises:
        Unreadable: when it was not replaced; the file is as it was.
    """
    file = Path(os.path.realpath(path))
    try:
        _unchanged(file, read)
        if not os.access(file, os.W_OK):
            raise Unreadable("it is read-only and was not rewritten")
        copy = _copied(file, backup) if backup else None
        try:
            _replace(file, read, content)
        except BaseException:
            if copy:
                copy.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise Unreadable(f"it was not rewritten: {error.strerror or type(error).__name__}") from error


def _replace(file: Path, read: os.stat_result, content: bytes) -> None:
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name[:64]}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        # Only root can give a file to another owner; Windows knows no such call.
        with contextlib.suppress(PermissionError, AttributeError):
            shutil.chown(name, read.st_uid, read.st_gid)
        shutil.copystat(file, name)
        _unchanged(file, read)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _copied(file: Path, suffix: str) -> Path:
    copy = file.with_name(file.name + suffix)
    try:
        os.close(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError as error:
        raise Unreadable(f"its backup {copy.name} exists, so it was not rewritten") from error
    shutil.copy2(file, copy)
    return copy


def _unchanged(file: Path, read: os.stat_result) -> None:
    now = file.stat()
    if (now.st_dev, now.st_ino, now.st_size, now.st_mtime_ns) != (
        read.st_dev,
        read.st_ino,
        read.st_size,
        read.st_mtime_ns,
    ):
        raise Unreadable("it changed after it was read and was not rewritten")
