"""A proxy in front of a real Vault that can be told to fail, and counts what went through it."""

import http.client
import http.server
import socket
import struct
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class FaultProxy:
    """Forwards all; a fault is a function of the handler that answers in the Vault's place.

    ``faults`` maps a part of the path to the fault; a fault that returns ``True`` lets the call
    through as well.
    """

    address: str = ""
    faults: dict = field(default_factory=dict)
    seen: list = field(default_factory=list)
    connections: int = 0

    def count(self, part):
        return sum(part in path for _, path, _ in self.seen)


def status(code, body=b'{"errors":["upstream text with s3cr3t"]}', **headers):
    """Answer with this status."""

    def fault(handler):
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.wfile.write(body)

    return fault


SEALED = status(503, b'{"errors":["Vault is sealed"]}')
BUSY = status(429, b'{"errors":["request path throttled"]}', Retry_After="7")


def slow(seconds):
    """Wait, then let the call through: it is done, the caller may have given up."""

    def fault(handler):
        time.sleep(seconds)
        return True

    return fault


def reset(handler):
    """Break the connection off as a crashing server does (RST)."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


def hang_up(handler):
    """Let the call through, and close the connection afterwards without having said so."""
    handler.close_connection = True
    return True


def half(handler):
    """Promise a body and send half of it."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", "400")
    handler.end_headers()
    handler.wfile.write(b'{"data": {"data": {"token": "' + b"x" * 170)
    handler.wfile.flush()
    handler.connection.shutdown(socket.SHUT_RDWR)


def garbage(handler):
    """Be another kind of server."""
    return status(200, b"<html>Welcome to nginx</html>")(handler)


def drip(handler):
    """Send a byte now and then, so that no single read ever times out."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    for _ in range(100):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.1)


def drip_headers(handler):
    """The same, before the first line is over."""
    for byte in b"HTTP/1.1 200 " + b"O" * 100:
        handler.wfile.write(bytes([byte]))
        handler.wfile.flush()
        time.sleep(0.1)


@contextmanager
def fault_proxy(upstream):
    """Run a proxy in front of ``upstream`` (an http URL) for the length of the block."""
    proxy = FaultProxy()
    host, port = upstream.removeprefix("http://").split(":")

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self):
            proxy.connections += 1
            super().setup()

        def answer(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            proxy.seen.append((self.command, self.path, dict(self.headers)))
            for part, fault in list(proxy.faults.items()):
                if part in self.path and not fault(self):
                    self.close_connection = True
                    return
            self.forward(body)

        do_GET = do_POST = do_PUT = do_LIST = do_DELETE = answer  # noqa: N815  # the standard library's names

        def forward(self, body):
            upstream = http.client.HTTPConnection(host, int(port), timeout=30)
            try:
                upstream.request(self.command, self.path, body, dict(self.headers))
                answer = upstream.getresponse()
                data = answer.read()
            finally:
                upstream.close()
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.headers.get("Content-Type", "application/json"))
            if answer.status != 204:
                self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args):
            pass

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *args):
            """A caller that gave up is the point of most of these tests."""

    server = Server(("127.0.0.1", 0), Handler)
    proxy.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
