"""The server's end of a kernel's socket, against a control plane that only notes what it is asked."""

import asyncio
import logging
import socket

import pytest
import pytest_asyncio

from qsec_jupyter.core.errors import Denied, Unavailable
from qsec_jupyter.core.wire import Decoder, encode
from qsec_jupyter.server.kernels import OPERATIONS, KernelSockets

LOG = logging.getLogger("test")


class NotedCalls:
    def __init__(self) -> None:
        self.calls = []
        self.answer = {}
        self.error = None

    async def call(self, method, path, body=None, *, kernel_id=None, wait=0):
        self.calls.append((method, path, body, kernel_id))
        if self.error:
            raise self.error
        return self.answer


class KernelEnd:
    """A kernel's half of the pair, spoken to from the same loop."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self.sock, self.decoder, self.inbox = sock, Decoder(), []

    async def ask(self, op: str, /, **args):
        await self.send({"id": 1, "op": op, "args": args})
        return await self.receive()

    async def send(self, message) -> None:
        await asyncio.get_running_loop().sock_sendall(self.sock, encode(message))

    async def receive(self):
        while not self.inbox:
            data = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self.sock, 65536), 5)
            assert data, "the server closed the socket"
            self.inbox += self.decoder.feed(data)
        return self.inbox.pop(0)


@pytest.fixture
def calls() -> NotedCalls:
    return NotedCalls()


@pytest.fixture
def values() -> list:
    return []


@pytest_asyncio.fixture
async def sockets(calls, values):
    sockets = KernelSockets(calls, lambda target, secret: values.append((target, secret)), LOG)
    yield sockets
    await sockets.drain()


@pytest.fixture
def connect(sockets):
    """Open the kernel's end of a pair; closed when the test is over."""
    ends = []

    def open_end(kernel_id: str) -> KernelEnd:
        ends.append(sockets.open(kernel_id))
        return KernelEnd(ends[-1])

    yield open_end
    for end in ends:
        end.close()


@pytest.mark.asyncio
async def test_kernel_id_comes_from_the_socket_not_from_the_kernel(connect, sockets, calls) -> None:
    kernel = connect("k1")
    calls.answer = {"id": "g1"}
    await kernel.ask("request", target="sandbox", reason="r", kernel_id="k2", duration=None)
    method, path, body, kernel_id = calls.calls[0]
    assert (method, path, kernel_id) == ("POST", "/v1/grants", "k1")
    assert body["kernel_id"] == "k1"


@pytest.mark.asyncio
async def test_notebook_of_a_record_is_what_the_server_knows(calls, connect, sockets) -> None:
    class Known:
        async def of(self, kernel_id):
            return {"path": f"{kernel_id}.ipynb", "sha256": None, "saved_at": None}

    sockets._notebooks = Known()
    await connect("k1").ask("record", records=[], server={"notebook": {"path": "a lie"}})
    assert calls.calls[0][2]["server"]["notebook"]["path"] == "k1.ipynb"


@pytest.mark.asyncio
async def test_data_class_of_a_request_is_the_notebooks(calls, connect, sockets) -> None:
    class Known:
        async def data_class(self, kernel_id):
            return "restricted"

    sockets._notebooks = Known()
    await connect("k1").ask("request", target="sandbox", reason="r", data_class="public", server_id="x")
    assert calls.calls[0][2] == {
        "target": "sandbox",
        "reason": "r",
        "data_class": "restricted",
        "kernel_id": "k1",
    }


@pytest.mark.asyncio
async def test_credential_is_known_before_the_kernel_has_it(connect, sockets, calls, values) -> None:
    kernel = connect("k1")
    calls.answer = {"target": "sandbox", "value": "s3cret-value"}
    reply = await kernel.ask("credential", target="sandbox")
    assert reply["ok"]["value"] == "s3cret-value"
    assert [(target, secret.reveal()) for target, secret in values] == [("sandbox", "s3cret-value")]


@pytest.mark.asyncio
async def test_refusal_crosses_as_a_problem(connect, sockets, calls) -> None:
    kernel = connect("k1")
    calls.error = Denied("grant.expired", "Over", "d", "ask again")
    reply = await kernel.ask("credential", target="sandbox")
    assert reply["error"]["code"] == "grant.expired"


@pytest.mark.asyncio
async def test_unexpected_failure_is_answered_without_its_text(connect, sockets, calls) -> None:
    kernel = connect("k1")
    calls.error = RuntimeError("s3cret-value")
    reply = await kernel.ask("status")
    assert reply["error"]["kind"] == "bug"
    assert "s3cret-value" not in str(reply)


@pytest.mark.asyncio
@pytest.mark.parametrize("op", ["approve", "deny", "", "nonsense"])
async def test_kernel_has_no_operation_to_decide_with(connect, sockets, calls, op) -> None:
    kernel = connect("k1")
    reply = await kernel.ask(op, id="g1")
    assert reply["error"]["code"] == "channel.unknown_op"
    assert calls.calls == []


@pytest.mark.asyncio
async def test_missing_argument_is_named(connect, sockets) -> None:
    kernel = connect("k1")
    reply = await kernel.ask("credential")
    assert reply["error"]["code"] == "channel.missing_argument"
    assert "target" in reply["error"]["detail"]


@pytest.mark.asyncio
async def test_an_id_cannot_leave_its_path_segment(connect, sockets, calls) -> None:
    kernel = connect("k1")
    await kernel.ask("revoke", id="../../v1/grants/other/approve?x=")
    assert calls.calls[0][1] == "/v1/grants/..%2F..%2Fv1%2Fgrants%2Fother%2Fapprove%3Fx%3D/revoke"


@pytest.mark.asyncio
async def test_end_of_the_kernel_is_reported_once(sockets, calls) -> None:
    end = sockets.open("k1")
    await asyncio.sleep(0)
    end.close()
    await asyncio.sleep(0.05)
    sockets.close("k1")
    await sockets.drain()
    assert calls.calls == [("POST", "/v1/kernels/k1/ended", None, None)]


@pytest.mark.asyncio
async def test_babble_ends_the_channel_not_the_server(connect, sockets, calls) -> None:
    babbler = connect("k1")
    babbler.sock.sendall(b"\xff\xff\xff\xffgarbage")
    await asyncio.sleep(0.05)
    assert sockets.ids() == []
    other = connect("k2")
    calls.answer = {"id": "g"}
    assert (await other.ask("grant", id="g"))["ok"] == {"id": "g"}


@pytest.mark.asyncio
async def test_push_reaches_only_the_kernel_that_holds_the_grant(connect, sockets) -> None:
    one, two = connect("k1"), connect("k2")
    await sockets.push_grant({"id": "g", "kernel_id": "k1", "state": "active"})
    assert (await one.receive())["push"] == "grant"
    with pytest.raises(BlockingIOError):
        two.sock.recv(1)


@pytest.mark.asyncio
async def test_slow_answer_does_not_hold_up_the_next(connect, sockets, calls) -> None:
    gate = asyncio.Event()

    async def call(method, path, body=None, **_):
        if path.startswith("/v1/grants/slow"):
            await gate.wait()
        return {"path": path}

    calls.call = call
    kernel = connect("k1")
    await kernel.send({"id": 1, "op": "grant", "args": {"id": "slow"}})
    await kernel.send({"id": 2, "op": "grant", "args": {"id": "fast"}})
    assert (await kernel.receive())["id"] == 2
    gate.set()
    assert (await kernel.receive())["id"] == 1


@pytest.mark.asyncio
async def test_undelivered_end_does_not_raise(sockets, calls) -> None:
    calls.error = Unavailable("control.unavailable", "down")
    sockets.open("k1").close()
    await sockets.drain()


def test_every_operation_of_the_wire_is_listed() -> None:
    assert set(OPERATIONS) == {
        *("hello", "targets", "request", "extend", "grant", "grants", "credential", "revoke", "cancel"),
        *("record", "runs", "run", "evidence", "gap", "status"),
        *("submitted", "job", "permit", "untracked", "operate"),
        *("jobs", "exposure", "preview"),
    }
