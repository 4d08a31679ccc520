"""Claim: no secret, token or assertion reaches a log, an exception's text, a repr or the disk."""

import logging
import traceback

import pytest
from vault_fault_proxy import BUSY, SEALED, fault_proxy, garbage, half, reset, slow, status
from vault_server import TARGETS, request

from qsec_jupyter.control.credentials import identity, login
from qsec_jupyter.control.credentials.broker import open_broker
from qsec_jupyter.core.errors import QsecError

pytestmark = pytest.mark.vault


def echo(handler):
    """Answer with everything that the request held, as a chatty proxy's error page does."""
    told = repr(dict(handler.headers)).encode()
    return status(400, b'{"errors":["' + told.replace(b'"', b"'") + b'"]}')(handler)


@pytest.fixture
def issued_tokens(monkeypatch):
    """Collect what must not appear: every token and assertion that is made while the test runs."""
    seen = []
    mint, answered = identity.BrokerIdentity._mint, login.VaultAdapter.call

    def minting(self, claims):
        assertion = mint(self, claims)
        seen.append(assertion.reveal())
        return assertion

    def calling(self, method, path, **options):
        answer = answered(self, method, path, **options)
        if answer.auth.get("client_token"):
            seen.append(answer.auth["client_token"])
        return answer

    monkeypatch.setattr(identity.BrokerIdentity, "_mint", minting)
    monkeypatch.setattr(login.VaultAdapter, "call", calling)
    return seen


def test_logs_exceptions_and_reprs_hold_no_secret(vault, broker_at, issued_tokens, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    texts = []
    with fault_proxy(vault.address) as proxy:
        broker = broker_at(vault, proxy.address, total=1.0)
        issued = broker.issue(request(), lambda ref: texts.append(repr(ref)))
        texts += [
            repr(issued),
            str(issued),
            f"{issued.value}",
            repr(broker),
            repr(broker.signer()),
            repr(broker.info),
        ]
        for where in ("/login", "/data/", "/sign/", "revoke-accessor"):
            for number, fault in enumerate(
                (SEALED, BUSY, reset, half, garbage, echo, status(403), status(500), slow(1.5))
            ):
                proxy.faults = {where: fault}
                asked = request(grant=f"{where}{number}")
                texts += told(broker.issue, asked, lambda ref: None)
                texts += told(lambda: broker.signer().sign(b"x"))
                texts += told(broker.revoke, issued.session)
        texts += [repr(check) for check in broker.checks()]
        broker.close()
    texts += [record.getMessage() + repr(record.args) + str(record.exc_text) for record in caplog.records]
    texts += list(capfd.readouterr())
    everything = "\n".join(texts)
    hidden = {*issued_tokens, *vault.secrets.values(), vault.root}
    assert len(issued_tokens) > 20
    assert len(everything) > 10_000
    assert not [value[:6] for value in hidden if value in everything]


def told(call, *arguments):
    """Return every text that the call's result or error would show anywhere."""
    try:
        return [repr(call(*arguments))]
    except QsecError as error:
        shown = [repr(error), str(error.to_problem()), repr(error.__cause__)]
        return [*shown, *traceback.format_exception(error), *chain_of(error)]


def chain_of(error):
    """Return what the causes carry in their attributes: requests' errors would carry the request."""
    texts = []
    while error is not None:
        for value in vars(error).values():
            texts.append(repr(value))
            texts.append(repr(getattr(value, "headers", "")))
            texts.append(repr(getattr(value, "body", "")))
        error = error.__cause__ or error.__context__
    return texts


def test_disk_holds_no_token_secret_or_assertion(vault, issued_tokens, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    environ = {"VAULT_ADDR": vault.address, "QSEC_VAULT_AUTH_MOUNT": vault.mounts.auth}
    environ |= {"QSEC_VAULT_KV_MOUNT": vault.mounts.kv, "QSEC_VAULT_TRANSIT_MOUNT": vault.mounts.transit}
    (tmp_path / "broker.key").write_bytes(_private_pem(vault.identity))
    (tmp_path / "broker.key").chmod(0o600)
    broker = open_broker(tmp_path, TARGETS, environ)
    secret = broker.issue(request(), lambda ref: None).value.reveal()
    broker.signer().sign(b"x")
    broker.local_signer()
    broker.close()
    stored = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert issued_tokens
    for value in (secret, *issued_tokens):
        assert value.encode() not in stored


def _private_pem(own):
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return own._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
