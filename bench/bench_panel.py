"""The panel: what it asks, with many grants and events in the database."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from .bench_credentials import Row, opened, row, timed

GRANTS, EVENTS = 10_000, 100_000


def run() -> list[Row]:
    """Return the rows of this module."""
    from qsec_jupyter.control import tables
    from qsec_jupyter.control.events import EventQuery

    with tempfile.TemporaryDirectory() as folder:
        plane, _ = opened(Path(folder), None)
        try:
            _fill(plane, tables)
            owner = plane.owner
            mine = replace(owner, principal=replace(owner.principal, roles=("researcher",)))
            queries: dict[str, Callable[[], Any]] = {
                "snapshot": lambda: plane.panel.snapshot(owner),
                "own events": lambda: plane.events.listed(mine, EventQuery()),
                "own events of a family": lambda: plane.events.listed(mine, EventQuery("grant")),
                "all events of a kind and target": lambda: plane.events.listed(
                    owner, EventQuery("lock.set", "pilot")
                ),
                "a page far back": lambda: plane.events.listed(mine, EventQuery(), 500),
                "events of one day": lambda: plane.events.listed(
                    mine, EventQuery(until="2026-01-02T00:00:00.000Z")
                ),
            }
            times = {name: min(timed(query) for _ in range(5)) * 1000 for name, query in queries.items()}
        finally:
            plane.close()
    about = f"{GRANTS:,} grants, {EVENTS:,} events"
    return [row(f"{about}: {name}", value, "ms", "<= 50", ok=value <= 50) for name, value in times.items()]


def _fill(plane: Any, tables: Any) -> None:
    from qsec_jupyter.core.events import EVENT_TYPES
    from qsec_jupyter.core.model import Principal

    somebody = Principal("somebody", "Somebody", "")
    me, other = plane.store.subject(plane.principal)[0], plane.store.subject(somebody)[0]
    details = {"requester_roles": ["researcher"], "votes": []}
    grants = [
        {
            "id": secrets.token_hex(16), "server_id": plane.owner.server_id, "kernel_id": f"k{number % 50}",
            "target": "sandbox", "state": "expired", "requester": plane.principal.name, "reason": "r",
            "requester_subject": plane.principal.subject, "ticket": None, "duration": 60,
            "requested_at": f"2026-01-{1 + number % 28:02}T00:00:00.000Z",
            "ended_at": "2026-01-30T00:00:00.000Z", "policies": [], "details": details,
        }
        for number in range(GRANTS)
    ]  # fmt: skip
    kinds, first = list(EVENT_TYPES), plane.events.newest + 1
    rows = [
        {
            "position": first + number, "time": f"2026-01-{1 + number // 4000:02}T00:00:00.000Z",
            "kind": kinds[number % len(kinds)], "target": ("sandbox", "pilot")[number % 2],
            "grant_id": grants[number % GRANTS]["id"], "asserted_by": "control",
            "data": {"actor": (me, other)[number % 3 == 0], "reason_hmac": "0" * 64, "policy": "0" * 64},
        }
        for number in range(EVENTS)
    ]  # fmt: skip
    concerned = [
        {"subject": row["data"]["actor"], **{key: row[key] for key in ("position", "kind", "target")}}
        for row in rows
    ]
    plane.store.add_all([(tables.grants, grants), (tables.events, rows), (tables.concerned, concerned)])
    plane.events.settle = lambda: True  # what was put past the ledger is not looked for there
