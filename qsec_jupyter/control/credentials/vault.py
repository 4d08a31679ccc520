"""The one way to a Vault or OpenBao: an hvac adapter that is strict where hvac is lenient.

hvac's own client follows redirects with the token, reads ``.netrc``, ``VAULT_TOKEN`` and
``~/.vault-token``, normalises ``..`` in paths, shares one mutable token among its callers, and
its time limit counts each read anew. Here nothing of that holds: a token is an argument of a
call, a path is a list of checked segments, a call ends after a stated time whatever the other
side does, and nothing is ever sent twice.
"""

from __future__ import annotations

import io
import ipaddress
import re
import ssl
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, TimeoutError as FutureTimeout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from hvac.adapters import RawAdapter
from requests.adapters import HTTPAdapter

from ...core.errors import Invalid, QsecError
from ...core.secret import Secret
from . import vault_errors
from .vault_errors import Doing

CONNECT_LIMIT = 2.0
"""Seconds until a connection must stand."""
TOTAL_LIMIT = 5.0
"""Seconds until a call has its answer or has failed, connection included."""
_WORKERS = 16
_MAX_BODY = 4 * 1024 * 1024  # Vault's answers to us are below 100 KiB
_CHUNK = 64 * 1024
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
        session = requests.Session()
        # No .netrc, no proxy variables, no REQUESTS_CA_BUNDLE in place of the stated authority.
        session.trust_env = False
        session.verify = endpoint.ca_file or True
        pool = HTTPAdapter(pool_connections=1, pool_maxsize=_WORKERS, pool_block=True, max_retries=0)
        session.cert = endpoint.client
        for address in (endpoint.address, *endpoint.others):
            session.mount(f"{address}/", pool)
        super().__init__(
            base_uri=endpoint.address,
            token=None,
            verify=endpoint.ca_file or True,
            timeout=(min(CONNECT_LIMIT, total), total),
            allow_redirects=False,
            session=session,
            namespace=endpoint.namespace,
        )
        self.endpoint = endpoint
        self.total = total
        self._nodes = [self, *(self._node(address, session) for address in endpoint.others)]
        self._active = 0
        self._workers = ThreadPoolExecutor(_WORKERS, thread_name_prefix="qsec-vault")

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
        response = self.request(method, f"v1/{path}", token=token, doing=doing, json=body, params=query)
        if response.status_code == 204 or not response.content:
            return Answer(response.status_code, response.headers, {}, sent)
        try:
            value = response.json()
        except ValueError as error:
            raise vault_errors.bad_answer(doing) from error
        if not isinstance(value, dict):
            raise vault_errors.bad_answer(doing)
        return Answer(response.status_code, response.headers, value, sent)

    def request(
        self,
        method: str,
        url: str,
        headers: dict[str, str] | None = None,
        raise_exception: bool = True,
        *,
        doing: Doing = Doing("answer", "the role's policy"),  # noqa: B008  # frozen
        token: Secret | None = None,
        **kwargs: Any,
    ) -> requests.Response:
        """Send within the time limit; hvac's API classes end here too and get the same treatment."""
        path_segments(url.strip("/"))
        deadline = time.monotonic() + self.total
        for left in reversed(range(len(self._nodes))):
            node = self._active
            try:
                return self._answered(node, method, url, doing, token, {**kwargs, "headers": headers})
            except QsecError as error:
                if error.code not in vault_errors.NOT_DONE or not left or time.monotonic() > deadline:
                    raise
                self._active = (node + 1) % len(self._nodes)  # a race of two calls costs a detour at most
        raise AssertionError  # the last node answered or raised

    def _node(self, address: str, session: requests.Session) -> RawAdapter:
        """Return another way into the same cluster: the same trust and limits, another address."""
        return RawAdapter(
            base_uri=address,
            token=None,
            verify=self.endpoint.ca_file or True,
            timeout=(min(CONNECT_LIMIT, self.total), self.total),
            allow_redirects=False,
            session=session,
            namespace=self.endpoint.namespace,
        )

    def _answered(
        self, node: int, method: str, url: str, doing: Doing, token: Secret | None, kwargs: dict[str, Any]
    ) -> requests.Response:
        try:
            options = {**kwargs, "headers": dict(kwargs["headers"] or {})}
            work = self._workers.submit(self._exchange, node, method, url, doing, token, options)
        except RuntimeError as error:  # the pool was shut down
            raise vault_errors.closed() from error
        try:
            response: requests.Response = work.result(self.total)
        except FutureTimeout as error:
            work.cancel()
            raise vault_errors.timed_out(doing, self.total) from error
        if response.status_code >= 300:
            raise vault_errors.from_status(response.status_code, response.headers, response.text, doing)
        return response

    def _exchange(
        self, node: int, method: str, url: str, doing: Doing, token: Secret | None, options: dict[str, Any]
    ) -> requests.Response:
        """Send and read to the end, in a worker thread; the caller may have given up meanwhile."""
        deadline = time.monotonic() + self.total
        if token is not None:
            options["headers"]["X-Vault-Token"] = token.reveal()
        try:
            send = super().request if node == 0 else self._nodes[node].request
            response: requests.Response = send(method, url, raise_exception=False, stream=True, **options)
            response.raw = io.BytesIO(_read(response, deadline, doing, self.total))
            return response
        except requests.RequestException as error:
            raise self._mapped(error, doing) from _without_request(error)
        except OSError as error:  # requests raises it bare for an unreadable CA file
            raise vault_errors.untrusted(self.endpoint.address) from error

    def _mapped(self, error: requests.RequestException, doing: Doing) -> QsecError:
        """Return our error for one of requests'; the order follows its class tree, leaves first."""
        if isinstance(error, requests.exceptions.SSLError):
            return vault_errors.untrusted(self.endpoint.address)
        if isinstance(error, requests.exceptions.ConnectTimeout):
            return vault_errors.unreachable(self.endpoint.address)
        if isinstance(error, requests.exceptions.ReadTimeout):
            return vault_errors.timed_out(doing, self.total)
        if isinstance(error, requests.exceptions.ConnectionError):
            if _never_connected(error):
                return vault_errors.unreachable(self.endpoint.address)
            return vault_errors.interrupted(doing)
        return vault_errors.bad_answer(doing)

    def close(self) -> None:
        """Close connections; calls under way end by their time limit."""
        self._workers.shutdown(wait=False, cancel_futures=True)
        super().close()


def _read(response: requests.Response, deadline: float, doing: Doing, total: float) -> bytes:
    """Read the body piece by piece, so that one that drips cannot hold the thread for ever."""
    from urllib3.exceptions import HTTPError, ReadTimeoutError

    body = bytearray()
    try:
        while piece := response.raw.read1(_CHUNK, decode_content=True):
            body += piece
            if len(body) > _MAX_BODY:
                raise vault_errors.bad_answer(doing)
            if time.monotonic() > deadline:
                raise vault_errors.timed_out(doing, total)
    except ReadTimeoutError as error:
        raise vault_errors.timed_out(doing, total) from error
    except (HTTPError, OSError) as error:
        raise vault_errors.bad_answer(doing) from error
    except QsecError:
        response.close()  # the rest is unread, so the connection cannot be used again
        raise
    expected = response.headers.get("Content-Length", "")
    if expected.isdigit() and not response.headers.get("Content-Encoding") and len(body) < int(expected):
        raise vault_errors.bad_answer(doing)
    return bytes(body)


def _never_connected(error: BaseException) -> bool:
    """Tell a refused connection from one that broke later, by the cause that urllib3 names."""
    from urllib3.exceptions import NewConnectionError

    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, NewConnectionError)


def _without_request(error: requests.RequestException) -> requests.RequestException:
    """Cut the request off the error: its headers hold the token and would travel in the chain."""
    error.request = None
    error.response = None
    return error
