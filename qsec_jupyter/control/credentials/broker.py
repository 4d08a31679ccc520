"""The interface that every source of credentials implements, and the values that cross it.

A broker is blocking: the control plane calls it from a worker thread. It has two
implementations, :mod:`.vault_broker` (a Vault or an OpenBao, external or a dev server) and
:mod:`.sealed` (one encrypted file); which of them is used is decided once, by :mod:`.choose`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

from ...core.secret import Secret
from ...core.signing import Signer

VaultKind = Literal["vault", "openbao", "sealed-store"]
VaultOrigin = Literal["external", "dev", "embedded"]
KeyProtection = Literal["os-keyring", "file-0600"]


@dataclass(frozen=True, slots=True)
class VaultInfo:
    """Which store is in use, in words for the panel.

    Attributes:
        kind: The product.
        origin: Who runs it: somebody else, this control plane's own dev server, or this process.
        label: One human sentence, e.g. ``Vault 1.21.2 (dev server, forgotten when it stops)``.
        address: Its URL without credentials, or ``None`` for the embedded store.
        key_protection: Where the key lies that opens the store or proves the broker's identity.
    """

    kind: VaultKind
    origin: VaultOrigin
    label: str
    address: str | None
    key_protection: KeyProtection | None


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that is right or wrong with the store, and what to do about it."""

    name: str
    ok: bool
    detail: str
    remedy: str


@dataclass(frozen=True, slots=True)
class TargetSource:
    """Where a target's secret lies, e.g. ``TargetSource("kv-v2", "targets/sandbox", "token")``."""

    engine: str
    path: str
    field: str


@dataclass(frozen=True, slots=True)
class SessionRef:
    """What must be remembered to end a session after a crash. It holds no secret.

    Attributes:
        accessor: Names the session's token without being one; ``None`` when the store gave none.
        lease_ids: Leases that hang on the session.
        expires_at: When the session ends by itself.
    """

    accessor: str | None
    lease_ids: tuple[str, ...]
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class IssueRequest:
    """For whom and for what a credential is asked; ``expires_at`` is the grant's end."""

    grant_id: str
    target: str
    subject: str
    groups: tuple[str, ...]
    server_id: str
    kernel_id: str
    request_id: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Issued:
    """A credential, and how it can be ended.

    Attributes:
        value: The secret.
        expires_at: When the session behind it ends; never after the grant.
        session: What :meth:`Broker.revoke` takes.
        revocability: What ending the session does to a copy of the value, honestly.
        source: Where it came from, e.g. ``vault:kv-v2``; no path, no secret.
    """

    value: Secret
    expires_at: datetime
    session: SessionRef
    revocability: str
    source: str


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A data key that only another key opens.

    Attributes:
        by: Which key, e.g. ``vault-transit:qsec-evidence`` or ``machine:store.key:<id>``.
        blob: The wrapped key, in the words of what wrapped it.
    """

    by: str
    blob: str


class KeyOpener(Protocol):
    """What opens evidence: it unwraps data keys. Thread-safe; may block."""

    def unwrap(self, wrapped: WrappedKey) -> bytes:
        """Unwrap a data key, whichever store wrapped it.

        Raises:
            QsecError: If the store that holds the wrapping key does not answer or refuses;
                ``evidence.needs_vault``, ``evidence.key_missing`` or ``evidence.key_damaged``.
        """
        ...


class Broker(KeyOpener, Protocol):
    """A source of credentials and signatures. Every method is thread-safe and may block."""

    @property
    def info(self) -> VaultInfo:
        """Say which store is in use."""
        ...

    def issue(self, request: IssueRequest, remember: Callable[[SessionRef], None]) -> Issued:
        """Return the target's credential for one grant.

        ``remember`` is called with the session before the secret is read, and must have made it
        durable when it returns; so nothing that was issued can be forgotten in a crash. A grant
        asks again with the same ``grant_id``: the session is reused and ``remember`` not called.

        Raises:
            NotFound: ``vault.no_such_target`` or ``vault.secret_missing``.
            Denied: ``vault.forbidden`` or ``vault.session_ended``.
            Unavailable: The store is sealed, slow, away or not set up.
        """
        ...

    def revoke(self, session: SessionRef) -> bool:
        """End a session; ``True`` when it is verified gone, ``False`` when that could not be seen."""
        ...

    def checks(self) -> list[Check]:
        """Return what is right and wrong with the store, for ``qsec doctor`` and the health line."""
        ...

    def signer(self) -> Signer:
        """Return the signer of ledger and statements (Vault transit, else the local key).

        Raises:
            Unavailable: If the store that holds the key does not answer.
        """
        ...

    def local_signer(self) -> Signer:
        """Return the key on this machine, for signing while the store is away."""
        ...

    def wrap(self, key: bytes) -> WrappedKey:
        """Wrap a data key of evidence: by Vault transit, else by a key of this machine.

        Raises:
            QsecError: If the store that holds the wrapping key does not answer or refuses.
        """
        ...

    def close(self) -> None:
        """Forget every session token and stop what this broker started; revokes nothing."""
        ...


def open_broker(home: Path, targets: Mapping[str, TargetSource], environ: Mapping[str, str]) -> Broker:
    """Open the store that this machine has; never raises because a Vault is down.

    ``VAULT_ADDR`` set: that Vault or OpenBao. Else ``vault`` or ``bao`` on PATH: a dev server of
    our own. Else the embedded sealed store.

    Args:
        home: The user's state folder; keys and the sealed store lie there.
        targets: Where each target of the catalogue keeps its secret.
        environ: The environment to read ``VAULT_ADDR``, ``VAULT_CACERT``, ``VAULT_NAMESPACE``,
            ``QSEC_VAULT_AUTH_MOUNT`` and ``PATH`` from. ``VAULT_TOKEN`` is never read here.
    """
    from .choose import choose_broker  # both brokers import this module

    return choose_broker(home, targets, environ)
