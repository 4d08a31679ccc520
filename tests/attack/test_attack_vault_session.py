"""Claim: what opens one target opens nothing else, and only the broker can ask for it."""

from datetime import timedelta

import jwt
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from vault_server import now, request

from qsec_jupyter.control.credentials.identity import AUDIENCE, ISSUER, BrokerIdentity, new_private_key
from qsec_jupyter.core.errors import QsecError

pytestmark = pytest.mark.vault


@pytest.fixture
def login(vault):
    """Log in with claims of one's own; returns the HTTP status and the token."""
    key_pem = new_private_key()
    vault.identity = BrokerIdentity(key_pem, now)
    vault.set_up()
    key = serialization.load_pem_private_key(key_pem, None)

    def attempt(role, signed=key, algorithm="ES256", **changes):
        moment = now()
        claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "mallory", "use": "session", "target": "sandbox"}
        claims |= {"grant": "g", "server": "s", "request_id": "r", "iat": moment, "nbf": moment}
        claims |= {"exp": moment + timedelta(seconds=60), **changes}
        token = jwt.encode({k: v for k, v in claims.items() if v is not None}, signed, algorithm)
        return post(vault, f"auth/{vault.mounts.auth}/login", {"role": role, "jwt": token})

    return attempt


def post(vault, path, body, token=None):
    with requests.Session() as session:
        session.trust_env = False
        headers = {"X-Vault-Token": token} if token else {}
        answer = session.post(f"{vault.address}/v1/{path}", json=body, headers=headers)
    return answer.status_code, (answer.json().get("auth") or {}).get(
        "client_token"
    ) if answer.content else None


def may(vault, token, method, path, body=None):
    try:
        vault.admin(method, path, body, token=token)
        return True
    except RuntimeError as error:
        if "403" not in str(error):
            raise
        return False


def test_session_of_one_target_reads_that_secret_and_nothing_else(vault, login):
    status, token = login("qsec-target-sandbox")
    assert status == 200
    kv, transit = vault.mounts.kv, vault.mounts.transit
    assert may(vault, token, "GET", f"{kv}/data/targets/sandbox")
    for method, path, body in (
        ("GET", f"{kv}/data/targets/pilot", None),
        ("GET", f"{kv}/subkeys/targets/pilot", None),
        ("GET", f"{kv}/metadata/targets/sandbox", None),
        ("LIST", f"{kv}/metadata/targets", None),
        ("POST", f"{kv}/data/targets/sandbox", {"data": {"token": "mine"}}),
        ("DELETE", f"{kv}/data/targets/sandbox", None),
        ("POST", f"{transit}/sign/qsec-ledger", {"input": "eA=="}),
        ("GET", f"{transit}/keys/qsec-ledger", None),
        ("GET", "auth/token/lookup-self", None),
        ("POST", "auth/token/create", {}),
        ("LIST", "auth/token/accessors", None),
        ("GET", "sys/policies/acl/qsec-target-sandbox", None),
        ("GET", "sys/auth", None),
    ):
        assert not may(vault, token, method, path, body), path


def test_broker_token_reads_no_secret_and_writes_no_policy(vault, login):
    status, token = login("qsec-broker", sub="qsec-broker", use="broker", target=None)
    assert status == 200
    for method, path, body in (
        ("GET", f"{vault.mounts.kv}/data/targets/sandbox", None),
        ("POST", "sys/policies/acl/qsec-broker", {"policy": 'path "*" { capabilities = ["sudo"] }'}),
        ("POST", f"auth/{vault.mounts.auth}/role/qsec-broker", {"token_policies": ["root"]}),
        ("POST", f"auth/{vault.mounts.auth}/config", {"jwt_validation_pubkeys": []}),
        ("POST", f"{vault.mounts.transit}/keys/qsec-ledger/rotate", {}),
        ("GET", f"{vault.mounts.transit}/export/signing-key/qsec-ledger", None),
        ("POST", "sys/leases/revoke-prefix/auth", {}),
        ("POST", "auth/token/create", {}),
        ("LIST", "auth/token/accessors", None),
    ):
        assert not may(vault, token, method, path, body), path


@pytest.mark.parametrize(
    ("role", "changes"),
    [
        ("qsec-target-pilot", {}),  # an assertion for another target
        ("qsec-target-pilot", {"target": ["sandbox", "x"]}),
        ("qsec-target-sandbox", {"target": None}),
        ("qsec-target-sandbox", {"aud": "another-service"}),
        ("qsec-target-sandbox", {"aud": None}),
        ("qsec-target-sandbox", {"iss": "somebody"}),
        ("qsec-target-sandbox", {"use": "broker"}),
        ("qsec-target-sandbox", {"sub": None}),
        ("qsec-broker", {"sub": "qsec-broker"}),  # a user who is called like the broker
        ("qsec-broker", {"use": "broker"}),
        ("qsec-broker", {}),
    ],
)
def test_assertion_for_something_else_is_not_let_in(login, role, changes):
    assert login(role, **changes)[0] in (400, 403)


@pytest.mark.parametrize("seconds", [-20, -60, -300, -3600])
def test_expired_assertion_is_not_let_in(login, seconds):
    end = now() + timedelta(seconds=seconds)
    start = end - timedelta(seconds=60)
    assert login("qsec-target-sandbox", exp=end, iat=start, nbf=start)[0] in (400, 403)


def test_assertion_that_does_not_say_when_it_ends_is_not_let_in(login):
    start = now() - timedelta(seconds=60)
    assert login("qsec-target-sandbox", exp=None, iat=start, nbf=start)[0] in (400, 403)


@pytest.mark.parametrize("seconds", [30, 300])
def test_assertion_from_the_future_is_not_let_in(login, seconds):
    start = now() + timedelta(seconds=seconds)
    assert login("qsec-target-sandbox", iat=start, nbf=start, exp=start + timedelta(seconds=60))[0] in (
        400,
        403,
    )


def test_assertion_by_another_key_or_algorithm_is_not_let_in(vault, login):
    stranger = serialization.load_pem_private_key(new_private_key(), None)
    assert login("qsec-target-sandbox", signed=stranger)[0] in (400, 403)
    assert login("qsec-target-sandbox", signed=None, algorithm="none")[0] in (400, 403)
    # the classic confusion: the public key's text taken as a shared secret
    import base64
    import hashlib
    import hmac
    import json

    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")

    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "mallory", "use": "session", "target": "sandbox"}
    claims |= {
        "exp": int(now().timestamp()) + 60,
        "iat": int(now().timestamp()),
        "nbf": int(now().timestamp()),
    }
    head = part({"alg": "HS256", "typ": "JWT"}) + b"." + part(claims)
    mac = hmac.new(vault.identity.public_pem().encode(), head, hashlib.sha256).digest()
    forged = (head + b"." + base64.urlsafe_b64encode(mac).rstrip(b"=")).decode()
    path = f"auth/{vault.mounts.auth}/login"
    assert post(vault, path, {"role": "qsec-target-sandbox", "jwt": forged})[0] in (400, 403)


def test_accessor_alone_reads_nothing(vault, broker_at):
    issued = broker_at(vault).issue(request(), lambda ref: None)
    assert not may(vault, issued.session.accessor, "GET", f"{vault.mounts.kv}/data/targets/sandbox")


def test_grant_of_one_target_does_not_open_another_through_the_broker(vault, broker_at):
    broker = broker_at(vault)
    broker.issue(request("sandbox", "g1"), lambda ref: None)
    with pytest.raises(QsecError) as caught:
        broker.issue(request("pilot", "g1"), lambda ref: None)
    assert caught.value.code == "vault.wrong_target"
