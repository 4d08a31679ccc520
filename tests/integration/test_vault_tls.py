"""TLS to a real Vault: the stated authority is trusted and no other, whatever the environment says."""

import os
import socket
import subprocess
import sys
import time

import pytest
import vault_server as servers

from qsec_jupyter.control.credentials import watchdog
from qsec_jupyter.control.credentials.naming import Mounts
from qsec_jupyter.control.credentials.setup import VaultSetup
from qsec_jupyter.control.credentials.vault import Endpoint, VaultAdapter
from qsec_jupyter.control.credentials.vault_checks import health
from qsec_jupyter.core.errors import QsecError
from qsec_jupyter.core.secret import Secret

pytestmark = pytest.mark.vault


@pytest.fixture
def tls_vault(tmp_path):
    """A dev server with a certificate of its own authority; returns address, authority and root token."""
    servers._require()
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    flags = ["-dev-no-store-token", "-dev-tls", f"-dev-tls-cert-dir={tmp_path}"]
    command = [servers.binary(), "server", "-dev", *flags, f"-dev-listen-address=127.0.0.1:{port}"]
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    environ |= {"VAULT_DEV_ROOT_TOKEN_ID": "root-of-tls", "BAO_DEV_ROOT_TOKEN_ID": "root-of-tls"}
    dog = [sys.executable, "-I", "-S", watchdog.__file__, *command]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(dog, stdin=subprocess.PIPE, env=environ, **quiet) as process:
        deadline = time.monotonic() + 30
        while not list(tmp_path.glob("*-ca.pem")) and time.monotonic() < deadline:
            time.sleep(0.05)
        (authority,) = tmp_path.glob("*-ca.pem")
        yield f"https://127.0.0.1:{port}", str(authority), Secret("root-of-tls", "root")
        process.stdin.close()


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
    address, _, _ = tls_vault
    error = answer(Endpoint(address))
    assert error.code == "vault.untrusted"
    assert "VAULT_CACERT" in error.remedy


def test_stated_authority_is_trusted_although_the_environment_names_others(tls_vault, tmp_path, monkeypatch):
    address, authority, root = tls_vault
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none.pem"))
    endpoint = Endpoint.from_environ({"VAULT_ADDR": address, "VAULT_CACERT": authority})
    assert answer(endpoint)["sealed"] is False
    adapter = VaultAdapter(endpoint)
    assert VaultSetup(adapter, root, Mounts()).plan(servers.TARGETS, [])
    adapter.close()


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_authority_of_the_environment_does_not_replace_the_stated_one(tls_vault, monkeypatch, name):
    address, authority, _ = tls_vault
    monkeypatch.setenv(name, authority)
    monkeypatch.setenv("VAULT_SKIP_VERIFY", "true")
    assert answer(Endpoint.from_environ({"VAULT_ADDR": address})).code == "vault.untrusted"
