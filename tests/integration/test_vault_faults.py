"""Every way in which a Vault fails: one error with code, title, detail and remedy, and in time."""

import socket
import time
from datetime import timedelta

import pytest
from vault_fault_proxy import (
    BUSY,
    SEALED,
    drip,
    drip_headers,
    fault_proxy,
    garbage,
    half,
    hang_up,
    reset,
    slow,
    status,
)
from vault_server import RealVault, now, request

from qsec_jupyter.control.credentials.identity import BrokerIdentity, new_private_key
from qsec_jupyter.control.credentials.vault import Endpoint, VaultAdapter
from qsec_jupyter.control.credentials.vault_broker import ISSUE_LIMIT
from qsec_jupyter.control.credentials.vault_errors import Doing
from qsec_jupyter.core.errors import Denied, QsecError
from qsec_jupyter.core.secret import Secret

pytestmark = pytest.mark.vault


def refused(broker, asked=None):
    """Issue, which must fail, and return the error after checking that a person can act on it."""
    started = time.monotonic()
    with pytest.raises(QsecError) as caught:
        broker.issue(asked or request(), lambda ref: None)
    assert time.monotonic() - started < ISSUE_LIMIT
    error = caught.value
    assert error.code
    assert error.title
    assert error.detail
    assert error.remedy
    assert "s3cr3t" not in str(error.to_problem())
    return error


def test_absent_vault_is_unreachable_and_open_does_not_raise(vault, broker_at):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    broker = broker_at(vault, address)
    assert "cannot be reached" in broker.info.label
    assert refused(broker).code == "vault.unreachable"
    (check,) = broker.checks()
    assert check.name == "vault"
    assert not check.ok
    assert check.remedy


def test_address_of_another_kind_of_server_is_said_not_to_be_a_vault(vault, broker_at):
    with fault_proxy(vault.address) as proxy:
        proxy.faults[""] = garbage
        broker = broker_at(vault, proxy.address)
        assert refused(broker).code == "vault.bad_answer"
        broker.close()


@pytest.mark.parametrize("where", ["/login", "/data/"])
def test_slow_vault_times_out_after_its_limit_and_not_later(vault, broker_at, where):
    with fault_proxy(vault.address) as proxy:
        proxy.faults[where] = slow(10)
        broker = broker_at(vault, proxy.address)
        started = time.monotonic()
        assert refused(broker).code == "vault.timeout"
        assert 4.5 < time.monotonic() - started < 6.0
        proxy.faults.clear()
        broker.close()


@pytest.mark.parametrize("fault", [drip, drip_headers])
def test_vault_that_drips_bytes_cannot_stretch_the_time_limit(vault, broker_at, fault):
    with fault_proxy(vault.address) as proxy:
        proxy.faults["/data/"] = fault
        broker = broker_at(vault, proxy.address, total=1.0)
        started = time.monotonic()
        assert refused(broker).code == "vault.timeout"
        assert time.monotonic() - started < 2.0
        broker.close()


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (SEALED, "vault.sealed"),
        (BUSY, "vault.busy"),
        (status(500), "vault.failed"),
        (status(502, b"<html>s3cr3t</html>"), "vault.failed"),
        (status(503, b'{"errors":["overloaded s3cr3t"]}'), "vault.failed"),
        (status(473), "vault.standby"),
        (status(307, b"", Location="http://127.0.0.1:9/"), "vault.standby"),
        (reset, "vault.interrupted"),
        (half, "vault.bad_answer"),
        (garbage, "vault.bad_answer"),
        (status(200, b"[]"), "vault.bad_answer"),
        (status(200, b"{}"), "vault.secret_missing"),
        (status(403), "vault.forbidden"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_failure_while_reading_has_a_code_of_its_own_and_heals(vault, broker_at, fault, code):
    with fault_proxy(vault.address) as proxy:
        broker = broker_at(vault, proxy.address)
        proxy.faults["/data/"] = fault
        assert refused(broker).code == code
        assert proxy.count("/data/") == 1  # nothing that issues is sent twice
        proxy.faults.clear()
        again = broker.issue(request(), lambda ref: None)
        assert again.value.reveal() == vault.secrets["sandbox"]
        broker.close()


def test_connections_are_kept_and_one_that_was_closed_meanwhile_is_not_used_again(vault, broker_at):
    with fault_proxy(vault.address) as proxy:
        broker = broker_at(vault, proxy.address)
        for _ in range(5):
            broker.issue(request(), lambda ref: None)
        assert proxy.connections == 1
        proxy.faults["/data/"] = hang_up
        for number in range(3):
            assert broker.issue(request(), lambda ref: None).value.reveal() == vault.secrets["sandbox"]
            time.sleep(0.05)  # until the end of the connection is here
            assert proxy.connections == 1 + number
        broker.close()


@pytest.mark.parametrize("token", ["two\nlines", "t\u00f6ken", "a\x00b"])
def test_token_that_no_header_can_hold_is_refused_and_not_quoted(vault, token):
    adapter = VaultAdapter(Endpoint(vault.address))
    with pytest.raises(Denied) as caught:
        adapter.call("GET", "auth/token/lookup-self", doing=Doing("x", "y"), token=Secret(token, "token"))
    assert caught.value.code == "vault.token_rejected"
    assert caught.value.__context__ is None
    adapter.close()


@pytest.mark.parametrize(
    ("fault", "code"), [(SEALED, "vault.sealed"), (BUSY, "vault.busy"), (reset, "vault.interrupted")]
)
def test_each_failure_while_logging_in_has_a_code_of_its_own(vault, broker_at, fault, code):
    with fault_proxy(vault.address) as proxy:
        proxy.faults["/login"] = fault
        broker = broker_at(vault, proxy.address)
        assert refused(broker).code == code
        assert proxy.count("/login") == 1
        broker.close()


def test_busy_says_how_long_the_vault_asks_to_wait(vault, broker_at):
    with fault_proxy(vault.address) as proxy:
        proxy.faults["/login"] = BUSY
        broker = broker_at(vault, proxy.address)
        assert "7 s" in refused(broker).detail
        broker.close()


@pytest.mark.parametrize("fault", [slow(3), half, reset], ids=["timeout", "half", "reset"])
def test_outcome_unknown_ends_the_session_and_the_next_issue_opens_another(vault, broker_at, fault):
    with fault_proxy(vault.address) as proxy:
        broker, remembered = broker_at(vault, proxy.address, total=1.0), []
        proxy.faults["/data/"] = fault
        with pytest.raises(QsecError):
            broker.issue(request(), remembered.append)
        deadline = time.monotonic() + 5
        while vault.exists(remembered[0].accessor) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not vault.exists(remembered[0].accessor)
        proxy.faults.clear()
        broker.issue(request(), remembered.append)
        assert remembered[0].accessor != remembered[1].accessor
        broker.close()


def test_sealing_a_real_vault_is_said_and_issued_credentials_keep_working(own_vault, broker_at):
    own_vault.set_up()
    broker = broker_at(own_vault)
    issued = broker.issue(request(), lambda ref: None)
    signer = broker.signer()
    own_vault.admin("PUT", "sys/seal", {})
    assert refused(broker, request(grant="g2")).code == "vault.sealed"
    with pytest.raises(QsecError) as caught:
        signer.sign(b"x")
    assert caught.value.code == "vault.sealed"
    assert broker.revoke(issued.session) is False  # not verified, so not claimed
    assert [check.ok for check in broker.checks()] == [False]
    assert issued.value.reveal() == own_vault.secrets["sandbox"]
    assert broker.local_signer().sign(b"x")


def test_vault_that_was_killed_and_is_gone_is_unreachable(own_vault, broker_at):
    own_vault.set_up()
    broker = broker_at(own_vault)
    issued = broker.issue(request(), lambda ref: None)
    own_vault.process.stdin.close()
    own_vault.process.wait(10)
    assert refused(broker).code in ("vault.unreachable", "vault.interrupted")
    assert refused(broker).code == "vault.unreachable"
    assert broker.revoke(issued.session) is False


def test_vault_that_is_not_set_up_says_which_command_does_it(own_vault, broker_at):
    broker = broker_at(own_vault)
    error = refused(broker)
    assert error.code == "vault.not_set_up"
    assert "qsec setup vault" in error.remedy
    assert [check.name for check in broker.checks() if not check.ok] == ["vault.login"]


def test_key_that_the_vault_does_not_trust_is_not_let_in(vault, own_vault, broker_at):
    stranger = RealVault(vault.address, vault.root, vault.process, vault.mounts)
    broker = broker_at(stranger)
    assert refused(broker).code == "vault.not_set_up"
    with pytest.raises(QsecError) as caught:
        broker.signer()
    assert caught.value.code == "vault.not_set_up"


def test_policy_that_is_too_narrow_is_named_in_the_remedy(vault, broker_at):
    vault.admin(
        "PUT",
        "sys/policies/acl/qsec-target-sandbox",
        {"policy": 'path "auth/token/renew-self" { capabilities = ["update"] }'},
    )
    error = refused(broker_at(vault))
    assert error.code == "vault.forbidden"
    assert error.kind == "denied"
    assert "qsec-target-sandbox" in error.remedy


def test_broker_policy_that_forbids_signing_stops_at_one_more_login(vault, broker_at):
    with fault_proxy(vault.address) as proxy:
        broker = broker_at(vault, proxy.address)
        signer = broker.signer()
        vault.admin("PUT", "sys/policies/acl/qsec-broker", {"policy": "# nothing"})
        for _ in range(5):
            with pytest.raises(QsecError) as caught:
                signer.sign(b"x")
            assert caught.value.code == "vault.forbidden"
        assert proxy.count("/login") == 1
        broker.close()


def test_revocation_that_cannot_be_seen_is_not_claimed(vault, broker_at):
    with fault_proxy(vault.address) as proxy:
        broker = broker_at(vault, proxy.address)
        issued = broker.issue(request(), lambda ref: None)
        proxy.faults["lookup-accessor"] = status(403)
        assert broker.revoke(issued.session) is False
        proxy.faults.clear()
        assert broker.revoke(issued.session) is True
        proxy.faults["revoke-accessor"] = status(204, b"")  # says yes and does nothing
        other = broker.issue(request(grant="g2"), lambda ref: None)
        assert broker.revoke(other.session) is False
        broker.close()


def test_clocks_that_differ_are_named_as_the_cause(vault, broker_at):
    key = new_private_key()
    vault.identity = BrokerIdentity(key, now)
    vault.set_up()
    for minutes in (-5, 5):
        vault.identity = BrokerIdentity(key, lambda m=minutes: now() + timedelta(minutes=m))
        assert refused(broker_at(vault)).code == "vault.not_set_up"  # seen from here, no clock is wrong
    with fault_proxy(vault.address) as proxy:
        wrong = int(time.time()) + 300
        proxy.faults["/health"] = status(200, b'{"sealed":false,"server_time_utc":%d}' % wrong)
        broker = broker_at(vault, proxy.address)
        assert refused(broker).code == "vault.clock_skew"
        assert "vault.clock" in [check.name for check in broker.checks() if not check.ok]
        broker.close()
