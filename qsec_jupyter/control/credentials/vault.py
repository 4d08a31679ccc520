"""The one way to a Vault or OpenBao: an hvac adapter that is strict where hvac is lenient.

hvac's own client follows redirects with the token, reads ``.netrc``, ``VAULT_TOKEN`` and
``~/.vault-token``, normalises ``..`` in paths, shares one mutable token among its callers, and
its time limit counts each read anew. Here nothing of that holds: a token is an argument of a
call, a path is a list of checked segments, a call ends after a stated time whatever the other
side does (:mod:`.wire`), and nothing is ever sent twice.
"""

from __future__ import annotations

import io
import ipaddress
import json
import re
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests
from hvac.adapters import RawAdapter

from ...core.errors import Invalid, QsecError
from ...core.secret import Secret
from . import vault_errors
from .vault_errors import Doing
from .wire import BrokenOff, Closed, NotConnected, Reply, TimedOut, Untrusted, Wire, WireError

TOTAL_LIMIT = 5.0
"""Seconds until a call has its answer or has failed, connection included."""
_SEGMENT = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._@+=-]{0,127}")
_NAMESPACE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*/?")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Which Vault, and how it is trusted.

    Attributes:
        address: Scheme, host and port; plain http only to this machine itself.
        ca_file: PEM file of the authority to trust, ``None`` for the public ones.
        namespace: Vault Enterprise's or OpenBao's namespace.
        others: Other nodes of the same cluster, tried when this one is away or not the active one.
        client: Files of a client certificate and its key, for mTLS.
    """

    address: str
    ca_file: str | None = None
    namespace: str | None = None
    others: tuple[str, ...] = ()
    client: tuple[str, str] | None = None

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Endpoint:
        """Read ``VAULT_ADDR``, ``VAULT_CACERT``, ``VAULT_NAMESPACE``, ``VAULT_CLIENT_CERT`` and ``_KEY``.

        Nothing else of ``VAULT_*``; other nodes are in ``QSEC_VAULT_NODES``.

        Raises:
            Invalid: ``vault.address_refused``, ``vault.ca_missing``, ``vault.client_refused`` or
                ``vault.namespace_refused``.
        """
        namespace = environ.get("VAULT_NAMESPACE") or None
        if namespace and not _NAMESPACE.fullmatch(namespace):
            raise Invalid(
                "vault.namespace_refused",
                "VAULT_NAMESPACE is not a namespace",
                "It must be names of letters, digits, '.', '_' and '-' with '/' between them.",
                "Correct VAULT_NAMESPACE.",
            )
        ca_file = environ.get("VAULT_CACERT") or None
        if ca_file and not Path(ca_file).is_file():
            raise Invalid(
                "vault.ca_missing",
                "VAULT_CACERT names no file",
                f"There is no file {ca_file}.",
                "Correct VAULT_CACERT or unset it.",
            )
        others = (environ.get("QSEC_VAULT_NODES") or "").replace(",", " ").split()
        nodes = tuple(map(checked_address, others))
        return cls(checked_address(environ["VAULT_ADDR"]), ca_file, namespace, nodes, _client(environ))


def _client(environ: Mapping[str, str]) -> tuple[str, str] | None:
    """Return the files of the client certificate and its key; unchecked, each call would blame the Vault."""
    certificate, key = (environ.get(name) or "" for name in ("VAULT_CLIENT_CERT", "VAULT_CLIENT_KEY"))
    if not certificate and not key:
        return None
    try:
        # An empty password: a key that wants one is refused, and nobody is asked at a terminal.
        ssl.create_default_context().load_cert_chain(certificate, key, password="")
    except OSError as error:
        names = (("VAULT_CLIENT_CERT", certificate), ("VAULT_CLIENT_KEY", key))
        missing = [f"{name} names no file." for name, file in names if not Path(file).is_file()]
        raise Invalid(
            "vault.client_refused",
            "The client certificate for the Vault cannot be used",
            " ".join(missing) or "VAULT_CLIENT_CERT and VAULT_CLIENT_KEY do not fit each other.",
            "Both are PEM files: the certificate, and its own key without a password.",
        ) from error
    return certificate, key


def checked_address(address: str) -> str:
    """Return the address without a trailing slash.

    Raises:
        Invalid: ``vault.address_refused`` for anything but ``https://host[:port]`` or http to loopback.
    """
    try:
        parts = urlsplit(address.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise _address_refused("It is not a URL.") from error
    if parts.scheme not in ("http", "https") or not host:
        raise _address_refused("It must begin with https:// and name a host.")
    if parts.username or parts.password or parts.query or parts.fragment or parts.path not in ("", "/"):
        raise _address_refused("It must hold no user, path, query or fragment.")
    if parts.scheme == "http" and not _is_loopback(host):
        raise _address_refused("Plain http would send tokens readable over the network.")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (f":{port}" if port else "")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _address_refused(why: str) -> Invalid:
    return Invalid(
        "vault.address_refused",
        "VAULT_ADDR is refused",
        why,
        "Set VAULT_ADDR to https://host:port; http:// is taken for 127.0.0.1, ::1 and localhost only.",
    )


def path_segments(path: str) -> tuple[str, ...]:
    """Split a Vault path and check each part, so that none can climb out of where it belongs.

    Raises:
        Invalid: ``vault.path_refused`` for empty parts, ``..``, percent signs and anything unusual.
    """
    parts = tuple(path.split("/"))
    if not all(_SEGMENT.fullmatch(part) for part in parts):
        raise Invalid(
            "vault.path_refused",
            "A path in the Vault is refused",
            "Each part must be letters, digits and ._@+=- and must not begin with a dot.",
            "Correct the target's path in the catalogue, or the name of the mount.",
        )
    return parts


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer.

    Attributes:
        body: The JSON object, empty for status 204.
        sent: Monotonic time at which the request was sent: lifetimes count from here, never later.
    """

    status: int
    headers: Mapping[str, str]
    body: dict[str, Any]
    sent: float

    @property
    def data(self) -> dict[str, Any]:
        """The ``data`` member, empty when there is none."""
        value = self.body.get("data")
        return value if isinstance(value, dict) else {}

    @property
    def auth(self) -> dict[str, Any]:
        """The ``auth`` member of a login or renewal, empty when there is none."""
        value = self.body.get("auth")
        return value if isinstance(value, dict) else {}


class VaultAdapter(RawAdapter):  # type: ignore[misc]  # hvac has no types
    """Sends calls to one Vault. It holds no token; thread-safe.

    Args:
        endpoint: Which Vault.
        total: Seconds until a call ends, shorter in tests.
    """

    def __init__(self, endpoint: Endpoint, total: float = TOTAL_LIMIT) -> None:
        super().__init__(base_uri=endpoint.address, token=None, namespace=endpoint.namespace)
        self.endpoint = endpoint
        self.total = total
        self._headers = {"X-Vault-Request": "true"}
        if endpoint.namespace:
            self._headers["X-Vault-Namespace"] = endpoint.namespace
        self._nodes = [
            Wire(address, endpoint.ca_file, endpoint.client)
            for address in (endpoint.address, *endpoint.others)
        ]
        self._active = 0

    def call(
        self,
        method: str,
        path: str,
        *,
        doing: Doing,
        token: Secret | None = None,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one call and return its answer.

        Args:
            method: HTTP method, or ``LIST``.
            path: Below ``/v1/``; each part is checked by :func:`path_segments`.
            doing: What it is for, named in errors.
            token: Whose call it is; ``None`` for health and login.
            body: JSON body.
            query: Query parameters; never a secret, they stand in logs.

        Raises:
            QsecError: One of :mod:`.vault_errors`; ``UNKNOWN_OUTCOME`` says after which of them the
                call may have worked.
        """
        sent = time.monotonic()
        reply = self._answered(method, f"v1/{path}", doing, token, body, query)
        if reply.status == 204 or not reply.content:
            return Answer(reply.status, reply.headers, {}, sent)
        try:
            value = json.loads(reply.content)
        except ValueError as error:
            raise vault_errors.bad_answer(doing) from error
        if not isinstance(value, dict):
            raise vault_errors.bad_answer(doing)
        return Answer(reply.status, reply.headers, value, sent)

    def request(
        self,
        method: str,
        url: str,
        headers: dict[str, str] | None = None,
        raise_exception: bool = True,
        *,
        json: Mapping[str, Any] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send for one of hvac's API classes: they end here too and get the same treatment."""
        token = Secret(self.token, "vault token") if self.token else None
        doing = Doing("answer", "the role's policy")
        reply = self._answered(method.upper(), url.strip("/"), doing, token, json, params)
        response = requests.Response()
        response.status_code, response.raw = reply.status, io.BytesIO(reply.content)
        response.headers.update(reply.headers)
        return response

    def _answered(
        self,
        method: str,
        url: str,
        doing: Doing,
        token: Secret | None,
        body: Mapping[str, Any] | None,
        query: Mapping[str, str] | None,
    ) -> Reply:
        """Send within the time limit, to the next node of the cluster where one surely did nothing."""
        path = "/" + "/".join(path_segments(url)) + (f"?{urlencode(query)}" if query else "")
        headers, content = dict(self._headers), None
        if body is not None:
            headers["Content-Type"], content = "application/json", json.dumps(body).encode()
        if token is not None:
            headers["X-Vault-Token"] = _header(token, doing)
        deadline = time.monotonic() + self.total
        for left in reversed(range(len(self._nodes))):
            node = self._active
            try:
                return self._exchange(node, method, path, headers, content, doing)
            except QsecError as error:
                if error.code not in vault_errors.NOT_DONE or not left or time.monotonic() > deadline:
                    raise
                self._active = (node + 1) % len(self._nodes)  # a race of two calls costs a detour at most
        raise AssertionError  # the last node answered or raised

    def _exchange(
        self, node: int, method: str, path: str, headers: dict[str, str], content: bytes | None, doing: Doing
    ) -> Reply:
        try:
            reply = self._nodes[node].send(method, path, headers, content, self.total)
        except WireError as error:
            raise self._mapped(error, doing) from error
        if reply.status >= 300:
            text = reply.content.decode(errors="replace")
            raise vault_errors.from_status(reply.status, reply.headers, text, doing)
        return reply

    def _mapped(self, error: WireError, doing: Doing) -> QsecError:
        """Return our error for one of the wire's."""
        if isinstance(error, Closed):
            return vault_errors.closed()
        if isinstance(error, NotConnected):
            return vault_errors.unreachable(self.endpoint.address)
        if isinstance(error, Untrusted):
            return vault_errors.untrusted(self.endpoint.address)
        if isinstance(error, TimedOut):
            return vault_errors.timed_out(doing, self.total)
        return (
            vault_errors.interrupted(doing)
            if isinstance(error, BrokenOff)
            else vault_errors.bad_answer(doing)
        )

    def close(self) -> None:
        """Close connections; calls under way end by their time limit."""
        for node in self._nodes:
            node.close()
        super().close()


def _header(token: Secret, doing: Doing) -> str:
    """Return a token as a header holds it; the client's own refusal of any other would quote it."""
    text = token.reveal()
    if not text.isascii() or not text.isprintable():
        raise vault_errors.token_rejected(doing)
    return text
