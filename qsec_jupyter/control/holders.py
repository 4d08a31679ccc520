"""Whose grants have a session open, counted against the caps. From memory: every use asks."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable

from sqlalchemy import select

from ..core.errors import Denied
from . import tables
from .catalog import Caps
from .store import Store


class Holders:
    """Knows which grants hold a session, or have asked for one. Thread-safe.

    Community editions of Vault and OpenBao have no lease quotas, so the count is kept here. Who asks has a
    place before the store is called, so that those who ask at once cannot get past a cap together.

    Args:
        caps: How many may be open.
    """

    def __init__(self, store: Store, caps: Callable[[], Caps]) -> None:
        self._store = store
        self._caps = caps
        self._lock = threading.Lock()
        self._open: dict[str, str] = _found(store)
        self._coming: dict[str, str] = {}
        self._calls: Counter[str] = Counter()

    def holds(self, grant_id: str) -> bool:
        """Say whether a grant has a session that is not ended."""
        return grant_id in self._open

    def take(self, grant_id: str, subject: str) -> None:
        """Give a grant a place for its session; :meth:`give_back` it when the call for one is over.

        Args:
            grant_id: Whose session is asked for.
            subject: Whose grant it is.

        Raises:
            Denied: ``credential.cap``.
        """
        with self._lock:
            if grant_id not in self._open and grant_id not in self._coming:
                self._refuse_over_cap(subject)
            self._coming[grant_id] = subject
            self._calls[grant_id] += 1

    def give_back(self, grant_id: str) -> None:
        """Take note that a call is over: the place is kept by a session only."""
        with self._lock:
            self._calls[grant_id] -= 1
            if not self._calls[grant_id]:
                del self._calls[grant_id]
                self._coming.pop(grant_id, None)

    def opened(self, grant_id: str, subject: str) -> None:
        """Take note of a session that the database has."""
        with self._lock:
            self._open[grant_id] = subject

    def ended(self, grant_ids: Iterable[str]) -> None:
        """Take note that sessions of these grants ended; others of theirs may be open still."""
        ids = sorted(set(grant_ids))
        with self._lock:
            rows = self._store.rows(tables.sessions, {"grant_id": ids, "ended": False})
            for grant_id in set(ids) - {row["grant_id"] for row in rows}:
                self._open.pop(grant_id, None)

    def _refuse_over_cap(self, subject: str) -> None:
        caps, holding = self._caps(), self._open | self._coming
        for count, most, who in (
            (sum(whose == subject for whose in holding.values()), caps.leases_per_user, "You hold"),
            (len(holding), caps.leases, "This installation holds"),
        ):
            if count >= most:
                raise Denied(
                    "credential.cap",
                    "Too many credentials are open",
                    f"{who} {count} of at most {most}.",
                    "End a grant that is not needed any more: qsec.grants(), qsec.revoke(...).",
                )


def _found(store: Store) -> dict[str, str]:
    """Return the grants of the database that have a session open, and whose they are."""
    sessions, grants, subjects = tables.sessions.c, tables.grants.c, tables.subjects.c
    joined = tables.sessions.join(tables.grants, grants.id == sessions.grant_id).outerjoin(
        tables.subjects, subjects.subject == grants.requester_subject
    )
    rows = store.found(
        select(sessions.grant_id, subjects.id.label("whose"))
        .select_from(joined)
        .where(sessions.ended.is_(False))
    )
    return {row["grant_id"]: row["whose"] or "" for row in rows}
