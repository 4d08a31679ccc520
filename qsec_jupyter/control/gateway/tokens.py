"""Gateway tokens: what a kernel or tool holds in the place of a provider's key.

A token is good for one grant, here only, while the grant is active and policy lets its holder use it. Only
its digest is kept, also over a crash of the control plane. The client of IBM wants a JSON Web Token for a
bearer; then the token is its third part, and the first two say no more than when it ends.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

from ...core.errors import Denied, QsecError
from ...core.model import Grant, Scope, moment, rfc3339
from ...core.secret import Secret
from ..book import Book
from ..callers import Caller
from ..changes import Counter
from ..judge import Judge
from .kept_passes import KeptPasses
from .model import Pass

PREFIX = "qsecgw_"
"""What a token begins with, so that scanners know one when they see it (``scan/rules/qsec.toml``)."""

MOST = 64
"""How many tokens of one grant are good at once; the oldest ends for a newer one."""

_TOKEN = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{45}}")
_LONGEST_SLEEP = 0.5
_SWEEP_SECONDS = 2.0
"""How often at most is looked which keys and tokens can be forgotten: each submission changes something."""
_REMEMBERED = 1000

_ENDED = {
    "expired": ("The grant has expired", "Ask for a new one"),
    "revoked": ("The grant was revoked", "Ask for a new one, or speak to whoever revoked it"),
}


@dataclass(slots=True)
class _Held:
    """A token's pass, when it was last looked at, whether its holder has ended, and its streams."""

    holder: Pass
    version: int
    ends: datetime
    allowed: bool = True
    left: bool = False
    streams: set[asyncio.Task[None]] = field(default_factory=set)


class Passes:
    """Makes tokens, knows them again, and cuts what they began when they end.

    Args:
        book: How grants stand.
        judge: Asks policy whether a holder may still use a grant.
        kept: Keeps them over a crash.
        changes: Says when something has changed on which rights depend; only then is anything looked up.
        clock: Gives the time.
    """

    def __init__(
        self,
        *,
        book: Book,
        judge: Judge,
        kept: KeptPasses,
        changes: Counter,
        clock: Callable[[], datetime],
    ) -> None:
        self._book = book
        self._judge = judge
        self._kept = kept
        self._changes = changes
        self._clock = clock
        self._lock = threading.Lock()
        self._held: dict[bytes, _Held] = {}

    def mint(self, caller: Caller, grant: Grant, scope: Scope) -> Secret:
        """Make a token for the holder of an active grant.

        Raises:
            Unavailable: The database cannot be written.
        """
        token = PREFIX + secrets.token_urlsafe(34)[:45]
        holder = Pass(secrets.token_hex(8), caller, grant, scope)
        held = _Held(holder, self._changes.version, moment(grant.expires_at or ""))
        self._kept.add(_digest(token), holder, rfc3339(self._clock()))
        with self._lock:
            mine = [key for key, one in self._held.items() if one.holder.grant.id == grant.id]
            over = mine[: max(0, len(mine) + 1 - MOST)]
            for key in over:
                del self._held[key]
            self._held[_digest(token)] = held
        if over:
            self._kept.drop(over)
        return Secret(token, grant.target)

    def resume(self, server_id: str, kernels: Iterable[str]) -> None:
        """Know the tokens again that the last control plane made for kernels of a server that live still."""
        for digest, holder in self._kept.take_up(server_id, kernels):
            with self._lock:  # no version has been looked at: how each stands is asked at its next use
                self._held[digest] = _Held(holder, 0, moment(holder.grant.expires_at or ""))

    def find(self, token: str | None, target: str) -> Pass:
        """Return what a token stands for, at the target that it was made for.

        Raises:
            Denied: ``gateway.unauthenticated``; ``grant.*`` when what it hung on has ended.
        """
        return self._current(self._known(token, target)).holder

    def _known(self, token: str | None, target: str) -> _Held:
        # A look-up by digest: how long it takes says nothing of how much of a guess was right.
        held = self._held.get(_digest(token)) if token and _TOKEN.fullmatch(token) else None
        if held is None or held.holder.grant.target != target:
            raise Denied(
                "gateway.unauthenticated",
                "This needs a gateway token",
                "There is none, or it is not for this target, or the control plane has started anew since.",
                f'Take a fresh one: qsec.runtime_service("{target}") or qsec.credential("{target}").',
            )
        return held

    def _current(self, held: _Held) -> _Held:
        """Return a token's pass as things stand.

        Raises:
            Denied: When its grant has ended, or policy does not let it be used any more.
        """
        version = self._changes.version
        if held.version != version:  # else nothing that it depends on can have changed, but the time
            grant = self._as_held(held.holder, self._book.get(held.holder.grant.id))
            held.holder, held.ends = replace(held.holder, grant=grant), moment(grant.expires_at or "")
            held.allowed = self._judge.decide("issue", grant, held.holder.caller).allowed
            held.version = version
        grant = held.holder.grant
        state = "expired" if grant.state == "active" and held.ends <= self._clock() else grant.state
        if state != "active":
            title, advice = _ENDED.get(state, _ENDED["revoked"])
            said = f' "{grant.decision_comment}"' if grant.decision_comment else ""
            remedy = f'{advice}: qsec.request("{grant.target}", reason="...").'
            raise Denied(
                f"grant.{state}", title, f"Target {grant.target}, grant {grant.id[:8]}.{said}", remedy
            )
        if held.left:
            raise _left(grant.target)
        if not held.allowed:
            raise Denied(
                "policy.denied",
                "Policy does not allow this any more",
                f"Target {grant.target}, grant {grant.id[:8]}.",
                "`qsec policy explain` says which rule forbids it.",
            )
        return held

    def leave(self, server_id: str, kernel_id: str | None = None) -> None:
        """End what a kernel or tool holds, or all of a server; its person reads results on from elsewhere."""
        for held in list(self._held.values()):
            caller = held.holder.caller
            if caller.server_id == server_id and kernel_id in {None, caller.kernel_id}:
                held.left = True
        self._kept.leave(server_id, kernel_id)
        self._changes.bump()

    def _as_held(self, holder: Pass, grant: Grant) -> Grant:
        """Return a grant as its holder's: the right to read results goes with the person, not the kernel."""
        return replace(grant, kernel_id=holder.caller.kernel_id or "") if grant.parent else grant

    # -- what ends with a token ---------------------------------------------------------------------

    @contextmanager
    def streaming(self, token: str | None, task: asyncio.Task[None], target: str) -> Iterator[None]:
        """Have a task cancelled when the token that it runs for ends, while the block lasts."""
        held = self._known(token, target)
        held.streams.add(task)
        try:
            yield
        finally:
            held.streams.discard(task)

    async def watch(self, ended: Callable[[frozenset[str]], object]) -> None:
        """Cut what runs for tokens that have ended, as soon as they have.

        Args:
            ended: Called with the ids of all grants that are still open, whenever something has changed.
        """
        seen = swept = 0
        due = 0.0
        while True:
            # The time is looked at once a second; a change is seen at once.
            version = await self._changes.beyond(seen, _LONGEST_SLEEP)
            for held in [one for one in list(self._held.values()) if one.streams]:
                self._cut(held)
            seen = version
            if version != swept and time.monotonic() >= due:
                swept, due = version, time.monotonic() + _SWEEP_SECONDS
                still = frozenset(grant.id for grant in await asyncio.to_thread(self._book.open))
                await asyncio.to_thread(self._forget, still)
                ended(still)

    def _cut(self, held: _Held) -> None:
        try:
            self._current(held)
        except QsecError:
            for task in list(held.streams):
                task.cancel()

    def _forget(self, still: frozenset[str]) -> None:
        """Forget tokens of grants that ended, but for the last of them: their holders are told why."""
        with self._lock:
            held = self._held.items()
            over = [key for key, one in held if one.left or one.holder.grant.id not in still]
            for key in over[: max(0, len(over) - _REMEMBERED)]:
                del self._held[key]
        self._kept.keep_only(still)


def _left(target: str) -> Denied:
    return Denied(
        "gateway.holder_ended",
        "The kernel, program or tool that this token was made for has ended",
        f"Target {target}. A token goes with whoever asked for it.",
        f'Take a fresh one: qsec.credential("{target}"), or `qsec token gateway {target}`.',
    )


def as_web_token(token: str, begins: datetime, ends: datetime) -> str:
    """Return a token in the form of a JSON Web Token that says when it ends; nothing is signed by it."""
    head = {"alg": "none", "typ": "JWT"}
    times = {"iat": int(begins.timestamp()), "exp": int(ends.timestamp())}
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (head, times)
    ]
    return ".".join((*parts, token))


def bare(text: str) -> str:
    """Return the token of what a client sent, in either form."""
    return text.rpartition(".")[2]


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
