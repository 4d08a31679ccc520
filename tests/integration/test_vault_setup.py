"""`qsec setup vault` against a real Vault: the plan, the diff, and what is written."""

import os
import subprocess
import sys

import pytest
from vault_server import TARGETS, binary, now, request

from qsec_jupyter.cli import setup as setup_command
from qsec_jupyter.control.credentials import identity
from qsec_jupyter.control.credentials.broker import open_broker
from qsec_jupyter.control.credentials.identity import BrokerIdentity, new_private_key
from qsec_jupyter.control.credentials.keystore import KeyStore
from qsec_jupyter.control.credentials.naming import Mounts
from qsec_jupyter.control.credentials.setup import VaultSetup, apply_with_token
from qsec_jupyter.control.credentials.vault import Endpoint, VaultAdapter
from qsec_jupyter.core.errors import Conflict, Denied
from qsec_jupyter.core.secret import Secret

pytestmark = pytest.mark.vault


@pytest.fixture
def setup_of():
    made = []

    def make(vault, mounts=None, token=None):
        made.append(VaultAdapter(Endpoint(vault.address)))
        return VaultSetup(made[-1], Secret(token or vault.root, "root"), mounts or vault.mounts)

    yield make
    for adapter in made:
        adapter.close()


def test_plan_writes_nothing_and_apply_is_idempotent(own_vault, setup_of):
    setup = setup_of(own_vault)
    keys = [own_vault.identity.public_pem()]
    plan = setup.plan(TARGETS, keys)
    assert {change.action for change in plan} == {"create"}
    assert setup.plan(TARGETS, keys) == plan
    assert setup.apply(plan) == len(plan)
    again = setup.plan(TARGETS, keys)
    assert {change.action for change in again} == {"keep"}
    assert setup.apply(again) == 0


def test_plan_shows_what_somebody_changed_and_apply_puts_it_right(own_vault, setup_of):
    own_vault.set_up()
    wide = 'path "*" { capabilities = ["read"] }'
    own_vault.admin("PUT", "sys/policies/acl/qsec-broker", {"policy": wide})
    role = own_vault.admin("GET", "auth/qsec/role/qsec-target-pilot")["data"] | {
        "bound_claims": {"use": "session"}
    }
    own_vault.admin("POST", "auth/qsec/role/qsec-target-pilot", role)
    setup = setup_of(own_vault)
    plan = setup.plan(TARGETS, [own_vault.identity.public_pem()])
    changed = {change.name: change for change in plan if change.action != "keep"}
    assert set(changed) == {"qsec-broker", "qsec-target-pilot"}
    assert f"-{wide}" in changed["qsec-broker"].differences
    assert any(
        "bound_claims" in line and "pilot" in line for line in changed["qsec-target-pilot"].differences
    )
    assert setup.apply(plan) == 2
    assert {change.action for change in setup.plan(TARGETS, [])} == {"keep"}


def test_second_machine_is_trusted_beside_the_first(own_vault, setup_of, broker_at):
    own_vault.set_up()
    first = own_vault.identity
    own_vault.identity = BrokerIdentity(new_private_key(), now)
    setup = setup_of(own_vault)
    setup.apply(setup.plan(TARGETS, [own_vault.identity.public_pem()]))
    assert broker_at(own_vault).signer()
    own_vault.identity = first
    assert broker_at(own_vault).signer()


def test_wrong_administrators_token_is_said_to_be_wrong(own_vault, setup_of):
    with pytest.raises(Denied) as caught:
        setup_of(own_vault, token="hvs.wrong").plan(TARGETS, [])
    assert caught.value.code == "vault.token_rejected"
    assert "hvs.wrong" not in str(caught.value)


def test_token_without_rights_is_forbidden_naming_what_it_could_not_do(own_vault, setup_of):
    weak = own_vault.admin("POST", "auth/token/create", {"policies": ["default"]})["auth"]["client_token"]
    with pytest.raises(Denied) as caught:
        setup_of(own_vault, token=weak).plan(TARGETS, [])
    assert caught.value.code == "vault.forbidden"
    assert "sys/mounts" in caught.value.detail


def test_mount_that_is_something_else_is_never_taken_over(own_vault, setup_of):
    own_vault.admin("POST", "sys/mounts/old", {"type": "kv", "options": {"version": "1"}})
    for mounts in (Mounts(kv="old"), Mounts(transit="secret"), Mounts(auth="token")):
        with pytest.raises(Conflict) as caught:
            setup_of(own_vault, mounts).plan(TARGETS, [])
        assert caught.value.code == "setup.mount_taken"


def test_signing_key_that_can_be_exported_is_refused(own_vault, setup_of):
    own_vault.admin("POST", "sys/mounts/qsec-transit", {"type": "transit"})
    own_vault.admin("POST", "qsec-transit/keys/qsec-ledger", {"type": "ed25519", "exportable": True})
    with pytest.raises(Conflict) as caught:
        setup_of(own_vault).plan(TARGETS, [])
    assert caught.value.code == "setup.key_taken"


def test_key_administrator_can_rotate_and_neither_sign_nor_read(own_vault):
    own_vault.set_up()
    created = own_vault.admin(
        "POST", "auth/token/create", {"policies": ["qsec-key-administrator"], "no_default_policy": True}
    )
    token = created["auth"]["client_token"]
    own_vault.admin("POST", "qsec-transit/keys/qsec-ledger/rotate", {}, token=token)
    for method, path in (("POST", "qsec-transit/sign/qsec-ledger"), ("GET", "qsec/data/targets/sandbox")):
        with pytest.raises(RuntimeError, match="403"):
            own_vault.admin(method, path, {"input": "eA=="}, token=token)


def test_auditor_sees_policies_roles_and_names_and_no_secret(own_vault):
    own_vault.set_up()
    created = own_vault.admin(
        "POST", "auth/token/create", {"policies": ["qsec-auditor"], "no_default_policy": True}
    )
    token = created["auth"]["client_token"]
    assert own_vault.admin("GET", "sys/policies/acl/qsec-broker", token=token)
    assert own_vault.admin("GET", "auth/qsec/role/qsec-broker", token=token)
    assert own_vault.admin("GET", "qsec/metadata/targets/sandbox", token=token)
    for method, path in (
        ("GET", "qsec/data/targets/sandbox"),
        ("POST", "qsec-transit/sign/qsec-ledger"),
        ("POST", "sys/policies/acl/qsec-broker"),
    ):
        with pytest.raises(RuntimeError, match="403"):
            own_vault.admin(method, path, {"input": "eA==", "policy": "#"}, token=token)


def test_command_shows_the_plan_then_applies_it_and_stores_no_token(own_vault, tmp_path):
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "QSEC_HOME": str(tmp_path / "qsec"),
        "VAULT_ADDR": own_vault.address,
        "VAULT_TOKEN": own_vault.root,
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
    }

    def run(*arguments, **changed):
        command = [sys.executable, "-m", "qsec_jupyter.cli", "setup", "vault", *arguments]
        return subprocess.run(
            command,
            check=False,
            env={**environ, **changed},
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=60,
        )

    planned = run()
    assert planned.returncode == 0, planned.stderr
    assert "create" in planned.stdout
    assert "Nothing was written" in planned.stdout
    assert "qsec/" not in own_vault.admin("GET", "sys/mounts")["data"]
    applied = run("--apply")
    assert applied.returncode == 0, applied.stderr
    assert "vault kv put -mount=qsec" in applied.stdout
    assert "Everything is as it should be" in run("--plan").stdout
    assert run("--plan", "--apply").returncode == 2
    without = run(VAULT_TOKEN="")
    assert without.returncode == 2
    assert "setup.no_token" in without.stdout + without.stderr
    wrong = run(VAULT_TOKEN="hvs.wrong")
    assert wrong.returncode == 3
    assert "vault.token_rejected" in wrong.stdout + wrong.stderr
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or own_vault.root.encode() not in path.read_bytes()
    key, protection = KeyStore(tmp_path / "qsec", None).read(identity.KEY_NAME)
    assert protection == "file-0600"
    trusted = own_vault.admin("GET", "auth/qsec/config")["data"]["jwt_validation_pubkeys"]
    assert BrokerIdentity(key, now).public_pem().strip() in trusted


def test_administrators_token_is_read_from_the_file_that_vault_login_leaves(tmp_path):
    (tmp_path / ".vault-token").write_text("hvs.left\n")
    assert setup_command.administrator_token({"HOME": str(tmp_path)}).reveal() == "hvs.left"
    assert (
        setup_command.administrator_token({"HOME": str(tmp_path), "VAULT_TOKEN": "hvs.env"}).reveal()
        == "hvs.env"
    )


def test_operators_page_from_start_to_end(own_vault, tmp_path):
    """The commands of docs/operators/vault.md, with the Vault's own program for the secrets."""
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "QSEC_HOME": str(tmp_path / "qsec"),
        "VAULT_ADDR": own_vault.address,
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
    }
    (tmp_path / ".vault-token").write_text(own_vault.root)  # as `vault login` leaves it

    def run(*command, said=None):
        done = subprocess.run(command, check=False, env=environ, input=said, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    printed = run(sys.executable, "-m", "qsec_jupyter.cli", "setup", "vault", "--apply")
    commands = [
        line.split("#")[0].split() for line in printed.splitlines() if line.strip().startswith("vault kv put")
    ]
    targets = setup_command.catalogue_targets()
    assert len(commands) == len(targets)
    for number, command in enumerate(commands):
        run(binary(), *command[1:], said=f"secret-{number}")
    (tmp_path / ".vault-token").unlink()
    broker = open_broker(tmp_path / "qsec", targets, environ)
    assert [check for check in broker.checks() if not check.ok] == []
    assert broker.info.origin == "external"
    assert broker.info.key_protection == "file-0600"
    values = {broker.issue(request(name, name), lambda ref: None).value.reveal() for name in targets}
    assert values == {f"secret-{number}" for number in range(len(targets))}
    broker.close()


def test_demo_prepares_a_vault_and_seeds_only_what_is_missing(own_vault, tmp_path, monkeypatch):
    monkeypatch.setenv("VAULT_ADDR", own_vault.address)
    monkeypatch.setenv("QSEC_HOME", str(tmp_path))
    monkeypatch.setattr("qsec_jupyter.control.credentials.keystore.real_keyring", lambda: None)
    assert apply_with_token(own_vault.root, seed=False) > 10
    own_vault.put("targets/sandbox", {"token": "a real one"})
    assert apply_with_token(own_vault.root, seed=True) == 0
    assert apply_with_token(own_vault.root, seed=True) == 0
    sandbox = own_vault.admin("GET", "qsec/data/targets/sandbox")["data"]
    assert sandbox["data"]["token"] == "a real one"
    pilot = own_vault.admin("GET", "qsec/data/targets/pilot")["data"]
    assert len(pilot["data"]["token"]) == 44
    assert pilot["metadata"]["version"] == 1
