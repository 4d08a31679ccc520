"""Wraps the data keys of evidence: by a Vault's transit key, or by a key of this machine.

A wrapped key names what wrapped it, so that evidence written under one store stays readable after a move to
another: as long as that Vault, or that key file, is there.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ...core.errors import Unavailable
from ...core.secret import Secret
from .broker import WrappedKey
from .keystore import KeyStore
from .naming import BROKER_ROLE, EVIDENCE_KEY
from .signers import WithToken
from .vault import Answer, VaultAdapter
from .vault_errors import Doing

MACHINE_KEY = "evidence.key"
"""Wraps where there is no sealed store and no Vault that outlives its control plane."""

_STORE_KEY = "store.key"
_TRANSIT = "vault-transit"
_MACHINE = "machine"
_INFO = b"qsec-jupyter evidence v1"  # separates this use of a key from any other (RFC 5869, 3.2)
_NONCE = 12


class MachineWrapping:
    """Wraps with AES-256-GCM under a key that is derived from one in the key store.

    Args:
        keys: Where this machine's keys lie.
        name: Which of them; ``store.key`` is the sealed store's.
    """

    def __init__(self, keys: KeyStore, name: str = MACHINE_KEY) -> None:
        self._keys = keys
        self._name = name

    def wrap(self, key: bytes) -> WrappedKey:
        """Wrap a data key."""
        held, _ = self._keys.create(self._name, lambda: AESGCM.generate_key(256))
        nonce = os.urandom(_NONCE)
        sealed = AESGCM(_derived(held)).encrypt(nonce, key, _INFO)
        return WrappedKey(_label(self._name, held), base64.b64encode(nonce + sealed).decode())

    def unwrap(self, wrapped: WrappedKey) -> bytes:
        """Unwrap a data key; the key that wrapped it is found by the name it gave.

        Raises:
            Unavailable: ``evidence.key_missing``, or ``evidence.key_damaged``.
        """
        kind, name, _ = [*wrapped.by.split(":"), "", ""][:3]
        if kind == _TRANSIT:
            raise Unavailable(
                "evidence.needs_vault",
                "This evidence can be opened only through the Vault that wrapped its key",
                "No Vault is in use here.",
                "Set VAULT_ADDR to that Vault, as for the Jupyter Server that recorded the run.",
            )
        held = self._keys.read(name) if name in (MACHINE_KEY, _STORE_KEY) else None
        if held is None or _label(name, held[0]) != wrapped.by:
            raise Unavailable(
                "evidence.key_missing",
                "The key of this evidence is not on this machine",
                f"It was wrapped by {name[:40]!r}, which is gone or another one.",
                "Use the account and state folder that recorded the run, or bring the key back.",
            )
        try:
            blob = base64.b64decode(wrapped.blob, validate=True)
            return AESGCM(_derived(held[0])).decrypt(blob[:_NONCE], blob[_NONCE:], _INFO)
        except (InvalidTag, ValueError) as error:
            raise damaged_key() from error


class TransitWrapping:
    """Wraps in a Vault: its transit key never leaves it, so whoever manages keys can end all reading.

    Args:
        adapter: The Vault.
        mount: The transit mount.
        with_token: Makes a call with the broker's token.
    """

    def __init__(self, adapter: VaultAdapter, mount: str, with_token: WithToken) -> None:
        self._adapter = adapter
        self._mount = mount
        self._with_token = with_token

    def wrap(self, key: bytes) -> WrappedKey:
        """Wrap a data key.

        Raises:
            QsecError: As :meth:`.VaultAdapter.call`; ``vault.forbidden`` until ``qsec setup vault`` ran.
        """
        data = self._call("encrypt", {"plaintext": base64.b64encode(key).decode()})
        return WrappedKey(f"{_TRANSIT}:{EVIDENCE_KEY}", str(data.get("ciphertext") or ""))

    def unwrap(self, wrapped: WrappedKey) -> bytes:
        """Unwrap a data key.

        Raises:
            QsecError: As :meth:`.VaultAdapter.call`, or ``evidence.key_damaged``.
        """
        data = self._call("decrypt", {"ciphertext": wrapped.blob})
        try:
            return base64.b64decode(str(data.get("plaintext") or ""), validate=True)
        except (binascii.Error, ValueError) as error:
            raise damaged_key() from error

    def _call(self, verb: str, body: dict[str, str]) -> dict[str, object]:
        doing = Doing(f"{verb} a data key of evidence", f"policy {BROKER_ROLE} (qsec setup vault)")
        path = f"{self._mount}/{verb}/{EVIDENCE_KEY}"

        def call(token: Secret) -> Answer:
            return self._adapter.call("POST", path, doing=doing, token=token, body=body)

        return self._with_token(call).data


def is_transit(wrapped: WrappedKey) -> bool:
    """Say whether a Vault wrapped this key."""
    return wrapped.by.startswith(f"{_TRANSIT}:")


def damaged_key() -> Unavailable:
    """Return the error for a wrapped key that does not open."""
    return Unavailable(
        "evidence.key_damaged",
        "The key of this evidence does not open",
        "Its bytes were changed after they were written.",
        "Bring the journal's folder evidence/keys back from a backup.",
    )


def _derived(key: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=_INFO).derive(key)


def _label(name: str, key: bytes) -> str:
    return f"{_MACHINE}:{name}:{hashlib.sha256(_derived(key)).hexdigest()[:16]}"
