"""Every route and verb: who may call it, what it relays, and how it refuses."""

import json
import re
from contextlib import suppress
from typing import ClassVar

import pytest
from jupyter_server.auth.authorizer import Authorizer
from tornado.httpclient import HTTPClientError

from qsec_jupyter.core.errors import Denied
from qsec_jupyter.server.handlers import ROUTES, QsecHandler

TABLE = [
    ("GET", "version", "read", "qsec:state"),
    ("GET", "state", "read", "qsec:state"),
    ("POST", "grants", "write", "qsec:grants"),
    ("POST", "grants/g1/approve", "write", "qsec:approvals"),
    ("POST", "grants/g1/deny", "write", "qsec:approvals"),
    ("POST", "grants/g1/cancel", "write", "qsec:grants"),
    ("POST", "grants/g1/revoke", "write", "qsec:grants"),
    ("GET", "runs", "read", "qsec:runs"),
    ("GET", "runs/r1", "read", "qsec:runs"),
    ("GET", "runs/r1/diff/r2", "read", "qsec:runs"),
    ("GET", "scan?path=a.ipynb", "read", "qsec:findings"),
    ("POST", "scan/keep", "write", "qsec:findings"),
]


class NotingAuthorizer(Authorizer):
    """Notes what it is asked about our resources; refuses all of it when told to."""

    asked: ClassVar[list] = []
    refuse = False

    def is_authorized(self, handler, user, action, resource) -> bool:
        if isinstance(handler, QsecHandler):
            self.asked.append((action, resource))
            return not self.refuse
        return True


@pytest.fixture
def authorizer(monkeypatch):
    monkeypatch.setattr(NotingAuthorizer, "asked", [])
    monkeypatch.setattr(NotingAuthorizer, "refuse", False)
    return NotingAuthorizer


@pytest.fixture
def jp_server_config(tmp_path, monkeypatch, authorizer):
    monkeypatch.setenv("QSEC_HOME", str(tmp_path / "home"))
    return {
        "ServerApp": {
            "jpserver_extensions": {"qsec_jupyter.server": True},
            "authorizer_class": NotingAuthorizer,
        }
    }


@pytest.fixture
def relayed(jp_serverapp, monkeypatch) -> list:
    """Replace the control plane's answers; the list notes what was asked."""
    calls = []

    async def call(method, path, body=None, *, kernel_id=None, wait=0):
        calls.append((method, path, body, kernel_id))
        return {"id": "g1"}

    monkeypatch.setattr(jp_serverapp.web_app.settings["qsec_control"], "call", call)
    return calls


def body_of(method: str):
    return "{}" if method == "POST" else None


@pytest.mark.parametrize(("method", "path", "action", "resource"), TABLE)
async def test_verb_asks_for_its_own_resource(
    jp_fetch, relayed, authorizer, method, path, action, resource
) -> None:
    parts, _, query = path.partition("?")
    params = dict([query.split("=")]) if query else {}
    with suppress(HTTPClientError):  # an empty body is refused, but only after the question
        await jp_fetch("qsec", *parts.split("/"), method=method, body=body_of(method), params=params)
    assert authorizer.asked == [(action, resource)]


@pytest.mark.parametrize(("method", "path", "action", "resource"), TABLE)
async def test_refused_user_gets_nothing(
    jp_fetch, relayed, authorizer, method, path, action, resource
) -> None:
    authorizer.refuse = True
    with pytest.raises(HTTPClientError) as caught:
        await jp_fetch("qsec", *path.partition("?")[0].split("/"), method=method, body=body_of(method))
    assert caught.value.code == 403
    assert relayed == []


@pytest.mark.parametrize(("method", "path", "action", "resource"), TABLE)
async def test_no_verb_answers_without_a_login(
    http_server_client, jp_base_url, relayed, method, path, action, resource
) -> None:
    with pytest.raises(HTTPClientError) as caught:
        await http_server_client.fetch(f"{jp_base_url}qsec/{path}", method=method, body=body_of(method))
    assert caught.value.code == 403
    assert relayed == []


def test_table_names_every_route_and_verb() -> None:
    for pattern, handler in ROUTES:
        for verb in ("get", "post", "put", "patch", "delete"):
            named = any(
                method == verb.upper() and re.fullmatch(pattern, path.partition("?")[0])
                for method, path, *_ in TABLE
            )
            assert named == (verb in vars(handler)), (verb, pattern)


async def test_refusal_of_the_control_plane_reaches_the_browser_as_a_problem(
    jp_fetch, jp_serverapp, monkeypatch
) -> None:
    async def call(*args, **kwargs):
        raise Denied("policy.denied", "Refused by policy", "rule x", "ask y")

    monkeypatch.setattr(jp_serverapp.web_app.settings["qsec_control"], "call", call)
    with pytest.raises(HTTPClientError) as caught:
        await jp_fetch("qsec", "grants", "g1", "approve", method="POST", body="{}")
    assert caught.value.code == 403
    problem = json.loads(caught.value.response.body)
    assert (problem["code"], problem["remedy"]) == ("policy.denied", "ask y")


async def test_unexpected_failure_says_nothing_of_itself(jp_fetch, jp_serverapp, monkeypatch) -> None:
    async def call(*args, **kwargs):
        raise RuntimeError("s3cret-value")

    monkeypatch.setattr(jp_serverapp.web_app.settings["qsec_control"], "call", call)
    with pytest.raises(HTTPClientError) as caught:
        await jp_fetch("qsec", "state")
    assert caught.value.code == 500
    assert b"s3cret-value" not in caught.value.response.body


async def test_grant_for_a_kernel_without_a_socket_is_refused_with_a_remedy(jp_fetch, relayed) -> None:
    body = json.dumps({"target": "sandbox", "reason": "r", "kernel_id": "nobody"})
    with pytest.raises(HTTPClientError) as caught:
        await jp_fetch("qsec", "grants", method="POST", body=body)
    assert json.loads(caught.value.response.body)["code"] == "request.no_kernel"
    assert relayed == []


async def test_kept_finding_needs_a_reason(jp_fetch, relayed) -> None:
    with pytest.raises(HTTPClientError) as caught:
        await jp_fetch("qsec", "scan", "keep", method="POST", body='{"path": "a", "fingerprint": "f"}')
    assert json.loads(caught.value.response.body)["code"] == "finding.reason_missing"


async def test_body_that_is_no_json_object_is_refused(jp_fetch, relayed) -> None:
    for body in ("[]", "{", "\ud800".encode("utf-8", "surrogatepass")):
        with pytest.raises(HTTPClientError) as caught:
            await jp_fetch("qsec", "grants", method="POST", body=body)
        assert caught.value.code == 422


async def test_saved_notebook_is_reported_and_clean(jp_fetch, jp_root_dir, relayed) -> None:
    token = "".join(chr(65 + (i * 7) % 26 + 32 * (i % 2)) + str(i % 10) for i in range(22))
    cell = {
        "cell_type": "code",
        "id": "c1",
        "metadata": {},
        "outputs": [],
        "execution_count": None,
        "source": f'QiskitRuntimeService(token="{token}")',
    }
    notebook = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    body = json.dumps({"type": "notebook", "content": notebook})
    await jp_fetch("api", "contents", "a.ipynb", method="PUT", body=body)
    assert token not in (jp_root_dir / "a.ipynb").read_text()
    report = json.loads((await jp_fetch("qsec", "scan", params={"path": "a.ipynb"})).body)
    assert [finding["cell_id"] for finding in report["findings"]] == ["c1"]
    assert token not in json.dumps(report)
