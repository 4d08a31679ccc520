"""Jobs of unknown outcome: looked up at their provider by their tag, until the ledger can tell the truth."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from ....core.model import moment
from ...store import Row
from .account import Account, OpenAccount
from .book import JobBook
from .jobs import Jobs
from .rounds import Rounds

ABSENT_AFTER = timedelta(seconds=60)
"""How long after it was sent a job may still appear at its provider; not there then, it is *lost*."""

ABANDONED_AFTER = timedelta(minutes=10)
"""A submission that is on its way for longer than this has lost its request."""


class Settling:
    """Resolves what a broken connection, a silent provider or a crash left open.

    Args:
        jobs: Told what was found out.
        book: Knows what is open.
        open_account: Opens the account behind a target.
    """

    def __init__(
        self, jobs: Jobs, book: JobBook, open_account: OpenAccount, clock: Callable[[], datetime]
    ) -> None:
        self._jobs = jobs
        self._book = book
        self._rounds = Rounds("settling", open_account, self._settle_target)
        self._clock = clock
        self._begun = clock()

    def settle(self, seconds: float) -> bool:
        """Look up what is open now, so long at most; say whether nothing is left."""
        for row in self._due():
            if row["state"] == "intended":  # the ledger says "sent" before the first byte leaves
                self._jobs.settled(row["correlation_id"], None, why="not sent")
        left: dict[str, set[str]] = {}
        for row in self._due():
            left.setdefault(row["target"], set()).add(row["correlation_id"])
        self._rounds.again(left, seconds)
        return not self.pending()

    def pending(self) -> int:
        """Count the jobs of which is not known whether their provider took them."""
        return len(self._due())

    def close(self) -> None:
        """Let the workers go; what they have not found out the next control plane does."""
        self._rounds.close()

    def _due(self) -> list[Row]:
        return [row for row in self._book.unsettled() if self._is_due(row)]

    def _is_due(self, row: Row) -> bool:
        if row["state"] == "unknown":
            return True
        begun = moment(row["sent_at"] or row["intended_at"])
        return begun < self._begun or begun + ABANDONED_AFTER < self._clock()

    def _settle_target(self, target: str, account: Account) -> None:
        for row in self._due():
            if row["target"] == target and row["state"] != "intended":
                self._look_up(account, row)

    def _look_up(self, account: Account, row: Row) -> None:
        asked = self._clock()
        found = account.find(row["details"]["tag"])
        if found:
            more = [job.id for job in found[1:]]
            self._jobs.settled(row["correlation_id"], found[0].id, more=more or None)
        elif moment(row["sent_at"] or row["intended_at"]) + ABSENT_AFTER < asked:
            waited = int(ABSENT_AFTER.total_seconds())
            self._jobs.settled(row["correlation_id"], None, why=f"not there after {waited} s")
