"""What the embedded store does in transit's place: signs and encrypts with a key that it keeps sealed."""

from __future__ import annotations

import base64
import binascii
import os

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ...core.errors import Invalid
from .broker import Operation, TargetSource
from .engines import check_offered

_FORM = "sealed:v1:"
_NONCE = 12


class SealedKey:
    """One target's key: Ed25519 to sign (RFC 8032), AES-256-GCM to encrypt, both from 32 random bytes.

    Args:
        seed: The bytes that the store keeps.
    """

    def __init__(self, seed: bytes) -> None:
        # Two keys from one seed, each for one use (RFC 5869, 3.2).
        self._signing = Ed25519PrivateKey.from_private_bytes(_derived(seed, b"sign"))
        self._sealing = AESGCM(_derived(seed, b"encrypt"))

    def operate(self, source: TargetSource, operation: Operation, data: bytes, signature: str) -> str:
        """Do it; answers in the same forms as transit, with another prefix.

        Raises:
            Invalid: ``operation.not_offered``, or ``operation.damaged`` for what this key did not make.
        """
        check_offered(source, operation)
        if operation == "sign":
            return _FORM + base64.b64encode(self._signing.sign(data)).decode()
        if operation == "verify":
            return "true" if self._verifies(data, signature) else "false"
        if operation == "encrypt":
            nonce = os.urandom(_NONCE)
            return _FORM + base64.b64encode(nonce + self._sealing.encrypt(nonce, data, None)).decode()
        return base64.b64encode(self._opened(data.decode("ascii", "replace"))).decode()

    def _verifies(self, data: bytes, signature: str) -> bool:
        try:
            self._signing.public_key().verify(_bytes(signature), data)
        except (InvalidSignature, Invalid):
            return False
        return True

    def _opened(self, text: str) -> bytes:
        blob = _bytes(text)
        try:
            return self._sealing.decrypt(blob[:_NONCE], blob[_NONCE:], None)
        except (InvalidTag, ValueError) as error:
            raise _damaged() from error


def _bytes(text: str) -> bytes:
    if not text.startswith(_FORM):
        raise _damaged()
    try:
        return base64.b64decode(text.removeprefix(_FORM), validate=True)
    except (binascii.Error, ValueError) as error:
        raise _damaged() from error


def _derived(seed: bytes, use: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"qsec-jupyter target v1 " + use).derive(seed)


def _damaged() -> Invalid:
    return Invalid(
        "operation.damaged",
        "This was not made by the target's key",
        "It is of another key, or was changed.",
        "Use what qsec.encrypt() of the same target gave.",
    )
