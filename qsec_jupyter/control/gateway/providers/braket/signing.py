"""AWS Signature Version 4: what a client signed with its token is checked, what goes on is signed anew.

Signing is botocore's own. A client's keys are made of its token: the token is the secret key and the session
token, and so stands in the request; the access key is a digest of it, which tells tokens apart in a log.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from calendar import timegm
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from .....core.errors import Denied
from .....core.secret import Secret
from ...request import Outgoing, Request

TOKEN_HEADER = "x-amz-security-token"  # noqa: S105  # the name of a header
_SCOPE = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([A-Z0-9]{16,128})/(\d{8})/([a-z0-9-]+)/([a-z0-9]+)/aws4_request, ?"
    r"SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})"
)
_NEEDED = frozenset({"host", "x-amz-date", TOKEN_HEADER})
_TIME = "%Y%m%dT%H%M%SZ"
_SKEW = 300
"""Seconds by which a client's clock may differ."""


@dataclass(frozen=True, slots=True)
class AwsKey:
    """What AWS knows an account by."""

    access_key: str
    secret_key: Secret
    session_token: Secret | None = None


def access_key_of(token: str) -> str:
    """Return the access key that goes with a gateway token."""
    return f"QSEC{hashlib.sha256(token.encode()).hexdigest()[:16].upper()}"


def is_signed(request: Request) -> bool:
    """Say whether a request is signed, and does not bear its token in the plain way."""
    return request.headers.get("authorization", "").startswith("AWS4-HMAC-SHA256 ")


def check(request: Request, body: bytes, token: str, region: str) -> None:
    """Refuse a request that was not signed as it is, now, for this service and region.

    Raises:
        Denied: ``gateway.signature``.
    """
    found = _SCOPE.fullmatch(request.headers.get("authorization", ""))
    if found is None:
        raise _unsigned("It has no signature of version 4.")
    access_key, day, signed_region, service, names, signature = found.groups()
    signed = names.split(";")
    moment = request.headers.get("x-amz-date", "")
    if not set(signed) >= _NEEDED or not _is_now(moment) or not moment.startswith(day):
        raise _unsigned("It is not of now, or leaves open what was signed.")
    if (signed_region, service) != (region, request.api) or access_key != access_key_of(token):
        raise _unsigned("It is for another region or service, or by another key.")
    told = request.headers.get("x-amz-content-sha256")
    if told is not None and told != hashlib.sha256(body).hexdigest():
        raise _unsigned("Its body is not the one that was signed.")
    headers = {name: request.headers.get(name, "") for name in signed}
    key = AwsKey(access_key, Secret(token, "gateway"))
    wanted = _signature(request.method, _address(request), headers, body, key, (service, region, moment))
    if not hmac.compare_digest(wanted, signature):
        raise _unsigned("It does not fit the request.")


def sign(
    outgoing: Outgoing, headers: dict[str, str], key: AwsKey, service: str, region: str
) -> dict[str, str]:
    """Return the headers of a request with a signature for the provider."""
    from botocore.awsrequest import AWSRequest

    request = AWSRequest(outgoing.method, outgoing.url, headers, outgoing.body or b"")
    _signer(service, region, key).add_auth(request)
    return {name.lower(): str(value) for name, value in request.headers.items()}


def _signature(
    method: str, url: str, headers: dict[str, str], body: bytes, key: AwsKey, scope: tuple[str, str, str]
) -> str:
    """Return the signature that a client of this key makes."""
    from botocore.awsrequest import AWSRequest

    service, region, moment = scope
    request = AWSRequest(method, url, headers, body)
    request.context["timestamp"] = moment
    signer = _signer(service, region, key)
    text = signer.string_to_sign(request, signer.canonical_request(request))
    return str(signer.signature(text, request))


def _signer(service: str, region: str, key: AwsKey) -> Any:
    from botocore.auth import S3SigV4Auth, SigV4Auth
    from botocore.credentials import Credentials

    token = key.session_token.reveal() if key.session_token is not None else None
    kind = S3SigV4Auth if service == "s3" else SigV4Auth
    return kind(Credentials(key.access_key, key.secret_key.reveal(), token), service, region)


def _address(request: Request) -> str:
    """Return the address as the client saw it."""
    query = f"?{request.raw_query}" if request.raw_query else ""
    return f"http://{request.headers['host']}/{request.target}/{request.api}{request.path}{query}"


def _is_now(moment: str) -> bool:
    try:
        return abs(timegm(time.strptime(moment, _TIME)) - time.time()) <= _SKEW
    except ValueError:
        return False


def host_of(url: str) -> str:
    """Return the host of an address, with a port that is not the usual one."""
    return urlsplit(url).netloc


def _unsigned(why: str) -> Denied:
    return Denied(
        "gateway.signature",
        "The request's signature is not good here",
        why,
        "Take a fresh session: qsec.braket_session(...).",
    )
