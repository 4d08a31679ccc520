"""The book of jobs: what is asked before a job is sent, whose it is, and what the ledger says of it."""

import os
import threading
from dataclasses import replace

import pytest
from gateway_jobs import ask, catalogue, circuit, pass_of, send, submission

from qsec_jupyter.control.audit import Audit
from qsec_jupyter.control.gateway.keys import Key
from qsec_jupyter.control.gateway.model import Outcome
from qsec_jupyter.core.errors import Conflict, Denied, Invalid, NotFound, Unavailable

AT_HAND = Key("bearer", 0.0, "acc-1")


def test_a_job_is_in_the_ledger_before_each_step_returns(lab, events) -> None:
    plane = lab()
    holder = pass_of(plane, ask(plane))
    admission = plane.jobs.admit(holder, submission())
    assert events()[-1] == "job.intended"
    assert admission.policies == ("a-job-needs-an-own-grant",)
    assert admission.tag.endswith(admission.correlation_id)
    plane.jobs.sent(admission, "acc-1")
    assert events()[-1] == "job.sent"
    plane.jobs.answered(admission, "job-1")
    names = [name for name in events() if name.startswith("job.")]
    assert names == ["job.intended", "job.sent", "job.accepted"]
    for event in events("job.intended") + events("job.sent") + events("job.accepted"):
        assert event["data"]["correlation"] == admission.correlation_id
        assert event["asserted_by"] == "control"


def test_a_job_goes_with_the_person_and_not_with_the_name(lab) -> None:
    plane = lab()
    admission = send(plane, pass_of(plane, ask(plane)), submission(), "job-1")
    me = plane.owner.principal
    for name, subject, seen in (("lovelace", me.subject, True), (me.name, "id-of-another", False)):
        who = replace(plane.owner, principal=replace(me, name=name, subject=subject, roles=("researcher",)))
        for asker in (who, who.by("k1")):
            listed = [row["correlation_id"] for row in plane.office.listing.listed(asker)]
            assert listed == [admission.correlation_id] * seen
        if not seen:
            for read in (plane.office.listing.get, plane.office.listing.exposure, plane.office.cancel):
                with pytest.raises(NotFound):
                    read(who, "job-1")


def test_the_ledger_holds_no_name_of_the_users(lab, events, tmp_path) -> None:
    plane = lab()
    send(plane, pass_of(plane, ask(plane)), submission(), "job-1")
    assert plane.jobs.names("job-1") == {"q-1": "my secret circuit"}
    for path in (tmp_path / "journal-0").rglob("*"):
        if path.is_file():
            assert b"my secret circuit" not in path.read_bytes(), path


def test_names_are_read_again_after_a_restart(lab, make_plane) -> None:
    plane = lab()
    grant = ask(plane)
    send(plane, pass_of(plane, grant), submission(), "job-1")
    plane.close()
    plane.gone = True
    again = make_plane()
    assert again.jobs.names("job-1") == {"q-1": "my secret circuit"}
    assert again.jobs.owned(pass_of(again, grant), "job-1").state == "accepted"


def test_results_may_be_read_also_when_a_crash_came_before_that_was_written(lab, make_plane) -> None:
    plane = lab()
    grant = ask(plane)
    holder = pass_of(plane, grant)
    admission = plane.jobs.admit(holder, submission())
    plane.jobs.sent(admission)
    plane.jobs.answered(admission, "job-1")  # it dies here
    plane._ledger.close()
    plane.store.close()
    os.close(plane._journal.lock)
    plane.gone = True
    again = make_plane()
    follows = [one for one in again.lookup.listed(again.owner) if one.parent == grant.id]
    assert [one.jobs for one in follows] == [("job-1",)]


def test_steps_that_a_power_cut_took_out_of_the_database_are_read_from_the_ledger(
    lab, make_plane, tmp_path
) -> None:
    plane = lab()
    grant = ask(plane)
    holder = pass_of(plane, grant)
    send(plane, holder, submission(again="earlier"), "job-1")
    admission = plane.jobs.admit(holder, submission())
    on_the_disk = {path: path.read_bytes() for path in tmp_path.glob("journal-0/qsec.db*")}
    plane.jobs.sent(admission, "acc-1")
    plane.jobs.answered(admission, "job-2", 201)
    plane._ledger.close()
    plane.store.close()
    os.close(plane._journal.lock)
    plane.gone = True
    for path, content in on_the_disk.items():
        path.write_bytes(content)
    again = make_plane()
    row = again.jobs._book.get(admission.correlation_id)
    assert (row["state"], row["job_id"], row["details"]["status"]) == ("accepted", "job-2", 201)
    assert again.jobs.owned(holder, "job-1")
    assert again.jobs.owned(holder, "job-2")
    follows = [one for one in again.lookup.listed(again.owner) if one.parent == grant.id]
    assert [one.jobs for one in follows] == [("job-1", "job-2")]


@pytest.mark.parametrize(
    ("envelope", "job", "code"),
    [
        ("", {"backend": "other"}, "envelope.backend"),
        ('backends = ["ibm_*"]', {}, "envelope.backend"),
        ('regions = ["eu-de"]', {}, "envelope.region"),
        ('regions = ["eu-de"]', {"region": "us-east"}, "envelope.region"),
        ("max_shots = 999", {}, "envelope.shots"),
        ("max_shots = 999", {"shots": None}, "envelope.shots_unstated"),
        ("max_circuits = 1", {"circuits": (circuit(), circuit("b"))}, "envelope.circuits"),
        ("max_width = 4", {}, "envelope.width"),
        ("max_depth = 9", {}, "envelope.depth"),
        ("", {"pulses": True}, "envelope.pulses"),
        ("", {"reservation": "r/1"}, "envelope.reservation_named"),
        ('reservations = ["r/1?"]', {"reservation": "r/1/2"}, "envelope.reservation_named"),
        ('max_execution_time = "5m"', {"execution_seconds": 301}, "envelope.execution_time"),
        ('max_execution_time = "5m"', {}, "envelope.execution_time_unstated"),
        ('labels = {required = ["production"]}', {}, "envelope.labels"),
        ('labels = {allowed = ["dev"]}', {}, "envelope.labels"),
        ("quota.user.jobs = 0", {}, "quota.exceeded"),
        ("quota.user.shots = 999", {}, "quota.exceeded"),
        ("quota.target.shots = 5000", {"shots": None}, "envelope.shots_unstated"),
        ("quota.project.execution_seconds = 60", {"execution_seconds": 61}, "quota.exceeded"),
    ],
)
def test_the_envelope_refuses_and_the_ledger_names_the_rule(lab, events, envelope, job, code) -> None:
    plane = lab(envelope)
    with pytest.raises(Denied) as refusal:
        plane.jobs.admit(pass_of(plane, ask(plane)), submission(**job))
    assert refusal.value.code == code
    assert refusal.value.remedy
    assert [event["data"]["rule"] for event in events("job.refused")] == [code]
    assert not events("job.intended")


@pytest.mark.parametrize(
    ("envelope", "job"),
    [
        ('backends = ["lab_?"]', {}),
        ('regions = ["eu-de"]', {"region": "eu-de"}),
        ("max_shots = 1000\nmax_circuits = 1\nmax_width = 5\nmax_depth = 10", {}),
        ("pulses = true", {"pulses": True}),
        ('reservations = ["r/1?"]', {"reservation": "r/12"}),
        ('max_execution_time = "5m"', {"execution_seconds": 300}),
        ('labels = {required = ["pilot", "dev"], allowed = []}', {}),
        ("quota.user = {jobs = 1, shots = 1000}", {}),
    ],
)
def test_a_job_just_inside_of_the_envelope_passes(lab, envelope, job) -> None:
    plane = lab(envelope)
    assert plane.jobs.admit(pass_of(plane, ask(plane)), submission(**job)).tag


@pytest.mark.parametrize(
    "envelope",
    [
        "max_shots = -1",
        "max_shots = true",
        "pulses = 1",
        'reservations = "r/1"',
        'max_shots = "many"',
        'backends = ["lab_[0-9]"]',
        'backends = "lab_5"',
        "on_end = 'sometimes'",
        "on_end = { died = 'cancel' }",
        "labels = { forbidden = ['x'] }",
        "quota.everybody.jobs = 5",
        "quota.user.minutes = 5",
        "shots = 5",
    ],
)
def test_a_malformed_envelope_is_refused_by_name(lab, envelope) -> None:
    from qsec_jupyter.control.catalog import parse_catalog
    from qsec_jupyter.core.errors import Invalid

    with pytest.raises(Invalid) as refusal:
        parse_catalog(catalogue(envelope))
    assert "envelope of target 'lab'" in refusal.value.detail


def test_a_refused_job_gives_its_quota_back(lab) -> None:
    plane = lab("quota.user.jobs = 1")
    holder = pass_of(plane, ask(plane))
    admission = plane.jobs.admit(holder, submission())
    with pytest.raises(Denied):
        plane.jobs.admit(holder, submission(again="x"))
    plane.jobs.sent(admission)
    plane.jobs.rejected(admission, 400)
    assert plane.jobs.admit(holder, submission(again="y"))


def test_the_quota_is_of_a_month(lab, clock) -> None:
    plane = lab("quota.user.jobs = 1", 'max_pending = "1h"')
    plane.jobs.admit(pass_of(plane, ask(plane)), submission())
    clock.forward(days=1)  # 1 February
    assert plane.jobs.admit(pass_of(plane, ask(plane)), submission(again="x"))


def test_what_a_job_really_used_takes_the_place_of_what_it_asked_for(lab) -> None:
    plane = lab("quota.user.execution_seconds = 100")
    holder = pass_of(plane, ask(plane))
    send(plane, holder, submission(execution_seconds=90), "job-1")
    with pytest.raises(Denied):
        plane.jobs.admit(holder, submission(execution_seconds=50))
    plane.jobs.done("job-1", 10.5)
    assert plane.jobs.admit(holder, submission(execution_seconds=50, again="x"))


def test_a_grant_that_is_over_submits_nothing(lab, clock) -> None:
    plane = lab()
    grant = ask(plane)
    holder = pass_of(plane, grant)
    clock.forward(hours=1, seconds=1)  # nobody has kept time since
    with pytest.raises(Denied) as refusal:
        plane.jobs.admit(holder, submission())
    assert refusal.value.code == "grant.expired"
    plane.access.keep_time()
    with pytest.raises(Denied):
        plane.jobs.admit(holder, submission())


def test_a_job_belongs_to_its_grant_and_to_what_follows_it(lab, clock) -> None:
    plane = lab()
    one, other = ask(plane), ask(plane, "k2")
    mine, foreign = pass_of(plane, one), pass_of(plane, other)
    send(plane, mine, submission(), "job-1")
    assert plane.jobs.owned(mine, "job-1").grant_id == one.id
    said = []
    for holder, job_id in ((foreign, "job-1"), (mine, "job-2")):
        with pytest.raises(NotFound) as refusal:
            plane.jobs.owned(holder, job_id)
        said.append(str(refusal.value))
    assert said[0] == said[1]
    follows = next(g for g in plane.lookup.listed(plane.owner) if g.parent == one.id)
    assert follows.jobs == ("job-1",)
    clock.forward(hours=2)
    plane.access.keep_time()
    reader = pass_of(plane, follows)
    assert plane.jobs.owned(reader, "job-1")
    assert plane.jobs.all_owned(reader) == ("job-1",)
    with pytest.raises(Denied) as refusal:
        plane.jobs.admit(reader, submission(again="x"))
    assert refusal.value.code == "job.out_of_scope"


def test_the_same_body_again_gets_the_outcome_of_the_first(lab, events) -> None:
    plane = lab()
    holder = pass_of(plane, ask(plane))
    first = plane.jobs.admit(holder, submission())
    plane.jobs.sent(first)
    again = plane.jobs.admit(holder, submission())
    assert again.repeats
    assert again.correlation_id == first.correlation_id
    threading.Timer(0.1, lambda: plane.jobs.answered(first, "job-1")).start()
    assert plane.jobs.outcome(again, 5) == Outcome("accepted", "job-1", 200)
    assert not plane.jobs.admit(holder, submission()).repeats, "afterwards it is a job of its own"
    assert len(events("job.intended")) == 2


def test_a_repeated_submission_is_refused_as_the_first_is(lab) -> None:
    plane = lab("max_shots = 1")
    holder = pass_of(plane, ask(plane))
    for _ in range(2):
        with pytest.raises(Denied):
            plane.jobs.admit(holder, submission())


def test_a_body_of_unknown_outcome_is_not_sent_again(lab, events) -> None:
    plane = lab()
    holder = pass_of(plane, ask(plane))
    first = plane.jobs.admit(holder, submission())
    plane.jobs.sent(first)
    plane.jobs.unknown(first, "gateway.broken")
    for _ in range(2):
        again = plane.jobs.admit(holder, submission())
        assert again.repeats
        assert plane.jobs.outcome(again, 0.01).state == "unknown"
    plane.jobs.settled(first.correlation_id, "job-7")
    again = plane.jobs.admit(holder, submission())
    assert plane.jobs.outcome(again, 0.01) == Outcome("accepted", "job-7", 200)
    assert not plane.jobs.admit(holder, submission()).repeats, "it was told once"
    assert plane.jobs.owned(holder, "job-7")


def test_after_a_restart_the_same_body_is_known(lab, make_plane) -> None:
    plane = lab()
    grant = ask(plane)
    first = plane.jobs.admit(pass_of(plane, grant), submission())
    plane.jobs.sent(first)
    plane.close()
    plane.gone = True
    plane = make_plane()
    again = plane.jobs.admit(pass_of(plane, ask(plane)), submission())
    assert not again.repeats, "that is another grant"


def test_a_job_joins_only_sessions_of_its_grant(lab) -> None:
    plane = lab()
    mine, foreign = pass_of(plane, ask(plane)), pass_of(plane, ask(plane, "k2"))
    plane.jobs.opened_session(mine, "s-1")
    assert plane.jobs.admit(mine, submission(session="s-1"))
    for session in ("s-1", "s-2"):
        with pytest.raises(Denied) as refusal:
            plane.jobs.admit(foreign, submission(session=session))
        assert refusal.value.code == "job.foreign_session"
    with pytest.raises(NotFound):
        plane.jobs.owned_session(foreign, "s-1")
    plane.jobs.owned_session(mine, "s-1")


def test_results_are_recorded_before_they_are_read_and_looks_are_counted(lab, events) -> None:
    plane = lab()
    holder = pass_of(plane, ask(plane))
    send(plane, holder, submission(), "job-1")
    for _ in range(50):
        plane.jobs.reading(holder, "job-1", "job")
    plane.jobs.reading(holder, "job-1", "result")
    assert events()[-1] == "job.read"
    assert not events("job.polled")
    plane.jobs.settle()
    assert events("job.polled")[0]["data"]["jobs"] == {"job-1": 50}
    plane.jobs.settle()
    assert len(events("job.polled")) == 1


def test_nothing_is_sent_while_the_store_of_keys_is_away(lab, broker, events) -> None:
    plane = lab("quota.user.jobs = 1")
    holder = pass_of(plane, ask(plane))
    broker.away = True
    with pytest.raises(Unavailable):
        plane.jobs.admit(holder, submission())
    assert not events("job.intended")
    broker.away = False
    assert plane.jobs.admit(holder, submission()), "nothing of it is left, not even in the quota"


def test_a_job_is_sent_once(lab) -> None:
    plane = lab()
    admission = plane.jobs.admit(pass_of(plane, ask(plane)), submission())
    plane.jobs.sent(admission)
    with pytest.raises(Conflict):
        plane.jobs.sent(admission)


def test_what_the_ledger_refuses_of_reading_later_is_written_later(lab, events, monkeypatch) -> None:
    plane = lab()
    holder = pass_of(plane, ask(plane))
    admission = plane.jobs.admit(holder, submission(), AT_HAND)
    plane.jobs.answered(admission, "job-1")

    def refuse(*_, **__):
        raise Unavailable("ledger.unwritable", "The disk is full")

    with monkeypatch.context() as full:
        full.setattr(Audit, "record", refuse)
        plane.jobs.follow()
    assert len(events("grant.activated")) == 1
    plane.jobs.settle()
    assert len(events("grant.activated")) == 2
    plane.jobs.answered(plane.jobs.admit(holder, submission(again="x"), AT_HAND), "job-2")
    plane.close()
    plane.gone = True
    (added,) = events("grant.jobs_added")
    assert added["data"]["job"] == "job-2", "an orderly end leaves nothing out"


def test_with_the_credential_at_hand_the_ledger_has_both_steps_and_waits_once(
    lab, events, monkeypatch
) -> None:
    plane = lab()
    holder, waits, sync = pass_of(plane, ask(plane)), [], os.fdatasync
    monkeypatch.setattr(os, "fdatasync", lambda file: waits.append(file) or sync(file))
    admission = plane.jobs.admit(holder, submission(), AT_HAND)
    assert len(waits) == 1
    intended, sent = events("job.intended") + events("job.sent")
    assert sent["index"] == intended["index"] + 1
    assert sent["data"]["correlation"] == intended["data"]["correlation"] == admission.correlation_id
    assert sent["data"]["accessor"] == "acc-1"
    assert plane.office.listing.get(plane.owner, admission.correlation_id)["state"] == "sent"
    with pytest.raises(Conflict):
        plane.jobs.sent(admission)
    plane.jobs.answered(admission, "job-1")
    assert plane.office.listing.get(plane.owner, "job-1")["state"] == "accepted"


def test_a_job_that_the_ledger_does_not_take_is_not_said_to_be_sent(lab, events) -> None:
    plane = lab()
    holder = pass_of(plane, ask(plane))
    with pytest.raises(Invalid):
        plane.jobs.admit(holder, submission(program="x" * 2**20), AT_HAND)
    assert not events("job.intended")
    assert not events("job.sent")
    assert not plane.office.listing.listed(plane.owner)


def test_ownership_is_answered_from_memory(lab) -> None:
    import time

    plane = lab()
    holder = pass_of(plane, ask(plane))
    send(plane, holder, submission(), "job-1")
    begin = time.perf_counter()
    for _ in range(2000):
        plane.jobs.owned(holder, "job-1")
    assert (time.perf_counter() - begin) / 2000 < 20e-6


def test_an_approval_of_a_payload_is_for_that_payload_and_once(lab) -> None:
    plane = lab(target="bind_payload = true\nprice = { currency = 'USD', per_shot = 0.01 }")
    two = (circuit("a"), circuit("a"), circuit("b"))
    hashes = [one.structural_hash for one in two]
    payload = {"circuits": hashes, "backend": "lab_5", "shots": 1000}
    holder = pass_of(plane, ask(plane, payload=payload))
    for other in (
        {"circuits": two[1:]},
        {"circuits": (*two, circuit("b"))},
        {"circuits": (circuit("a"), circuit("b"), circuit("b"))},
        {"circuits": two, "shots": 1001},
        {"circuits": two, "shots": None},
        {"circuits": two, "backend": "lab_7"},
    ):
        with pytest.raises(Denied) as refusal:
            plane.jobs.admit(holder, submission(**other))
        assert refusal.value.code == "job.other_payload"
    fewer = submission(circuits=tuple(reversed(two)), shots=500)
    send(plane, holder, fewer, "job-1")
    with pytest.raises(Denied) as refusal:
        plane.jobs.admit(holder, submission(circuits=two, again="x"))
    assert refusal.value.code == "job.approval_used"


def test_an_approval_holds_for_its_cost(lab, tmp_path) -> None:
    plane = lab(target="bind_payload = true\nprice = { currency = 'USD', per_shot = 0.01 }")
    payload = {"circuits": [circuit().structural_hash], "backend": "lab_5", "shots": 1000}
    holder = pass_of(plane, ask(plane, payload=payload))
    dearer = "bind_payload = true\nprice = { currency = 'USD', per_shot = 0.02 }"
    (tmp_path / "catalog.toml").write_text(catalogue(target=dearer))
    for _ in range(3):
        plane.reload_policy()
    with pytest.raises(Denied) as refusal:
        plane.jobs.admit(holder, submission())
    assert refusal.value.code == "job.costs_more"
