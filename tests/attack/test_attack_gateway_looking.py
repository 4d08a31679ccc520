"""Claim: a grant to look only sees backends and queues through the gateway, and does nothing else there."""

import pytest
import requests


def test_a_grant_to_look_only_looks(gated) -> None:
    grant = gated.grant("k1", scope="metadata")
    assert grant["scope"] == "metadata"
    issued = gated.credential("k1")
    assert issued["public"]["scope"] == "metadata"
    token = issued["value"]
    assert gated.call("GET", "/backends", token).status_code == 200
    for method, path in (
        ("POST", "/jobs"),
        ("GET", "/jobs"),
        ("GET", "/jobs/j1"),
        ("GET", "/jobs/j1/results"),
        ("POST", "/jobs/j1/cancel"),
        ("DELETE", "/jobs/j1"),
        ("POST", "/sessions"),
    ):
        assert gated.call(method, path, token, json={}).status_code == 403, (method, path)
    assert len(gated.events("gateway.refused")) == 7


def test_a_token_for_looking_gets_no_grant_to_submit(gated) -> None:
    wanted = {"scopes": ["metadata"], "targets": ["ibm-pilot"], "seconds": 600, "label": "board"}
    status, issued = gated.child.ask("POST", "/v1/tokens", wanted)
    assert status == 201
    status, _, body = ask(gated, issued["bearer"], {})
    assert status == 403, body
    status, _, body = ask(gated, issued["bearer"], {"scope": "metadata"})
    assert status == 201, body


@pytest.mark.parametrize("scope", ["retrieve", "everything", ""])
def test_no_other_scope_can_be_asked_for(gated, scope) -> None:
    wish = {"target": "ibm-pilot", "reason": "r", "scope": scope}
    assert gated.child.ask("POST", "/v1/grants", wish, kernel="k1")[0] == 422


def ask(gated, bearer, wish):
    with requests.Session() as session:
        session.trust_env = False
        url = f"http://127.0.0.1:{gated.child.greeting['port']}/v1/grants"
        body = {"target": "ibm-pilot", "reason": "r", **wish}
        answer = session.post(url, json=body, headers={"Authorization": f"Bearer {bearer}"}, timeout=30)
    return answer.status_code, answer.headers, answer.text
