"""Jobs of unknown outcome: looked up at their provider by their tag, until the ledger can tell the truth."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from ....core.errors import QsecError
from ....core.model import moment
from ...store import Row
from .account import Account, OpenAccount
from .book import JobBook
from .jobs import Jobs

ABSENT_AFTER = timedelta(seconds=60)
"""How long after it was sent a job may still appear at its provider; not there then, it is *lost*."""

ABANDONED_AFTER = timedelta(minutes=10)
"""A submission that is on its way for longer than this has lost its request."""

_log = logging.getLogger("qsec.gateway")


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
        self._open = open_account
        self._clock = clock
        self._begun = clock()

    def settle(self) -> bool:
        """Look up what is open now; say whether nothing is left."""
        due = [row for row in self._book.unsettled() if self._is_due(row)]
        for target in sorted({row["target"] for row in due}):
            self._settle_target(target, [row for row in due if row["target"] == target])
        return not self.pending()

    def pending(self) -> int:
        """Count the jobs of which is not known whether their provider took them."""
        return len(self.open())

    def open(self) -> frozenset[str]:
        """Return the correlation ids of those jobs."""
        return frozenset(row["correlation_id"] for row in self._book.unsettled() if self._is_due(row))

    def _is_due(self, row: Row) -> bool:
        if row["state"] == "unknown":
            return True
        begun = moment(row["sent_at"] or row["intended_at"])
        return begun < self._begun or begun + ABANDONED_AFTER < self._clock()

    def _settle_target(self, target: str, rows: list[Row]) -> None:
        for row in rows:
            if row["state"] == "intended":  # the ledger says "sent" before the first byte leaves
                self._jobs.settled(row["correlation_id"], None, why="not sent")
        rows = [row for row in rows if row["state"] != "intended"]
        if not rows:
            return
        try:
            with self._open(target) as account:
                for row in rows:
                    self._look_up(account, row)
        except QsecError as error:
            _log.warning("jobs of unknown outcome could not be looked up yet (%s)", error.code)

    def _look_up(self, account: Account, row: Row) -> None:
        asked = self._clock()
        found = account.find(row["details"]["tag"])
        if found:
            more = [job.id for job in found[1:]]
            self._jobs.settled(row["correlation_id"], found[0].id, more=more or None)
        elif moment(row["sent_at"] or row["intended_at"]) + ABSENT_AFTER < asked:
            waited = int(ABSENT_AFTER.total_seconds())
            self._jobs.settled(row["correlation_id"], None, why=f"not there after {waited} s")
