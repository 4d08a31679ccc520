"""The values this kernel was given, and how they are found in text on its way out.

Text is first asked, value by value, with ``in``: that runs at memory speed and is all that clean text
costs. Only text with a hit is taken apart. ANSI codes and zero-width characters inside a value do not
hide it: they are looked past, and cut out with it.
"""

from __future__ import annotations

import json
import re
import threading
import warnings
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ..core.secret import Secret, marker

# Patterns stay text until they are needed: compiling them would be a tenth of what a kernel's start may cost.
_NOISE = (
    "\x1b\\[[0-?]*[ -/]*[@-~]|\x1b\\][^\x07\x1b]*(?:\x07|\x1b\\\\)|\x1b\\[[0-?]*$|\x1b$"
    "|[\u200b-\u200f\u2060-\u2064\ufeff\u00ad]"
)
"""What shows nothing: ANSI CSI and OSC sequences (ECMA-48), one cut off at the end, zero-width characters."""

_SIGNS = ("\x1b", *"\u200b\u200c\u200d\u200e\u200f\u2060\u2061\u2062\u2063\u2064\ufeff\u00ad")
"""Text without any of these has no noise."""

_PACKED_NOISE = (
    rb"\\u001b\[[0-?]*[ -/]*[@-~]|\\u001b\][^\\]*\\u0007"
    rb"|\xe2\x80[\x8b-\x8f]|\xe2\x81[\xa0-\xa4]|\xef\xbb\xbf|\xc2\xad"
)
_PACKED_SIGNS = (b"\\u001b", *(sign.encode() for sign in _SIGNS[1:]))
"""The same as it stands in packed JSON."""

_REACH = 32
"""How far back a value may have begun, in lengths of the longest one: noise between characters takes room."""

Span = tuple[int, int, str]


class Needles:
    """One state of the known values; never changed but swapped whole, so that readers need no lock."""

    __slots__ = ("labels", "longest", "ordered", "packed", "raw")

    def __init__(self, labels: dict[str, str]) -> None:
        self.labels = labels
        self.ordered = tuple(sorted(labels))
        self.packed = tuple({_packed(text) for text in labels})
        self.raw = tuple({text.encode("utf-8", "surrogatepass") for text in labels})
        self.longest = max(map(len, labels), default=0)


def _packed(text: str) -> bytes:
    """Return ``text`` as it stands inside packed JSON (UTF-8, not ASCII-only)."""
    return json.dumps(text, ensure_ascii=False)[1:-1].encode("utf-8", "surrogatepass")


class Known:
    """Values to keep out of sight, each with the label that its marker names."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._needles = Needles({})

    @property
    def count(self) -> int:
        """How many texts are looked for (every value has several encodings)."""
        return len(self._needles.labels)

    def __bool__(self) -> bool:
        return bool(self._needles.labels)

    def add(self, label: str, value: Secret) -> bool:
        """Look for ``value`` in all its encodings from now on, for as long as this process lives.

        Returns:
            Whether it is looked for. A value under 8 characters is not, with a warning: masking it
            would mangle everything.
        """
        from ..scan.known import encodings

        texts = encodings(value.reveal())
        if not texts:
            warnings.warn(
                f"The credential for {label} is too short to be recognised; it is NOT redacted.", stacklevel=3
            )
            return False
        with self._lock:
            self._needles = Needles({**dict.fromkeys(texts, label), **self._needles.labels})
        return True

    def redact(self, text: str) -> str:
        """Return ``text`` with each known value replaced by its marker; ``text`` itself without one."""
        needles = self._needles
        spans = _spans(text, needles) if needles.labels else []
        return _replace(text, spans) if spans else text

    def split(self, text: str) -> tuple[str, str]:
        """Return the redacted text that can go out now, and the raw suffix that may begin a known value.

        The suffix is at most ``_REACH`` times the longest value, so the work over many writes is linear.
        """
        needles = self._needles
        if not needles.labels:
            return text, ""
        spans = _spans(text, needles)
        cut = _cut(text, needles)
        for start, end, _ in spans:
            if start < cut < end or (start < cut and end == len(text) and cut < len(text)):
                cut = start
        if len(text) - cut > _REACH * needles.longest:
            cut = len(text)
        out = _replace(text[:cut], [span for span in spans if span[1] <= cut])
        return out, text[cut:]

    def in_packed(self, data: bytes) -> bool:
        """Say whether packed JSON holds a known value."""
        needles = self._needles.packed
        if any(needle in data for needle in needles):
            return True
        if not any(sign in data for sign in _PACKED_SIGNS):
            return False
        plain = re.sub(_PACKED_NOISE, b"", data)
        return any(needle in plain for needle in needles)

    def redact_tree(self, value: Any) -> Any:
        """Return a JSON value with every text in it redacted, keys and digits of numbers included."""
        if isinstance(value, str):
            return self.redact(value)
        if isinstance(value, dict):
            return {self.redact(str(key)): self.redact_tree(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.redact_tree(item) for item in value]
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            shown = self.redact(repr(value))
            return value if shown == repr(value) else shown
        return value

    def redact_buffer(self, data: bytes | memoryview) -> bytes | memoryview:
        """Return a binary buffer with known values overwritten by ``*``; its length stays."""
        raw = bytes(data)
        for needle in self._needles.raw:
            if needle in raw:
                raw = raw.replace(needle, b"*" * len(needle))
        return data if len(raw) == len(data) and raw == data else raw


def _spans(text: str, needles: Needles) -> list[Span]:
    """Return where known values stand, overlaps and neighbours joined."""
    spans = list(_find(text, needles))
    if any(sign in text for sign in _SIGNS):
        plain, place = _without_noise(text)
        spans += [(place(start), place(end - 1) + 1, label) for start, end, label in _find(plain, needles)]
    spans.sort(key=lambda span: (span[0], -span[1]))
    joined: list[Span] = []
    for start, end, label in spans:
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]), joined[-1][2])
        else:
            joined.append((start, end, label))
    return joined


def _find(text: str, needles: Needles) -> Iterator[Span]:
    for needle, label in needles.labels.items():
        start = text.find(needle) if needle in text else -1
        while start >= 0:
            yield start, start + len(needle), label
            start = text.find(needle, start + 1)


def _replace(text: str, spans: Iterable[Span]) -> str:
    parts, done = [], 0
    for start, end, label in spans:
        parts += [text[done:start], marker(label)]
        done = end
    return "".join([*parts, text[done:]])


def _without_noise(text: str) -> tuple[str, Callable[[int], int]]:
    """Return the visible text, and a function from its offsets to those of ``text``."""
    starts, shifts, kept, done, removed = [0], [0], [], 0, 0
    for match in re.finditer(_NOISE, text):
        kept.append(text[done : match.start()])
        done = match.end()
        removed += done - match.start()
        starts.append(done - removed)
        shifts.append(removed)
    kept.append(text[done:])

    def place(offset: int) -> int:
        return offset + shifts[bisect_left(starts, offset + 1) - 1]

    return "".join(kept), place


def _cut(text: str, needles: Needles) -> int:
    """Return where the longest suffix starts that may begin a known value; ``len(text)`` when none does."""
    window = len(text) - _REACH * needles.longest
    tail = text[max(0, window) :]
    plain, place = _without_noise(tail) if any(sign in tail for sign in _SIGNS) else (tail, None)
    for start in range(max(0, len(plain) - needles.longest + 1), len(plain)):
        end = plain[start:]
        at = bisect_left(needles.ordered, end)
        if at < len(needles.ordered) and needles.ordered[at].startswith(end):
            return max(0, window) + (place(start) if place is not None else start)
    return len(text)
