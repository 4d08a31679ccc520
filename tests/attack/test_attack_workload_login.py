"""Claim: a workload logs in over HTTP by a fresh proof of its own, once, and holds no more than it may.

Its proof is an assertion that the key of its client certificate has signed.
"""

import base64
import datetime
import time

import jwt
import pytest
from certificates import NAME, Authority
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from several_people import CATALOGUE, team

__all__ = ["team"]

ISSUER, AUDIENCE = "https://ci.example.org", "qsec"
PATH = "/v1/workloads/sessions"
WORKLOADS = """
[workloads.bench]
kind = "certificate"
issuer = "https://ci.example.org"
audience = "qsec"
ca = "{ca}"
subject = "spiffe://example.org/ci/*"
roles = ["operator"]
scopes = ["submit"]
targets = ["open"]
"""


@pytest.fixture(scope="module")
def authority():
    return Authority()


@pytest.fixture
def door(team, tmp_path, authority):
    """Return a function that sends an assertion to the team's control plane."""
    ca = tmp_path / "ca.pem"
    ca.write_bytes(authority.certificate.public_bytes(serialization.Encoding.PEM))
    (tmp_path / "catalog.toml").write_text(CATALOGUE + WORKLOADS.format(ca=ca))
    for _ in range(3):
        team.plane.reload_policy()
    assert "bench" in team.plane.catalogue.workloads

    def knock(assertion, **headers):
        answer = team.client.post(PATH, json={"assertion": assertion}, headers=headers)
        return answer.status_code, answer.json()

    return knock


def assertion(issued, chain=None, **claims):
    key, certificate = issued
    now = int(time.time())
    told = {"iss": ISSUER, "aud": AUDIENCE, "sub": NAME, "iat": now, "exp": now + 300, **claims}
    der = [one.public_bytes(serialization.Encoding.DER) for one in chain or [certificate]]
    return jwt.encode(told, key, "ES256", headers={"x5c": [base64.b64encode(one).decode() for one in der]})


def test_certificate_logs_in_and_reaches_what_its_scopes_say(door, team, authority) -> None:
    status, told = door(assertion(authority.issue()))
    assert status == 201, told
    assert (told["scopes"], told["targets"]) == (["submit"], ["open"])
    ends = datetime.datetime.fromisoformat(told["expires_at"].replace("Z", "+00:00"))
    assert (ends - datetime.datetime.now(datetime.timezone.utc)).total_seconds() <= 301
    bearer = {"Authorization": f"Bearer {told['bearer']}"}
    asked = team.client.post("/v1/grants", json={"target": "open", "reason": "nightly"}, headers=bearer)
    assert asked.json()["state"] == "active"
    assert team.client.post("/v1/credentials", json={"target": "open"}, headers=bearer).status_code == 200
    other = {"target": "premium", "reason": "nightly"}
    assert team.client.post("/v1/grants", json=other, headers=bearer).status_code == 403
    for path in ("/v1/state", "/v1/events", "/v1/tokens", "/v1/locks", "/v1/runs"):
        assert team.client.get(path, headers=bearer).status_code == 403, path


def test_assertion_is_good_once(door, authority) -> None:
    said = assertion(authority.issue())
    assert door(said)[0] == 201
    status, problem = door(said)
    assert (status, problem["code"]) == (403, "workload.replayed")


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"aud": "another"}, "workload.audience"),
        ({"aud": [AUDIENCE, "another"]}, "workload.audience"),
        ({"iss": "https://evil.example"}, "workload.unknown_issuer"),
        ({"sub": "spiffe://example.org/ci/other"}, "workload.subject"),
        ({"sub": "spiffe://example.org/admin"}, "workload.subject"),
        ({"iat": -700, "exp": -300}, "workload.expired"),
        ({"iat": 300, "exp": 600}, "workload.not_yet"),
        ({"iat": -86_400, "exp": 86_400}, "workload.too_old"),
    ],
)
def test_other_audience_issuer_subject_or_clock_is_refused(door, authority, claims, code) -> None:
    now = int(time.time())  # of the test, not of its collection: the numbers are seconds from now
    claims = {name: value + now if isinstance(value, int) else value for name, value in claims.items()}
    status, problem = door(assertion(authority.issue(), **claims))
    assert (status, problem["code"]) == (403, code)


def stranger(authority):
    return assertion(Authority().issue())


def stolen_certificate(authority):
    return assertion((ec.generate_private_key(ec.SECP256R1()), authority.issue()[1]))


def expired(authority):
    return assertion(authority.issue(days=-1))


def servers(authority):
    return assertion(authority.issue(use=x509.ExtendedKeyUsageOID.SERVER_AUTH))


def own_authority_in_the_chain(authority):
    other = Authority()
    issued = other.issue()
    return assertion(issued, [issued[1], other.certificate])


def no_chain(authority):
    now = int(time.time())
    told = {"iss": ISSUER, "aud": AUDIENCE, "sub": NAME, "iat": now, "exp": now + 300}
    return jwt.encode(told, authority.issue()[0], "ES256")


def no_signature(authority):
    header, body, _ = assertion(authority.issue()).split(".")
    return f"{header}.{body}."


@pytest.mark.parametrize(
    "forge",
    [stranger, stolen_certificate, expired, servers, own_authority_in_the_chain, no_chain, no_signature],
    ids=lambda forge: forge.__name__,
)
def test_forged_proof_is_refused_and_on_record(door, team, authority, forge) -> None:
    said = forge(authority)
    status, problem = door(said)
    assert status == 403, problem
    assert said not in str(problem)
    events = team.ask("aud", "GET", "/v1/events?kind=request.refused")[1]["events"]
    assert events[0]["details"]["rule"] == problem["code"]


def test_the_door_leads_nowhere_else(door, team, authority) -> None:
    for method, path in (
        ("GET", PATH), ("PUT", PATH), ("POST", f"{PATH}/"), ("POST", f"{PATH}/../../state"),
        ("POST", "/v1/grants"),
        ("POST", "/v1/x/../workloads/sessions/../../grants"), ("POST", "/v1/workloads"), ("POST", f"/{PATH}"),
    ):  # fmt: skip
        assert team.client.request(method, path, json={"assertion": "a.b.c"}).status_code == 401, (
            method,
            path,
        )
    said = assertion(authority.issue())
    assert door(said, Origin="https://evil.example")[0] == 401
    assert door(said, Host="evil.example")[0] == 401
    assert team.client.post(PATH, json={"assertion": "x" * 30_000}).status_code == 401
    assert door("x.y.z")[0] == 403
    assert door(said)[0] == 201
