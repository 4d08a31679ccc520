"""Claims: a kernel reaches nothing but its own; it never decides; who has no bearer reaches nothing at all.

The attacker is code in a kernel that speaks over its socket whatever it likes, or another process of the
machine that found the port. Sockets, server side and control plane are the real ones.
"""

import asyncio
import contextlib
import http.client
import json
import logging
import socket
import sys
from pathlib import Path

import pytest
import pytest_asyncio

from qsec_jupyter.core.errors import QsecError
from qsec_jupyter.core.wire import Decoder, encode
from qsec_jupyter.server.control_plane import ControlPlane
from qsec_jupyter.server.kernels import KernelSockets

USER = {"name": "ada", "display_name": "Ada", "identity_provider": "local account"}
LOG = logging.getLogger("test")


class Attacker:
    """A kernel's end of its socket, under the control of hostile code."""

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        self.end, self.decoder, self.inbox = end, Decoder(), []

    async def say(self, **message):
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(self.end, encode({"id": 7, **message}))
        while True:
            while not self.inbox:
                data = await asyncio.wait_for(loop.sock_recv(self.end, 65536), 20)
                self.inbox += self.decoder.feed(data)
            answer = self.inbox.pop(0)
            if answer.get("id") == 7:
                return answer

    async def ask(self, op: str, /, **args):
        return await self.say(op=op, args=args)


@pytest_asyncio.fixture
async def world(tmp_path, monkeypatch):
    monkeypatch.setenv("QSEC_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    monkeypatch.delenv("VAULT_ADDR", raising=False)
    plane = ControlPlane(USER, LOG)
    sockets = KernelSockets(plane, lambda *_: None, LOG)
    plane.start()
    ends = {name: sockets.open(name) for name in ("victim", "attacker")}
    yield plane, {name: Attacker(end) for name, end in ends.items()}
    await sockets.drain()
    await plane.stop()
    for end in ends.values():
        end.close()


async def granted(kernel: Attacker, target: str = "sandbox"):
    return (await kernel.ask("request", target=target, reason="r", ticket="QC-1"))["ok"]


@pytest.mark.asyncio
async def test_second_kernel_does_not_get_the_first_ones_credential(world) -> None:
    _, kernels = world
    grant = await granted(kernels["victim"])
    assert (await kernels["victim"].ask("credential", target="sandbox"))["ok"]["value"]
    for args in (
        {"target": "sandbox"},
        {"target": "sandbox", "kernel_id": "victim"},
        {"target": "sandbox", "grant_id": grant["id"]},
        {"target": "sandbox", "Qsec-Kernel": "victim"},
    ):
        answer = await kernels["attacker"].ask("credential", **args)
        assert answer["error"]["code"] == "grant.none"


@pytest.mark.asyncio
async def test_second_kernel_neither_sees_nor_ends_the_first_ones_grant(world) -> None:
    plane, kernels = world
    grant = await granted(kernels["victim"])
    assert (await kernels["attacker"].ask("grant", id=grant["id"]))["error"]["code"] == "grant.unknown"
    assert (await kernels["attacker"].ask("grants"))["ok"]["grants"] == []
    for op in ("revoke", "cancel"):
        assert "error" in await kernels["attacker"].ask(op, id=grant["id"])
    assert (await plane.call("GET", f"/v1/grants/{grant['id']}"))["state"] == "active"


@pytest.mark.asyncio
async def test_kernel_finds_no_way_to_approve_its_own_request(world) -> None:
    plane, kernels = world
    attacker = kernels["attacker"]
    grant = await granted(attacker, "pilot")
    identity = grant["id"]
    tries = [
        {"op": "approve", "args": {"id": identity}},
        {"op": "revoke", "args": {"id": f"{identity}/approve?x="}},
        {"op": "revoke", "args": {"id": f"../grants/{identity}/approve#"}},
        {"op": "grant", "args": {"id": identity, "unless": "active&wait=0"}},
        {"op": "request", "args": {"target": "pilot", "reason": "r", "ticket": "QC-1", "state": "active"}},
        {"op": "request", "args": {"target": "sandbox", "reason": "r", "kernel_id": "victim"}},
        {"op": ["approve"], "args": {}},
        {"op": "approve", "args": []},
    ]
    for message in tries:
        await attacker.say(**message)
    state = await plane.call("GET", "/v1/state")
    assert {g["state"] for g in state["grants"] if g["target"] == "pilot"} == {"requested"}
    assert [g for g in state["grants"] if g["kernel_id"] == "victim"] == []


@pytest.mark.asyncio
async def test_kernel_can_neither_read_nor_forge_anothers_run(world) -> None:
    _, kernels = world
    run = {"run_id": "a" * 32, "time": "t", "framework": "qiskit"}
    await kernels["victim"].ask("record", records=[{**run, "kind": "intent"}])
    assert (await kernels["attacker"].ask("run", run_id="a" * 32))["error"]["code"] == "run.unknown"
    forged = {**run, "kind": "completion", "status": "done"}
    (answer,) = (await kernels["attacker"].ask("record", records=[forged]))["ok"]["results"]
    assert answer["error"]["code"] == "record.foreign_run"


@pytest.mark.asyncio
async def test_process_that_found_the_port_gets_nothing_without_the_bearer(world) -> None:
    plane, _ = world
    await plane.call("GET", "/v1/health")

    def attack(headers):
        connection = http.client.HTTPConnection("127.0.0.1", plane.greeting["port"], timeout=10)
        with contextlib.closing(connection):
            connection.request("GET", "/v1/state", headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read()

    for headers in (
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer " + "a" * 43},
        {"Authorization": "Bearer " + plane._bearer[:-1]},
        {"Authorization": "bearer " + plane._bearer.swapcase()},
        {"Cookie": "bearer=" + plane._bearer},
        {"Authorization": "Bearer " + plane._bearer, "Host": "evil.example"},
    ):
        status, body = await asyncio.to_thread(attack, headers)
        assert status == 401
        assert b"principal" not in json.dumps(json.loads(body)).encode()


@pytest.mark.asyncio
async def test_bearer_is_in_no_file_environment_or_command_line(world, tmp_path) -> None:
    import psutil

    plane, kernels = world
    await granted(kernels["victim"])
    value = (await kernels["victim"].ask("credential", target="sandbox"))["ok"]["value"]
    child = psutil.Process(plane.pid)
    for secret in (plane._bearer, value):
        assert secret not in " ".join(child.cmdline())
        assert secret not in str(child.environ())
        for path in tmp_path.rglob("*"):
            assert not path.is_file() or secret.encode() not in path.read_bytes()


@pytest.mark.asyncio
async def test_flood_of_one_kernel_does_not_starve_another(world) -> None:
    _, kernels = world
    await granted(kernels["victim"])
    loop = asyncio.get_running_loop()
    flood = b"".join(encode({"id": n, "op": "status", "args": {}}) for n in range(300))
    await loop.sock_sendall(kernels["attacker"].end, flood)
    answer = await asyncio.wait_for(kernels["victim"].ask("credential", target="sandbox"), 15)
    assert answer["ok"]["value"]


@pytest.mark.asyncio
async def test_refusals_quote_nothing_that_was_sent(world) -> None:
    plane, kernels = world
    sent = "s3cret-looking-text"
    for op, args in (
        ("credential", {"target": sent}),
        ("request", {"target": sent, "reason": sent, "ticket": sent, "duration": sent}),
        ("request", {"target": "pilot", "reason": "r", "ticket": sent}),
        ("record", {"records": [{"run_id": sent, "kind": sent}]}),
    ):
        answer = await kernels["attacker"].ask(op, **args)
        problem = answer.get("error") or answer["ok"]["results"][0]["error"]
        assert sent not in json.dumps(problem)
    with pytest.raises(QsecError) as caught:
        await plane.call("POST", "/v1/grants", {"target": [sent]})
    assert sent not in str(caught.value)
