"""Claim: nobody reaches a credential or a decision that is not theirs, whatever they send.

A real control plane, attacked as another local process, as a web page, and as a kernel that lies about
everything a kernel can say.
"""

import http.client
import itertools
import json
import socket
import threading
from pathlib import Path

import psutil
import pytest
from control_child import BEARER, children

from qsec_jupyter.control.api.workloads import LOGIN

ROOT = Path(__file__).parents[2]
OPENAPI = json.loads((ROOT / "docs" / "openapi.json").read_text())
ROUTES = [(verb.upper(), path) for path, verbs in OPENAPI["paths"].items() for verb in verbs]


@pytest.fixture(scope="module")
def child(tmp_path_factory):
    with children(tmp_path_factory.mktemp("attack")) as start:
        yield start()


_kernels = itertools.count(1)


@pytest.fixture
def kernel():
    return f"kernel-{next(_kernels)}"


def raw(child, method, path, headers=None, body=b"{}"):
    connection = http.client.HTTPConnection("127.0.0.1", child.greeting["port"], timeout=20)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_another_process_without_the_bearer_gets_nothing(child, method, path) -> None:
    path = path.replace("{", "").replace("}", "")
    for value in (
        None,
        "",
        "Bearer",
        "Bearer null",
        f"bearer{BEARER}",
        f"Bearer {BEARER[:-1]}",
        "Bearer " * 99,
    ):
        if (path, value) == (LOGIN, None):
            continue  # its body is the proof: test_attack_workload_login.py
        headers = {"Qsec-Kernel": "k1"} | ({} if value is None else {"Authorization": value})
        assert raw(child, method, path, headers)[0] == 401
    smuggled = f"{path}?access_token={BEARER}&bearer={BEARER}&Authorization=Bearer%20{BEARER}"
    refused = {401, 411, 422} if path == LOGIN else {401}
    assert raw(child, method, smuggled, {"Cookie": f"Authorization=Bearer {BEARER}"})[0] in refused


@pytest.mark.parametrize(
    "path", ["/docs", "/openapi.json", "/redoc", "/", "/v1", "/v1/state/", "//v1/state", "/v1/../v1/state"]
)
def test_no_path_trick_gets_past_the_guard(child, path) -> None:
    assert raw(child, "GET", path)[0] == 401


@pytest.mark.parametrize("method", ["OPTIONS", "HEAD", "TRACE", "PUT", "PATCH", "DELETE"])
def test_no_other_verb_gets_past_the_guard(child, method) -> None:
    assert raw(child, method, "/v1/state", body=None)[0] == 401


def test_rebound_host_name_is_refused_even_with_the_bearer(child) -> None:
    for host in ("attacker.example", "127.0.0.1.attacker.example", "attacker.example:80", "0.0.0.0", "[::]"):
        headers = {"Host": host, "Authorization": f"Bearer {BEARER}"}
        assert raw(child, "GET", "/v1/state", headers)[0] == 401


def test_answer_gives_no_page_of_another_origin_leave_to_read_it(child) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", child.greeting["port"], timeout=20)
    headers = {"Origin": "https://attacker.example", "Authorization": f"Bearer {BEARER}"}
    connection.request("GET", "/v1/state", None, headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    assert not any(name.lower().startswith("access-control") for name, _ in answer.getheaders())


def test_bearer_is_not_where_another_process_of_the_user_looks_first(child) -> None:
    process = psutil.Process(child.process.pid)
    assert BEARER not in " ".join(process.cmdline())
    assert BEARER not in "".join(process.environ().values())


def test_kernel_gets_no_other_kernels_credential_by_any_name(child, kernel) -> None:
    child.grant(kernel)
    value = child.ask("POST", "/v1/credentials", {"target": "sandbox"}, kernel=kernel)[1]["value"]
    forged = {"target": "sandbox", "kernel_id": kernel, "grant_id": "x", "asking_kernel": kernel}
    near = (kernel.upper(), f"{kernel} x", f"{kernel}%", "%", "*", "' or '1'='1", f"{kernel},other")
    for other in ("someone-else", *near):
        code, answer = child.ask("POST", "/v1/credentials", forged, kernel=other)
        assert code == 403
        assert value not in json.dumps(answer)


def test_person_at_the_panel_and_every_reading_route_see_no_value(child, kernel) -> None:
    grant = child.grant(kernel)
    value = child.ask("POST", "/v1/credentials", {"target": "sandbox"}, kernel=kernel)[1]["value"]
    assert child.ask("POST", "/v1/credentials", {"target": "sandbox"})[0] == 403
    for path in ("state", "targets", f"grants/{grant['id']}", "runs", "health"):
        assert value not in json.dumps(child.ask("GET", f"/v1/{path}")[1])


def test_kernel_approves_nothing_its_own_or_anothers(child, kernel) -> None:
    grant = child.grant(kernel, "pilot")
    for asking, verb in itertools.product((kernel, "other"), ("approve", "deny")):
        assert child.ask("POST", f"/v1/grants/{grant['id']}/{verb}", {}, kernel=asking)[0] == 403
    assert child.ask("GET", f"/v1/grants/{grant['id']}")[1]["state"] == "requested"
    assert child.ask("POST", "/v1/credentials", {"target": "pilot"}, kernel=kernel)[0] == 403


def test_empty_kernel_name_is_still_a_kernel(child, kernel) -> None:
    grant = child.grant(kernel, "pilot")
    headers = {"Authorization": f"Bearer {BEARER}", "Qsec-Kernel": "", "Content-Type": "application/json"}
    assert raw(child, "POST", f"/v1/grants/{grant['id']}/approve", headers)[0] == 403


def test_request_cannot_bring_its_own_approval(child, kernel) -> None:
    body = {"target": "pilot", "reason": "r", "ticket": "QC-1", "kernel_id": kernel}
    forged = {
        **body,
        "state": "active",
        "decided_by": "policy",
        "policies": ["open-targets-need-no-reviewer"],
        "expires_at": "2099-01-01T00:00:00.000Z",
        "requester": "root",
        "id": "0" * 32,
        "duration": "30m",
    }
    code, grant = child.ask("POST", "/v1/grants", forged, kernel=kernel)
    assert code == 201
    assert (grant["state"], grant["requester"], grant["decided_by"]) == ("requested", "ada", None)
    assert grant["id"] != "0" * 32


@pytest.mark.parametrize("last", ["deny", "cancel", "revoke"])
def test_grant_that_is_over_is_not_brought_back(child, kernel, last) -> None:
    grant = child.grant(kernel, "pilot" if last != "revoke" else "sandbox")
    assert child.ask("POST", f"/v1/grants/{grant['id']}/{last}", {})[0] == 200
    for verb in ("approve", "deny", "cancel", "revoke"):
        assert child.ask("POST", f"/v1/grants/{grant['id']}/{verb}", {})[0] == 409
    assert child.ask("POST", "/v1/credentials", {"target": grant["target"]}, kernel=kernel)[0] == 403


def test_approving_and_denying_at_once_has_one_outcome(child, kernel) -> None:
    for number in range(5):
        grant = child.grant(f"{kernel}-{number}", "pilot")
        codes = []

        def decide(verb, grant=grant, codes=codes) -> None:
            codes.append(child.ask("POST", f"/v1/grants/{grant['id']}/{verb}", {})[0])

        threads = [threading.Thread(target=decide, args=(verb,)) for verb in ("approve", "deny") * 2]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(codes) == [200, 409, 409, 409]


def test_many_kernels_asking_at_once_get_their_own_and_nobody_elses(child) -> None:
    names = [f"crowd-{number}" for number in range(24)]
    for name in names[::2]:
        child.grant(name)
    codes = {}

    def ask(name) -> None:
        codes[name] = child.ask("POST", "/v1/credentials", {"target": "sandbox"}, kernel=name)[0]

    threads = [threading.Thread(target=ask, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {name for name, code in codes.items() if code == 200} == set(names[::2])
    assert {name for name, code in codes.items() if code == 403} == set(names[1::2])


@pytest.mark.parametrize(
    "target",
    [
        "../pilot",
        "sandbox/../pilot",
        "sandbox%2f..%2fpilot",
        "SANDBOX",
        "sandbox\x00",
        "",
        " sandbox",
        "é" * 40,
    ],
)
def test_no_target_name_leads_out_of_the_catalogue(child, kernel, target) -> None:
    body = {"target": target, "reason": "r", "ticket": "QC-1"}
    code, answer = child.ask("POST", "/v1/grants", body, kernel=kernel)
    assert (code, answer["code"]) == (404, "target.unknown")
    assert child.ask("POST", "/v1/credentials", {"target": target}, kernel=kernel)[0] == 404


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{not json",
        b"[]",
        b"null",
        b'{"target": null}',
        b'{"target": {"a": 1}}',
        b'{"target": "sandbox", "reason": "' + b"x" * 100_000 + b'"}',
        b'{"target": "sandbox", "reason": "\\ud800", "duration": "30m"}',
        b'{"target": "sandbox", "reason": "r", "duration": "-30m"}',
        b'{"target": "sandbox", "reason": "r", "duration": "99999999999h"}',
        b'{"target": "sandbox", "reason": "r", "ticket": "QC-1\\nQC-2"}',
        b"[" * 20_000,
        b"\xff\xfe",
    ],
)
def test_nonsense_is_refused_with_a_problem_and_never_breaks_it(child, kernel, body) -> None:
    headers = {"Authorization": f"Bearer {BEARER}", "Qsec-Kernel": kernel, "Content-Type": "application/json"}
    code, text = raw(child, "POST", "/v1/grants", headers, body)
    problem = json.loads(text)
    assert code == 422, problem
    assert problem["kind"] == "invalid"
    assert "Traceback" not in text
    assert child.ask("GET", "/v1/health")[0] == 200


def test_broken_http_does_not_break_it(child) -> None:
    for data in (
        b"\x00" * 64,
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /v1/grants HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    ):
        with socket.create_connection(("127.0.0.1", child.greeting["port"]), timeout=5) as connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            answer = b"".join(iter(lambda c=connection: c.recv(4096), b""))
        assert b" 200 " not in answer.split(b"\r\n")[0]
    assert child.ask("GET", "/v1/health")[0] == 200


def test_journal_and_keys_are_for_their_owner_only(child) -> None:
    child.grant("k-files")
    child.ask("POST", "/v1/runs", {"records": [{"run_id": "a" * 32, "kind": "intent"}]}, kernel="k-files")
    ours = [path for path in child.home.rglob("*") if path.name != "child.log"]
    assert len(ours) > 5
    assert [path for path in ours if path.stat().st_mode & 0o077] == []
