"""Base64 and zlib, with a bound on what comes out."""

from __future__ import annotations

import base64
import binascii
import zlib
from typing import Any

from . import refusals
from .limits import MEGABYTE

LEVEL = 1
"""Of compression: a quarter of the time of the usual one, for a fifth more bytes."""


class Room:
    """How much may still be unpacked.

    Args:
        size: Bytes.
    """

    def __init__(self, size: int) -> None:
        self._size = self._left = size

    def decode(self, told: Any) -> bytes:
        """Return what stands in base64.

        Raises:
            Invalid: ``payload.malformed``, ``payload.too_large``.
        """
        if not isinstance(told, str):
            raise refusals.malformed("what should be base64 is none")
        try:
            data = base64.b64decode(told, validate=True)
        except (binascii.Error, ValueError) as error:
            raise refusals.malformed("what should be base64 is none") from error
        self._take(len(data))
        return data

    def unpack(self, data: bytes) -> bytes:
        """Return what was compressed, all of it and nothing behind it.

        Raises:
            Invalid: ``payload.malformed``, ``payload.too_large``.
        """
        machine = zlib.decompressobj()
        try:
            out = machine.decompress(data, self._left + 1)
        except zlib.error as error:
            raise refusals.malformed("what should be compressed is not") from error
        self._take(len(out))
        if not machine.eof or machine.unused_data:
            raise refusals.malformed("what is compressed does not end where it should")
        return out

    def _take(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise refusals.too_large("Unpacked", f"{self._size // MEGABYTE} MB")


def encode(data: bytes, *, packed: bool) -> str:
    """Return bytes as they stand in a job."""
    return base64.b64encode(zlib.compress(data, LEVEL) if packed else data).decode()
