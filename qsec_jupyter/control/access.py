"""Requests, decisions and credentials: policy decides, the ledger is told, then the state changes."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from ..core.errors import Conflict, Denied, NotFound, QsecError, Unavailable
from ..core.model import OPEN_STATES, Grant, Principal, rfc3339
from . import tables
from .audit import Audit
from .catalog import Catalogue
from .changes import Changes
from .credentials.broker import IssueRequest
from .grants import GrantEvent, check_duration, check_reason, check_ticket, step
from .policy.engine import Action, Decision, PolicyEngine, Situation
from .sessions import Sessions
from .store import Row, Store

PENDING_SECONDS = 24 * 3600
"""After how long an undecided request expires."""

START_SECONDS = 2.0
"""How long the start waits for the sessions of an earlier server to end; the rest is pending."""

STOP_SECONDS = 3.0
"""How long the end of this process waits for sessions to end; the rest is pending, and durable."""

_EVENT = {
    "requested": "grant.requested",
    "approved": "grant.approved",
    "active": "grant.activated",
    "expired": "grant.expired",
    "revoked": "grant.revoked",
    "denied": "grant.denied",
    "cancelled": "grant.cancelled",
}
_NO_CREDENTIAL = {
    "requested": (
        "grant.pending",
        "The request still waits for approval",
        "Wait for it, or ask an approver.",
    ),
    "expired": ("grant.expired", "The grant has expired", "Ask again with qsec.request()."),
    "revoked": ("grant.revoked", "The grant was revoked", "Ask again with qsec.request()."),
    "denied": ("grant.denied", "The request was denied", "Read the comment, and talk to the approver."),
    "cancelled": ("grant.cancelled", "The request was withdrawn", "Ask again with qsec.request()."),
}


class Access:
    """Every way in which a grant begins, changes, is used and ends.

    Args:
        principal: The owner of the Jupyter Server that is connected.
        server_id: That server; grants belong to it.
        single_user: Whether one person owns this installation and may approve their own requests.
    """

    def __init__(
        self,
        *,
        store: Store,
        audit: Audit,
        policy: PolicyEngine,
        catalogue: Catalogue,
        sessions: Sessions,
        changes: Changes,
        principal: Principal,
        server_id: str,
        single_user: bool,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._audit = audit
        self._policy = policy
        self._catalogue = catalogue
        self._sessions = sessions
        self._changes = changes
        self._principal = principal
        self._server_id = server_id
        self._single_user = single_user
        self._clock = clock
        self._lock = threading.RLock()
        self._closed = False
        self._unstored: dict[str, Grant] = {}

    # -- asking and deciding ----------------------------------------------------------------------

    def request(
        self,
        target_name: str,
        reason: str | None,
        ticket: str | None,
        duration: str | None,
        kernel_id: str,
        asking_kernel: str | None,
    ) -> Grant:
        """Ask for a target on behalf of a kernel; policy may approve at once.

        Raises:
            Invalid, NotFound, Denied: The rule that the request breaks; recorded as ``request.refused``.
        """
        try:
            if asking_kernel is not None and kernel_id != asking_kernel:
                raise Denied(
                    "request.foreign_kernel",
                    "A kernel asks for itself only",
                    "The rule: a grant belongs to the kernel that asks.",
                    "Ask from the notebook that needs the grant.",
                )
            target = self._catalogue.target(target_name)
            grant = Grant(
                id=secrets.token_hex(16),
                target=target.name,
                state="requested",
                requester=self._principal.name,
                kernel_id=kernel_id,
                reason=check_reason(reason),
                ticket=check_ticket(ticket, target),
                duration=check_duration(duration, target),
                requested_at=rfc3339(self._clock()),
            )
            decision = self._decide("request", grant, asking_kernel).require("request", target.name)
        except QsecError as error:
            self._audit.record(
                "request.refused", self._principal.name, target=target_name[:40], rule=error.code
            )
            raise
        with self._lock:
            self._refuse_when_closed()
            grant = replace(grant, policies=decision.policies)
            self._audit.record("grant.requested", self._principal.name, **self._audit.about(grant))
            self._store.add(tables.grants, {**_row(grant), "server_id": self._server_id})
            self._changes.bump()
            automatic = self._decide("auto_approve", grant, asking_kernel)
            if automatic.allowed:
                return self._approve(grant, "policy", None, automatic)
            return grant

    def decide(
        self,
        grant_id: str,
        verdict: Literal["approve", "deny"],
        comment: str | None,
        asking_kernel: str | None,
    ) -> Grant:
        """Approve or deny a request.

        Raises:
            Denied: ``policy.denied``; a kernel never decides.
            Conflict: ``grant.wrong_state``.
        """
        with self._lock:
            grant = self.get(grant_id)
            decision = self._permit(verdict, grant, asking_kernel)
            self._refuse_when_closed()
            if _deadline(grant) <= self._clock():
                self.expire_due()  # a machine that slept is later than its timers think
                grant = self.get(grant_id)
            who = self._principal.name
            if grant.requester == who:
                who = f"{who} (own request)"
            if verdict == "approve":
                return self._approve(grant, who, comment, decision)
            decided = self._decided(step(grant, "deny", self._clock()), who, comment, decision)
            return self._commit(decided, self._principal.name)

    def _approve(self, grant: Grant, who: str, comment: str | None, decision: Decision) -> Grant:
        moment = self._clock()
        approved = self._decided(step(grant, "approve", moment), who, comment, decision)
        actor = None if who == "policy" else self._principal.name
        self._commit(approved, actor, self_approval=who.endswith("(own request)"))
        return self._commit(step(approved, "activate", moment), actor)

    def _decided(self, grant: Grant, who: str, comment: str | None, decision: Decision) -> Grant:
        return replace(
            grant,
            decided_by=who,
            decided_at=rfc3339(self._clock()),
            decision_comment=(comment or "").strip()[:500] or None,
            policies=tuple(dict.fromkeys((*grant.policies, *decision.policies))),
        )

    # -- ending -----------------------------------------------------------------------------------

    def end(
        self, grant_id: str, verb: Literal["cancel", "revoke"], comment: str | None, asking_kernel: str | None
    ) -> Grant:
        """Withdraw a request, or end a grant early; its sessions end, too."""
        with self._lock:
            grant = self.get(grant_id)
            self._permit(verb, grant, asking_kernel)
            ended = step(grant, verb, self._clock())
            if comment:
                ended = replace(ended, decision_comment=comment.strip()[:500])
            ended = self._commit(ended, self._principal.name, ending=True)
        self._sessions.end(grant_id)
        return ended

    def kernel_ended(self, kernel_id: str) -> list[str]:
        """End all that hangs on a kernel."""
        self._audit.record_ending("kernel.ended", kernel=kernel_id)
        return self._end_all(self._open({"kernel_id": kernel_id}))

    def end_everything(self) -> list[str]:
        """End all that hangs on this server."""
        with self._lock:
            self._closed = True
        return self._end_all(self._open({"server_id": self._server_id}), STOP_SECONDS)

    def reconcile(self) -> list[str]:
        """End what an earlier server left: it is gone, since its journal was free."""
        rows = self._store.rows(tables.grants, {"state": list(OPEN_STATES)})
        left = {row["id"] for row in rows if row["server_id"] != self._server_id}
        return self._end_all([grant for grant in self._open({}) if grant.id in left], START_SECONDS)

    def _end_all(self, grants: Iterable[Grant], seconds: float | None = None) -> list[str]:
        ended = []
        for grant in grants:
            event: GrantEvent = "cancel" if grant.state == "requested" else "revoke"
            with self._lock:
                try:
                    self._commit(step(self.get(grant.id), event, self._clock()), None, ending=True)
                except Conflict:
                    continue  # it ended by itself meanwhile
            ended.append(grant.id)
        self._sessions.end(*ended, seconds=seconds)
        return ended

    def expire_due(self) -> float | None:
        """End what has run out; return the seconds until the next grant does."""
        now, nearest = self._clock(), None
        expired: list[str] = []
        for grant in self._open({}):
            left = (_deadline(grant) - now).total_seconds()
            if left > 0:
                nearest = left if nearest is None else min(nearest, left)
                continue
            with self._lock:
                try:
                    self._commit(step(self.get(grant.id), "expire", now), None, ending=True)
                except Conflict:
                    continue
            expired.append(grant.id)
        self._sessions.end(*expired)  # after all are marked: a store that hangs delays no expiry
        return nearest

    # -- credentials ------------------------------------------------------------------------------

    def credential(self, target_name: str, kernel_id: str | None) -> dict[str, Any]:
        """Return the credential of a kernel's own active grant, as the wire wants it.

        Raises:
            Denied: ``grant.none`` and its relatives; recorded as ``credential.refused``.
        """
        try:
            grant = self._usable(target_name, kernel_id)
            self._decide("issue", grant, kernel_id).require("issue", grant.target)
        except QsecError as error:
            data = {"target": target_name[:40], "kernel": kernel_id, "rule": error.code}
            self._audit.record("credential.refused", self._principal.name, **data)
            raise
        request = IssueRequest(
            grant_id=grant.id,
            target=grant.target,
            subject=self._store.subject(grant.requester)[0],
            groups=self._principal.groups,
            server_id=self._server_id,
            kernel_id=grant.kernel_id,
            request_id=secrets.token_hex(16),
            expires_at=_deadline(grant),
        )
        self.expire_due()
        issued = self._sessions.issue(request)
        with self._lock:
            if self.get(grant.id).state == "active":
                self._audit.record(
                    "credential.issued",
                    self._principal.name,
                    **self._audit.about(grant),
                    request=request.request_id,
                    source=issued.source,
                )
                return {
                    "target": grant.target,
                    "grant_id": grant.id,
                    "value": issued.value.reveal(),
                    "expires_at": rfc3339(min(issued.expires_at, _deadline(grant))),
                    "tier": self._catalogue.target(grant.target).tier,
                    "revocability": issued.revocability,
                    "source": issued.source,
                }
        self._sessions.end(grant.id)  # it ended while the store was asked
        return self.credential(target_name, kernel_id)

    def _usable(self, target_name: str, kernel_id: str | None) -> Grant:
        self._catalogue.target(target_name)
        if kernel_id is None:
            raise Denied(
                "credential.kernel_only",
                "Only a kernel gets a credential",
                "The rule: a credential goes to the kernel whose grant it is.",
                "Call qsec.credential() in a notebook.",
            )
        self.expire_due()
        grants = self._stored({"target": target_name, "kernel_id": kernel_id})
        grants.sort(key=lambda grant: grant.requested_at)
        for grant in reversed(grants):
            if grant.state == "active":
                return grant
        if grants and grants[-1].state in _NO_CREDENTIAL:
            code, title, remedy = _NO_CREDENTIAL[grants[-1].state]
            comment = grants[-1].decision_comment
            said = f' "{comment}"' if comment else ""
            raise Denied(code, title, f"Target {target_name}, grant {grants[-1].id[:8]}.{said}", remedy)
        raise Denied(
            "grant.none",
            "This kernel has no grant for that target",
            f"Nobody asked for {target_name} from this kernel.",
            f'Ask with qsec.request("{target_name}", reason="...").',
        )

    # -- reading ----------------------------------------------------------------------------------

    def get(self, grant_id: str, asking_kernel: str | None = None) -> Grant:
        """Return a grant; a kernel sees only its own.

        Raises:
            NotFound: ``grant.unknown``.
        """
        row = self._store.one(tables.grants, {"id": grant_id})
        if row is None or (asking_kernel is not None and row["kernel_id"] != asking_kernel):
            raise NotFound(
                "grant.unknown", "There is no such grant", remedy="List grants with qsec.grants()."
            )
        return self._unstored.get(grant_id) or _grant(row)

    def listed(self) -> list[Grant]:
        """Return open grants and those that ended in the last hour, newest first, at most 50."""
        since = rfc3339(self._clock() - timedelta(hours=1))
        grants = self._stored({"server_id": self._server_id})
        shown = [grant for grant in grants if grant.ended_at is None or grant.ended_at > since]
        return sorted(shown, key=lambda grant: grant.requested_at, reverse=True)[:50]

    def awaiting(self) -> list[Grant]:
        """Return the requests that this principal may decide; what policy is about to approve is not one."""
        asked = [grant for grant in self.listed() if grant.state == "requested"]
        left = [grant for grant in asked if not self._decide("auto_approve", grant, None).allowed]
        return [grant for grant in left if self._decide("approve", grant, None).allowed]

    def active(self, kernel_id: str, target: str | None = None) -> Grant | None:
        """Return the newest active grant of a kernel, for one target or for any."""
        now = self._clock()
        where = {"kernel_id": kernel_id} | ({} if target is None else {"target": target})
        active = [grant for grant in self._open(where) if grant.state == "active"]
        left = [grant for grant in active if _deadline(grant) > now]
        return max(left, key=lambda grant: grant.requested_at, default=None)

    def _open(self, where: Row) -> list[Grant]:
        grants = self._stored({**where, "state": list(OPEN_STATES)})
        return [grant for grant in grants if grant.state in OPEN_STATES]

    def _stored(self, where: Row) -> list[Grant]:
        return [
            self._unstored.get(row["id"]) or _grant(row) for row in self._store.rows(tables.grants, where)
        ]

    # -- deciding and writing it down ---------------------------------------------------------------

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise Unavailable(
                "control.ending", "The control plane is ending", remedy="Ask again when it is back."
            )

    def _permit(self, action: Action, grant: Grant, asking_kernel: str | None) -> Decision:
        """Return the decision that permits; a refusal is recorded, for it may be an attempt at more."""
        try:
            return self._decide(action, grant, asking_kernel).require(action, grant.target)
        except Denied as error:
            about = {"grant": grant.id, "target": grant.target, "action": action, "kernel": asking_kernel}
            self._audit.record("request.refused", self._principal.name, **about, rule=error.code)
            raise

    def _decide(self, action: Action, grant: Grant, asking_kernel: str | None) -> Decision:
        situation = Situation(
            from_kernel=asking_kernel is not None,
            own_request=grant.requester == self._principal.name,
            own_kernel=asking_kernel == grant.kernel_id,
            single_user=self._single_user,
        )
        # A grant outlives its target when that is taken out of the catalogue; it must still end.
        known = self._catalogue.targets.get(grant.target)
        approval = known.approval if known else "review"
        return self._policy.decide(self._principal, action, grant.target, approval, situation)

    def _commit(self, grant: Grant, actor: str | None, *, ending: bool = False, **data: Any) -> Grant:
        """Tell the ledger, then the database, then who waits."""
        record = self._audit.record_ending if ending else self._audit.record
        record(_EVENT[grant.state], actor, **self._audit.about(grant), **data)
        try:
            self._store.change(tables.grants, {"id": grant.id}, _row(grant))
        except Unavailable:
            if not ending:
                raise
            self._unstored[grant.id] = grant  # a full disk keeps no grant alive
        self._changes.bump()
        return grant

    def settle(self) -> bool:
        """Write down the endings that the database did not take; say whether none is left."""
        with self._lock:
            for grant_id, grant in list(self._unstored.items()):
                try:
                    self._store.change(tables.grants, {"id": grant_id}, _row(grant))
                except Unavailable:
                    return False
                del self._unstored[grant_id]
        return True


def _deadline(grant: Grant) -> datetime:
    if grant.expires_at is not None:
        return _moment(grant.expires_at)
    return _moment(grant.requested_at) + timedelta(seconds=PENDING_SECONDS)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _row(grant: Grant) -> Row:
    return {**asdict(grant), "policies": list(grant.policies)}


def _grant(row: Row) -> Grant:
    return Grant.from_dict(row)
