"""Finds many byte strings at once, in the standard library alone and at the speed of memory.

Text is sampled: of every ``stride`` bytes, four are looked up in one table. A needle of at least
``stride + 3`` bytes cannot lie between two samples, so the table holds its four-byte grams at ``stride``
successive places. One pass over the text costs about 15 ns a sample and does not depend on how many needles
there are; asking for each with ``in`` costs 0.07 to 0.25 ns a byte and needle. The few needles that are too
short for a good stride are asked for in that way.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate, compress

Span = tuple[int, int, str]
"""Start, end and label of something found (bytes)."""

GRAM = 4
"""Bytes of a sample: the widest that can be taken at every fourth byte (``memoryview`` format ``I``)."""

LONGEST_STRIDE = 128
"""Past this, sampling costs next to nothing (bytes)."""

MOST_GRAMS = 400_000
"""The table's size is bounded by this or one gram in four per needle: some 100 bytes of memory each."""

_SAMPLE_NS, _SEARCH_NS = 15.0, 3.0
"""Measured cost of one sample, and of ``needle in text`` for one byte of text times the needle's length."""


class Needles:
    """A fixed set of byte strings, each with a label. Immutable, so that readers need no lock."""

    __slots__ = ("_grams", "_heads", "_labels", "_ordered", "_short", "_stride", "longest")

    def __init__(self, labels: Mapping[bytes, str]) -> None:
        self._labels = dict(labels)
        self._ordered = sorted(labels)
        self._heads = frozenset(needle[:GRAM] for needle in labels)
        self.longest = max(map(len, labels), default=0)
        self._stride = _best_stride(sorted(map(len, labels)))
        least = self._stride + GRAM - 1
        self._short = [needle for needle in self._ordered if len(needle) < least]
        self._grams = _grams((needle for needle in self._ordered if len(needle) >= least), self._stride)

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
            if len(data) - start >= GRAM and data[start : start + GRAM] not in self._heads:
                continue
            end = data[start:]
            at = bisect_left(self._ordered, end)
            if at < len(self._ordered) and self._ordered[at].startswith(end):
                return start
        return len(data)

    def _sampled(self, data: bytes) -> Iterator[Span]:
        samples = memoryview(data)[: len(data) // GRAM * GRAM].cast("I")[:: self._stride // GRAM]
        if self._grams.keys().isdisjoint(samples):
            return
        places = range(0, len(samples) * self._stride, self._stride)
        for place in compress(places, map(self._grams.__contains__, samples)):
            gram = data[place : place + GRAM]
            held = self._grams[_word(gram)]
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


def _word(gram: bytes) -> int:
    return memoryview(gram).cast("I")[0]


def _grams(needles: Iterable[bytes], stride: int) -> dict[int, bytes | tuple[bytes, ...]]:
    """Return each gram that a sample inside a needle can see, and the needle or needles it may belong to."""
    table: dict[int, bytes | tuple[bytes, ...]] = {}
    for needle in needles:
        # Ends differ where beginnings are common, as those of all JWTs; reversed, it is the other way round.
        tail = needle[-(stride + GRAM - 1) :]
        window = needle[: stride + GRAM - 1] if _word(tail[-GRAM:]) in table else tail
        for offset in range(stride):
            word = _word(window[offset : offset + GRAM])
            held = table.setdefault(word, needle)
            if held is not needle:
                table[word] = (*((held,) if isinstance(held, bytes) else held), needle)
    return table


def _best_stride(lengths: list[int]) -> int:
    """Return the stride at which looking through clean text costs least."""
    if not lengths:
        return GRAM
    searches = [0.0, *accumulate(_SEARCH_NS / length for length in lengths)]
    bound = max(GRAM, MOST_GRAMS // len(lengths) // GRAM * GRAM)
    usual = {min((length - GRAM + 1) // GRAM * GRAM, LONGEST_STRIDE, bound) for length in set(lengths)}

    def cost(stride: int) -> float:
        return _SAMPLE_NS / stride + searches[bisect_left(lengths, stride + GRAM - 1)]

    return min((stride for stride in usual if stride >= GRAM), key=cost, default=GRAM)
