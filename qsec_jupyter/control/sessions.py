"""The sessions behind grants: remembered before anything is read, and ended until that is verified."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, TimeoutError as CallTimeout
from contextlib import contextmanager
from typing import TypeVar

from ..core.errors import Denied, QsecError, Unavailable
from ..core.model import OPEN_STATES, moment, rfc3339
from . import tables
from .audit import Audit
from .catalog import Caps
from .credentials.broker import Broker, Issued, IssueRequest, Operation, SessionRef
from .store import Row, Store

CALL_SECONDS = 10.0
"""How long a call to the store may take before its outcome counts as unknown."""

_log = logging.getLogger("qsec.sessions")
T = TypeVar("T")


class Sessions:
    """Calls the broker with a time limit, and knows what is still open there."""

    def __init__(self, store: Store, audit: Audit, broker: Broker, caps: Callable[[], Caps] = Caps) -> None:
        self._caps = caps
        self._store = store
        self._audit = audit
        self._broker = broker
        self._workers = ThreadPoolExecutor(8, thread_name_prefix="qsec-broker")
        self._held: set[str] = set()
        self._opening: Counter[str] = Counter()
        self._admitting = threading.Lock()
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
        return self._store.one(tables.sessions, {"grant_id": grant_id, "ended": False}) is not None

    def keep(self, request: IssueRequest) -> None:
        """Renew what a grant holds; a store that is away or slow is tried again the next time."""
        try:
            self._workers.submit(self._broker.keep, request).result(CALL_SECONDS)
        except CallTimeout:
            _log.warning("a session could not be renewed in time")
        except QsecError as error:
            _log.warning("a session could not be renewed (%s)", error.code)

    def _called(self, request: IssueRequest, call: Callable[[], T]) -> T:
        with (
            self._admitting
        ):  # however many ask at the same moment, each is counted before the next is looked at
            self._refuse_over_cap(request)
            self._opening[request.grant_id] += 1
        future = self._workers.submit(call)
        future.add_done_callback(lambda _: self._opened(request.grant_id))
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

    def _opened(self, grant_id: str) -> None:
        with self._admitting:
            self._opening -= Counter([grant_id])  # drops what is zero

    def _refuse_over_cap(self, request: IssueRequest) -> None:
        """Community editions of Vault and OpenBao have no lease quotas, so the count is kept here."""
        if request.grant_id in self._opening or self.is_open(request.grant_id):
            return
        rows = self._store.rows(tables.sessions, {"ended": False})
        holding = {row["grant_id"] for row in rows} | set(self._opening)
        grants = self._store.rows(tables.grants, {"id": sorted(holding)})
        asking = self._store.one(tables.grants, {"id": request.grant_id})
        whose = asking and asking["requester_subject"]
        mine = [grant for grant in grants if grant["requester_subject"] == whose]
        for count, most, who in (
            (len(mine), self._caps().leases_per_user, "You hold"),
            (len(grants), self._caps().leases, "This installation holds"),
        ):
            if count >= most:
                raise Denied(
                    "credential.cap",
                    "Too many credentials are open",
                    f"{who} {count} of at most {most}.",
                    "End a grant that is not needed any more: qsec.grants(), qsec.revoke(...).",
                )

    def _remember(self, request: IssueRequest, session: SessionRef) -> None:
        known = {"grant_id": request.grant_id, "accessor": session.accessor, "ended": False}
        if session.accessor is not None and self._store.one(tables.sessions, known) is not None:
            self._store.change(tables.sessions, known, {"lease_ids": list(session.lease_ids)})
            return
        row = {
            "grant_id": request.grant_id,
            "accessor": session.accessor,
            "lease_ids": list(session.lease_ids),
            "expires_at": rfc3339(session.expires_at),
            "ended": False,
        }
        self._store.add(tables.sessions, row)

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
