"""Claim: a value that was issued is kept nowhere because somebody quoted it in a reason, comment or ticket.

A real Jupyter Server before the real control plane, asked through a kernel's socket and as the panel asks.
"""

import asyncio
import base64
import json

import pytest
from fastapi.testclient import TestClient

from qsec_jupyter.control.app import make_app
from qsec_jupyter.core.secret import Secret, marker
from qsec_jupyter.core.wire import Decoder, encode

VALUE = "r4Tq-9vKx2Lm8ZpW0sYb"
FORMS = {
    "as it is": VALUE,
    "in base64": base64.b64encode(VALUE.encode()).decode(),
    "in hex": VALUE.encode().hex(),
    "cut by colours": VALUE[:9] + "\x1b[31m" + VALUE[9:],
}


@pytest.fixture
def jp_server_config(qsec_home):
    return {"ServerApp": {"jpserver_extensions": {"qsec_jupyter.server": True}}}


@pytest.fixture
def extension(jp_serverapp, plane, monkeypatch):
    """The server's extension, which reaches the control plane in this process; it has issued the value."""
    (extension,) = jp_serverapp.extension_manager.extension_apps["qsec_jupyter.server"]
    plane.callers.add(Secret("b" * 43, "bearer"), plane.owner)
    with TestClient(make_app(plane), base_url="http://127.0.0.1:9") as client:

        async def call(method, path, body=None, *, kernel_id=None, wait=0):
            headers = {"Authorization": "Bearer " + "b" * 43}
            headers |= {"Qsec-Kernel": kernel_id} if kernel_id else {}
            answer = await asyncio.to_thread(client.request, method, path, json=body, headers=headers)
            assert answer.is_success, answer.text
            return answer.json()

        monkeypatch.setattr(extension.control, "call", call)
        extension.guard.known.add("sandbox", Secret(VALUE, "sandbox"))
        yield extension


async def ask(end, op, **args):
    loop, decoder = asyncio.get_running_loop(), Decoder()
    await loop.sock_sendall(end, encode({"id": 1, "op": op, "args": args}))
    while True:
        for message in decoder.feed(await asyncio.wait_for(loop.sock_recv(end, 1 << 18), 60)):
            if message.get("id") == 1:
                assert "ok" in message, message
                return message["ok"]


async def test_a_quoted_value_is_masked_before_anything_keeps_it(extension, plane, jp_fetch, qsec_home):
    end = extension.kernels.open("k1")
    end.setblocking(False)

    async def post(path, **body):
        answer = await jp_fetch("qsec", *path.split("/"), method="POST", body=json.dumps(body))
        return json.loads(answer.body)

    kept = []
    for quoted in FORMS.values():
        grant = await ask(end, "request", target="sandbox", reason=f"see {quoted} here", duration="5m")
        assert grant["duration"] == 300, "all else stays as it was asked"
        longer = await ask(end, "extend", id=grant["id"], duration="1m", reason=quoted)
        ended = await ask(end, "revoke", id=grant["id"], comment=quoted)
        kept += [grant["reason"], longer["reason"], ended["decision_comment"]]
        grant = await post("grants", target="sandbox", reason=f"see {quoted} here", kernel_id="k1")
        ended = await post(f"grants/{grant['id']}/revoke", comment=quoted)
        kept += [grant["reason"], ended["decision_comment"]]
    assert all(marker("sandbox") in text for text in kept), kept
    shown = json.dumps(plane.panel.snapshot(plane.owner))
    assert "see " in shown
    disk = b"".join(file.read_bytes() for file in qsec_home.rglob("*") if file.is_file())
    assert b"here" in disk, "reasons are kept there"
    for name, form in FORMS.items():
        assert json.dumps(form)[1:-1] not in shown, name
        assert form.encode() not in disk, name
    await extension.kernels.drain()
    end.close()
