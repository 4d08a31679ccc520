"""What ends with a grant at its provider: queued jobs and sessions, as the envelope says.

What is to be done is noted in the transaction that ends the grant, so a provider that is away, or a crash,
only delays it. It is done when the provider confirms it; until then it shows as pending.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager

from ....core.errors import QsecError
from ....core.model import Grant
from ...audit import Audit
from ...policy.live import LivePolicy
from ...store import Change, Row
from ..envelope import Envelope
from .account import OVER, Account, OpenAccount, RemoteState
from .book import JobBook
from .jobs import Jobs
from .rounds import Rounds
from .sessions import ProviderSessions

AT_ONCE = 16
"""How many calls are made at a provider at the same time; one that is far away takes its time for each."""

VERIFY_SECONDS = 1.5
"""How long is waited for a provider to say that a job is cancelled; then it is pending."""

STOP_SECONDS = 5.0
"""How long somebody who stops a job waits to be told that it is; it is tried on after."""

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
        self._rounds = Rounds("ending", open_account, self._end, at_once=4)
        self._lock = threading.Lock()
        self._taken: set[str] = set()
        self._said: set[str] = set()

    def noted(self, grant: Grant, why: str) -> list[Change]:
        """Return what is to be noted when a grant ends. What follows a grant does not end it again."""
        if grant.parent is not None or grant.extends is not None:
            return []
        wish = self._policy.catalogue.envelopes.get(grant.target, Envelope()).on_end[why]
        jobs, sessions = self._book.cancelling(grant.id), self._sessions.closing(grant.id)
        return {"cancel": [jobs, sessions], "close": [sessions], "leave": []}[wish]

    def ended(self, grant: Grant) -> None:
        """Begin to end what hung on a grant; returns at once."""
        if names := self._left().get(grant.target):
            self._rounds.begin(grant.target, names)

    def stop(self, row: Row) -> None:
        """Cancel one job, also while it runs; what is not confirmed at once is pending."""
        self._book.stopping(row["correlation_id"])
        wait([self._rounds.begin(row["target"], {row["correlation_id"]})], STOP_SECONDS)

    def retry(self, seconds: float) -> bool:
        """Try once more what could not be ended, so long at most; say whether nothing is left."""
        self._rounds.again(self._left(), seconds)
        left = self._left()
        for target in left:
            self._say_pending(target)
        return not left

    def pending(self) -> int:
        """Count jobs and sessions of ended grants that are not verified over."""
        return sum(map(len, self._left().values()))

    def close(self) -> None:
        """Let the workers go; what they have not done is done by the next control plane."""
        self._rounds.close()

    def wait(self, seconds: float) -> bool:
        """Wait until nothing is pending, at most so long; say whether that is so."""
        until = time.monotonic() + seconds
        while self.pending() and time.monotonic() < until:
            time.sleep(0.05)
        return not self.pending()

    def _jobs_pending(self) -> list[Row]:
        rows = self._book.rows({"ending": ["cancel", "stop"]})
        return [row for row in rows if row["job_id"] is not None]

    def _left(self) -> dict[str, set[str]]:
        """Return the names of what is to be ended, by target."""
        found: dict[str, set[str]] = {}
        for row in (*self._jobs_pending(), *self._sessions.pending()):
            found.setdefault(row["target"], set()).add(_name(row))
        return found

    @contextmanager
    def _taking(self, target: str) -> Iterator[tuple[list[Row], list[Row]]]:
        """Take up a target's jobs and sessions that no other round has taken up, while the block lasts."""
        with self._lock:
            every = (self._jobs_pending(), self._sessions.pending())
            jobs, sessions = ([row for row in rows if self._is_free(row, target)] for rows in every)
            mine = {_name(row) for row in (*jobs, *sessions)}
            self._taken |= mine
        try:
            yield jobs, sessions
        finally:
            with self._lock:
                self._taken -= mine

    def _is_free(self, row: Row, target: str) -> bool:
        return row["target"] == target and _name(row) not in self._taken

    def _end(self, target: str, account: Account) -> None:
        with self._taking(target) as (jobs, sessions), ThreadPoolExecutor(AT_ONCE, "qsec-end") as pool:
            closing = [pool.submit(self._tried, self._close, account, row) for row in sessions]
            asked = pool.map(lambda row: self._tried(self._cancel, account, row), jobs)
            waiting = [row for row, over in zip(jobs, asked, strict=True) if not over]
            self._verify(pool, account, waiting)
            wait(closing)
        self._say_pending(target)

    def _tried(self, call: Callable[[Account, Row], bool], account: Account, row: Row) -> bool:
        """Say what a call says; one that fails keeps nothing else from ending, and is tried again."""
        try:
            return call(account, row)
        except QsecError as error:
            _log.warning("what hung on a grant could not be ended yet (%s)", error.code)
            return False

    def _close(self, account: Account, row: Row) -> bool:
        closed = account.close_session(row["session_id"])
        if closed:
            self._sessions.closed(row["session_id"])
        return closed

    def _cancel(self, account: Account, row: Row) -> bool:
        """Have a job cancelled; say whether there is nothing to wait for."""
        if self._is_over(account, row):
            return True
        account.cancel(row["job_id"])
        return False

    def _verify(self, pool: ThreadPoolExecutor, account: Account, rows: list[Row]) -> None:
        """Ask what became of jobs until each is over, or runs already: only what waits is cancelled."""
        until = time.monotonic() + VERIFY_SECONDS
        while rows:
            seen = pool.map(lambda row: self._tried(self._is_over, account, row), rows)
            rows = [row for row, over in zip(rows, seen, strict=True) if not over]
            if rows and time.monotonic() > until:
                return
            time.sleep(0.1 if rows else 0)

    def _is_over(self, account: Account, row: Row) -> bool:
        remote = account.job(row["job_id"])
        if remote is not None and remote.state in _ENDABLE[row["ending"]]:
            return False
        if remote is not None and remote.state in OVER:
            self._jobs.done(remote.id, remote.usage_seconds, cancelled=remote.state == "cancelled")
        self._book.ended(row["correlation_id"], row["ending"])
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


def _name(row: Row) -> str:
    return str(row.get("correlation_id") or row["session_id"])
