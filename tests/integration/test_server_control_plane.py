"""Supervision, with a real child process that speaks the real start-up protocol and little else."""

import asyncio
import logging
import os
import signal
import sys
from contextlib import suppress

import psutil
import pytest

from qsec_jupyter.core.errors import NotFound, Unavailable
from qsec_jupyter.server.control_plane import ControlPlane, log_path

LOG = logging.getLogger("test")
USER = {"name": "ada", "display_name": "Ada", "identity_provider": "local account"}

CHILD = """
import http.server, json, os, sys, threading
hello = json.loads(sys.stdin.readline())
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.headers["Authorization"] != "Bearer " + hello["bearer"]:
            return self.reply(401, {})
        if self.path == "/v1/die":
            os._exit(9)
        if self.path == "/v1/missing":
            return self.reply(404, {"kind": "not_found", "code": "x.y", "title": "t"})
        if self.path == "/v1/odd":
            return self.reply(500, "odd")
        self.reply(200, {"pid": os.getpid(), "server_id": hello["server_id"], "env": dict(os.environ)})
    def reply(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status); self.send_header("Content-Length", str(len(body))); self.end_headers()
        self.wfile.write(body)
    def log_message(self, *a): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(json.dumps({"port": server.server_port, "pid": os.getpid(), "vault": {"label": "none"}}), flush=True)
sys.stdin.read()
"""


async def until(condition) -> None:
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come true within 5 s")


@pytest.fixture
def make_plane(tmp_path, monkeypatch):
    monkeypatch.setenv("QSEC_HOME", str(tmp_path))
    monkeypatch.setenv("VAULT_TOKEN", "hvs.for-nobody-below")

    def make(code: str = CHILD, **kwargs) -> ControlPlane:
        return ControlPlane(USER, LOG, command=(sys.executable, "-c", code), **kwargs)

    return make


@pytest.mark.asyncio
async def test_child_is_started_called_and_ended(make_plane) -> None:
    plane = make_plane()
    plane.start()
    answer = await plane.call("GET", "/v1/x")
    assert answer["server_id"] == plane.server_id
    assert "VAULT_TOKEN" not in answer["env"]
    assert plane.greeting is not None
    await plane.stop()
    assert not psutil.pid_exists(answer["pid"])


@pytest.mark.asyncio
async def test_bearer_is_nowhere_to_be_read(make_plane) -> None:
    plane = make_plane()
    plane.start()
    answer = await plane.call("GET", "/v1/x")
    bearer = plane._bearer
    child = psutil.Process(answer["pid"])
    assert bearer not in " ".join(child.cmdline())
    assert bearer not in str(child.environ())
    assert bearer not in str(answer["env"])
    await plane.stop()
    assert bearer not in log_path().read_text()


@pytest.mark.asyncio
async def test_killed_child_comes_back_with_a_new_bearer_and_the_same_server_id(make_plane) -> None:
    greetings = []

    async def note(greeting) -> None:
        greetings.append(greeting["pid"])

    plane = make_plane(on_ready=note)
    plane.start()
    first, bearer = await plane.call("GET", "/v1/x"), plane._bearer
    os.kill(first["pid"], signal.SIGKILL)
    await until(lambda: not plane._ready.is_set())
    second = await plane.call("GET", "/v1/x")
    assert second["pid"] != first["pid"]
    assert second["server_id"] == first["server_id"]
    assert plane._bearer != bearer
    assert greetings == [first["pid"], second["pid"]]
    await plane.stop()


GATE = CHILD.replace(
    "server = http",
    """
import socket
gate = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler, bind_and_activate=False)
gate.socket.close()
gate.socket = socket.socket(fileno=hello["gate"])
threading.Thread(target=gate.serve_forever, daemon=True).start()
server = http""",
)


@pytest.mark.asyncio
async def test_the_gateways_port_is_held_over_a_crash_and_calls_wait_for_the_next_child(make_plane) -> None:
    plane = make_plane(GATE, kernels=lambda: {"k1": ["bo"]})
    plane.start()
    first = await plane.call("GET", "/v1/x")
    assert plane._gate is not None
    port = plane._gate.getsockname()[1]
    os.kill(first["pid"], signal.SIGKILL)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /v1/x HTTP/1.0\r\nAuthorization: Bearer none\r\n\r\n")
    assert (await asyncio.wait_for(reader.read(), 10)).startswith(b"HTTP/1.0 401"), "the next one answered"
    writer.close()
    assert plane.pid != first["pid"]
    await plane.stop()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)


@pytest.mark.asyncio
async def test_calls_do_not_wait_for_a_child_that_cannot_start(make_plane) -> None:
    plane = make_plane("import sys; sys.stdin.readline(); sys.exit(6)")
    plane.start()
    await until(lambda: plane._gate is not None)
    reader, writer = await asyncio.open_connection("127.0.0.1", plane._gate.getsockname()[1])
    with suppress(ConnectionResetError):
        assert await asyncio.wait_for(reader.read(), 10) == b""
    writer.close()
    await plane.stop()


@pytest.mark.asyncio
async def test_child_that_dies_in_the_middle_of_a_request_gives_one_clear_error(make_plane) -> None:
    plane = make_plane()
    plane.start()
    await plane.call("GET", "/v1/x")
    first = plane.pid
    with pytest.raises(Unavailable) as caught:
        await plane.call("GET", "/v1/die")
    assert caught.value.code == "control.unavailable"
    await until(lambda: plane.pid != first)  # its port takes connections for a moment longer than it lives
    assert (await plane.call("GET", "/v1/x"))["pid"]
    await plane.stop()


@pytest.mark.asyncio
async def test_refusals_and_odd_answers_become_our_errors(make_plane) -> None:
    plane = make_plane()
    plane.start()
    with pytest.raises(NotFound) as refused:
        await plane.call("GET", "/v1/missing")
    assert refused.value.code == "x.y"
    with pytest.raises(Unavailable) as odd:
        await plane.call("GET", "/v1/odd")
    assert odd.value.code == "control.bad_answer"
    await plane.stop()


@pytest.mark.asyncio
async def test_child_that_cannot_start_says_why_to_every_caller(make_plane) -> None:
    problem = '{"error": {"kind": "unavailable", "code": "install.extra_missing", "title": "Missing"}}'
    plane = make_plane(f"import sys; sys.stdin.readline(); print('{problem}'); sys.exit(6)")
    plane.start()
    await until(lambda: plane._failure is not None)
    with pytest.raises(Unavailable) as caught:
        await plane.call("GET", "/v1/x")
    assert caught.value.code == "install.extra_missing"
    await plane.stop()


@pytest.mark.asyncio
async def test_child_that_will_not_end_is_killed_in_time(make_plane, monkeypatch) -> None:
    monkeypatch.setattr("qsec_jupyter.server.control_plane.STOP_SECONDS", 0.3)
    plane = make_plane(CHILD + "\nimport time; time.sleep(60)")
    plane.start()
    pid = (await plane.call("GET", "/v1/x"))["pid"]
    await plane.stop()
    await asyncio.sleep(0.1)
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
