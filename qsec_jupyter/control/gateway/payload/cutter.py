"""Cuts a stream of JSON where circuits stand in it, so that each can be looked into by itself."""

from __future__ import annotations

import re
from typing import NamedTuple

_WORD = b'"QuantumCircuit"'
_FRONT = re.compile(rb'"__type__"\s*:\s*"QuantumCircuit"\s*,\s*"__value__"\s*:\s*"')
_LONGEST = 96
"""Bytes in front of a circuit, spaces included; where there are more, it is not taken for one."""


class Piece(NamedTuple):
    """A piece of a stream.

    Attributes:
        data: The bytes.
        is_circuit: Whether they are a circuit: all that stands between its quotes.
    """

    data: bytes
    is_circuit: bool = False


class Cutter:
    """Cuts a stream. All pieces together are the stream, whatever it holds.

    Args:
        most: Bytes of a circuit; a longer one is not cut out.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = b""
        self._circuit: list[bytes] | None = None
        self._size = 0

    def feed(self, chunk: bytes) -> list[Piece]:
        """Take in a chunk, and return what is ready."""
        pieces: list[Piece] = []
        rest: bytes | None = chunk
        while rest is not None:
            rest = self._text(rest, pieces) if self._circuit is None else self._within(rest, pieces)
        return [piece for piece in pieces if piece.data]

    def finish(self) -> bytes:
        """Return what was held back."""
        rest = b"".join([self._held, *(self._circuit or ())])
        self._held, self._circuit = b"", None
        return rest

    def _text(self, chunk: bytes, pieces: list[Piece]) -> bytes | None:
        """Look for the next circuit. Return what follows its front; ``None`` where there is none."""
        data = self._held + chunk
        at = data.find(_WORD)
        while at >= 0:
            front = _FRONT.search(data, max(0, at - _LONGEST), at + _LONGEST)
            if front is not None:
                pieces.append(Piece(data[: front.end()]))
                self._held, self._circuit, self._size = b"", [], 0
                return data[front.end() :]
            at = data.find(_WORD, at + 1)
        cut = max(0, len(data) - _LONGEST)
        pieces.append(Piece(data[:cut]))
        self._held = data[cut:]
        return None

    def _within(self, chunk: bytes, pieces: list[Piece]) -> bytes | None:
        """Look for the end of a circuit. Return what follows it; ``None`` where it does not end yet."""
        assert self._circuit is not None
        end = chunk.find(b'"')
        self._circuit.append(chunk if end < 0 else chunk[:end])
        self._size += len(self._circuit[-1])
        is_long = self._size > self._most
        if end < 0 and not is_long:
            return None
        pieces.append(Piece(b"".join(self._circuit), is_circuit=not is_long))
        self._circuit = None
        return b"" if end < 0 else chunk[end:]
