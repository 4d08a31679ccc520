"""The embedded store: same interface, and nothing lost or overwritten when something is wrong."""

import multiprocessing
import stat
from datetime import datetime, timedelta, timezone

import pytest

from qsec_jupyter.control.credentials.broker import IssueRequest, SessionRef, TargetSource, open_broker
from qsec_jupyter.control.credentials.keystore import KeyStore
from qsec_jupyter.control.credentials.sealed import KEY_NAME, STORE_NAME, SealedBroker
from qsec_jupyter.core.errors import Denied, NotFound, Unavailable
from qsec_jupyter.core.signing import Signer

TARGETS = {
    "sandbox": TargetSource("kv-v2", "targets/sandbox", "token"),
    "pilot": TargetSource("kv-v2", "targets/pilot", "token"),
}


def request(target="sandbox", grant="g1"):
    expires = datetime.now(timezone.utc) + timedelta(minutes=30)
    return IssueRequest(grant, target, "ada", (), "server", "kernel", "request", expires)


def opened(home, targets=TARGETS):
    return SealedBroker(home, targets, KeyStore(home, None))


def value(broker, **asked):
    return broker.issue(request(**asked), lambda ref: None).value.reveal()


def test_first_start_gives_each_target_a_made_up_token_of_44_characters(tmp_path):
    broker = opened(tmp_path)
    one, two = value(broker, target="sandbox"), value(broker, target="pilot", grant="g2")
    assert len(one) == len(two) == 44
    assert one != two
    assert stat.S_IMODE((tmp_path / STORE_NAME).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / KEY_NAME).stat().st_mode) == 0o600


def test_restart_keeps_values_and_signing_key_and_adds_new_targets(tmp_path):
    first = opened(tmp_path, {"sandbox": TARGETS["sandbox"]})
    kept, key = value(first), first.signer().public_key
    second = opened(tmp_path)
    assert value(second) == kept
    assert second.signer().public_key == key
    assert value(second, target="pilot", grant="g2")


def test_session_is_remembered_before_the_value_is_given_and_reused(tmp_path):
    broker, remembered = opened(tmp_path), []
    first = broker.issue(request(), remembered.append)
    second = broker.issue(request(), remembered.append)
    assert remembered == [first.session]
    assert second.session == first.session
    assert first.expires_at == first.session.expires_at


def test_value_is_not_given_when_the_session_cannot_be_remembered(tmp_path):
    def full(ref):
        raise OSError("disk full")

    broker = opened(tmp_path)
    with pytest.raises(OSError, match="disk full"):
        broker.issue(request(), full)
    assert broker.issue(request(), lambda ref: None)


def test_revoked_session_is_not_opened_again_and_others_stay(tmp_path):
    broker = opened(tmp_path)
    issued = broker.issue(request(), lambda ref: None)
    value(broker, grant="g2")
    assert broker.revoke(issued.session) is True
    with pytest.raises(Denied) as caught:
        value(broker)
    assert caught.value.code == "vault.session_ended"
    assert value(broker, grant="g2")


def test_session_of_an_earlier_process_is_gone_for_certain(tmp_path):
    assert opened(tmp_path).revoke(SessionRef("00" * 16, (), datetime.now(timezone.utc))) is True


def test_grant_of_one_target_does_not_open_another(tmp_path):
    broker = opened(tmp_path)
    value(broker, target="sandbox")
    with pytest.raises(Denied) as caught:
        value(broker, target="pilot")
    assert caught.value.code == "vault.wrong_target"


def test_unknown_target_is_refused(tmp_path):
    with pytest.raises(NotFound) as caught:
        value(opened(tmp_path), target="nowhere")
    assert caught.value.code == "vault.no_such_target"


def test_signer_is_a_signer_and_signs(tmp_path):
    signer = opened(tmp_path).signer()
    assert isinstance(signer, Signer)
    assert len(signer.sign(b"x")) == 64
    assert signer.name.startswith("local:")


def test_info_says_what_protects_the_key(tmp_path):
    info = opened(tmp_path).info
    assert (info.kind, info.origin, info.address, info.key_protection) == (
        "sealed-store",
        "embedded",
        None,
        "file-0600",
    )
    assert "0600" in info.label


def test_damage_after_the_start_is_seen_at_the_next_issue(tmp_path):
    broker = opened(tmp_path)
    path = tmp_path / STORE_NAME
    good = path.read_bytes()
    path.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    with pytest.raises(Unavailable) as caught:
        value(broker)
    assert caught.value.code == "vault.store_broken"
    path.write_bytes(good)
    assert value(broker)


def test_missing_key_is_said_and_the_store_is_left_as_it_is(tmp_path):
    opened(tmp_path)
    before = (tmp_path / STORE_NAME).read_bytes()
    (tmp_path / KEY_NAME).unlink()
    broker = opened(tmp_path)
    with pytest.raises(Unavailable) as caught:
        value(broker)
    assert caught.value.code == "vault.store_key_missing"
    assert caught.value.remedy
    assert (tmp_path / STORE_NAME).read_bytes() == before
    assert not (tmp_path / KEY_NAME).exists()
    (check,) = broker.checks()
    assert not check.ok


def test_checks_name_each_target(tmp_path):
    checks = opened(tmp_path).checks()
    assert [(check.name, check.ok) for check in checks] == [
        ("vault", True),
        ("vault.target.pilot", True),
        ("vault.target.sandbox", True),
    ]


def test_without_vault_address_and_binary_the_store_is_chosen(tmp_path):
    broker = open_broker(tmp_path, TARGETS, {"PATH": str(tmp_path)})
    assert broker.info.kind == "sealed-store"
    broker.close()


def test_no_plaintext_reaches_the_disk(tmp_path):
    broker = opened(tmp_path)
    secret = value(broker).encode()
    assert not any(secret in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_two_processes_at_the_first_start_agree_on_one_store(tmp_path):
    context = multiprocessing.get_context("spawn")
    with context.Pool(4) as pool:
        values = pool.map(_first_value, [tmp_path] * 4)
        pool.close()
        pool.join()
    assert len(set(values)) == 1


def _first_value(home):
    return value(opened(home))
