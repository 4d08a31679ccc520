"""The dialect: keys made of a token, signatures, what a submission and a refusal look like."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping

from .....core.errors import HTTP_STATUS, Invalid, QsecError, Unavailable
from .....core.secret import Secret
from ....credentials.broker import Issued
from ...answers import Answer, as_json
from ...keys import Key, until
from ...request import Outgoing, Request
from ...settings import GatewaySettings
from . import signing
from .account import BraketAccount
from .place import TASK_ARN, Place
from .table import TABLE, TAG

_PASSED = ("accept", "content-type")
_NOT_AGAIN = 424
"""The client sends a request again by itself after a 5xx, and never after this one."""

_ERRORS = {
    "invalid": "ValidationException",
    "denied": "AccessDeniedException",
    "not_found": "ResourceNotFoundException",
    "conflict": "ConflictException",
    "unavailable": "InternalServiceException",
    "bug": "InternalServiceException",
}


class Braket:
    """See :class:`~..provider.Provider`."""

    name = "braket"
    addresses: Mapping[str, str] = {
        "braket": "https://braket.us-east-1.amazonaws.com",
        "s3": "https://s3.us-east-1.amazonaws.com",
    }
    table = TABLE

    def token(self, request: Request, body: bytes | None) -> str | None:
        """Return the token: the session token of a signed request, else the bearer of a plain one."""
        if signing.is_signed(request):
            return request.headers.get(signing.TOKEN_HEADER)
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        return value.strip() if scheme.lower() == "bearer" else None

    def key(self, issued: Issued, settings: GatewaySettings) -> Key:
        """Return the keys: of STS, or ``ACCESS_KEY:SECRET_KEY`` as it was put into a store.

        Raises:
            Invalid: ``gateway.credential``.
        """
        ends = issued.refresh_at or issued.outlives or issued.expires_at
        accessor = issued.session.accessor
        if "access_key" in issued.public:
            secret_key, token = (issued.fields.get(name) for name in ("secret_key", "security_token"))
            keys = signing.AwsKey(issued.public["access_key"], secret_key or issued.value, token)
            return Key(keys, until(ends.timestamp()), accessor)
        access_key, colon, secret = issued.value.reveal().partition(":")
        if not colon:
            raise Invalid(
                "gateway.credential",
                "The target's credential is no pair of keys",
                "It is not of the form ACCESS_KEY_ID:SECRET_ACCESS_KEY.",
                "Store it so, or have the aws engine issue one.",
            )
        keys = signing.AwsKey(access_key, Secret(secret, issued.value.label))
        return Key(keys, min(until(ends.timestamp()), time.time() + 3600), accessor)

    def headers(
        self, request: Request, outgoing: Outgoing, key: Key, settings: GatewaySettings
    ) -> dict[str, str]:
        """Return what is passed on, signed for the catalogue's region whatever the client says."""
        assert isinstance(key.value, signing.AwsKey)
        headers = {name: request.headers[name] for name in _PASSED if name in request.headers}
        headers |= {"host": signing.host_of(outgoing.url), "user-agent": "qsec-gateway"}
        region = Place.of(settings).region
        signed = signing.sign(outgoing, headers, key.value, request.api, region)
        return signed | {"accept-encoding": "identity"}

    def tagged(self, body: bytes, tag: str) -> bytes:
        """Return the submission with one more tag, which is also what the provider tells repetitions by."""
        task = json.loads(body)
        task["tags"] = {**(task.get("tags") or {}), TAG: tag}
        task["clientToken"] = tag
        return json.dumps(task, separators=(",", ":")).encode()

    def job_id(self, body: bytes) -> str | None:
        """Return the task's ARN."""
        try:
            told = json.loads(body)
        except ValueError:
            return None
        arn = told.get("quantumTaskArn") if isinstance(told, dict) else None
        return arn if isinstance(arn, str) and TASK_ARN.fullmatch(arn) else None

    def accepted(self, job_id: str) -> Answer:
        """Return what the client takes for a submission's answer."""
        return as_json(201, {"quantumTaskArn": job_id})

    def session_id(self, body: bytes) -> str | None:
        """Return ``None``: Braket's tasks have no sessions."""
        return None

    def account(self, settings: GatewaySettings, key: Key) -> BraketAccount:
        """Return the account behind a key."""
        assert isinstance(key.value, signing.AwsKey)
        return BraketAccount(settings, key.value)

    def refusal(self, error: QsecError, trace: str, *, once: bool) -> Answer:
        """Return the refusal; the client shows the kind of error and the message."""
        parts = (f"{error.title} ({error.code}).", error.detail, error.remedy)
        text = " ".join(part for part in parts if part)
        status = 400 if error.kind == "invalid" else HTTP_STATUS[error.kind]
        if status >= 500 and (once or isinstance(error, Unavailable)):
            status = _NOT_AGAIN
        headers = {"x-amzn-errortype": _ERRORS[error.kind], "x-amzn-requestid": trace}
        return as_json(status, {"message": text, "code": error.code}, headers)
