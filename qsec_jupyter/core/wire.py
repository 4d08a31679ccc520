"""Frames on a kernel's socket: four bytes of length, big endian, then UTF-8 JSON.

Three shapes travel:

* request, kernel to server: ``{"id": n, "op": name, "args": {...}}``
* answer, server to kernel: ``{"id": n, "ok": {...}}`` or ``{"id": n, "error": problem}``
* push, server to kernel: ``{"push": name, ...}``, with no id and no answer

The socket has no name and belongs to one kernel, so a frame needs no authentication: who
holds the descriptor is the kernel.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from typing import Any

Message = dict[str, Any]

MAX_FRAME = 16 * 1024 * 1024
"""A longer frame is a protocol error and ends the channel (bytes)."""

FD_VARIABLE = "QSEC_CHANNEL_FD"
"""Environment variable that names the descriptor; the only thing about us in a kernel's environment."""

_LENGTH = struct.Struct(">I")


def encode(message: Message) -> bytes:
    """Return one frame.

    Raises:
        ValueError: If the frame would be longer than ``MAX_FRAME``.
    """
    body = json.dumps(message, separators=(",", ":")).encode()
    if len(body) > MAX_FRAME:
        raise ValueError(f"a frame of {len(body)} bytes is longer than {MAX_FRAME}")
    return _LENGTH.pack(len(body)) + body


class Decoder:
    """Turns bytes as they arrive into messages; holds only the unfinished tail."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        """Yield each message that ``data`` completes.

        Raises:
            ValueError: For an over-long frame or one that is not a JSON object; the channel is then unusable.
        """
        self._buffer += data
        while len(self._buffer) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer)
            if length > MAX_FRAME:
                raise ValueError(f"a frame of {length} bytes is longer than {MAX_FRAME}")
            end = _LENGTH.size + length
            if len(self._buffer) < end:
                return
            message = json.loads(bytes(self._buffer[_LENGTH.size : end]))
            del self._buffer[:end]
            if not isinstance(message, dict):
                raise ValueError("a frame must hold a JSON object")  # noqa: TRY004  # a protocol error, as above
            yield message
