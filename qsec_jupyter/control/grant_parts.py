"""What the grants of one journal are kept, judged, found and ended by, with the jobs that hang on them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from ..ledger.log import Ledger
from .audit import Audit
from .book import Book
from .changes import Changes
from .ending import Ending
from .evidence.data_keys import DataKeys
from .gateway.gateway import accounts_of
from .gateway.jobs.office import JobOffice
from .judge import Judge
from .locks import Locks
from .lookup import Lookup
from .people import People
from .policy.live import LivePolicy
from .retrieval import Retrieval
from .series import AllSeries
from .sessions import Sessions
from .store import Store
from .timetable import Timetable


class GrantParts:
    """Serves a journal's own control plane, and whoever ends what a killed one has left.

    Args:
        single_user: Whether one person owns this installation.
        clock: Gives the time.
    """

    def __init__(
        self,
        *,
        store: Store,
        audit: Audit,
        sessions: Sessions,
        people: People,
        changes: Changes,
        policy: LivePolicy,
        single_user: bool,
        clock: Callable[[], datetime],
    ) -> None:
        self._store, self._audit, self._sessions = store, audit, sessions
        self._changes, self._policy, self._clock = changes, policy, clock
        self.locks = Locks(store, audit, people, changes, clock)
        self.series = AllSeries(store, audit, clock)
        self.judge = Judge(
            policy=policy,
            locks=self.locks,
            series=self.series,
            people=people,
            audit=audit,
            single_user=single_user,
        )
        self.book = Book(store, audit, changes, clock)
        self.timetable = Timetable(policy)
        self.lookup = Lookup(book=self.book, judge=self.judge, timetable=self.timetable, clock=clock)
        self.ending = Ending(
            book=self.book,
            audit=audit,
            judge=self.judge,
            timetable=self.timetable,
            sessions=sessions,
            locks=self.locks,
            clock=clock,
        )
        self.retrieval = Retrieval(book=self.book, lookup=self.lookup, policy=policy, clock=clock)

    def office(self, home: Path, ledger: Ledger, keys: DataKeys, server_id: str) -> JobOffice:
        """Return what knows, and ends, the jobs of these grants at their providers."""
        return JobOffice(
            home=home,
            store=self._store,
            audit=self._audit,
            ledger=ledger,
            keys=keys,
            changes=self._changes,
            grants=self.book,
            judge=self.judge,
            policy=self._policy,
            locks=self.locks,
            retrieval=self.retrieval,
            sessions=self._sessions,
            speak=accounts_of(self._policy),
            server_id=server_id,
            clock=self._clock,
        )
