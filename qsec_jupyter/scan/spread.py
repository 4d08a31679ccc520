"""Finds values that a rule named where they turn up without their name, in any encoding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from .document import Group
from .known import encodings
from .literals import nested
from .needles import LONG, Needles
from .redact import Hit

MINIMUM = 12
"""Shorter values may well be words that stand elsewhere for themselves (characters)."""

_BATCH = 500
"""So many values are looked for at once: their table takes some 12 MB."""


def spread(groups: Sequence[Group], hits: Sequence[Hit]) -> Iterator[Hit]:
    """Yield a hit wherever the value of one that is to be redacted stands, also where it was found."""
    origins = {hit.value: hit for hit in hits if hit.redact and not hit.issued and len(hit.value) >= MINIMUM}
    if not origins:
        return
    size = sum(len(unit.data) for group in groups for unit in group.units)
    values = list(origins)
    for first in range(0, len(values), _BATCH):
        texts = {
            text.encode("utf-8", "surrogatepass"): origins[value]
            for value in values[first : first + _BATCH]
            for text in (*nested(value), *encodings(value))
        }
        for long in (True, False):
            yield from _found(
                groups, Needles({text: texts[text] for text in texts if (len(text) >= LONG) is long}, size)
            )


def _found(groups: Sequence[Group], needles: Needles[Hit]) -> Iterator[Hit]:
    for number, group in enumerate(groups):
        for position, unit in enumerate(group.units):
            for start, end, origin in needles.find(unit.data):
                span = unit.span(start, end)
                if span is not None:
                    yield replace(origin, group=number, unit=position, start=span[0], end=span[1])
