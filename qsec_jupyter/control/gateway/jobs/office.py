"""Everything about jobs at the gateway, put together, and what of it is done by the clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from ....core.errors import Conflict
from ....ledger.log import Ledger
from ...audit import Audit
from ...book import Book
from ...callers import Caller
from ...changes import Changes
from ...evidence.data_keys import DataKeys
from ...judge import Judge
from ...locks import Locks
from ...policy.live import LivePolicy
from ...retrieval import Retrieval
from ...sessions import Sessions
from ...store import Row, Store
from .accounts import Accounts, Speak
from .book import JobBook
from .endings import Endings
from .jobs import Jobs
from .limits import Limits
from .listing import JobListing
from .quotas import Quotas
from .reconciliation import Reconciliation
from .reservations import Reservations
from .sessions import ProviderSessions
from .settling import Settling

SETTLE_SECONDS = 1.0
"""How often is looked what is of unknown outcome, and what is still to be ended."""
POLLS_SECONDS = 60.0
RESERVATIONS_SECONDS = 60.0
WAIT_SECONDS = 2.0
"""How long is waited for that; a provider that takes longer holds nothing else up."""


class JobOffice:
    """The parts, wired.

    Attributes:
        jobs: What the gateway asks.
        listing: What panel and command line ask.
        endings: Ends at the provider what hung on a grant.
        reservations: When reserved targets are open.
        reconciliation: Compares with the provider's own list.
    """

    def __init__(
        self,
        *,
        home: Path,
        store: Store,
        audit: Audit,
        ledger: Ledger,
        keys: DataKeys,
        changes: Changes,
        grants: Book,
        judge: Judge,
        policy: LivePolicy,
        locks: Locks,
        retrieval: Retrieval,
        sessions: Sessions,
        speak: Speak,
        server_id: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._policy = policy
        self._audit = audit
        self._clock = clock
        self._quotas = Quotas(home / "quotas.db", ledger.journal)
        accounts = Accounts(sessions, speak, server_id, clock)
        self.reservations = Reservations(policy, changes, accounts.open, clock)
        book = JobBook(store=store, audit=audit, ledger=ledger, keys=keys, changes=changes, clock=clock)
        at_provider = ProviderSessions(store, audit, clock)
        self.jobs = Jobs(
            book=book,
            grants=grants,
            sessions=at_provider,
            quotas=self._quotas,
            reservations=self.reservations,
            judge=judge,
            policy=policy,
            locks=locks,
            audit=audit,
            retrieval=retrieval,
            clock=clock,
        )
        self.listing = JobListing(book, store, policy)
        self.limits = Limits(policy, self._quotas, clock)
        self.settling = Settling(self.jobs, book, accounts.open, clock)
        self.endings = Endings(
            jobs=self.jobs,
            book=book,
            sessions=at_provider,
            policy=policy,
            audit=audit,
            open_account=accounts.open,
        )
        self.reconciliation = Reconciliation(
            home=home, ledger=ledger, jobs=self.jobs, audit=audit, open_account=accounts.open, clock=clock
        )
        grants.on_end(self.endings)
        self._grants = grants
        self._reconciled: dict[str, datetime] = {}

    def open(self) -> None:
        """Read the books."""
        self._grants.catch_up()
        self.jobs.open()

    def cancel(self, caller: Caller, name: str) -> Row:
        """Have a job of the caller's own cancelled, also while it runs; it is pending until confirmed.

        Raises:
            NotFound: ``job.unknown``.
            Conflict: ``job.not_open`` for one that no provider has, or that is over.
        """
        row = self.listing.own(caller, name)
        if row["state"] != "accepted":
            raise Conflict("job.not_open", "That job cannot be cancelled", f"It is {row['state']}.")
        about = {"correlation": row["correlation_id"], "grant": row["grant_id"], "target": row["target"]}
        self._audit.record("job.changed", caller.principal, **about, job=row["job_id"], operation="cancel")
        self.endings.stop(row)
        return self.listing.get(caller, row["correlation_id"])

    def settle(self, seconds: float = WAIT_SECONDS) -> bool:
        """Look up and end what is open, for so long each at most; say whether nothing is left."""
        settled = self.settling.settle(seconds)
        return self.endings.retry(seconds) and settled

    def reconcile_due(self) -> None:
        """Compare the targets whose catalogue says how often, when it is time."""
        now = self._clock()
        for name, target in list(self._policy.catalogue.targets.items()):
            last = self._reconciled.setdefault(name, now)
            if target.reconcile and last + timedelta(seconds=target.reconcile) <= now:
                self._reconciled[name] = now
                self.reconciliation.run(name)

    def count(self) -> None:
        """Write down how often jobs were looked at."""
        self.jobs.settle()

    def checks(self) -> list[tuple[str, bool, str, str]]:
        """Return what is to be said of jobs in the health line: name, whether well, detail, remedy."""
        ending, open_ = self.endings.pending(), self.settling.pending()
        return [
            (
                "endings",
                not ending,
                f"{ending} jobs or sessions of ended grants are not verified over at their provider"
                if ending
                else "nothing is to be ended at a provider",
                "They are tried again by themselves; see that the provider can be reached.",
            ),
            (
                "outcomes",
                not open_,
                f"of {open_} jobs is not known whether their provider took them"
                if open_
                else "the outcome of every job is known",
                "They are looked up by themselves; see that the provider can be reached.",
            ),
        ]

    def close(self, seconds: float) -> None:
        """End what can be ended in time; the rest is durable."""
        self.endings.wait(seconds)
        self.endings.close()
        self.settling.close()
        self.jobs.settle()
        self._quotas.close()
