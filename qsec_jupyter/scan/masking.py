"""Masks known values in text on its way out: in a kernel's messages, in logs.

Clean text costs one pass of :class:`~qsec_jupyter.scan.needles.Needles`. Only text with a hit is taken apart.
ANSI codes and zero-width characters inside a value do not hide it: they are looked past, and cut out with it.
"""

from __future__ import annotations

import json
import re
import threading
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from ..core.secret import marker
from .known import KnownValues, listed
from .needles import Needles, Span
from .pieces import PiecedNeedles, pieces

_ZERO_WIDTH = (
    "\u00ad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e"
    "\u2060\u2061\u2062\u2063\u2064\u2066\u2067\u2068\u2069\ufeff"
)
"""Characters that show nothing: soft hyphen, joiners, marks of direction, invisible operators, BOM."""

# Patterns stay text until they are needed: compiling them would be a tenth of what a kernel's start may cost.
_INVISIBLE = (
    rb"\xc2\xad|\xcd\x8f|\xd8\x9c|\xe1\xa0\x8e"
    rb"|\xe2\x80[\x8b-\x8f\xaa-\xae]|\xe2\x81[\xa0-\xa4\xa6-\xa9]|\xef\xbb\xbf"
)
_NOISE = (
    rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b\[[0-?]*[ -/]*\Z|\x1b\][^\x07\x1b]*\Z"
    rb"|\x1b[ -/]+[0-~]|\x1b|" + _INVISIBLE
)
"""What shows nothing: CSI, OSC and nF sequences (ECMA-48), also cut off at the end, a lone ESC; the above."""

_PACKED_NOISE = (
    rb"\\u001b\[[0-?]*[ -/]*[@-~]|\\u001b\](?:[^\\]|\\[^u]|\\u(?!0007|001b))*(?:\\u0007|\\u001b\\\\)"
    rb"|\\u001b[ -/]+[0-~]|\\u001b|" + _INVISIBLE
)
"""The same as it stands in packed JSON."""

_NODES = 2000
"""A message of more parts than this is searched for noise as packed bytes, not part by part."""

_SAMPLE = 1 << 16
"""How much of a text is read for the sequences that it repeats (bytes)."""

_REACH = 32
"""How far back a value may have begun, in lengths of the longest one: noise between characters takes room."""


class _Set(NamedTuple):
    """One state of the known values, swapped whole."""

    version: int
    plain: Needles[str]
    packed: Needles[str]
    numeric: bool


class Masker:
    """Replaces each known value, in every encoding, by a marker that names its label.

    Args:
        known: The values; what is added later is seen at the next call.
    """

    def __init__(self, known: KnownValues) -> None:
        self._known = known
        self._lock = threading.Lock()
        self._set = _Set(0, Needles({}), Needles({}), numeric=False)

    def __bool__(self) -> bool:
        return bool(self._known.version and self._now().plain)

    def redact(self, text: str) -> str:
        """Return ``text`` with each known value replaced by its marker; ``text`` itself without one."""
        if not self:
            return text
        data = _bytes(text)
        spans = _spans(data, self._now().plain, noisy=is_noisy(text))
        return _text(_replace(data, spans)) if spans else text

    def split(self, text: str) -> tuple[str, str]:
        """Return what can be redacted and sent now, and the suffix that may begin a known value.

        The suffix is at most ``_REACH`` times the longest value, so the work over many writes is linear.
        """
        if not self:
            return text, ""
        needles = self._now().plain
        near = text[-2 * needles.longest :]
        noisy = is_noisy(near)
        tail = _bytes(text[-_REACH * needles.longest :] if noisy else near)
        cut = _cut(tail, needles, noisy=noisy)
        if cut == len(tail) or len(tail) - cut >= _REACH * needles.longest:
            return text, ""
        held = _text(tail[cut:])
        return text[: len(text) - len(held)], held

    def in_packed(self, data: bytes, *, noisy: bool = True) -> bool:
        """Say whether packed JSON holds a known value; ``noisy`` is what :func:`is_noisy` says of it."""
        needles = self._now().packed
        if needles.find(data):
            return True
        return noisy and bool(needles.find(_visible(data)))

    def redact_tree(self, value: Any) -> Any:
        """Return a JSON value with every text in it redacted, keys and digits of numbers included."""
        if isinstance(value, str):
            return self.redact(value)
        if isinstance(value, dict):
            return {self.redact(str(key)): self.redact_tree(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.redact_tree(item) for item in value]
        if self._now().numeric and isinstance(value, (int, float)) and not isinstance(value, bool):
            shown = self.redact(repr(value))
            return value if shown == repr(value) else shown
        return value

    def redact_buffer(self, data: bytes | memoryview) -> bytes | memoryview:
        """Return a binary buffer with known values overwritten by ``*``; its length stays."""
        raw = bytes(data)
        spans = joined(self._now().plain.find(raw)) if self else []
        for start, end, _ in spans:
            raw = raw[:start] + b"*" * (end - start) + raw[end:]
        return raw if spans else data

    def _now(self) -> _Set:
        if self._set.version != self._known.version:
            with self._lock:
                if self._set.version != self._known.version:
                    self._set = _compile(*self._known.snapshot())
        return self._set


def _compile(version: int, texts: Mapping[str, tuple[str, str]]) -> _Set:
    texts = {text: owner for text, owner in texts.items() if not listed(text)}
    plain = {_bytes(text): label for text, (label, _) in texts.items()}
    packed = {_packed(text): label for text, (label, _) in texts.items()}
    wholes = {
        piece.encode("ascii"): (_bytes(value), label)
        for value, label in {value: label for label, value in texts.values()}.items()
        for piece in pieces(value)
    }
    numeric = any(re.fullmatch(rb"[-+0-9.eE]+", needle) for needle in plain)
    needles = PiecedNeedles(plain, wholes)
    return _Set(version, needles, needles if packed == plain else PiecedNeedles(packed, wholes), numeric)


def is_noisy(value: Any) -> bool:
    """Say whether a text, or any text in a JSON value, holds something that shows nothing."""
    left, nodes = [value], 0
    while left:
        item = left.pop()
        nodes += 1
        if isinstance(item, str):
            if "\x1b" in item or (not item.isascii() and any(sign in item for sign in _ZERO_WIDTH)):
                return True
        elif isinstance(item, dict):
            left += item
            left += item.values()
        elif isinstance(item, (list, tuple)):
            left += item
        if nodes > _NODES:
            return True  # not known: to be searched as if it were
    return False


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")


def _packed(text: str) -> bytes:
    """Return ``text`` as it stands inside packed JSON (UTF-8, not ASCII-only)."""
    return _bytes(json.dumps(text, ensure_ascii=False)[1:-1])


def _visible(data: bytes) -> bytes:
    """Return packed JSON without what shows nothing."""
    # Coloured text repeats a few sequences; taking out one at a time is four times as fast as one pattern.
    for sequence in set(re.findall(_PACKED_NOISE, data[:_SAMPLE])):
        if sequence.startswith(b"\\u001b["):
            data = data.replace(sequence, b"")
    return data if data.isascii() and b"\\u001b" not in data else re.sub(_PACKED_NOISE, b"", data)


def _spans(data: bytes, needles: Needles[str], *, noisy: bool) -> list[Span]:
    """Return where known values stand, in order, overlaps joined."""
    spans = needles.find(data)
    if noisy:
        plain, place = _without_noise(data)
        spans += [(place(start), place(end - 1) + 1, label) for start, end, label in needles.find(plain)]
    return joined(spans)


def joined(spans: Iterable[Span]) -> list[Span]:
    """Return spans in order, those that overlap as one with the label of the first and longest."""
    found: list[Span] = []
    for start, end, label in sorted(spans, key=lambda span: (span[0], -span[1])):
        if found and start < found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]), found[-1][2])
        else:
            found.append((start, end, label))
    return found


def _replace(data: bytes, spans: Iterable[Span]) -> bytes:
    parts, done = [], 0
    for start, end, label in spans:
        parts += [data[done:start], marker(label).encode("ascii")]
        done = end
    return b"".join([*parts, data[done:]])


def _without_noise(data: bytes) -> tuple[bytes, Callable[[int], int]]:
    """Return what is visible, and a function from its offsets to those of ``data``."""
    starts, shifts, kept, done, removed = [0], [0], [], 0, 0
    for match in re.finditer(_NOISE, data):
        kept.append(data[done : match.start()])
        done = match.end()
        removed += done - match.start()
        starts.append(done - removed)
        shifts.append(removed)
    kept.append(data[done:])

    def place(offset: int) -> int:
        return offset + shifts[bisect_right(starts, offset) - 1]

    return b"".join(kept), place


def _cut(tail: bytes, needles: Needles[str], *, noisy: bool) -> int:
    """Return where the longest end of ``tail`` starts that may begin a known value, or be part of one."""
    plain, place = _without_noise(tail) if noisy else (tail, None)
    cut = needles.beginning(plain)
    cut = len(tail) if cut == len(plain) else place(cut) if place is not None else cut
    for start, end, _ in _spans(tail, needles, noisy=noisy):
        if start < cut < end or (start < cut < len(tail) == end):
            cut = start
    return cut
