"""Typed text units: what a reader sees of a notebook, piece by piece, with the way back.

Bytes and positions are worked out only when asked for. :mod:`.document` says which units a notebook has.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any

from .offsets import Offsets

MINIMUM = 8
"""Shorter strings are not read: no rule and no known value is shorter (characters)."""

SEPARATOR = b"\n\x00\n"
"""Between units; no value reaches across it."""

_SEPARATOR = SEPARATOR.decode()

_ESCAPE = re.compile(  # ECMA-48, 5.4: control sequences; 8.3.89: operating system commands
    "\x1b(?:\\[[0-9;:?]*[ -/]*[@-~]|\\][^\x07\x1b]{0,2000}(?:\x07|\x1b\\\\)|[()][A-Z0-9])"
)
_COLOUR = re.compile("\x1b\\[[0-9;]*m")  # nearly all of them; quicker to look for
_ZERO_WIDTH = re.compile(  # what Unicode calls default ignorable, as far as texts hold it
    "[\u00ad\u034f\u061c\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e0fff]"
)
_UNSEEN = re.compile(f"{_ESCAPE.pattern}|{_ZERO_WIDTH.pattern}")
_ZERO_WIDTH_BYTES = tuple(  # by the first two bytes: single ones are found 50 times faster than anything else
    (lead[0], lead[1], re.compile(re.escape(lead) + rest))
    for lead, rest in (
        (b"\xe2\x80", rb"[\x8b-\x8f\xaa-\xae]"),
        (b"\xe2\x81", rb"[\xa0-\xaf]"),
        (b"\xef\xb8", rb"[\x80-\x8f]"),
        (b"\xef\xbb", rb"\xbf"),
        (b"\xc2\xad", b""),
        (b"\xcd\x8f", b""),
        (b"\xd8\x9c", b""),
        (b"\xe1\xa0", rb"[\x8b-\x8e]"),
        (b"\xf3\xa0", b""),
    )
)
"""``_ZERO_WIDTH`` in UTF-8."""

_CLOSE_LIMIT = 200_000


class Unit:
    """One text that a reader sees as a whole.

    Attributes:
        surface: ``source``, ``output``, ``metadata``, ``attachment`` or ``text``.
        text: As stored, parts joined.
        name: The key of a value in an object, which says what the value is; else empty.
        joint: What joined the parts of a list of strings, or ``None`` for a single string.
    """

    __slots__ = ("_data", "_offsets", "joint", "key", "name", "parent", "surface", "text")

    def __init__(  # called for every string of a notebook: positions are faster
        self, surface: str, text: str, parent: Any, key: Any, name: str = "", joint: str | None = None
    ) -> None:
        self.surface = surface
        self.text = text
        self.parent = parent
        self.key = key
        self.name = name
        self.joint = joint
        self._data: bytes | None = None
        self._offsets: Offsets | None = None

    @property
    def data(self) -> bytes:
        """What the engine reads: UTF-8 of what is seen, with the key in front of a value in an object."""
        if self._data is None:
            data = encode(f'{self._lead}{self.text}"' if self.name else self.text)
            if b"\x1b" in data or (len(data) != len(self.text) and _hides(data)):
                view = seen(self.text)
                data = encode(f'{self._lead}{view}"' if self.name else view)
            self._data = data
        return self._data

    @property
    def close(self) -> bool:
        """Whether people write such a text, so that it is searched for what is written in other notations."""
        return self.surface != "output" and len(self.text) < _CLOSE_LIMIT

    @property
    def _lead(self) -> str:
        return f'"{self.name}": "' if self.name else ""

    def span(self, start: int, end: int) -> tuple[int, int] | None:
        """Return where bytes ``start:end`` of ``data`` lie in ``text``; ``None`` inside the key."""
        while start and self.data[start] & 0xC0 == 0x80:  # in the middle of a character
            start -= 1
        offsets, lead = self._places, len(self._lead)
        first, last = offsets.character(start) - lead, offsets.character(end) - lead
        if last <= 0:
            return None
        return offsets.stored(max(first, 0)), min(offsets.stored(last - 1) + 1, len(self.text))

    def position(self, start: int) -> tuple[int, int]:
        """Return line and column, from 1, of ``text[start]`` as the user sees them."""
        return self._places.position(start)

    def end_column(self, start: int, end: int) -> int:
        """Return the column, from 1, behind ``text[start:end]`` on its first line."""
        return self._places.end_column(start, end)

    @property
    def _places(self) -> Offsets:
        if self._offsets is None:
            hidden = _UNSEEN.finditer(self.text) if _has_unseen(self.text) else ()
            self._offsets = Offsets(self.text, self.data, (match.span() for match in hidden))
        return self._offsets

    def replace(self, spans: Iterable[tuple[int, int, str]]) -> str:
        """Write ``text`` with each (start, end, marker) replaced back to where it came from.

        A list of strings stays a list of strings, and an object keeps the order of its keys.

        Returns:
            The new text.
        """
        if self.joint is None or self.joint == "":
            text = splice(self.text, spans)
            if self.joint == "":
                self.parent[self.key] = text.splitlines(keepends=True)
            elif self.key is None:
                rename_key(self.parent, self.text, text)
            else:
                self.parent[self.key] = text
            return text
        parts = splice_parts(self.parent[self.key], self.joint, spans)
        self.parent[self.key] = parts
        return self.joint.join(parts)


def joined(units: Sequence[Unit]) -> tuple[bytes, list[int]]:
    """Return the data of ``units`` with :data:`SEPARATOR` around each, and where each begins."""
    shown = [f'"{unit.name}": "{unit.text}"' if unit.name else unit.text for unit in units]
    whole = _SEPARATOR.join(["", *shown, ""])
    data = encode(whole)
    if b"\x1b" in data or (len(data) != len(whole) and _hides(data)):
        parts = [unit.data for unit in units]
        data, sizes = SEPARATOR.join([b"", *parts, b""]), [len(part) for part in parts]
    else:
        sizes = [len(text) if text.isascii() else len(encode(text)) for text in shown]
    return data, list(accumulate((size + len(SEPARATOR) for size in sizes), initial=len(SEPARATOR)))[:-1]


def seen(text: str) -> str:
    """Return ``text`` as a reader sees it: without control sequences and zero-width characters."""
    if "\x1b" in text:
        text = _COLOUR.sub("", text)
        if "\x1b" in text:
            text = _ESCAPE.sub("", text)
    return _UNSEEN.sub("", text) if not text.isascii() and _hides(encode(text)) else text


def _hides(data: bytes) -> bool:
    """Tell whether a text in UTF-8 holds zero-width characters."""
    return any(
        first in data and second in data and pattern.search(data) is not None
        for first, second, pattern in _ZERO_WIDTH_BYTES
    )


def _has_unseen(text: str) -> bool:
    return "\x1b" in text or (not text.isascii() and _hides(encode(text)))


def encode(text: str) -> bytes:
    """Return ``text`` in UTF-8, lone surrogates as they are."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def splice(text: str, spans: Iterable[tuple[int, int, str]]) -> str:
    """Return ``text`` with each (start, end, replacement) put in; spans do not overlap."""
    pieces, at = [], 0
    for start, end, replacement in sorted(spans):
        pieces += [text[at:start], replacement]
        at = end
    return "".join([*pieces, text[at:]])


def splice_parts(parts: list[str], joint: str, spans: Iterable[tuple[int, int, str]]) -> list[str]:
    """Do the same on ``joint.join(parts)``, part by part: a span over several is cut from each."""
    result, offset, wanted = [], 0, deque(sorted(spans))
    for part in parts:
        stop = offset + len(part)
        local = []
        while wanted and wanted[0][0] < stop:
            start, end, replacement = wanted[0]
            if end > offset:
                whole = replacement if start >= offset else ""
                local.append((max(start - offset, 0), min(end, stop) - offset, whole))
            if end > stop:  # it goes on in the next one
                break
            wanted.popleft()
        result.append(splice(part, local))
        offset = stop + len(joint)
    return result


def rename_key(tree: Any, old: str, new: str) -> None:
    """Rename ``old`` wherever it is a key of an object in ``tree``, keeping the order of keys."""
    stack = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            if old in node:
                items = list(node.items())
                node.clear()
                for key, value in items:
                    name = new if key == old else key
                    while key == old and name in dict(items):
                        name += "_"
                    node[name] = value
            stack.extend(node.values())
        elif isinstance(node, list):
            stack.extend(node)
