"""The broker's own key pair, by which a Vault knows it: no Vault secret lies on this machine.

The Vault's jwt auth mount trusts the public key. Each login carries a fresh assertion that lives
for a minute at most. ES256 (RFC 7518, 3.4) is used because every Vault and OpenBao with jwt auth
takes it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from ...core.errors import Unavailable
from ...core.secret import Secret
from .broker import IssueRequest
from .keystore import KeyStore

ISSUER = "qsec-jupyter"
AUDIENCE = "qsec-vault"
BROKER_SUBJECT = "qsec-broker"
ALGORITHM = "ES256"
ASSERTION_LIFE = timedelta(seconds=60)
KEY_NAME = "broker.key"


def new_private_key() -> bytes:
    """Return a new P-256 key as PKCS #8 PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


class BrokerIdentity:
    """Mints assertions.

    Args:
        private_key: PKCS #8 PEM of a P-256 key.
        clock: Returns the present time with a time zone.
    """

    def __init__(self, private_key: bytes, clock: Callable[[], datetime]) -> None:
        try:
            key = load_pem_private_key(private_key, password=None)
        except (ValueError, TypeError) as error:
            raise _unusable() from error
        if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
            raise _unusable()
        self._key = key
        self._clock = clock

    def public_pem(self) -> str:
        """Return the public key as the Vault's ``jwt_validation_pubkeys`` takes it."""
        return self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def for_broker(self) -> Secret:
        """Return an assertion of the broker for itself."""
        return self._mint({"sub": BROKER_SUBJECT, "use": "broker"})

    def for_session(self, request: IssueRequest) -> Secret:
        """Return an assertion for one grant's session. All claims reach the Vault's audit log."""
        return self._mint(
            {
                "sub": request.subject,
                "use": "session",
                "groups": list(request.groups),
                "server": request.server_id,
                "kernel": request.kernel_id,
                "target": request.target,
                "grant": request.grant_id,
                "request_id": request.request_id,
            }
        )

    def _mint(self, claims: dict[str, object]) -> Secret:
        now = self._clock()
        times = {"iat": now, "nbf": now, "exp": now + ASSERTION_LIFE}
        common = {"iss": ISSUER, "aud": AUDIENCE, "jti": secrets.token_hex(16)}
        return Secret(jwt.encode({**common, **times, **claims}, self._key, ALGORITHM), "vault assertion")


def own_public_pem(keys: KeyStore) -> str:
    """Return the public half of this machine's key, which is made when there is none yet."""
    private_key, _ = keys.create(KEY_NAME, new_private_key)
    return BrokerIdentity(private_key, lambda: datetime.now(timezone.utc)).public_pem()


def _unusable() -> Unavailable:
    return Unavailable(
        "key.unusable",
        "The broker's key cannot be used",
        f"{KEY_NAME} is not a P-256 key in PEM form.",
        f"Move {KEY_NAME} away; a new one is made, and `qsec setup vault --apply` lets the Vault trust it.",
    )
