"""Bytes as a text or a notebook, and back in the same form: encoding, byte order mark, indentation."""

from __future__ import annotations

import codecs
import json
import os
import stat
from typing import Any, NamedTuple

from .model import Unreadable

_MARKS = (  # the longer ones first: UTF-32's begins with UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_HEAD = 8192
_ARCHIVES = (
    ".zip", ".whl", ".jar", ".tar", ".tgz", ".tbz", ".tbz2", ".txz", ".gz", ".bz2", ".xz",
)  # fmt: skip


class Text(NamedTuple):
    """A decoded file.

    Attributes:
        encoding: That of the file.
        mark: Its byte order mark, which is no part of ``text``.
    """

    text: str
    encoding: str
    mark: bytes = b""

    def encode(self, text: str) -> bytes:
        """Return ``text`` in the form of this file."""
        return self.mark + text.encode(self.encoding, "surrogatepass")


def read_file(path: str, limit: int) -> tuple[bytes, os.stat_result]:
    """Return a regular file's bytes, and its status as it was when they were read.

    Raises:
        Unreadable: when it is no regular file, larger than ``limit`` bytes, cannot be read, or changes
            whenever it is read. One that only grows is read as far as it went.
    """
    try:
        first, status, still = _read(path, limit)
        if still:
            return first, status
        second, status, still = _read(path, limit)
    except OSError as error:
        raise Unreadable(error.strerror or type(error).__name__) from error
    if not still and not second.startswith(first):  # else it only grows, as a log does
        raise Unreadable("it changed while it was read")
    return second, status


def _read(path: str, limit: int) -> tuple[bytes, os.stat_result, bool]:
    """Return a file's bytes, its status, and whether both stayed as they were meanwhile."""
    # Not blocking: something may have put a pipe here since the folder was listed.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags), "rb") as stream:
        before = os.fstat(stream.fileno())
        if not stat.S_ISREG(before.st_mode):
            raise Unreadable("it is no regular file")
        if before.st_size > limit:
            raise Unreadable(f"it is larger than {limit:,} bytes and was not read")
        data = stream.read(before.st_size + 1)
        after = os.fstat(stream.fileno())
    still = (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    return data[: before.st_size], before, still and len(data) == before.st_size


def is_archive(name: str) -> bool:
    """Tell by its name whether a file is an archive that :mod:`.archive` opens."""
    return name.lower().endswith(_ARCHIVES)


def decode(data: bytes) -> Text | None:
    """Return the text in ``data``, or ``None`` when it is none: UTF-8, UTF-16, UTF-32, else Latin-1."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _decoded(data[len(mark) :], encoding, mark)
    head = data[:_HEAD]
    zeros = b"\0" in head
    if zeros and (wide := _wide(head)):
        return _decoded(data, wide, b"")
    try:
        return Text(data.decode(), "utf-8")
    except UnicodeDecodeError:
        return None if zeros else Text(data.decode("latin-1"), "latin-1")


def _wide(head: bytes) -> str | None:
    """Tell UTF-16 without a mark by its zeros: nearly every other byte, and nearly none between them."""
    first, second = head[::2], head[1::2]
    for encoding, high, low in (("utf-16-le", second, first), ("utf-16-be", first, second)):
        if high.count(0) * 10 > len(high) * 9 and low.count(0) * 10 < len(low):
            return encoding
    return None


def _decoded(data: bytes, encoding: str, mark: bytes) -> Text | None:
    try:
        return Text(data.decode(encoding, "surrogatepass"), encoding, mark)
    except UnicodeDecodeError:
        return None


def parse_notebook(text: str) -> dict[str, Any] | str:
    """Return a notebook, or why ``text`` is none. ``NaN`` and control characters in strings are let pass."""
    try:
        content = json.loads(text, strict=False)
    except RecursionError:
        return "the notebook is nested too deeply and was read as plain text"
    except ValueError:
        return "the notebook is not valid JSON and was read as plain text"
    if not isinstance(content, dict):
        return "the notebook is not a JSON object and was read as plain text"
    return content


def dump_notebook(notebook: dict[str, Any], like: str) -> str:
    """Return a notebook as JSON in the style of the text ``like``: indentation, escapes, last line."""
    content = json.dumps(
        notebook, indent=_indent(like), ensure_ascii=like.isascii(), separators=_separators(like)
    )
    return content + like[len(like.rstrip("\r\n")) :]


def _indent(like: str) -> int | str | None:
    lines = like.strip().split("\n", 2)
    if len(lines) < 2:
        return None
    space = lines[1][: len(lines[1]) - len(lines[1].lstrip())]
    return space if "\t" in space else len(space)


def _separators(like: str) -> tuple[str, str]:
    """Tell ``{"a":1}`` from ``{"a": 1}`` by the first key."""
    colon = like.find('":')
    tight = colon >= 0 and like[colon + 2 : colon + 3] not in {" ", "\n", "\r"}
    return (", " if "\n" not in like.strip() and not tight else ",", ":" if tight else ": ")
