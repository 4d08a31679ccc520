"""Finds long values that somebody cut short: ``%whos``, a column of a table, a line that was wrapped.

IPython and pandas show no more than the beginning, or both ends, of a text of over fifty characters: of a
token of that length that is more than may be seen. So a long value is looked for in pieces, too, and what
stands around a piece is taken with it as far as it is the value's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from .needles import Needles, Span

LONG = 50
"""From here on ``%whos`` and pandas show a part of a text (characters)."""

SIZE = 24
"""The shortest part that is looked for (characters): ``%whos`` shows 25 at each end."""

_OPAQUE = r"(?=.*[0-9])(?=.*[A-Za-z])[\w+/=.~-]+"
"""Only what could be random: words of a PEM or JSON frame stand in texts that are no secret."""


def pieces(value: str) -> Iterator[str]:
    """Yield parts of a long value, one after the other, and its end; none of a short one.

    The header of a JWT is left out: it is the same in all of them.
    """
    if len(value) < LONG:
        return
    first = value.find(".") + 1 if value.startswith("eyJ") else 0
    for start in (*range(first, len(value) - SIZE, SIZE), len(value) - SIZE):
        piece = value[start : start + SIZE]
        if re.fullmatch(_OPAQUE, piece, re.ASCII):
            yield piece


class PiecedNeedles(Needles[str]):
    """Needles of which some are pieces of longer values: what is found of those grows as far as it goes.

    Args:
        labels: What is looked for, and how it is called.
        wholes: The value that each piece comes from, and its label.
    """

    __slots__ = ("_wholes",)

    def __init__(self, labels: Mapping[bytes, str], wholes: Mapping[bytes, tuple[bytes, str]]) -> None:
        super().__init__({**{piece: label for piece, (_, label) in wholes.items()}, **labels})
        self._wholes = {piece: value for piece, (value, _) in wholes.items()}

    def find(self, data: bytes) -> list[Span]:
        """See :meth:`Needles.find`."""
        found = super().find(data)
        return [self._grown(data, *span) for span in found] if found and self._wholes else found

    def _grown(self, data: bytes, start: int, end: int, label: str) -> Span:
        piece = data[start:end]
        value = self._wholes.get(piece)
        if value is None:
            return start, end, label
        offset = value.find(piece)
        if offset <= start and data.startswith(value, start - offset):
            return start - offset, start - offset + len(value), label
        after = offset + len(piece)
        while offset > 0 < start and data[start - 1] == value[offset - 1]:
            start, offset = start - 1, offset - 1
        while end < len(data) and after < len(value) and data[end] == value[after]:
            end, after = end + 1, after + 1
        return start, end, label
