"""A secret that was found. A module of its own: a scan starts for every commit and needs no other word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["info", "low", "medium", "high", "critical"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A secret that was found: where, by which rule, how bad. Never the value.

    Attributes:
        fingerprint: Keyed HMAC of the value; stable over edits, useless for guessing.
        surface: ``source``, ``output``, ``metadata``, ``attachment`` or ``text``.
        cell: Index of the cell counted from 0, or ``None`` outside cells.
        cell_id: nbformat cell id, when the cell has one.
        line: Line within what the user sees of the unit, counted from 1.
        column: Column within that line, counted from 1.
        action: What happened to it: ``redacted``, ``kept`` or ``reported``.
        end_column: Column behind the secret's last character on its first line; 0 when not known.
        confidence: ``high`` when a structure or an issued value tells, ``medium`` when a name does, ``low``
            when only the look of the value does.
        target: Of an issued credential: whose it is.
    """

    rule: str
    title: str
    severity: Severity
    surface: str
    path: str
    cell: int | None
    cell_id: str | None
    line: int
    column: int
    fingerprint: str
    remedy: str
    action: Literal["redacted", "kept", "reported"] = "reported"
    end_column: int = 0
    confidence: Literal["high", "medium", "low"] = "high"
    target: str = ""
