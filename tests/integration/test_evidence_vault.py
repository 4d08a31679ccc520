"""Evidence under a real Vault: its key never leaves it, and without it nothing opens."""

import base64
import hashlib
import json

import pytest
from control_child import children
from vault_fault_proxy import fault_proxy, status

from qsec_jupyter.control.credentials import choose
from qsec_jupyter.control.evidence import Artefacts
from qsec_jupyter.core.errors import QsecError, Unavailable
from qsec_jupyter.ledger.verify import verify_journal

pytestmark = pytest.mark.vault
DATA = b"QISKIT" + bytes(range(256)) * 50
SHA = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def proxy(vault):
    with fault_proxy(vault.address) as proxy:
        yield proxy


@pytest.fixture
def environ(tmp_path, vault, proxy):
    return vault.trusted(tmp_path, proxy.address)


@pytest.fixture
def child(tmp_path, environ):
    with children(tmp_path) as begin:
        yield begin(environ=environ)


def put(child, data=DATA):
    body = {"media_type": "application/x-qpy", "data": base64.b64encode(data).decode()}
    return child.ask("PUT", f"/v1/evidence/{hashlib.sha256(data).hexdigest()}", body, kernel="k1")


@pytest.fixture
def reader(tmp_path, monkeypatch):
    monkeypatch.setattr(choose, "real_keyring", lambda: None)
    return lambda environ: Artefacts(tmp_path / "journal-0" / "evidence", choose.Opener(tmp_path, environ))


def test_data_key_is_wrapped_by_transit_and_opened_by_it(child, environ, reader, tmp_path) -> None:
    assert put(child) == (200, {"sha256": SHA, "stored": True})
    (key,) = (tmp_path / "journal-0" / "evidence" / "keys").glob("*.json")
    told = json.loads(key.read_text())
    assert told["wrapped_by"] == "vault-transit:qsec-evidence"
    assert told["wrapped"].startswith("vault:v1:")
    assert reader(environ).get(SHA).data == DATA
    assert child.close() == 0
    assert verify_journal(tmp_path / "journal-0").ok


def test_without_the_vault_nothing_opens_and_it_says_why(child, reader) -> None:
    put(child)
    with pytest.raises(Unavailable) as caught:
        reader({}).get(SHA)
    assert caught.value.code == "evidence.needs_vault"


def test_key_that_was_rotated_opens_what_is_older(child, environ, reader, vault) -> None:
    put(child)
    vault.admin("POST", f"{vault.mounts.transit}/keys/qsec-evidence/rotate", {})
    assert reader(environ).get(SHA).data == DATA


def test_vault_that_forbids_wrapping_keeps_nothing_and_nothing_else_breaks(child, proxy) -> None:
    proxy.faults["/encrypt/"] = status(403, b'{"errors":["permission denied"]}')
    code, problem = put(child)
    assert (code, problem["code"]) == (403, "vault.forbidden")
    record = {"run_id": "a" * 32, "kind": "intent", "time": "t"}
    assert "statement" in child.ask("POST", "/v1/runs", {"records": [record]}, kernel="k1")[1]["results"][0]
    proxy.faults.clear()
    assert put(child)[0] == 200


def test_who_manages_keys_cannot_read_and_who_audits_cannot_either(child, vault, environ, tmp_path) -> None:
    put(child)
    (key,) = (tmp_path / "journal-0" / "evidence" / "keys").glob("*.json")
    wrapped = json.loads(key.read_text())["wrapped"]
    for policy in ("qsec-key-administrator", "qsec-auditor"):
        token = vault.admin("POST", "auth/token/create", {"policies": [policy], "no_default_policy": True})
        with pytest.raises(RuntimeError, match="403"):
            vault.admin(
                "POST",
                f"{vault.mounts.transit}/decrypt/qsec-evidence",
                {"ciphertext": wrapped},
                token=token["auth"]["client_token"],
            )


def test_wrapped_key_of_another_vault_does_not_open(child, reader, environ, tmp_path) -> None:
    put(child)
    (key,) = (tmp_path / "journal-0" / "evidence" / "keys").glob("*.json")
    told = json.loads(key.read_text())
    key.write_text(json.dumps({**told, "wrapped": told["wrapped"][:-6] + "AAAAA="}))
    with pytest.raises(QsecError):
        reader(environ).get(SHA)
