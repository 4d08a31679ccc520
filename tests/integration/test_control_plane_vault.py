"""A real control plane on a real Vault that is slow, hangs or forbids: it neither hangs nor loses."""

import threading
import time

import pytest
from control_child import children, run_record
from vault_fault_proxy import fault_proxy, slow, status

from qsec_jupyter.ledger.entries import read_events
from qsec_jupyter.ledger.verify import verify_journal

pytestmark = pytest.mark.vault

SERVER_PATIENCE = 10.0
"""After how long a Jupyter Server kills a control plane that does not end."""


@pytest.fixture
def proxy(vault):
    with fault_proxy(vault.address) as proxy:
        yield proxy


@pytest.fixture
def start(tmp_path, vault, proxy):
    """Start control planes that reach the Vault through the proxy, with a key that the Vault trusts."""
    environ = vault.trusted(tmp_path, proxy.address)
    with children(tmp_path) as begin:
        yield lambda **kwargs: begin(environ=environ, **kwargs)


def credential(child, kernel="k1"):
    return child.ask("POST", "/v1/credentials", {"target": "sandbox"}, kernel=kernel)


def accessors(child):
    import sqlite3

    connection = sqlite3.connect(child.home / "journal-0" / "qsec.db")
    try:
        return [row[0] for row in connection.execute("select accessor from sessions")]
    finally:
        connection.close()


def test_slow_vault_holds_up_one_credential_and_nothing_else(start, proxy, vault) -> None:
    child = start()
    for kernel in ("k1", "k2"):
        child.grant(kernel)
    issued = credential(child)[1]
    assert issued["value"] == vault.secrets["sandbox"]
    proxy.faults[""] = slow(10)
    answers = []
    started = time.monotonic()
    waiting = threading.Thread(target=lambda: answers.append(credential(child, "k2")))
    waiting.start()
    time.sleep(0.2)
    began = time.monotonic()
    pilot = child.grant("k3", "pilot")
    assert child.ask("POST", f"/v1/grants/{pilot['id']}/approve", {})[1]["state"] == "active"
    assert child.ask("GET", "/v1/state")[0] == 200
    assert time.monotonic() - began < 2.0
    waiting.join()
    assert time.monotonic() - started < SERVER_PATIENCE + 1.0
    ((status_code, problem),) = answers
    assert (status_code, problem["code"]) == (503, "vault.timeout")
    assert problem["remedy"]
    proxy.faults.clear()
    assert credential(child)[1]["value"] == issued["value"]  # the first kernel's session was not touched
    assert credential(child, "k2")[1]["value"] == issued["value"]


def test_vault_that_hangs_costs_records_no_more_than_one_wait(start, proxy) -> None:
    child = start()
    proxy.faults["/sign/"] = slow(10)
    started = time.monotonic()
    records = [run_record(number) for number in range(1, 21)]
    _, answer = child.ask("POST", "/v1/runs", {"records": records}, kernel="k1")
    assert time.monotonic() - started < SERVER_PATIENCE
    assert all("statement" in result for result in answer["results"])
    run = child.ask("GET", "/v1/runs?limit=1")[1]["runs"][0]
    assert run["signed_by"].startswith("local:")
    assert any("this machine's key" in gap for gap in run["gaps"])
    assert verify_journal(child.home / "journal-0").ok


def test_vault_that_forbids_signing_costs_no_record(start, proxy) -> None:
    child = start()
    proxy.faults["/sign/"] = status(403, b'{"errors":["permission denied"]}')
    _, answer = child.ask("POST", "/v1/runs", {"records": [run_record(1)]}, kernel="k1")
    assert answer["results"][0]["statement"]


def test_end_while_the_vault_hangs_is_in_time_and_what_is_left_ends_later(start, proxy, vault) -> None:
    child = start()
    for number in range(6):
        child.grant(f"k{number}")
        assert credential(child, f"k{number}")[0] == 200
    left = accessors(child)
    assert len(left) == 6
    assert all(vault.exists(accessor) for accessor in left)
    proxy.faults[""] = slow(10)
    started = time.monotonic()
    assert child.close() == 0
    assert time.monotonic() - started < SERVER_PATIENCE - 2.0
    assert child.events()[-1] == "control.stopped"
    assert child.events().count("credential.revocation_pending") == 6
    proxy.faults.clear()
    again = start(server_id="server-2")
    deadline = time.monotonic() + 20
    while again.events().count("credential.revoked") < 6 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(vault.exists(accessor) for accessor in left)
    events = list(read_events(again.home / "journal-0" / "ledger"))
    assert sum(event["type"] == "credential.revoked" for event in events) == 6
    assert again.close() == 0
    assert verify_journal(again.home / "journal-0").ok
