"""How the sandbox and its worker speak: a table and a body, each with its length before it."""

from __future__ import annotations

import json
import struct
from typing import Any, BinaryIO

_LENGTHS = struct.Struct(">IQ")
LENGTHS = _LENGTHS.size


def pack(table: dict[str, Any], body: bytes) -> tuple[bytes, bytes]:
    """Return what goes over the wire: lengths and table, then the body as it is."""
    head = json.dumps(table).encode()
    return _LENGTHS.pack(len(head), len(body)) + head, body


def lengths(begin: bytes) -> tuple[int, int]:
    """Return the lengths of table and body."""
    head, body = _LENGTHS.unpack(begin)
    return head, body


def read(stream: BinaryIO) -> tuple[dict[str, Any], bytes] | None:
    """Return the next frame, ``None`` at the end of the stream."""
    begin = stream.read(LENGTHS)
    if len(begin) < LENGTHS:
        return None
    head, body = lengths(begin)
    return dict(json.loads(stream.read(head))), stream.read(body)


def write(stream: BinaryIO, table: dict[str, Any], body: bytes) -> None:
    """Write a frame."""
    stream.writelines(pack(table, body))
    stream.flush()
