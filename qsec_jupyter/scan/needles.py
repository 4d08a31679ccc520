"""Finds many byte strings at once, in the standard library alone and at the speed of memory.

Text is sampled: of every ``stride`` bytes, the first four (or eight) are looked up in one table. A needle of
``stride`` bytes and a sample cannot lie between two samples, so the table holds its grams at ``stride``
successive places. One pass over the text costs about 15 ns a sample and does not depend on how many needles
there are; asking for each with ``in`` costs 0.07 to 0.25 ns a byte and needle. The few needles that are too
short for a good stride are asked for in that way.
"""

from __future__ import annotations

import sys
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate, compress
from typing import Literal

Span = tuple[int, int, str]
"""Start, end and label of something found (bytes)."""

MANY = 1000
"""From so many needles on, grams of four bytes would often be met by chance, and eight are looked at."""

LONGEST_STRIDE = 128
"""Past this, sampling costs next to nothing (bytes)."""

MOST_GRAMS = 1_200_000
"""Bounds the table; a gram takes some 75 bytes of memory. With many needles the stride shrinks instead."""

_BLOCK = 512
"""How many samples are looked up before those that met a gram are told apart."""

_FORMATS: dict[int, Literal["I", "Q"]] = {4: "I", 8: "Q"}
_SAMPLE_NS, _SEARCH_NS = 15.0, 3.0
"""Measured cost of one sample, and of ``needle in text`` for one byte of text times the needle's length."""

_Table = dict[int, "bytes | tuple[bytes, ...]"]


class Needles:
    """A fixed set of byte strings, each with a label. Immutable, so that readers need no lock."""

    __slots__ = ("_gram", "_grams", "_heads", "_labels", "_ordered", "_short", "_stride", "longest")

    def __init__(self, labels: Mapping[bytes, str]) -> None:
        self._labels = dict(labels)
        self._ordered = sorted(labels)
        self._heads = frozenset(needle[:4] for needle in labels)
        self.longest = max(map(len, labels), default=0)
        self._gram = 8 if len(labels) > MANY else 4
        self._stride = _best_stride(sorted(map(len, labels)), self._gram)
        least = self._stride + self._gram - 1
        self._short = [needle for needle in self._ordered if len(needle) < least]
        long = (needle for needle in self._ordered if len(needle) >= least)
        self._grams = _grams(long, self._stride, self._gram)

    def __len__(self) -> int:
        return len(self._ordered)

    def find(self, data: bytes) -> list[Span]:
        """Return where needles stand, in any order; empty for clean data, which is the fast case."""
        spans = list(self._sampled(data)) if self._grams else []
        for needle in self._short:
            if needle in data:
                spans += self._all_of(needle, data)
        return spans

    def beginning(self, data: bytes) -> int:
        """Return where the longest end of ``data`` starts that may begin a needle; its length if none."""
        for start in range(max(0, len(data) - self.longest + 1), len(data)):
            if len(data) - start >= 4 and data[start : start + 4] not in self._heads:
                continue
            end = data[start:]
            at = bisect_left(self._ordered, end)
            if at < len(self._ordered) and self._ordered[at].startswith(end):
                return start
        return len(data)

    def _sampled(self, data: bytes) -> Iterator[Span]:
        gram, stride = self._gram, self._stride
        samples = memoryview(data)[: len(data) // gram * gram].cast(_FORMATS[gram])[:: stride // gram]
        absent, holds = self._grams.keys().isdisjoint, self._grams.__contains__
        for first in range(0, len(samples), _BLOCK):
            block = samples[first : first + _BLOCK]
            if absent(block):
                continue
            places = range(first * stride, (first + len(block)) * stride, stride)
            for place in compress(places, map(holds, block)):
                yield from self._at(place, data)

    def _at(self, place: int, data: bytes) -> Iterator[Span]:
        """Yield the needles whose gram was met at ``place`` and that really are there."""
        gram = data[place : place + self._gram]
        held = self._grams[int.from_bytes(gram, sys.byteorder)]
        for needle in (held,) if isinstance(held, bytes) else held:
            offset = needle.find(gram)
            while offset >= 0:
                start = place - offset
                if start >= 0 and data.startswith(needle, start):
                    yield start, start + len(needle), self._labels[needle]
                offset = needle.find(gram, offset + 1)

    def _all_of(self, needle: bytes, data: bytes) -> Iterator[Span]:
        start = data.find(needle)
        while start >= 0:
            yield start, start + len(needle), self._labels[needle]
            start = data.find(needle, start + 1)


def _grams(needles: Iterable[bytes], stride: int, gram: int) -> _Table:
    """Return each gram that a sample inside a needle can see, and the needle or needles it may belong to."""
    table: _Table = {}
    size = stride + gram - 1
    for needle in needles:
        # Ends differ where beginnings are common, as those of all JWTs; reversed, it is the other way round.
        words = _words(needle[-size:], gram)
        if not table.keys().isdisjoint(words):
            words = _words(needle[:size], gram)
        if table.keys().isdisjoint(words):
            table.update(dict.fromkeys(words, needle))
            continue
        for word in words:
            held = table.get(word, ())
            table[word] = (*((held,) if isinstance(held, bytes) else held), needle)
    return table


def _words(window: bytes, gram: int) -> set[int]:
    """Return the grams of ``window`` at each of its places."""
    found: set[int] = set()
    for offset in range(gram):
        whole = (len(window) - offset) // gram * gram
        found.update(memoryview(window)[offset : offset + whole].cast(_FORMATS[gram]))
    return found


def _best_stride(lengths: list[int], gram: int) -> int:
    """Return the stride at which looking through clean text costs least."""
    if not lengths:
        return gram
    searches = [0.0, *accumulate(_SEARCH_NS / length for length in lengths)]
    bound = max(gram, MOST_GRAMS // len(lengths) // gram * gram)
    usual = {min((length - gram + 1) // gram * gram, LONGEST_STRIDE, bound) for length in set(lengths)}

    def cost(stride: int) -> float:
        return _SAMPLE_NS / stride + searches[bisect_left(lengths, stride + gram - 1)]

    return min((stride for stride in usual if stride >= gram), key=cost, default=gram)
