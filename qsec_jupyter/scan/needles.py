"""Finds many byte strings at once, in the standard library alone and at the speed of memory.

Text is sampled: of every ``stride`` bytes, the first eight (or four) are looked up in one table. A needle of
``stride`` bytes and a sample cannot lie between two samples, so the table holds its grams at ``stride``
successive places. One pass over the text costs about 15 ns a sample and does not depend on how many needles
there are; asking for each with ``in`` costs 0.07 to 0.25 ns a byte and needle. The few needles that are too
short for a good stride are asked for in that way.
"""

from __future__ import annotations

import sys
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, compress
from typing import Generic, Literal, TypeVar

Label = TypeVar("Label")

Span = tuple[int, int, str]
"""Start, end and label of something found (bytes)."""

MANY = 1000
"""From so many needles on, grams of four bytes would often be met by chance, and eight are looked at."""

LONG = 15
"""When none is shorter, eight are looked at, too (bytes)."""

LONGEST_STRIDE = 128
"""Past this, sampling costs next to nothing (bytes)."""

MOST_GRAMS = 1_200_000
"""Bounds a table; a gram takes some 75 bytes of memory. With many needles the stride shrinks instead."""

LASTING = 1 << 40
"""As good as any amount of text (bytes)."""

_BLOCK = 512
"""How many samples are looked up before those that met a gram are told apart."""

_FORMATS: dict[int, Literal["I", "Q"]] = {4: "I", 8: "Q"}
_SAMPLE_NS, _SEARCH_NS, _GRAM_NS = 15.0, 4.0, 200.0
"""Measured cost of one sample, of ``needle in text`` for one byte of text times the needle's length, and of
one gram in a table."""

_Place = tuple[int, int]
"""Where in a needle a gram stands, and how long that needle is."""


class Needles(Generic[Label]):
    """A fixed set of byte strings, each with a label. Immutable, so that readers need no lock.

    Args:
        labels: What to look for, and what it is called.
        size: How much text will be looked through, all in all (bytes): little is not worth a large table.
    """

    __slots__ = ("_gram", "_grams", "_heads", "_labels", "_ordered", "_shifts", "_short", "_step", "longest")

    def __init__(self, labels: Mapping[bytes, Label], size: int = LASTING) -> None:
        self._labels = dict(labels)
        self._ordered = sorted(labels)
        self._heads = frozenset(needle[:4] for needle in labels)
        lengths = sorted(map(len, labels))
        self.longest = max(lengths, default=0)
        self._gram = 8 if len(labels) > MANY or min(lengths, default=0) >= LONG else 4
        stride = _best_stride(lengths, self._gram, size)
        self._step = max(stride, self._gram)
        self._shifts = tuple(range(0, self._gram, stride))  # one, unless samples overlap
        least = stride + self._gram - 1
        self._short = [needle for needle in self._ordered if len(needle) < least]
        long = (needle for needle in self._ordered if len(needle) >= least)
        self._grams = _grams(long, stride, self._gram)

    def __len__(self) -> int:
        return len(self._ordered)

    def find(self, data: bytes) -> list[tuple[int, int, Label]]:
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

    def _sampled(self, data: bytes) -> Iterator[tuple[int, int, Label]]:
        gram, step = self._gram, self._step
        absent, holds = self._grams.keys().isdisjoint, self._grams.__contains__
        view = memoryview(data)
        for shift in self._shifts:
            end = shift + (len(data) - shift) // gram * gram
            samples = view[shift:end].cast(_FORMATS[gram])[:: step // gram]
            for first in range(0, len(samples), _BLOCK):
                block = samples[first : first + _BLOCK]
                if absent(block):
                    continue
                for number in compress(range(len(block)), map(holds, block)):
                    yield from self._at(shift + (first + number) * step, block[number], data)

    def _at(self, place: int, gram: int, data: bytes) -> Iterator[tuple[int, int, Label]]:
        """Yield the needles that really are where ``gram`` was met at ``place``."""
        for offset, length in self._grams[gram]:
            start = place - offset
            if start >= 0 and (needle := data[start : start + length]) in self._labels:
                yield start, start + len(needle), self._labels[needle]  # at the end a shorter one is there

    def _all_of(self, needle: bytes, data: bytes) -> Iterator[tuple[int, int, Label]]:
        start = data.find(needle)
        while start >= 0:
            yield start, start + len(needle), self._labels[needle]
            start = data.find(needle, start + 1)


def _grams(needles: Iterable[bytes], stride: int, gram: int) -> dict[int, tuple[_Place, ...]]:
    """Return each gram that a sample inside a needle can see, and where in needles it stands.

    Needles of one length share their places, so those with a beginning and an end in common cost no more.
    """
    table: dict[int, tuple[_Place, ...]] = {}
    size = stride + gram - 1
    known: dict[tuple[int, int], list[tuple[_Place]]] = {}
    for needle in needles:
        # Ends differ where beginnings are common, as those of all JWTs; reversed, it is the other way round.
        first = len(needle) - size
        words = _words(needle[first:], stride, gram)
        if not table.keys().isdisjoint(words):
            first = 0
            words = _words(needle, stride, gram)
        places = known.get((first, len(needle)))
        if places is None:
            places = [((offset, len(needle)),) for offset in range(first, first + stride)]
            known[first, len(needle)] = places
        for word, place in zip(words, places, strict=True):
            held = table.get(word)
            if held is None:
                table[word] = place
            elif place[0] not in held:
                table[word] = held + place
    return table


def _words(window: bytes, count: int, gram: int) -> list[int]:
    """Return the grams at the first ``count`` places of ``window``."""
    order: Literal["little", "big"] = sys.byteorder
    return [int.from_bytes(window[at : at + gram], order) for at in range(count)]


def _best_stride(lengths: Sequence[int], gram: int, size: int) -> int:
    """Return the stride at which looking through ``size`` bytes of clean text costs least, table included."""
    if not lengths:
        return gram
    searches = [0.0, *accumulate(_SEARCH_NS / length for length in lengths)]
    most = min(lengths[-1] - gram + 1, LONGEST_STRIDE, MOST_GRAMS // len(lengths))

    def cost(stride: int) -> float:
        short = bisect_left(lengths, stride + gram - 1)
        grams = (len(lengths) - short) * stride
        return _SAMPLE_NS / stride + searches[short] + _GRAM_NS * grams / size

    strides: list[int] = [stride for stride in (1, 2, 4) if stride < gram]
    strides += range(gram, most + 1, gram)
    return min(strides, key=cost)
