"""Bearers for tools: short-lived, for some scopes and targets, revocable, and never more than their owner.

A tool's bearer is treated as one more kernel of its owner, ``token-<id>``: it holds grants of its own, sees
no others, decides nothing, and what hangs on it ends with it.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, get_args

from ...core.errors import Denied, Invalid, NotFound
from ...core.model import Scope, rfc3339
from ...core.secret import Secret
from ..audit import Audit
from ..callers import Caller
from .workloads import Verified

ADMITTED_SECONDS = 900
"""The longest life of the bearer that a workload gets for its assertion."""

LONGEST_SECONDS = 8 * 3600
"""The longest life of a bearer."""

MOST = 50
"""How many a person may have at once."""

PREFIX = "qsec_"
"""What a bearer begins with, so that scanners know one when they see it."""

_LENT = frozenset({"developer", "researcher", "operator"})
"""Roles that a tool may act in; deciding and administering are for people."""

_OWN = r"/v1/grants/[0-9a-f]{32}"
_GRANTS = (
    ("POST", r"/v1/(grants|credentials)"),
    ("GET", _OWN),
    ("POST", rf"{_OWN}/(cancel|revoke|extend)"),
)
_EVERY = (("GET", r"/v1/(health|targets)"),)
_REACHED: dict[Scope, tuple[tuple[str, str], ...]] = {
    "metadata": _GRANTS,
    "retrieve": (
        ("GET", r"/v1/runs(/[0-9a-f]{32}(/diff/[0-9a-f]{32})?)?"),
        ("GET", r"/v1/runs/of-job/[^/]+"),
        ("GET", r"/v1/jobs(/[^/]+(/exposure)?)?"),
    ),
    "submit": (
        *_GRANTS,
        ("POST", r"/v1/(credentials/operations|permits|runs|gaps|untracked)"),
        ("POST", r"/v1/runs/[0-9a-f]{32}/job"),
        ("PUT", r"/v1/evidence/[0-9a-f]{64}"),
    ),
}
"""What a bearer reaches by its scopes, beside what every bearer does; which grants it gets is for policy."""

TOKEN_SECONDS = 1.0
"""How often is looked which bearer of a tool is over; it lets nobody in from the very moment."""


@dataclass(frozen=True, slots=True)
class Token:
    """What is known of a bearer: everything but its value.

    Attributes:
        id: Names it; ``token-<id>`` is the kernel that it acts as.
        owner: Whose it is.
    """

    id: str
    label: str
    owner: str
    scopes: tuple[Scope, ...]
    targets: tuple[str, ...]
    created_at: str
    expires_at: str


class Tokens:
    """The bearers of this control plane; they end with it. Thread-safe.

    Args:
        audit: Where issue, refusal and end are written.
        end: Ends what hangs on a bearer: called with its caller.
        clock: Gives the time.
    """

    def __init__(self, audit: Audit, end: Callable[[Caller], object], clock: Callable[[], datetime]) -> None:
        self._audit = audit
        self._end = end
        self._clock = clock
        self._lock = threading.Lock()
        self._held: dict[bytes, tuple[Token, Caller]] = {}

    def issue(
        self, owner: Caller, scopes: tuple[str, ...], targets: tuple[str, ...], seconds: int, label: str
    ) -> tuple[Token, Secret]:
        """Make a bearer for a tool of ``owner``.

        Raises:
            Denied: ``token.person_only``, ``token.too_many``.
            Invalid: ``token.scopes``, ``token.duration``.
        """
        _require_person(owner)
        if not scopes or set(scopes) - set(get_args(Scope)):
            known = ", ".join(get_args(Scope))
            raise Invalid(
                "token.scopes", "A token is for scopes that exist", f"They are {known}.", "Name one."
            )
        if not 0 < seconds <= LONGEST_SECONDS:
            raise Invalid(
                "token.duration", "A token is short-lived", "At most 8 hours.", "Ask for less time."
            )
        token, caller = self._made(owner, scopes, targets, seconds, label)
        return token, self._hold(token, caller)

    def admit(self, verified: Verified, server_id: str) -> tuple[Token, Secret]:
        """Make a bearer for a workload that has proved who it is: as short-lived as its proof.

        Raises:
            Denied: ``token.too_many``.
        """
        now, who = self._clock(), verified.principal
        ends = min(
            now + timedelta(seconds=ADMITTED_SECONDS), datetime.fromtimestamp(verified.expires_at, now.tzinfo)
        )
        token = Token(
            id=secrets.token_hex(8),
            label=verified.workload.name,
            owner=who.name,
            scopes=who.scopes,
            targets=who.targets,
            created_at=rfc3339(now),
            expires_at=rfc3339(ends),
        )
        return token, self._hold(token, Caller(who, server_id, f"token-{token.id}"))

    def _hold(self, token: Token, caller: Caller) -> Secret:
        bearer = Secret(PREFIX + secrets.token_urlsafe(32), "token")
        with self._lock:
            if sum(_same(one, caller) for _, one in self._held.values()) >= MOST:
                raise Denied(
                    "token.too_many", "There are too many tokens", f"At most {MOST}.", "Revoke some."
                )
            self._audit.record("token.issued", caller.principal, **self._about(token, caller))
            self._held[_digest(bearer.reveal())] = (token, caller)
        return bearer

    def _made(
        self, owner: Caller, scopes: tuple[str, ...], targets: tuple[str, ...], seconds: int, label: str
    ) -> tuple[Token, Caller]:
        now, identifier = self._clock(), secrets.token_hex(8)
        kept = tuple(scope for scope in get_args(Scope) if scope in scopes)
        token = Token(
            id=identifier,
            label=label.strip()[:80],
            owner=owner.principal.name,
            scopes=kept,
            targets=targets,
            created_at=rfc3339(now),
            expires_at=rfc3339(now + timedelta(seconds=seconds)),
        )
        roles = tuple(
            role for role in owner.principal.roles if role in {"developer", "researcher", "operator"}
        )
        principal = replace(owner.principal, kind="workload", roles=roles, scopes=kept, targets=targets)
        return token, Caller(principal, owner.server_id, f"token-{identifier}")

    def find(self, bearer: str) -> Caller | None:
        """Return who a bearer speaks for; ``None`` when it is none of ours, or over."""
        with self._lock:
            held = self._held.get(_digest(bearer))
        if held is None or held[0].expires_at <= rfc3339(self._clock()):
            return None
        return held[1]

    def listed(self, owner: Caller) -> list[Token]:
        """Return the bearers of somebody that are good now, newest first."""
        _require_person(owner)
        now = rfc3339(self._clock())
        with self._lock:
            mine = [one for one, caller in self._held.values() if _same(caller, owner)]
        return sorted(
            (one for one in mine if one.expires_at > now), key=lambda one: one.created_at, reverse=True
        )

    def revoke(self, owner: Caller, identifier: str) -> Token:
        """End a bearer and what hangs on it.

        Raises:
            NotFound: ``token.unknown``.
        """
        _require_person(owner)
        gone = self._take(lambda one, caller: one.id == identifier and _same(caller, owner))
        if not gone:
            raise NotFound("token.unknown", "There is no such token", "", "`qsec token list` shows yours.")
        token, caller = gone[0]
        self._audit.record_ending("token.revoked", owner.principal, **self._about(token, caller))
        self._end(caller)
        return token

    def expire(self) -> None:
        """End the bearers whose time is over, and what hangs on them."""
        now = rfc3339(self._clock())
        for token, caller in self._take(lambda one, _: one.expires_at <= now):
            self._audit.record_ending("token.expired", **self._about(token, caller))
            self._end(caller)

    def _about(self, token: Token, caller: Caller) -> dict[str, Any]:
        return {
            "token": token.id,
            "owner": self._audit.pseudonym(caller.principal),
            "scopes": list(token.scopes),
            "targets": list(token.targets),
            "expires_at": token.expires_at,
        }

    def _take(self, which: Callable[[Token, Caller], bool]) -> list[tuple[Token, Caller]]:
        with self._lock:
            keys = [key for key, held in self._held.items() if which(*held)]
            return [self._held.pop(key) for key in keys]


def _same(one: Caller, other: Caller) -> bool:
    return one.principal.subject == other.principal.subject


def is_token(caller: Caller) -> bool:
    """Say whether a caller came in with a tool's bearer, before anything is said of a kernel."""
    return caller.principal.kind == "workload" and (caller.kernel_id or "").startswith("token-")


def reaches(caller: Caller, method: str, path: str) -> bool:
    """Say whether a tool's bearer may call a path."""
    routes = [*_EVERY, *(route for scope in caller.principal.scopes for route in _REACHED[scope])]
    return any(method == verb and re.fullmatch(pattern, path) for verb, pattern in routes)


def _require_person(caller: Caller) -> None:
    if caller.kernel_id is not None or caller.principal.kind != "person":
        raise Denied(
            "token.person_only",
            "Only a person makes, lists and revokes tokens",
            "The rule: neither a kernel nor a tool gives its rights on.",
            "Use `qsec token` in a terminal.",
        )


def _digest(bearer: str) -> bytes:
    return hashlib.sha256(bearer.encode("utf-8", "surrogatepass")).digest()
