"""The sessions behind grants: remembered before anything is read, and ended until that is verified."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, TimeoutError as CallTimeout
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

from ..core.errors import QsecError, Unavailable
from ..core.model import OPEN_STATES, moment, rfc3339
from . import tables
from .audit import Audit
from .catalog import Caps
from .credentials.broker import Broker, Issued, IssueRequest, Operation, SessionRef
from .holders import Holders
from .store import Row, Store

CALL_SECONDS = 10.0
"""How long a call to the store may take before its outcome counts as unknown."""

_log = logging.getLogger("qsec.sessions")
T = TypeVar("T")


class Sessions:
    """Calls the broker with a time limit, and knows what is still open there."""

    def __init__(self, store: Store, audit: Audit, broker: Broker, caps: Callable[[], Caps] = Caps) -> None:
        self._store = store
        self._holders = Holders(store, caps)
        self._audit = audit
        self._broker = broker
        self._workers = ThreadPoolExecutor(8, thread_name_prefix="qsec-broker")
        self._held: set[str] = set()
        # Of their own: an ending never waits behind a store that hangs on an issue.
        self._enders = ThreadPoolExecutor(16, thread_name_prefix="qsec-end")

    def issue(self, request: IssueRequest) -> Issued:
        """Return a credential; its session is in the database before the secret is read.

        Raises:
            Unavailable: ``vault.timeout`` when the store takes too long. What it issues late is ended with
                its grant: at once when that is over, and else the grant's next call finds it open.
        """
        return self._called(
            request, lambda: self._broker.issue(request, lambda session: self._remember(request, session))
        )

    def operate(self, request: IssueRequest, operation: Operation, data: bytes, signature: str) -> str:
        """Use a key where it is, with the grant's own session; as :meth:`issue`."""
        return self._called(
            request,
            lambda: self._broker.operate(
                request, lambda session: self._remember(request, session), operation, data, signature
            ),
        )

    def is_open(self, grant_id: str) -> bool:
        """Say whether a grant has a session that is not ended."""
        return self._holders.holds(grant_id)

    def keep(self, request: IssueRequest) -> None:
        """Renew what a grant holds; a store that is away or slow is tried again the next time."""
        try:
            self._workers.submit(self._broker.keep, request).result(CALL_SECONDS)
        except CallTimeout:
            _log.warning("a session could not be renewed in time")
        except QsecError as error:
            _log.warning("a session could not be renewed (%s)", error.code)

    def _called(self, request: IssueRequest, call: Callable[[], T]) -> T:
        # What is held under another name is ours for a moment, to end what is elsewhere: no cap stops that.
        if not self._holders.holds(request.grant_id) and request.grant_id not in self._held:
            self._holders.take(request.grant_id, request.subject)
            call = partial(self._first, request.grant_id, call)
        future = self._workers.submit(call)
        try:
            return future.result(CALL_SECONDS)
        except CallTimeout as error:
            future.add_done_callback(lambda _: self._end_if_over(request.grant_id))
            raise Unavailable(
                "vault.timeout",
                "The store of credentials takes too long",
                f"No answer within {CALL_SECONDS:.0f} s; what it may have issued ends with the grant.",
                "Try again; `qsec doctor` says how the store is.",
            ) from error

    def _first(self, grant_id: str, call: Callable[[], T]) -> T:
        try:
            return call()
        finally:
            self._holders.give_back(grant_id)

    def _remember(self, request: IssueRequest, session: SessionRef) -> None:
        row = {
            "grant_id": request.grant_id,
            "accessor": session.accessor,
            "lease_ids": list(session.lease_ids),
            "expires_at": rfc3339(session.expires_at),
            "ended": False,
        }
        known = {"grant_id": request.grant_id, "accessor": session.accessor, "ended": False}
        # Only a lease comes to a session that is known already.
        leases = {"lease_ids": row["lease_ids"]}
        if not session.lease_ids or not self._store.change(tables.sessions, known, leases):
            self._store.add(tables.sessions, row)
        if request.grant_id not in self._held:
            self._holders.opened(request.grant_id, request.subject)

    def end(self, *grant_ids: str, seconds: float | None = None) -> bool:
        """End every session of these grants, at the same time; say whether all are verified gone.

        Args:
            grant_ids: Grants that are over.
            seconds: What is not verified by then is pending, and tried again; ``CALL_SECONDS`` if not given.
        """
        if not grant_ids:
            return True
        where = {"grant_id": list(grant_ids), "ended": False}
        return self._end(self._store.rows(tables.sessions, where), seconds)

    @contextmanager
    def held(self, name: str) -> Iterator[None]:
        """Keep what is issued under a name that is no grant while the block lasts, and end it after."""
        self._held.add(name)
        try:
            yield
        finally:
            self._held.discard(name)
            self.end(name)

    def retry(self) -> bool:
        """Try once more what could not be ended; say whether nothing is left."""
        return self._end(self._of_ended_grants(), again=True)

    def pending(self) -> int:
        """Count the sessions of ended grants that are not verified gone."""
        return len(self._of_ended_grants())

    def _of_ended_grants(self) -> list[Row]:
        every = self._store.rows(tables.sessions, {"ended": False})
        rows = [row for row in every if row["grant_id"] not in self._held]
        known = self._store.rows(tables.grants, {"id": sorted({row["grant_id"] for row in rows})})
        still_open = {grant["id"] for grant in known if grant["state"] in OPEN_STATES}
        return [row for row in rows if row["grant_id"] not in still_open]

    def _end_if_over(self, grant_id: str) -> None:
        if grant_id in self._held:
            return
        grant = self._store.one(tables.grants, {"id": grant_id})
        if grant is None or grant["state"] not in OPEN_STATES:
            self.end(grant_id)

    def _end(self, rows: list[Row], seconds: float | None = None, *, again: bool = False) -> bool:
        calls = [(row, self._revocation(row)) for row in rows]
        deadline = time.monotonic() + (CALL_SECONDS if seconds is None else seconds)
        gone: list[Row] = []
        all_gone = True
        for row, call in calls:
            if gone and not call.done():  # what is gone is noted before anything else is waited for
                all_gone = self._note_ends(gone) and all_gone
                gone = []
            if _verified(call, deadline):
                gone.append(row)
                continue
            all_gone = False
            if not again:
                self._audit.record_ending("credential.revocation_pending", grant=row["grant_id"])
        return self._note_ends(gone) and all_gone

    def _note_ends(self, rows: list[Row]) -> bool:
        if not rows:
            return True
        try:
            self._store.change(tables.sessions, {"id": [row["id"] for row in rows]}, {"ended": True})
        except QsecError as error:
            _log.warning("the end of a session could not be noted yet (%s)", error.code)
            return False
        self._holders.ended(row["grant_id"] for row in rows)
        self._audit.record_endings([("credential.revoked", {"grant": row["grant_id"]}) for row in rows])
        return True

    def _revocation(self, row: Row) -> Future[bool]:
        session = SessionRef(row["accessor"], tuple(row["lease_ids"]), moment(row["expires_at"]))
        return self._enders.submit(self._broker.revoke, session)

    def close(self) -> None:
        """Let the workers go; a call that hangs is not waited for."""
        self._workers.shutdown(wait=False, cancel_futures=True)
        self._enders.shutdown(wait=False, cancel_futures=True)


def _verified(call: Future[bool], deadline: float) -> bool:
    try:
        return call.result(max(0.0, deadline - time.monotonic()))
    except Exception as error:  # noqa: BLE001  # whatever one session does, the others must end, too
        _log.warning("a session could not be ended yet (%s)", type(error).__name__)
        return False
