"""Sessions that providers opened through the gateway: whose each is, and what is still to be done to it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

from ....core.errors import Denied, NotFound
from ....core.model import rfc3339
from ... import tables
from ...audit import Audit
from ...store import Change, Row, Store
from ..model import Pass


class ProviderSessions:
    """Knows the sessions of one journal. Thread-safe."""

    def __init__(self, store: Store, audit: Audit, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._audit = audit
        self._clock = clock
        self._lock = threading.Lock()
        self._grants: dict[str, str] = {}

    def open(self) -> None:
        """Read what must be known at once."""
        rows = self._store.rows(tables.provider_sessions)
        self._grants = {row["session_id"]: row["grant_id"] for row in rows}

    def opened(self, holder: Pass, session_id: str, *, over: bool = False) -> None:
        """Note a session. An id that is known already stays whose it was.

        Args:
            holder: Whose it is.
            session_id: As the provider calls it.
            over: Its grant has ended meanwhile, so it is to be closed.
        """
        grant = holder.grant
        with self._lock:
            if session_id in self._grants:
                return
            about = {"session": session_id, "grant": grant.id, "target": grant.target}
            self._audit.record_ending("job.session_opened", holder.caller.principal, **about)
            row = {
                "session_id": session_id,
                "target": grant.target,
                "grant_id": grant.id,
                "opened_at": rfc3339(self._clock()),
                "ending": "close" if over else None,
            }
            self._store.add(tables.provider_sessions, row)
            self._grants[session_id] = grant.id

    def owned(self, grant_id: str, session_id: str) -> None:
        """Make sure that a session is a grant's own.

        Raises:
            NotFound: ``job.session_unknown``, in the same words for a foreign one and for none.
        """
        if self._grants.get(session_id) != grant_id:
            raise NotFound(
                "job.session_unknown",
                "There is no such session",
                remedy="A grant sees the sessions that it opened itself.",
            )

    def check(self, grant_id: str, session_id: str | None) -> None:
        """Make sure that a job names no session but one of its grant.

        Raises:
            Denied: ``job.foreign_session``.
        """
        if session_id is not None and self._grants.get(session_id) != grant_id:
            raise Denied(
                "job.foreign_session",
                "This job was not submitted: its session is not of this grant",
                "The rule: a job joins the sessions that its own grant opened.",
                "Open a session of your own.",
            )

    def closed(self, session_id: str) -> None:
        """Note that a session is closed."""
        row = self._store.one(tables.provider_sessions, {"session_id": session_id})
        if row is None or row["closed_at"] is not None:
            return
        about = {"session": session_id, "grant": row["grant_id"], "target": row["target"]}
        self._audit.record_ending("job.session_closed", **about)
        values: Row = {"closed_at": rfc3339(self._clock()), "ending": None}
        self._store.change(tables.provider_sessions, {"session_id": session_id}, values)

    def closing(self, grant_id: str) -> Change:
        """Return the note that a grant's open sessions are to be closed at their provider."""
        where = {"grant_id": grant_id, "closed_at": None}
        return tables.provider_sessions, where, {"ending": "close"}

    def pending(self) -> list[Row]:
        """Return the sessions that are still to be closed."""
        return self._store.rows(tables.provider_sessions, {"ending": "close"})
