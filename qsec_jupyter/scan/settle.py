"""Looks behind markers: what stands beside a secret may be read as one once a marker stands in its place.

In ``token = 'abc token = 'def'`` the first value ends at its quote; only with the marker there the second
one has a name of its own. Without this a second save would find what the first one wrote.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate

from ..core.secret import marker
from .document import Group
from .redact import Hit, merge
from .search import Search
from .units import Unit, splice

ROUNDS = 8
"""A text in which each marker brings out one more value is read as often as this."""


def settled(groups: Sequence[Group], hits: list[Hit], search: Search) -> list[Hit]:
    """Return ``hits`` with those that show once markers stand in the place of the others."""
    changed = {(hit.group, hit.unit) for hit in hits if hit.redact}
    for _ in range(ROUNDS):
        found: dict[tuple[int, int], list[Hit]] = {}
        for hit in hits:
            found.setdefault((hit.group, hit.unit), []).append(hit)
        fresh = [hit for place in sorted(changed) for hit in _behind(groups, *place, found[place], search)]
        if not fresh:
            break
        hits = merge([*hits, *fresh])
        changed = {(hit.group, hit.unit) for hit in fresh}
    return hits


def _behind(
    groups: Sequence[Group], group: int, position: int, own: Sequence[Hit], search: Search
) -> Iterator[Hit]:
    unit = groups[group].units[position]
    spans = [(hit.start, hit.end, marker(hit.label)) for hit in own if hit.redact]
    grown = accumulate(len(text) - (end - start) for start, end, text in spans)
    begins = [start + more for (start, _, _), more in zip(spans, (0, *grown), strict=False)]
    starts = [hit.start for hit in own]
    shown = Unit(unit.surface, splice(unit.text, spans), None, None, unit.name)
    for hit in search.hits(shown, group, position):
        start = _back(spans, begins, hit.start, last=False)
        end = _back(spans, begins, hit.end, last=True)
        known = bisect_right(starts, start) - 1
        if known < 0 or end > own[known].end:
            yield replace(hit, start=start, end=end)


def _back(spans: Sequence[tuple[int, int, str]], begins: Sequence[int], offset: int, *, last: bool) -> int:
    """Return where an offset among markers lies in the text; of a marker its beginning, or its end.

    Args:
        spans: Beginning, end and marker of each.
        begins: Where the markers begin in what is shown.
        offset: A place there.
        last: Whether it is an end.
    """
    number = (bisect_left if last else bisect_right)(begins, offset) - 1
    if number < 0:
        return offset
    start, end, text = spans[number]
    behind = offset - begins[number] - len(text)
    if behind < 0 or (last and not behind):
        return end if last else start
    return end + behind
