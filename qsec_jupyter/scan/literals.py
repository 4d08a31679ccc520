"""Finds values that are known, in every encoding, in texts of any size."""

from __future__ import annotations

from collections.abc import Iterable

from . import engine as engines, notations
from .engine import Engine
from .known import MINIMUM
from .redact import Hit
from .units import Unit

ISSUED = "issued-credential"
"""Rule id of values that the broker issued."""

_TITLE = "A credential that was issued to you"
_REMEDY = "Nothing to do if this was an accident: it was not written. Revoke the grant if others saw it."
_PART, _LEAST, _PARTS = 24, 5, 8
_GRAM = 5


class Literals:
    """The engine for known values, with what each text stands for.

    Args:
        texts: Each encoding of each value, and its label and the value: see ``KnownValues.snapshot``.
    """

    def __init__(self, texts: dict[str, tuple[str, str]]) -> None:
        owners = dict.fromkeys(texts.values())
        texts = {**{text: owner for owner in owners for text in nested(owner[1])}, **texts}
        self._texts = [(text.encode("utf-8", "surrogatepass"), *owner) for text, owner in texts.items()]
        # A text in base64 may be written in lines.
        parts = {part.encode() for _, value in owners for once in _base64(value) for part in _parts(once)}
        self._grams: Engine = engines.literals(list(_grams(texts)))
        self._engine: Engine = engines.literals([*(data for data, _, _ in self._texts), *parts])

    def touch(self, data: bytes) -> bool:
        """Tell whether ``data`` may hold a piece of a value, as source does that puts one together."""
        return bool(self._grams.scan(data))

    def find(self, data: bytes) -> list[tuple[int, int, int]]:
        """Return (index of text, start, end) of every occurrence."""
        return self.look(data)[0]

    def look(self, data: bytes) -> tuple[list[tuple[int, int, int]], list[int]]:
        """Return (index of text, start, end) of every occurrence, and where there is a part of one."""
        found, parts = [], []
        for index, end in self._engine.scan(data):
            if index < len(self._texts):
                found.append((index, end - len(self._texts[index][0]), end))
            else:
                parts.append(end)
        return found, parts

    def hits(self, unit: Unit, group: int, position: int) -> Iterable[Hit]:
        """Yield a hit for every occurrence in ``unit``."""
        for index, start, end in self.find(unit.data):
            span = unit.span(start, end)
            if span is not None:
                yield self.hit(index, group, position, span)

    def hit(self, index: int, group: int, position: int, span: tuple[int, int]) -> Hit:
        """Return the hit for an occurrence of the text ``index``."""
        _, label, value = self._texts[index]
        return Hit(
            group,
            position,
            *span,
            ISSUED,
            label,
            _TITLE,
            "critical",
            _REMEDY,
            value,
            issued=True,
        )


def nested(value: str) -> set[str]:
    """Return ``value`` in one notation inside another.

    That is base64 of base64, of hexadecimal and of UTF-16, and hexadecimal of base64.
    """
    data = value.encode("utf-8", "surrogatepass")
    once = [text.encode() for text in set(_base64(value))]
    codes = [text.hex() for text in once]
    inner = [
        *once,
        data.hex().encode(),
        data.hex().upper().encode(),
        value.encode("utf-16-le", "surrogatepass"),
    ]
    found = {text for one in inner for text in notations.offsets(one, MINIMUM)}
    return found.union(codes, map(str.upper, codes))


def _grams(texts: dict[str, tuple[str, str]]) -> set[bytes]:
    """Return every few characters of the values: of up to four parts, one has as many."""
    values = {value for _, value in texts.values()}
    return {
        value[at : at + _GRAM].encode("utf-8", "surrogatepass")
        for value in values
        for at in range(len(value) - _GRAM + 1)
    }


def _base64(value: str) -> Iterable[str]:
    return notations.offsets(value.encode("utf-8", "surrogatepass"))


def _parts(text: str) -> Iterable[str]:
    """Return some parts of a text, so many that a break into lines leaves one of them whole."""
    size = min(_PART, len(text) // 2)
    if size >= _LEAST:
        last = len(text) - size
        yield from {text[at : at + size] for at in (*range(0, last, max(size, last // _PARTS)), last)}
