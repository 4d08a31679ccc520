"""The book of grants: what the ledger was told, kept where it can be searched."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, fields, replace
from datetime import datetime
from typing import Any

from ..core.errors import NotFound, Unavailable
from ..core.model import OPEN_STATES, Grant, Principal
from . import tables
from .audit import Audit
from .changes import Changes
from .store import Row, Store

_EVENT = {
    "requested": "grant.requested",
    "approved": "grant.approved",
    "active": "grant.activated",
    "expired": "grant.expired",
    "revoked": "grant.revoked",
    "denied": "grant.denied",
    "cancelled": "grant.cancelled",
}
_NO_RIGHTS = frozenset({"grant.jobs_added"})
"""What changes nobody's rights: whose a job is, the book of jobs says."""

_COLUMNS = frozenset(column.name for column in tables.grants.columns)
_DETAILS = tuple(field.name for field in fields(Grant) if field.name not in _COLUMNS)


class _Open:
    """The grants that something can still come of, in memory: each credential asks for one. Thread-safe."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._lock = threading.Lock()
        self._all: dict[str, tuple[Grant, str]] = {}
        self._of_kernel: dict[str, dict[str, tuple[Grant, str]]] = {}
        for row in rows:
            self.put(_grant(row), row["server_id"])

    def put(self, grant: Grant, server_id: str) -> None:
        """Take note of a grant as it is from now on; one that is over is left out."""
        with self._lock:
            theirs = self._of_kernel.setdefault(grant.kernel_id, {})
            for known in (self._all, theirs):
                if grant.state in OPEN_STATES:
                    known[grant.id] = (grant, server_id)
                else:
                    known.pop(grant.id, None)
            if not theirs:
                del self._of_kernel[grant.kernel_id]

    def get(self, grant_id: str) -> tuple[Grant, str] | None:
        """Return a grant and its server."""
        return self._all.get(grant_id)

    def having(self, where: Row) -> list[Grant]:
        """Return the grants that match."""
        told = dict(where)
        among = self._of_kernel.get(told["kernel_id"], {}) if "kernel_id" in told else self._all
        found = list(among.values())
        if "server_id" in told:
            server_id = told.pop("server_id")
            found = [one for one in found if one[1] == server_id]
        return [grant for grant, _ in found if all(getattr(grant, name) == told[name] for name in told)]


class Book:
    """Reads grants, and writes each change to the ledger first. Thread-safe.

    Those that are open are read from memory, where each change arrives once the database has it. No other
    process writes to a journal that is taken.

    Args:
        clock: Gives the time.
    """

    def __init__(self, store: Store, audit: Audit, changes: Changes, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._audit = audit
        self._changes = changes
        self._clock = clock
        self._unstored: dict[str, Grant] = {}
        self._open = _Open(store.rows(tables.grants, {"state": sorted(OPEN_STATES)}))
        self._listeners: list[Callable[[Grant, str], None]] = []
        self.lock = threading.RLock()
        """Held from reading a grant to writing what became of it."""

    # -- reading ----------------------------------------------------------------------------------

    def get(self, grant_id: str) -> Grant:
        """Return a grant.

        Raises:
            NotFound: ``grant.unknown``.
        """
        if (known := self._open.get(grant_id)) is not None:
            return known[0]
        row = self._store.one(tables.grants, {"id": grant_id})
        if row is None:
            raise unknown_grant()
        return self._unstored.get(grant_id) or _grant(row)

    def server_of(self, grant_id: str) -> str:
        """Return the Jupyter Server that a grant belongs to."""
        if (known := self._open.get(grant_id)) is not None:
            return known[1]
        row = self._store.one(tables.grants, {"id": grant_id})
        return str(row["server_id"]) if row else ""

    def rows(self, where: Row) -> list[Grant]:
        """Return the grants that match."""
        found = self._store.rows(tables.grants, where)
        return [self._unstored.get(row["id"]) or _grant(row) for row in found]

    def open(self, where: Row | None = None) -> list[Grant]:
        """Return the grants that something can still come of."""
        return self._open.having(where or {})

    def recent(self, where: Row, ended_after: str, limit: int) -> list[Grant]:
        """Return open grants and those that ended lately, newest first."""
        c = tables.grants.c
        conditions = [c[name] == value for name, value in where.items()]
        lately = c.state.in_(sorted(OPEN_STATES)) | (c.ended_at > ended_after)
        rows = self._store.ordered(tables.grants, [*conditions, lately], c.requested_at.desc(), limit)
        return [self._unstored.get(row["id"]) or _grant(row) for row in rows]

    # -- writing ----------------------------------------------------------------------------------

    def add(self, grant: Grant, server_id: str, actor: Principal) -> None:
        """Write down a request."""
        self._audit.record("grant.requested", actor, **self._audit.about(grant))
        self._store.add(tables.grants, {**_row(grant), "server_id": server_id})
        self._open.put(grant, server_id)
        self._changes.rights.bump()

    def commit(
        self,
        grant: Grant,
        actor: Principal | None,
        *,
        ending: bool = False,
        event: str | None = None,
        **data: Any,
    ) -> Grant:
        """Tell the ledger, then the database, then who waits.

        Args:
            grant: As it is from now on.
            actor: Who did it; ``None`` for policy and time.
            ending: Nothing keeps it alive then, neither a ledger nor a database that cannot be written.
            event: What happened; by its new state when not given.
            data: What else the event says.
        """
        record = self._audit.record_ending if ending else self._audit.record
        record(event or _EVENT[grant.state], actor, **self._audit.about(grant), **data)
        try:
            self._store.change(tables.grants, {"id": grant.id}, _row(grant))
        except Unavailable:
            if not ending:
                raise
            self._unstored[grant.id] = grant  # a full disk keeps no grant alive
        self._open.put(grant, self.server_of(grant.id))
        (self._changes if event in _NO_RIGHTS else self._changes.rights).bump()
        self._tell_end(grant, data.get("why", grant.state))
        return grant

    def end_each(self, grants: Sequence[Grant], **data: Any) -> None:
        """Write down what became of several grants that are over, as :meth:`commit` does for one."""
        self._audit.record_endings(
            [(_EVENT[grant.state], {**self._audit.about(grant), **data}) for grant in grants]
        )
        try:
            self._store.change_each(tables.grants, [({"id": grant.id}, _row(grant)) for grant in grants])
        except Unavailable:
            self._unstored |= {grant.id: grant for grant in grants}
        for grant in grants:
            self._open.put(grant, self.server_of(grant.id))
        self._changes.rights.bump()
        for grant in grants:
            self._tell_end(grant, data.get("why", grant.state))

    def _tell_end(self, grant: Grant, why: str) -> None:
        if grant.state in {"expired", "revoked"}:
            for listener in self._listeners:
                listener(grant, why)

    @property
    def version(self) -> int:
        """Counts what has changed of rights."""
        return self._changes.rights.version

    def on_end(self, listener: Callable[[Grant, str], None]) -> None:
        """Have ``listener`` called with each grant that has ended, and why. It must return at once."""
        self._listeners.append(listener)

    def settle(self) -> bool:
        """Write down the endings that the database did not take; say whether none is left."""
        with self.lock:
            for grant_id, grant in list(self._unstored.items()):
                try:
                    self._store.change(tables.grants, {"id": grant_id}, _row(grant))
                except Unavailable:
                    return False
                del self._unstored[grant_id]
        return True


def unknown_grant() -> NotFound:
    """Return the refusal for a grant that is not there, or not the asker's to see."""
    return NotFound("grant.unknown", "There is no such grant", remedy="List grants with qsec.grants().")


def newest(grants: Iterable[Grant]) -> Grant | None:
    """Return the grant that was asked for last."""
    return max(grants, key=lambda grant: grant.requested_at, default=None)


def _row(grant: Grant) -> Row:
    values = {**asdict(replace(grant, jobs=())), "jobs": grant.jobs}  # texts, and perhaps thousands
    row = {name: value for name, value in values.items() if name in _COLUMNS}
    return {**row, "policies": list(grant.policies), "details": {name: values[name] for name in _DETAILS}}


def _grant(row: Row) -> Grant:
    return Grant.from_dict({**(row.get("details") or {}), **row})
