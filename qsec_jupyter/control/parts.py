"""Puts the parts of a control plane together; :class:`.control_plane.ControlPlane` brings them to life."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

from ..core.model import Principal
from ..ledger.evidence import StatementStore
from ..ledger.keys import KeyArchive
from ..ledger.log import Ledger
from . import journal
from .access import Access
from .audit import Audit
from .callers import Caller, Callers
from .catalog import Catalogue
from .changes import Changes
from .checkpoints import Checkpoints
from .credentials.broker import Broker, Issued
from .events import Events
from .evidence import Artefacts, Evidence, Runs
from .findings import Findings
from .gateway.gateway import Gateway
from .gateway.jobs import Jobs
from .gateway.kept_passes import KeptPasses
from .gateway.model import Pass
from .grant_parts import GrantParts
from .health import Health
from .identity.admission import Admission
from .identity.replay import UsedAssertions
from .identity.tokens import Tokens
from .issuing import Issuing
from .notifications.notices import Notices
from .orphans import Orphans
from .panel import Panel
from .people import People
from .permits import Permits
from .policy.live import LivePolicy
from .sessions import Sessions
from .shares import Shares
from .signing import Signing
from .store import Store, open_engine
from .timers import Timers
from .upkeep import Upkeep


def now() -> datetime:
    """Return the time in UTC."""
    return datetime.now(timezone.utc)


class Parts:
    """The parts of one journal, one store of credentials, one Jupyter Server.

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
        grants = GrantParts(
            store=self.store,
            audit=self.audit,
            sessions=self.sessions,
            people=self.people,
            changes=self.changes,
            policy=policy,
            single_user=single_user,
            clock=clock,
        )
        book, timetable = grants.book, grants.timetable
        self.locks, self.series, self.judge = grants.locks, grants.series, grants.judge
        self.lookup, self.ending, self.retrieval = grants.lookup, grants.ending, grants.retrieval
        self.access = Access(
            book=book,
            audit=self.audit,
            judge=self.judge,
            policy=policy,
            timetable=timetable,
            sessions=self.sessions,
            ending=self.ending,
            series=self.series,
            clock=clock,
        )
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
            judge=self.judge,
            policy=policy,
            broker=broker,
            people=self.people,
        )
        self.permits = Permits(
            lookup=self.lookup,
            policy=policy,
            judge=self.judge,
            audit=self.audit,
            locks=self.locks,
        )
        self.office = grants.office(home, self._ledger, self.artefacts.data_keys, server_id)
        timetable.keep_to(self.office.reservations)
        self.gateway = Gateway(
            issue=self._behind,
            jobs=self.jobs,
            book=book,
            judge=self.judge,
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
            judge=self.judge,
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
            judge=self.judge,
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

    def keeps_for(self, caller: Caller) -> bool:
        """Say whether this journal is the one of the caller's server, and not of somebody else there."""
        who, owner = caller.principal, self.owner
        owns = who.kind == "workload" or who.subject == owner.principal.subject
        return owns and caller.server_id == owner.server_id

    def _targets_of(self, backend: str) -> list[str]:
        return self.catalogue.runs.targets_of(backend)

    def _behind(self, holder: Pass) -> Issued:
        return self.issuing.behind(holder)

    def _end_token(self, caller: Caller) -> None:
        if caller.kernel_id is not None:
            self.ending.kernel_ended(caller, caller.kernel_id)
