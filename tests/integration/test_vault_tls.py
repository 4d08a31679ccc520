"""TLS to a real Vault: the stated authority is trusted and no other, whatever the environment says."""

import time

import pytest
import vault_server as servers
from certificates import NAME, Authority, as_files
from vault_server import request

from qsec_jupyter.control.credentials import starts
from qsec_jupyter.control.credentials.keystore import KeyStore
from qsec_jupyter.control.credentials.naming import Mounts
from qsec_jupyter.control.credentials.setup import VaultSetup
from qsec_jupyter.control.credentials.vault import Endpoint, VaultAdapter
from qsec_jupyter.control.credentials.vault_checks import health
from qsec_jupyter.core.errors import Denied, Invalid, QsecError
from qsec_jupyter.core.secret import Secret

pytestmark = pytest.mark.vault


def answer(endpoint):
    """Ask for the state until the server is up; a refused certificate is an answer, too."""
    adapter = VaultAdapter(endpoint)
    try:
        for _ in range(100):
            try:
                return health(adapter)
            except QsecError as error:
                if error.code != "vault.unreachable":
                    return error
                time.sleep(0.05)
    finally:
        adapter.close()
    raise TimeoutError


def test_certificate_of_an_unknown_authority_is_refused_with_the_remedy(tls_vault):
    error = answer(Endpoint(tls_vault.address))
    assert error.code == "vault.untrusted"
    assert "VAULT_CACERT" in error.remedy


def test_stated_authority_is_trusted_although_the_environment_names_others(tls_vault, tmp_path, monkeypatch):
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none.pem"))
    endpoint = Endpoint.from_environ({"VAULT_ADDR": tls_vault.address, "VAULT_CACERT": tls_vault.authority})
    assert answer(endpoint)["sealed"] is False
    adapter = VaultAdapter(endpoint)
    assert VaultSetup(adapter, Secret(tls_vault.root, "root"), Mounts()).plan(servers.TARGETS, [])
    adapter.close()


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_authority_of_the_environment_does_not_replace_the_stated_one(tls_vault, monkeypatch, name):
    monkeypatch.setenv(name, tls_vault.authority)
    monkeypatch.setenv("VAULT_SKIP_VERIFY", "true")
    assert answer(Endpoint.from_environ({"VAULT_ADDR": tls_vault.address})).code == "vault.untrusted"


@pytest.fixture
def certificates(tls_vault, tmp_path):
    """Have the Vault let clients in by a certificate; returns its authority and how to start with one."""
    tls_vault.set_up()
    authority = Authority("clients")
    tls_vault.admin("POST", "sys/auth/cert", {"type": "cert"})
    role = {"certificate": authority.pem(), "allowed_uri_sans": NAME, "token_policies": "qsec-broker"}
    tls_vault.admin("POST", "auth/cert/certs/qsec-broker", {**role, "token_period": "20m"})

    def environ(issued):
        certificate, key = as_files(tmp_path, issued)
        told = {"VAULT_ADDR": tls_vault.address, "VAULT_CACERT": tls_vault.authority}
        return told | {
            "VAULT_CLIENT_CERT": certificate,
            "VAULT_CLIENT_KEY": key,
            "QSEC_VAULT_LOGIN": "cert",
        }

    return authority, environ


def started(broker_at, tls_vault, tmp_path, environ):
    start = starts.from_environ(environ, KeyStore(tmp_path, None))
    return broker_at(tls_vault, client=Endpoint.from_environ(environ).client, start=start)


def test_control_plane_gets_in_by_its_client_certificate(tls_vault, certificates, broker_at, tmp_path):
    authority, environ = certificates
    broker = started(broker_at, tls_vault, tmp_path, environ(authority.issue()))
    assert broker.signer().sign(b"x")
    assert broker.issue(request(), lambda ref: None).value.reveal() == tls_vault.secrets["sandbox"]
    metadata = [
        tls_vault.admin("POST", "auth/token/lookup-accessor", {"accessor": one})["data"]
        for one in tls_vault.accessors()
    ]
    assert "auth/cert/login" in [one["path"] for one in metadata]


@pytest.mark.parametrize(
    ("issue", "code"),
    [
        (lambda authority: Authority("clients").issue(), "vault.login_refused"),
        (lambda authority: authority.issue("spiffe://example.org/other"), "vault.login_refused"),
        (lambda authority: authority.issue(days=-1), "vault.client_expired"),
    ],
    ids=["another-authority", "another-name", "expired"],
)
def test_certificate_that_the_vault_does_not_know_is_refused(
    tls_vault, certificates, broker_at, tmp_path, issue, code
):
    authority, environ = certificates
    broker = started(broker_at, tls_vault, tmp_path, environ(issue(authority)))
    with pytest.raises(Denied) as caught:
        broker.signer()
    assert caught.value.code == code


def test_certificate_that_was_replaced_on_disk_is_used_at_the_next_login(
    tls_vault, certificates, broker_at, tmp_path
):
    """The connections of the old one still stand; it has a name that the Vault lets in no more."""
    authority, environ = certificates
    told = environ(authority.issue())
    broker = started(broker_at, tls_vault, tmp_path, told)
    assert broker.signer().sign(b"x")
    role = {
        "certificate": authority.pem(),
        "allowed_uri_sans": f"{NAME}/new",
        "token_policies": "qsec-broker",
    }
    tls_vault.admin("POST", "auth/cert/certs/qsec-broker", {**role, "token_period": "20m"})
    environ(authority.issue(f"{NAME}/new"))
    start = starts.from_environ(told, KeyStore(tmp_path, None))
    assert start(broker._adapter).auth["client_token"]


def test_certificate_and_key_that_cannot_be_used_are_named(certificates, tmp_path):
    authority, environ = certificates
    (_, certificate), (other, _) = authority.issue(), authority.issue()
    told = environ((other, certificate))
    for wrong, said in (
        ({}, "do not fit"),
        ({"VAULT_CLIENT_CERT": str(tmp_path / "none")}, "VAULT_CLIENT_CERT names no file"),
        ({"VAULT_CLIENT_KEY": ""}, "VAULT_CLIENT_KEY names no file"),
    ):
        with pytest.raises(Invalid, match=said) as caught:
            Endpoint.from_environ({**told, **wrong})
        assert caught.value.code == "vault.client_refused"
