"""What ledger, statements and brokers mean by a signer; no cryptography is imported here."""

from __future__ import annotations

import hashlib
from typing import Protocol, runtime_checkable


@runtime_checkable
class Signer(Protocol):
    """Signs with one Ed25519 key (RFC 8032), wherever the private half lies."""

    @property
    def name(self) -> str:
        """Say which key this is, e.g. ``vault-transit:qsec-ledger:v1``."""
        ...

    @property
    def public_key(self) -> bytes:
        """Return the raw public key, 32 bytes."""
        ...

    def sign(self, data: bytes) -> bytes:
        """Return the raw signature of 64 bytes over ``data``.

        Raises:
            Unavailable: If the key's holder does not answer.
        """
        ...


def key_id(public_key: bytes) -> str:
    """Return the lower-case hex SHA-256 of the raw public key; the ``keyid`` in every envelope."""
    return hashlib.sha256(public_key).hexdigest()
