"""Decides, once and by what the machine has, which store is in use."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path

import structlog

from ...core.errors import QsecError
from . import dev, identity
from .broker import Broker, TargetSource
from .identity import BrokerIdentity
from .keystore import KeyStore, real_keyring
from .naming import Mounts
from .sealed import SealedBroker
from .signers import LocalSigner, new_seed
from .vault import Endpoint, VaultAdapter
from .vault_broker import VaultBroker

SIGNING_KEY = "signing.key"
_log = structlog.get_logger(__name__)


def choose_broker(home: Path, targets: Mapping[str, TargetSource], environ: Mapping[str, str]) -> Broker:
    """Open the store; see :func:`.broker.open_broker`."""
    keys = KeyStore(home, real_keyring())
    if environ.get("VAULT_ADDR"):
        return _external(keys, targets, environ)
    binary = dev.find_binary(environ)
    if binary is None:
        return SealedBroker(home, targets, keys)
    try:
        return _dev(binary, keys, targets, environ)
    except QsecError as error:
        _log.warning("vault.dev_not_started", code=error.code)
        note = f"{Path(binary).name} is on PATH and did not start"
        return SealedBroker(home, targets, keys, note)


def _external(keys: KeyStore, targets: Mapping[str, TargetSource], environ: Mapping[str, str]) -> VaultBroker:
    private_key, protection = keys.create(identity.KEY_NAME, identity.new_private_key)
    return VaultBroker(
        VaultAdapter(Endpoint.from_environ(environ)),
        mounts=Mounts.from_environ(environ),
        identity=BrokerIdentity(private_key, _utc_now),
        targets=targets,
        local=lambda: local_signer(keys),
        origin="external",
        key_protection=protection,
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
        origin="dev",
        key_protection=None,
        on_close=server.stop,
    )


def local_signer(keys: KeyStore) -> LocalSigner:
    """Return this machine's signing key, made at its first use."""
    return LocalSigner(keys.create(SIGNING_KEY, new_seed)[0])


def _utc_now() -> datetime:
    return datetime.now(timezone.utc)
