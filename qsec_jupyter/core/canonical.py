"""Canonical JSON (RFC 8785) and digests over it: what is signed or hashed goes through here."""

from __future__ import annotations

import hashlib
from typing import Any


def canonical_bytes(value: Any) -> bytes:
    """Return the RFC 8785 form of a JSON value.

    Raises:
        ValueError: For NaN, infinities, integers beyond 2**53 and non-JSON types.
    """
    import rfc8785  # the kernel imports core but never needs this function

    encoded: bytes = rfc8785.dumps(value)
    return encoded


def sha256_hex(data: bytes) -> str:
    """Return the lower-case hex SHA-256 of ``data``."""
    return hashlib.sha256(data).hexdigest()


def digest(value: Any) -> str:
    """Return the lower-case hex SHA-256 of the canonical form of a JSON value."""
    return sha256_hex(canonical_bytes(value))
