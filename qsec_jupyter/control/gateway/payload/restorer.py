"""Puts the user's own names back into what a provider answers, as it streams by."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from .names import LENGTH, PREFIX, is_value

_TOKEN = re.compile(rb'(\\*")?(' + PREFIX.encode() + rb"[nj][0-9a-v]{20})(\1)?")
"""An opaque name, and quotes around it if it fills a string; within a string of JSON they are escaped."""

_PREFIX = PREFIX.encode()
_QUOTES = 8
"""Bytes of escaped quotes that are looked for before and after."""


class Restorer:
    """Replaces opaque names, also those that stand across two pieces.

    Names that nobody hid are left as they are. What is put in is not looked through again.

    Args:
        names: Opaque name to the user's own.
        plain: Whether the answer is plain text, where nothing is to be escaped.
    """

    def __init__(self, names: Mapping[str, str], *, plain: bool = False) -> None:
        self._names = {token.encode(): text for token, text in names.items()}
        self._plain = plain
        self._held = b""

    def feed(self, chunk: bytes) -> bytes:
        """Take in a piece, and return what is ready."""
        data = self._held + chunk if self._held else chunk
        cut = _cut(data)
        self._held = data[cut:]
        return self._replace(data[:cut] if cut < len(data) else data)

    def finish(self) -> bytes:
        """Return what was held back."""
        data, self._held = self._held, b""
        return self._replace(data)

    def _replace(self, data: bytes) -> bytes:
        if _PREFIX not in data:
            return data
        return _TOKEN.sub(self._original, data)

    def _original(self, match: re.Match[bytes]) -> bytes:
        token = match[2]
        text = self._names.get(token)
        if text is None:
            return match[0]
        if self._plain:
            return match[0].replace(token, text.encode())
        quote, closing = match[1] or b"", match[3] or b""
        within = len(quote).bit_length()  # strings of JSON around it, one within the other
        if is_value(token.decode()) and closing:
            return _escaped(text, within - 1)
        return quote + _escaped(text, max(1, within)) + closing


def _escaped(text: str, within: int) -> bytes:
    """Return a text as it stands inside a string of JSON, which may itself stand in one."""
    for _ in range(within):
        text = json.dumps(text)[1:-1]
    return text.encode()


def _cut(data: bytes) -> int:
    """Return up to where data can be looked through: what follows may be the front of an opaque name."""
    edge = max(0, len(data) - LENGTH - 2 * _QUOTES)
    at = data.rfind(_PREFIX, edge)
    if at >= 0 and at + LENGTH + _QUOTES > len(data):
        return _before_quotes(data, at)
    for length in range(len(_PREFIX) - 1, 0, -1):
        if data.endswith(_PREFIX[:length]):
            return _before_quotes(data, len(data) - length)
    return _before_quotes(data, len(data))


def _before_quotes(data: bytes, at: int) -> int:
    """Return where the quotes in front of a place begin."""
    start = at
    while start > 0 and at - start < _QUOTES and data[start - 1] in b'"\\':
        start -= 1
    return start
