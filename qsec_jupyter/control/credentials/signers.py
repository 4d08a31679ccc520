"""The two signers of ledger entries and statements: a key on this machine, and Vault transit."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ...core.errors import NotFound, Unavailable
from ...core.secret import Secret
from ...ledger.keys import LocalSigner
from . import vault_errors
from .naming import BROKER_ROLE, TRANSIT_KEY
from .vault import Answer, VaultAdapter
from .vault_errors import Doing

WithToken = Callable[[Callable[[Secret], Answer]], Answer]
"""Makes a call with the broker's token; see :meth:`.login.BrokerToken.run`."""


def signer_of(seed: bytes) -> LocalSigner:
    """Return the signer of a private key given as its 32 raw bytes (RFC 8032, 5.1.5).

    Raises:
        Unavailable: ``key.unusable`` when it is no such key.
    """
    try:
        return LocalSigner(Ed25519PrivateKey.from_private_bytes(seed))
    except ValueError as error:
        raise Unavailable(
            "key.unusable",
            "The signing key cannot be used",
            "It is not an Ed25519 private key of 32 bytes.",
            "Bring it back from a backup, or move it away; a new one is then made.",
        ) from error


class TransitSigner:
    """Signs with one version of the Vault's transit key; the private key never leaves the Vault.

    Args:
        adapter: The Vault.
        mount: The transit mount.
        with_token: Makes a call with the broker's token.
        version: Which version of the key; a rotation makes a new signer, never changes this one.
        public_key: Raw public key of that version, 32 bytes.
    """

    def __init__(
        self, adapter: VaultAdapter, mount: str, with_token: WithToken, version: int, public_key: bytes
    ) -> None:
        self._adapter = adapter
        self._mount = mount
        self._with_token = with_token
        self._version = version
        self.public_key = public_key
        self.name = f"vault-transit:{TRANSIT_KEY}:v{version}"

    @classmethod
    def newest(cls, adapter: VaultAdapter, mount: str, with_token: WithToken) -> TransitSigner:
        """Read the key's public half.

        Raises:
            Unavailable: ``vault.not_set_up`` when there is no such key, else as :meth:`.VaultAdapter.call`.
        """
        doing = Doing("read the signing key's public half", f"policy {BROKER_ROLE}")
        path = f"{mount}/keys/{TRANSIT_KEY}"
        try:
            data = with_token(lambda token: adapter.call("GET", path, doing=doing, token=token)).data
        except NotFound as error:
            raise vault_errors.not_set_up(f"It has no signing key at {path}.") from error
        try:
            version = int(data["latest_version"])
            public_key = base64.b64decode(data["keys"][str(version)]["public_key"], validate=True)
        except (KeyError, TypeError, ValueError) as error:
            raise vault_errors.bad_answer(doing) from error
        return cls(adapter, mount, with_token, version, public_key)

    def sign(self, data: bytes) -> bytes:
        """Return the raw signature of 64 bytes over ``data``, made in the Vault."""
        doing = Doing("sign", f"policy {BROKER_ROLE}")
        body: dict[str, Any] = {"input": base64.b64encode(data).decode(), "key_version": self._version}
        path = f"{self._mount}/sign/{TRANSIT_KEY}"
        answer = self._with_token(
            lambda token: self._adapter.call("POST", path, doing=doing, token=token, body=body)
        )
        # "vault:v<version>:<base64>", Vault's transit API
        _, version, text = [*str(answer.data.get("signature", "")).split(":"), "", "", ""][:3]
        try:
            signature = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError) as error:
            raise vault_errors.bad_answer(doing) from error
        if version != f"v{self._version}" or len(signature) != 64:
            raise vault_errors.bad_answer(doing)
        return signature

    def __repr__(self) -> str:
        return f"TransitSigner({self.name})"


def new_seed() -> bytes:
    """Return a new Ed25519 private key as its 32 raw bytes."""
    return Ed25519PrivateKey.generate().private_bytes_raw()
