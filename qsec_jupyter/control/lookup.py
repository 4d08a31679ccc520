"""Grants, as far as whoever asks may see them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from ..core.errors import NotFound
from ..core.model import Grant, rfc3339
from .asking import changes
from .book import Book, newest, unknown_grant
from .callers import Caller
from .judge import Judge
from .store import Row
from .timetable import Timetable


class Lookup:
    """Finds grants. Changes nothing."""

    def __init__(
        self, *, book: Book, judge: Judge, timetable: Timetable, clock: Callable[[], datetime]
    ) -> None:
        self._book = book
        self._judge = judge
        self._timetable = timetable
        self._clock = clock

    def get(self, grant_id: str, caller: Caller) -> Grant:
        """Return a grant that the caller may see; a kernel sees only its own.

        Raises:
            NotFound: ``grant.unknown``.
        """
        grant = self._book.get(grant_id)
        foreign = caller.kernel_id is not None and caller.kernel_id != grant.kernel_id
        if foreign or not self._judge.decide("view", grant, caller).allowed:
            raise unknown_grant()
        return grant

    def sees(self, grant_id: str, caller: Caller) -> bool:
        """Say whether the caller may see a grant."""
        try:
            self.get(grant_id, caller)
        except NotFound:
            return False
        return True

    def listed(self, caller: Caller) -> list[Grant]:
        """Return the caller's grants at their server, newest first, at most 50.

        Open ones, those that ended in the last hour, and what lets results be read, from wherever it began.
        """
        since, theirs = rfc3339(self._clock() - timedelta(hours=1)), _of(caller)
        here = self._book.recent({**theirs, "server_id": caller.server_id}, since, 50)
        known = {grant.id for grant in here}
        results = [g for g in self._book.open(theirs) if g.parent and g.id not in known]
        return [*here, *results][:50]

    def awaiting(self, caller: Caller) -> list[Grant]:
        """Return the requests that the caller may decide, the oldest first."""
        with self._book.lock:  # what policy is just about to approve is not one
            asked = self._book.rows({"state": "requested"})
        now = self._clock()
        waiting = [grant for grant in asked if self._timetable.deadline(grant) > now]
        mine = [grant for grant in waiting if self._judge.decide("approve", grant, caller).allowed]
        return sorted(mine, key=lambda grant: grant.requested_at)

    def changed(self, grant: Grant) -> list[dict[str, Any]]:
        """Return how a payload differs from the last one that was approved for its person and target."""
        if grant.payload is None:
            return []
        where = {"requester_subject": grant.requester_subject, "target": grant.target}
        before = (one for one in self._book.rows(where) if one.requested_at < grant.requested_at)
        last = newest(one for one in before if one.payload and one.decided_at and one.state != "denied")
        return [] if last is None or last.payload is None else changes(grant.payload, last.payload)

    def active(self, caller: Caller, target: str | None = None) -> Grant | None:
        """Return the newest active grant by which a kernel submits, for one target or for any."""
        now = self._clock()
        where = {**_of(caller), "kernel_id": caller.kernel_id, "server_id": caller.server_id}
        open_ = self._book.open(where | ({} if target is None else {"target": target}))
        own = (grant for grant in open_ if grant.extends is None and grant.scope == "submit")
        return newest(g for g in own if g.state == "active" and self._timetable.deadline(g) > now)


def _of(caller: Caller) -> Row:
    """Return what the caller's own grants have in common: a name may change, and pass to somebody else."""
    return {"requester_subject": caller.principal.subject}
