"""What one kernel knows of its grants and credentials, and how it waits for a decision."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from ..core.errors import Denied, NotFound, Unavailable
from ..core.model import OPEN_STATES, Grant
from ..core.secret import Secret
from ..core.wire import Message
from . import channel as channels
from .cards import Grants, notice
from .channel import Channel, absent
from .credential import Credential, ended

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
        """See :func:`.api.request`."""
        return self._asked(Grant.from_dict(self.channel.call("request", **wish)), wait, limit)

    def extend(self, target_or_id: str, duration: str, reason: str | None, *, wait: bool) -> Grant:
        """See :func:`.api.extend`."""
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
        """See :func:`.api.credential`."""
        held = self._credentials.get(target)
        if held is not None and held.end is None:
            return held
        with self._changed:
            fetching = self._fetching.setdefault(target, threading.Lock())
        with fetching:
            fresh = self._credentials.get(target)
            return fresh if fresh is not None and fresh.end is None else self._fetch(target, held)

    def revoke(self, target_or_id: str, comment: str | None) -> Grant:
        """See :func:`.api.revoke`."""
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
        """See :func:`.api.grants`."""
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
    """Make ``session`` the one that the public API uses."""
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
