"""The book of grants: what the ledger was told, kept where it can be searched."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, fields, replace
from datetime import datetime
from typing import Any, Protocol

from ..core.errors import NotFound, Unavailable
from ..core.model import OPEN_STATES, Grant, GrantState, Principal
from . import tables
from .audit import Audit
from .changes import Changes
from .store import Change, Row, Store

_EVENT: dict[GrantState, str] = {
    "requested": "grant.requested",
    "approved": "grant.approved",
    "active": "grant.activated",
    "expired": "grant.expired",
    "revoked": "grant.revoked",
    "denied": "grant.denied",
    "cancelled": "grant.cancelled",
}
_OVER = {event: state for state, event in _EVENT.items() if state not in OPEN_STATES}
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


class Hanging(Protocol):
    """What ends elsewhere when a grant ends."""

    def noted(self, grant: Grant, why: str) -> Iterable[Change]:
        """Return what is to be noted of that, in the transaction that ends the grant."""
        ...

    def ended(self, grant: Grant) -> None:
        """Begin it: the note is written. It must return at once."""
        ...


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
        self._unstored: dict[str, tuple[Grant, list[Change]]] = {}
        self._open = _Open(store.rows(tables.grants, {"state": sorted(OPEN_STATES)}))
        self._hanging: Hanging | None = None
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
        return self._known(row)

    def _known(self, row: Row) -> Grant:
        """Return a row's grant, as it is by now where the database could not be told."""
        return self._unstored[row["id"]][0] if row["id"] in self._unstored else _grant(row)

    def server_of(self, grant_id: str) -> str:
        """Return the Jupyter Server that a grant belongs to."""
        if (known := self._open.get(grant_id)) is not None:
            return known[1]
        row = self._store.one(tables.grants, {"id": grant_id})
        return str(row["server_id"]) if row else ""

    def rows(self, where: Row) -> list[Grant]:
        """Return the grants that match."""
        return [self._known(row) for row in self._store.rows(tables.grants, where)]

    def open(self, where: Row | None = None) -> list[Grant]:
        """Return the grants that something can still come of."""
        return self._open.having(where or {})

    def recent(self, where: Row, ended_after: str, limit: int) -> list[Grant]:
        """Return open grants and those that ended lately, newest first."""
        c = tables.grants.c
        conditions = [c[name] == value for name, value in where.items()]
        lately = c.state.in_(sorted(OPEN_STATES)) | (c.ended_at > ended_after)
        rows = self._store.ordered(tables.grants, [*conditions, lately], c.requested_at.desc(), limit)
        return [self._known(row) for row in rows]

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
        self._write([grant], data.get("why"), ending=ending)
        (self._changes if event in _NO_RIGHTS else self._changes.rights).bump()
        self._tell_end(grant)
        return grant

    def end_each(self, grants: Sequence[Grant], **data: Any) -> None:
        """Write down what became of several grants that are over, as :meth:`commit` does for one."""
        self._audit.record_endings(
            [(_EVENT[grant.state], {**self._audit.about(grant), **data}) for grant in grants]
        )
        self._write(grants, data.get("why"), ending=True)
        self._changes.rights.bump()
        for grant in grants:
            self._tell_end(grant)

    def catch_up(self) -> None:
        """End what the ledger calls over: a crash may have come before the database was told."""
        with self.lock:
            open_ = {grant.id: grant for grant in self.open()}
            for entry in self._audit.told(_OVER, open_):
                grant = open_[entry["data"]["grant"]]
                over = replace(grant, state=_OVER[entry["type"]], ended_at=entry["time"])
                self._write([over], entry["data"].get("why"), ending=True)
        self._changes.rights.bump()

    def _write(self, grants: Sequence[Grant], why: str | None, *, ending: bool) -> None:
        """Tell the database, and the memory, what grants are from now on.

        What ends elsewhere with them is noted in the same transaction: no crash comes between the two.
        """
        changes = {grant.id: self._noted(grant, why or grant.state) for grant in grants}
        try:
            self._store.change_each(change for several in changes.values() for change in several)
        except Unavailable:
            if not ending:
                raise
            # A full disk keeps no grant alive.
            self._unstored |= {grant.id: (grant, changes[grant.id]) for grant in grants}
        for grant in grants:
            self._open.put(grant, self.server_of(grant.id))

    def _noted(self, grant: Grant, why: str) -> list[Change]:
        own: Change = (tables.grants, {"id": grant.id}, _row(grant))
        return [own, *(self._hanging.noted(grant, why) if self._hanging and _has_run(grant) else ())]

    def _tell_end(self, grant: Grant) -> None:
        if self._hanging and _has_run(grant):
            self._hanging.ended(grant)

    @property
    def version(self) -> int:
        """Counts what has changed of rights."""
        return self._changes.rights.version

    def on_end(self, hanging: Hanging) -> None:
        """Have something end elsewhere with each grant that ends."""
        self._hanging = hanging

    def settle(self) -> bool:
        """Write down the endings that the database did not take; say whether none is left."""
        with self.lock:
            for grant_id, (_, changes) in list(self._unstored.items()):
                try:
                    self._store.change_each(changes)
                except Unavailable:
                    return False
                del self._unstored[grant_id]
        return True


def _has_run(grant: Grant) -> bool:
    """Say whether a grant is over that was, or could have become, active."""
    return grant.state in {"expired", "revoked"}


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
