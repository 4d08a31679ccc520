"""Every route and verb: who may call it, what it relays, and how it refuses."""

import hashlib
import json
import re
from contextlib import suppress
from typing import ClassVar

import pytest
from jupyter_server.auth.authorizer import Authorizer
from tornado.httpclient import HTTPClientError

from qsec_jupyter.core.errors import Denied, Unavailable
from qsec_jupyter.server.handlers import ROUTES, QsecHandler

TABLE = [
    ("GET", "version", "read", "qsec:state"),
    ("GET", "state", "read", "qsec:state"),
    ("POST", "grants", "write", "qsec:grants"),
    ("POST", "grants/g1/approve", "write", "qsec:approvals"),
    ("POST", "grants/g1/deny", "write", "qsec:approvals"),
    ("POST", "grants/g1/review", "write", "qsec:approvals"),
    ("POST", "grants/deny", "write", "qsec:approvals"),
    ("POST", "grants/g1/extend", "write", "qsec:grants"),
    ("GET", "locks", "read", "qsec:locks"),
    ("POST", "locks", "write", "qsec:locks"),
    ("POST", "locks/l1/lift", "write", "qsec:locks"),
    ("POST", "targets/sandbox/secret", "write", "qsec:secrets"),
    ("GET", "tokens", "read", "qsec:tokens"),
    ("POST", "tokens", "write", "qsec:tokens"),
    ("POST", "tokens/t1/revoke", "write", "qsec:tokens"),
    ("GET", "series", "read", "qsec:approvals"),
    ("POST", "series", "write", "qsec:approvals"),
    ("POST", "series/s1/end", "write", "qsec:approvals"),
    ("POST", "grants/g1/cancel", "write", "qsec:grants"),
    ("POST", "grants/g1/revoke", "write", "qsec:grants"),
    ("GET", "runs", "read", "qsec:runs"),
    ("GET", "runs/r1", "read", "qsec:runs"),
    ("GET", "runs/r1/diff/r2", "read", "qsec:runs"),
    ("GET", "events", "read", "qsec:events"),
    ("GET", "jobs", "read", "qsec:jobs"),
    ("GET", "jobs/j1", "read", "qsec:jobs"),
    ("GET", "jobs/j1/exposure", "read", "qsec:jobs"),
    ("POST", "jobs/j1/cancel", "write", "qsec:jobs"),
    ("POST", "targets/t1/reconciliations", "write", "qsec:jobs"),
    ("GET", "scan?path=a.ipynb", "read", "qsec:findings"),
    ("POST", "scan/keep", "write", "qsec:findings"),
    ("POST", "scan/unkeep", "write", "qsec:findings"),
    ("GET", "findings", "read", "qsec:findings"),
    ("POST", "share", "write", "qsec:shares"),
    ("GET", "coverage?path=a.ipynb", "read", "qsec:findings"),
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
        await jp_fetch("qsec", "scan", "keep", method="POST", body='{"path": "a", "fingerprints": ["f"]}')
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


def a_notebook(source: str, *outputs) -> dict:
    cell = {
        "cell_type": "code", "id": "c1", "metadata": {}, "outputs": list(outputs), "execution_count": None,
        "source": source,
    }  # fmt: skip
    return {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def a_token(seed: int) -> str:
    return "".join(chr(65 + (i * seed) % 26 + 32 * (i % 2)) + str(i * seed % 10) for i in range(22))


async def put(jp_fetch, path: str, notebook: dict):
    body = json.dumps({"type": "notebook", "content": notebook})
    return await jp_fetch("api", "contents", path, method="PUT", body=body)


async def post(jp_fetch, route: str, body: dict) -> dict:
    answer = await jp_fetch("qsec", *route.split("/"), method="POST", body=json.dumps(body))
    return json.loads(answer.body)


async def test_findings_are_kept_and_taken_back_in_bulk(jp_fetch, jp_root_dir, relayed) -> None:
    tokens = [a_token(7), a_token(11)]
    content = a_notebook("\n".join(f'QiskitRuntimeService(token="{token}")' for token in tokens))
    await put(jp_fetch, "a.ipynb", content)
    report = json.loads((await jp_fetch("qsec", "scan", params={"path": "a.ipynb"})).body)
    chosen = {"path": "a.ipynb", "fingerprints": [one["fingerprint"] for one in report["findings"]]}
    kept = await post(jp_fetch, "scan/keep", {**chosen, "reason": "test tokens"})
    assert {one["action"] for one in kept["findings"]} == {"kept"}
    assert relayed[-1][:2] == ("POST", "/v1/findings/keep")
    await put(jp_fetch, "a.ipynb", content)
    assert all(token in (jp_root_dir / "a.ipynb").read_text() for token in tokens)
    back = await post(jp_fetch, "scan/unkeep", chosen)
    assert {one["action"] for one in back["findings"]} == {"redacted"}
    await put(jp_fetch, "a.ipynb", content)
    assert not any(token in (jp_root_dir / "a.ipynb").read_text() for token in tokens)


async def test_findings_are_asked_of_the_control_plane(jp_fetch, relayed) -> None:
    await jp_fetch("qsec", "findings", params={"severity": "high", "search": "a&b", "other": "x"})
    assert relayed == [("GET", "/v1/findings?severity=high&search=a%26b", None, None)]


async def test_share_writes_a_copy_and_a_report_and_records_them(jp_fetch, jp_root_dir, jp_serverapp) -> None:
    calls = []

    async def call(method, path, body=None, **_):
        calls.append((path, body))
        return {"share_id": "s1", "ledger_index": 3}

    jp_serverapp.web_app.settings["qsec_control"].call = call
    token = a_token(7)
    stream = {"output_type": "stream", "name": "stdout", "text": "x\n"}
    content = a_notebook(f'QiskitRuntimeService(token="{token}")', stream)
    (jp_root_dir / "a.ipynb").write_text(json.dumps(content))  # as a kernel might have written it
    answer = await post(jp_fetch, "share", {"path": "a.ipynb", "keep": {"outputs": False}})
    assert (answer["path"], answer["report"]) == ("a-shared.ipynb", "a-shared.report.md")
    assert (answer["share_id"], answer["recorded"]) == ("s1", True)
    assert answer["removed"] == {"outputs": 1, "metadata": 0, "secrets": 1}
    shared = (jp_root_dir / "a-shared.ipynb").read_bytes()
    recorded = next(body for path, body in calls if path == "/v1/shares")
    assert hashlib.sha256(shared).hexdigest() == recorded["sha256"]
    assert token.encode() not in shared
    assert token not in (jp_root_dir / "a-shared.report.md").read_text()
    again = await post(jp_fetch, "share", {"path": "a.ipynb"})
    assert again["path"] == "a-shared-1.ipynb"
    with pytest.raises(HTTPClientError) as caught:
        await post(jp_fetch, "share", {"path": "a.ipynb", "to": "a-shared.ipynb"})
    assert caught.value.code == 409


async def test_share_without_a_control_plane_says_that_it_is_not_recorded(
    jp_fetch, jp_root_dir, jp_serverapp, monkeypatch
) -> None:
    async def call(*args, **kwargs):
        raise Unavailable("control.unavailable", "The control plane does not answer")

    monkeypatch.setattr(jp_serverapp.web_app.settings["qsec_control"], "call", call)
    (jp_root_dir / "a.ipynb").write_text(json.dumps(a_notebook("1")))
    answer = await post(jp_fetch, "share", {"path": "a.ipynb"})
    assert (answer["recorded"], answer["share_id"]) == (False, None)
    assert "**no**" in (jp_root_dir / answer["report"]).read_text()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"path": "missing.ipynb"}, 404),
        ({"path": "a.ipynb", "keep": {"outputs": 1}}, 422),
        ({"path": "a.ipynb", "to": "a.ipynb"}, 422),
        ({"path": "a.ipynb", "to": "x.txt"}, 422),
        ({"path": "broken.ipynb"}, 422),
    ],
)
async def test_share_that_cannot_be_made_is_refused(jp_fetch, jp_root_dir, relayed, body, code) -> None:
    (jp_root_dir / "a.ipynb").write_text(json.dumps(a_notebook("1")))
    (jp_root_dir / "broken.ipynb").write_text("{")
    with pytest.raises(HTTPClientError) as caught:
        await post(jp_fetch, "share", body)
    assert caught.value.code == code


async def test_coverage_says_what_is_in_place(jp_fetch, jp_serverapp, relayed) -> None:
    async def states() -> dict:
        answer = json.loads((await jp_fetch("qsec", "coverage", params={"path": "a.ipynb"})).body)
        return {(row["surface"], row["route"]): row["state"] for row in answer["rows"]}

    covered = await states()
    assert covered["source", "save, save as, autosave"] == "redacted"
    assert covered["notebook", "rename, move"] == "redacted"
    manager = jp_serverapp.contents_manager
    manager._pre_save_hooks.clear()
    del manager.rename_file
    bare = await states()
    assert bare["source", "save, save as, autosave"] == "not covered"
    assert bare["notebook", "rename, move"] == "not covered"
