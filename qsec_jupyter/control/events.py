"""The index of the ledger: what happened, for those whom it concerns. The ledger is the record."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, select

from ..core.errors import Denied, QsecError
from ..core.events import EVENT_TYPES
from ..ledger.log import Ledger
from . import tables
from .callers import Caller
from .changes import Changes
from .policy.context import Situation
from .policy.live import LivePolicy
from .store import Row, Store

KEPT = 10_000
"""Entries that wait in memory to be indexed; beyond that they are read from the ledger again."""

_PERSONS = ("actor", "requester", "owner")
_COLUMNS = frozenset({*_PERSONS, "target", "grant"})

EVENTS_SECONDS = 0.5
"""How soon after it was written an entry of the ledger is indexed, and told to panels that wait."""


@dataclass(frozen=True, slots=True)
class EventQuery:
    """Which events are wanted.

    Attributes:
        kind: A type such as ``grant.requested``, or all of a family such as ``grant``.
        since: Not before this time (RFC 3339, UTC).
        until: Not after it.
    """

    kind: str | None = None
    target: str | None = None
    since: str | None = None
    until: str | None = None


class Events:
    """Indexes each ledger entry, soon after it is written, and finds those that somebody may see.

    What one looks for is not waited for on the way into the ledger: entries queue here and are indexed
    together. After a crash, and after more of them than fit, they are read from the ledger.

    Args:
        changes: Told when there is something new to see.
        policy: Says who may see everything.
    """

    def __init__(self, store: Store, ledger: Ledger, changes: Changes, policy: LivePolicy) -> None:
        self._store = store
        self._ledger = ledger
        self._changes = changes
        self._policy = policy
        self._waiting: deque[Row] = deque(maxlen=KEPT)
        self._lock = threading.Lock()
        self._makers: list[Callable[[list[Row]], Iterable[tuple[Table, list[Row]]]]] = []
        self.newest = store.highest(tables.events.c.position)
        """The position of the newest entry that is indexed; -1 when there is none."""
        ledger.follow(self._waiting.extend)

    def with_each(self, maker: Callable[[list[Row]], Iterable[tuple[Table, list[Row]]]]) -> None:
        """Write what ``maker`` makes of new rows together with them: all of it or nothing."""
        self._makers.append(maker)

    # -- indexing -----------------------------------------------------------------------------------

    def settle(self) -> bool:
        """Index what is new; say whether nothing is left. A database that refuses is tried again later."""
        with self._lock:
            entries = self._new()
            try:
                for start in range(0, len(entries), KEPT):
                    self._index(entries[start : start + KEPT])
            except QsecError:
                return False
        if entries:
            self._changes.bump()
        return True

    def _new(self) -> list[Row]:
        size, waiting = self._ledger.size, []
        while self._waiting:
            entry = self._waiting.popleft()
            if entry["index"] > self.newest:
                waiting.append(entry)
        first = waiting[0]["index"] if waiting else size
        if first == self.newest + 1:
            return waiting
        return list(self._ledger.read(self.newest + 1))

    def _index(self, entries: list[Row]) -> None:
        rows, concerned = [], []
        holders: dict[str, list[str]] = {}
        for entry in entries:
            row = _row(entry)
            rows.append(row)
            for subject in self._concerned(row, holders):
                kind = {"kind": row["kind"], "target": row["target"]}
                concerned.append({"subject": subject, "position": row["position"], **kind})
        more = [made for maker in self._makers for made in maker(rows)]
        self._store.add_all([(tables.events, rows), (tables.concerned, concerned), *more], flush=False)
        self.newest = rows[-1]["position"]

    def _concerned(self, row: Row, holders: dict[str, list[str]]) -> list[str]:
        """Return whom an entry concerns; what only names a grant concerns its holder."""
        data, grant = row["data"], row["grant_id"]
        named = [data[key] for key in _PERSONS if data.get(key)]
        if data.get("kind") == "user" and data.get("locked"):
            named.append(data["locked"])
        if grant and data.get("requester"):
            holders[grant] = [data["requester"]]
        elif grant:
            if grant not in holders:
                holders[grant] = self._holder(grant)
            named += holders[grant]
        return list(dict.fromkeys(named))

    def _holder(self, grant: str) -> list[str]:
        first = select(tables.events.c.data).where(tables.events.c.grant_id == grant)
        found = self._store.found(first.order_by(tables.events.c.position).limit(1))
        return [row["data"]["requester"] for row in found if row["data"].get("requester")]

    # -- finding ------------------------------------------------------------------------------------

    def listed(
        self, caller: Caller, query: EventQuery, before: int | None = None, limit: int = 50
    ) -> tuple[list[Row], int | None]:
        """Return events, newest first, and the ``before`` of the page that follows.

        Args:
            caller: Sees what concerns themselves; whom policy lets, everything.
            query: Which.
            before: Only what is older than that position.
            limit: How many at most.

        Raises:
            Denied: ``event.person_only`` for a kernel, a tool or a workload.
        """
        if caller.kernel_id is not None or caller.principal.kind != "person":
            raise Denied("event.person_only", "Only a person reads what happened")
        self.settle()
        subject = None if self.sees_all(caller) else self._store.subject(caller.principal)[0]
        rows = self._store.found(self._selection(query, subject, before, limit + 1))
        names = self._names(rows)
        following = rows[limit - 1]["position"] if len(rows) > limit else None
        return [shown(row, names) for row in rows[:limit]], following

    def sees_all(self, caller: Caller) -> bool:
        """Say whether policy lets somebody read the events of all."""
        situation = Situation(from_kernel=caller.kernel_id is not None)
        return self._policy.decide(caller.principal, "audit", "site", situation).allowed

    def _selection(
        self, query: EventQuery, subject: str | None, before: int | None, limit: int
    ) -> Select[Any]:
        e, c = tables.events, tables.concerned
        found = select(e)
        at: Any = e
        if subject is not None:
            found, at = found.join(c, e.c.position == c.c.position).where(c.c.subject == subject), c
        for condition in self._conditions(query, at, before):
            found = found.where(condition)
        return found.order_by(at.c.position.desc()).limit(limit)

    def _conditions(self, query: EventQuery, at: Any, before: int | None) -> list[ColumnElement[bool]]:
        position = at.c.position
        conditions = [] if before is None else [position < before]
        if query.kind and "." in query.kind:
            conditions.append(at.c.kind == query.kind)
        elif query.kind:  # a family: "0" follows "/", which follows "."
            # Of one person, reading back in order finds a page sooner than sorting what an index finds.
            kind = at.c.kind if at is tables.events else at.c.kind.concat("")
            conditions += [kind >= f"{query.kind}.", kind < f"{query.kind}/"]
        if query.target:
            conditions.append(at.c.target == query.target)
        time = tables.events.c.time
        if query.since:
            conditions.append(position >= self._at(time >= query.since, time.asc(), self.newest + 1))
        if query.until:
            conditions.append(position <= self._at(time <= query.until, time.desc(), -1))
        return conditions

    def _at(self, condition: ColumnElement[bool], order: ColumnElement[Any], else_: int) -> int:
        """Return the position of the first entry in that order; entries are as good as in order of time."""
        nearest = select(tables.events.c.position).where(condition).order_by(order).limit(1)
        found = self._store.found(nearest)
        return int(found[0]["position"]) if found else else_

    def _names(self, rows: list[Row]) -> dict[str, str]:
        told = {row["data"][key] for row in rows for key in (*_PERSONS, "locked") if row["data"].get(key)}
        found = self._store.rows(tables.subjects, {"id": sorted(told)})
        return {row["id"]: row["name"] for row in found}


def _row(entry: Row) -> Row:
    data = entry["data"]
    target, grant = data.get("target"), data.get("grant")
    return {
        "position": entry["index"],
        "time": entry["time"],
        "kind": entry["type"],
        "target": target if isinstance(target, str) else None,
        "grant_id": grant if isinstance(grant, str) else None,
        "asserted_by": entry["asserted_by"],
        "data": data,
    }


def shown(row: Row, names: dict[str, str]) -> Row:
    """Return an event with names in the place of pseudonyms; a person who was forgotten has none."""
    data, kind = row["data"], EVENT_TYPES[row["kind"]]
    details = {key: value for key, value in data.items() if key not in _COLUMNS}
    if data.get("kind") == "user" and "locked" in data:
        details["locked"] = names.get(data["locked"], "")
    return {
        "position": row["position"],
        "time": row["time"],
        "kind": kind.name,
        "meaning": kind.meaning,
        "asserted_by": row["asserted_by"],
        "actor": names.get(data.get("actor", "")),
        "requester": names.get(data.get("requester") or data.get("owner") or ""),
        "target": row["target"],
        "grant_id": row["grant_id"],
        "details": details,
    }
