"""DSSE envelopes: bytes in, bytes out. What was signed is never serialised again.

Format: https://github.com/secure-systems-lab/dsse, by securesystemslib. The envelope's bytes as they are
stored, and so its id, are part of the evidence; a verifier reads the payload out of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import Key, Signature, Signer as LibrarySigner, SSlibKey

from ..core.canonical import sha256_hex
from ..core.errors import Invalid
from ..core.signing import Signer, key_id

PAYLOAD_TYPE = "application/vnd.in-toto+json"


class _Bridge(LibrarySigner):  # type: ignore[misc]  # the library is not followed
    """Lets securesystemslib sign with one of our signers."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    @property
    def public_key(self) -> Key:
        return library_key(self._signer.public_key)

    def sign(self, payload: bytes) -> Signature:
        return Signature(key_id(self._signer.public_key), self._signer.sign(payload).hex())

    @classmethod
    def from_priv_key_uri(cls, *_: Any, **__: Any) -> LibrarySigner:
        """Refuse: a key here is an object that somebody holds, never an address."""
        raise ValueError("these signers have no address")


def library_key(public_key: bytes) -> Key:
    """Return a raw Ed25519 public key as securesystemslib has it."""
    return SSlibKey(key_id(public_key), "ed25519", "ed25519", {"public": public_key.hex()})


def sign(payload: bytes, signer: Signer) -> bytes:
    """Return the envelope, as bytes to be stored as they are.

    Raises:
        Unavailable: If the signer does not answer.
    """
    envelope = Envelope(payload, PAYLOAD_TYPE, {})
    envelope.sign(_Bridge(signer))
    return json.dumps(envelope.to_dict(), separators=(",", ":"), sort_keys=True).encode()


def verify(envelope: bytes, keys: Iterable[bytes]) -> bytes:
    """Return the payload of an envelope that one of ``keys`` (raw Ed25519, 32 bytes) signed.

    Raises:
        Invalid: ``envelope.malformed``, or ``envelope.unverified`` when no key's signature fits.
    """
    try:
        data: dict[str, Any] = json.loads(envelope)
        parsed = Envelope.from_dict(data)
    except Exception as error:  # the library raises whatever base64 and dict access raise
        raise _malformed() from error
    if parsed.payload_type != PAYLOAD_TYPE:
        raise _malformed()
    try:
        parsed.verify([library_key(key) for key in keys], 1)
    except (VerificationError, ValueError) as error:
        raise Invalid(
            "envelope.unverified",
            "A signature does not verify",
            "No key that was offered signed this envelope.",
            "Check the key archive, and where the envelope came from.",
        ) from error
    payload: bytes = parsed.payload
    return payload


def statement_id(envelope: bytes) -> str:
    """Return the id of a statement: the hex SHA-256 of its envelope's bytes."""
    return sha256_hex(envelope)


def _malformed() -> Invalid:
    return Invalid(
        "envelope.malformed",
        "This is not a signed statement",
        "It is not a DSSE envelope around an in-toto statement.",
        "Check where the file came from.",
    )
