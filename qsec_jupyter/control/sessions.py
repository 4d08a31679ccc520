"""The sessions behind grants: remembered before anything is read, and ended until that is verified."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, TimeoutError as CallTimeout
from datetime import datetime
from typing import TypeVar

from ..core.errors import QsecError, Unavailable
from ..core.model import rfc3339
from . import tables
from .audit import Audit
from .credentials.broker import Broker, Issued, IssueRequest, SessionRef
from .store import Row, Store

CALL_SECONDS = 10.0
"""How long a call to the store may take before its outcome counts as unknown."""

_T = TypeVar("_T")
_log = logging.getLogger("qsec.sessions")


class Sessions:
    """Calls the broker with a time limit, and knows what is still open there."""

    def __init__(self, store: Store, audit: Audit, broker: Broker) -> None:
        self._store = store
        self._audit = audit
        self._broker = broker
        self._workers = ThreadPoolExecutor(8, thread_name_prefix="qsec-broker")

    def issue(self, request: IssueRequest) -> Issued:
        """Return a credential; its session is in the database before the secret is read.

        Raises:
            Unavailable: ``vault.timeout`` when the store takes too long. What was issued meanwhile is ended.
        """
        future = self._workers.submit(
            self._broker.issue, request, lambda session: self._remember(request, session)
        )
        try:
            return future.result(CALL_SECONDS)
        except CallTimeout as error:
            future.add_done_callback(lambda _: self.end(request.grant_id))
            raise Unavailable(
                "vault.timeout",
                "The store of credentials takes too long",
                f"It did not answer within {CALL_SECONDS:.0f} s; what it may have issued is ended.",
                "Try again; `qsec doctor` says how the store is.",
            ) from error

    def _remember(self, request: IssueRequest, session: SessionRef) -> None:
        row = {
            "grant_id": request.grant_id,
            "accessor": session.accessor,
            "lease_ids": list(session.lease_ids),
            "expires_at": rfc3339(session.expires_at),
            "ended": False,
        }
        self._store.add(tables.sessions, row)

    def end(self, grant_id: str) -> bool:
        """End every session of a grant; say whether all of them are verified gone."""
        rows = self._store.rows(tables.sessions, {"grant_id": grant_id, "ended": False})
        return all([self._end(row) for row in rows])  # noqa: C419  # each is tried, whatever becomes of the first

    def retry(self) -> bool:
        """Try once more what could not be ended; say whether nothing is left."""
        ended = {"state": ["expired", "revoked", "denied", "cancelled"]}
        over = {row["id"] for row in self._store.rows(tables.grants, ended)}
        rows = [r for r in self._store.rows(tables.sessions, {"ended": False}) if r["grant_id"] in over]
        return all([self._end(row, again=True) for row in rows])  # noqa: C419  # as above

    def pending(self) -> int:
        """Count the sessions of ended grants that are not verified gone."""
        ended = {"state": ["expired", "revoked", "denied", "cancelled"]}
        over = {row["id"] for row in self._store.rows(tables.grants, ended)}
        return sum(r["grant_id"] in over for r in self._store.rows(tables.sessions, {"ended": False}))

    def _end(self, row: Row, *, again: bool = False) -> bool:
        session = SessionRef(row["accessor"], tuple(row["lease_ids"]), _moment(row["expires_at"]))
        gone = self._limited(lambda: self._broker.revoke(session), otherwise=False)
        if gone:
            self._store.change(tables.sessions, {"id": row["id"]}, {"ended": True})
            self._audit.record_ending("credential.revoked", grant=row["grant_id"])
        elif not again:
            self._audit.record_ending("credential.revocation_pending", grant=row["grant_id"])
        return gone

    def _limited(self, call: Callable[[], _T], otherwise: _T) -> _T:
        future: Future[_T] = self._workers.submit(call)
        try:
            return future.result(CALL_SECONDS)
        except (CallTimeout, QsecError) as error:
            _log.warning("a session could not be ended yet (%s)", type(error).__name__)
            return otherwise

    def close(self) -> None:
        """Let the workers go; a call that hangs is not waited for."""
        self._workers.shutdown(wait=False, cancel_futures=True)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
