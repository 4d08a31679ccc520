"""Values that the broker issued: every encoding in which they may turn up, and who holds them.

Standard library only: a kernel imports this module for its output filter.
"""

from __future__ import annotations

import base64
import html
import json
import logging
import threading
from urllib.parse import quote, quote_plus

from ..core.secret import Secret

MINIMUM = 8
"""Shorter values are not looked for: masking ``test`` would mangle everything (characters)."""

_log = logging.getLogger("qsec.scan")


def encodings(value: str) -> frozenset[str]:
    """Return every text that gives ``value`` away, the value itself included.

    Raw, hex in both cases, URL, JSON (once and twice), Python ``repr``, HTML entities, reversed, and
    base64 in both alphabets at each of the three offsets that a value can have inside a longer
    text, with the characters trimmed that its neighbours would change.

    A value shorter than ``MINIMUM`` gives the empty set, with a warning in the log.
    """
    if len(value) < MINIMUM:
        _log.warning("qsec: a secret shorter than %d characters cannot be redacted", MINIMUM)
        return frozenset()
    data = value.encode("utf-8", "surrogatepass")
    found = {value, value[::-1], data.hex(), data.hex().upper()}
    found |= _url(value, data) | _escaped(value) | _html(value) | _base64(data)
    return frozenset(text for text in found if len(text) >= MINIMUM)


def _url(value: str, data: bytes) -> set[str]:
    found = {quote(data, safe=""), quote(data), quote_plus(data), quote_plus(data, safe="/")}
    return found | {_lower_percent(text) for text in found}


def _lower_percent(text: str) -> str:
    head, *rest = text.split("%")
    return "%".join([head, *(part[:2].lower() + part[2:] for part in rest)])


def _escaped(value: str) -> set[str]:
    found: set[str] = {repr(value)[1:-1], value.encode("unicode_escape").decode("ascii")}
    for ascii_only in (True, False):
        once = json.dumps(value, ensure_ascii=ascii_only)[1:-1]
        found |= {once, json.dumps(once, ensure_ascii=ascii_only)[1:-1], once.replace("/", "\\/")}
    return found


def _html(value: str) -> set[str]:
    full = html.escape(value, quote=True)
    return {
        full,
        html.escape(value, quote=False),
        full.replace("&#x27;", "&#39;"),
        full.replace("&#x27;", "&apos;"),
        full.replace("&quot;", "&#34;").replace("&#x27;", "&#39;"),
    }


def _base64(data: bytes) -> set[str]:
    found = set()
    for offset in range(3):
        padded = b"\0" * offset + data
        first = (0, 2, 3)[offset]  # characters that hold bits of what stands before the value
        last = len(padded) * 8 // 6  # the next one holds bits of what stands behind it
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            found.add(encode(padded)[first:last].decode("ascii"))
    return found


class KnownValues:
    """The secrets that a process has handed out, in every encoding. Thread-safe, never on disk.

    ``version`` changes with the set, so that what was computed for an older set can be told apart.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._labels: dict[str, dict[str, frozenset[str]]] = {}
        self._version = 0

    @property
    def version(self) -> int:
        """Counts the changes of the set."""
        return self._version

    def add(self, label: str, value: Secret) -> None:
        """Look for ``value`` from now on, in addition to what ``label`` already names.

        A value that is too short is not looked for; :func:`encodings` warns of it.
        """
        plain = value.reveal()
        texts = encodings(plain)
        if not texts:
            return
        with self._lock:
            values = self._labels.setdefault(label, {})
            if plain not in values:
                values[plain] = texts
                self._version += 1

    def discard(self, label: str) -> None:
        """Forget every value of ``label``."""
        with self._lock:
            if self._labels.pop(label, None) is not None:
                self._version += 1

    def snapshot(self) -> tuple[int, dict[str, tuple[str, str]]]:
        """Return the version and a map of encoded text to (label, value) as they are now."""
        with self._lock:
            texts = {
                text: (label, value)
                for label, values in self._labels.items()
                for value, encoded in values.items()
                for text in encoded
            }
            return self._version, texts

    def __repr__(self) -> str:
        return f"<KnownValues: {sum(map(len, self._labels.values()))} values>"
