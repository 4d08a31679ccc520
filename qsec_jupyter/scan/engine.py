"""Finds where a rule may match: Hyperscan, or else RE2, or else :mod:`re`.

An engine only says "rule n, ending near byte e"; :meth:`.rules.loader.Rule.find` confirms on a
window around it. So all engines give the same findings, and a slow expression never sees more
than the neighbourhood of a hit.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from .needles import Needles

_RE2_MEMORY = 256 * 1024 * 1024
"""For the automaton of all expressions at once; with less RE2 begins it anew again and again (bytes)."""


_OVERLAP = 64
"""Matches that begin so many bytes before the end of another are found, too."""

_SLOW = range(17, 100)
"""So many fixed texts take Hyperscan three times as long as a hundred: it chooses another matcher."""

_UNBOUNDED = re.compile(r"\{(\d+),[0-9]{4,}\}")
"""RE2 counts to a thousand; more than that is as good as no bound for where a rule *may* match."""


class Engine(Protocol):
    """Finds the ends of possible matches."""

    name: str

    def scan(self, data: bytes) -> list[tuple[int, int]]:
        """Return (index of expression, byte offset where a possible match ends)."""


class HyperscanEngine:
    """All expressions in one pass, about 300 MB/s.

    Args:
        database: A compiled or loaded ``hyperscan.Database`` in block mode.
    """

    name = "hyperscan"

    def __init__(self, database: Any) -> None:
        self._database = database
        self._lock = threading.Lock()  # a database has one scratch space

    def scan(self, data: bytes) -> list[tuple[int, int]]:
        """Return (index of expression, end offset) of every hit."""
        hits: list[tuple[int, int]] = []

        def note(index: int, start: int, end: int, flags: int, context: object) -> None:
            hits.append((index, end))

        with self._lock:
            self._database.scan(data, match_event_handler=note)
        return hits


def _ends(pattern: Any, data: bytes) -> Iterator[int]:
    """Yield where matches end, also of those that begin inside another: Hyperscan reports them all."""
    at = 0
    while at <= len(data) and (match := pattern.search(data, at)):
        yield match.end()
        at = max(match.start() + 1, match.end() - _OVERLAP)


class PatternEngine:
    """The last resort: one expression after the other with :mod:`re`, some hundred times slower."""

    name = "re"

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = [re.compile(pattern.encode()) for pattern in patterns]

    def scan(self, data: bytes) -> list[tuple[int, int]]:
        """Return (index of expression, end offset) of every hit."""
        return [(index, end) for index, pattern in enumerate(self._patterns) for end in _ends(pattern, data)]


class Re2Engine:
    """RE2: one pass says which expressions match anywhere, and only those look where.

    What RE2 does not take (what looks around, or repeats more than a thousand times) is left to :mod:`re`.

    Args:
        re2: The module ``re2`` of google-re2.
    """

    name = "re2"

    def __init__(self, patterns: Sequence[str], re2: Any) -> None:
        options = re2.Options()
        options.encoding = re2.Options.Encoding.LATIN1  # expressions are over bytes
        options.log_errors = False
        options.max_mem = _RE2_MEMORY
        self._set = re2.Set.SearchSet(options)
        self._members: list[tuple[int, Any]] = []
        self._others: list[tuple[int, re.Pattern[bytes]]] = []
        for index, pattern in enumerate(patterns):
            text = _UNBOUNDED.sub(r"{\1,}", pattern.replace("\\Z", "\\z")).encode()
            try:
                compiled = re2.compile(text, options)
                self._set.Add(text)
            except re2.error:
                self._others.append((index, re.compile(pattern.encode())))
            else:
                self._members.append((index, compiled))
        self._always = self._set.Add(b"")  # its absence tells "out of memory" from "nothing matches"
        try:
            self._set.Compile()
        except re2.error:  # it takes more memory than there may be
            self._set = None

    def scan(self, data: bytes) -> list[tuple[int, int]]:
        """Return (index of expression, end offset) of every hit."""
        matching = (self._set.Match(data) if self._set else None) or ()
        if self._always in matching:
            chosen = [self._members[number] for number in matching if number != self._always]
        else:
            chosen = self._members
        chosen = chosen + self._others
        return [(index, end) for index, pattern in chosen for end in _ends(pattern, data)]


class SampledEngine:
    """Fixed texts without Hyperscan: see :mod:`.needles`."""

    name = "samples"

    def __init__(self, texts: Sequence[bytes]) -> None:
        self._needles = Needles({text: index for index, text in enumerate(texts)})

    def scan(self, data: bytes) -> list[tuple[int, int]]:
        """Return (index of text, end offset) of every hit."""
        return [(index, end) for _, end, index in self._needles.find(data)]


def hyperscan_module() -> Any | None:
    """Return the ``hyperscan`` module, or ``None`` where it is not installed."""
    try:
        import hyperscan
    except ImportError:
        return None
    return hyperscan


def re2_module() -> Any | None:
    """Return the ``re2`` module of google-re2, or ``None`` where it is not installed."""
    try:
        import re2
    except ImportError:
        return None
    return re2 if hasattr(re2, "Set") else None  # other packages bring a module of this name


def fallback(patterns: Sequence[str]) -> Engine:
    """Return the fastest engine for expressions where there is no Hyperscan."""
    re2 = re2_module()
    return PatternEngine(patterns) if re2 is None else Re2Engine(patterns, re2)


def literals(texts: Sequence[bytes]) -> Engine:
    """Return an engine for fixed texts. It is never written to disk: these are secrets."""
    hyperscan = hyperscan_module()
    if hyperscan is None:
        return SampledEngine(texts)
    filled = [*texts, *_filling(len(texts))]
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(expressions=filled, ids=list(range(len(filled))), literal=True)
    return HyperscanEngine(database)


def _filling(count: int) -> list[bytes]:
    """Return texts that occur nowhere, as many as it takes to be out of the numbers that are slow.

    No UTF-8 has these bytes (RFC 3629), so they are never found.
    """
    missing = _SLOW.stop - count if count in _SLOW else 0
    return [
        bytes((0xF8 + number % 8, 0xF8 + number // 8 % 8, 0xF8 + number // 64)) * 3
        for number in range(missing)
    ]
