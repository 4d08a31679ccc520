"""Puts the parts of a control plane together, starts them, sets their times, and ends them in order."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ..core.model import Principal
from ..core.paths import enforce_marker
from ..ledger.evidence import StatementStore
from ..ledger.keys import KeyArchive
from ..ledger.log import Ledger
from . import journal
from .access import Access
from .audit import Audit
from .book import Book
from .callers import Caller, Callers
from .catalog import Catalogue
from .changes import Changes
from .checkpoints import CHECKPOINT_SECONDS, Checkpoints
from .credentials.broker import Broker, Issued
from .ending import Ending
from .events import EVENTS_SECONDS, Events
from .evidence import Artefacts, Evidence, Runs
from .findings import Findings
from .gateway.gateway import Gateway, accounts_of
from .gateway.jobs import Jobs
from .gateway.jobs.office import POLLS_SECONDS, RESERVATIONS_SECONDS, SETTLE_SECONDS, JobOffice
from .gateway.kept_passes import KeptPasses
from .gateway.model import Pass
from .health import HEALTH_SECONDS, Health
from .identity.admission import Admission
from .identity.replay import UsedAssertions
from .identity.tokens import TOKEN_SECONDS, Tokens
from .issuing import KEEP_SECONDS, Issuing
from .judge import Judge
from .locks import Locks
from .lookup import Lookup
from .notifications.notices import NOTICES_SECONDS, Notices
from .orphans import ORPHANS_AFTER, ORPHANS_EVERY, Orphans
from .panel import Panel
from .people import People
from .permits import Permits
from .policy.live import POLICY_SECONDS, LivePolicy
from .retrieval import Retrieval
from .series import AllSeries
from .sessions import Sessions
from .shares import Shares
from .signing import Signing
from .store import Store, open_engine
from .timers import Timers
from .timetable import Timetable
from .upkeep import Upkeep

END_SECONDS = 2.0
"""How long the end of this process waits for providers to cancel and close; the rest is durable (seconds)."""


def now() -> datetime:
    """Return the time in UTC."""
    return datetime.now(timezone.utc)


class ControlPlane:
    """One journal, one store of credentials, one Jupyter Server.

    Args:
        home: The state folder.
        broker: The opened store of credentials.
        policy: Decides, and holds the catalogue of targets.
        principal: The owner of the server; roles are what policy reads.
        server_id: The same for every control plane of one Jupyter Server.
        single_user: Whether one person owns this installation.
        server_pid: That server's process; while it lives, its journal is nobody else's.
        clock: Gives the time; tests replace it.
    """

    def __init__(
        self,
        home: Path,
        broker: Broker,
        policy: LivePolicy,
        principal: Principal,
        server_id: str,
        clock: Callable[[], datetime] = now,
        server_pid: int = 0,
        single_user: bool = True,
    ) -> None:
        self.principal = principal
        self.owner = Caller(principal, server_id)
        self.policy = policy
        self.broker = broker
        self.changes = Changes()
        self._home = home
        self._journal = journal.take(home, server_id, server_pid)
        folder = self._journal.path
        self.store = Store(open_engine(folder / "qsec.db"))
        self.people = People(self.store)
        self.people.seen(principal, alone=single_user)
        self.callers = Callers(self.people)
        self._ledger = Ledger.open(folder / "ledger", clock)
        self._keys = KeyArchive(folder / "keys")
        self.audit = Audit(self._ledger, self.store, lambda: policy.digest)
        self.sessions = Sessions(self.store, self.audit, broker, lambda: policy.catalogue.caps)
        self.signing = Signing(broker)
        self._clock = clock
        self.events = Events(self.store, self._ledger, self.changes, policy)
        self.locks = Locks(self.store, self.audit, self.people, self.changes, clock)
        self.series = AllSeries(self.store, self.audit, clock)
        self.judge = judge = Judge(
            policy=policy,
            locks=self.locks,
            series=self.series,
            people=self.people,
            audit=self.audit,
            single_user=single_user,
        )
        book = Book(self.store, self.audit, self.changes, clock)
        timetable = Timetable(policy)
        self.lookup = Lookup(book=book, judge=judge, timetable=timetable, clock=clock)
        self.ending = Ending(
            book=book,
            audit=self.audit,
            judge=judge,
            timetable=timetable,
            sessions=self.sessions,
            locks=self.locks,
            clock=clock,
        )
        self.access = Access(
            book=book,
            audit=self.audit,
            judge=judge,
            policy=policy,
            timetable=timetable,
            sessions=self.sessions,
            ending=self.ending,
            series=self.series,
            clock=clock,
        )
        self.retrieval = Retrieval(book=book, lookup=self.lookup, policy=policy, clock=clock)
        self.findings = Findings(self.store, self.audit, self.changes, principal, clock)
        self.shares = Shares(self.audit, principal)
        statements = StatementStore(folder / "statements")
        self.artefacts = Artefacts(folder / "evidence", broker, (broker, self.audit, clock))
        self.runs = Runs(self.store, statements, self._keys, self._ledger.journal, self.artefacts)
        self.evidence = Evidence(
            statements=statements,
            artefacts=self.artefacts,
            runs=self.runs,
            ledger=self._ledger,
            keys=self._keys,
            store=self.store,
            audit=self.audit,
            lookup=self.lookup,
            retrieval=self.retrieval,
            signing=self.signing,
            changes=self.changes,
            targets_of=self._targets_of,
            principal=principal,
            policy=lambda: policy.digest,
            server_id=server_id,
            clock=clock,
        )
        self.notices = Notices(
            home=home,
            journal=self._ledger.journal,
            store=self.store,
            events=self.events,
            audit=self.audit,
            policy=policy,
            clock=clock,
        )
        self.upkeep = Upkeep(
            ending=self.ending,
            store=self.store,
            audit=self.audit,
            judge=judge,
            policy=policy,
            broker=broker,
            people=self.people,
        )
        self.permits = Permits(
            lookup=self.lookup,
            policy=policy,
            judge=judge,
            audit=self.audit,
            locks=self.locks,
        )
        self.office = JobOffice(
            home=home,
            store=self.store,
            audit=self.audit,
            ledger=self._ledger,
            keys=self.artefacts.data_keys,
            changes=self.changes,
            grants=book,
            judge=judge,
            policy=policy,
            locks=self.locks,
            retrieval=self.retrieval,
            sessions=self.sessions,
            speak=accounts_of(policy),
            server_id=server_id,
            clock=clock,
        )
        timetable.keep_to(self.office.reservations)
        self.gateway = Gateway(
            issue=self._behind,
            jobs=self.jobs,
            book=book,
            judge=judge,
            kept=KeptPasses(self.store, book, self.people),
            policy=policy,
            audit=self.audit,
            changes=self.changes.rights,
            on_leave=self.ending.on_leave,
            clock=clock,
        )
        self.issuing = Issuing(
            gateway=self.gateway,
            access=self.access,
            book=book,
            store=self.store,
            audit=self.audit,
            judge=judge,
            policy=policy,
            sessions=self.sessions,
            people=self.people,
        )
        self.orphans = Orphans(home, broker, self.signing, policy, clock)
        self.tokens = Tokens(self.audit, self._end_token, clock)
        self.callers.ask(self.tokens.find)
        self.admission = Admission(
            policy=policy,
            tokens=self.tokens,
            audit=self.audit,
            used=UsedAssertions(home / "used-assertions"),
            server_id=server_id,
            clock=clock,
        )
        self._closed = False
        self.checkpoints = Checkpoints(
            ledger=self._ledger, keys=self._keys, signing=self.signing, clock=clock
        )
        self.health = Health(
            broker=broker,
            upkeep=self.upkeep,
            changes=self.changes,
            audit=self.audit,
            evidence=self.evidence,
            sessions=self.sessions,
            ledger=self._ledger,
            policy=policy,
            notices=self.notices,
            gateway=self.gateway,
            office=self.office,
        )
        self.panel = Panel(
            keeps_for=self.keeps_for,
            events=self.events,
            changes=self.changes,
            policy=policy,
            broker=broker,
            lookup=self.lookup,
            gateway=self.gateway,
            office=self.office,
            locks=self.locks,
            runs=self.runs,
            findings=self.findings,
            judge=judge,
            health=self.health,
        )
        self.timers = Timers(policy, self.changes.rights)

    @property
    def catalogue(self) -> Catalogue:
        """Targets, projects and data classes of the bundle in force."""
        return self.policy.catalogue

    @property
    def jobs(self) -> Jobs:
        """What the gateway asks about jobs."""
        return self.office.jobs

    def _behind(self, holder: Pass) -> Issued:
        return self.issuing.behind(holder)

    def _end_token(self, caller: Caller) -> None:
        if caller.kernel_id is not None:
            self.ending.kernel_ended(caller, caller.kernel_id)

    def person_changed(self, principal: Principal) -> list[str]:
        """Take note of somebody's new roles and groups, and end what they may not hold any more.

        Returns:
            The ids of the grants that ended.
        """
        if not self.people.seen(principal):
            return []
        ended = self.ending.reconsider(principal)
        self.changes.rights.bump()
        return ended

    def share(self, kernel: Caller, names: Iterable[str]) -> list[str]:
        """Take note of who is present at a kernel beside its owner; it gets the least of what they may.

        Returns:
            The ids of the grants that ended.
        """
        others = [name for name in names if name != kernel.principal.name]
        present = [person for name in others for person in self.persons(name)]
        ended = self.ending.share(kernel, present)
        self.changes.rights.bump()
        return ended

    def resume(self, kernels: Mapping[str, Iterable[str]]) -> None:
        """Go on where the last control plane of this server was killed.

        Args:
            kernels: Those that live, with the names of who is present at each.
        """
        self.timers.safely(lambda: self._resume(kernels))

    def _resume(self, kernels: Mapping[str, Iterable[str]]) -> None:
        for kernel_id, names in kernels.items():
            self.share(self.owner.by(kernel_id), names)
        self.gateway.passes.resume(self.owner.server_id, kernels)

    def persons(self, name: str) -> list[Principal]:
        """Return who may have that name: everybody last seen with it, else as the catalogue says."""
        known = self.people.named(name)
        return known or [self.catalogue.named(Principal(name, name, "Jupyter Server"))]

    def _targets_of(self, backend: str) -> list[str]:
        return self.catalogue.runs.targets_of(backend)

    # -- life -------------------------------------------------------------------------------------

    def open(self) -> None:
        """Write the start to the ledger, and end what an earlier server left."""
        vault = self.broker.info.kind
        self.audit.record_ending("control.started", policy=self.policy.digest, vault=vault)
        self.audit.record_ending("server.connected", self.principal)
        self.timers.safely(self._tell_mode)
        self.timers.safely(self.evidence.account)
        self.timers.safely(self.office.open)
        self.ending.reconcile(self.owner.server_id)
        self._spare_a_hanging_store()
        self.checkpoints.make()

    def _tell_mode(self) -> None:
        """Leave the mark by which a kernel knows what to assume while no control plane answers."""
        marker = enforce_marker(self._home)
        if self.catalogue.runs.mode == "enforce":
            marker.touch(mode=0o600)
        else:
            marker.unlink(missing_ok=True)

    def start(self) -> None:
        """Start keeping time, on the running loop."""
        self.timers.when_due(self.access.keep_time)
        self.timers.every(CHECKPOINT_SECONDS, self.checkpoints.make_if_new)
        self.timers.retry(self._settle_once)
        self.timers.every(KEEP_SECONDS, self.issuing.keep_alive, after=KEEP_SECONDS)
        self.timers.every(POLICY_SECONDS, self.reload_policy)
        self.timers.every(TOKEN_SECONDS, self.tokens.expire)
        self.timers.every(EVENTS_SECONDS, self.events.settle)
        self.timers.every(NOTICES_SECONDS, self.notices.deliver)
        self.timers.every(HEALTH_SECONDS, self.health.look)
        self.timers.every(SETTLE_SECONDS, self.office.settle)
        self.timers.every(POLLS_SECONDS, self.office.count, after=POLLS_SECONDS)
        self.timers.every(RESERVATIONS_SECONDS, self._keep_reservations)
        self.timers.every(ORPHANS_EVERY, self.orphans.end, after=ORPHANS_AFTER)

    async def stop(self) -> None:
        """Stop keeping time, and close the gateway."""
        await self.gateway.stop()
        await self.timers.stop()

    def close(self) -> None:
        """Revoke everything, sign the end, and let go. A second call does nothing."""
        if self._closed:
            return
        self._closed = True
        self.ending.end_server(self.owner.server_id)
        self._spare_a_hanging_store()
        self.evidence.settle()
        self.office.close(END_SECONDS)
        in_order = not self.sessions.pending()
        self.audit.record_ending("control.stopped")
        self.timers.safely(self.events.settle)
        self.checkpoints.make()
        self.sessions.close()
        self._close_broker()
        self._ledger.close()
        self.store.close()
        self._journal.release(in_order=in_order)

    def _close_broker(self) -> None:
        """Close the store's client; one that hangs is left to the end of this process."""
        hanging = self.sessions.pending() > 0
        closing = threading.Thread(target=self.broker.close, name="qsec-close", daemon=True)
        closing.start()
        closing.join(1.0 if hanging else 8.0)

    def _spare_a_hanging_store(self) -> None:
        if self.sessions.pending():
            self.signing.rest()  # what did not end a session in time is not waited for again

    # -- keeping time -----------------------------------------------------------------------------

    def _settle_once(self) -> bool:
        self.evidence.settle()
        return self.access.settle() and self.audit.settle() and self.sessions.retry()

    def _keep_reservations(self) -> None:
        """Ask what is reserved, end what is active beyond it, and compare job lists when it is time."""
        self.office.reservations.refresh()
        self.ending.end_unreserved()
        self.office.reconcile_due()

    def reload_policy(self) -> None:
        """Take a changed bundle when it checks; say so, or why not, in ledger, log and health line."""
        if self.policy.reload(self._tell_policy):
            self._tell_mode()
            self.changes.rights.bump()

    def _tell_policy(self, event: str, data: dict[str, Any]) -> None:
        self.audit.record_ending(event, **data)

    def keeps_for(self, caller: Caller) -> bool:
        """Say whether this journal is the one of the caller's server, and not of somebody else there."""
        who, owner = caller.principal, self.owner
        owns = who.kind == "workload" or who.subject == owner.principal.subject
        return owns and caller.server_id == owner.server_id
