"""The HTTP edge, called in process."""

import threading
import time

import pytest
from fastapi.testclient import TestClient
from starlette.middleware.gzip import GZipMiddleware
from starlette.websockets import WebSocketDisconnect

from qsec_jupyter.control.api.workloads import LOGIN
from qsec_jupyter.control.app import make_app, openapi, refuse_open_app
from qsec_jupyter.control.asking import Wish
from qsec_jupyter.control.openapi import main
from qsec_jupyter.core.errors import Bug
from qsec_jupyter.core.secret import Secret

BEARER = "b" * 43
ROUTES = [(method.upper(), path) for path, verbs in openapi()["paths"].items() for method in verbs]


@pytest.fixture
def client(plane):
    plane.callers.add(Secret(BEARER, "bearer"), plane.owner)
    app = make_app(plane)
    with TestClient(app, base_url="http://127.0.0.1:9", raise_server_exceptions=False) as client:
        client.headers["Authorization"] = f"Bearer {BEARER}"
        yield client


def test_there_are_routes() -> None:
    assert len(ROUTES) >= 17


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize("header", [None, "", "Bearer ", "Bearer " + "x" * 43, BEARER, "Basic " + BEARER])
def test_no_route_answers_without_the_bearer(client, method, path, header) -> None:
    if (path, header) == (LOGIN, None):
        return  # its body is the proof: tests/attack/test_attack_workload_login.py
    client.headers.pop("Authorization")
    headers = {} if header is None else {"Authorization": header}
    answer = client.request(method, path.replace("{", "").replace("}", ""), headers=headers, json={})
    assert answer.status_code == 401
    assert answer.json()["status"] == 401


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:80", "10.0.0.1", ""])
def test_a_rebound_name_is_refused_even_with_the_bearer(client, host) -> None:
    assert client.get("/v1/state", headers={"Host": host}).status_code == 401


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json", "/"])
def test_nothing_but_the_routes_is_served(client, path) -> None:
    assert client.get(path).status_code == 404


def test_without_the_bearer_not_even_a_wrong_path_or_body_is_told_from_a_right_one(client) -> None:
    client.headers.pop("Authorization")
    assert client.get("/nowhere").status_code == 401
    assert client.post("/v1/grants", content=b"{not json").status_code == 401


def test_guard_stands_before_whatever_is_added(plane) -> None:
    plane.callers.add(Secret(BEARER, "bearer"), plane.owner)
    app = make_app(plane)
    app.mount("/files", lambda *_: pytest.fail("reached"))
    app.add_api_websocket_route("/socket", lambda *_: pytest.fail("reached"))
    client = TestClient(app, base_url="http://127.0.0.1:9")
    assert client.get("/files/x").status_code == 401
    with pytest.raises(WebSocketDisconnect) as caught, client.websocket_connect("/socket"):
        pass
    assert caught.value.code == 1008


def test_application_with_something_before_the_guard_does_not_start(plane) -> None:
    plane.callers.add(Secret(BEARER, "bearer"), plane.owner)
    app = make_app(plane)
    app.add_middleware(GZipMiddleware)
    with pytest.raises(Bug) as caught:
        refuse_open_app(app)
    assert caught.value.code == "control.open"


def test_application_without_a_bearer_lets_nobody_in(plane) -> None:
    client = TestClient(make_app(plane), base_url="http://127.0.0.1:9")
    for header in ("", "Bearer ", "Bearer None"):
        assert client.get("/v1/state", headers={"Authorization": header}).status_code == 401


@pytest.mark.parametrize("odd", [b"Bearer \xff\xfe", b"Bearer " + BEARER.encode() + b"\xe9"])
def test_odd_bytes_for_a_bearer_are_refused_not_an_error(client, odd) -> None:
    assert client.get("/v1/state", headers={"Authorization": odd}).status_code == 401


def test_refusal_is_a_problem_document(client) -> None:
    answer = client.post("/v1/grants", json={"target": "nowhere", "reason": "r", "kernel_id": "k"})
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "target.unknown"


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/no", 404), ("DELETE", "/v1/state", 405)])
def test_refusal_of_the_framework_is_a_problem_document_too(client, method, path, status) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status == answer.json()["status"]
    assert answer.headers["content-type"] == "application/problem+json"


def test_malformed_body_is_named_by_place_and_never_quoted(client) -> None:
    answer = client.post("/v1/grants", json={"target": ["s3cret-value"]})
    assert answer.status_code == 422
    assert "body.target" in answer.json()["detail"]
    assert "s3cret-value" not in answer.text


def test_unexpected_failure_says_nothing_of_itself(client, plane, monkeypatch) -> None:
    def fail():
        raise RuntimeError("s3cret-value")

    monkeypatch.setattr(plane, "health", fail)
    answer = client.get("/v1/health")
    assert answer.status_code == 500
    assert answer.json()["code"] == "control.bug"
    assert "s3cret-value" not in answer.text


def test_kernel_header_decides_whose_request_it_is(client) -> None:
    body = {"target": "pilot", "reason": "r", "ticket": "QC-1", "kernel_id": "k2"}
    assert client.post("/v1/grants", json=body, headers={"Qsec-Kernel": "k1"}).status_code == 403
    grant = client.post("/v1/grants", json=body).json()
    as_kernel = client.post(f"/v1/grants/{grant['id']}/approve", json={}, headers={"Qsec-Kernel": "k2"})
    assert as_kernel.status_code == 403
    assert client.post(f"/v1/grants/{grant['id']}/approve", json={}).json()["state"] == "active"


@pytest.mark.parametrize(
    "path", ["findings", "findings/keep", "findings/unkeep", "shares", "kernels/k2/ended"]
)
def test_kernel_can_say_nothing_about_findings_or_other_kernels(client, path) -> None:
    body = {"path": "a", "findings": [], "reason": "r", "fingerprints": ["f"]}
    if path == "shares":
        body = SHARE
    assert client.post(f"/v1/{path}", json=body, headers={"Qsec-Kernel": "k1"}).status_code == 403


def test_runs_are_recorded_by_kernels_only(client) -> None:
    assert client.post("/v1/runs", json={"records": []}).status_code == 403


def test_long_poll_answers_when_something_changes(client, plane) -> None:
    version = client.get("/v1/state").json()["version"]
    started = time.monotonic()
    timer = threading.Timer(
        0.2, lambda: plane.access.request(plane.owner.by("k1"), Wish("sandbox", "k1", "r"))
    )
    timer.start()
    answer = client.get(f"/v1/state?since={version}&wait=20").json()
    timer.join()
    assert answer["version"] > version
    assert time.monotonic() - started < 10


SHARE = {
    "source": "ada/a.ipynb",
    "path": "ada/a-shared.ipynb",
    "sha256": "0" * 64,
    "size": 10,
    "data_class": "internal",
    "keep": {"outputs": False, "execution_counts": False, "metadata": True},
    "removed": {"outputs": 3, "metadata": 0, "secrets": 1},
    "findings": 1,
}


def test_share_is_in_the_ledger_by_its_digest_and_names_no_path(client, plane, tmp_path) -> None:
    answer = client.post("/v1/shares", json=SHARE)
    assert answer.status_code == 201
    assert len(answer.json()["share_id"]) == 32
    written = b"".join(p.read_bytes() for p in (tmp_path / "journal-0" / "ledger").rglob("*") if p.is_file())
    assert b"notebook.shared" in written
    assert SHARE["sha256"].encode() in written
    assert b"a-shared" not in written


def test_share_that_is_malformed_is_refused(client) -> None:
    for change in ({"sha256": "short"}, {"size": -1}, {"data_class": "secret"}, {"keep": {}}):
        assert client.post("/v1/shares", json={**SHARE, **change}).status_code == 422


def test_findings_are_listed_once_and_kept_with_a_reason(client) -> None:
    finding = {
        "rule": "ibm-quantum",
        "title": "IBM Quantum token",
        "severity": "high",
        "surface": "source",
        "path": "a.ipynb",
        "cell": 0,
        "cell_id": "c",
        "line": 1,
        "column": 9,
        "fingerprint": "f" * 32,
        "remedy": "Use qsec.credential().",
        "action": "redacted",
    }
    for expected in (1, 0):
        answer = client.post("/v1/findings", json={"path": "a.ipynb", "findings": [finding]})
        assert answer.json() == {"recorded": expected, "ended": []}
    chosen = {"path": "a.ipynb", "fingerprints": ["f" * 32]}
    kept = client.post("/v1/findings/keep", json={**chosen, "reason": "a test token"})
    assert kept.json() == {"changed": 1}
    (listed,) = client.get("/v1/state").json()["findings"]
    assert (listed["action"], listed["kept_reason"]) == ("kept", "a test token")
    assert client.post("/v1/findings/unkeep", json=chosen).json() == {"changed": 1}
    (listed,) = client.get("/v1/findings").json()["findings"]
    assert (listed["action"], listed["kept_reason"]) == ("redacted", None)


def test_findings_are_found_by_path_severity_and_text(client) -> None:
    for number, (rule, severity) in enumerate((("ibm-quantum", "high"), ("jwt", "low"), ("ionq", "high"))):
        finding = {
            "rule": rule, "title": rule.upper(), "severity": severity, "surface": "output", "path": "x",
            "cell": 0, "cell_id": None, "line": 1, "column": 1, "fingerprint": f"{number}", "remedy": "r",
        }  # fmt: skip
        client.post("/v1/findings", json={"path": f"{number % 2}.ipynb", "findings": [finding]})

    def rules(query):
        return [one["rule"] for one in client.get(f"/v1/findings?{query}").json()["findings"]]

    assert rules("") == ["ionq", "jwt", "ibm-quantum"]
    assert rules("path=0.ipynb") == ["ionq", "ibm-quantum"]
    assert rules("severity=high&search=IBM") == ["ibm-quantum"]
    assert rules("search=1.ipynb") == ["jwt"]
    assert rules("limit=1") == ["ionq"]
    assert client.get("/v1/findings?severity=dire").status_code == 422
    assert client.get("/v1/findings", headers={"Qsec-Kernel": "k1"}).status_code == 403


def test_openapi_in_docs_is_what_the_code_says(capsys) -> None:
    from pathlib import Path

    assert main(["--check", str(Path(__file__).parents[2] / "docs" / "openapi.json")]) == 0
