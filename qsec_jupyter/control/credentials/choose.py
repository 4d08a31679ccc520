"""Decides, by what the machine has, which store is in use, and opens it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Literal

import structlog

from ...core.errors import QsecError, Unavailable
from ...core.signing import Signer
from . import dev, identity, starts
from .broker import Broker, Check, TargetSource, WrappedKey
from .identity import BrokerIdentity
from .keystore import KeyStore, real_keyring
from .naming import Mounts
from .sealed import STORE_NAME, SealedBroker, SealedFile
from .signers import new_seed, signer_of
from .vault import Endpoint, VaultAdapter
from .vault_broker import VaultBroker
from .wrapping import MachineWrapping, is_transit

SIGNING_KEY = "signing.key"
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Choice:
    """Which store a control plane would open; making one opens nothing.

    Attributes:
        kind: ``external`` for ``VAULT_ADDR``, ``dev`` for a server of our own, ``embedded`` for the file.
        environ: The environment that it was made from.
        binary: The program that a dev server would be started from.
    """

    kind: Literal["external", "dev", "embedded"]
    environ: Mapping[str, str]
    binary: str | None = None

    @property
    def sentence(self) -> str:
        """Say it to a person."""
        if self.kind == "external":
            return f"the Vault or OpenBao at {self.environ['VAULT_ADDR']} (VAULT_ADDR)"
        if self.kind == "dev":
            return f"a dev server of our own from {self.binary}, forgotten when it stops"
        return "the embedded sealed store, because there is no VAULT_ADDR and no vault or bao on PATH"

    def checks(self, home: Path, targets: Mapping[str, TargetSource] | None = None) -> list[Check]:
        """Check what can be checked without starting, making or changing anything."""
        keys = KeyStore(home, real_keyring())
        try:
            if self.kind == "external":
                return self._external_checks(keys, targets or {})
            if self.kind == "embedded":
                return _store_checks(home, keys)
        except QsecError as error:
            return [Check("vault", False, f"{error.title}. {error.detail}", error.remedy)]
        return []

    def permissions(self, home: Path, targets: Mapping[str, TargetSource]) -> list[Check]:
        """Ask an external Vault what our tokens may do: what is missing, and what is too wide."""
        if self.kind != "external":
            detail = "There is no Vault of somebody else's to ask: " + self.sentence + "."
            return [Check("permission", False, detail, "Set VAULT_ADDR.")]
        try:
            return self._external_checks(KeyStore(home, real_keyring()), targets, VaultBroker.permissions)
        except QsecError as error:
            return [Check("vault", False, f"{error.title}. {error.detail}", error.remedy)]

    def _external_checks(
        self,
        keys: KeyStore,
        targets: Mapping[str, TargetSource],
        ask: Callable[[VaultBroker], list[Check]] = VaultBroker.checks,
    ) -> list[Check]:
        found = keys.read(identity.KEY_NAME)
        if found is None:
            remedy = "Run `qsec setup vault`; it makes the key and shows what the Vault needs."
            return [Check("vault.key", False, "This machine has no key to log in with yet.", remedy)]
        broker = _external(found, keys, targets, self.environ)
        try:
            return ask(broker)
        finally:
            broker.close()


def choose(environ: Mapping[str, str]) -> Choice:
    """Decide: ``VAULT_ADDR``, else ``vault`` or ``bao`` on PATH, else the embedded store."""
    if environ.get("VAULT_ADDR"):
        return Choice("external", environ)
    binary = dev.find_binary(environ)
    return Choice("dev", environ, binary) if binary else Choice("embedded", environ)


def choose_broker(home: Path, targets: Mapping[str, TargetSource], environ: Mapping[str, str]) -> Broker:
    """Open the store; see :func:`.broker.open_broker`."""
    keys = KeyStore(home, real_keyring())
    choice = choose(environ)
    if choice.kind == "external":
        return _external(keys.create(identity.KEY_NAME, identity.new_private_key), keys, targets, environ)
    if choice.binary is None:
        return SealedBroker(home, targets, keys)
    try:
        return _dev(choice.binary, keys, targets, environ)
    except QsecError as error:
        _log.warning("vault.dev_not_started", code=error.code)
        note = f"{Path(choice.binary).name} is on PATH and did not start"
        return SealedBroker(home, targets, keys, note)


def _external(
    key: tuple[bytes, Literal["os-keyring", "file-0600"]],
    keys: KeyStore,
    targets: Mapping[str, TargetSource],
    environ: Mapping[str, str],
) -> VaultBroker:
    private_key, protection = key
    return VaultBroker(
        VaultAdapter(Endpoint.from_environ(environ)),
        mounts=Mounts.from_environ(environ),
        identity=BrokerIdentity(private_key, _utc_now),
        targets=targets,
        local=lambda: local_signer(keys),
        machine=MachineWrapping(keys),
        origin="external",
        key_protection=protection,
        start=starts.from_environ(environ, keys),
    )


def _dev(
    binary: str, keys: KeyStore, targets: Mapping[str, TargetSource], environ: Mapping[str, str]
) -> VaultBroker:
    # The server lives as long as this process, so the key that it trusts need not live longer.
    own = BrokerIdentity(identity.new_private_key(), _utc_now)
    mounts = Mounts()
    server = dev.start(binary, environ, targets, mounts, own.public_pem())
    return VaultBroker(
        VaultAdapter(Endpoint(server.address)),
        mounts=mounts,
        identity=own,
        targets=targets,
        local=lambda: local_signer(keys),
        machine=MachineWrapping(keys),
        origin="dev",
        key_protection=None,
        on_close=server.stop,
    )


def _store_checks(home: Path, keys: KeyStore) -> list[Check]:
    if not (home / STORE_NAME).exists():
        return [Check("vault", True, "There is no sealed store yet; the first control plane makes one.", "")]
    content, protection = SealedFile(home, keys).load()
    place = "in the OS keyring" if protection == "os-keyring" else "in a file of mode 0600"
    return [
        Check(
            "vault",
            True,
            f"The sealed store opens ({len(content.secrets)} secrets); its key lies {place}.",
            "",
        )
    ]


class Opener:
    """Opens evidence on this machine, without a control plane; starts and makes nothing.

    Keys that a Vault wrapped are opened by the Vault of ``VAULT_ADDR``, asked when the first one is needed.

    Args:
        home: The state folder.
        environ: The environment, see :func:`.broker.open_broker`.
    """

    def __init__(self, home: Path, environ: Mapping[str, str]) -> None:
        self._keys = KeyStore(home, real_keyring())
        self._environ = environ
        self._vault: Broker | None = None

    def unwrap(self, wrapped: WrappedKey) -> bytes:
        """See :meth:`.broker.KeyWrapping.unwrap`."""
        if not is_transit(wrapped) or not self._environ.get("VAULT_ADDR"):
            return MachineWrapping(self._keys).unwrap(wrapped)
        if self._vault is None:
            found = self._keys.read(identity.KEY_NAME)
            if found is None:
                raise Unavailable(
                    "vault.no_identity",
                    "This machine has no key to log in to the Vault with",
                    "The account or the state folder is another one than the server's.",
                    "Use those of the Jupyter Server that recorded the run.",
                )
            self._vault = _external(found, self._keys, {}, self._environ)
        return self._vault.unwrap(wrapped)


def local_signer(keys: KeyStore) -> Signer:
    """Return this machine's signing key, made at its first use."""
    return signer_of(keys.create(SIGNING_KEY, new_seed)[0])


def _utc_now() -> datetime:
    return datetime.now(timezone.utc)
