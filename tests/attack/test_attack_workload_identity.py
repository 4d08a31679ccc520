"""Claim: nobody becomes a workload without a fresh assertion that its own issuer signed for us."""

import base64
import hashlib
import hmac
import json
import time
from datetime import datetime, timedelta, timezone

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from qsec_jupyter.control.identity.keys import Keys
from qsec_jupyter.control.identity.replay import UsedAssertions
from qsec_jupyter.control.identity.workloads import Verifier, Workload, matches
from qsec_jupyter.core.errors import Denied, Unavailable

NOW = datetime(2026, 1, 31, 9, 0, tzinfo=timezone.utc)
RSA = rsa.generate_private_key(65537, 2048)
SMALL = rsa.generate_private_key(65537, 1024)
CURVE = ec.generate_private_key(ec.SECP256R1())
STRANGER = rsa.generate_private_key(65537, 2048)
SECRET = base64.urlsafe_b64encode(b"k" * 32).rstrip(b"=").decode()


def jwk(key, kid, **more):
    algorithm = (
        jwt.algorithms.RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else jwt.algorithms.ECAlgorithm
    )
    return {**json.loads(algorithm.to_jwk(key.public_key())), "kid": kid, "use": "sig", **more}


@pytest.fixture
def place(tmp_path):
    path = tmp_path / "jwks.json"
    keys = [
        jwk(RSA, "rsa"),
        jwk(CURVE, "ec"),
        jwk(SMALL, "small"),
        jwk(STRANGER, "wrapping", use="enc"),
        jwk(STRANGER, "narrow", alg="RS512"),
        {"kty": "oct", "k": SECRET, "kid": "secret", "alg": "HS256"},
    ]
    path.write_text(json.dumps({"keys": keys}))
    return path


ENTRY = {
    "issuer": "https://ci.example",
    "audience": "qsec",
    "subject": "repo:lab/bench:ref:refs/heads/*",
    "claims": {"environment": "benchmarks"},
    "roles": ["operator"],
    "scopes": ["submit"],
    "targets": ["sandbox"],
}


@pytest.fixture
def make(tmp_path, place):
    def make(clock=lambda: NOW, **more):
        workload = Workload.parse("ci", {**ENTRY, "jwks": str(place), **more})
        return Verifier({"ci": workload}, Keys(), UsedAssertions(tmp_path / "used"), clock)

    return make


def claims(**more):
    issued = int(NOW.timestamp())
    usual = {
        "iss": "https://ci.example",
        "aud": "qsec",
        "sub": "repo:lab/bench:ref:refs/heads/main",
        "environment": "benchmarks",
        "iat": issued,
        "exp": issued + 300,
        "jti": "1",
    }
    return {key: value for key, value in {**usual, **more}.items() if value is not None}


def signed(key=RSA, kid="rsa", algorithm="RS256", headers=None, **more):
    return jwt.encode(claims(**more), key, algorithm, headers={"kid": kid, **(headers or {})})


def segment(value) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def forged(header, told, signature=b"") -> str:
    return f"{segment(header)}.{segment(told)}.{segment(signature)}"


def refused(verifier, assertion) -> str:
    with pytest.raises(Denied) as refusal:
        verifier.verify(assertion)
    said = str(refusal.value)
    assert len(assertion) < 9 or assertion not in said
    return refusal.value.code


@pytest.mark.parametrize(
    ("key", "kid", "algorithm"), [(RSA, "rsa", "RS256"), (RSA, "rsa", "PS384"), (CURVE, "ec", "ES256")]
)
def test_the_honest_workload_is_let_in(make, key, kid, algorithm):
    verified = make().verify(signed(key, kid, algorithm))
    who = verified.principal
    assert (who.kind, who.roles, who.scopes, who.targets) == (
        "workload",
        ("operator",),
        ("submit",),
        ("sandbox",),
    )
    assert who.name == "workload:ci:repo:lab/bench:ref:refs/heads/main"


def test_a_replayed_assertion_is_refused_also_by_another_control_plane(make):
    assertion = signed()
    make().verify(assertion)
    assert refused(make(), assertion) == "workload.replayed"


def test_an_assertion_with_another_signature_over_the_same_words_is_the_same(make):
    told, key = {"headers": {"kid": "ec"}}, CURVE
    one, other = (jwt.encode(claims(), key, "ES256", **told) for _ in range(2))
    assert one != other
    make().verify(one)
    assert refused(make(), other) == "workload.replayed"


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", ""])
def test_no_algorithm_is_no_signature(make, algorithm):
    header = {"alg": algorithm, "kid": "rsa", "typ": "JWT"}
    assert refused(make(), forged(header, claims())) in {"workload.algorithm", "workload.malformed"}


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_a_public_key_is_no_shared_secret(make, algorithm):
    digest = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}[algorithm]
    public = RSA.public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    for secret in (pem, pem.strip(), json.dumps(jwk(RSA, "rsa")).encode()):
        message = f"{segment({'alg': algorithm, 'kid': 'rsa'})}.{segment(claims())}"
        signature = hmac.new(secret, message.encode(), digest).digest()
        assert refused(make(), f"{message}.{segment(signature)}") == "workload.algorithm"


def test_a_secret_key_in_a_public_set_signs_nothing(make):
    message = f"{segment({'alg': 'HS256', 'kid': 'secret'})}.{segment(claims())}"
    signature = hmac.new(b"k" * 32, message.encode(), hashlib.sha256).digest()
    assert refused(make(), f"{message}.{segment(signature)}") == "workload.unknown_key"


def test_keys_that_are_too_small_for_wrapping_or_of_another_algorithm_sign_nothing(make):
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        small = signed(SMALL, "small")
    assert refused(make(), small) == "workload.unknown_key"
    assert refused(make(), signed(STRANGER, "wrapping")) == "workload.unknown_key"
    assert refused(make(), signed(STRANGER, "narrow")) == "workload.algorithm"


def test_the_key_comes_from_the_catalogue_and_never_from_the_assertion(make):
    for headers in (
        {"jwk": jwk(STRANGER, "rsa")},
        {"jku": "https://evil.example/jwks"},
        {"x5u": "https://evil.example/x", "x5c": ["AAAA"]},
    ):
        assert refused(make(), signed(STRANGER, headers=headers)) == "workload.signature"
    assert refused(make(), signed(STRANGER, "../../etc/passwd")) == "workload.unknown_key"
    assert refused(make(), jwt.encode(claims(), RSA, "RS256")) == "workload.unknown_key"
    assert refused(make(), signed(headers={"crit": ["exp"]})) == "workload.malformed"


@pytest.mark.parametrize(
    "audience", ["vault", "QSEC", "qsec ", ["qsec", "vault"], ["vault"], [], {"qsec": 1}, "", 1, None]
)
def test_an_assertion_for_others_is_none_for_us(make, audience):
    assert refused(make(), signed_raw(aud=audience)) in {"workload.audience", "workload.signature"}


def signed_raw(**more) -> str:
    """Sign claims that the library itself would not encode."""
    header = segment({"alg": "RS256", "kid": "rsa"})
    message = f"{header}.{segment(claims(**more))}".encode()
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    return f"{message.decode()}.{segment(RSA.sign(message, padding.PKCS1v15(), hashes.SHA256()))}"


@pytest.mark.parametrize(
    "issuer",
    ["https://ci.example/", "https://CI.example", "https://evil.example", None, ["https://ci.example"]],
)
def test_another_issuer_is_a_stranger(make, issuer):
    assert refused(make(), signed_raw(iss=issuer)) in {"workload.unknown_issuer", "workload.malformed"}


@pytest.mark.parametrize(
    "subject",
    [
        "repo:lab/bench:pull_request",
        "repo:lab/bench:ref:refs/heads/a:environment:x",
        "repo:lab/benchX:ref:refs/heads/main",
        "xrepo:lab/bench:ref:refs/heads/main",
        "repo:lab/bench:ref:refs/heads/main\n",
        "",
    ],
)
def test_another_subject_is_somebody_else(make, subject):
    assert refused(make(), signed_raw(sub=subject)) == "workload.subject"


@pytest.mark.parametrize("value", ["Benchmarks", "other", None, ["benchmarks"], {"benchmarks": True}])
def test_every_further_claim_counts(make, value):
    assert refused(make(), signed_raw(environment=value)) == "workload.subject"


@pytest.mark.parametrize(
    ("minutes", "code"), [(5, "workload.not_yet"), (-5, None), (-10, "workload.expired")]
)
def test_clocks_that_differ_by_minutes_let_nobody_in_too_early_or_too_late(make, minutes, code):
    """Our clock is behind by five minutes, or ahead: an assertion of five minutes is then nearly over."""
    verifier = make(clock=lambda: NOW - timedelta(minutes=minutes))
    if code is None:
        verifier.verify(signed())
    else:
        assert refused(verifier, signed()) == code


def test_a_refusal_for_the_time_says_how_far_the_clocks_are_apart(make):
    with pytest.raises(Denied, match="300 s"):
        make(clock=lambda: NOW - timedelta(minutes=5)).verify(signed())


def test_a_minute_is_forgiven_and_no_more(make):
    make(clock=lambda: NOW - timedelta(seconds=59)).verify(signed(jti="a"))
    assert refused(make(clock=lambda: NOW - timedelta(seconds=61)), signed(jti="b")) == "workload.not_yet"
    make(clock=lambda: NOW + timedelta(seconds=359)).verify(signed(jti="c"))
    assert refused(make(clock=lambda: NOW + timedelta(seconds=361)), signed(jti="d")) == "workload.expired"


def test_an_assertion_that_says_it_lives_for_years_is_too_old_after_minutes(make):
    far = int(NOW.timestamp()) + 10**9
    verifier = make(clock=lambda: NOW + timedelta(minutes=12))
    assert refused(verifier, signed(exp=far)) == "workload.too_old"


@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
@pytest.mark.parametrize("value", ["1900000000", True, [], float("inf"), float("nan"), None])
def test_times_that_are_no_numbers_are_refused(make, name, value):
    if name == "nbf" and value is None:
        return
    code = refused(make(), signed_raw(**{name: value}))
    assert code in {"workload.malformed", "workload.signature"}


@pytest.mark.parametrize(
    "text", ["", ".", "..", "...", "a.b.c", "e30.e30.", "x" * 20_000, "é.é.é", "e30.W10.", "\x00.\x00.\x00"]
)
def test_what_is_no_assertion_is_refused(make, text):
    assert refused(make(), text) == "workload.malformed"


def test_one_bit_of_any_part_breaks_it(make):
    assertion = signed()
    for position in range(0, len(assertion) - 2, 37):
        other = "A" if assertion[position] != "A" else "B"
        broken = assertion[:position] + other + assertion[position + 1 :]
        with pytest.raises(Denied):
            make().verify(broken)


def test_keys_that_cannot_be_had_let_nobody_in(make, place):
    place.write_text("{}")
    with pytest.raises(Unavailable, match=r"workload\.no_keys"):
        make().verify(signed())
    place.unlink()
    with pytest.raises(Unavailable):
        make().verify(signed())


def test_a_key_that_was_withdrawn_is_gone_after_minutes_and_a_new_one_is_seen(place, tmp_path):
    moment = [0.0]
    keys = Keys(lambda: moment[0])
    assert keys.find(str(place), None, "rsa").kid == "rsa"
    place.write_text(json.dumps({"keys": [jwk(STRANGER, "new")]}))
    assert keys.find(str(place), None, "rsa").kid == "rsa"
    with pytest.raises(Denied):
        keys.find(str(place), None, "new")
    moment[0] = 31
    assert keys.find(str(place), None, "new").kid == "new"
    with pytest.raises(Denied):
        keys.find(str(place), None, "rsa")


@pytest.mark.parametrize(
    "wrong",
    [
        {"subject": "*"},
        {"subject": "*:*"},
        {"jwks": "http://ci.example/jwks"},
        {"jwks": "jwks.json"},
        {"roles": ["approver"]},
        {"roles": ["admin"]},
        {"roles": []},
        {"scopes": ["everything"]},
        {"audience": ""},
        {"singel_use": True},
        {"kind": "saml"},
    ],
)
def test_an_entry_that_would_let_too_many_in_is_refused(wrong):
    with pytest.raises((ValueError, TypeError)):
        Workload.parse("ci", {**ENTRY, "jwks": "/keys.json", **wrong})


def test_a_pods_token_is_read_the_same_way_and_may_be_used_again_while_it_is_fresh(tmp_path, place):
    entry = {
        "kind": "kubernetes",
        "issuer": "https://kubernetes.default.svc",
        "audience": "qsec",
        "jwks": str(place),
        "subject": "system:serviceaccount:lab:bench",
        "claims": {"kubernetes.io.namespace": "lab"},
        "roles": ["operator"],
        "targets": ["sandbox"],
    }
    workload = Workload.parse("pod", entry)
    verifier = Verifier({"pod": workload}, Keys(), UsedAssertions(tmp_path / "used"), lambda: NOW)
    told = {
        "iss": entry["issuer"],
        "sub": entry["subject"],
        "aud": ["qsec"],
        "exp": int(NOW.timestamp()) + 3600,
    }
    other = {"kubernetes.io": {"namespace": "prod"}}
    mine = {"kubernetes.io": {"namespace": "lab", "serviceaccount": {"name": "bench"}}}
    for _ in range(2):
        assert verifier.verify(signed_raw(**told, **mine)).principal.scopes == ("metadata",)
    assert refused(verifier, signed_raw(**told, **other)) == "workload.subject"


def test_a_star_never_crosses_a_colon():
    assert matches("a:*:c", "a:b/b:c")
    assert not matches("a:*", "a:b:c")
    assert not matches("a:*", "a:b\nc")
    assert not matches("a", "A")


def test_what_was_used_is_forgotten_only_when_it_is_worthless(tmp_path):
    used = UsedAssertions(tmp_path)
    now = time.time()
    assert used.first_use("a", now + 10, now)
    assert not used.first_use("a", now + 10, now + 9)
    used.first_use("b", now + 99, now + 11)
    assert [path.name for path in tmp_path.iterdir()] == ["b"]
