"""Credentials and endings: whose they are, what a failing ledger or store does to them."""

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from unittest.mock import Mock

import pytest

from qsec_jupyter.control import tables
from qsec_jupyter.control.asking import Wish
from qsec_jupyter.control.policy.bundle import SHIPPED
from qsec_jupyter.core.errors import Conflict, Denied, Unavailable
from qsec_jupyter.core.model import Principal
from qsec_jupyter.ledger.entries import read_events
from qsec_jupyter.ledger.verify import verify_journal


def break_ledger(plane, monkeypatch) -> None:
    def refuse(event):
        raise Unavailable("ledger.unwritable", "The ledger cannot be written")

    monkeypatch.setattr(plane._ledger, "enter", refuse)


def test_kernel_gets_the_credential_of_its_own_grant(ask) -> None:
    grant = ask.request()
    answer = ask.credential()
    assert answer["value"] == "s3cret-value-1"
    assert answer["grant_id"] == grant.id
    assert answer["expires_at"] == grant.expires_at


def test_second_kernel_is_refused_the_first_ones_credential(ask, events) -> None:
    ask.request(kernel="k1")
    with pytest.raises(Denied) as caught:
        ask.credential(kernel="k2")
    assert caught.value.code == "grant.none"
    assert events("credential.refused")[-1]["data"]["kernel"] == "k2"


def test_person_at_the_panel_gets_no_credential(ask, plane) -> None:
    ask.request()
    with pytest.raises(Denied) as caught:
        plane.issuing.issue(plane.owner, "sandbox")
    assert caught.value.code == "credential.kernel_only"


def test_kernel_cannot_ask_in_anothers_name(plane) -> None:
    with pytest.raises(Denied) as caught:
        plane.access.request(plane.owner.by("k1"), Wish("sandbox", "k2", "r"))
    assert caught.value.code == "request.foreign_kernel"


@pytest.mark.parametrize("verdict", ["approve", "deny"])
def test_kernel_never_decides(ask, plane, verdict) -> None:
    grant = ask.request("pilot")
    with pytest.raises(Denied) as caught:
        plane.access.decide(plane.owner.by("k1"), grant.id, verdict)
    assert "a-kernel-never-decides" in caught.value.detail
    assert ask.state(grant) == "requested"


@pytest.mark.parametrize("verb", ["revoke", "cancel"])
def test_kernel_ends_only_its_own_grants(ask, plane, verb) -> None:
    grant = ask.request("pilot")
    with pytest.raises(Denied) as caught:
        plane.ending.end(plane.owner.by("k2"), grant.id, verb)
    assert "a-kernel-touches-only-its-own-grants" in caught.value.detail


def test_revocation_ends_session_and_next_credential(ask, plane, broker) -> None:
    grant = ask.request()
    ask.credential()
    plane.ending.end(plane.owner.by("k1"), grant.id, "revoke", "done")
    assert broker.open == {}
    with pytest.raises(Denied) as caught:
        ask.credential()
    assert caught.value.code == "grant.revoked"


def test_session_is_remembered_before_the_secret_is_read(ask, plane, broker) -> None:
    ask.request()
    seen = []
    broker.before_answer = lambda: seen.extend(plane.store.rows(tables.sessions))
    ask.credential()
    assert [row["accessor"] for row in seen] == ["acc-1"]


def test_database_holds_no_secret(ask, plane, tmp_path) -> None:
    ask.request()
    value = ask.credential()["value"]
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or value.encode() not in path.read_bytes()


def test_grant_that_ends_while_the_store_is_asked_gives_no_credential(ask, plane, broker) -> None:
    grant = ask.request()
    broker.before_answer = lambda: plane.ending.end(plane.owner, grant.id, "revoke")
    with pytest.raises(Denied) as caught:
        ask.credential()
    assert caught.value.code == "grant.revoked"
    assert broker.open == {}


def test_store_that_is_away_gives_one_clear_error_and_ends_nothing(ask, broker) -> None:
    grant = ask.request()
    broker.away = True
    with pytest.raises(Unavailable) as caught:
        ask.credential()
    assert caught.value.code == "vault.unreachable"
    assert ask.state(grant) == "active"


@pytest.mark.parametrize("over", [False, True])
def test_store_that_hangs_is_given_up_and_what_it_issues_late_ends_with_the_grant(
    ask, plane, broker, monkeypatch, over
) -> None:
    monkeypatch.setattr("qsec_jupyter.control.sessions.CALL_SECONDS", 0.2)
    grant = ask.request()
    gate = threading.Event()
    broker.before_answer = gate.wait
    with pytest.raises(Unavailable) as caught:
        ask.credential()
    assert caught.value.code == "vault.timeout"
    broker.before_answer = lambda: None
    if over:  # its session is not open yet when the grant ends
        plane.store.change(tables.sessions, {"grant_id": grant.id}, {"grant_id": "elsewhere"})
        plane.ending.end(plane.owner, grant.id, "revoke")
        plane.store.change(tables.sessions, {"grant_id": "elsewhere"}, {"grant_id": grant.id})
    gate.set()
    if over:
        assert eventually(lambda: broker.open == {})
    else:
        assert ask.credential()["grant_id"] == grant.id
        plane.ending.end(plane.owner, grant.id, "revoke")
        assert broker.open == {}


def eventually(condition, seconds: float = 5.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def test_store_that_hangs_on_many_endings_is_waited_for_once(make_plane, broker, monkeypatch, events) -> None:
    monkeypatch.setattr("qsec_jupyter.control.ending.STOP_SECONDS", 0.3)
    plane = make_plane()
    for kernel in ("k1", "k2", "k3", "k4", "k5"):
        plane.access.request(plane.owner.by(kernel), Wish("sandbox", kernel, "r"))
        plane.issuing.issue(plane.owner.by(kernel), "sandbox")
    gate = threading.Event()
    broker.revoke = lambda session: gate.wait(20)
    started = time.monotonic()
    plane.close()
    plane.gone = True
    gate.set()
    assert time.monotonic() - started < 1.5
    assert events().count("credential.revocation_pending") == 5
    assert events()[-1] == "control.stopped"


def test_one_ending_that_fails_oddly_does_not_keep_the_others_open(ask, plane, broker) -> None:
    ask.request(kernel="k1"), ask.request("pilot", kernel="k1")
    ask.credential(kernel="k1")
    plane.access.decide(plane.owner, plane.lookup.awaiting(plane.owner)[0].id, "approve")
    ask.credential("pilot", kernel="k1")
    revoke = broker.revoke

    def odd(session):
        if session.accessor == "acc-1":
            raise RuntimeError("odd")
        return revoke(session)

    broker.revoke = odd
    assert len(plane.ending.kernel_ended(plane.owner, "k1")) == 2
    assert list(broker.open) == ["acc-1"]
    assert plane.sessions.pending() == 1


def test_full_disk_keeps_no_grant_and_no_session_alive(ask, plane, broker, monkeypatch) -> None:
    grant, other = ask.request(), ask.request(kernel="k2")
    ask.credential()

    def refuse(*args):
        raise Unavailable("store.unwritable", "The database cannot be written")

    with monkeypatch.context() as patch:
        break_ledger(plane, patch)
        for write in ("change", "change_each", "add"):
            patch.setattr(plane.store, write, refuse)
        assert plane.ending.end(plane.owner, grant.id, "revoke").state == "revoked"
        assert broker.open == {}
        assert ask.state(grant) == "revoked"
        assert plane.lookup.active(plane.owner.by("k1")) is None
        assert {g.id: g.state for g in plane.lookup.listed(plane.owner)} == {
            grant.id: "revoked",
            other.id: "active",
        }
        with pytest.raises((Denied, Unavailable)):
            ask.credential()
        assert not plane.access.settle()
    assert plane._settle_once()
    assert plane.store.one(tables.grants, {"id": grant.id})["state"] == "revoked"
    assert plane.sessions.pending() == 0


def test_nothing_begins_once_the_end_has_begun(ask, plane) -> None:
    plane.ending.end_server(plane.owner.server_id)
    with pytest.raises(Unavailable) as caught:
        ask.request()
    assert caught.value.code == "control.ending"


def test_request_that_ran_out_unnoticed_is_not_approved_any_more(ask, plane, clock) -> None:
    grant = ask.request("pilot")
    clock.forward(hours=30)  # a laptop that slept: no timer ran
    with pytest.raises(Conflict):
        plane.access.decide(plane.owner, grant.id, "approve")
    assert ask.state(grant) == "expired"


def test_refused_decision_is_on_record(ask, plane, events) -> None:
    grant = ask.request("pilot")
    with pytest.raises(Denied):
        plane.access.decide(plane.owner.by("k1"), grant.id, "approve")
    data = events("request.refused")[-1]["data"]
    assert (data["action"], data["grant"], data["kernel"]) == ("approve", grant.id, "k1")


def test_unverified_revocation_is_pending_until_it_is_verified(ask, plane, broker, events) -> None:
    grant = ask.request()
    ask.credential()
    broker.unverified = True
    plane.ending.end(plane.owner, grant.id, "revoke")
    assert events()[-1] == "credential.revocation_pending"
    assert plane.sessions.pending() == 1
    assert plane.sessions.retry() is False
    assert plane.health.report()["status"] == "degraded"
    broker.unverified = False
    assert plane.sessions.retry() is True
    assert plane.sessions.pending() == 0
    assert events()[-1] == "credential.revoked"


def test_nothing_is_granted_or_issued_while_the_ledger_cannot_be_written(ask, plane, monkeypatch) -> None:
    ask.request()
    break_ledger(plane, monkeypatch)
    with pytest.raises(Unavailable):
        ask.request("pilot")
    with pytest.raises(Unavailable):
        ask.credential()
    assert [grant.target for grant in plane.lookup.listed(plane.owner)] == ["sandbox"]


def test_credential_whose_entry_the_disk_refuses_is_not_given(ask, plane, monkeypatch, events) -> None:
    ask.request()
    with monkeypatch.context() as patch:
        patch.setattr("os.fdatasync", Mock(side_effect=OSError(28, "no space")))
        with pytest.raises(Unavailable) as caught:
            ask.credential()
        assert caught.value.code == "ledger.unwritable"
    assert "credential.issued" not in events()
    assert ask.credential()["value"]


def test_open_grants_in_memory_are_those_of_the_database(ask, plane, make_plane) -> None:
    grants = [ask.request(), ask.request("pilot"), ask.request(kernel="k2")]
    ask.credential()
    plane.ending.end(plane.owner, grants[2].id, "revoke")
    plane.access.extend(plane.owner.by("k1"), grants[0].id, "5m", "longer")
    book = plane.access._book
    states = {"state": ["requested", "approved", "active"]}
    assert len(book.open()) == len(book.rows(states)) >= 2
    assert sorted(book.open(), key=str) == sorted(book.rows(states), key=str)
    assert book.open({"kernel_id": "k2"}) == book.open({"kernel_id": None}) == []
    assert [one.id for one in book.open({"kernel_id": "k1", "target": "pilot"})] == [grants[1].id]
    assert book.open({"kernel_id": "k1", "server_id": "another"}) == []
    plane.close()
    plane.gone = True


def test_cap_of_leases_holds_for_those_who_ask_at_once(tmp_path, make_plane, broker) -> None:
    text = (SHIPPED / "catalog.toml").read_text()
    (tmp_path / "catalog.toml").write_text(text + "\n[caps]\nleases_per_user = 3\n")
    plane = make_plane()
    for number in range(12):
        wish = Wish("sandbox", f"k{number}", "test", "QC-1", "1h")
        plane.access.request(plane.owner.by(f"k{number}"), wish)
    gate = threading.Barrier(12)
    broker.before_answer = lambda: time.sleep(0.05)

    def use(number: int) -> str:
        gate.wait()
        try:
            return str(plane.issuing.issue(plane.owner.by(f"k{number}"), "sandbox")["source"])
        except Denied as error:
            return error.code

    with ThreadPoolExecutor(12) as pool:
        told = sorted(pool.map(use, range(12)))
    assert told == ["credential.cap"] * 9 + ["fake"] * 3
    assert len(broker.open) == 3
    again = next(grant for grant in plane.lookup.listed(plane.owner) if plane.sessions.is_open(grant.id))
    plane.ending.end(plane.owner, again.id, "revoke")
    left = [number for number in range(12) if use_alone(plane, number) == "fake"]
    assert len(left) == 3  # the two that are open, and one more in the place of the one that ended


def use_alone(plane, number: int) -> str:
    try:
        return str(plane.issuing.issue(plane.owner.by(f"k{number}"), "sandbox")["source"])
    except Denied as error:
        return error.code


def test_call_that_opens_no_session_takes_nobodys_place(tmp_path, make_plane, broker) -> None:
    text = (SHIPPED / "catalog.toml").read_text()
    (tmp_path / "catalog.toml").write_text(text + "\n[caps]\nleases_per_user = 1\n")
    plane = make_plane()
    for kernel in ("k1", "k2"):
        plane.access.request(plane.owner.by(kernel), Wish("sandbox", kernel, "test", "QC-1", "1h"))
    broker.away = True
    for _ in range(3):
        with pytest.raises(Unavailable):
            plane.issuing.issue(plane.owner.by("k1"), "sandbox")
    broker.away = False
    assert plane.issuing.issue(plane.owner.by("k2"), "sandbox")["source"] == "fake"


def test_revocation_goes_on_without_the_ledger_and_is_written_later(
    ask, plane, broker, monkeypatch, events
) -> None:
    grant = ask.request()
    ask.credential()
    with monkeypatch.context() as patch:
        break_ledger(plane, patch)
        plane.ending.end(plane.owner, grant.id, "revoke")
        assert ask.state(grant) == "revoked"
        assert broker.open == {}
        assert plane.health.report()["status"] == "degraded"
    assert plane.audit.settle()
    assert events()[-2:] == ["grant.revoked", "credential.revoked"]


def test_end_of_a_kernel_ends_its_grants_and_no_others(ask, plane, broker) -> None:
    mine, waiting, other = ask.request(), ask.request("pilot"), ask.request(kernel="k2")
    ask.credential()
    ask.credential(kernel="k2")
    assert set(plane.ending.kernel_ended(plane.owner, "k1")) == {mine.id, waiting.id}
    assert [ask.state(grant) for grant in (mine, waiting, other)] == ["revoked", "cancelled", "active"]
    assert len(broker.open) == 1


def test_orderly_end_revokes_everything_and_says_so(make_plane, broker, events) -> None:
    plane = make_plane()
    plane.access.request(plane.owner.by("k1"), Wish("sandbox", "k1", "r"))
    plane.issuing.issue(plane.owner.by("k1"), "sandbox")
    plane.close()
    plane.gone = True
    assert broker.open == {}
    assert events()[-3:] == ["grant.revoked", "credential.revoked", "control.stopped"]


def crash(plane, *, in_order: bool = True) -> None:
    """Leave everything as a kill would: nothing is revoked, only the locks are gone."""
    plane.gone = True
    plane._ledger.close()
    plane.store.close()
    plane._journal.release(in_order=in_order)


def test_after_a_crash_the_same_server_goes_on_with_its_grants(make_plane, broker) -> None:
    first = make_plane(server_id="server-1")
    grant = first.access.request(first.owner.by("k1"), Wish("sandbox", "k1", "r"))
    first.issuing.issue(first.owner.by("k1"), "sandbox")
    crash(first)
    second = make_plane(server_id="server-1")
    assert second.lookup.get(grant.id, second.owner).state == "active"
    assert second.issuing.issue(second.owner.by("k1"), "sandbox")["value"]


def test_after_a_crash_another_server_revokes_what_was_left(make_plane, broker, events) -> None:
    first = make_plane(server_id="server-1")
    grant = first.access.request(first.owner.by("k1"), Wish("sandbox", "k1", "r"))
    first.issuing.issue(first.owner.by("k1"), "sandbox")
    crash(first)
    second = make_plane(server_id="server-2")
    assert second.lookup.get(grant.id, second.owner).state == "revoked"
    assert broker.open == {}
    assert second.lookup.listed(second.owner) == []


@pytest.fixture
def orphaned(make_plane, broker, tmp_path):
    """A journal with a grant and a session, whose control plane and server were both killed."""
    server = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    keeper = make_plane(server_id="server-0")  # journal-0 stays taken
    lost = make_plane(server_id="server-1", server_pid=server.pid)
    grant = lost.access.request(lost.owner.by("k1"), Wish("sandbox", "k1", "r"))
    lost.issuing.issue(lost.owner.by("k1"), "sandbox")
    crash(lost, in_order=False)
    assert broker.open
    keeper.orphans.end()
    assert broker.open  # its server lives, and will start another
    server.kill()
    server.wait()
    server.stdin.close()
    return keeper, tmp_path / "journal-1", grant


def test_journal_that_nobody_comes_back_to_is_ended_by_another(orphaned, broker) -> None:
    keeper, folder, grant = orphaned
    keeper.orphans.end()
    assert broker.open == {}
    found = list(read_events(folder / "ledger"))
    assert [event["type"] for event in found][-2:] == ["grant.revoked", "credential.revoked"]
    assert found[-2]["data"]["grant"] == grant.id
    assert verify_journal(folder).ok
    keeper.orphans.end()
    assert len(list(read_events(folder / "ledger"))) == len(found)


def test_orphan_whose_session_could_not_be_ended_is_found_again(orphaned, broker) -> None:
    keeper, folder, _ = orphaned
    broker.unverified = True
    keeper.orphans.end()
    assert broker.open
    broker.unverified = False
    keeper.orphans.end()
    assert broker.open == {}
    assert verify_journal(folder).ok


def test_damaged_orphan_does_not_stop_the_others(orphaned, broker, tmp_path) -> None:
    keeper, folder, _ = orphaned
    damaged = tmp_path / "journal-00"
    damaged.mkdir()
    (damaged / "server").write_text((folder / "server").read_text())
    (damaged / "qsec.db").write_bytes(b"not a database" * 100)
    keeper.orphans.end()
    assert broker.open == {}


def test_ledger_names_no_person_and_no_reason(make_plane, tmp_path) -> None:
    plane = make_plane(Principal("ada.lovelace", "Ada Lovelace", "local account", roles=("researcher",)))
    plane.access.request(plane.owner.by("k1"), Wish("sandbox", "k1", "for the countess"))
    plane.findings.keep("a.ipynb", ["f"], "the countess's own")
    for path in (tmp_path / "journal-0" / "ledger").rglob("*"):
        if path.is_file():
            assert b"lovelace" not in path.read_bytes().lower()
            assert b"countess" not in path.read_bytes()


def test_who_may_not_approve_sees_nothing_to_approve(make_plane) -> None:
    plane = make_plane(Principal("bob", "Bob", "local account", roles=("researcher",)))
    grant = plane.access.request(plane.owner.by("k1"), Wish("pilot", "k1", "r", "QC-1"))
    assert plane.lookup.awaiting(plane.owner) == []
    with pytest.raises(Denied):
        plane.access.decide(plane.owner, grant.id, "approve")


def test_who_has_no_role_may_not_ask(make_plane) -> None:
    plane = make_plane(Principal("eve", "Eve", "local account"))
    with pytest.raises(Denied) as caught:
        plane.access.request(plane.owner.by("k1"), Wish("sandbox", "k1", "r"))
    assert caught.value.code == "policy.denied"


def test_grant_whose_target_left_the_catalogue_is_listed_and_ends(make_plane, tmp_path, broker) -> None:
    first = make_plane()
    grant = first.access.request(first.owner.by("k1"), Wish("sandbox", "k1", "r"))
    waiting = first.access.request(first.owner.by("k1"), Wish("pilot", "k1", "r", "QC-1"))
    first.issuing.issue(first.owner.by("k1"), "sandbox")
    crash(first)
    (tmp_path / "catalog.toml").write_text("[targets]\n")
    second = make_plane()
    assert {g["id"] for g in second.panel.snapshot(second.owner)["grants"]} == {grant.id, waiting.id}
    second.ending.end(second.owner, grant.id, "revoke")
    assert broker.open == {}
