"""Where a character of a text stands: among its bytes, among those that are seen, and in lines.

Worked out once for a text: there may be thousands of findings in one, on one line even.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from itertools import accumulate

_BLOCK = 1024
"""So many bytes at most are counted for one question."""

_CONTINUED = bytes(range(0x80, 0xC0))
"""Bytes in UTF-8 that no character begins with (RFC 3629)."""


class Offsets:
    """The ways between a text as it is stored and what the engine reads of it.

    Args:
        text: As stored.
        data: What is seen of it, in UTF-8.
        hidden: Where what is not seen begins and ends in ``text``, in order.
    """

    __slots__ = ("_data", "_ends", "_marks", "_newlines", "_passed", "_shown")

    def __init__(self, text: str, data: bytes, hidden: Iterable[tuple[int, int]]) -> None:
        self._data = data
        blocks = () if data.isascii() else range(0, len(data), _BLOCK)
        self._marks = [0, *accumulate(_characters(data[at : at + _BLOCK]) for at in blocks)]
        spans = list(hidden)
        self._ends = [end for _, end in spans]
        self._passed = [0, *accumulate(end - start for start, end in spans)]
        self._shown = [start - passed for (start, _), passed in zip(spans, self._passed, strict=False)]
        self._newlines = [end - 1 for end in accumulate(len(line) + 1 for line in text.split("\n"))][:-1]

    def character(self, byte: int) -> int:
        """Return how many characters stand before ``data[byte]``."""
        if len(self._marks) == 1:
            return byte
        block = byte // _BLOCK
        return self._marks[block] + _characters(self._data[block * _BLOCK : byte])

    def stored(self, offset: int) -> int:
        """Return the index in the text of the character at ``offset`` among those that are seen."""
        return offset + self._passed[bisect_right(self._shown, offset)]

    def position(self, index: int) -> tuple[int, int]:
        """Return line and column, from 1, of ``text[index]`` as the user sees them."""
        line = bisect_left(self._newlines, index)
        start = self._newlines[line - 1] + 1 if line else 0
        return line + 1, self._seen(index) - self._seen(start) + 1

    def end_column(self, start: int, end: int) -> int:
        """Return the column, from 1, behind ``text[start:end]`` on its first line."""
        line = bisect_left(self._newlines, start)
        stop = min(end, self._newlines[line]) if line < len(self._newlines) else end
        return self.position(start)[1] + self._seen(stop) - self._seen(start)

    def _seen(self, index: int) -> int:
        return index - self._passed[bisect_right(self._ends, index)]


def _characters(data: bytes) -> int:
    return len(data.translate(None, _CONTINUED))
