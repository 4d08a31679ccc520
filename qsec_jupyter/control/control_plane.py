"""Puts the parts of a control plane together, starts them, keeps time for them, and ends them in order."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ..core.errors import Denied, QsecError
from ..core.model import Grant, Principal
from ..core.paths import enforce_marker
from ..core.secret import Secret
from ..core.signing import Signer
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
from .credentials.broker import Broker, Issued
from .events import Events
from .evidence import Artefacts, Evidence, Runs
from .findings import Findings
from .gateway.gateway import Gateway, accounts_of
from .gateway.jobs import Jobs
from .gateway.jobs.office import POLLS_SECONDS, RESERVATIONS_SECONDS, SETTLE_SECONDS, JobOffice
from .gateway.model import Pass
from .identity.keys import Keys
from .identity.replay import UsedAssertions
from .identity.tokens import Token, Tokens
from .identity.workloads import Verifier
from .issuing import Issuing
from .judge import Judge
from .locks import Locks
from .lookup import Lookup
from .notifications.notices import Notices
from .orphans import Orphans
from .people import People
from .permits import Permits
from .policy.live import LivePolicy
from .retrieval import Retrieval
from .series import AllSeries
from .sessions import Sessions
from .shares import Shares
from .signing import Signing
from .store import Store, open_engine
from .timetable import Timetable
from .upkeep import Upkeep

CHECKPOINT_SECONDS = 60.0
CHECKPOINT_EVENTS = 100
HEALTH_SECONDS = 15.0
NOTICES_SECONDS = 1.0
EVENTS_SECONDS = 0.5
"""How soon after it was written an entry of the ledger is indexed, and told to panels that wait."""
KEEP_SECONDS = 15.0
"""How often is looked which session or lease has two thirds of its life behind it (seconds)."""
TOKEN_SECONDS = 1.0
"""How often is looked which bearer of a tool is over; it lets nobody in from the very moment."""
POLICY_SECONDS = 1.0
"""How often the files of the policy bundle are looked at; they are taken once they stand still."""
END_SECONDS = 2.0
"""How long the end of this process waits for providers to cancel and close; the rest is durable (seconds)."""
ORPHANS_AFTER, ORPHANS_EVERY = 5.0, 60.0
RETRY_SECONDS = (2.0, 5.0, 15.0, 60.0)
LONGEST_SLEEP = 10.0
"""Timers stand still while a machine sleeps; this is how late an expiry is noticed afterwards (seconds)."""

_log = logging.getLogger("qsec.control")


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
        self.people.seen(principal)
        self.callers = Callers(self.people)
        self._ledger = Ledger.open(folder / "ledger", clock)
        self._keys = KeyArchive(folder / "keys")
        self.audit = Audit(self._ledger, self.store, lambda: policy.digest)
        self.sessions = Sessions(self.store, self.audit, broker, lambda: policy.catalogue.caps)
        self.signing = Signing(broker)
        self._clock = clock
        self.events = Events(self.store, self._ledger, self.changes, policy)
        self.locks = Locks(self.store, self.audit, self.changes, clock)
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
        self.access = Access(
            book=book,
            audit=self.audit,
            judge=judge,
            policy=policy,
            timetable=timetable,
            sessions=self.sessions,
            locks=self.locks,
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
            access=self.access,
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
            policy=policy,
            audit=self.audit,
            changes=self.changes,
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
        self._issuers, self._used = Keys(), UsedAssertions(home / "used-assertions")
        self.tokens = Tokens(self.audit, self._end_token, clock)
        self.callers.ask(self.tokens.find)
        self._closed = False
        self._checks: list[dict[str, Any]] = []
        self._checked_at = float("-inf")
        self._checkpointed = -1
        self._tasks: list[asyncio.Task[None]] = []

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

    def admit(self, assertion: str) -> tuple[Token, Secret]:
        """Return a bearer for a workload that proves who it is; a refusal is recorded.

        Raises:
            Denied: ``workload.*``.
        """
        try:
            verified = Verifier(self.catalogue.workloads, self._issuers, self._used, self._clock).verify(
                assertion
            )
        except Denied as error:
            self.audit.record("request.refused", None, rule=error.code, action="log_in")
            raise
        return self.tokens.admit(verified, self.owner.server_id)

    def _end_token(self, caller: Caller) -> None:
        if caller.kernel_id is not None:
            self.access.kernel_ended(caller, caller.kernel_id)

    def person_changed(self, principal: Principal) -> list[str]:
        """Take note of somebody's new roles and groups, and end what they may not hold any more.

        Returns:
            The ids of the grants that ended.
        """
        return self.access.reconsider(principal) if self.people.seen(principal) else []

    def person(self, name: str, groups: tuple[str, ...] = ()) -> Principal:
        """Return who has that name, as far as it is known: as last seen, else as the catalogue has them."""
        known = self.people.named(name)
        return known or self.catalogue.named(Principal(name, name, "Jupyter Server", groups=groups))

    def _targets_of(self, backend: str) -> list[str]:
        return self.policy.catalogue.runs.targets_of(backend)

    # -- life -------------------------------------------------------------------------------------

    def open(self) -> None:
        """Write the start to the ledger, and end what an earlier server left."""
        about = {"policy": self.policy.digest, "vault": self.broker.info.kind}
        self.audit.record_ending("control.started", **about)
        self.audit.record_ending("server.connected", self.principal.name)
        self._safely(self._tell_mode)
        self._safely(self.evidence.account)
        self._safely(self.office.open)
        self.access.reconcile(self.owner.server_id)
        self._spare_a_hanging_store()
        self.checkpoint()

    def _tell_mode(self) -> None:
        """Leave the mark by which a kernel knows what to assume while no control plane answers."""
        marker = enforce_marker(self._home)
        if self.catalogue.runs.mode == "enforce":
            marker.touch(mode=0o600)
        else:
            marker.unlink(missing_ok=True)

    def start(self) -> None:
        """Start keeping time, on the running loop."""
        self._tasks = [
            asyncio.create_task(self._expire()),
            asyncio.create_task(self._every(CHECKPOINT_SECONDS, self._checkpoint_if_new)),
            asyncio.create_task(self._settle()),
            asyncio.create_task(self._every(KEEP_SECONDS, self.issuing.keep_alive, after=KEEP_SECONDS)),
            asyncio.create_task(self._every(POLICY_SECONDS, self.reload_policy)),
            asyncio.create_task(self._every(TOKEN_SECONDS, self.tokens.expire)),
            asyncio.create_task(self._every(EVENTS_SECONDS, self.events.settle)),
            asyncio.create_task(self._every(NOTICES_SECONDS, self.notices.deliver)),
            asyncio.create_task(self._every(HEALTH_SECONDS, self._check_health)),
            asyncio.create_task(self._every(SETTLE_SECONDS, self.office.settle)),
            asyncio.create_task(self._every(POLLS_SECONDS, self.office.count, after=POLLS_SECONDS)),
            asyncio.create_task(self._every(RESERVATIONS_SECONDS, self._keep_reservations)),
            asyncio.create_task(self._every(ORPHANS_EVERY, self.orphans.end, after=ORPHANS_AFTER)),
        ]

    async def stop(self) -> None:
        """Stop keeping time, and close the gateway."""
        await self.gateway.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def close(self) -> None:
        """Revoke everything, sign the end, and let go. A second call does nothing."""
        if self._closed:
            return
        self._closed = True
        self.access.end_server(self.owner.server_id)
        self._spare_a_hanging_store()
        self.evidence.settle()
        self.office.close(END_SECONDS)
        in_order = not self.sessions.pending()
        self.audit.record_ending("control.stopped")
        self._safely(self.events.settle)
        self.checkpoint()
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

    async def _expire(self) -> None:
        while True:
            version = self.changes.version
            nearest = await asyncio.to_thread(self._safely, self.access.keep_time)
            await self.changes.beyond(version, min(nearest or LONGEST_SLEEP, LONGEST_SLEEP) + 0.01)

    async def _settle(self) -> None:
        """Write what is owed and end what is pending, less and less often while nothing helps."""
        attempt = 0
        while True:
            await asyncio.sleep(RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)])
            done = await asyncio.to_thread(self._safely, self._settle_once)
            attempt = 0 if done else attempt + 1

    def _settle_once(self) -> bool:
        self.evidence.settle()
        return self.access.settle() and self.audit.settle() and self.sessions.retry()

    def _keep_reservations(self) -> None:
        """Ask what is reserved, end what is active beyond it, and compare job lists when it is time."""
        self.office.reservations.refresh()
        self.access.end_unreserved()
        self.office.reconcile_due()

    async def _every(self, seconds: float, work: Callable[[], Any], *, after: float = 0.0) -> None:
        await asyncio.sleep(after)
        while True:
            await asyncio.to_thread(self._safely, work)
            await asyncio.sleep(seconds)

    def reload_policy(self) -> None:
        """Take a changed bundle when it checks; say so, or why not, in ledger, log and health line."""
        if self.policy.reload(self._tell_policy):
            self._tell_mode()
            self.changes.bump()

    def _tell_policy(self, event: str, data: dict[str, Any]) -> None:
        self.audit.record_ending(event, **data)

    def _safely(self, work: Callable[[], Any]) -> Any:
        """Run timed work; its failure is logged and shows in the health line, and the clock goes on."""
        try:
            with self.policy.pin():
                return work()
        except Exception as error:  # noqa: BLE001  # a timer that dies would end expiry for good
            _log.error("timed work failed: %s", getattr(error, "code", type(error).__name__))
            return None

    # -- checkpoints and health ---------------------------------------------------------------------

    def checkpoint(self) -> None:
        """Sign the ledger as it is, with the store's key, else with this machine's."""

        def work(signer: Signer, _: bool) -> int:
            self._keys.add(signer, self._clock())
            return self._ledger.checkpoint(signer).size

        try:
            self._checkpointed = self.signing.run(work)
        except QsecError as error:
            _log.warning("a checkpoint was not made: %s", error.code)

    def _checkpoint_if_new(self) -> None:
        if self._ledger.size != self._checkpointed:
            self.checkpoint()

    def after_events(self) -> None:
        """Make a checkpoint when enough events have come since the last."""
        if self._ledger.size - self._checkpointed >= CHECKPOINT_EVENTS:
            self.checkpoint()

    def _check_health(self) -> None:
        before = self._checks
        self._checks = [asdict(check) for check in self.broker.checks()]
        self._checks.append(self._rotation_check())
        self._checked_at = time.monotonic()
        if before != self._checks:
            self.changes.bump()

    def health(self) -> dict[str, Any]:
        """Return status and checks; those of the store are at most ``HEALTH_SECONDS`` old."""
        checks = [*self._checks, *self._own_checks()]
        broken = [check for check in checks if not check["ok"]]
        return {"status": "degraded" if broken else "ok", "checks": checks}

    def _own_checks(self) -> list[dict[str, Any]]:
        owed, gaps, pending = self.audit.owed, self.evidence.gap_count(), self.sessions.pending()
        return [
            _check(
                "ledger",
                not owed,
                f"{self._ledger.size} entries; {owed} wait for the disk"
                if owed
                else f"{self._ledger.size} entries",
                "Free some space or repair the disk; they are written by themselves then.",
            ),
            self._policy_check(),
            self.notices.check(),
            self._gateway_check(),
            _check(
                "gaps",
                not gaps,
                f"{gaps} gaps in the record of runs" if gaps else "the record of runs has no gaps",
                "`%qsec provenance` names what is missing of a run.",
            ),
            _check(
                "revocations",
                not pending,
                f"{pending} sessions are not verified gone yet" if pending else "nothing is pending",
                "They are tried again by themselves; they end at their expiry at the latest.",
            ),
            *(_check(*check) for check in self.office.checks()),
        ]

    def _rotation_check(self) -> dict[str, Any]:
        overdue = self.upkeep.overdue()
        said = f"handed to somebody who left: {', '.join(overdue)}" if overdue else "nobody left with a value"
        return _check("rotation", not overdue, said, "Replace them: `qsec rotate TARGET`, or in the panel.")

    def _policy_check(self) -> dict[str, Any]:
        failures, refused = self.policy.failures, self.policy.refused
        said = f"bundle {self.policy.digest[:12]}"
        if refused is not None:
            said += f" stays in force; its files as they are now are not taken: {refused.detail}"
        elif failures:
            said += f"; {failures} decisions failed and were refused"
        remedy = "Run `qsec policy check`, and correct what it names; the files are then taken by themselves."
        return _check("policy", not failures and refused is None, said, remedy)

    def _gateway_check(self) -> dict[str, Any]:
        proxied, address = sorted(self.catalogue.gateways), self.gateway.address
        said = f"{address or 'it does not listen'}, for {', '.join(proxied) or 'no target'}"
        return _check("gateway", bool(address) or not proxied, said, "Start the control plane anew.")

    def snapshot(self, caller: Caller) -> dict[str, Any]:
        """Return all that the caller's panel shows."""
        mine = self.keeps_for(caller) or self.events.sees_all(caller)
        return {
            "version": self.changes.version,
            "newest_event": self.events.newest,
            "mode": self.catalogue.runs.mode,
            "principal": asdict(caller.principal),
            "vault": asdict(self.broker.info),
            "targets": [asdict(target) for target in self.catalogue.targets.values()],
            "grants": [asdict(grant) for grant in self.lookup.listed(caller)],
            "approvals": [self._approval(grant) for grant in self.lookup.awaiting(caller)],
            "shared": self._shared(caller),
            "gateway": self.gateway.address,
            "limits": self.office.limits.listed(caller.principal.subject),
            "locks": [asdict(lock) for lock in self.locks.listed()],
            "projects": [
                asdict(project)
                for project in self.catalogue.projects.values()
                if project.has(caller.principal)
            ],
            "runs": self.runs.newest(None, 20) if mine else [],
            "findings": self.findings.listed() if mine else [],
            "data_classes": self.catalogue.data_policy.to_dict(),
            "health": self.health(),
        }

    def keeps_for(self, caller: Caller) -> bool:
        """Say whether this journal is the one of the caller's server."""
        return caller.server_id == self.owner.server_id

    def _shared(self, caller: Caller) -> list[dict[str, Any]]:
        """Return the caller's shared kernels: who is there, and in which roles everybody may act."""
        return [
            {
                "kernel_id": kernel_id,
                "present": [one.display_name for one in others],
                "roles": list(self.judge.least(caller.by(kernel_id)).roles),
            }
            for kernel_id, others in sorted(self.judge.shared(caller.server_id).items())
        ]

    def _approval(self, grant: Grant) -> dict[str, Any]:
        digest = grant.payload.digest if grant.payload else None
        return {**asdict(grant), "payload_digest": digest, "changes": self.lookup.changed(grant)}


def _check(name: str, ok: bool, detail: str, remedy: str) -> dict[str, Any]:
    return {"name": name, "ok": ok, "detail": detail, "remedy": "" if ok else remedy}
