"""The public API: ask for a target, use its credential, see what there is.

``import qsec_jupyter as qsec`` offers these names. They speak to the control plane over the kernel's
own channel; a secret is known to redaction before its :class:`Credential` exists.
"""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..core.duration import format_duration
from ..core.errors import Denied, Invalid, NotFound, QsecError, Unavailable
from ..core.model import OPEN_STATES, Grant, Target
from ..core.secret import Secret
from ..core.wire import Message
from . import channel as channels
from .cards import Grants, Run, Status, Targets, notice
from .channel import Channel, absent
from .credential import Credential, ended

if TYPE_CHECKING:
    from braket.aws import AwsSession
    from qiskit_ibm_runtime import QiskitRuntimeService

__all__ = [
    "Credential",
    "Session",
    "braket_session",
    "credential",
    "decrypt",
    "encrypt",
    "extend",
    "grants",
    "provenance",
    "request",
    "revoke",
    "runtime_service",
    "sign",
    "status",
    "targets",
    "verify",
]

POLL_SECONDS = 20
"""How long one long poll of a waiting request lasts (seconds)."""

PATIENCE = 30.0
"""How long a waiting request puts up with a control plane that does not answer (seconds)."""

_PENDING = frozenset({"requested", "approved"})


class Session:
    """What one kernel knows of its grants and credentials.

    Args:
        channel: The kernel's socket.
        register: Tells redaction a label and a value; called before a credential exists.
    """

    def __init__(self, channel: Channel, register: Callable[[str, Secret], object]) -> None:
        self.channel = channel
        self._register = register
        self._changed = threading.Condition()
        self._grants: dict[str, Grant] = {}
        self._credentials: dict[str, Credential] = {}
        self._fetching: dict[str, threading.Lock] = {}
        channel.on_push("grant", self._on_grant)

    def request(
        self,
        wish: dict[str, Any],
        *,
        wait: bool,
        limit: float | None,
    ) -> Grant:
        """See :func:`request`."""
        return self._asked(Grant.from_dict(self.channel.call("request", **wish)), wait, limit)

    def extend(self, target_or_id: str, duration: str, reason: str | None, *, wait: bool) -> Grant:
        """See :func:`extend`."""
        held = self._held(target_or_id)
        answer = self.channel.call("extend", id=held.id, duration=duration, reason=reason)
        return self._asked(Grant.from_dict(answer), wait, None)

    def _asked(self, grant: Grant, wait: bool, limit: float | None) -> Grant:
        grant = self._note(grant)
        if not wait:
            return grant
        target = grant.target
        if grant.state == "approved":
            notice(f"{target} is approved; it begins at {grant.start_at or 'its next window'}.")
        if grant.state == "requested":
            notice(f"{target} needs approval. Waiting; interrupting the cell leaves the request open.")
        return self._decided(grant, limit)

    def credential(self, target: str) -> Credential:
        """See :func:`credential`."""
        held = self._credentials.get(target)
        if held is not None and held.end is None:
            return held
        with self._changed:
            fetching = self._fetching.setdefault(target, threading.Lock())
        with fetching:
            fresh = self._credentials.get(target)
            return fresh if fresh is not None and fresh.end is None else self._fetch(target, held)

    def revoke(self, target_or_id: str, comment: str | None) -> Grant:
        """See :func:`revoke`."""
        held = self._held(target_or_id)
        op = "revoke" if held.state == "active" else "cancel"
        return self._note(Grant.from_dict(self.channel.call(op, id=held.id, comment=comment)))

    def _held(self, target_or_id: str) -> Grant:
        """Return the newest open grant of that target or id; an extension only by its id."""
        for grant in self.grants():
            named = target_or_id == grant.id or (target_or_id == grant.target and grant.extends is None)
            if named and grant.state in OPEN_STATES:
                return grant
        raise NotFound(
            "grant.none_open",
            "There is no such open grant",
            "This kernel holds no open grant of that name or id.",
            "%qsec grants lists them.",
        )

    def grants(self) -> Grants:
        """See :func:`grants`."""
        answer = self.channel.call("grants")
        return Grants(self._note(Grant.from_dict(grant)) for grant in answer["grants"])

    def _fetch(self, target: str, held: Credential | None) -> Credential:
        self._credentials.pop(target, None)
        try:
            return self._keep(self._issued(target))
        except Denied as error:
            # The control plane only says that there is no active grant; we know how the last one ended.
            raise (
                held.end.with_traceback(None) if held is not None and held.end is not None else error
            ) from None

    def reading(self, target: str, job_id: str) -> Credential:
        """Return what lets a job's results be read, whichever kernel submitted it."""
        return self._issued(target, job_id)

    def _issued(self, target: str, job_id: str | None = None) -> Credential:
        """Ask for a credential; redaction knows every part of it before it exists."""
        wanted: dict[str, Any] = {"target": target} | ({"job": job_id} if job_id else {})
        issued = self.channel.call("credential", **wanted)
        secret = Secret(str(issued.pop("value")), target)
        parts = issued.pop("fields", None) or {}
        fields = {str(name): Secret(str(parts.pop(name)), target) for name in list(parts)}
        for known in (secret, *fields.values()):
            self._register(target, known)
        return Credential(
            secret,
            grant_id=str(issued["grant_id"]),
            expires_at=issued.get("expires_at"),
            tier=str(issued.get("tier", "")),
            revocability=str(issued.get("revocability", "")),
            source=str(issued.get("source", "")),
            fields=fields,
            public=issued.get("public") or {},
            refresh_at=issued.get("refresh_at"),
            outlives=issued.get("outlives"),
            refresh=lambda: self._issued(target, job_id),
        )

    def _keep(self, fresh: Credential) -> Credential:
        with self._changed:
            self._credentials[fresh.target] = fresh
            grant = self._grants.get(fresh.grant_id)
        if grant is not None and grant.state not in OPEN_STATES:
            fresh.drop(ended(grant.target, grant.state, grant))  # it ended while the answer was on its way
        return fresh

    def _on_grant(self, message: Message) -> None:
        self._note(Grant.from_dict(message["grant"]))

    def _note(self, grant: Grant) -> Grant:
        """Take in how a grant stands now; drop its credential when it has ended."""
        with self._changed:
            known = self._grants.get(grant.id)
            if known is not None and known.state not in OPEN_STATES:
                return known  # an older answer overtaken by a push
            self._grants[grant.id] = grant
            held = self._credentials.get(grant.target)
            self._changed.notify_all()
        if held is not None and held.grant_id == grant.id and grant.state not in OPEN_STATES:
            held.drop(ended(grant.target, grant.state, grant))
        return grant

    def _decided(self, grant: Grant, limit: float | None) -> Grant:
        """Wait until a grant is active, or raise how it ended."""
        until = None if limit is None else time.monotonic() + limit
        patience = time.monotonic() + PATIENCE
        while grant.state in _PENDING:
            left = None if until is None else until - time.monotonic()
            if left is not None and left <= 0:
                raise _undecided(grant)
            began = time.monotonic()
            try:
                now = self._next(grant, left)
                patience = time.monotonic() + PATIENCE
            except Unavailable:
                if self.channel.closed or time.monotonic() > patience:
                    raise
                now = grant
            if now.state == grant.state:
                time.sleep(max(0.0, 0.5 - (time.monotonic() - began)))  # never a busy loop
            grant = now
        if grant.state != "active":
            raise ended(grant.target, grant.state, grant)
        return grant

    def _next(self, grant: Grant, left: float | None) -> Grant:
        """Return the grant once it changed, by push or by poll, or after one poll."""
        wait = POLL_SECONDS if left is None else max(0.0, min(POLL_SECONDS, left))
        poll = self.channel.begin("grant", id=grant.id, unless=grant.state, wait=wait)
        poll.add_done_callback(self._wake)
        try:
            with self._changed:
                self._changed.wait_for(
                    lambda: poll.done() or self._grants[grant.id].state != grant.state, wait + 5
                )
                if self._grants[grant.id].state != grant.state or not poll.done():
                    return self._grants[grant.id]
        finally:
            poll.cancel()  # does nothing to one that is answered
        return self._note(Grant.from_dict(poll.result()))

    def _wake(self, _: object) -> None:
        with self._changed:
            self._changed.notify_all()


def _undecided(grant: Grant) -> Unavailable:
    return Unavailable(
        "grant.undecided",
        "Nobody has decided yet",
        f"The request for {grant.target} is still open.",
        f'Wait for the panel, or withdraw it: qsec.revoke("{grant.id}").',
    )


_session: Session | None = None


def start(session: Session | None) -> None:
    """Make ``session`` the one that this module's functions use."""
    global _session  # noqa: PLW0603  # one kernel, one session
    _session = session


def current() -> Session:
    """Return this kernel's session.

    Raises:
        Unavailable: ``channel.absent`` when this kernel has no channel.
    """
    if _session is None:
        if channels.mine is None:
            channels.mine = channels.Channel.from_environment()  # a program of `qsec run`
        if channels.mine is None:
            raise absent()
        from .redaction import register

        start(Session(channels.mine, register))
    assert _session is not None  # just started
    return _session


def request(
    target: str,
    *,
    reason: str,
    ticket: str | None = None,
    duration: str | int | None = None,
    project: str | None = None,
    start: datetime | str | None = None,
    run: tuple[Any, str, int] | None = None,
    break_glass: bool = False,
    scope: str = "submit",
    wait: bool = True,
    timeout: float | None = None,
) -> Grant:
    """Ask for a target.

    Args:
        target: Its name in the catalogue; :func:`targets` lists them.
        reason: Why you need it. Approvers and auditors read it.
        ticket: A ticket id, when the target asks for one.
        duration: Such as ``"30m"``, or a number of seconds; the target's default when left out.
        project: The project that the work belongs to.
        start: When the grant shall begin, with its time zone; at once when left out.
        run: What will run, for a target that is approved for that only: circuits, the backend's name, and
            the shots of all circuits together.
        break_glass: This is an emergency: skip approval, where the target allows that. It is looked at.
        scope: ``"submit"``; or ``"metadata"``, to look at backends and queues through the gateway only.
        wait: Wait until somebody has decided, when a person has to, and until the grant begins.
        timeout: Wait no longer than this (seconds); ``None`` waits on.

    Returns:
        The grant: active, unless ``wait`` is false and a person has to decide.

    Raises:
        Denied: Refused by policy or by a person; the detail holds the comment.
        Invalid: The request breaks a rule; the detail names it.
        Unavailable: No channel, no control plane, or nobody decided within ``timeout``.
    """
    if not isinstance(reason, str) or not reason.strip():
        raise Invalid("request.reason_empty", "A request needs a reason", "", 'Add reason="...".')
    span = format_duration(duration) if isinstance(duration, int) else duration
    wish = {
        "target": target,
        "reason": reason,
        "ticket": ticket,
        "duration": span,
        "project": project,
        "start": start.isoformat() if isinstance(start, datetime) else start,
        "break_glass": break_glass,
        "scope": scope,
        "payload": None if run is None else _payload(*run),
    }
    return current().request(wish, wait=wait, limit=timeout)


def _payload(circuits: Any, backend: str, shots: int) -> dict[str, Any]:
    """Describe what will run by the circuits' structural hashes."""
    from ..provenance.circuit import structural_hash

    several = circuits if isinstance(circuits, (list, tuple)) else [circuits]
    return {
        "circuits": [structural_hash(circuit) for circuit in several],
        "backend": str(backend),
        "shots": int(shots),
    }


def extend(target_or_id: str, duration: str | int, reason: str | None = None, *, wait: bool = True) -> Grant:
    """Ask for more time on a grant before it ends; its credential stays the same.

    Args:
        target_or_id: A target's name (its newest open grant is meant) or a grant's id.
        duration: How much more, such as ``"30m"`` or a number of seconds.
        reason: Why; the grant's own reason when left out.
        wait: Wait until somebody has decided, when a person has to.

    Returns:
        The extension, a grant of its own whose end is the new end.

    Raises:
        Invalid: ``duration.over_cap`` when the whole would be longer than the target allows.
        Denied: Refused by policy or by a person.
    """
    span = format_duration(duration) if isinstance(duration, int) else duration
    return current().extend(target_or_id, span, reason, wait=wait)


def credential(target: str) -> Credential:
    """Return the credential for a target that you hold an active grant for; cached until it ends.

    Raises:
        Denied: ``grant.expired``, ``grant.revoked``, or no grant at all; the remedy says what to do.
        Unavailable: No channel, or no control plane and nothing cached.
    """
    return current().credential(target)


def runtime_service(target: str, *, job: str | None = None, **options: Any) -> QiskitRuntimeService:
    """Return IBM's own ``QiskitRuntimeService`` for a target of tier *proxy*.

    It is unmodified, and works as it does against IBM Quantum; its calls go through the gateway, which holds
    the key. What this kernel holds is a token that is good there only, and ends with the grant.

    Args:
        target: Its name in the catalogue; you hold an active grant for it, or the right to read its results.
        job: Only to read the results of this job and of those that were submitted with it: it needs no
            grant of this kernel, as long as the target lets results be read afterwards.
        options: For the client's constructor, but for account, instance and addresses.

    Raises:
        Denied: As :func:`credential`.
        Invalid: ``runtime.not_proxied`` for a target of another tier.
        Unavailable: IBM's client is not installed, or the gateway does not answer.
    """
    from .runtime import service

    session = current()
    return service(session.reading(target, job) if job else session.credential(target), options)


def braket_session(target: str) -> AwsSession:
    """Return Amazon's own ``AwsSession`` for a target of tier *proxy*: give it to ``AwsDevice``.

    It is unmodified; its calls go through the gateway, which holds the account's keys. What this kernel holds
    is a token that is good there only, and ends with the grant.

    Raises:
        Denied: As :func:`credential`.
        Invalid: ``braket.not_proxied`` for another kind of target.
        Unavailable: Amazon's SDK is not installed.
    """
    from .braket_session import session

    return session(current().credential(target))


def sign(target: str, data: bytes) -> str:
    """Sign with a target's key, which never leaves its store (tier *operate*).

    Returns:
        The signature in the store's own form, e.g. ``vault:v1:…``.

    Raises:
        Denied: As :func:`credential`.
        Invalid: ``vault.not_operated`` for a target that delivers a credential instead.
    """
    return _operated(target, "sign", data)


def verify(target: str, data: bytes, signature: str) -> bool:
    """Say whether ``signature`` is the target's key's over ``data``; raises as :func:`sign`."""
    return _operated(target, "verify", data, signature) == "true"


def encrypt(target: str, data: bytes) -> str:
    """Encrypt with a target's key; the answer is in the store's own form. Raises as :func:`sign`."""
    return _operated(target, "encrypt", data)


def decrypt(target: str, ciphertext: str) -> bytes:
    """Decrypt what :func:`encrypt` gave; raises as :func:`sign`."""
    return base64.b64decode(_operated(target, "decrypt", ciphertext.encode()))


def _operated(target: str, operation: str, data: bytes, signature: str = "") -> str:
    text = base64.b64encode(data).decode()
    answer = current().channel.call(
        "operate", target=target, operation=operation, data=text, signature=signature
    )
    return str(answer["result"])


def targets() -> Targets:
    """Return what can be asked for."""
    found = current().channel.call("targets")["targets"]
    return Targets(Target.from_dict(target) for target in found)


def grants() -> Grants:
    """Return this kernel's grants, newest first."""
    return current().grants()


def revoke(target_or_id: str, comment: str | None = None) -> Grant:
    """Hand a grant back early, or withdraw a request.

    Args:
        target_or_id: A target's name (its newest open grant is meant) or a grant's id.
        comment: For the record.

    Raises:
        NotFound: This kernel holds no such open grant.
    """
    return current().revoke(target_or_id, comment)


def status() -> Status:
    """Return what is on, what is off and why. Never raises for a missing part: it says so."""
    from .health import checks

    try:
        return Status(current().channel.call("status", within=5.0), checks(), None)
    except QsecError as error:
        return Status({}, checks(), error)


def provenance(run_id: str | None = None) -> Run:
    """Return the record of a run: the last one of this kernel, or the one with that id.

    Raises:
        NotFound: ``run.none``: nothing has been recorded yet.
    """
    from . import execution

    session = current()
    execution.stop(2.0)
    if run_id is None:
        runs = session.channel.call("runs", limit=1)["runs"]
        if not runs:
            raise NotFound(
                "run.none",
                "No run has been recorded",
                "",
                "Run a circuit first; `%qsec status` says what is hooked.",
            )
        run_id = str(runs[0]["run_id"])
    return Run(session.channel.call("run", run_id=run_id))
