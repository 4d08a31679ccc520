"""Workloads that prove who they are by a client certificate: an assertion that its key has signed.

The certificate comes with it (``x5c``, RFC 7515, 4.1.6) and leads to an authority of the catalogue.
The signature proves that the key is held, as a TLS handshake would, and it does so through proxies as well.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from ...core.errors import Denied, Unavailable
from .keys import Key, algorithms_of

MOST = 4
"""The longest chain: the workload's certificate and those that lead to the authority."""


def key_of(header: Mapping[str, Any], ca: str, at: datetime) -> tuple[Key, tuple[str, ...]]:
    """Return the key of the certificate in an assertion's header, and the names that it is good for.

    Args:
        header: Of the assertion, unverified: the chain is verified here, the signature by whoever asks.
        ca: PEM file of the authorities.
        at: When the certificates must be valid.

    Returns:
        The key; DNS names, URIs, and ``sha256:<fingerprint>`` of the certificate itself.

    Raises:
        Denied: ``workload.certificate``.
        Unavailable: ``workload.no_keys``: the authorities cannot be read.
    """
    try:
        authorities = x509.load_pem_x509_certificates(Path(ca).read_bytes())
    except (OSError, ValueError) as error:
        raise Unavailable(
            "workload.no_keys",
            "The authority of the workload's certificate cannot be read",
            f"{ca} ({type(error).__name__}).",
            "Correct ca in the catalogue.",
        ) from error
    try:
        leaf, *rest = _chain(header)
        verifier = PolicyBuilder().store(Store(authorities)).time(at).build_client_verifier()
        verifier.verify(leaf, rest)
        algorithms = algorithms_of(leaf.public_key())
    except (VerificationError, ValueError, TypeError, KeyError, UnsupportedAlgorithm) as error:
        said = "It is not valid now, not for clients, or no authority of the catalogue issued it."
        raise _refused(said) from error
    if not algorithms:
        raise _refused("Its key is too small, or of no known kind.")
    return Key(None, leaf.public_key(), algorithms), names_of(leaf)


def _chain(header: Mapping[str, Any]) -> list[x509.Certificate]:
    told = header["x5c"]
    if not isinstance(told, list) or not 0 < len(told) <= MOST:
        raise ValueError("no chain")
    try:
        return [x509.load_der_x509_certificate(base64.b64decode(one, validate=True)) for one in told]
    except binascii.Error as error:
        raise ValueError("not base64") from error


def names_of(leaf: x509.Certificate) -> tuple[str, ...]:
    """Return who a certificate is for: URIs, DNS names, and ``sha256:`` with its own fingerprint.

    Raises:
        Denied: ``workload.certificate``: it names nobody.
    """
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound as error:
        raise _refused("It names nobody (subjectAltName).") from error
    found = [
        *names.get_values_for_type(x509.UniformResourceIdentifier),
        *names.get_values_for_type(x509.DNSName),
    ]
    fingerprint = hashlib.sha256(leaf.public_bytes(Encoding.DER)).hexdigest()
    return (*found, f"sha256:{fingerprint}")


def _refused(detail: str) -> Denied:
    return Denied(
        "workload.certificate",
        "The workload's certificate is not accepted",
        detail,
        "Have one issued for clients, by the authority that [workloads] names.",
    )
