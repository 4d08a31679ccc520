"""The book of jobs: each step goes to the ledger first, then into the database, then into memory.

Steps are written one at a time, and only the ledger waits for the disk: what a crash leaves out of the
database are the last ones, and they are read from the ledger again when the book is opened.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, get_args

from ....core.errors import QsecError
from ....core.model import Principal, rfc3339
from ....ledger.log import Ledger
from ... import tables
from ...audit import Audit
from ...changes import Changes
from ...evidence.data_keys import DataKeys
from ...store import Change, Row, Store
from ..model import JobState
from .sealing import Hidden, seal, unseal

OPEN: frozenset[JobState] = frozenset({"intended", "sent", "unknown", "accepted"})
"""States that something can still come of."""
NEVER_RAN: frozenset[JobState] = frozenset({"refused", "lost"})

_STATE: dict[str, JobState] = {
    "job.sent": "sent",
    "job.accepted": "accepted",
    "job.rejected": "refused",
    "job.unknown": "unknown",
    "job.lost": "lost",
    "job.cancelled": "cancelled",
    "job.done": "done",
}
"""Event to the state that it brings a job to. ``job.intended`` begins one."""

_AFTER: dict[JobState, frozenset[JobState]] = {
    "intended": frozenset({"sent", "refused", "unknown", "lost", "accepted"}),
    "sent": frozenset({"accepted", "refused", "unknown", "lost"}),
    "unknown": frozenset({"accepted", "refused", "lost"}),
    "accepted": frozenset({"cancelled", "done", "lost"}),
    "refused": frozenset(),
    "lost": frozenset({"accepted"}),  # a provider that shows a job later than it said
    "cancelled": frozenset({"done"}),
    "done": frozenset(),
}
assert set(_AFTER) == set(get_args(JobState))

_REMEMBERED = 256


@dataclass(slots=True)
class Known:
    """What is asked of a job that a provider took, on every call: held in memory."""

    correlation_id: str
    grant_id: str
    target: str
    state: JobState


class JobBook:
    """Jobs of one journal. Thread-safe.

    Args:
        keys: What names are encrypted with.
    """

    def __init__(
        self,
        *,
        store: Store,
        audit: Audit,
        ledger: Ledger,
        keys: DataKeys,
        changes: Changes,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._audit = audit
        self._ledger = ledger
        self._keys = keys
        self._changes = changes
        self._clock = clock
        self.lock = threading.RLock()
        """Held from reading a job to writing what became of it."""
        self._known: dict[str, Known] = {}
        self._of_grant: dict[str, list[str]] = {}
        self._hidden: dict[str, Hidden] = {}
        self._under_way: dict[str, Row] = {}
        """Rows of jobs that no provider has answered yet, for the next step of each."""
        self.journal = ledger.journal

    # -- opening ------------------------------------------------------------------------------------

    def open(self) -> None:
        """Bring the database to where the ledger is, and read what must be known at once."""
        first = self._store.highest(tables.jobs.c.position)
        entered = set()
        for event in self._ledger.read(max(first, 0)):
            correlation_id = event["data"].get("correlation")
            entered.add(correlation_id)
            if event["type"] in _STATE:
                self._replay(event["type"], event["data"], event["index"])
        for row in self._store.rows(tables.jobs, {"state": ["intended", "sent"], "position": first}):
            if row["correlation_id"] not in entered:  # nobody was told of it, nothing was sent
                self._store.remove(tables.jobs, {"correlation_id": row["correlation_id"]})
        for row in self._store.rows(tables.jobs):
            if row["job_id"]:
                self._remember(row)

    def _replay(self, event: str, data: dict[str, Any], index: int) -> None:
        row = self._store.one(tables.jobs, {"correlation_id": data.get("correlation")})
        if row is not None and _STATE[event] in _AFTER[row["state"]]:
            self._change(row, _STATE[event], index, data)

    def _remember(self, row: Row) -> None:
        # A provider that names two jobs alike does not give one away to the other's owner.
        job_id = row["job_id"]
        if job_id in self._known:
            return
        self._known[job_id] = Known(row["correlation_id"], row["grant_id"], row["target"], row["state"])
        self._of_grant.setdefault(row["grant_id"], []).append(job_id)

    # -- reading ------------------------------------------------------------------------------------

    def known(self, job_id: str) -> Known | None:
        """Return a job that a provider took, by the provider's id, from memory."""
        return self._known.get(job_id)

    def of_grant(self, grant_id: str) -> tuple[str, ...]:
        """Return the provider's ids of a grant's jobs, oldest first, from memory."""
        return tuple(self._of_grant.get(grant_id, ()))

    def get(self, correlation_id: str) -> Row:
        """Return a job's row."""
        row = self._store.one(tables.jobs, {"correlation_id": correlation_id})
        assert row is not None, "a job is asked for by what the book gave out"
        return row

    def rows(self, where: Row) -> list[Row]:
        """Return the rows that match."""
        return self._store.rows(tables.jobs, where)

    def recent(self, where: Row, limit: int) -> list[Row]:
        """Return rows, newest first."""
        c = tables.jobs.c
        conditions = [
            c[name].in_(value) if isinstance(value, (list, tuple)) else c[name] == value
            for name, value in where.items()
        ]
        return self._store.ordered(tables.jobs, conditions, c.intended_at.desc(), limit)

    def unsettled(self) -> list[Row]:
        """Return the jobs of which is not known whether a provider took them."""
        return self.rows({"state": ["intended", "sent", "unknown"]})

    def count(self, grant_id: str) -> int:
        """Count the jobs of a grant that ran, or may have."""
        return sum(row["state"] not in NEVER_RAN for row in self.rows({"grant_id": grant_id}))

    def hidden(self, correlation_id: str) -> Hidden:
        """Return what was hidden of a job.

        Raises:
            Unavailable: The key that opens it cannot be had.
        """
        found = self._hidden.get(correlation_id)
        if found is None:
            sealed = self.get(correlation_id)["sealed"]
            found = unseal(sealed, correlation_id, self._keys) if sealed else Hidden()
            while len(self._hidden) >= _REMEMBERED:
                self._hidden.pop(next(iter(self._hidden)), None)
            self._hidden[correlation_id] = found
        return found

    def hidden_at_hand(self, correlation_id: str) -> Hidden | None:
        """Return what was hidden of a job, if it was asked for lately. Does not block."""
        return self._hidden.get(correlation_id)

    # -- writing ------------------------------------------------------------------------------------

    def intend(
        self,
        row: Row,
        hidden: Hidden,
        event: dict[str, Any],
        actor: Principal,
        still: Callable[[], None],
        sent: dict[str, Any] | None = None,
    ) -> None:
        """Begin a job: it is in the ledger when this returns.

        Args:
            row: What is known of it.
            hidden: What its provider does not see of it.
            event: What the ledger is told.
            actor: Who submits it.
            still: Refuses it if its grant has ended: an end that comes later finds the job in the database.
            sent: What else the ledger is told of its sending, where that follows at once.

        Raises:
            Unavailable: The ledger, the database or the store of keys refuses; the job must not be sent.
            Denied: What ``still`` says.
        """
        correlation_id = row["correlation_id"]
        sealed = seal(hidden, correlation_id, self._keys) if hidden != Hidden() else None
        row = {**row, "state": "intended", "job_id": None, "sealed": sealed}
        steps: list[tuple[str, Principal | None, dict[str, Any]]] = [("job.intended", actor, event)]
        if sent is not None:
            steps.append(("job.sent", None, _told(row, sent)))
            row |= {"state": "sent", "sent_at": row["intended_at"]}
        with self.lock:
            row["position"] = self._ledger.size
            self._store.add(tables.jobs, row)
            try:
                still()
                self._audit.record_steps(steps)
            except QsecError:
                self._store.remove(tables.jobs, {"correlation_id": correlation_id})
                raise
            self._under_way[correlation_id] = row
        self._changes.bump()

    def hide(self, correlation_id: str, hidden: Hidden) -> None:
        """Keep what is hidden of a job from now on."""
        sealed = seal(hidden, correlation_id, self._keys)
        self._store.change(tables.jobs, {"correlation_id": correlation_id}, {"sealed": sealed})
        self._hidden.pop(correlation_id, None)

    def hide_more(self, correlation_id: str, names: Mapping[str, str], tags: tuple[str, ...]) -> None:
        """Add to what was hidden of a job, and replace its tags."""
        with self.lock:
            before = self.hidden(correlation_id)
            after = replace(before, names={**before.names, **names}, tags=tags)
            sealed = seal(after, correlation_id, self._keys)
            self._store.change(tables.jobs, {"correlation_id": correlation_id}, {"sealed": sealed})
            self._hidden[correlation_id] = after

    def step(self, correlation_id: str, event: str, **data: Any) -> Row | None:
        """Write what became of a job; return its row, ``None`` when that cannot be, or is known already.

        A step is written even where the ledger refuses at the moment: it has happened.
        """
        with self.lock:
            row = self._under_way.get(correlation_id) or self.get(correlation_id)
            state = _STATE[event]
            if state not in _AFTER[row["state"]]:
                return None
            about = _told(row, data)
            if event == "job.sent":
                self._audit.record(event, **about)
            else:
                self._audit.record_ending(event, **about)
            changed = self._change(row, state, self._ledger.size - 1, about)
            if state == "sent":
                self._under_way[correlation_id] = changed
            else:
                self._under_way.pop(correlation_id, None)
        self._changes.bump()
        return changed

    def _change(self, row: Row, state: JobState, index: int, data: dict[str, Any]) -> Row:
        now = rfc3339(self._clock())
        values: Row = {"state": state, "position": index}
        if state == "sent":
            values["sent_at"] = now
        if state not in OPEN:
            values |= {"ended_at": now, "ending": None}
        if data.get("job") and not row["job_id"]:
            values["job_id"] = data["job"]
        if data.get("usage_seconds") is not None:
            values["usage_seconds"] = float(data["usage_seconds"])
        if data.get("status") is not None:
            values["details"] = {**row["details"], "status": data["status"]}
        self._store.change(tables.jobs, {"correlation_id": row["correlation_id"]}, values, flush=False)
        row = {**row, **values}
        if row["job_id"]:
            self._remember(row)
            known = self._known[row["job_id"]]
            if known.correlation_id == row["correlation_id"]:
                known.state = state
        return row

    def cancelling(self, grant_id: str) -> Change:
        """Return the note that a grant's open jobs are to be cancelled; what is to be stopped stays so."""
        where = {"grant_id": grant_id, "state": sorted(OPEN), "ending": None}
        return tables.jobs, where, {"ending": "cancel"}

    def stopping(self, correlation_id: str) -> None:
        """Note that a job is to be cancelled also while it runs."""
        self._store.change(tables.jobs, {"correlation_id": correlation_id}, {"ending": "stop"})

    def ended(self, correlation_id: str, ending: str) -> None:
        """Note that what was to be done to a job is done, unless it is something else by now."""
        where = {"correlation_id": correlation_id, "ending": ending}
        self._store.change(tables.jobs, where, {"ending": None})


def _told(row: Row, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the ledger is told of a step."""
    return {
        "correlation": row["correlation_id"],
        "grant": row["grant_id"],
        "target": row["target"],
        "kernel": row["kernel_id"],
        "job": row["job_id"],
        **{key: value for key, value in data.items() if value is not None},
    }
