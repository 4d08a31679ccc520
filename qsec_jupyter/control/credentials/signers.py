"""The two signers of ledger entries and statements: a key on this machine, and Vault transit."""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


class LocalSigner:
    """Signs with an Ed25519 key in this process's memory.

    Args:
        seed: The private key, 32 bytes (RFC 8032, 5.1.5).
    """

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public_key = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.name = f"local:{hashlib.sha256(self.public_key).hexdigest()[:16]}"

    def sign(self, data: bytes) -> bytes:
        """Return the raw signature of 64 bytes over ``data``."""
        return self._key.sign(data)

    def __repr__(self) -> str:
        return f"LocalSigner({self.name})"


def new_seed() -> bytes:
    """Return a new Ed25519 private key as its 32 raw bytes."""
    return Ed25519PrivateKey.generate().private_bytes_raw()
