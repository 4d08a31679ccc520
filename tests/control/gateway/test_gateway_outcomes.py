"""Unknown outcomes, endings, reservations, and the comparison with a provider's own list."""

import json
import os
import sqlite3
import time
from contextlib import closing
from datetime import timedelta

import pytest
from catalogue import target
from gateway_jobs import ask, pass_of, send, submission
from sqlalchemy import event

from qsec_jupyter.control.asking import Wish
from qsec_jupyter.control.audit import Audit
from qsec_jupyter.control.gateway.envelope import ENDINGS
from qsec_jupyter.control.gateway.keys import Key
from qsec_jupyter.control.gateway.model import Reservation
from qsec_jupyter.core.errors import Denied, Unavailable
from qsec_jupyter.core.model import Grant


def lost(plane, holder, **changes):
    """Send a job whose answer never comes."""
    admission = plane.jobs.admit(holder, submission(**changes))
    plane.jobs.sent(admission)
    plane.jobs.unknown(admission, "gateway.broken")
    return admission


def within(seconds, holds):
    until = time.monotonic() + seconds
    while not holds() and time.monotonic() < until:
        time.sleep(0.02)
    return holds()


# -- unknown outcomes ------------------------------------------------------------------------------


def test_a_job_of_unknown_outcome_that_the_provider_has_is_accepted(lab, account, events) -> None:
    plane = lab()
    holder = pass_of(plane, ask(plane))
    admission = lost(plane, holder)
    account.take("job-9", admission.tag)
    plane.office.settle()
    assert plane.jobs.owned(holder, "job-9").correlation_id == admission.correlation_id
    (accepted,) = events("job.accepted")
    assert accepted["data"]["resolved"] is True
    assert plane.health.report()["status"] == "ok"


def test_one_that_is_not_there_is_lost_after_the_stated_wait_and_not_before(
    lab, account, clock, events
) -> None:
    plane = lab("quota.user.jobs = 1")
    holder = pass_of(plane, ask(plane))
    lost(plane, holder)
    plane.office.settling.settle(2)
    assert not events("job.lost")
    assert "outcomes" in [check["name"] for check in plane.health.report()["checks"] if not check["ok"]]
    clock.forward(seconds=61)
    plane.office.settling.settle(2)
    assert events("job.lost")[0]["data"]["why"] == "not there after 60 s"
    assert not plane.jobs.admit(holder, submission()).repeats, "it may be sent again, and its quota is back"


def test_a_provider_that_is_away_settles_nothing(lab, account, clock, events) -> None:
    plane = lab()
    lost(plane, pass_of(plane, ask(plane)))
    account.away = True
    clock.forward(minutes=30)
    plane.office.settling.settle(2)
    assert not events("job.lost")
    assert plane.office.settling.pending() == 1


@pytest.mark.parametrize("at_hand", [(), (Key("bearer", 0.0),)], ids=["fetched", "at hand"])
def test_what_was_never_sent_before_a_crash_is_lost_and_what_was_is_looked_up(
    lab, account, make_plane, events, at_hand
) -> None:
    plane = lab()
    holder = pass_of(plane, ask(plane))
    never = plane.jobs.admit(holder, submission(again="never"))
    sent = plane.jobs.admit(holder, submission(again="sent"), *at_hand)
    if not at_hand:
        plane.jobs.sent(sent)
    account.take("job-1", sent.tag)
    plane.office.settling.settle(2)
    assert not events("job.lost"), "they are on their way"
    plane.close()
    plane.gone = True
    time.sleep(0.01)
    again = make_plane()
    again._clock.forward(seconds=1)
    again.office.settling._begun = again._clock()
    again.office.settling.settle(2)
    assert [event["data"]["correlation"] for event in events("job.lost")] == [never.correlation_id]
    assert [event["data"]["correlation"] for event in events("job.accepted")] == [sent.correlation_id]
    assert again.jobs.owned(holder, "job-1")


@pytest.mark.parametrize("at_hand", [(), (Key("bearer", 0.0),)], ids=["fetched", "at hand"])
def test_a_crash_before_the_ledger_has_a_job_leaves_nothing_of_it(
    lab, make_plane, events, monkeypatch, at_hand
) -> None:
    def crash(*_, **__):
        raise SystemExit

    plane = lab()
    holder = pass_of(plane, ask(plane))
    with monkeypatch.context() as dying:
        dying.setattr(Audit, "record_steps", crash)
        with pytest.raises(SystemExit):
            plane.jobs.admit(holder, submission(), *at_hand)
    assert plane.office.listing.listed(plane.owner)
    plane.close()
    plane.gone = True
    again = make_plane()
    assert not again.office.listing.listed(again.owner)
    assert not events("job.intended")


# -- endings ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["revoked", "lock"])
def test_queued_jobs_are_cancelled_and_sessions_closed_within_two_seconds(lab, account, events, how) -> None:
    plane = lab()
    grant = ask(plane)
    holder = pass_of(plane, grant)
    plane.jobs.opened_session(holder, "s-1")
    account.sessions["s-1"] = True
    for number in range(5):
        admission = send(plane, holder, submission(again=str(number)), f"job-{number}")
        account.take(f"job-{number}", admission.tag)
    account.change("job-4", state="running")
    begin = time.monotonic()
    if how == "lock":
        plane.ending.locked(plane.locks.set(plane.principal, "target", "lab", "incident"))
    else:
        plane.ending.end(plane.owner, grant.id, "revoke")
    assert within(5, lambda: plane.office.endings.pending() == 0)
    assert time.monotonic() - begin < 2.5
    states = {job.id: job.state for job in account.held.values()}
    assert states == {**{f"job-{n}": "cancelled" for n in range(4)}, "job-4": "running"}
    assert account.sessions == {"s-1": False}
    assert len(events("job.cancelled")) == 4
    assert len(events("job.session_closed")) == 1


@pytest.mark.parametrize(
    ("on_end", "cancelled", "closed"), [("leave", 0, 0), ("close", 0, 1), ("cancel", 1, 1)]
)
def test_the_envelope_says_what_ends(lab, account, clock, on_end, cancelled, closed) -> None:
    plane = lab(f'on_end = "{on_end}"')
    holder = pass_of(plane, ask(plane))
    plane.jobs.opened_session(holder, "s-1")
    account.sessions["s-1"] = True
    account.take("job-1", send(plane, holder, submission(), "job-1").tag)
    clock.forward(hours=2)
    plane.access.keep_time()
    assert within(3, lambda: plane.office.endings.pending() == 0)
    time.sleep(0.2)
    assert (account.held["job-1"].state == "cancelled") == bool(cancelled)
    assert (account.sessions["s-1"] is False) == bool(closed)


def test_what_cannot_be_ended_is_pending_and_done_later_also_after_a_restart(
    lab, account, make_plane, events
) -> None:
    plane = lab()
    grant = ask(plane)
    holder = pass_of(plane, grant)
    account.take("job-1", send(plane, holder, submission(), "job-1").tag)
    account.away = True
    plane.ending.end(plane.owner, grant.id, "revoke")
    assert within(3, lambda: bool(events("job.cancel_pending")))
    assert "endings" in [check["name"] for check in plane.health.report()["checks"] if not check["ok"]]
    plane.close()
    plane.gone = True
    account.away = False
    again = make_plane()
    again.office.settle()
    assert account.held["job-1"].state == "cancelled"
    assert again.office.endings.pending() == 0
    assert len(events("job.cancelled")) == 1


def test_a_provider_that_does_not_cancel_leaves_it_pending(lab, account, events) -> None:
    plane = lab()
    grant = ask(plane)
    account.take("job-1", send(plane, pass_of(plane, grant), submission(), "job-1").tag)
    account.deaf = True
    plane.ending.end(plane.owner, grant.id, "revoke")
    assert within(5, lambda: bool(events("job.cancel_pending")))
    assert not events("job.cancelled")
    account.deaf = False
    assert within(5, lambda: plane.office.endings.retry(1))


def test_a_job_that_turns_up_after_its_grant_ended_is_cancelled(lab, account, events) -> None:
    plane = lab()
    grant = ask(plane)
    admission = lost(plane, pass_of(plane, grant))
    plane.ending.end(plane.owner, grant.id, "revoke")
    account.take("job-1", admission.tag)
    plane.office.settle()
    assert account.held["job-1"].state == "cancelled"
    assert events("job.cancelled")


def test_housekeeping_leaves_no_credential_open(lab, account, broker) -> None:
    plane = lab()
    lost(plane, pass_of(plane, ask(plane)))
    plane.office.settle()
    assert broker.issued == 1
    assert not broker.open


def crash(plane) -> None:
    """Let a control plane be as if it was killed."""
    plane._ledger.close()
    plane.store.close()
    os.close(plane._journal.lock)
    plane.gone = True


def test_no_grant_is_ever_over_on_the_disk_without_the_note_of_what_is_to_end(lab, account, tmp_path) -> None:
    plane = lab('on_end = "cancel"')
    grant = ask(plane)
    holder = pass_of(plane, grant)
    plane.jobs.opened_session(holder, "s-1")
    account.take("job-1", send(plane, holder, submission(), "job-1").tag)
    account.away = True
    seen = set()

    def look(*_) -> None:
        with closing(sqlite3.connect(tmp_path / "journal-0" / "qsec.db")) as disk:
            for table in ("jobs", "provider_sessions"):
                every = f"SELECT grants.state, ending FROM grants JOIN {table} ON grant_id = grants.id"
                seen.update(disk.execute(every))

    event.listen(plane.store._engine, "commit", look)
    plane.ending.end(plane.owner, grant.id, "revoke")
    look()
    event.remove(plane.store._engine, "commit", look)
    assert seen == {("active", None), ("revoked", "cancel"), ("revoked", "close")}


@pytest.mark.parametrize("how", ENDINGS)
def test_what_the_ledger_calls_over_is_over_and_ends_after_a_crash_before_the_database_was_told(
    lab, account, make_plane, clock, events, monkeypatch, how
) -> None:
    ends = ", ".join(f'{one} = "{"cancel" if one == how else "leave"}"' for one in ENDINGS)
    plane = lab(f"on_end = {{ {ends} }}")
    grant = ask(plane)
    account.take("job-1", send(plane, pass_of(plane, grant), submission(), "job-1").tag)
    lock = plane.locks.set(plane.principal, "role", "researcher", "incident") if how == "lock" else None

    def full(_) -> None:
        raise Unavailable("store.unwritable", "The database cannot be written")

    monkeypatch.setattr(plane.store, "change_each", full)
    if lock:
        plane.ending.locked(lock)
    elif how == "kernel":
        plane.ending.kernel_ended(plane.owner, "k1")
    elif how == "expired":
        clock.forward(hours=2)
        plane.access.keep_time()
    else:
        plane.ending.end(plane.owner, grant.id, "revoke")
    crash(plane)
    assert account.held["job-1"].state == "queued"
    again = make_plane()
    assert again.lookup.get(grant.id, again.owner).state == ("expired" if how == "expired" else "revoked")
    again.office.settle()
    assert account.held["job-1"].state == "cancelled"
    over = [one for name in ("grant.revoked", "grant.expired") for one in events(name)]
    assert [one["data"]["grant"] for one in over].count(grant.id) == 1, "it ended once"


def test_a_lock_ends_what_it_holds_for_also_when_a_crash_came_between(
    lab, account, make_plane, events
) -> None:
    plane = lab()
    grant = ask(plane)
    account.take("job-1", send(plane, pass_of(plane, grant), submission(), "job-1").tag)
    plane.locks.set(plane.principal, "target", "lab", "incident")
    crash(plane)
    again = make_plane()
    assert again.lookup.get(grant.id, again.owner).state == "revoked"
    assert {one["data"]["why"] for one in events("grant.revoked")} == {"lock"}
    again.office.settle()
    assert account.held["job-1"].state == "cancelled"


def test_a_session_that_opens_while_its_grant_ends_is_closed(lab, account, events) -> None:
    plane = lab()
    grant = ask(plane)
    holder = pass_of(plane, grant)
    account.sessions["s-1"] = True
    plane.ending.end(plane.owner, grant.id, "revoke")
    plane.jobs.opened_session(holder, "s-1")
    assert plane.office.settle()
    assert account.sessions == {"s-1": False}
    assert events("job.session_closed")


def test_what_somebody_stops_is_stopped_also_when_its_grant_ends_meanwhile(lab, account) -> None:
    plane = lab()
    grant = ask(plane)
    tag = send(plane, pass_of(plane, grant), submission(), "job-1").tag
    account.take("job-1", tag, "running")
    account.away = True
    plane.office.cancel(plane.owner, "job-1")
    plane.ending.end(plane.owner, grant.id, "revoke")
    account.away = False
    assert within(5, lambda: plane.office.endings.retry(1))
    assert account.held["job-1"].state == "cancelled"


def test_what_hung_on_a_control_plane_and_server_that_were_both_killed_ends_too(
    lab, account, make_plane, broker, tmp_path
) -> None:
    plane = lab('on_end = "cancel"')
    grant = ask(plane)
    account.take("job-1", send(plane, pass_of(plane, grant), submission(), "job-1").tag)
    admission = lost(plane, pass_of(plane, grant), again="x")
    account.take("job-2", admission.tag)
    other = make_plane(server_id="server-2")
    crash(plane)
    nobody = {"server_id": "server-1", "pid": 4194303, "started": "1"}
    (tmp_path / "journal-0" / "server").write_text(json.dumps(nobody))
    for _ in range(2):  # what was found out is ended the next time, at the latest
        other.orphans.end()
    assert {job.state for job in account.held.values()} == {"cancelled"}


# -- reservations ----------------------------------------------------------------------------------


def test_a_grant_is_active_only_within_a_reservation(lab, account, clock) -> None:
    plane = lab(target="reservations = true")
    now = clock()
    account.reserved = [Reservation(now + timedelta(hours=1), now + timedelta(hours=1, minutes=20))]
    plane.office.reservations.refresh()
    grant = ask(plane)
    assert grant.state == "approved"
    with pytest.raises(Denied):
        plane.jobs.admit(pass_of(plane, grant), submission())
    clock.forward(hours=1)
    plane.office.reservations.refresh()
    plane.access.keep_time()
    grant = plane.lookup.get(grant.id, plane.owner)
    assert grant.state == "active"
    assert grant.expires_at == "2026-01-31T10:20:00.000Z", "the reservation ends before the grant's hour does"
    clock.forward(minutes=20)
    plane.access.keep_time()
    assert plane.lookup.get(grant.id, plane.owner).state == "expired"


def test_without_a_reservation_nothing_begins_and_a_cancelled_one_ends_it(lab, account, clock) -> None:
    plane = lab(target="reservations = true")
    grant = ask(plane)
    assert grant.state == "approved"
    now = clock()
    account.reserved = [Reservation(now, now + timedelta(hours=4))]
    plane._keep_reservations()
    plane.access.keep_time()
    assert plane.lookup.get(grant.id, plane.owner).state == "active"
    account.away = True
    clock.forward(minutes=5)
    plane._keep_reservations()
    assert plane.lookup.get(grant.id, plane.owner).state == "active", "what was known holds for a while"
    account.away, account.reserved = False, []
    plane._keep_reservations()
    assert plane.lookup.get(grant.id, plane.owner).state == "revoked"


def test_a_job_names_the_reservation_that_it_runs_in_where_the_envelope_takes_it_in(
    lab, account, clock
) -> None:
    plane = lab('reservations = ["r/*"]', "reservations = true")
    now = clock()
    account.reserved = [Reservation(now, now + timedelta(hours=1), "lab_5", "r/1")]
    plane._keep_reservations()
    holder = pass_of(plane, ask(plane))
    assert plane.jobs.admit(holder, submission(reservation="r/1")).tag
    for named in ("", "r/2"):
        with pytest.raises(Denied, match="reservation") as refusal:
            plane.jobs.admit(holder, submission(reservation=named))
        assert refusal.value.code == "envelope.other_reservation"
        assert "r/1" in refusal.value.detail


def test_no_job_names_a_reservation_that_the_envelope_does_not_take_in(lab, account, clock) -> None:
    plane = lab(target="reservations = true")
    now = clock()
    account.reserved = [Reservation(now, now + timedelta(hours=1), "lab_5", "r/1")]
    plane._keep_reservations()
    holder = pass_of(plane, ask(plane))
    assert plane.jobs.admit(holder, submission()).tag
    with pytest.raises(Denied) as refusal:
        plane.jobs.admit(holder, submission(reservation="r/1"))
    assert refusal.value.code == "envelope.reservation_named"


MORE = """
reservations = true
[targets.amazon.gateway]
provider = "braket"
instance = "us-east-1/amazon-braket-lab/tasks"
"""
RESERVED = target("amazon", MORE, provider="braket", tier="proxy", default_duration="4h")
WINDOW = """
[[targets.amazon.gateway.reservations]]
name = "arn:aws:braket:us-east-1:123456789012:reservation/own"
start = 2026-01-31T11:00:00+01:00
end = 2026-01-31T12:00:00Z
"""


def test_a_grant_keeps_to_what_the_catalogue_names_as_reserved(make_plane, tmp_path, broker, clock) -> None:
    broker.form = "AKIA{}:secret"
    catalogue = tmp_path / "catalog.toml"
    catalogue.write_text(RESERVED + WINDOW)
    plane = make_plane()
    plane._keep_reservations()
    grant = plane.access.request(plane.owner.by("k1"), Wish("amazon", "k1", reason="first run"))
    assert grant.state == "approved"

    def now(**later) -> Grant:
        clock.forward(**later)
        plane.access.keep_time()
        return plane.lookup.get(grant.id, plane.owner)

    assert now(minutes=59).state == "approved"
    begun = now(minutes=1)
    assert (begun.state, begun.expires_at) == ("active", "2026-01-31T12:00:00.000Z")
    catalogue.write_text(RESERVED)
    for _ in range(2):  # a file that somebody may still write to is taken the next time
        plane.reload_policy()
    plane._keep_reservations()
    assert now().state == "revoked", "what is taken out of the catalogue is taken back"


# -- reconciliation --------------------------------------------------------------------------------


def test_a_provider_that_says_what_the_ledger_says_gives_no_finding(lab, account, clock, events) -> None:
    plane = lab()
    account.take(
        "job-1", send(plane, pass_of(plane, ask(plane)), submission(), "job-1").tag, created_at=clock()
    )
    plane.jobs.done("job-1", 3.0)
    account.change("job-1", state="done", usage_seconds=3.1)
    clock.forward(minutes=5)
    report = plane.office.reconciliation.run("lab")
    assert report.findings == ()
    assert events("target.reconciled")[0]["data"]["foreign"] == 0


def test_everything_that_differs_is_found(lab, account, clock, events) -> None:
    plane = lab()
    holder = pass_of(plane, ask(plane))
    tags = {name: send(plane, holder, submission(again=name), name).tag for name in ("gone", "bare", "dear")}
    unresolved = lost(plane, holder, again="unresolved")
    plane.jobs.done("dear", 3.0)
    now = clock()
    account.take("bare", "", created_at=now)
    account.take("dear", tags["dear"], "done", created_at=now, usage_seconds=30.0)
    account.take("odd", unresolved.tag, created_at=now)
    account.take("theirs", created_at=now)
    account.take("forged", tags["dear"], created_at=now)
    account.take("fresh", created_at=now + timedelta(minutes=4))
    clock.forward(minutes=5)
    report = plane.office.reconciliation.run("lab", actor=plane.principal)
    found = {(one.kind, one.job_id) for one in report.findings}
    assert found == {
        ("lost", "gone"),
        ("untagged", "bare"),
        ("usage", "dear"),
        ("unresolved", "odd"),
        ("foreign", "theirs"),
        ("foreign", "forged"),
    }
    (event,) = events("target.reconciled")
    assert event["data"]["foreign_jobs"] == ["theirs", "forged"]
    assert report.to_dict()["findings"][0]["meaning"]


def test_another_control_plane_of_the_same_account_is_no_stranger(lab, account, make_plane, clock) -> None:
    plane = lab()
    other = make_plane(server_id="server-2")
    holder = pass_of(other, ask(other))
    account.take("job-1", send(other, holder, submission(), "job-1").tag, created_at=clock())
    clock.forward(minutes=5)
    assert plane.office.reconciliation.run("lab").findings == ()


def test_a_comparison_runs_by_itself_where_the_catalogue_says_so(lab, account, clock, events) -> None:
    plane = lab(target='reconcile = "24h"')
    plane.office.reconcile_due()
    clock.forward(hours=25)
    plane.office.reconcile_due()
    assert len(events("target.reconciled")) == 1


def test_a_provider_that_is_away_is_no_finding(lab, account, events) -> None:
    plane = lab()
    account.away = True
    with pytest.raises(Unavailable):
        plane.office.reconciliation.run("lab")
    assert not events("target.reconciled")
