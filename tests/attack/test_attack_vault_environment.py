"""Claim: the broker uses its own identity only; nothing lying around in the environment is picked up."""

import pytest
from vault_fault_proxy import fault_proxy
from vault_server import TARGETS, request

from qsec_jupyter.control.credentials.broker import open_broker

pytestmark = pytest.mark.vault
CANARY = "hvs.canary-of-an-administrator"


@pytest.fixture
def hostile(monkeypatch, tmp_path):
    """Put tokens, proxies and authorities where other programs would take them from."""
    (tmp_path / ".vault-token").write_text(CANARY)
    (tmp_path / ".netrc").write_text(f"machine 127.0.0.1 login x password {CANARY}\n")
    (tmp_path / ".netrc").chmod(0o600)
    for name, value in {
        "HOME": str(tmp_path),
        "NETRC": str(tmp_path / ".netrc"),
        "VAULT_TOKEN": CANARY,
        "BAO_TOKEN": CANARY,
        "HTTP_PROXY": "http://127.0.0.1:9",
        "http_proxy": "http://127.0.0.1:9",
        "ALL_PROXY": "http://127.0.0.1:9",
        "REQUESTS_CA_BUNDLE": str(tmp_path / "none.pem"),
        "CURL_CA_BUNDLE": str(tmp_path / "none.pem"),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    return tmp_path


def test_tokens_netrc_and_proxies_of_the_environment_are_not_used(vault, broker_at, hostile):
    with fault_proxy(vault.address) as proxy:
        broker = broker_at(vault, proxy.address)
        assert broker.issue(request(), lambda ref: None).value.reveal() == vault.secrets["sandbox"]
        assert broker.signer().sign(b"x")
        assert [check.name for check in broker.checks() if not check.ok] == []
        assert len(proxy.seen) > 10  # nothing went past the proxy that we stated
        assert CANARY not in repr(proxy.seen)
        assert not [headers for _, _, headers in proxy.seen if "Authorization" in headers]
        broker.close()


def test_token_in_the_environment_opens_nothing_for_a_broker_that_is_not_trusted(vault, hostile, monkeypatch):
    environ = {"VAULT_ADDR": vault.address, "VAULT_TOKEN": vault.root, "HOME": str(hostile), "PATH": ""}
    monkeypatch.setenv("VAULT_TOKEN", vault.root)
    broker = open_broker(hostile, TARGETS, environ)
    assert [check.name for check in broker.checks() if not check.ok] == ["vault.login"]
    broker.close()


def test_login_and_health_carry_no_token(vault, broker_at):
    with fault_proxy(vault.address) as proxy:
        broker = broker_at(vault, proxy.address)
        broker.checks()
        broker.issue(request(), lambda ref: None)
        for _, path, headers in proxy.seen:
            if path.endswith("/login") or "sys/health" in path:
                assert "X-Vault-Token" not in headers
        broker.close()
