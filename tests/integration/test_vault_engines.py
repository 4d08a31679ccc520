"""Each secrets engine on a real Vault: what is issued works, what ends is gone, what cannot end says so."""

import base64
import http.server
import itertools
import json
import threading
import time
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_ssh_public_identity
from vault_fault_proxy import fault_proxy, slow
from vault_server import RealVault, now, request

from qsec_jupyter.control.credentials.broker import TargetSource
from qsec_jupyter.control.credentials.naming import Mounts
from qsec_jupyter.core.errors import Denied, Invalid, NotFound, QsecError, Unavailable

pytestmark = pytest.mark.vault
_numbers = itertools.count(1)


@pytest.fixture
def server(engines_vault):
    """The server with mounts of this test's own."""
    number = next(_numbers)
    mounts = Mounts(f"auth-{number}", f"kv-{number}", f"transit-{number}")
    return RealVault(engines_vault.address, engines_vault.root, engines_vault.process, mounts)


@pytest.fixture
def database(server, postgres):
    """A target whose users live in a real PostgreSQL; returns its source."""
    mount = f"db-{server.mounts.kv}"
    server.set_up({"data": TargetSource("database", "reader", mount=mount)})
    server.admin(
        "POST",
        f"{mount}/config/pg",
        {
            "plugin_name": "postgresql-database-plugin",
            "allowed_roles": "*",
            "connection_url": f"postgresql://{{{{username}}}}:{{{{password}}}}@127.0.0.1:{postgres.port}/postgres?sslmode=disable",
            "username": "qsec_admin",
            "password": postgres.password,
        },
    )
    create = "CREATE ROLE \"{{name}}\" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'"
    role = {"db_name": "pg", "creation_statements": [create], "default_ttl": "60s", "max_ttl": "300s"}
    server.admin("POST", f"{mount}/roles/reader", role)
    return {"data": TargetSource("database", "reader", mount=mount)}


def test_database_user_logs_in_and_is_gone_when_the_session_is_ended(server, database, broker_at, postgres):
    broker, remembered = broker_at(server, targets=database), []
    issued = broker.issue(request("data"), remembered.append)
    user, password = issued.public["username"], issued.fields["password"].reveal()
    assert issued.value.reveal() == password
    assert postgres.logs_in(user, password)
    assert [len(ref.lease_ids) for ref in remembered] == [0, 1]
    assert "database" in issued.revocability
    assert broker.revoke(remembered[-1]) is True
    assert not postgres.logs_in(user, password)
    assert broker.revoke(remembered[-1]) is True  # a second time changes nothing


def test_grant_keeps_one_database_user_until_it_must_be_replaced(server, database, broker_at, postgres):
    clock = [0.0]
    broker = broker_at(server, targets=database, monotonic=lambda: time.monotonic() + clock[0])
    remembered = []
    first = broker.issue(request("data"), remembered.append)
    assert first.refresh_at - now() < timedelta(seconds=41)
    assert broker.issue(request("data"), remembered.append).public == first.public
    clock[0] = 45.0  # two thirds of a minute: the lease is renewed, the user stays
    assert broker.issue(request("data"), remembered.append).public == first.public
    server.admin("POST", "sys/leases/revoke", {"lease_id": remembered[-1].lease_ids[0], "sync": True})
    clock[0] = 300.0
    second = broker.issue(request("data"), remembered.append)
    assert second.public != first.public
    assert postgres.logs_in(second.public["username"], second.value.reveal())
    assert len(remembered[-1].lease_ids) == 2


def test_renewal_ahead_of_use_keeps_session_and_lease_alive(server, database, broker_at):
    clock = [0.0]
    with fault_proxy(server.address) as proxy:
        broker = broker_at(
            server, proxy.address, targets=database, monotonic=lambda: time.monotonic() + clock[0]
        )
        asked = request("data", minutes=120)
        broker.keep(asked)  # nothing is open yet
        broker.issue(asked, lambda ref: None)
        broker.keep(asked)
        assert proxy.count("renew") == 0
        clock[0] = 620.0  # two thirds of the session's 15 minutes
        broker.keep(asked)
        assert proxy.count("auth/token/renew-self") >= 1
        assert proxy.count("sys/leases/renew") == 1
        broker.close()


def test_lease_that_cannot_be_remembered_is_ended(server, database, broker_at, postgres):
    broker, users, before = broker_at(server, targets=database), [], set(postgres_users(postgres))

    def remember(ref):
        if ref.lease_ids:
            users.extend(set(postgres_users(postgres)) - before)
            raise Unavailable("store.full", "The disk is full")

    with pytest.raises(Unavailable):
        broker.issue(request("data"), remember)
    assert users
    deadline = time.monotonic() + 10
    while set(users) & set(postgres_users(postgres)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not set(users) & set(postgres_users(postgres))


def postgres_users(postgres):
    import psycopg

    with psycopg.connect(postgres.url()) as connection:
        return [row[0] for row in connection.execute("select rolname from pg_roles where rolname like 'v-%'")]


def test_time_out_while_a_user_is_made_ends_the_session_and_with_it_the_user(
    server, database, broker_at, postgres
):
    with fault_proxy(server.address) as proxy:
        broker, remembered = broker_at(server, proxy.address, total=1.0, targets=database), []
        before = set(postgres_users(postgres))
        proxy.faults["/creds/"] = slow(1.5)
        with pytest.raises(Unavailable) as caught:
            broker.issue(request("data"), remembered.append)
        assert caught.value.code == "vault.timeout"
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            time.sleep(0.1)
            if proxy.count("/creds/") and not server.exists(remembered[0].accessor):
                break
        time.sleep(2.0)  # the late answer has made its user by now, and the ended session takes it along
        assert set(postgres_users(postgres)) <= before
        assert proxy.count("/creds/") == 1
        broker.close()


def test_database_that_is_away_leaves_the_revocation_pending_and_it_succeeds_later(
    server, database, broker_at, postgres
):
    broker, remembered = broker_at(server, targets=database), []
    issued = broker.issue(request("data"), remembered.append)
    user = issued.public["username"]
    import psycopg

    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        connection.execute(f"create table owned_by_{user.replace('-', '_')[:40].lower()} (x int)")
        connection.execute(f'create schema held authorization "{user}"')
        assert broker.revoke(remembered[-1]) is False  # the database refuses: something hangs on the user
        assert user in postgres_users(postgres)
        assert not server.exists(remembered[-1].accessor)  # the session itself is gone all the same
        connection.execute("drop schema held")
    assert broker.revoke(remembered[-1]) is True
    assert user not in postgres_users(postgres)


def test_certificate_is_of_the_targets_name_and_on_the_list_of_revoked_ones_at_the_end(server, broker_at):
    mount = f"pki-{server.mounts.kv}"
    targets = {"mtls": TargetSource("pki", "client", mount=mount, common_name="ada.example.org", ttl="5m")}
    server.set_up(targets)
    server.admin("POST", f"{mount}/root/generate/internal", {"common_name": "test root", "ttl": "24h"})
    role = {"allow_any_name": True, "client_flag": True, "server_flag": False, "generate_lease": True}
    server.admin("POST", f"{mount}/roles/client", {**role, "key_type": "ec", "key_bits": 256})
    broker, remembered = broker_at(server, targets=targets), []
    issued = broker.issue(request("mtls"), remembered.append)
    certificate = x509.load_pem_x509_certificate(issued.public["certificate"].encode())
    assert "ada.example.org" in certificate.subject.rfc4514_string()
    assert "PRIVATE KEY" in issued.fields["private_key"].reveal()
    assert abs(issued.outlives - certificate.not_valid_after_utc) < timedelta(seconds=2)
    assert broker.issue(request("mtls"), remembered.append).public == issued.public
    assert broker.revoke(remembered[-1]) is True
    import requests

    text = requests.get(f"{server.address}/v1/{mount}/crl/pem", timeout=5).content
    revoked = x509.load_pem_x509_crl(text)
    assert revoked.get_revoked_certificate_by_serial_number(certificate.serial_number)


def test_ssh_certificate_is_for_the_catalogues_principals_and_says_its_true_end(server, broker_at):
    mount = f"ssh-{server.mounts.kv}"
    targets = {"shell": TargetSource("ssh", "user", mount=mount, principals="bench", ttl="3m")}
    server.set_up(targets)
    server.admin("POST", f"{mount}/config/ca", {"generate_signing_key": True})
    role = {"key_type": "ca", "allow_user_certificates": True, "allowed_users": "bench", "max_ttl": "1h"}
    server.admin("POST", f"{mount}/roles/user", role)
    issued = broker_at(server, targets=targets).issue(request("shell"), lambda ref: None)
    certificate = load_ssh_public_identity(issued.public["signed_key"].encode())
    assert certificate.valid_principals == [b"bench"]
    assert issued.outlives == datetime.fromtimestamp(certificate.valid_before, timezone.utc)
    assert issued.outlives - now() < timedelta(minutes=4)
    assert "OPENSSH PRIVATE KEY" in issued.value.reveal()
    assert "no lease" in issued.revocability


def test_key_in_transit_signs_and_never_leaves_and_ends_with_the_session(server, broker_at):
    targets = {"seal": TargetSource("transit", "bench", fields=("sign", "verify"))}
    server.set_up(targets)
    broker, remembered = broker_at(server, targets=targets), []

    def operate(operation, data, signature=""):
        return broker.operate(request("seal"), remembered.append, operation, data, signature)

    signature = operate("sign", b"result")
    assert operate("verify", b"result", signature) == "true"
    assert operate("verify", b"another", signature) == "false"
    with pytest.raises(Invalid) as caught:
        operate("encrypt", b"x")
    assert caught.value.code == "operation.not_offered"
    with pytest.raises(Denied) as caught:
        broker.issue(request("seal"), remembered.append)
    assert caught.value.code == "vault.operate_only"
    assert len(remembered) == 1
    assert broker.revoke(remembered[0]) is True
    with pytest.raises(Denied) as caught:
        operate("sign", b"more")
    assert caught.value.code == "vault.session_ended"


def test_key_in_transit_encrypts_and_decrypts(server, broker_at):
    targets = {"seal": TargetSource("transit", "box", fields=("encrypt", "decrypt"))}
    server.set_up(targets)
    broker = broker_at(server, targets=targets)
    sealed = broker.operate(request("seal"), lambda ref: None, "encrypt", b"counts")
    assert b"counts" not in sealed.encode()
    opened = broker.operate(request("seal"), lambda ref: None, "decrypt", sealed.encode())
    assert base64.b64decode(opened) == b"counts"


def test_target_cannot_name_the_key_of_the_record(server, broker_at):
    broker = broker_at(server, targets={})
    server.set_up({})
    for key in ("qsec-ledger", "qsec-evidence"):
        with pytest.raises(Invalid) as caught:
            server.set_up({"bad": TargetSource("transit", key)})
        assert caught.value.code == "catalog.reserved_key"
    assert broker


def test_identity_token_names_the_session_and_verifies_against_the_vaults_published_keys(server, broker_at):
    targets = {"oidc": TargetSource("identity", f"bench-{server.mounts.kv}", ttl="2m")}
    server.set_up(targets)
    issued = broker_at(server, targets=targets).issue(request("oidc"), lambda ref: None)
    keys = jwt.PyJWKSet.from_dict(server.admin("GET", "identity/oidc/.well-known/keys"))
    header = jwt.get_unverified_header(issued.value.reveal())
    key = next(key for key in keys.keys if key.key_id == header["kid"])
    claims = jwt.decode(issued.value.reveal(), key.key, ["RS256"], audience=issued.public["client_id"])
    assert abs(claims["exp"] - issued.outlives.timestamp()) < 3
    assert issued.refresh_at < issued.outlives


def test_kv_hands_out_several_fields_and_names_the_command_for_a_missing_one(server, broker_at):
    targets = {"login": TargetSource("kv-v2", "targets/login", "password", fields=("user", "password"))}
    server.set_up(targets)
    with pytest.raises(NotFound) as caught:
        broker_at(server, targets=targets).issue(request("login"), lambda ref: None)
    assert "vault kv put" in caught.value.remedy
    server.put("targets/login", {"user": "ada", "password": "correct horse"})
    issued = broker_at(server, targets=targets).issue(request("login"), lambda ref: None)
    assert {name: secret.reveal() for name, secret in issued.fields.items()} == {
        "user": "ada",
        "password": "correct horse",
    }
    assert issued.refresh_at is None
    assert issued.outlives is None


@contextmanager
def token_service(answer):
    """A local token endpoint of IBM Cloud's form (its real one needs an account)."""
    seen = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):  # the standard library's name
            seen.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            status, body = answer(seen[-1])
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *args):
            pass

    service = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=service.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{service.server_port}/identity/token", seen
    finally:
        service.shutdown()
        service.server_close()
        thread.join()


def test_api_key_is_exchanged_and_only_the_bearer_with_its_true_end_is_handed_out(server, broker_at):
    ends = int(time.time()) + 3600
    with token_service(lambda body: (200, {"access_token": "bearer-1", "expiration": ends})) as (url, seen):
        targets = {"ibm": TargetSource("ibm-iam", "targets/ibm", "apikey", token_url=url)}
        server.set_up(targets)
        server.put("targets/ibm", {"apikey": "K" * 44})
        broker = broker_at(server, targets=targets)
        issued = broker.issue(request("ibm", minutes=10), lambda ref: None)
        again = broker.issue(request("ibm", minutes=10), lambda ref: None)
    assert issued.value.reveal() == again.value.reveal() == "bearer-1"
    assert len(seen) == 1
    assert "K" * 44 in seen[0]
    assert "K" * 44 not in repr((issued, issued.fields, issued.public))
    assert issued.outlives == datetime.fromtimestamp(ends, timezone.utc)
    assert issued.outlives > issued.expires_at  # it outlives the grant, and says so
    assert "until its own end" in issued.revocability


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (400, {"errorMessage": "Provided API key could not be found s3cr3t"}, "iam.key_refused"),
        (500, {}, "iam.unavailable"),
        (302, {}, "iam.unavailable"),
        (200, {"no": "token"}, "iam.unavailable"),
    ],
)
def test_exchange_that_fails_says_so_and_quotes_nothing(server, broker_at, status, body, code):
    with token_service(lambda sent: (status, body)) as (url, _):
        targets = {"ibm": TargetSource("ibm-iam", "targets/ibm", "apikey", token_url=url)}
        server.set_up(targets)
        server.put("targets/ibm", {"apikey": "K" * 44})
        with pytest.raises(QsecError) as caught:
            broker_at(server, targets=targets).issue(request("ibm"), lambda ref: None)
    assert caught.value.code == code
    assert "s3cr3t" not in str(caught.value.to_problem())
    assert "KKKK" not in str(caught.value.to_problem())


def test_engine_whose_mount_or_role_is_missing_is_named_with_the_way_forward(server, broker_at):
    targets = {"data": TargetSource("database", "nobody", mount=f"db-{server.mounts.kv}")}
    server.set_up(targets)
    with pytest.raises(QsecError) as caught:
        broker_at(server, targets=targets).issue(request("data"), lambda ref: None)
    assert caught.value.remedy
    assert caught.value.code in {"vault.secret_missing", "vault.refused", "vault.failed"}
