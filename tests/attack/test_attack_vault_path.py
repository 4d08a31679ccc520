"""Claim: no name in a catalogue or a request reaches a path in the Vault other than its own."""

import hvac.api.secrets_engines
import pytest
from vault_fault_proxy import fault_proxy
from vault_server import request

from qsec_jupyter.control.credentials.broker import TargetSource
from qsec_jupyter.control.credentials.naming import Mounts
from qsec_jupyter.control.credentials.setup import VaultSetup
from qsec_jupyter.control.credentials.vault import Endpoint, VaultAdapter
from qsec_jupyter.core.errors import QsecError
from qsec_jupyter.core.secret import Secret

pytestmark = pytest.mark.vault

CLIMBING = [
    "../../../sys/policies/acl",
    "targets/../pilot",
    "targets/./pilot",
    "targets//pilot",
    "targets/%2e%2e/pilot",
    "targets/..%2f..%2fsys",
    "targets/pilot?version=1",
    "targets/pilot#",
    "targets\\..\\pilot",
    "targets/pilot\r\nX-Vault-Token: x",
    "/targets/pilot",
    "targets/pilot/",
    "targets/*",
    "targets/+",
    "",
    "targets/\u2025/pilot",
]


@pytest.mark.parametrize("path", CLIMBING)
def test_source_path_that_climbs_is_refused_and_never_sent(vault, broker_at, path):
    with fault_proxy(vault.address) as proxy:
        targets = {"sandbox": TargetSource("kv-v2", path, "token")}
        broker = broker_at(vault, proxy.address, targets=targets)
        with pytest.raises(QsecError) as caught:
            broker.issue(request(), lambda ref: None)
        assert caught.value.code == "vault.path_refused"
        assert not [seen for _, seen, _ in proxy.seen if "sys/policies" in seen or "pilot" in seen]
        broker.close()


@pytest.mark.parametrize("path", CLIMBING)
def test_setup_writes_no_policy_for_a_path_that_climbs(vault, path):
    adapter = VaultAdapter(Endpoint(vault.address))
    setup = VaultSetup(adapter, Secret(vault.root, "root"), vault.mounts)
    with pytest.raises(QsecError) as caught:
        setup.plan({"sandbox": TargetSource("kv-v2", path, "token")}, [])
    assert caught.value.code == "vault.path_refused"
    adapter.close()


@pytest.mark.parametrize("target", ["../qsec-broker", "a/b", "x y", "x\ny"])
def test_target_name_that_climbs_is_refused(vault, broker_at, target):
    broker = broker_at(vault, targets={target: TargetSource("kv-v2", "targets/sandbox", "token")})
    with pytest.raises(QsecError) as caught:
        broker.issue(request(target), lambda ref: None)
    assert caught.value.code == "vault.path_refused"


def test_hvacs_own_api_over_our_adapter_cannot_climb_either(vault):
    with fault_proxy(vault.address) as proxy:
        adapter = VaultAdapter(Endpoint(proxy.address))
        adapter.token = vault.root  # the worst case: an administrator's token
        kv = hvac.api.secrets_engines.KvV2(adapter)
        path = "x/../../../../sys/policies/acl"
        with pytest.raises(QsecError) as caught:
            kv.read_secret_version(path, mount_point=vault.mounts.kv, raise_on_deleted_version=True)
        assert caught.value.code == "vault.path_refused"
        assert proxy.seen == []
        adapter.close()


def test_mounts_that_climb_are_refused():
    with pytest.raises(QsecError):
        Mounts.from_environ({"QSEC_VAULT_KV_MOUNT": "qsec/../sys"})
