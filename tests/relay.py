"""A server between gateway and sandbox: it passes everything on, and a test may change what it likes."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests


class Relay(ThreadingHTTPServer):
    """Stands between gateway and provider; it can keep the answers to submissions to itself."""

    daemon_threads = True

    def __init__(self, provider: str) -> None:
        super().__init__(("127.0.0.1", 0), _Relayed)
        self.provider = provider
        self.withholds = False
        self.over = threading.Event()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def asked(self, _method: str, _path: str, body: bytes) -> bytes:
        """Return what the provider gets instead of a request's body."""
        return body

    def answered(self, _method: str, _path: str, content: bytes) -> bytes:
        """Return what the gateway gets instead of an answer's."""
        return content


class _Relayed(BaseHTTPRequestHandler):
    server: Relay

    def relay(self) -> None:
        asked = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = self.server.asked(self.command, self.path, asked)
        kept = {name: value for name, value in self.headers.items() if name.lower() not in _OWN}
        with requests.Session() as session:
            session.trust_env = False
            url = self.server.provider + self.path
            answer = session.request(self.command, url, headers=kept, data=body or None, timeout=60)
        if self.server.withholds and self.command == "POST" and self.path == "/jobs":
            self.server.over.wait(60)
            return
        content = self.server.answered(self.command, self.path, answer.content)
        self.send_response(answer.status_code)
        self.send_header("Content-Type", answer.headers.get("Content-Type", "application/json"))
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_DELETE = do_PUT = relay  # noqa: N815  # http.server names them

    def log_message(self, *_: object) -> None:
        pass


_OWN = frozenset({"host", "content-length"})
