"""Looks behind markers: what stands beside a secret may be read as one once a marker stands in its place.

In ``token = 'abc token = 'def'`` the first value ends at its quote; only with the marker there the second
one has a name of its own. Without this a second save would find what the first one wrote.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

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
        fresh = [hit for group, unit in sorted(changed) for hit in _behind(groups, group, unit, hits, search)]
        if not fresh:
            break
        hits = merge([*hits, *fresh])
        changed = {(hit.group, hit.unit) for hit in fresh}
    return hits


def _behind(
    groups: Sequence[Group], group: int, position: int, hits: Sequence[Hit], search: Search
) -> Iterator[Hit]:
    unit = groups[group].units[position]
    own = [hit for hit in hits if (hit.group, hit.unit) == (group, position)]
    spans = [(hit.start, hit.end, marker(hit.label)) for hit in own if hit.redact]
    shown = Unit(unit.surface, splice(unit.text, spans), None, None, unit.name)
    for hit in search.hits(shown, group, position):
        start, end = _back(spans, hit.start, last=False), _back(spans, hit.end, last=True)
        if not any(one.start <= start and end <= one.end for one in own):
            yield replace(hit, start=start, end=end)


def _back(spans: Sequence[tuple[int, int, str]], offset: int, *, last: bool) -> int:
    """Return where an offset among markers lies in the text; of a marker its beginning, or its end."""
    shift = 0  # how much longer the text is, up to here
    for start, end, text in spans:
        at = start - shift
        if offset < at or (last and offset == at):
            break
        if offset < at + len(text) or (last and offset == at + len(text)):
            return end if last else start
        shift += (end - start) - len(text)
    return offset + shift
