"""The broker's assertions: short-lived, complete, and by an algorithm that every Vault takes."""

from datetime import datetime, timedelta, timezone

import jwt
import pytest

from qsec_jupyter.control.credentials.broker import IssueRequest
from qsec_jupyter.control.credentials.identity import AUDIENCE, ISSUER, BrokerIdentity, new_private_key
from qsec_jupyter.control.credentials.setup import policy_text
from qsec_jupyter.control.credentials.signers import new_seed, signer_of
from qsec_jupyter.core.errors import Unavailable

NOW = datetime(2026, 1, 31, 9, 30, tzinfo=timezone.utc)
REQUEST = IssueRequest("g", "sandbox", "ada", ("quantum",), "s", "k", "r", NOW + timedelta(minutes=30))


def claims(identity, assertion):
    options = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}
    return jwt.decode(
        assertion.reveal(), identity.public_pem(), ["ES256"], audience=AUDIENCE, options=options
    )


def test_session_assertion_names_user_server_target_grant_and_lives_a_minute():
    identity = BrokerIdentity(new_private_key(), lambda: NOW)
    found = claims(identity, identity.for_session(REQUEST))
    expected = {"iss": ISSUER, "sub": "ada", "use": "session", "groups": ["quantum"], "server": "s"}
    expected |= {"target": "sandbox", "grant": "g", "request_id": "r", "kernel": "k"}
    assert expected.items() <= found.items()
    assert found["exp"] - found["iat"] == 60


def test_each_assertion_has_an_id_of_its_own_and_is_not_printed():
    identity = BrokerIdentity(new_private_key(), lambda: NOW)
    one, two = identity.for_session(REQUEST), identity.for_session(REQUEST)
    assert claims(identity, one)["jti"] != claims(identity, two)["jti"]
    assert "ey" not in repr(one)


def test_user_cannot_become_the_broker_by_name():
    identity = BrokerIdentity(new_private_key(), lambda: NOW)
    request = IssueRequest("g", "sandbox", "qsec-broker", (), "s", "k", "r", NOW)
    assert claims(identity, identity.for_session(request))["use"] == "session"


@pytest.mark.parametrize("key", [b"", b"not a key", new_seed()])
def test_broken_key_is_said_with_a_remedy(key):
    with pytest.raises(Unavailable) as caught:
        BrokerIdentity(key, lambda: NOW)
    assert caught.value.code == "key.unusable"


def test_broken_signing_key_is_said_with_a_remedy():
    with pytest.raises(Unavailable) as caught:
        signer_of(b"short")
    assert caught.value.code == "key.unusable"


def test_policy_with_a_name_that_nobody_gave_is_an_error():
    with pytest.raises(KeyError):
        policy_text("target", {"kv": "qsec"})


@pytest.mark.parametrize("name", ["broker", "key-administrator", "auditor", "target"])
def test_shipped_policies_hold_no_wildcard_that_grants_writing(name):
    values = {
        "auth": "qsec",
        "kv": "kv",
        "transit": "t",
        "transit_key": "k",
        "evidence_key": "e",
        "target": "x",
        "engine": "kv-v2",
        "needs": "",
    }
    text = policy_text(name, values)
    assert "sudo" not in text
    assert "root" not in text
    for block in text.split("path ")[1:]:
        path = block.split('"')[1]
        if "*" in path:
            assert "update" not in block
            assert "create" not in block
            assert "delete" not in block
