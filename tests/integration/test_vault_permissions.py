"""`qsec doctor vault` on a real Vault: silent after the set-up, and each change to a policy is found."""

import pytest
from vault_server import TARGETS

from qsec_jupyter.control.credentials.broker import TargetSource

pytestmark = pytest.mark.vault

ALL = {**TARGETS, "seal": TargetSource("transit", "bench"), "oidc": TargetSource("identity", "bench")}


def wrong(broker):
    return [f"{check.name}: {check.detail}" for check in broker.permissions() if not check.ok]


def test_what_is_shipped_is_neither_too_narrow_nor_too_wide(vault, broker_at):
    vault.set_up(ALL)
    broker = broker_at(vault, targets=ALL)
    assert wrong(broker) == []
    assert {check.name for check in broker.permissions()} == {
        "permission.qsec-broker",
        *(f"permission.qsec-target-{target}" for target in ALL),
    }


@pytest.mark.parametrize(
    ("role", "rule", "said"),
    [
        ("qsec-broker", 'path "auth/token/create" { capabilities = ["update"] }', "auth/token/create"),
        (
            "qsec-broker",
            'path "{kv}/data/*" { capabilities = ["read"] }',
            "Too wide: read at {kv}/data/targets",
        ),
        (
            "qsec-broker",
            'path "sys/policies/acl/*" { capabilities = ["create", "update"] }',
            "sys/policies/acl",
        ),
        ("qsec-broker", 'path "sys/leases/revoke-prefix/*" { capabilities = ["update", "sudo"] }', "sudo"),
        ("qsec-target-sandbox", 'path "{kv}/data/targets/*" { capabilities = ["read"] }', "targets/pilot"),
        (
            "qsec-target-sandbox",
            'path "{kv}/data/targets/sandbox" { capabilities = ["update"] }',
            "update at",
        ),
        (
            "qsec-target-pilot",
            'path "auth/token/lookup-accessor" { capabilities = ["update"] }',
            "lookup-accessor",
        ),
    ],
)
def test_policy_that_somebody_widened_is_found_and_the_path_named(vault, broker_at, role, rule, said):
    text = vault.admin("GET", f"sys/policies/acl/{role}")["data"]["policy"]
    wider = text + rule.replace("{kv}", vault.mounts.kv)
    if rule.startswith('path "{kv}/data/targets/sandbox"'):
        path = f'path "{vault.mounts.kv}/data/targets/sandbox" {{\n  capabilities = ["read"'
        assert path in text
        wider = text.replace(path, path + ', "update"')
    vault.admin("PUT", f"sys/policies/acl/{role}", {"policy": wider})
    try:
        found = wrong(broker_at(vault))
    finally:
        vault.admin("PUT", f"sys/policies/acl/{role}", {"policy": text})
    assert any(role in line and said.replace("{kv}", vault.mounts.kv) in line for line in found), found


def test_permission_that_is_missing_is_named(vault, broker_at):
    text = vault.admin("GET", "sys/policies/acl/qsec-broker")["data"]["policy"]
    narrow = text.replace('path "sys/leases/renew"', 'path "sys/leases/other"')
    vault.admin("PUT", "sys/policies/acl/qsec-broker", {"policy": narrow})
    try:
        assert any("Missing: update at sys/leases/renew" in line for line in wrong(broker_at(vault)))
    finally:
        vault.admin("PUT", "sys/policies/acl/qsec-broker", {"policy": text})


def test_secret_that_is_older_than_its_cadence_is_due(vault, broker_at):
    import time

    targets = {"sandbox": TargetSource("kv-v2", "targets/sandbox", "token", rotate_after=1)}
    time.sleep(2.1)
    late = [check for check in broker_at(vault, targets=targets).checks() if not check.ok]
    assert [check.remedy for check in late] == ["qsec rotate sandbox"]
    vault.put("targets/sandbox", {"token": "new"})
    assert all(check.ok for check in broker_at(vault, targets=targets).checks())
