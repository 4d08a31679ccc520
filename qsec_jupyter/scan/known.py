"""Values that the broker issued: every encoding in which they may turn up, and who holds them.

Standard library only: a kernel imports this module for its output filter.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Callable

from ..core.secret import Secret

MINIMUM = 8
"""Shorter values are not looked for: masking ``test`` would mangle everything (characters)."""

ESCAPED_TIMES = 3
"""A string in JSON in a repr in a notebook: deeper literals are not looked for."""


def encodings(value: str) -> frozenset[str]:
    """Return every text that gives ``value`` away, the value itself included.

    Raw, hex in both cases and with separators, lists of numbers, URL, JSON and Python ``repr`` (up to three
    times, in any order), HTML entities, reversed, and base64 in both alphabets at each of the three offsets
    that a value can have inside a longer text, with the characters trimmed that its neighbours would change.

    A value shorter than ``MINIMUM`` gives the empty set, with a warning in the log.
    """
    if len(value) < MINIMUM:
        import logging  # here, since a scan without issued values needs none of it

        logging.getLogger("qsec.scan").warning(
            "qsec: a secret shorter than %d characters cannot be redacted", MINIMUM
        )
        return frozenset()
    data = value.encode("utf-8", "surrogatepass")
    escaped = _escaped(value)
    found = {value[::-1]} | escaped | _numbers(data) | _url(data) | _base64(data)
    found |= {shown for text in (value, json.dumps(value)[1:-1], repr(value)[1:-1]) for shown in _html(text)}
    return frozenset(text for text in found if len(text) >= MINIMUM)


def _numbers(data: bytes) -> set[str]:
    lists = {between.join(map(form, data)) for between in (", ", ",") for form in (str, hex)}
    codes = {data.hex(), data.hex(" "), data.hex(":")}
    return lists | codes | {code.upper() for code in codes}


def listed(text: str) -> bool:
    """Tell whether ``text`` is a value as a list of numbers, which only a scan looks for.

    Filters of output do not: any text with numbers has grams of such lists, and printing would take 250 times
    as long. What a kernel shows in this way is found when the notebook is saved.
    """
    return _LISTED.fullmatch(text) is not None


_LISTED = re.compile(r"(?:0x[0-9a-f]{1,2}|[0-9]{1,3})(?:, ?(?:0x[0-9a-f]{1,2}|[0-9]{1,3})){7,}")


def _url(data: bytes) -> set[str]:
    from urllib.parse import quote, quote_plus  # here, as is html: a scan without issued values needs neither

    found = {quote(data, safe=""), quote(data), quote_plus(data), quote_plus(data, safe="/")}
    found |= {quote(text, safe="") for text in found}
    return found | {_lower_percent(text) for text in found}


def _lower_percent(text: str) -> str:
    return re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), text)


_ESCAPES: tuple[Callable[[str], str], ...] = (
    lambda text: json.dumps(text)[1:-1],
    lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    lambda text: repr(text)[1:-1],
    lambda text: text.encode("unicode_escape").decode("ascii"),
    lambda text: repr(text + "'\"")[1:-4],  # as beside other quotes
    lambda text: repr(text.encode("utf-8", "surrogatepass"))[2:-1],
    lambda text: repr(text.encode("utf-8", "surrogatepass") + b"'\"")[2:-4],
)


def _escaped(value: str) -> set[str]:
    """Return ``value`` as it looks inside string literals, and in literals inside those."""
    found = newest = {value}
    for _ in range(ESCAPED_TIMES):
        newest = {escape(text) for text in newest for escape in _ESCAPES} - found
        found = found | newest
    return found | {text.replace("/", "\\/") for text in found}


def _html(value: str) -> set[str]:
    import html

    full = html.escape(value, quote=True)
    found = {
        full,
        html.escape(value, quote=False),
        full.replace("&#x27;", "&#39;"),
        full.replace("&#x27;", "&apos;"),
        full.replace("&quot;", "&#34;").replace("&#x27;", "&#39;"),
    }
    return found | {html.escape(text) for text in found}


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

    def add(self, label: str, value: Secret) -> bool:
        """Look for ``value`` from now on, in addition to what ``label`` already names.

        Returns:
            Whether it is looked for. One that is too short is not; :func:`encodings` warns of it.
        """
        plain = value.reveal()
        texts = encodings(plain)
        if not texts:
            return False
        with self._lock:
            values = self._labels.setdefault(label, {})
            if plain not in values:
                values[plain] = texts
                self._version += 1
        return True

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
