"""Jobs at the gateway: whether one may be sent, whose it is, and what became of it."""

from __future__ import annotations

import logging
import secrets
import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

from ....core.errors import Conflict, NotFound, QsecError
from ...audit import Audit
from ...book import Book
from ...judge import Judge
from ...locks import Locks
from ...policy.live import LivePolicy
from ...retrieval import Retrieval
from ..envelope import Envelope
from ..keys import Key
from ..model import Admission, Operation, Outcome, Pass, Submission
from .admissions import Admissions
from .book import JobBook, Known
from .flights import Flights
from .polls import Polls
from .quotas import Quotas
from .reservations import Reservations
from .sessions import ProviderSessions

_log = logging.getLogger("qsec.gateway")

TAG = "qsec-"
"""What the provider-side label of every job begins with; the correlation id follows."""

WAIT_SECONDS = 150.0
"""How long a repeated submission waits for the first's outcome: longer than any provider is waited for."""


class Jobs:
    """What the gateway asks before, while and after it sends a job. Blocking and thread-safe.

    A submission goes: :meth:`admit`, :meth:`sent` unless that is said already, then one of :meth:`answered`,
    :meth:`rejected` and :meth:`unknown`. The ledger is told before each of them returns.

    Args:
        book: Jobs.
        grants: Grants.
        sessions: Sessions at providers.
        clock: Gives the time.
    """

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
        retrieval: Retrieval,
        clock: Callable[[], datetime],
    ) -> None:
        self._book = book
        self._grants = grants
        self._policy = policy
        self._sessions = sessions
        self._quotas = quotas
        self._audit = audit
        self._retrieval = retrieval
        self._admissions = Admissions(
            book=book,
            grants=grants,
            sessions=sessions,
            quotas=quotas,
            reservations=reservations,
            judge=judge,
            policy=policy,
            locks=locks,
            audit=audit,
            clock=clock,
        )
        self._flights = Flights()
        self._polls = Polls(audit)
        self._unfollowed: deque[tuple[str, str]] = deque()
        self._opening = threading.Lock()
        self._opened = False

    def open(self) -> None:
        """Read the book; what was on its way when the last control plane ended is of unknown outcome."""
        with self._opening:
            if not self._opened:
                self._read()
                self._opened = True

    def _read(self) -> None:
        self._book.open()
        self._sessions.open()
        unsettled = self._book.unsettled()
        for row in unsettled:
            key = (row["grant_id"], row["body_digest"])
            known = Admission(row["correlation_id"], row["details"]["tag"], tuple(row["details"]["policies"]))
            self._flights.resume(key, known, Outcome("unknown"))
        for row in self._book.rows({"state": "accepted"}):  # a crash may have come before this
            grant = self._grants.get(row["grant_id"])
            if grant.state == "active":
                self._retrieval.follow(grant, row["job_id"])
        self._quotas.keep_only(row["correlation_id"] for row in self._book.rows({}))

    # -- before a job is sent -----------------------------------------------------------------------

    def admit(self, holder: Pass, job: Submission, key: Key | None = None) -> Admission:
        """Let a job pass, or refuse it. When this returns the ledger knows that it is about to be sent.

        In this order: grant, scope, lock, envelope, quota, approved payload, policy. A refusal is in the
        ledger, too (``job.refused``).

        Args:
            holder: Who submits it.
            job: As its provider's module read it.
            key: The credential that it is sent with at once, where that is at hand: the ledger then has both
                steps with one wait for the disk, and :meth:`sent` must not follow.

        Returns:
            An admission that ``repeats`` when the same body is on its way already: see :meth:`outcome`.

        Raises:
            Denied: Naming the rule, and what the user can do.
            Unavailable: The ledger or the store of keys refuses; nothing may be sent then.
        """
        if not self._opened:
            self.open()  # what could not be read at the start; without it, nothing is sent
        correlation_id = secrets.token_hex(16)
        ours = Admission(correlation_id, TAG + correlation_id, ())
        first = self._flights.begin((holder.grant.id, job.digest), ours)
        if first is not None:
            return Admission(first.first.correlation_id, first.first.tag, first.first.policies, repeats=True)
        try:
            return self._admissions.decide(holder, job, ours, key)
        except QsecError as error:
            self._flights.refuse(correlation_id, error)
            self._admissions.refused(holder, job, error)
            raise
        except BaseException:
            self._flights.refuse(correlation_id, _failed())
            raise

    # -- while it is sent ---------------------------------------------------------------------------

    def sent(self, admission: Admission, accessor: str | None = None) -> None:
        """Write down that the first byte is about to leave.

        Args:
            admission: Of which job.
            accessor: Names the session in Vault behind the credential, without being one.

        Raises:
            Unavailable: The ledger refuses; the job must not be sent.
            Conflict: ``job.sent_before``.
        """
        if self._book.step(admission.correlation_id, "job.sent", accessor=accessor) is None:
            raise Conflict("job.sent_before", "That job was sent before")

    def answered(self, admission: Admission, job_id: str, status: int = 200) -> None:
        """Write down that the provider took the job; :meth:`follow` is to be called soon."""
        row = self._book.step(admission.correlation_id, "job.accepted", job=job_id, status=status)
        if row is not None:
            self._unfollowed.append((row["grant_id"], job_id))
        self._flights.land(admission.correlation_id, Outcome("accepted", job_id, status))

    def follow(self) -> None:
        """Let the results of jobs that were answered be read after their grants.

        No client waits for it: what a crash leaves out is done when the book is opened, and what the ledger
        refuses at the moment when :meth:`settle` is called.
        """
        with suppress(IndexError):
            while True:
                grant_id, job_id = answered = self._unfollowed.popleft()
                try:
                    self._retrieval.follow(self._grants.get(grant_id), job_id)
                except QsecError as error:
                    self._unfollowed.append(answered)
                    _log.warning("reading a job's results after its grant waits: %s", error.code)
                    return

    def rejected(self, admission: Admission, status: int) -> None:
        """Write down that the provider did not take the job."""
        self._book.step(admission.correlation_id, "job.rejected", status=status)
        self._quotas.release(admission.correlation_id)
        self._flights.land(admission.correlation_id, Outcome("refused", None, status))

    def unsent(self, admission: Admission, why: str) -> None:
        """Write down that the job surely did not leave: no credential could be had, or no connection.

        Args:
            admission: Of which job.
            why: A code of ours, such as ``vault.timeout``.
        """
        self._book.step(admission.correlation_id, "job.lost", why=why)
        self._quotas.release(admission.correlation_id)
        self._flights.land(admission.correlation_id, Outcome("lost"))

    def unknown(self, admission: Admission, why: str) -> None:
        """Write down that nobody knows whether the provider took the job; it is looked up there."""
        self._book.step(admission.correlation_id, "job.unknown", why=why)
        self._flights.land(admission.correlation_id, Outcome("unknown"), keep=True)

    def outcome(self, admission: Admission, seconds: float = WAIT_SECONDS) -> Outcome:
        """Wait for what becomes of a submission that repeats another one.

        Returns:
            What is known of the first after ``seconds`` at most; ``unknown`` when nothing is.

        Raises:
            QsecError: What the first was refused by.
        """
        found = self._flights.outcome(admission.correlation_id, seconds)
        if found is None:
            row = self._book.get(admission.correlation_id)
            found = Outcome(row["state"], row["job_id"], row["details"].get("status"))
        return Outcome("unknown") if found.state in {"intended", "sent"} else found

    def settled(self, correlation_id: str, job_id: str | None, **data: Any) -> None:
        """Write down what a job of unknown outcome turned out to be.

        Args:
            correlation_id: Which.
            job_id: As the provider calls it; ``None`` when it surely has no such job.
            data: What else the ledger is to say.
        """
        event = "job.lost" if job_id is None else "job.accepted"
        changed = self._book.step(correlation_id, event, job=job_id, resolved=True, **data)
        if changed is None:
            return
        if job_id is not None:
            self._retrieval.follow(self._grants.get(changed["grant_id"]), job_id)
            self._flights.land(correlation_id, Outcome("accepted", job_id, 200))
        else:
            self._quotas.release(correlation_id)
            self._flights.land(correlation_id, Outcome("lost"))

    # -- afterwards ---------------------------------------------------------------------------------

    def owned(self, holder: Pass, job_id: str) -> Known:
        """Return a job that a pass may touch: one of its grant, or of the one that its grant follows.

        Raises:
            NotFound: ``job.unknown``, in the same words for a job of somebody else and for none.
        """
        known = self._book.known(job_id)
        if known is None or known.grant_id != (holder.grant.parent or holder.grant.id):
            raise NotFound(
                "job.unknown", "There is no such job", remedy="A grant sees the jobs that it made itself."
            )
        return known

    def all_owned(self, holder: Pass) -> tuple[str, ...]:
        """Return the ids of all jobs that a pass may touch, oldest first."""
        return self._book.of_grant(holder.grant.parent or holder.grant.id)

    def names(self, job_id: str) -> dict[str, str]:
        """Return opaque name to the user's own, for everything that was hidden of a job.

        Raises:
            Unavailable: The key that opens it cannot be had.
        """
        known = self._book.known(job_id)
        return dict(self._book.hidden(known.correlation_id).names) if known else {}

    def names_at_hand(self, job_id: str) -> Mapping[str, str] | None:
        """Return the names as :meth:`names` does, where nothing has to be opened for it. Does not block."""
        known = self._book.known(job_id)
        hidden = self._book.hidden_at_hand(known.correlation_id) if known else None
        return None if hidden is None else hidden.names

    def label(self, job_id: str) -> str:
        """Return the provider-side label of a job that a provider took."""
        known = self._book.known(job_id)
        return TAG + known.correlation_id if known else TAG

    def rename(self, job_id: str, names: Mapping[str, str], tags: tuple[str, ...]) -> None:
        """Write down further opaque names of a job, and the tags that its user gave it anew."""
        known = self._book.known(job_id)
        if known is not None:
            self._book.hide_more(known.correlation_id, names, tags)

    def reading(self, holder: Pass, job_id: str, operation: Operation) -> None:
        """Write down that a job is about to be read or changed; looking at it is only counted.

        Raises:
            NotFound: ``job.unknown``.
            Unavailable: The ledger refuses; results must not be fetched.
        """
        known = self.owned(holder, job_id)
        if operation in {"result", "cancel", "delete", "tags"}:
            self._audit.record(
                "job.read" if operation == "result" else "job.changed",
                holder.caller.principal,
                correlation=known.correlation_id,
                grant=holder.grant.id,
                target=known.target,
                job=job_id,
                operation=operation,
            )
        else:
            self._polls.count(holder.grant.id, known.target, job_id)

    def retagged(self, holder: Pass, job_id: str, tags: tuple[str, ...]) -> tuple[str, ...]:
        """Return what is to be sent to the provider for a job's new tags.

        Those that were hidden at submission are sent as they were then, new ones as opaque ones that
        :meth:`names` maps back; where nothing of a job is hidden, tags are not either. Ours stays.

        Raises:
            NotFound: ``job.unknown``.
            Denied: ``envelope.labels``: what the target does not take at submission it does not take later.
        """
        known = self.owned(holder, job_id)
        self._policy.catalogue.envelopes.get(known.target, Envelope()).check_labels(tags)
        hidden = self._book.hidden(known.correlation_id)
        if not hidden.names:
            return (*tags, TAG + known.correlation_id)
        opaque = {name: sent for sent, name in hidden.names.items()}
        new = {f"t-{secrets.token_hex(8)}": tag for tag in tags if tag not in opaque}
        self._book.hide(known.correlation_id, replace(hidden, names={**hidden.names, **new}, tags=tags))
        opaque |= {name: sent for sent, name in new.items()}
        return (*(opaque[tag] for tag in tags), TAG + known.correlation_id)

    def done(self, job_id: str, usage_seconds: float | None = None, *, cancelled: bool = False) -> None:
        """Write down that a provider calls a job over. Asked on every look at a job; known ones are cheap."""
        known = self._book.known(job_id)
        if known is None or known.state == "done" or (cancelled and known.state == "cancelled"):
            return
        event = "job.cancelled" if cancelled else "job.done"
        changed = self._book.step(known.correlation_id, event, job=job_id, usage_seconds=usage_seconds)
        if changed is not None and usage_seconds is not None:
            self._quotas.correct(known.correlation_id, usage_seconds)

    def opened_session(self, holder: Pass, session_id: str) -> None:
        """Write down that the provider opened a session."""
        with self._grants.lock:  # an end that comes after this finds it
            over = self._grants.get(holder.grant.id).state != "active"
            self._sessions.opened(holder, session_id, over=over)

    def owned_session(self, holder: Pass, session_id: str) -> None:
        """Make sure that a session belongs to a pass's grant.

        Raises:
            NotFound: ``job.session_unknown``.
        """
        self._sessions.owned(holder.grant.parent or holder.grant.id, session_id)

    def closed_session(self, session_id: str) -> None:
        """Write down that the provider closed a session."""
        self._sessions.closed(session_id)

    def settle(self) -> None:
        """Write down how often jobs were looked at, and what the ledger did not take before."""
        self.follow()
        self._polls.settle()


def _failed() -> Conflict:
    return Conflict("job.failed", "The first submission of this job failed", remedy="Submit it again.")
