"""The broker against a real Vault: what is issued, to whom, for how long, and how it ends."""

import base64
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from vault_fault_proxy import SEALED, fault_proxy
from vault_server import TARGETS, now, request

from qsec_jupyter.control.credentials.broker import SessionRef, TargetSource
from qsec_jupyter.core.errors import Denied, Invalid, NotFound
from qsec_jupyter.core.signing import Signer

pytestmark = pytest.mark.vault


def test_issue_returns_the_secret_of_the_target_and_remembers_the_accessor_first(vault, broker_at):
    broker, remembered = broker_at(vault), []

    def remember(ref):
        assert vault.exists(ref.accessor)
        remembered.append(ref)

    issued = broker.issue(request("sandbox"), remember)
    assert issued.value.reveal() == vault.secrets["sandbox"]
    assert remembered == [issued.session]
    assert issued.source in ("vault:kv-v2", "openbao:kv-v2")
    assert "replaced at its provider" in issued.revocability


def test_session_token_carries_grant_server_and_target_for_the_audit_log(vault, broker_at):
    issued = broker_at(vault).issue(request("pilot", "grant-7"), lambda ref: None)
    data = vault.admin("POST", "auth/token/lookup-accessor", {"accessor": issued.session.accessor})["data"]
    assert data["policies"] == ["qsec-target-pilot"]
    assert data["explicit_max_ttl"] == 8 * 3600
    assert {"target": "pilot", "grant": "grant-7", "server": "server-1"}.items() <= data["meta"].items()


def test_session_dies_with_a_grant_that_is_shorter_than_its_usual_life(vault, broker_at):
    issued = broker_at(vault).issue(request(minutes=2), lambda ref: None)
    ttl = vault.admin("POST", "auth/token/lookup-accessor", {"accessor": issued.session.accessor})["data"][
        "ttl"
    ]
    assert 100 <= ttl <= 120
    assert issued.expires_at <= request(minutes=2).expires_at


def test_second_issue_of_a_grant_reuses_the_session_and_reads_anew(vault, broker_at):
    with fault_proxy(vault.address) as proxy:
        broker, remembered = broker_at(vault, proxy.address), []
        first = broker.issue(request(), remembered.append)
        vault.put("targets/sandbox", {"token": "rotated-meanwhile"})
        second = broker.issue(request(), remembered.append)
        assert second.value.reveal() == "rotated-meanwhile"
        assert first.session == second.session
        assert len(remembered) == 1
        assert proxy.count("/login") == 1
        broker.close()


def test_twenty_callers_at_once_open_one_session(vault, broker_at):
    with fault_proxy(vault.address) as proxy:
        broker, asked = broker_at(vault, proxy.address), request()
        with ThreadPoolExecutor(20) as pool:
            issued = list(pool.map(lambda _: broker.issue(asked, lambda ref: None), range(20)))
        assert {one.value.reveal() for one in issued} == {vault.secrets["sandbox"]}
        assert proxy.count("/login") == 1
        broker.close()


def test_sessions_of_two_grants_are_apart_and_end_apart(vault, broker_at):
    broker = broker_at(vault)
    one = broker.issue(request(grant="g1"), lambda ref: None)
    two = broker.issue(request(grant="g2"), lambda ref: None)
    assert one.session.accessor != two.session.accessor
    assert broker.revoke(one.session)
    assert vault.exists(two.session.accessor)
    assert broker.issue(request(grant="g2"), lambda ref: None).value.reveal() == vault.secrets["sandbox"]


def test_revoked_session_is_verified_gone_and_never_opened_again(vault, broker_at):
    broker = broker_at(vault)
    issued = broker.issue(request(), lambda ref: None)
    assert broker.revoke(issued.session) is True
    assert not vault.exists(issued.session.accessor)
    with pytest.raises(Denied) as caught:
        broker.issue(request(), lambda ref: None)
    assert caught.value.code == "vault.session_ended"
    assert caught.value.remedy


def test_revoke_by_accessor_works_after_a_restart_of_the_broker(vault, broker_at):
    first = broker_at(vault)
    issued = first.issue(request(), lambda ref: None)
    first.close()
    assert vault.exists(issued.session.accessor)
    assert broker_at(vault).revoke(issued.session) is True
    assert not vault.exists(issued.session.accessor)


def test_session_ended_in_the_vault_by_an_administrator_stays_ended(vault, broker_at):
    broker = broker_at(vault)
    issued = broker.issue(request(), lambda ref: None)
    vault.admin("POST", "auth/token/revoke-accessor", {"accessor": issued.session.accessor})
    for _ in range(2):
        with pytest.raises(Denied) as caught:
            broker.issue(request(), lambda ref: None)
        assert caught.value.code == "vault.session_ended"


def test_session_that_could_not_be_remembered_is_ended_and_nothing_is_read(vault, broker_at):
    seen = []

    def remember(ref):
        seen.append(ref)
        raise OSError("disk full")

    with fault_proxy(vault.address) as proxy:
        broker = broker_at(vault, proxy.address)
        with pytest.raises(OSError, match="disk full"):
            broker.issue(request(), remember)
        broker._sessions._cleaning.shutdown(wait=True)
        assert proxy.count("/data/") == 0
        broker.close()
    assert not vault.exists(seen[0].accessor)


def test_grant_revoked_while_the_vault_answers_gets_nothing(vault, broker_at):
    reading, go_on, refs = threading.Event(), threading.Event(), []

    def hold(handler):
        reading.set()
        return go_on.wait(5)

    with fault_proxy(vault.address) as proxy:
        broker = broker_at(vault, proxy.address)
        proxy.faults["/data/"] = hold
        with ThreadPoolExecutor(1) as pool:
            issuing = pool.submit(broker.issue, request(), refs.append)
            assert reading.wait(5)
            assert broker.revoke(refs[0])
            go_on.set()
            with pytest.raises(Denied) as caught:
                issuing.result()
        assert caught.value.code == "vault.session_ended"
        broker.close()


def test_unknown_target_missing_secret_and_missing_field_each_say_what_is_missing(vault, broker_at):
    broker = broker_at(vault)
    with pytest.raises(NotFound) as caught:
        broker.issue(request("nowhere"), lambda ref: None)
    assert caught.value.code == "vault.no_such_target"
    vault.put("targets/pilot", {"other": "x"})
    with pytest.raises(NotFound) as caught:
        broker.issue(request("pilot", "g2"), lambda ref: None)
    assert caught.value.code == "vault.secret_missing"
    vault.admin("DELETE", f"{vault.mounts.kv}/metadata/targets/sandbox")
    with pytest.raises(NotFound) as caught:
        broker.issue(request("sandbox", "g3"), lambda ref: None)
    assert caught.value.code == "vault.secret_missing"
    assert "vault kv put" in caught.value.remedy


def test_engine_that_is_not_supported_is_refused_by_name(vault, broker_at):
    broker = broker_at(vault, targets={"db": TargetSource("mainframe", "creds/x")})
    with pytest.raises(Invalid) as caught:
        broker.issue(request("db"), lambda ref: None)
    assert "'mainframe'" in caught.value.detail


def test_revoke_without_an_accessor_is_not_claimed_to_be_verified(vault, broker_at):
    assert broker_at(vault).revoke(SessionRef(None, (), now())) is False


def test_transit_signature_verifies_offline_with_the_exported_key(vault, broker_at):
    signer = broker_at(vault).signer()
    assert isinstance(signer, Signer)
    assert signer.name == "vault-transit:qsec-ledger:v1"
    assert len(signer.public_key) == 32
    Ed25519PublicKey.from_public_bytes(signer.public_key).verify(signer.sign(b"checkpoint"), b"checkpoint")


def test_signer_keeps_its_key_version_after_a_rotation(vault, broker_at):
    broker = broker_at(vault)
    old = broker.signer()
    vault.admin("POST", f"{vault.mounts.transit}/keys/qsec-ledger/rotate", {})
    Ed25519PublicKey.from_public_bytes(old.public_key).verify(old.sign(b"x"), b"x")
    new = broker.signer()
    assert new.name == "vault-transit:qsec-ledger:v2"
    assert new.public_key != old.public_key
    Ed25519PublicKey.from_public_bytes(new.public_key).verify(new.sign(b"x"), b"x")
    key = vault.admin("GET", f"{vault.mounts.transit}/keys/qsec-ledger")["data"]["keys"]["2"]["public_key"]
    assert base64.b64decode(key) == new.public_key


def test_broker_token_revoked_in_the_vault_is_replaced_by_one_login(vault, broker_at):
    with fault_proxy(vault.address) as proxy:
        broker = broker_at(vault, proxy.address)
        signer = broker.signer()
        broker._token._since -= 60  # as if it had been got a minute ago
        vault.admin("POST", "auth/token/revoke", {"token": broker._token._token.reveal()})
        with ThreadPoolExecutor(8) as pool:
            assert len(list(pool.map(signer.sign, [b"x"] * 8))) == 8
        assert proxy.count("/login") == 2
        broker.close()


def test_broker_token_is_renewed_in_use_after_two_thirds_of_its_life(vault, broker_at):
    shift = [0.0]
    with fault_proxy(vault.address) as proxy:
        broker = broker_at(vault, proxy.address, monotonic=lambda: time.monotonic() + shift[0])
        signer = broker.signer()
        shift[0] = 14 * 60
        signer.sign(b"x")
        assert proxy.count("renew-self") == 1
        assert proxy.count("/login") == 1
        broker.close()


def test_session_is_renewed_in_use_and_keeps_its_accessor(vault, broker_at):
    shift, remembered = [0.0], []
    with fault_proxy(vault.address) as proxy:
        broker = broker_at(vault, proxy.address, monotonic=lambda: time.monotonic() + shift[0])
        broker.issue(request(minutes=60), remembered.append)
        shift[0] = 11 * 60
        broker.issue(request(minutes=60), remembered.append)
        assert proxy.count("renew-self") == 1
        assert len(remembered) == 1
        shift[0] = 60 * 60  # idle so long that Vault, too, would have dropped it
        broker.issue(request(minutes=60), remembered.append)
        assert len(remembered) == 2
        broker.close()


def test_checks_are_all_good_on_a_vault_that_is_set_up(vault, broker_at):
    broker = broker_at(vault)
    before = vault.accessors()
    checks = broker.checks()
    assert [check.name for check in checks if not check.ok] == []
    names = {check.name.removeprefix("vault") for check in checks}
    assert names == {"", ".clock", ".login", ".sign", ".evidence", ".target.pilot", ".target.sandbox"}
    assert len(vault.accessors() - before) == 1  # the broker's own; the probes' sessions are ended


def test_checks_name_the_target_whose_secret_is_missing(vault, broker_at):
    vault.admin("DELETE", f"{vault.mounts.kv}/metadata/targets/pilot")
    (bad,) = [check for check in broker_at(vault).checks() if not check.ok]
    assert bad.name == "vault.target.pilot"
    assert "vault kv put" in bad.remedy


def test_info_names_product_version_and_address(vault, broker_at):
    info = broker_at(vault).info
    assert info.kind in ("vault", "openbao")
    assert info.origin == "external"
    assert info.address == vault.address
    assert vault.address in info.label
    assert len(TARGETS) == 2


def test_asking_for_health_often_does_not_log_in_often_and_a_failure_is_seen_at_once(vault, broker_at):
    with fault_proxy(vault.address) as proxy:
        broker = broker_at(vault, proxy.address)
        for _ in range(20):
            assert all(check.ok for check in broker.checks())
        assert proxy.count("/login") == 3
        proxy.faults["/"] = SEALED
        broker._checks._kept.pop("vault")  # as if five seconds had gone
        assert [check.ok for check in broker.checks()] == [False]
        proxy.faults.clear()
        assert len(broker.checks()) == 7
        assert proxy.count("/login") == 5
        broker.close()
