"""What ends with a grant at its provider: queued jobs and sessions, as the envelope says.

What is to be done is in the database before anything is tried, so a provider that is away, or a crash, only
delays it. It is done when the provider confirms it; until then it shows as pending.
"""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from ....core.errors import QsecError
from ....core.model import Grant
from ...audit import Audit
from ...policy.live import LivePolicy
from ...store import Row
from ..envelope import Envelope
from .account import OVER, Account, OpenAccount, RemoteState
from .book import OPEN, JobBook
from .jobs import Jobs
from .sessions import ProviderSessions

VERIFY_SECONDS = 1.5
"""How long is waited for a provider to say that a job is cancelled; then it is pending."""

_ENDABLE: dict[str, frozenset[RemoteState]] = {
    "cancel": frozenset({"queued"}),
    "stop": frozenset({"queued", "running"}),
}
"""What is to be done to a job, and in which states it is."""

_log = logging.getLogger("qsec.gateway")


class Endings:
    """Ends at the provider what hung on a grant. Thread-safe.

    Args:
        jobs: Told what ended.
        book: Knows jobs.
        sessions: Knows sessions.
        open_account: Opens the account behind a target.
    """

    def __init__(
        self,
        *,
        jobs: Jobs,
        book: JobBook,
        sessions: ProviderSessions,
        policy: LivePolicy,
        audit: Audit,
        open_account: OpenAccount,
    ) -> None:
        self._jobs = jobs
        self._book = book
        self._sessions = sessions
        self._policy = policy
        self._audit = audit
        self._open = open_account
        self._workers = ThreadPoolExecutor(4, thread_name_prefix="qsec-ending")
        self._lock = threading.Lock()
        self._busy: dict[str, threading.Lock] = {}
        self._said: set[str] = set()
        self._owed: list[tuple[str, bool]] = []

    def ended(self, grant: Grant, why: str) -> None:
        """Begin to end what hung on a grant; returns at once. What follows it does not end it again."""
        if grant.parent is not None or grant.extends is not None:
            return
        wish = self._policy.catalogue.envelopes.get(grant.target, Envelope()).on_end[why]
        if wish == "leave":
            return
        with self._lock:
            self._owed.append((grant.id, wish == "cancel"))
        if self._mark():
            self._workers.submit(self._safely, grant.target)

    def stop(self, row: Row) -> None:
        """Cancel one job, also while it runs; what is not confirmed at once is pending."""
        self._book.end_of([row["correlation_id"]], "stop")
        self._safely(row["target"])

    def _mark(self) -> bool:
        """Write down what is to be done; say whether there was anything. A full disk is tried again later."""
        found = False
        with self._lock:
            while self._owed:
                grant_id, cancel = self._owed[0]
                try:
                    found = self._mark_one(grant_id, cancel=cancel) or found
                except QsecError as error:
                    _log.warning("what is to be ended could not be written down yet (%s)", error.code)
                    break
                self._owed.pop(0)
        return found

    def _mark_one(self, grant_id: str, *, cancel: bool) -> bool:
        open_jobs = self._book.rows({"grant_id": grant_id, "state": sorted(OPEN)}) if cancel else []
        sessions = [row["session_id"] for row in self._sessions.open_of(grant_id)]
        if open_jobs:
            self._book.end_of([row["correlation_id"] for row in open_jobs], "cancel")
        if sessions:
            self._sessions.end_of(sessions, "close")
        return bool(open_jobs or sessions)

    def retry(self) -> bool:
        """Try once more what could not be ended; say whether nothing is left."""
        self._mark()
        for target in sorted({row["target"] for row in (*self._jobs_pending(), *self._sessions.pending())}):
            self._safely(target)
        return not self.pending()

    def pending(self) -> int:
        """Count jobs and sessions of ended grants that are not verified over."""
        return len(self._jobs_pending()) + len(self._sessions.pending())

    def close(self) -> None:
        """Let the workers go; what they have not done is done by the next control plane."""
        self._workers.shutdown(wait=False, cancel_futures=True)

    def wait(self, seconds: float) -> bool:
        """Wait until nothing is pending, at most so long; say whether that is so."""
        until = time.monotonic() + seconds
        while self.pending() and time.monotonic() < until:
            time.sleep(0.05)
        return not self.pending()

    def _jobs_pending(self) -> list[Row]:
        rows = self._book.rows({"ending": ["cancel", "stop"]})
        return [row for row in rows if row["job_id"] is not None]

    def _safely(self, target: str) -> None:
        with self._lock:
            busy = self._busy.setdefault(target, threading.Lock())
        with busy:
            try:
                self._end(target)
            except QsecError as error:
                _log.warning("what hung on a grant could not be ended yet (%s)", error.code)
                self._say_pending(target)
            except Exception as error:  # noqa: BLE001  # a timer tries again; this must not end it
                _log.error("ending what hung on a grant failed with %s", type(error).__name__)

    def _end(self, target: str) -> None:
        sessions = [row for row in self._sessions.pending() if row["target"] == target]
        jobs = [row for row in self._jobs_pending() if row["target"] == target]
        if not sessions and not jobs:
            return
        with self._open(target) as account:
            for row in jobs:
                self._cancel(account, row)
            for row in sessions:
                if account.close_session(row["session_id"]):
                    self._sessions.closed(row["session_id"])
            self._verify(account, jobs)
        self._say_pending(target)

    def _cancel(self, account: Account, row: Row) -> None:
        remote = account.job(row["job_id"])
        if remote is not None and remote.state in _ENDABLE[row["ending"]]:
            account.cancel(row["job_id"])

    def _verify(self, account: Account, rows: list[Row]) -> None:
        """Ask what became of jobs until each is over, or runs already: only what waits is cancelled."""
        until = time.monotonic() + VERIFY_SECONDS
        while rows:
            rows = [row for row in rows if not self._is_over(account, row)]
            if rows and time.monotonic() > until:
                return
            time.sleep(0.1 if rows else 0)

    def _is_over(self, account: Account, row: Row) -> bool:
        remote = account.job(row["job_id"])
        if remote is not None and remote.state in _ENDABLE[row["ending"]]:
            return False
        if remote is not None and remote.state in OVER:
            self._jobs.done(remote.id, remote.usage_seconds, cancelled=remote.state == "cancelled")
        self._book.end_of([row["correlation_id"]], None)
        return True

    def _say_pending(self, target: str) -> None:
        for row in self._jobs_pending():
            if row["target"] == target:
                self._say("job.cancel_pending", row["correlation_id"], row, job=row["job_id"])
        for row in self._sessions.pending():
            if row["target"] == target:
                self._say("job.session_close_pending", row["session_id"], row, session=row["session_id"])

    def _say(self, event: str, once: str, row: Row, **data: str) -> None:
        if once not in self._said:
            self._said.add(once)
            self._audit.record_ending(event, None, grant=row["grant_id"], target=row["target"], **data)
