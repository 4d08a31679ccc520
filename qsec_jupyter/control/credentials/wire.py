"""Connections to one node of a Vault: kept open, and never waited for beyond a call's time limit.

Python's own HTTP client does nothing by itself: it follows no redirect, asks no proxy, reads no ``.netrc``
and sends nothing twice. A call by it takes a quarter of the processor time that it takes hvac over requests.
"""

from __future__ import annotations

import queue
import select
import socket
import ssl
import time
import weakref
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, TimeoutError as FutureTimeout
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any, cast
from urllib.parse import urlsplit

import certifi

CONNECT_LIMIT = 2.0
"""Seconds until a connection must stand."""
CONNECTIONS = 16
"""How many calls to a node are under way at once, at most; others wait."""
MAX_BODY = 4 * 1024 * 1024
"""Bytes of an answer, at most; Vault's answers to us are below 100 KiB."""


class WireError(Exception):
    """A call had no answer."""


class Closed(WireError):
    """It was closed; only a call that was under way meanwhile sees this."""


class NotConnected(WireError):
    """No connection stood in time: surely nothing was sent."""


class Untrusted(WireError):
    """TLS failed, or its files cannot be read."""


class TimedOut(WireError):
    """There was no complete answer in time."""


class BrokenOff(WireError):
    """The connection broke before the answer began."""


class BadAnswer(WireError):
    """The answer is cut off, too long or no HTTP."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete answer of whatever status."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class Wire:
    """Sends calls to one node. Thread-safe.

    Args:
        address: ``http(s)://host:port``.
        ca_file: PEM file of the authority to trust, ``None`` for the public ones; nothing else counts.
        client: Files of a client certificate and its key.
    """

    def __init__(
        self, address: str, ca_file: str | None = None, client: tuple[str, str] | None = None
    ) -> None:
        parts = urlsplit(address)
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._tls = parts.scheme == "https"
        self._trust = (ca_file or certifi.where(), client)
        self._context: ssl.SSLContext | None = None
        # The one used last comes first, so that few stay open where few are needed.
        self._free: queue.LifoQueue[_Connection | None] = queue.LifoQueue()
        for _ in range(CONNECTIONS):
            self._free.put(None)
        self._connecting = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="qsec-vault")
        self._closed = False
        # Who asks once, at the end of a program, closes nothing.
        weakref.finalize(self, _close_free, self._free)

    def send(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None, seconds: float
    ) -> Reply:
        """Send one call, once, and return its answer within ``seconds``.

        Raises:
            WireError: There is none.
        """
        if self._closed:
            raise Closed
        deadline = time.monotonic() + seconds
        try:
            connection = self._free.get(timeout=seconds)
        except queue.Empty as error:
            raise TimedOut from error
        kept = None
        try:
            if connection is not None and not connection.is_usable():
                connection.close()
                connection = None
            connection = connection or self._connected(min(CONNECT_LIMIT, seconds))
            try:
                reply, lasts = connection.exchange(method, path, headers, body, deadline)
            except BaseException:
                connection.close()
                raise
            kept = connection if lasts else None
            return reply
        finally:
            self._give_back(kept)

    def _give_back(self, connection: _Connection | None) -> None:
        self._free.put(connection)
        if self._closed:
            _close_free(self._free)

    def _connected(self, seconds: float) -> _Connection:
        """Connect on a thread of its own: looking a name up takes as long as it takes."""
        try:
            work = self._connecting.submit(self._connect, seconds)
        except RuntimeError as error:
            raise Closed from error
        try:
            return work.result(seconds)
        except (FutureTimeout, TimeoutError) as error:
            work.add_done_callback(_close_late)
            raise NotConnected from error
        except ssl.SSLError as error:
            raise Untrusted from error
        except OSError as error:
            raise (Untrusted if self._tls and self._context is None else NotConnected) from error

    def _connect(self, seconds: float) -> _Connection:
        if self._tls and self._context is None:
            self._context = _context(*self._trust)
        connection = _Connection(self._host, self._port, self._context, seconds)
        connection.connect()
        return connection

    def close(self) -> None:
        """Close what is open; calls under way end by their time limit."""
        self._closed = True
        self._connecting.shutdown(wait=False, cancel_futures=True)
        _close_free(self._free)


def _close_free(free: queue.LifoQueue[_Connection | None]) -> None:
    for _ in range(CONNECTIONS):
        try:
            connection = free.get_nowait()
        except queue.Empty:
            return
        if connection is not None:
            connection.close()


class _Connection(HTTPConnection):
    """An open connection, on which one call at a time is made."""

    sock: _Plain | _Tls

    def __init__(self, host: str, port: int, context: ssl.SSLContext | None, seconds: float) -> None:
        super().__init__(host, port, timeout=seconds)
        self._context = context
        self.auto_open = 0

    def connect(self) -> None:
        """Connect, and with TLS shake hands, each within the connection's time limit."""
        sock = socket.create_connection((self.host, self.port), self.timeout)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._context is None:
                self.sock = _Plain(sock.family, sock.type, sock.proto, sock.detach())
            else:
                self.sock = self._context.wrap_socket(sock, server_hostname=self.host)  # type: ignore[assignment]
        except BaseException:
            sock.close()
            raise

    def is_usable(self) -> bool:
        """Say whether the other side has kept it open and still: what waits to be read belongs to nobody."""
        waiting = select.poll()
        waiting.register(self.sock, select.POLLIN)
        return not waiting.poll(0)

    def exchange(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None, deadline: float
    ) -> tuple[Reply, bool]:
        """Send and read to the end; say also whether the connection can be used again."""
        self.sock.until = deadline
        response: HTTPResponse | None = None
        try:
            self.sock.settimeout(max(0.001, deadline - time.monotonic()))
            self.request(method, path, body, dict(headers))
            response = self.getresponse()
            content = response.read(MAX_BODY + 1)
            lasts = response.isclosed() and not response.will_close
        except TimeoutError as error:
            raise TimedOut from error
        except (ConnectionError, ssl.SSLEOFError) as error:  # one of them is http.client's own, too
            raise (BadAnswer if response else BrokenOff) from error
        except ssl.SSLError as error:  # with TLS 1.3 a refused client certificate is told only now
            raise Untrusted from error
        except (OSError, HTTPException) as error:
            raise BadAnswer from error
        finally:
            if response is not None:
                response.close()
        if response.length or len(content) > MAX_BODY:
            raise BadAnswer
        told = cast("Mapping[str, str]", response.headers)  # by names in any case
        return Reply(response.status, told, content), lasts


class _Plain(socket.socket):
    """A socket that is read until one moment, instead of for so long at each read."""

    until = float("inf")

    def recv_into(self, *args: Any, **options: Any) -> int:
        self.settimeout(_left(self.until))
        return super().recv_into(*args, **options)


class _Tls(ssl.SSLSocket):
    """The same with TLS."""

    until = float("inf")

    def recv_into(self, *args: Any, **options: Any) -> int:
        self.settimeout(_left(self.until))
        return super().recv_into(*args, **options)


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return min(left, 3600.0)


def _context(ca_file: str, client: tuple[str, str] | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca_file)
    context.sslsocket_class = _Tls
    if client:
        context.load_cert_chain(*client)
    return context


def _close_late(work: Future[_Connection]) -> None:
    """Close a connection that came when nobody waited for it any more."""
    if not work.cancelled() and work.exception() is None:
        work.result().close()
