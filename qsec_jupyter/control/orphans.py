"""Ends what is left in a journal whose control plane and server were both killed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from ..core.errors import QsecError
from ..core.signing import Signer
from ..ledger.evidence import StatementStore
from ..ledger.keys import KeyArchive
from ..ledger.log import Ledger
from .audit import Audit
from .book import Book
from .changes import Changes
from .credentials.broker import Broker
from .ending import Ending
from .evidence import Artefacts
from .gateway.gateway import accounts_of
from .gateway.jobs.office import JobOffice
from .journal import orphans
from .judge import Judge
from .locks import Locks
from .lookup import Lookup
from .people import People
from .policy.live import LivePolicy
from .retrieval import Retrieval
from .series import AllSeries
from .sessions import Sessions
from .signing import Signing
from .store import Store, open_engine
from .timetable import Timetable

_log = logging.getLogger("qsec.orphans")

ORPHANS_AFTER, ORPHANS_EVERY = 5.0, 60.0

PROVIDER_SECONDS = 30.0
"""How long a journal is held for its providers; what is left is tried again with the next round."""


class Orphans:
    """Looks for journals that nobody will come back to, and ends the grants and sessions in them."""

    def __init__(
        self,
        home: Path,
        broker: Broker,
        signing: Signing,
        policy: LivePolicy,
        clock: Callable[[], datetime],
    ) -> None:
        self._home = home
        self._broker = broker
        self._signing = signing
        self._policy = policy
        self._clock = clock

    def end(self) -> None:
        """End what can be ended now. A journal in which something is left is found again the next time."""
        for journal in orphans(self._home):
            done = False
            try:
                done = self._end(journal.path)
            except QsecError as error:
                _log.warning("%s could not be ended: %s", journal.path.name, error.code)
            except (SQLAlchemyError, OSError) as error:
                _log.warning("%s could not be read: %s", journal.path.name, type(error).__name__)
            finally:
                journal.release(in_order=done)

    def _end(self, folder: Path) -> bool:
        if not (folder / "qsec.db").exists():
            return True  # it never got as far as a grant
        with ExitStack() as stack:
            store = Store(open_engine(folder / "qsec.db"))
            stack.callback(store.close)
            ledger = Ledger.open(folder / "ledger", self._clock)
            stack.callback(ledger.close)
            audit = Audit(ledger, store, lambda: self._policy.digest)
            sessions = Sessions(store, audit, self._broker)
            stack.callback(sessions.close)
            StatementStore(folder / "statements").account(ledger)
            ending, office = self._parts(folder, store, ledger, audit, sessions)
            office.open()
            ending.reconcile(None)
            done = sessions.retry() & office.settle(PROVIDER_SECONDS) & audit.settle()
            office.close(0.0)
            self._signing.run(lambda signer, _: self._checkpoint(folder, ledger, signer))
            return done

    def _parts(
        self, folder: Path, store: Store, ledger: Ledger, audit: Audit, sessions: Sessions
    ) -> tuple[Ending, JobOffice]:
        """Return what ends the grants of a journal, and what ends at providers what hung on them."""
        changes, clock, policy = Changes(), self._clock, self._policy
        book, timetable = Book(store, audit, changes, clock), Timetable(policy)
        people = People(store)
        locks, series = Locks(store, audit, people, changes, clock), AllSeries(store, audit, clock)
        judge = Judge(
            policy=policy,
            locks=locks,
            series=series,
            people=people,
            audit=audit,
            single_user=False,
        )
        lookup = Lookup(book=book, judge=judge, timetable=timetable, clock=clock)
        ending = Ending(
            book=book,
            audit=audit,
            judge=judge,
            timetable=timetable,
            sessions=sessions,
            locks=locks,
            clock=clock,
        )
        office = JobOffice(
            home=self._home,
            store=store,
            audit=audit,
            ledger=ledger,
            keys=Artefacts(folder / "evidence", self._broker, (self._broker, audit, clock)).data_keys,
            changes=changes,
            grants=book,
            judge=judge,
            policy=policy,
            locks=locks,
            retrieval=Retrieval(book=book, lookup=lookup, policy=policy, clock=clock),
            sessions=sessions,
            speak=accounts_of(policy),
            server_id=folder.name,
            clock=clock,
        )
        return ending, office

    def _checkpoint(self, folder: Path, ledger: Ledger, signer: Signer) -> None:
        KeyArchive(folder / "keys").add(signer, self._clock())
        ledger.checkpoint(signer)
