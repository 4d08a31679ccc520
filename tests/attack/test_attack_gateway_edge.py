"""Attacks on the gateway's edge: how it reads, what it lets in, what it fetches, where the key could leak."""

import json
import os
import re
import socket
import threading
import time
from pathlib import Path

import pytest
import requests
from gateway_child import Gated, entry
from sandbox_server import wait_for

TARGET = "ibm-pilot"


def raw(gated, *parts, wait=10.0):
    """Send bytes as they are; return all that comes back."""
    with socket.create_connection(("127.0.0.1", gated.port), timeout=wait) as connection:
        received = b""
        try:
            for part in parts:
                connection.sendall(part)
            while chunk := connection.recv(1 << 16):
                received += chunk
        except (TimeoutError, BrokenPipeError, ConnectionResetError):
            pass  # it has hung up: what it said before is what counts
        return received


def head(gated, path, token, *more, method="GET", host=None):
    lines = [
        f"{method} {path} HTTP/1.1",
        f"Host: {host or f'127.0.0.1:{gated.port}'}",
        f"Authorization: Bearer {token}",
        "Connection: close",
        *more,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def status(answer):
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/") else 0


def statuses(answer):
    return [int(code) for code in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)]


@pytest.fixture
def parser(shared_gated):
    """A gateway with a good token: what is refused is refused for what it looks like."""
    if not hasattr(shared_gated, "good"):
        shared_gated.good = shared_gated.token("parser")
    assert shared_gated.call("GET", "/backends", shared_gated.good).status_code == 200
    return shared_gated


# -- how a request is read ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/ibm-pilot/runtime/../iam/identity/token",
        "/ibm-pilot/runtime/backends/../jobs",
        "/ibm-pilot/runtime/%2e%2e/iam/identity/token",
        "/ibm-pilot/runtime/backends/%2e%2e%2fjobs/status",
        "/ibm-pilot/runtime/backends/..%2fjobs/status",
        "/ibm-pilot/runtime/backends/%252e%252e/status",
        "/ibm-pilot/runtime/backends/a%00b/status",
        "/ibm-pilot/runtime/backends/..;/status",
        "/ibm-pilot/runtime/backends/..\\..\\admin/status",
        "/ibm-pilot/runtime//backends",
        "//ibm-pilot/runtime/backends",
        "/ibm-pilot//runtime/backends",
        "/ibm-pilot/runtime/./backends",
        "/ibm-pilot/runtime/backends/.",
        "/ibm-pilot/runtime/backends/",
        "/ibm-pilot/runtime/Backends",
        "/ibm-pilot/RUNTIME/backends",
        "/ibm-pilot/runtime/backends;x=1",
        "/ibm-pilot/runtime/admin/state",
        "/ibm-pilot/runtime/api/v1/backends",
        "/ibm-pilot/admin/state",
        "/ibm-pilot/runtime@evil.example/backends",
        "/ibm-pilot/runtime:80/backends",
        "/v1/state",
        "/other/runtime/backends",
        "http://169.254.169.254/latest/meta-data",
        "http://127.0.0.1/ibm-pilot/runtime/backends",
        "*",
        "/ibm-pilot/runtime/backends#x",
    ],
)
def test_path_that_is_not_in_the_table_does_not_exist(parser, path):
    token = parser.good
    assert status(raw(parser, head(parser, path, token))) in {400, 404}


@pytest.mark.parametrize(
    "method", ["PUT", "DELETE", "TRACE", "CONNECT", "OPTIONS", "HEAD", "PROPFIND", "get"]
)
def test_method_that_is_not_in_the_table_does_not_exist(parser, method):
    answer = raw(parser, head(parser, "/ibm-pilot/runtime/backends", parser.good, method=method))
    assert status(answer) in {400, 404, 405}


def test_method_cannot_be_overridden(parser):
    more = ("X-HTTP-Method-Override: DELETE", "X-Method-Override: DELETE", "_method: DELETE")
    answer = raw(parser, head(parser, "/ibm-pilot/runtime/backends", parser.good, *more))
    assert status(answer) == 200


@pytest.mark.parametrize(
    "more",
    [
        ("Content-Length: 5", "Content-Length: 6"),
        ("Content-Length: 5, 6",),
        ("Content-Length: +5",),
        ("Content-Length: 0x5",),
        ("Content-Length: -1",),
        ("Content-Length: 5", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: chunked", "Transfer-Encoding: identity"),
        ("Transfer-Encoding: xchunked",),
        ("Transfer-Encoding: chunked, gzip",),
        ("Transfer-Encoding : chunked",),
        ("Transfer-Encoding:\x0bchunked",),
        (" Transfer-Encoding: chunked",),
        ("Content-Length: 5\r\n 6",),
        ("Upgrade: websocket", "Connection: Upgrade"),
        ("Authorization: Bearer other",),
        ("Host: evil.example",),
        ("X:\x00y",),
        ("Trailer: Authorization",),
    ],
)
def test_request_that_can_be_read_in_two_ways_is_refused(parser, sandbox, more):
    """Behind it stands a second request, which must not be seen as one of its own."""
    smuggled = head(parser, "/ibm-pilot/runtime/backends", "x")
    answer = raw(
        parser,
        head(parser, "/ibm-pilot/runtime/jobs", parser.good, *more, method="POST"),
        b"0\r\n\r\n",
        smuggled,
    )
    assert set(statuses(answer)) <= {400}, answer[:200]  # or none: hanging up may overtake the answer


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "127.0.0.1.nip.io", "169.254.169.254"]
)
def test_other_host_is_refused(parser, host):
    """A page whose name is rebound to this machine still sends that name."""
    assert status(raw(parser, head(parser, "/ibm-pilot/runtime/backends", parser.good, host=host))) == 400


def test_no_header_of_the_client_says_where_or_as_whom_it_goes(parser, sandbox):
    token = parser.good
    more = (
        "X-Forwarded-Host: evil.example",
        "X-Forwarded-For: 10.0.0.1",
        "Forwarded: host=evil.example",
        "X-Original-URL: /admin/state",
        "X-Rewrite-URL: /admin/state",
        "Cookie: a=b",
        "X-Auth-Token: abc",
    )
    answer = raw(parser, head(parser, "/ibm-pilot/runtime/backends", token, *more))
    assert status(answer) == 200
    assert not re.search(rb"(?i)set-cookie|\r\nserver:|\r\nlocation:|\r\nvia:", answer)
    other = raw(parser, head(parser, "/ibm-pilot/runtime/backends", token, f"Service-CRN: {sandbox.crn}x"))
    assert status(other) == 403
    assert b"gateway.other_instance" in other


@pytest.mark.parametrize(
    "query",
    ["access_token=x", "include_mocks=true&admin=1", "a" * 9000, "include_mocks=%00", "%69nclude_mocks=1&x"],
)
def test_parameter_that_is_not_in_the_table_is_refused(parser, query):
    assert status(raw(parser, head(parser, f"/ibm-pilot/runtime/backends?{query}", parser.good))) in {
        400,
        414,
        431,
    }


def test_header_flood_is_refused(parser):
    flood = tuple(f"X-{number}: {'y' * 50}" for number in range(200))
    assert status(raw(parser, head(parser, "/ibm-pilot/runtime/backends", parser.good, *flood))) in {400, 431}


# -- tokens ---------------------------------------------------------------------------------------


def test_token_is_worthless_at_the_rest_edge_and_its_bearers_here(gated):
    token = gated.token()
    for path in ("/v1/state", "/v1/health", "/v1/targets", "/ibm-pilot/runtime/backends"):
        code, _ = gated.child.ask("GET", path, bearer=token)
        assert code == 401
    from control_child import BEARER

    assert gated.call("GET", "/backends", BEARER).status_code == 401


@pytest.mark.parametrize(
    "shape", ["", "qsecgw_", "qsecgw_" + "a" * 45, "{token}x", "x{token}", "a.b.c.{token}d"]
)
def test_token_that_is_not_one_is_refused(gated, shape):
    made = shape.format(token=gated.token())
    assert gated.call("GET", "/backends", made).status_code in {400, 401}
    assert gated.call("GET", "/backends", made, headers={"Authorization": f"Basic {made}"}).status_code == 401


def test_token_is_good_for_its_own_target_only(tmp_path, sandbox):
    both = entry(sandbox) + entry(sandbox, "other")
    with Gated(tmp_path / "home", both, {TARGET: sandbox.key, "other": sandbox.key}) as gated:
        token = gated.token()
        gated.token(kernel="k1", target="other")
        assert gated.call("GET", "/backends", token).status_code == 200
        assert gated.call("GET", "/backends", token, target="other").status_code == 401


def test_kernel_gets_no_token_of_another_kernel_and_sees_nothing_of_its_jobs(gated, sandbox):
    sandbox.set(execution="none")
    mine, theirs = gated.token("k1"), gated.token("k2")
    code, refusal = gated.child.ask("POST", "/v1/credentials", {"target": TARGET}, kernel="k3")
    assert (code, refusal["code"]) == (403, "grant.none")
    job = submit(gated, mine).json()["id"]
    for method, path in (
        ("GET", f"/jobs/{job}"),
        ("GET", f"/jobs/{job}/results"),
        ("GET", f"/jobs/{job}/logs"),
        ("GET", f"/jobs/{job}/metrics"),
        ("POST", f"/jobs/{job}/cancel"),
        ("DELETE", f"/jobs/{job}"),
        ("PUT", f"/jobs/{job}/tags"),
    ):
        answer = gated.call(method, path, theirs, json={"tags": []} if method == "PUT" else None)
        nobody = gated.call(
            method, path.replace(job, "nosuchjob"), theirs, json={"tags": []} if method == "PUT" else None
        )
        assert answer.status_code == nobody.status_code == 404, (method, path, answer.text)
        assert answer.json()["errors"] == nobody.json()["errors"]
    assert gated.call("GET", "/jobs", theirs).json()["jobs"] == []


def test_token_is_dead_with_its_kernel(gated):
    token = gated.token("k1")
    assert gated.child.ask("POST", "/v1/kernels/k1/ended")[0] == 200
    wait_for(lambda: gated.call("GET", "/backends", token).status_code == 403, 1.0)


def test_token_is_dead_within_a_second_of_a_lock(gated):
    token = gated.token()
    began = time.monotonic()
    code, _ = gated.child.ask("POST", "/v1/locks", {"kind": "target", "name": TARGET, "reason": "attack"})
    assert code in {200, 201}
    wait_for(lambda: gated.call("GET", "/backends", token).status_code == 403, 1.0)
    assert time.monotonic() - began < 2


def test_download_is_cut_within_a_second_of_revocation(gated, sandbox):
    sandbox.set(execution="none")
    grant = gated.grant()
    token = gated.credential()["value"]
    sandbox.plant(400_000_000)
    job = wait_done(gated, token, submit(gated, token).json()["id"])
    answer = gated.call("GET", f"/jobs/{job}/results", token, stream=True)
    assert answer.status_code == 200
    got, cut = 0, []

    def read():
        nonlocal got
        try:
            for chunk in answer.iter_content(1 << 16):
                got += len(chunk)
                time.sleep(0.001)  # slower than it comes: most of it is still at the provider
        except requests.RequestException:
            pass
        cut.append(time.monotonic())

    reader = threading.Thread(target=read)
    reader.start()
    wait_for(lambda: got > 1_000_000)
    gated.revoke(grant)
    revoked = time.monotonic()
    reader.join(10)
    assert got < 400_000_000
    assert cut[0] - revoked < 1.0, f"it went on for {cut[0] - revoked:.2f} s"


# -- what a token is for --------------------------------------------------------------------------


def test_right_to_read_results_reads_exactly_those(gated, sandbox):
    """The grant that follows a submit grant: its jobs and no others, and nothing is changed with it."""
    sandbox.set(execution="none")
    grant = gated.grant()
    token = gated.credential()["value"]
    job = wait_done(gated, token, submit(gated, token).json()["id"])
    other = submit(gated, gated.token("k2")).json()["id"]
    gated.revoke(grant)
    issued = gated.credential("k9", job=job)  # the person's, from another kernel
    assert issued["public"]["scope"] == "retrieve"
    reading = issued["value"]
    results = gated.call("GET", f"/jobs/{job}/results", reading)
    assert results.status_code == 200, results.text
    assert gated.call("GET", f"/jobs/{other}/results", reading).status_code == 404
    assert [each["id"] for each in gated.call("GET", "/jobs", reading).json()["jobs"]] == [job]
    before = len(sandbox.jobs())
    for method, path in (
        ("POST", "/jobs"),
        ("POST", f"/jobs/{job}/cancel"),
        ("DELETE", f"/jobs/{job}"),
        ("PUT", f"/jobs/{job}/tags"),
        ("POST", "/sessions"),
    ):
        answer = gated.call(method, path, reading, json={})
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "gateway.out_of_scope")
    assert len(sandbox.jobs()) == before
    assert len(gated.events("gateway.refused")) == 5


@pytest.mark.parametrize("who", ["kernel", "tool"])
def test_right_to_read_results_does_not_outlive_whoever_it_was_given_to(gated, sandbox, who):
    """The right is its person's for days; a token of it goes with its kernel, or with a tool's bearer."""
    sandbox.set(execution="none", run_seconds=0)
    grant = gated.grant()
    token = gated.credential()["value"]
    job = wait_done(gated, token, submit(gated, token).json()["id"])
    sandbox.plant(200_000_000, job_id=job)
    gated.revoke(grant)
    if who == "kernel":
        reading = gated.credential("k9", job=job)["value"]
        path, body = "/v1/kernels/k9/ended", {}
    else:
        wanted = {"scopes": ["retrieve", "metadata"], "targets": ["ibm-pilot"], "seconds": 600, "label": "ci"}
        tool = gated.child.ask("POST", "/v1/tokens", wanted)[1]
        asked = {"target": "ibm-pilot", "job": job}
        issued = gated.child.ask("POST", "/v1/credentials", asked, bearer=tool["bearer"])[1]
        reading, path, body = issued["value"], f"/v1/tokens/{tool['id']}/revoke", {}
    assert gated.call("GET", f"/jobs/{job}", reading).status_code == 200
    with gated.call("GET", f"/jobs/{job}/results", reading, stream=True) as answer:
        pieces = answer.iter_content(65536)
        next(pieces)
        assert gated.child.ask("POST", path, body)[0] == 200
        with pytest.raises(requests.RequestException):
            sum(map(len, pieces))
    refused = gated.call("GET", f"/jobs/{job}", reading)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "gateway.holder_ended")
    again = gated.credential("k10", job=job)["value"]
    assert gated.call("GET", f"/jobs/{job}", again).status_code == 200


# -- what the provider may do ----------------------------------------------------------------------


def test_redirect_is_neither_followed_nor_passed_on(gated, sandbox):
    token = gated.token()
    gated.call("GET", "/backends", token)
    sandbox.fault("redirect path=/api/v1/backends")
    answer = gated.call("GET", "/backends", token)
    assert answer.status_code == 424
    assert answer.json()["error"]["code"] == "gateway.redirected"
    assert "location" not in answer.headers
    assert "169.254" not in answer.text


def test_provider_that_holds_the_connection_is_given_up(gated, sandbox):
    token = gated.token()
    gated.call("GET", "/backends", token)
    sandbox.fault("hold path=/api/v1/backends")
    began = time.monotonic()
    answer = gated.call("GET", "/backends", token)
    assert answer.status_code == 503
    assert 4 < time.monotonic() - began < 8
    assert gated.call("GET", "/backends", token).status_code == 200


@pytest.mark.parametrize("fault", ["html", "truncated", "wrong-types", "cut", "drop-before", "status=500"])
def test_nonsense_of_the_provider_ends_at_one_answer(gated, sandbox, fault):
    sandbox.set(execution="none")
    token = gated.token()
    job = submit(gated, token).json()["id"]
    for path in ("/jobs", f"/jobs/{job}", "/backends"):
        sandbox.fault(f"{fault.replace('status=', '')} path=/api/v1/jobs* times=1")
        try:
            answer = gated.call("GET", path, token)
            assert answer.status_code in {200, 424, 500, 502, 503}
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
            pass  # an answer that broke off stays broken
        sandbox.admin("DELETE", "faults")
        assert gated.call("GET", path, token).status_code == 200


def test_provider_is_never_asked_for_another_account(gated, sandbox):
    """A search could list everything that the account has."""
    answer = gated.call(
        "POST", "/v3/resources/search", gated.token(), api="search", json={"query": "*", "fields": ["*"]}
    )
    assert [item["crn"] for item in answer.json()["items"]] == [sandbox.crn]


# -- the key --------------------------------------------------------------------------------------


def test_key_is_nowhere_but_in_the_store_and_in_memory(gated, sandbox):
    """Neither in an answer, the environment, a file, a log, the ledger, the database nor a command line."""
    sandbox.set(execution="none")
    seen = []
    grant = gated.grant()
    issued = gated.credential()
    token = issued["value"]
    seen.append(json.dumps(issued).encode())
    job = submit(gated, token).json()["id"]
    bearer = sandbox.bearer()[:20]
    for method, path in (
        ("GET", "/backends"),
        ("GET", f"/jobs/{job}"),
        ("GET", "/nothing"),
        ("POST", "/jobs"),
    ):
        answer = gated.call(method, path, token, data=b"{" if method == "POST" else None)
        seen.append(answer.content + str(answer.headers).encode())
    sandbox.fault("expired-token path=/api/v1/backends times=5")
    seen.append(gated.call("GET", "/backends", token).content)
    seen.append(json.dumps(gated.child.ask("GET", "/v1/state")[1]).encode())
    gated.revoke(grant)
    process = gated.child.process.pid
    seen += [Path(f"/proc/{process}/{name}").read_bytes() for name in ("environ", "cmdline")]
    gated.close()
    files = [path for path in gated.home.rglob("*") if path.is_file()]
    assert any("ledger" in str(path) for path in files)
    seen += [path.read_bytes() for path in files]
    for what in (sandbox.key.encode(), bearer.encode()):
        assert not any(what in text for text in seen)
    assert not any(token.encode() in text for text in seen[1:]), "the gateway token is not kept, either"


def test_submission_that_is_not_read_is_not_sent(gated, sandbox):
    before = len(sandbox.jobs())
    token = gated.token()
    for body in (b"", b"{", b"[]", b'{"program_id": "sampler"}', os.urandom(1000)):
        answer = gated.call("POST", "/jobs", token, data=body, headers={"Content-Type": "application/json"})
        assert answer.status_code in {400, 403}, answer.text
    assert len(sandbox.jobs()) == before


def wait_done(gated, token, job):
    wait_for(
        lambda: gated.call("GET", f"/jobs/{job}?exclude_params=true", token).json()["status"] == "Completed"
    )
    return job


def submit(gated, token):
    answer = gated.call("POST", "/jobs", token, data=job_body(), headers={"Content-Type": "application/json"})
    assert answer.status_code == 200, answer.text
    return answer


_counter = iter(range(1, 10_000))


def job_body():
    """Return a job as the client sends it; each is another one."""
    from qiskit import QuantumCircuit
    from qiskit_ibm_runtime.json import RuntimeEncoder

    circuit = QuantumCircuit(2, 2)
    circuit.rz(0.0001 * next(_counter), 0)
    circuit.measure([0, 1], [0, 1])
    job = {
        "program_id": "sampler",
        "backend": "sandbox_manila",
        "params": {"pubs": [[circuit, None, 10]], "options": {}, "version": 2, "support_qiskit": True},
    }
    return json.dumps(job, cls=RuntimeEncoder)
