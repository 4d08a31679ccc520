"""What every secrets engine offers, and what it gets to do it with.

Two kinds: an :class:`Engine` delivers a credential (tier *deliver*); an :class:`Operator` does
something with a key that stays where it is (tier *operate*). Both call the Vault with the token of
one grant's session only, so what they get dies with that session wherever the engine keeps leases.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Literal, Protocol

from ....core.errors import NotFound
from ....core.secret import Secret
from ..broker import Operation, TargetSource
from ..naming import Mounts, target_role
from ..vault import Answer, VaultAdapter, path_segments
from ..vault_errors import Doing

Capability = Literal["read", "update"]


@dataclass(frozen=True, slots=True)
class Material:
    """What an engine gave.

    Attributes:
        value: The one secret that most uses need, e.g. the password.
        fields: Every secret part by name, empty when ``value`` is all there is.
        public: Parts that are no secret, e.g. a user name or a certificate.
        lease_id: The lease that it hangs on, ``None`` without one.
        renewable: Whether that lease can be made longer.
        lives: Seconds it is good for by itself, counted from sending; ``None`` for without end.
        sent: Monotonic time of sending.
        outlives: When a copy stops working though session and lease were ended before; ``None`` when
            it ends with them, or when nobody knows (kv).
    """

    value: Secret
    fields: Mapping[str, Secret] = field(default_factory=dict)
    public: Mapping[str, str] = field(default_factory=dict)
    lease_id: str | None = None
    renewable: bool = False
    lives: float | None = None
    sent: float = 0.0
    outlives: datetime | None = None


@dataclass(frozen=True, slots=True)
class SessionCalls:
    """Calls with one session's token, worded for one target.

    Attributes:
        clock: Present time, for absolute ends.
        advice: The command by which an administrator puts there what is missing.
    """

    adapter: VaultAdapter
    mounts: Mounts
    token: Secret
    target: str
    clock: Callable[[], datetime]
    advice: str

    def call(self, method: str, path: str, what: str, body: Mapping[str, Any] | None = None) -> Answer:
        """Send one call; ``what`` completes "The Vault refused to …".

        Raises:
            QsecError: As :meth:`.VaultAdapter.call`; ``vault.secret_missing`` when nothing is there.
        """
        doing = Doing(f"{what} of target {self.target!r}", f"policy {target_role(self.target)}")
        try:
            return self.adapter.call(method, path, doing=doing, token=self.token, body=body)
        except NotFound as error:
            raise missing(self.target, path, self.advice) from error

    def secret(self, text: object, what: str) -> Secret:
        """Return a part of an answer as a secret.

        Raises:
            NotFound: ``vault.secret_missing`` when it is no text, or empty.
        """
        if not isinstance(text, str) or not text:
            raise missing(self.target, what, self.advice)
        return Secret(text, self.target)


class Described(Protocol):
    """What is known of an engine before anything is asked of it."""

    name: ClassVar[str]
    revocability: ClassVar[str]

    @property
    def mount_type(self) -> str | None:
        """Type of the mount that it needs, ``None`` when it needs none beside ours."""
        ...

    def needs(self, source: TargetSource, mounts: Mounts) -> Mapping[str, Capability]:
        """Return the paths that a session uses, and how; policy and doctor are made from it."""
        ...

    def advice(self, source: TargetSource, mounts: Mounts) -> str:
        """Return the command by which an administrator puts there what is missing."""
        ...


class Engine(Described, Protocol):
    """Delivers credentials."""

    reads_anew: ClassVar[bool]
    """Whether each use reads again (kv), instead of making one credential a grant."""

    def issue(self, calls: SessionCalls, source: TargetSource) -> Material:
        """Get one credential. Nothing is sent twice.

        Raises:
            QsecError: As :meth:`SessionCalls.call`.
        """
        ...


class Operator(Described, Protocol):
    """Does something with a key that never leaves its store."""

    def operate(
        self, calls: SessionCalls, source: TargetSource, operation: Operation, data: bytes, signature: str
    ) -> str:
        """Sign, verify, encrypt or decrypt.

        Raises:
            QsecError: As :meth:`SessionCalls.call`.
        """
        ...


def missing(target: str, where: str, advice: str) -> NotFound:
    """Return the error for a secret or role that is not there."""
    return NotFound(
        "vault.secret_missing",
        "The Vault has no secret for this target",
        f"Nothing usable at {where} (target {target!r}).",
        f"An administrator puts it there: {advice}",
    )


def mount_of(source: TargetSource, usual: str) -> str:
    """Return the mount of a source: its own, else the usual one."""
    return "/".join(path_segments(source.mount or usual))


def name_of(source: TargetSource) -> str:
    """Return a source's path, checked."""
    return "/".join(path_segments(source.path))
