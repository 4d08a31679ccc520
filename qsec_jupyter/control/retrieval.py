"""What follows a submit grant: the right to read the results of exactly the jobs that it made."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from ..core.model import Grant, rfc3339
from .book import Book
from .callers import Caller
from .grants import step
from .lookup import Lookup
from .policy.live import LivePolicy

_DISPLACED = "A newer right to read results took its place."


class Retrieval:
    """Makes retrieve grants: longer than the submit grant that they follow, and good for its jobs only.

    They are nobody's request, so they have a cap of their own: whoever has run much asks anew all the same.
    """

    def __init__(
        self, *, book: Book, lookup: Lookup, policy: LivePolicy, clock: Callable[[], datetime]
    ) -> None:
        self._book = book
        self._lookup = lookup
        self._policy = policy
        self._clock = clock

    def submitted(self, caller: Caller, target: str, job_id: str) -> Grant | None:
        """Let the results of a submitted job be read after its grant is over, where the target allows it.

        Returns:
            The retrieve grant that covers the job, together with the other jobs of its submit grant.
        """
        if self._policy.catalogue.target(target).tier == "proxy":
            return None  # the gateway has seen itself which jobs there are
        grant = self._lookup.active(caller, target)
        return None if grant is None else self.follow(grant, job_id)

    def follow(self, grant: Grant, job_id: str) -> Grant | None:
        """Let the results of a job of a submit grant be read, where its target allows it.

        Returns:
            As :meth:`submitted`.
        """
        target = self._policy.catalogue.targets.get(grant.target)
        if target is None or not target.retrieve_duration:
            return None
        with self._book.lock:
            open_ = self._book.open({"requester_subject": grant.requester_subject, "target": grant.target})
            known = next((one for one in open_ if one.parent == grant.id), None)
            if known is None:
                return self._let_retrieve(grant, job_id, target.retrieve_duration)
            if job_id in known.jobs:
                return known
            more = replace(known, jobs=(*known.jobs, job_id))
            return self._book.commit(more, None, event="grant.jobs_added", job=job_id)

    def _let_retrieve(self, grant: Grant, job_id: str, seconds: int) -> Grant:
        now = self._clock()
        self._make_room(grant.requester_subject, now)
        retrieve = replace(
            grant,
            id=secrets.token_hex(16),
            state="requested",
            scope="retrieve",
            parent=grant.id,
            jobs=(job_id,),
            duration=seconds,
            requested_at=rfc3339(now),
            ended_at=None,
        )
        self._book.add(retrieve, self._book.server_of(grant.id), grant.holder)
        approved = self._book.commit(step(retrieve, "approve", now), None, job=job_id)
        return self._book.commit(step(approved, "activate", now), None)

    def _make_room(self, subject: str, now: datetime) -> None:
        """End the rights of a person that would end first, where there is no place for one more."""
        rights = [one for one in self._book.open({"requester_subject": subject}) if one.parent]
        surplus = len(rights) + 1 - self._policy.catalogue.caps.results_per_user
        for one in sorted(rights, key=lambda one: one.expires_at or "")[: max(0, surplus)]:
            ended = replace(step(one, "revoke", now), decision_comment=_DISPLACED)
            self._book.commit(ended, None, ending=True)
