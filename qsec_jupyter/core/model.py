"""Who, what and when: the values that cross every wire.

Times are RFC 3339 in UTC with a trailing ``Z``; durations are seconds.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Literal, get_args

GrantState = Literal["requested", "approved", "active", "expired", "revoked", "denied", "cancelled"]
GRANT_STATES: tuple[str, ...] = get_args(GrantState)
OPEN_STATES: frozenset[str] = frozenset({"requested", "approved", "active"})
"""States that something can still come of; every other state is final."""

Severity = Literal["info", "low", "medium", "high", "critical"]
Tier = Literal["deliver", "proxy", "operate"]


def rfc3339(moment: datetime) -> str:
    """Return ``moment`` in UTC with milliseconds, e.g. ``2026-01-31T09:30:00.000Z``."""
    return moment.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Principal:
    """Who acts: a person or a workload, and how we know."""

    name: str
    display_name: str
    identity_provider: str
    mfa: str | None = None
    groups: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """A place where credentials are good, as the catalogue describes it."""

    name: str
    title: str
    provider: str
    tier: Tier
    approval: Literal["auto", "review"]
    max_duration: int
    default_duration: int
    ticket_pattern: str | None
    ticket_required: bool
    revocability: str


@dataclass(frozen=True, slots=True)
class Grant:
    """A principal's right to a target, from one kernel, for a time."""

    id: str
    target: str
    state: GrantState
    requester: str
    kernel_id: str
    reason: str
    ticket: str | None
    duration: int
    requested_at: str
    decided_by: str | None = None
    decided_at: str | None = None
    decision_comment: str | None = None
    activated_at: str | None = None
    expires_at: str | None = None
    ended_at: str | None = None
    policies: tuple[str, ...] = ()

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Grant:
        """Build a grant from its JSON form; keys that this version does not know are left out."""
        known = {f.name for f in dataclasses.fields(cls)}
        values = {key: value for key, value in data.items() if key in known}
        values["policies"] = tuple(values.get("policies") or ())
        return cls(**values)


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
