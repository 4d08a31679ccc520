"""Claim: a credential is in Vault, in the control plane's memory and in its kernel, and nowhere else.

A whole story on real servers: a Jupyter Server, its control plane (sealed store, and a real Vault), a kernel,
a save, a share, notifications, a rotation. Then every file, log, database, process environment and message is
searched for the value, in every encoding that a program might have made of it.
"""

import asyncio
import base64
import json
import logging
import os
import random
import string
import urllib.parse
import uuid
from pathlib import Path

import psutil
import pytest
from receivers import hooks
from tornado.websocket import websocket_connect

ROOT = Path(__file__).parents[2]
VAULT = ROOT / ".cache" / "bin"
PASTED = "".join(random.Random(23).choices(string.ascii_letters + string.digits, k=44))

CELLS = {
    "ask": """
import qsec_jupyter as qsec, logging, subprocess, sys, os
from IPython.display import display, HTML
grant = qsec.request("sandbox", reason="canary")
credential = qsec.credential("sandbox")
v = credential.reveal()
""",
    "tell the test": "print([ord(one) * 7 for one in v])",
    "print": "print(v)",
    "shown": "display(HTML(f'<b>{v}</b>')); credential",
    "error": "raise ValueError(v)",
    "shell": "!echo {v}",
    "log": "logging.getLogger('app').warning('token %s', v)",
    "subprocess": "subprocess.run(['cat'], input=v, text=True);",
    "run": """
from qiskit import QuantumCircuit
from qiskit_aer import AerSimulator
circuit = QuantumCircuit(1, 1, name="canary"); circuit.measure(0, 0)
AerSimulator().run(circuit, shots=10).result().get_counts()
""",
    "again": 'v = qsec.credential("sandbox").reveal(); print(v)',
    "hand back": "qsec.revoke()",
}

CATALOGUE = """
[notifications.ops]
kind = "webhook"
url = "{url}"
secret_file = "ops.key"
events = ["grant", "credential", "finding", "run", "notebook", "kernel", "control", "request", "server"]
say = ["names", "reason", "ticket"]
"""


@pytest.fixture
def receiver():
    with hooks() as server:
        yield server


@pytest.fixture(params=["sealed", pytest.param("vault", marks=pytest.mark.vault)])
def store(request):
    if request.param == "vault" and not (VAULT / "vault").exists():
        text = "there is no Vault here; make vault builds one"
        pytest.fail(text) if os.environ.get("CI") else pytest.skip(text)
    return request.param


@pytest.fixture
def jp_server_config(tmp_path, monkeypatch, receiver, store):
    home = tmp_path / "home"
    (home / "notifications").mkdir(parents=True, mode=0o700)
    home.chmod(0o700)
    from qsec_jupyter.control.policy.bundle import SHIPPED

    shipped = (SHIPPED / "catalog.toml").read_text()
    (home / "catalog.toml").write_text(shipped + CATALOGUE.format(url=receiver.url))
    key = home / "notifications" / "ops.key"
    key.write_text("webhook-key-of-this-test")
    key.chmod(0o600)
    monkeypatch.setenv("QSEC_HOME", str(home))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.delenv("VAULT_ADDR", raising=False)
    monkeypatch.setenv(
        "PATH", os.pathsep.join([*([str(VAULT)] if store == "vault" else []), "/usr/bin", "/bin"])
    )
    return {"ServerApp": {"jpserver_extensions": {"qsec_jupyter.server": True}, "disable_check_xsrf": True}}


class Story:
    """Talks to the server, and keeps every byte that comes back."""

    def __init__(self, fetch, port, base, token):
        self._fetch = fetch
        self._url = f"ws://127.0.0.1:{port}{base}api/kernels/"
        self._token = token
        self.messages: list[bytes] = []

    async def ask(self, method, *path, body=None, params=None):
        answer = await self._fetch(
            *path, method=method, params=params or {}, body=None if body is None else json.dumps(body),
            allow_nonstandard_methods=True, request_timeout=60,
        )  # fmt: skip
        self.messages.append(answer.body or b"")
        self.messages.append(repr(sorted(answer.headers.get_all())).encode())
        return json.loads(answer.body) if answer.body else None

    async def connect(self, kernel):
        self.socket = await websocket_connect(
            f"{self._url}{kernel}/channels?token={self._token}&session_id=s"
        )

    async def run(self, code) -> list[dict]:
        """Run a cell; return what it sent as outputs."""
        identifier = uuid.uuid4().hex
        header = {"msg_id": identifier, "msg_type": "execute_request", "session": "s", "username": "u"}
        header |= {"version": "5.3", "date": "2026-01-31T09:00:00Z"}
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}}
        content |= {"allow_stdin": False, "stop_on_error": False}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content}
        message["channel"] = "shell"
        await self.socket.write_message(json.dumps(message))
        outputs, replied, idle = [], False, False
        while not (replied and idle):
            data = await asyncio.wait_for(self.socket.read_message(), 90)
            self.messages.append(data if isinstance(data, bytes) else data.encode())
            told = json.loads(data)
            if told["parent_header"].get("msg_id") != identifier:
                continue
            replied |= told["msg_type"] == "execute_reply"
            idle |= told["msg_type"] == "status" and told["content"]["execution_state"] == "idle"
            if told["msg_type"] in {"stream", "error", "display_data", "execute_result"}:
                outputs.append({"output_type": told["msg_type"], **told["content"]})
        return outputs


def encodings(value: str):
    data = value.encode()
    yield "itself", data
    yield "reversed", data[::-1]
    yield "hexadecimal", data.hex().encode()
    yield "HEXADECIMAL", data.hex().upper().encode()
    yield "UTF-16", value.encode("utf-16-le")
    yield "UTF-16 BE", value.encode("utf-16-be")
    yield "quoted", urllib.parse.quote(value, safe="").encode()
    for offset in range(3):  # whatever stands before it
        coded = base64.b64encode(bytes(offset) + data)
        yield f"base64, {offset} behind", coded[4 if offset else 0 : -4]
        yield (
            f"base64url, {offset} behind",
            base64.urlsafe_b64encode(bytes(offset) + data)[4 if offset else 0 : -4],
        )


def processes():
    """Yield environment and command line of this process and all that it began."""
    own = psutil.Process()
    for process in [own, *own.children(recursive=True)]:
        for part in ("environ", "cmdline"):
            try:
                yield f"{part} of {process.name()}", Path(f"/proc/{process.pid}/{part}").read_bytes()
            except (OSError, psutil.NoSuchProcess):
                continue


def files(folder):
    for path in folder.rglob("*"):
        if path.is_file():
            yield f"file {path.relative_to(folder)}", path.read_bytes()


async def until(condition, seconds=15.0):
    for _ in range(int(seconds * 10)):
        if condition():
            return
        await asyncio.sleep(0.1)


async def test_value_is_nowhere_but_where_it_belongs(
    jp_serverapp, jp_fetch, jp_http_port, jp_base_url, tmp_path, receiver, store, caplog, capfd, monkeypatch
) -> None:
    monkeypatch.delenv("PYTEST_CURRENT_TEST")  # a kernel that sees it does not watch its descriptors
    caplog.set_level(logging.DEBUG)
    story = Story(jp_fetch, jp_http_port, jp_base_url, jp_serverapp.identity_provider.token)
    jp_serverapp.web_app.settings["qsec_control"].start()
    values: dict[str, str] = {}
    places: list[tuple[str, bytes]] = []
    if store == "sealed":
        kept = await story.ask("POST", "qsec", "targets", "sandbox", "secret", body={"values": {"": PASTED}})
        assert kept["parts"] == ["token"]
        values["pasted"] = PASTED
    kernel = (await story.ask("POST", "api", "kernels", body={"name": "python3"}))["id"]
    await story.connect(kernel)
    outputs = {name: await story.run(code) for name, code in CELLS.items() if name != "hand back"}
    told = "".join(one["text"] for one in outputs["tell the test"] if one["output_type"] == "stream")
    values["issued"] = "".join(chr(number // 7) for number in json.loads(told))
    assert len(values["issued"]) > 20
    assert store == "vault" or values["issued"] == PASTED
    assert "redacted" in json.dumps(outputs["print"])
    assert "canary" not in json.dumps(outputs["run"])
    assert outputs["run"], "no circuit was run"

    secret = values["issued"]
    cell = {
        "cell_type": "code", "id": "c1", "metadata": {"note": secret}, "execution_count": 1,
        "source": f"token = '{secret}'",
        "outputs": [{"output_type": "stream", "name": "stdout", "text": f"{secret}\n"}],
    }  # fmt: skip
    notebook = {"cells": [cell], "metadata": {"mine": secret}, "nbformat": 4, "nbformat_minor": 5}
    model = {"type": "notebook", "format": "json", "content": notebook}
    await story.ask("PUT", "api", "contents", "leak.ipynb", body=model)
    await story.ask("POST", "qsec", "share", body={"path": "leak.ipynb", "keep": {"outputs": True}})
    for path in ("state", "runs", "findings", "events", "locks", "tokens", "series"):
        await story.ask("GET", "qsec", path, params={"limit": "200"} if path in {"runs", "events"} else {})
    await story.ask("GET", "qsec", "scan", params={"path": "leak.ipynb"})
    places += processes()
    await story.run(CELLS["hand back"])
    await until(lambda: b"credential.issued" in b"".join(body for _, _, body in receiver.taken))
    assert receiver.taken, "nobody was notified"
    await story.ask("DELETE", "api", "kernels", kernel)
    for extension in jp_serverapp.extension_manager.extension_apps["qsec_jupyter.server"]:
        await extension.stop_extension()

    places += files(tmp_path)
    places += [(f"message {number}", message) for number, message in enumerate(story.messages)]
    places += [("notification", body + repr(headers).encode()) for _, headers, body in receiver.taken]
    places.append(
        (
            "log records",
            "\n".join(f"{r.getMessage()} {r.args!r} {r.exc_text}" for r in caplog.records).encode(),
        )
    )
    places += [("standard output or error", text.encode()) for text in capfd.readouterr()]
    names = {name for name, _ in places}
    assert {"file home/journal-0/qsec.db", "file home/control.log", "log records", "notification"} <= names
    assert len(places) > 100
    found = [
        (what, coding, where)
        for what, value in values.items()
        for coding, needle in encodings(value)
        for where, data in places
        if needle in data
    ]
    assert found == []
