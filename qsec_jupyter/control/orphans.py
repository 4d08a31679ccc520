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
from .changes import Changes
from .credentials.broker import Broker
from .evidence import Artefacts
from .grant_parts import GrantParts
from .journal import orphans
from .people import People
from .policy.live import LivePolicy
from .sessions import Sessions
from .signing import Signing
from .store import Store, open_engine

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
            grants = GrantParts(
                store=store,
                audit=audit,
                sessions=sessions,
                people=People(store),
                changes=Changes(),
                policy=self._policy,
                single_user=False,
                clock=self._clock,
            )
            keys = Artefacts(folder / "evidence", self._broker, (self._broker, audit, self._clock)).data_keys
            office = grants.office(self._home, ledger, keys, folder.name)
            office.open()
            grants.ending.reconcile(None)
            done = sessions.retry() & office.settle(PROVIDER_SECONDS) & audit.settle()
            office.close(0.0)
            self._signing.run(lambda signer, _: self._checkpoint(folder, ledger, signer))
            return done

    def _checkpoint(self, folder: Path, ledger: Ledger, signer: Signer) -> None:
        KeyArchive(folder / "keys").add(signer, self._clock())
        ledger.checkpoint(signer)
