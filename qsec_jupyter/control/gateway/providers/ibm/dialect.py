"""The dialect: where its client puts a token, what a submission and a refusal look like."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from .....core.errors import HTTP_STATUS, Denied, QsecError, Unavailable
from .....core.secret import Secret
from ....credentials.broker import Issued
from ....credentials.engines.ibm_iam import exchange
from ...answers import Answer, as_json
from ...keys import Key, until
from ...request import Outgoing, Request
from ...settings import GatewaySettings
from ...tokens import bare
from .account import IbmAccount
from .table import TABLE

_PASSED = ("accept", "content-type", "ibm-api-version")
_SCHEMES = frozenset({"bearer", "apikey"})
"""The client sends the API key itself when the exchange fails; here that is the gateway token, too."""
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_NOT_AGAIN = 424
"""*Failed dependency*: the client sends a request again by itself after a 5xx, and never after this one."""


class Ibm:
    """See :class:`~..provider.Provider`."""

    name = "ibm"
    addresses: Mapping[str, str] = {
        "iam": "https://iam.cloud.ibm.com",
        "runtime": "https://quantum.cloud.ibm.com/api/v1",
        "search": "https://api.global-search-tagging.cloud.ibm.com",
        "catalog": "https://globalcatalog.cloud.ibm.com/api/v1",
    }
    table = TABLE

    def token(self, request: Request, body: bytes | None) -> str | None:
        """Return the token: the API key of an exchange, else what authorises the request."""
        if body is not None:
            return next(iter(parse_qs(body.decode("latin-1")).get("apikey", [])), None)
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        return bare(value.strip()) if scheme.lower() in _SCHEMES else None

    def key(self, issued: Issued, settings: GatewaySettings) -> Key:
        """Return a bearer: what was issued, else what the API key is exchanged for."""
        if issued.public.get("token_type") == "Bearer":
            ends = issued.refresh_at or issued.outlives or issued.expires_at
            return Key(issued.value, until(ends.timestamp()), issued.session.accessor)
        answer = exchange(f"{settings.addresses['iam']}/identity/token", issued.value)
        ends_at = answer.get("expiration") or time.time() + float(answer.get("expires_in") or 0)
        bearer = Secret(str(answer["access_token"]), issued.value.label)
        return Key(bearer, until(float(ends_at)), issued.session.accessor)

    def headers(
        self, request: Request, outgoing: Outgoing, key: Key, settings: GatewaySettings
    ) -> dict[str, str]:
        """Return what is passed on, the bearer, and the catalogue's instance, whatever the client says."""
        assert isinstance(key.value, Secret)
        if request.headers.get("service-crn", settings.instance) != settings.instance:
            raise Denied(
                "gateway.other_instance",
                "This target is another instance",
                "The rule: the catalogue says which instance a target is.",
                "Leave the instance out, or use the target that it belongs to.",
            )
        headers = {name: request.headers[name] for name in _PASSED if name in request.headers}
        headers["authorization"] = f"Bearer {key.value.reveal()}"
        headers["user-agent"] = "qsec-gateway"
        headers["accept-encoding"] = "gzip" if outgoing.url.startswith("https:") else "identity"
        if request.api == "runtime" and settings.instance:
            headers["service-crn"] = settings.instance
        return headers

    def tagged(self, body: bytes, tag: str) -> bytes:
        """Return the submission with one more tag."""
        job = json.loads(body)
        job["tags"] = [*job.get("tags", ()), tag]
        return json.dumps(job, separators=(",", ":")).encode()

    def job_id(self, body: bytes) -> str | None:
        """Return the job's id."""
        return _identifier(body)

    def accepted(self, job_id: str) -> Answer:
        """Return what the client takes for a submission's answer; the backend stays the one asked for."""
        return as_json(200, {"id": job_id, "backend": None})

    def session_id(self, body: bytes) -> str | None:
        """Return the session's id."""
        return _identifier(body)

    def account(self, settings: GatewaySettings, key: Key) -> IbmAccount:
        """Return the account behind a key."""
        assert isinstance(key.value, Secret)
        return IbmAccount(settings, key.value)

    def refusal(self, error: QsecError, trace: str, *, once: bool) -> Answer:
        """Return the refusal.

        ``errors`` is the provider's own form. Its client also looks for ``error`` and then shows message and
        code in one line, provided that there is a trace header.
        """
        text = " ".join(part for part in (f"{error.title}.", error.detail, error.remedy) if part)
        said = {"code": error.code, "message": text}
        content = {
            "errors": [{**said, "solution": error.remedy, "more_info": ""}],
            "error": said,
            "trace": trace,
        }
        return as_json(_status(error, once=once), content, {"uber-trace-id": trace})


def _status(error: QsecError, *, once: bool) -> int:
    if error.code == "gateway.unauthenticated":
        return 401
    if isinstance(error, Unavailable) and (once or error.code in _LASTING):
        return _NOT_AGAIN
    status = 400 if error.kind == "invalid" else HTTP_STATUS[error.kind]
    return _NOT_AGAIN if once and status >= 500 else status


_LASTING = frozenset({"gateway.redirected", "gateway.answer_too_large"})
"""What asking again does not change."""


def _identifier(body: bytes) -> str | None:
    try:
        found: Any = json.loads(body)
    except ValueError:
        return None
    value = found.get("id") if isinstance(found, dict) else None
    return value if isinstance(value, str) and _ID.fullmatch(value) else None
