"""A tool's bearer does what its scopes and targets say, for its time, and nothing of its owner's beside."""

import json

import pytest
from fastapi.testclient import TestClient

from qsec_jupyter.control.app import make_app, openapi
from qsec_jupyter.control.callers import Caller
from qsec_jupyter.core.model import ROLES, Principal
from qsec_jupyter.core.secret import Secret

OWNER = "o" * 43
ROUTES = [(method.upper(), path) for path, verbs in openapi()["paths"].items() for method in verbs]
WISH = {"target": "sandbox", "reason": "tool"}
OPEN = {
    "metadata": {
        ("GET", "/v1/health"),
        ("GET", "/v1/targets"),
        ("POST", "/v1/grants"),
        ("GET", "/v1/grants/{grant_id}"),
        ("POST", "/v1/grants/{grant_id}/cancel"),
        ("POST", "/v1/grants/{grant_id}/revoke"),
        ("POST", "/v1/grants/{grant_id}/extend"),
        ("POST", "/v1/credentials"),
    },
    "retrieve": {
        ("GET", "/v1/health"),
        ("GET", "/v1/targets"),
        ("GET", "/v1/runs"),
        ("GET", "/v1/runs/{run_id}"),
        ("GET", "/v1/runs/{run_id}/diff/{other}"),
        ("GET", "/v1/runs/of-job/{job_id}"),
        ("GET", "/v1/jobs"),
        ("GET", "/v1/jobs/{name}"),
        ("GET", "/v1/jobs/{name}/exposure"),
    },
    "submit": {
        ("GET", "/v1/health"),
        ("GET", "/v1/targets"),
        ("POST", "/v1/grants"),
        ("GET", "/v1/grants/{grant_id}"),
        ("POST", "/v1/grants/{grant_id}/cancel"),
        ("POST", "/v1/grants/{grant_id}/revoke"),
        ("POST", "/v1/grants/{grant_id}/extend"),
        ("POST", "/v1/credentials"),
        ("POST", "/v1/credentials/operations"),
        ("POST", "/v1/permits"),
        ("POST", "/v1/runs"),
        ("POST", "/v1/runs/{run_id}/job"),
        ("PUT", "/v1/evidence/{sha256}"),
        ("POST", "/v1/gaps"),
        ("POST", "/v1/untracked"),
    },
}


@pytest.fixture
def plane(make_plane):
    return make_plane(Principal("ada", "Ada", "local account", roles=ROLES))


@pytest.fixture
def client(plane):
    plane.callers.add(Secret(OWNER, "bearer"), plane.owner)
    with TestClient(make_app(plane), base_url="http://127.0.0.1:9", raise_server_exceptions=False) as client:
        yield client


def call(client, bearer, method, path, body=None, **headers):
    headers["Authorization"] = f"Bearer {bearer}"
    return client.request(method, path, json=body, headers=headers)


def make(client, *scopes, targets=("sandbox",), seconds=60, **headers):
    body = {"scopes": list(scopes), "targets": list(targets), "seconds": seconds, "label": "tool"}
    return call(client, OWNER, "POST", "/v1/tokens", body, **headers)


@pytest.fixture
def token(client):
    return make(client, "submit").json()


def filled(path: str) -> str:
    for name in ("grant_id", "run_id", "other"):
        path = path.replace(f"{{{name}}}", "0" * 32)
    return path.replace("{sha256}", "0" * 64).replace("{", "").replace("}", "")


@pytest.mark.parametrize("scope", list(OPEN))
def test_a_bearer_reaches_what_its_scope_says_and_nothing_else(client, scope):
    bearer = make(client, scope).json()["bearer"]
    for method, path in ROUTES:
        answer = call(client, bearer, method, filled(path), {})
        refused = answer.status_code == 403 and answer.json()["code"] == "token.out_of_scope"
        assert refused == ((method, path) not in OPEN[scope]), (method, path, answer.status_code)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/targets/../state",
        "/v1//state",
        "/v1/targets/%2e%2e/state",
        "/v1/health?x=/v1/state",
        "/v1/targets/",
    ],
)
def test_no_way_of_writing_a_path_leads_elsewhere(client, token, path):
    answer = call(client, token["bearer"], "GET", path)
    assert "grants" not in answer.text


def test_a_bearer_gets_a_credential_of_its_own_target_and_no_other(client, token, events):
    wish = {"target": "sandbox", "reason": "tool"}
    assert call(client, token["bearer"], "POST", "/v1/grants", wish).status_code == 201
    answer = call(client, token["bearer"], "POST", "/v1/credentials", {"target": "sandbox"})
    assert answer.json()["value"].startswith("s3cret")
    other = call(
        client, token["bearer"], "POST", "/v1/grants", {"target": "pilot", "reason": "r", "ticket": "QC-1"}
    )
    assert other.json()["detail"].endswith("a-workload-keeps-to-its-targets.")
    assert events("grant.requested")[0]["data"]["kernel"] == f"token-{token['id']}"


def test_a_bearer_without_the_scope_asks_for_nothing(client):
    bearer = make(client, "retrieve", "metadata").json()["bearer"]
    assert call(client, bearer, "POST", "/v1/grants", {"target": "sandbox", "reason": "r"}).status_code == 403


@pytest.mark.parametrize("kernel", ["k1", "", "token-0", None])
def test_no_header_makes_a_bearer_another_kernel_or_the_person(client, plane, token, kernel):
    mine = call(
        client, OWNER, "POST", "/v1/grants", {"target": "sandbox", "reason": "r", "kernel_id": "k1"}
    ).json()
    headers = {} if kernel is None else {"Qsec-Kernel": kernel}
    for method, path, body in (
        ("GET", f"/v1/grants/{mine['id']}", None),
        ("POST", f"/v1/grants/{mine['id']}/revoke", {}),
        ("POST", "/v1/credentials", {"target": "sandbox"}),
    ):
        answer = call(client, token["bearer"], method, path, body, **headers)
        assert answer.status_code in {403, 404}, (path, answer.text)
    foreign = {**WISH, "kernel_id": "k1"}
    assert call(client, token["bearer"], "POST", "/v1/grants", foreign, **headers).status_code == 403


def test_a_bearer_is_over_when_its_time_is_and_its_grants_with_it(client, plane, clock, token, broker):
    wish = {"target": "sandbox", "reason": "tool"}
    grant = call(client, token["bearer"], "POST", "/v1/grants", wish).json()
    call(client, token["bearer"], "POST", "/v1/credentials", {"target": "sandbox"})
    assert broker.open
    clock.forward(seconds=60)
    assert call(client, token["bearer"], "GET", "/v1/health").status_code == 401
    plane.tokens.expire()
    assert call(client, OWNER, "GET", f"/v1/grants/{grant['id']}").json()["state"] == "revoked"
    assert not broker.open


def test_a_revoked_bearer_is_over_at_once(client, plane, token, events):
    grant = call(
        client, token["bearer"], "POST", "/v1/grants", {"target": "sandbox", "reason": "tool"}
    ).json()
    assert call(client, OWNER, "POST", f"/v1/tokens/{token['id']}/revoke").status_code == 200
    assert call(client, token["bearer"], "GET", "/v1/health").status_code == 401
    assert call(client, OWNER, "GET", f"/v1/grants/{grant['id']}").json()["state"] == "revoked"
    assert call(client, OWNER, "GET", "/v1/tokens").json() == []
    assert events("token.revoked")[0]["data"]["token"] == token["id"]


def test_only_a_person_makes_lists_and_revokes(client, token):
    assert make(client, "submit", **{"Qsec-Kernel": "k1"}).json()["code"] == "token.person_only"
    for method, path in (
        ("GET", "/v1/tokens"),
        ("POST", "/v1/tokens"),
        ("POST", f"/v1/tokens/{token['id']}/revoke"),
    ):
        assert call(client, token["bearer"], method, path, {}).json()["code"] == "token.out_of_scope"


def test_nobody_revokes_or_sees_the_token_of_somebody_else(client, plane, token):
    mallory = Principal("mallory", "M", "x", roles=ROLES)
    plane.callers.add(Secret("m" * 43, "bearer"), Caller(mallory, "s2"))
    assert call(client, "m" * 43, "GET", "/v1/tokens").json() == []
    assert call(client, "m" * 43, "POST", f"/v1/tokens/{token['id']}/revoke").status_code == 404
    assert call(client, token["bearer"], "GET", "/v1/health").status_code == 200


@pytest.mark.parametrize(
    "body",
    [{"scopes": []}, {"scopes": ["all"]}, {"seconds": 0}, {"seconds": 8 * 3600 + 1}, {"seconds": 10**9}],
)
def test_a_bearer_for_too_much_or_too_long_is_not_made(client, body):
    usual = {"scopes": ["submit"], "targets": [], "seconds": 60}
    assert call(client, OWNER, "POST", "/v1/tokens", {**usual, **body}).status_code == 422


def test_a_person_holds_at_most_fifty(client):
    codes = [make(client, "metadata").status_code for _ in range(51)]
    assert codes == [201] * 50 + [403]


def test_the_value_is_told_once_and_kept_nowhere(client, plane, token, tmp_path):
    value = token["bearer"]
    assert value not in call(client, OWNER, "GET", "/v1/tokens").text
    assert value not in json.dumps(plane.panel.snapshot(plane.owner))
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert all(value.encode() not in path.read_bytes() for path in kept)
    assert value not in repr(plane.tokens.__dict__)
