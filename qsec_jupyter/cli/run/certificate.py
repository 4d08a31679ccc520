"""A workload's assertion from its client certificate, signed with its key at the last moment."""

from __future__ import annotations

import base64
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from ...control.identity.certificates import names_of
from ...control.identity.keys import algorithms_of
from ...core.errors import Unavailable
from ...core.secret import Secret

_LIFE = 60
"""Seconds that an assertion is good for: it is used at once."""


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """Files of a client certificate, and the issuer that the catalogue has for its workload.

    Attributes:
        certificate: PEM: the certificate, then those that lead to the catalogue's authority.
        key: PEM, without a password.
    """

    certificate: Path
    key: Path
    issuer: str

    def assertion(self, audience: str) -> Secret:
        """Sign one for the first name of the certificate.

        Raises:
            Unavailable: ``workload.unissued``: a file cannot be read or used.
        """
        try:
            chain = x509.load_pem_x509_certificates(self.certificate.read_bytes())
            key: Any = load_pem_private_key(self.key.read_bytes(), None)
            return self._signed(key, chain, audience)
        except (OSError, ValueError, TypeError, jwt.PyJWTError) as error:
            raise Unavailable(
                "workload.unissued",
                "The workload's certificate cannot be used",
                f"{self.certificate}, {self.key}: {type(error).__name__}.",
                "Name PEM files: a certificate, and its own key without a password.",
            ) from error

    def _signed(self, key: Any, chain: list[x509.Certificate], audience: str) -> Secret:
        (algorithm, *_) = algorithms_of(chain[0].public_key())
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": audience,
            "sub": names_of(chain[0])[0],
            "iat": now,
            "exp": now + _LIFE,
            "jti": uuid.uuid4().hex,
        }
        x5c = [base64.b64encode(one.public_bytes(Encoding.DER)).decode() for one in chain]
        return Secret(jwt.encode(claims, key, algorithm, headers={"x5c": x5c}), "assertion")
