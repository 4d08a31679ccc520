"""Whether a job may be sent: everything that is asked of it, in order."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from ....core.errors import Denied, QsecError
from ....core.model import Grant, moment, rfc3339
from ...audit import Audit
from ...book import Book
from ...judge import Judge
from ...locks import Locks
from ...policy.context import Job
from ...policy.live import LivePolicy
from ...store import Row
from ..envelope import Envelope
from ..keys import Key
from ..model import Admission, Pass, Submission
from . import approval
from .book import JobBook
from .quotas import Quotas, Use
from .reservations import Reservations
from .sealing import Hidden
from .sessions import ProviderSessions

_CIRCUITS_SHOWN = 100
"""How many circuits an entry of the ledger names; the payload's digest is over all of them."""

_NO_GRANT = {
    "approved": ("grant.not_begun", "The grant has not begun yet", "Wait for its start."),
    "expired": ("grant.expired", "The grant has expired", "Ask again with qsec.request()."),
    "revoked": ("grant.revoked", "The grant was revoked", "Ask again with qsec.request()."),
}


class Admissions:
    """Checks a job, and enters it in the book."""

    def __init__(
        self,
        *,
        book: JobBook,
        grants: Book,
        sessions: ProviderSessions,
        quotas: Quotas,
        reservations: Reservations,
        judge: Judge,
        policy: LivePolicy,
        locks: Locks,
        audit: Audit,
        clock: Callable[[], datetime],
    ) -> None:
        self._book = book
        self._grants = grants
        self._sessions = sessions
        self._quotas = quotas
        self._reservations = reservations
        self._judge = judge
        self._policy = policy
        self._locks = locks
        self._audit = audit
        self._clock = clock

    def decide(self, holder: Pass, job: Submission, ours: Admission, key: Key | None = None) -> Admission:
        """Let a job pass, or refuse it; when this returns the ledger has it.

        Raises:
            Denied, Unavailable: As :meth:`.jobs.Jobs.admit`.
        """
        grant = self._active(holder)
        self._in_scope(holder, grant)
        self._not_locked(holder, grant)
        envelope = self._policy.catalogue.envelopes.get(grant.target, Envelope())
        envelope.check(job, lambda name: grant.target in self._policy.catalogue.runs.targets_of(name))
        self._reserved(grant, job, envelope)
        self._sessions.check(grant.id, job.session)
        use = self._use(holder, grant, job, ours.correlation_id)
        if envelope.quota:
            self._quotas.reserve(use, envelope.quota)
        try:
            return self._enter(holder, grant, job, ours, use, key)
        except BaseException:
            if envelope.quota:
                self._quotas.release(ours.correlation_id)
            raise

    def _enter(
        self, holder: Pass, grant: Grant, job: Submission, ours: Admission, use: Use, key: Key | None
    ) -> Admission:
        target = self._policy.catalogue.target(grant.target)
        with self._book.lock:  # of two jobs that one approval is good for, one passes
            earlier = self._book.count(grant.id) if grant.payload else 0
            approval.check(grant, job, target.price, earlier)
            decision = self._policy.decide(
                self._judge.least(holder.caller), "submit", target, self._facts(holder, grant, job)
            ).require("submit", grant.target)
            admission = Admission(ours.correlation_id, ours.tag, decision.policies)
            row, event = self._described(holder, grant, job, admission, use)
            sent = None if key is None else {"accessor": key.accessor}

            def still() -> None:
                with self._grants.lock:
                    self._active(holder)

            self._book.intend(row, Hidden.of(job), event, holder.caller.principal, still, sent)
        return admission

    def _active(self, holder: Pass) -> Grant:
        """Return the grant as it stands now.

        Raises:
            Denied: ``grant.expired`` and its relatives.
        """
        grant = self._grants.get(holder.grant.id)
        over = grant.state == "active" and moment(grant.expires_at or "") <= self._clock()
        state = "expired" if over else grant.state
        if state != "active":
            code, title, remedy = _NO_GRANT.get(
                state, ("grant.none", "There is no active grant", "Ask with qsec.request().")
            )
            raise Denied(code, title, f"Target {grant.target}, grant {grant.id[:8]}.", remedy)
        return grant

    def _in_scope(self, holder: Pass, grant: Grant) -> None:
        if holder.scope != "submit" or grant.scope != "submit" or grant.parent is not None:
            raise Denied(
                "job.out_of_scope",
                "This job was not submitted: the grant is not for that",
                f"It is good to {'read results' if grant.scope == 'retrieve' else 'look'} only.",
                f'Request the target: qsec.request("{grant.target}", reason="...").',
            )

    def _not_locked(self, holder: Pass, grant: Grant) -> None:
        lock = self._locks.on(holder.caller.principal, holder.caller.server_id, grant.target)
        if lock is not None:
            raise Denied(
                "job.locked",
                "This job was not submitted: it is locked",
                f"A {lock.kind} is locked since {lock.locked_at}.",
                "Wait until the lock is lifted; the panel says who set it and why.",
            )

    def _reserved(self, grant: Grant, job: Submission, envelope: Envelope) -> None:
        """Make sure that a job runs in a reservation, and names it where the envelope takes its name in."""
        if not self._reservations.wanted(grant.target):
            return
        reserved = self._reservations.of(grant.target, job.backend, self._clock())
        if not reserved:
            raise Denied(
                "envelope.reservation",
                "This job was not submitted: its backend is not reserved now",
                f"The rule: {grant.target} is used within reservations of the provider.",
                "Choose the backend that is reserved, or wait for its reservation.",
            )
        names = [one.name for one in reserved if envelope.takes_reservation(one.name)] or [""]
        if job.reservation not in names:
            raise Denied(
                "envelope.other_reservation",
                "This job was not submitted: it would not run in the reservation of its backend",
                f"The reservation that a job names there now: {', '.join(names) or 'none'}.",
                "Name that one in the job.",
            )

    def _use(self, holder: Pass, grant: Grant, job: Submission, correlation_id: str) -> Use:
        return Use(
            correlation_id=correlation_id,
            target=grant.target,
            month=rfc3339(self._clock())[:7],
            user=holder.caller.principal.subject,
            project=grant.project or "",
            shots=job.shots,
            execution_seconds=job.execution_seconds,
            cost=approval.cost(job, self._policy.catalogue.target(grant.target).price),
        )

    def _facts(self, holder: Pass, grant: Grant, job: Submission) -> Job:
        who, kernel = holder.caller.principal, holder.caller.kernel_id
        own = grant.requester_subject == who.subject and kernel == grant.kernel_id
        return Job(
            backend=job.backend,
            region=job.region,
            circuits=len(job.circuits),
            width=max((circuit.width for circuit in job.circuits), default=0),
            depth=max((circuit.depth for circuit in job.circuits), default=0),
            shots=job.shots,
            execution_seconds=job.execution_seconds,
            labels=job.tags,
            session=job.session is not None,
            scope=holder.scope,
            data_class=grant.data_class,
            own_grant=own,
            member=self._judge.member(grant, holder.caller),
            payload_bound=grant.payload is not None,
            locked=self._locks.on(who, holder.caller.server_id, grant.target) is not None,
        )

    def _described(
        self, holder: Pass, grant: Grant, job: Submission, admission: Admission, use: Use
    ) -> tuple[Row, dict[str, Any]]:
        payload = approval.payload_of(job)
        facts = {
            "provider": job.provider,
            "program": job.program,
            "region": job.region,
            "shots": job.shots,
            "execution_seconds": job.execution_seconds,
            "circuits": len(job.circuits),
            "cost": use.cost,
            "project": grant.project,
            "ticket": grant.ticket,
            "pass": holder.id,
            "policies": list(admission.policies),
        }
        row = {
            "correlation_id": admission.correlation_id,
            "target": grant.target,
            "grant_id": grant.id,
            "kernel_id": holder.caller.kernel_id or grant.kernel_id,
            "requester": grant.requester,
            "requester_subject": grant.requester_subject,
            "backend": job.backend,
            "session": job.session,
            "body_digest": job.digest,
            "intended_at": rfc3339(self._clock()),
            "details": {**facts, "tag": admission.tag},
        }
        event = {
            **facts,
            "correlation": admission.correlation_id,
            "grant": grant.id,
            "target": grant.target,
            "kernel": row["kernel_id"],
            "backend": job.backend,
            "session": job.session,
            "body": job.digest,
            "payload": payload.digest,
            "circuit_hashes": list(payload.circuits[:_CIRCUITS_SHOWN]),
        }
        return row, event

    def refused(self, holder: Pass, job: Submission, error: QsecError) -> None:
        """Record that a job was refused, and by which rule."""
        self._audit.record_ending(
            "job.refused",
            holder.caller.principal,
            grant=holder.grant.id,
            target=holder.grant.target,
            kernel=holder.caller.kernel_id,
            backend=job.backend[:200].encode("ascii", "backslashreplace").decode(),
            body=job.digest,
            rule=error.code,
            policy=self._policy.digest,
        )
