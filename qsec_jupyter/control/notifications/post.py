"""One POST to an address of the catalogue: no redirect, no proxy, no address of the network's plumbing."""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit

from ...core.errors import Unavailable

SECONDS = 10.0


def post(url: str, body: bytes, headers: Mapping[str, str], ca: str | None = None) -> None:
    """Send ``body``.

    Whoever can write the catalogue names the host; what its name resolves to is looked at again, so that
    a name does not lead to the addresses where clouds hand out credentials.

    Raises:
        Unavailable: ``notification.not_delivered``, without what was answered.
    """
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection = _connection(parts.scheme, parts.hostname or "", parts.port, ca)
        try:
            connection.connect()
            _refuse_plumbing(connection.sock)
            connection.request("POST", path, body, {**headers, "User-Agent": "qsec-jupyter"})
            status = connection.getresponse().status
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise undelivered(type(error).__name__) from error
    if not 200 <= status < 300:
        raise undelivered(f"HTTP status {status}")


def _connection(scheme: str, host: str, port: int | None, ca: str | None) -> http.client.HTTPConnection:
    if scheme == "https":
        context = ssl.create_default_context(cafile=ca)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return http.client.HTTPSConnection(host, port, timeout=SECONDS, context=context)
    return http.client.HTTPConnection(host, port, timeout=SECONDS)


def _refuse_plumbing(sock: socket.socket) -> None:
    peer = ipaddress.ip_address(sock.getpeername()[0].partition("%")[0])
    peer = getattr(peer, "ipv4_mapped", None) or peer
    if peer.is_link_local or peer.is_multicast or peer.is_unspecified:
        raise ValueError("a link-local address")


def undelivered(why: str) -> Unavailable:
    """Return the error for a notification that did not get through; ``why`` is our own word."""
    return Unavailable(
        "notification.not_delivered",
        "A notification was not delivered",
        f"{why}.",
        "It is tried again by itself; `qsec notify --test` tries it now.",
    )
