"""Credentials, for the kernels whose grants they are."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..core.errors import Denied, NotFound, QsecError
from ..core.model import Grant, moment, rfc3339
from ..ledger.log import Entered
from .access import Access
from .audit import Audit
from .book import Book, newest
from .callers import Caller
from .credentials.broker import Issued, IssueRequest, Operation
from .judge import Judge
from .people import People
from .policy.live import LivePolicy
from .sessions import Sessions
from .store import Store

if TYPE_CHECKING:
    from .gateway.gateway import Gateway
    from .gateway.model import Pass

_NO_CREDENTIAL = {
    "requested": (
        "grant.pending",
        "The request still waits for approval",
        "Wait for it, or ask an approver.",
    ),
    "approved": ("grant.not_begun", "The grant has not begun yet", "Wait for its start."),
    "expired": ("grant.expired", "The grant has expired", "Ask again with qsec.request()."),
    "revoked": ("grant.revoked", "The grant was revoked", "Ask again with qsec.request()."),
    "denied": ("grant.denied", "The request was denied", "Read the comment, and talk to the approver."),
    "cancelled": ("grant.cancelled", "The request was withdrawn", "Ask again with qsec.request()."),
}

KEEP_SECONDS = 15.0
"""How often is looked which session or lease has two thirds of its life behind it (seconds)."""


class Issuing:
    """Hands out the credential of a kernel's own active grant."""

    def __init__(
        self,
        *,
        access: Access,
        book: Book,
        store: Store,
        audit: Audit,
        judge: Judge,
        policy: LivePolicy,
        sessions: Sessions,
        people: People,
        gateway: Gateway,
    ) -> None:
        self._gateway = gateway
        self._access = access
        self._book = book
        self._store = store
        self._audit = audit
        self._judge = judge
        self._policy = policy
        self._sessions = sessions
        self._people = people
        self._holders: dict[str, Caller] = {}

    def issue(self, caller: Caller, target_name: str, job_id: str | None = None) -> dict[str, Any]:
        """Return the credential of a kernel's own active grant, as the wire wants it.

        Args:
            caller: The kernel.
            target_name: For which target.
            job_id: Instead of what lets jobs be submitted: what lets this one's results be read.

        Raises:
            Denied: ``grant.none`` and its relatives; recorded as ``credential.refused``.
        """
        try:
            grant = self._usable(caller, target_name, job_id)
            self._judge.decide("issue", grant, caller).require("issue", grant.target)
        except QsecError as error:
            data = {"target": target_name[:40], "kernel": caller.kernel_id, "rule": error.code}
            self._audit.record("credential.refused", caller.principal, **data)
            raise
        request = self._asked(grant, caller)
        self._access.keep_time()
        self._holders[grant.id] = caller
        issued = self._sessions.issue(request)
        with self._book.lock:  # what ends it comes behind this in the ledger
            grant = self._book.get(grant.id)
            entered = self._enter(grant, caller, request, issued) if grant.state == "active" else None
        if entered is not None:
            entered.wait()  # beside others, with one wait for the disk
            return self._told(grant, caller, issued)
        self._sessions.end(grant.id)  # it ended while the store was asked
        return self.issue(caller, target_name, job_id)

    def _enter(self, grant: Grant, caller: Caller, request: IssueRequest, issued: Issued) -> Entered:
        return self._audit.enter(
            "credential.issued",
            caller.principal,
            **self._audit.about(grant),
            request=request.request_id,
            source=issued.source,
        )

    def behind(self, holder: Pass) -> Issued:
        """Return the provider's credential for a gateway token; it stays in this process.

        Raises:
            Denied: ``grant.*`` or ``policy.denied`` when the grant may not be used any more.
            QsecError: What the store says against it.
        """
        grant = _as_held(self._book.get(holder.grant.id), holder.caller)
        if grant.state != "active":
            code, title, remedy = _NO_CREDENTIAL[grant.state]
            raise Denied(code, title, f"Target {grant.target}, grant {grant.id[:8]}.", remedy)
        self._judge.decide("issue", grant, holder.caller).require("issue", grant.target)
        self._holders[grant.id] = holder.caller
        return self._sessions.issue(self._asked(grant, holder.caller))

    def _told(self, grant: Grant, caller: Caller, issued: Issued) -> dict[str, Any]:
        """Return what goes to the kernel: the credential, or what stands for it at the gateway."""
        target = self._policy.catalogue.target(grant.target)
        about = {
            "target": grant.target,
            "grant_id": grant.id,
            "tier": target.tier,
            "source": issued.source,
        }
        if target.tier == "proxy":
            token, public = self._gateway.admit(caller, _as_held(grant, caller))
            said = {"expires_at": grant.expires_at, "revocability": target.revocability, "public": public}
            return {**about, **said, "value": token.reveal(), "refresh_at": None, "outlives": None}
        return {
            **about,
            "value": issued.value.reveal(),
            "expires_at": rfc3339(min(issued.expires_at, moment(grant.expires_at or ""))),
            "revocability": issued.revocability,
            "fields": {name: secret.reveal() for name, secret in issued.fields.items()},
            "public": dict(issued.public),
            "refresh_at": rfc3339(issued.refresh_at) if issued.refresh_at else None,
            "outlives": rfc3339(issued.outlives) if issued.outlives else None,
        }

    def operate(
        self, caller: Caller, target_name: str, operation: Operation, data: bytes, signature: str
    ) -> str:
        """Sign, verify, encrypt or decrypt with a target's key, under a kernel's own active grant.

        Raises:
            Denied: As :meth:`issue`.
        """
        try:
            grant = self._usable(caller, target_name)
            self._judge.decide("issue", grant, caller).require("issue", grant.target)
        except QsecError as error:
            about = {"target": target_name[:40], "kernel": caller.kernel_id, "rule": error.code}
            self._audit.record("credential.refused", caller.principal, **about)
            raise
        request = self._asked(grant, caller)
        self._audit.record(
            "credential.operated",
            caller.principal,
            **self._audit.about(grant),
            operation=operation,
            request=request.request_id,
        )
        self._holders[grant.id] = caller
        return self._sessions.operate(request, operation, data, signature)

    def keep_alive(self) -> None:
        """Renew what active grants hold, as far as policy still lets their holders have it.

        A renewal in the store checks no claim again, so policy is asked here each time. What it refuses is
        not renewed and ends within the session's quarter of an hour; the grant's next use says why.
        """
        for grant_id, holder in list(self._holders.items()):
            grant = self._book.get(grant_id)
            caller = replace(holder, principal=self._people.current(holder.principal))
            if grant.state != "active":
                self._holders.pop(grant_id, None)
            elif self._judge.decide("issue", grant, caller).allowed:
                self._sessions.keep(self._asked(grant, caller))

    def _asked(self, grant: Grant, caller: Caller) -> IssueRequest:
        return IssueRequest(
            grant_id=grant.id,
            target=grant.target,
            subject=self._store.subject(grant.holder)[0],
            groups=caller.principal.groups,
            server_id=caller.server_id,
            kernel_id=grant.kernel_id,
            request_id=secrets.token_hex(16),
            expires_at=moment(grant.expires_at or ""),
        )

    def _usable(self, caller: Caller, target_name: str, job_id: str | None = None) -> Grant:
        self._policy.catalogue.target(target_name)
        if caller.kernel_id is None:
            raise Denied(
                "credential.kernel_only",
                "Only a kernel gets a credential",
                "The rule: a credential goes to the kernel whose grant it is.",
                "Call qsec.credential() in a notebook.",
            )
        self._access.keep_time()
        where = {"target": target_name, "kernel_id": caller.kernel_id, "server_id": caller.server_id}
        active = [grant for grant in _own(self._book.open(where)) if grant.state == "active"]
        submits = newest(grant for grant in active if grant.scope == "submit")
        results = self._results_of(caller, target_name, job_id)
        # What is good for more comes first: whoever may read results or submit may look, too.
        usable = results if job_id else submits or results or newest(active)
        if usable is not None:
            return usable
        if job_id is not None:
            raise NotFound(
                "job.unknown", "There is no such job", remedy="A grant sees the jobs that it made itself."
            )
        last = newest(_own(self._book.rows(where)))
        if last is not None and last.state in _NO_CREDENTIAL:
            code, title, remedy = _NO_CREDENTIAL[last.state]
            said = f' "{last.decision_comment}"' if last.decision_comment else ""
            raise Denied(code, title, f"Target {target_name}, grant {last.id[:8]}.{said}", remedy)
        raise Denied(
            "grant.none",
            "This kernel has no grant for that target",
            f"Nobody asked for {target_name} from this kernel.",
            f'Ask with qsec.request("{target_name}", reason="...").',
        )

    def _results_of(self, caller: Caller, target_name: str, job_id: str | None) -> Grant | None:
        """Return the newest right to read results, or a job's: it is its person's, from whichever kernel.

        Only the gateway can hold somebody to the jobs that it names, so elsewhere it gives no credential.
        """
        if self._policy.catalogue.target(target_name).tier != "proxy":
            return None
        theirs = {"requester_subject": caller.principal.subject, "target": target_name}
        open_ = self._book.open(theirs)
        rights = [grant for grant in open_ if grant.parent and grant.state == "active"]
        found = newest(grant for grant in rights if job_id is None or job_id in grant.jobs)
        return found and _as_held(found, caller)


def _own(grants: Iterable[Grant]) -> Iterator[Grant]:
    """Leave out what only makes another grant longer, or came of one."""
    return (grant for grant in grants if grant.extends is None and grant.parent is None)


def _as_held(grant: Grant, caller: Caller) -> Grant:
    """Return a grant as its holder's: the right to read results goes with the person, not with a kernel."""
    return replace(grant, kernel_id=caller.kernel_id or "") if grant.parent else grant
