"""Every way in which grants end before their time, and what ends with them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Literal

from ..core.errors import Conflict
from ..core.model import Grant, Principal
from .audit import Audit
from .book import Book
from .callers import Caller
from .grants import GrantEvent, step
from .judge import Judge
from .locks import Lock, Locks
from .sessions import Sessions
from .timetable import Timetable

START_SECONDS = 2.0
"""How long the start waits for the sessions of an earlier server to end; the rest is pending."""

_LEAKED = "Its credential was found in a notebook or file; ask again for a new one."

STOP_SECONDS = 3.0
"""How long the end of this process waits for sessions to end; the rest is pending, and durable."""


class Ending:
    """Ends grants early: by their holders' or others' word, with a kernel or server, by a lock or a leak.

    Args:
        judge: Asks policy.
        clock: Gives the time.
    """

    def __init__(
        self,
        *,
        book: Book,
        audit: Audit,
        judge: Judge,
        timetable: Timetable,
        sessions: Sessions,
        locks: Locks,
        clock: Callable[[], datetime],
    ) -> None:
        self._book = book
        self._audit = audit
        self._judge = judge
        self._timetable = timetable
        self._sessions = sessions
        self._locks = locks
        self._clock = clock
        self._closed: set[str] = set()
        self._leaving: list[Callable[[str, str | None], object]] = []

    def on_leave(self, call: Callable[[str, str | None], object]) -> None:
        """Have ``call`` told of each server that ends, or kernel of one: their ids."""
        self._leaving.append(call)

    def _left(self, server_id: str, kernel_id: str | None = None) -> None:
        for call in self._leaving:
            call(server_id, kernel_id)

    def closed(self, server_id: str) -> bool:
        """Say whether a server has ended, and takes no more requests."""
        return server_id in self._closed

    # -- by a person, or with what it hangs on -----------------------------------------------------

    def end(
        self, caller: Caller, grant_id: str, verb: Literal["cancel", "revoke"], comment: str | None = None
    ) -> Grant:
        """Withdraw a request, or end a grant early; its sessions end, too."""
        with self._book.lock:
            grant = self._book.get(grant_id)
            self._judge.permit(verb, grant, caller)
            ended = step(grant, verb, self._clock())
            if comment:
                ended = replace(ended, decision_comment=said(comment))
            ended = self._book.commit(ended, caller.principal, ending=True)
        self._end_all(self._extensions([grant_id]), why="revoked")
        self._sessions.end(grant_id)
        return ended

    def leaked(self, caller: Caller, target: str) -> list[str]:
        """End what a server's owner holds for a target whose credential was found where it must not be."""
        open_ = self._book.open({"server_id": caller.server_id, "target": target})
        held = [one for one in _hanging(open_) if one.state == "active"]
        return self._end_all([replace(one, decision_comment=_LEAKED) for one in held], why="revoked")

    def kernel_ended(self, caller: Caller, kernel_id: str) -> list[str]:
        """End all that hangs on a kernel of the caller's server."""
        self._audit.record_ending("kernel.ended", caller.principal, kernel=kernel_id)
        self._judge.forget(caller.by(kernel_id))
        self._left(caller.server_id, kernel_id)
        where = {"kernel_id": kernel_id, "server_id": caller.server_id}
        return self._end_all(_hanging(self._book.open(where)), why="kernel")

    def end_server(self, server_id: str) -> list[str]:
        """End all that hangs on a server, and take no more requests from it."""
        with self._book.lock:
            self._closed.add(server_id)
        self._left(server_id)
        return self._end_all(_hanging(self._book.open({"server_id": server_id})), STOP_SECONDS, why="kernel")

    def reconcile(self, server_id: str | None) -> list[str]:
        """End what hangs on other servers than this one: they are gone, since the journal was free.

        And what a lock holds for: a crash may have come before that was ended.
        """
        locked = [grant_id for lock in self._locks.listed() for grant_id in self.locked(lock, START_SECONDS)]
        left = (g for g in self._book.open() if self._book.server_of(g.id) != server_id)
        return locked + self._end_all(_hanging(left), START_SECONDS, why="kernel")

    # -- by a lock, by others who are present, by lost rights ---------------------------------------

    def locked(self, lock: Lock, seconds: float | None = None) -> list[str]:
        """End what a lock holds for."""

        def holds(grant: Grant) -> bool:
            return lock.holds(grant.holder, self._book.server_of(grant.id), grant.target)

        return self._end_all([grant for grant in self._book.open() if holds(grant)], seconds, why="lock")

    def lock(self, caller: Caller, kind: str, name: str, reason: str | None) -> tuple[Lock, list[str]]:
        """Lock something, and end what the lock holds for.

        Returns:
            The lock, and the ids of the grants that it ended.

        Raises:
            Denied: ``policy.denied``.
            Invalid, Conflict: What :meth:`.locks.Locks.set` refuses.
        """
        self._judge.permit_lock(caller)
        lock = self._locks.set(caller.principal, kind, name, reason)
        return lock, self.locked(lock)

    def lift(self, caller: Caller, lock_id: str) -> Lock:
        """Lift a lock; what it ended stays ended."""
        self._judge.permit_lock(caller)
        return self._locks.lift(caller.principal, lock_id)

    def share(self, kernel: Caller, present: Iterable[Principal]) -> list[str]:
        """Take note of who is present at a kernel beside its owner; it gets the least of their rights.

        Returns:
            The grants that end, because somebody who is present may not use them.
        """
        others = tuple(present)
        if self._judge.share(kernel, others):
            names = [self._audit.pseudonym(one) for one in others]
            self._audit.record_ending(
                "kernel.shared", kernel.principal, kernel=kernel.kernel_id, present=names
            )
        open_ = self._book.open({"kernel_id": kernel.kernel_id, "server_id": kernel.server_id})
        lost = [grant for grant in open_ if not self._judge.decide("request", grant, kernel).allowed]
        return self._end_all(_hanging(lost), why="revoked")

    def reconsider(self, principal: Principal) -> list[str]:
        """End what somebody holds or asks for that policy would not let them ask for any more.

        Returns:
            The ids of the grants that ended.
        """
        theirs = [one for one in self._book.open() if one.requester_subject == principal.subject]
        lost = [one for one in theirs if not self._judge.may_hold(one, self._book.server_of(one.id))]
        return self._end_all(_hanging(lost), why="revoked")

    def end_unreserved(self) -> list[str]:
        """End what is active at a target while nothing is reserved there any more.

        Returns:
            The ids of the grants that ended.
        """
        now = self._clock()
        active = [one for one in self._book.rows({"state": "active"}) if one.parent is None]
        late = [one for one in active if self._timetable.is_unreserved(one, now)]
        return self._end_all(late, why="expired")

    # -- all of them --------------------------------------------------------------------------------

    def _extensions(self, ids: Iterable[str]) -> list[Grant]:
        gone = set(ids)
        return [grant for grant in self._book.open() if grant.extends in gone]

    def _end_all(self, grants: Iterable[Grant], seconds: float | None = None, *, why: str) -> list[str]:
        told = {grant.id: grant for grant in grants}
        with self._book.lock:
            over = [self._over(now, told[now.id]) for now in self._book.rows({"id": sorted(told)})]
            ended = [grant for grant in over if grant is not None]
            if ended:
                self._book.end_each(ended, why=why)
        ids = [grant.id for grant in ended]
        self._sessions.end(*ids, seconds=seconds)
        return ids

    def _over(self, grant: Grant, told: Grant) -> Grant | None:
        """Return a grant after its end; ``None`` when it ended by itself meanwhile."""
        event: GrantEvent = "cancel" if grant.state == "requested" else "revoke"
        try:
            over = step(grant, event, self._clock())
        except Conflict:
            return None
        return replace(over, decision_comment=told.decision_comment or over.decision_comment)


def _hanging(grants: Iterable[Grant]) -> list[Grant]:
    """Leave out what outlives kernel and server: the right to read results of jobs that are on their way."""
    return [grant for grant in grants if grant.parent is None]


def said(comment: str | None) -> str | None:
    """Return a comment as it is kept: trimmed, ``None`` when there is nothing in it."""
    return (comment or "").strip()[:500] or None
