"""The interface that every source of credentials implements, and the values that cross it.

A broker is blocking: the control plane calls it from a worker thread. It has two
implementations, :mod:`.vault_broker` (a Vault or an OpenBao, external or a dev server) and
:mod:`.sealed` (one encrypted file); which of them is used is decided once, by :mod:`.choose`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

from ...core.secret import Secret
from ...core.signing import Signer

VaultKind = Literal["vault", "openbao", "sealed-store"]
VaultOrigin = Literal["external", "dev", "embedded"]
KeyProtection = Literal["os-keyring", "file-0600"]
Operation = Literal["sign", "verify", "encrypt", "decrypt"]


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
    """Where a target's secret comes from, e.g. ``TargetSource("kv-v2", "targets/sandbox", "token")``.

    Attributes:
        engine: One of :data:`.engines.ENGINES`.
        path: The secret's path (kv), else the name of the role or key in that engine.
        field: Which part is the value; empty for the engine's usual one.
        mount: Where the engine is mounted; empty for the usual place.
        fields: More parts to hand out (kv), or which operations are offered (transit).
        common_name: Of a certificate (pki); the target's name when empty.
        principals: Whom an SSH certificate is good for, with commas between.
        token_url: Where an API key is exchanged for a bearer (ibm-iam).
        ttl: Asked life of a certificate or key, e.g. ``15m``; the role's when empty.
        rotate_after: Seconds after which the value is to be replaced; 0 for no cadence.
        revoke_on_finding: End what is held at once when the scanner finds an issued value; ``None``: where
            ending it makes a copy worthless.
        seed_file: File whose first line a new store keeps instead of a made-up value (kv). An absolute path;
            a file that others can read is refused.
    """

    engine: str
    path: str
    field: str = ""
    mount: str = ""
    fields: tuple[str, ...] = ()
    common_name: str = ""
    principals: str = ""
    token_url: str = ""
    ttl: str = ""
    rotate_after: int = 0
    revoke_on_finding: bool | None = None
    seed_file: str = ""


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
        fields: Every secret part by name, when there is more than the value.
        public: Parts that are no secret, e.g. ``username`` or ``certificate``.
        refresh_at: When to ask again, since the value ends before the grant does; ``None`` for never.
        outlives: When a copy really stops working, when that is not the session's end.
    """

    value: Secret
    expires_at: datetime
    session: SessionRef
    revocability: str
    source: str
    fields: Mapping[str, Secret] = field(default_factory=dict)
    public: Mapping[str, str] = field(default_factory=dict)
    refresh_at: datetime | None = None
    outlives: datetime | None = None


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

    def operate(
        self,
        request: IssueRequest,
        remember: Callable[[SessionRef], None],
        operation: Operation,
        data: bytes,
        signature: str = "",
    ) -> str:
        """Sign, verify, encrypt or decrypt with a target's key, which never leaves its store.

        Returns:
            The store's own text form; base64 for what was decrypted, ``true`` or ``false`` for verifying.

        Raises:
            QsecError: As :meth:`issue`; ``vault.not_operated`` for a target that delivers.
        """
        ...

    def put(self, target: str, values: Mapping[str, Secret]) -> str:
        """Keep a value for a target, by a person's word; return where, in words.

        Raises:
            Invalid: ``rotate.not_kept`` for a target whose engine makes its values itself.
            Conflict: ``rotate.own_token`` where only a person's own token may write.
        """
        ...

    def keep(self, request: IssueRequest) -> None:
        """Make what a grant holds live on: renew its session and lease when they are due.

        The caller has asked policy first, for a renewal checks no claim again. Does nothing for a
        grant that has no session here; a Vault that is away is tried again at the next call.
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
