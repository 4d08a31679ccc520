"""Puts markers in the place of secrets, without changing anything else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..core.finding import Severity
from ..core.secret import marker
from .document import Document, Group, with_cells, without_cells
from .units import splice

_RANK: dict[str, int] = {"info": 0, "low": 1, "medium": 2, "high": 3, "critical": 4}


@dataclass(frozen=True)
class Hit:
    """One value at one place, before it is reported.

    Attributes:
        group: Position of the group in the document.
        unit: Position of the unit in the group.
        start: First character in the unit's text.
        end: Character behind the last one.
        value: The secret; it leaves the scanner only as a fingerprint.
        issued: Whether the broker issued it; such a value outranks every rule.
    """

    group: int
    unit: int
    start: int
    end: int
    rule: str
    label: str
    title: str
    severity: Severity
    remedy: str
    value: str
    redact: bool = True
    issued: bool = False
    confidence: Literal["high", "medium", "low"] = "high"

    def __repr__(self) -> str:
        return f"Hit({self.rule}, group {self.group}, unit {self.unit}, {self.start}:{self.end})"

    @property
    def rank(self) -> tuple[bool, bool, int, int]:
        """What decides between hits that overlap."""
        return (self.issued, self.redact, _RANK[self.severity], self.end - self.start)


def merge(hits: Iterable[Hit]) -> list[Hit]:
    """Return hits without overlaps: where some do, the highest in rank, over the span of all."""
    merged: list[Hit] = []
    for hit in sorted(hits, key=lambda one: (one.group, one.unit, one.start, one.end)):
        last = merged[-1] if merged else None
        if last and (last.group, last.unit) == (hit.group, hit.unit) and hit.start < last.end:
            best = max(last, hit, key=lambda one: one.rank)
            merged[-1] = _stretched(best, min(last.start, hit.start), max(last.end, hit.end))
        else:
            merged.append(hit)
    return merged


def _stretched(hit: Hit, start: int, end: int) -> Hit:
    if (hit.start, hit.end) == (start, end):
        return hit
    values = {name: getattr(hit, name) for name in Hit.__dataclass_fields__}
    return Hit(**{**values, "start": start, "end": end})


def redact_text(text: str, hits: Sequence[Hit]) -> str:
    """Return ``text`` with every hit replaced by its marker."""
    return splice(text, [(hit.start, hit.end, marker(hit.label)) for hit in hits])


def redact_notebook(notebook: dict[str, Any], document: Document, hits: Sequence[Hit]) -> dict[str, Any]:
    """Return a notebook with markers; what holds no hit is shared with ``notebook``, which stays as it is."""
    found: dict[int, list[Hit]] = {}
    for hit in hits:
        found.setdefault(hit.group, []).append(hit)
    touched = {number: _redacted(document.groups[number], own) for number, own in found.items()}
    if document.shape == "other":
        return dict(touched[0].tree) if touched else notebook
    cells = [touched.get(i, group).tree[0] for i, group in enumerate(document.groups) if i]
    rest = touched[0].tree if 0 in touched else without_cells(notebook)
    return with_cells(notebook, rest, cells)


def _redacted(group: Group, hits: Sequence[Hit]) -> Group:
    """Return a copy of ``group`` with markers; keys are renamed last, while values still hang on theirs."""
    fresh = group.copy()
    units: dict[int, list[Hit]] = {}
    for hit in hits:
        units.setdefault(hit.unit, []).append(hit)
    for number in sorted(units, key=lambda index: fresh.units[index].key is None):
        fresh.units[number].replace([(hit.start, hit.end, marker(hit.label)) for hit in units[number]])
    return fresh


def changed_cells(
    notebook: dict[str, Any], redacted: dict[str, Any], document: Document, hits: Iterable[Hit]
) -> dict[str, dict[str, Any]]:
    """Return the new content of each changed cell, as far as an open tab must be brought in step."""
    cells: dict[str, dict[str, Any]] = {}
    for number in sorted({hit.group for hit in hits}):
        index = document.groups[number].cell
        if index is None:
            continue
        old, new = notebook["cells"][index], redacted["cells"][index]
        if not isinstance(new, dict):
            continue
        changed = {
            key: new[key]
            for key in ("source", "outputs", "metadata", "attachments")
            if key in new and new[key] != old.get(key)
        }
        if isinstance(changed.get("source"), list):
            changed["source"] = "".join(changed["source"])
        cells[str(index)] = changed
    return cells
