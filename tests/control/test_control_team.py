"""Grants among several people: reviewers, rounds, windows, emergencies, series, locks, shared kernels."""

from dataclasses import replace

import pytest
from catalogue import target
from hypothesis import HealthCheck, given, settings, strategies as st
from several_people import BOUND, REVIEWED

from qsec_jupyter.control.asking import Wish
from qsec_jupyter.control.callers import Caller
from qsec_jupyter.control.grants import TRANSITIONS
from qsec_jupyter.core.errors import Conflict, Denied, Invalid, NotFound, QsecError
from qsec_jupyter.core.model import GRANT_STATES, Principal

GENERAL = """
[data_classes]
default = "internal"

[caps]
grants_per_user = 4
start_ahead = "7d"

[projects.chem]
title = "Chemistry"
members = ["ada", "group:chem"]
data_class = "confidential"
targets = ["premium", "open"]
"""
PRICE = 'price = { currency = "USD", per_job = 1.5, per_shot = 0.001 }'
PREMIUM = f"""
{PRICE}
environment = "production"
pending = "2h"
break_glass = true
retrieve = "30d"
backends = ["ibm_*"]
classes = ["public", "internal", "confidential"]
rounds = [{{ reviewers = ["group:owners"], quorum = 2 }}, {{ reviewers = ["sec"], quorum = 1 }}]
"""
OFFICE = 'windows = ["mon-fri 08:00-18:00 Europe/Berlin"]'
CATALOGUE = (
    GENERAL
    + target("open", max_duration="4h")
    + target("premium", PREMIUM, **REVIEWED)
    + target("bound", f"{PRICE}\n{BOUND}", **REVIEWED)
    + target("office", OFFICE, provider="ibm", default_duration="4h")
)


def person(name, *roles, groups=(), **kwargs):
    return Caller(Principal(name, name, "test", groups=groups, roles=roles, **kwargs), f"server-{name}")


ADA = person("ada", "researcher")
BO = person("bo", "approver", groups=("owners",))
CY = person("cy", "approver", "researcher", groups=("owners",))
SEC = person("sec", "approver", "admin")
DEV = person("dev", "developer")
AUDITOR = person("audra", "auditor")
RUN = {"circuits": ["a" * 64], "backend": "bound_one", "shots": 100}


@pytest.fixture
def team(tmp_path, make_plane):
    (tmp_path / "catalog.toml").write_text(CATALOGUE)
    plane = make_plane(ADA.principal, "server-ada", single_user=False)
    for caller in (BO, CY, SEC, DEV, AUDITOR):
        plane.people.seen(caller.principal)
    return plane


@pytest.fixture
def ask(team):
    def request(target="premium", caller=ADA, **wish):
        return team.access.request(caller.by("k1"), Wish(target, "k1", **{"reason": "a reason", **wish}))

    return request


def state(team, grant):
    return team.lookup.get(grant.id, SEC).state


def approve(team, grant, *reviewers):
    for reviewer in reviewers:
        grant = team.access.decide(reviewer, grant.id, "approve", "fine")
    return grant


# -- reviewers ------------------------------------------------------------------------------------


def test_every_round_needs_its_quorum_of_different_reviewers(team, ask, events):
    grant = ask()
    assert approve(team, grant, BO).state == "requested"
    with pytest.raises(Denied, match="Refused by policy") as refusal:
        approve(team, grant, BO)
    assert "one-person-one-vote" in refusal.value.detail
    with pytest.raises(Denied):
        approve(team, grant, SEC)  # not in the first round
    assert approve(team, grant, CY).state == "requested"
    with pytest.raises(Denied):
        approve(team, grant, CY)
    done = approve(team, grant, SEC)
    assert (done.state, done.decided_by, [vote.reviewer for vote in done.votes]) == (
        "active",
        "sec",
        ["bo", "cy", "sec"],
    )
    assert len(events("grant.voted")) == 2


def test_one_denial_ends_a_request_that_others_approved(team, ask):
    grant = ask()
    approve(team, grant, BO)
    assert team.access.decide(CY, grant.id, "deny", "no").state == "denied"
    with pytest.raises(Conflict):
        approve(team, grant, CY)


def test_nobody_approves_their_own_request_under_whatever_name(team, ask):
    grant = ask(caller=CY)
    renamed = replace(CY, principal=replace(CY.principal, name="someone", subject="cy"))
    same_name = replace(CY, principal=replace(CY.principal, subject="another"))
    second_tab = replace(CY, server_id="server-two")
    for who in (CY, renamed, same_name, second_tab):
        with pytest.raises(Denied) as refusal:
            approve(team, grant, who)
        assert "no-self-approval-among-several" in refusal.value.detail


def test_queue_shows_each_reviewer_what_they_may_decide(team, ask):
    grant = ask()

    def queue(who):
        return [one.id for one in team.lookup.awaiting(who)]

    assert queue(BO) == queue(CY) == [grant.id]
    assert queue(SEC) == queue(ADA) == queue(AUDITOR) == []
    approve(team, grant, BO, CY)
    assert queue(SEC) == [grant.id]
    assert queue(BO) == []


def test_workloads_and_kernels_decide_nothing(team, ask):
    grant = ask()
    robot = replace(BO, principal=replace(BO.principal, kind="workload"))
    for who in (robot, BO.by("k9")):
        for verdict in ("approve", "deny"):
            with pytest.raises(Denied):
                team.access.decide(who, grant.id, verdict)


def test_request_that_nobody_decides_expires_by_its_targets_clock(team, ask, clock):
    grant = ask()
    clock.forward(hours=2, seconds=1)
    team.access.keep_time()
    assert state(team, grant) == "expired"


def test_the_clock_of_a_grant_stands_still_while_it_waits(team, ask, clock):
    grant = ask(duration="1h")
    clock.forward(minutes=110)
    done = approve(team, grant, BO, CY, SEC)
    clock.forward(minutes=59)
    team.access.keep_time()
    assert state(team, done) == "active"
    clock.forward(minutes=2)
    team.access.keep_time()
    assert state(team, done) == "expired"


def test_who_may_see_a_grant(team, ask):
    grant = ask()
    for who in (ADA, BO, SEC, AUDITOR):
        assert team.lookup.get(grant.id, who).id == grant.id
    for who in (DEV, ADA.by("k2")):
        with pytest.raises(NotFound):
            team.lookup.get(grant.id, who)


# -- when -----------------------------------------------------------------------------------------


def test_grant_with_a_start_begins_then_and_its_clock_with_it(team, ask, clock):
    grant = ask("open", start="2026-01-31T12:00:00+01:00", duration="1h")
    assert grant.state == "approved"
    with pytest.raises(Denied) as refusal:
        team.issuing.issue(ADA.by("k1"), "open")
    assert refusal.value.code == "grant.not_begun"
    assert team.access.keep_time() == pytest.approx(2 * 3600)
    clock.forward(hours=2)
    team.access.keep_time()
    active = team.lookup.get(grant.id, ADA)
    assert (active.state, active.expires_at) == ("active", "2026-01-31T12:00:00.000Z")
    assert team.issuing.issue(ADA.by("k1"), "open")["value"]


@pytest.mark.parametrize("start", ["tomorrow", "2026-02-01T09:00:00", "2026-02-08T09:00:01Z"])
def test_start_that_is_not_possible_is_refused(ask, start):
    with pytest.raises(Invalid) as refusal:
        ask("open", start=start)
    assert refusal.value.code == "request.start"


def test_grant_lies_within_its_targets_window(team, ask, clock):
    grant = ask("office")  # a Saturday
    assert grant.state == "approved"
    clock.forward(days=2)  # Monday, ten in Berlin
    team.access.keep_time()
    assert team.lookup.get(grant.id, ADA).expires_at == "2026-02-02T13:00:00.000Z"
    clock.forward(hours=6)
    late = ask("office", duration="8h")
    assert late.expires_at == "2026-02-02T17:00:00.000Z"


# -- more time, and less ----------------------------------------------------------------------------


def test_extension_moves_the_end_up_to_the_cap(team, ask, clock):
    grant = ask("open", duration="1h")
    extension = team.access.extend(ADA.by("k1"), grant.id, "2h", None)
    assert extension.state == "active"
    assert team.lookup.get(grant.id, ADA).expires_at == "2026-01-31T12:00:00.000Z"
    with pytest.raises(Invalid) as refusal:
        team.access.extend(ADA, grant.id, "2h", None)
    assert refusal.value.code == "duration.over_cap"
    clock.forward(hours=2, minutes=50)
    assert team.issuing.issue(ADA.by("k1"), "open")["grant_id"] == grant.id
    team.ending.end(ADA, grant.id, "revoke")
    assert state(team, extension) == "revoked"


def test_extension_of_a_reviewed_target_is_reviewed(team, ask):
    grant = approve(team, ask(), BO, CY, SEC)
    before = grant.expires_at
    extension = team.access.extend(ADA, grant.id, "30m", "one more series")
    assert extension.state == "requested"
    assert team.lookup.get(grant.id, ADA).expires_at == before
    approve(team, extension, BO, CY, SEC)
    assert team.lookup.get(grant.id, ADA).expires_at > before


def test_only_its_holder_extends_a_grant(team, ask):
    grant = ask("open")
    for who in (CY, BO, SEC, ADA.by("k2")):
        with pytest.raises(Denied):
            team.access.extend(who, grant.id, "10m", "r")


# -- emergencies and series -------------------------------------------------------------------------


def test_break_glass_skips_approval_loudly_and_is_looked_at(team, ask, events):
    grant = ask(break_glass=True, reason="backend on fire")
    assert (grant.state, grant.decided_by) == ("active", "policy")
    assert len(events("grant.break_glass")) == 1
    with pytest.raises(Denied):
        team.access.review(ADA, grant.id, "was me")
    assert team.access.review(BO, grant.id, "understood").reviewed_by == "bo"
    with pytest.raises(Conflict):
        team.access.review(CY, grant.id, "again")


def test_break_glass_only_where_the_target_allows_it_and_for_people(ask):
    robot = replace(ADA, principal=replace(ADA.principal, kind="workload"))
    for name, who in (("bound", ADA), ("open", ADA), ("premium", robot)):
        with pytest.raises(Denied) as refusal:
            ask(name, who, break_glass=True, payload=RUN)
        assert "break-glass-only-where-allowed" in refusal.value.detail


def test_series_approves_like_requests_as_often_as_it_says(team, ask):
    first = ask("bound", payload=RUN, duration="30m")
    with pytest.raises(Denied):
        team.access.approve_series(ADA, first.id, 2, 7)
    series = team.access.approve_series(BO, first.id, 2, 7)
    team.access.decide(BO, first.id, "approve", None, first.payload.digest)
    assert ask("bound", payload={**RUN, "shots": 101}).state == "requested"
    assert ask("bound", payload=RUN, duration="31m").state == "requested"
    assert ask("bound", caller=CY, payload=RUN, duration="30m").state == "requested"
    for _ in range(2):
        again = ask("bound", payload=RUN, duration="30m")
        assert (again.state, again.policies[-1]) == ("active", "a-series-is-approved-once")
        team.ending.end(ADA, again.id, "revoke")
    assert ask("bound", payload=RUN, duration="30m").state == "requested"
    assert series.left == 2


def test_series_ends_early_and_by_its_date(team, ask, clock):
    first = ask("bound", payload=RUN)
    series = team.access.approve_series(BO, first.id, 5, 1)
    with pytest.raises(Denied):
        team.access.end_series(ADA, series.id)
    team.access.end_series(BO, series.id)
    assert ask("bound", payload=RUN).state == "requested"
    team.access.approve_series(BO, first.id, 5, 1)
    clock.forward(days=1, seconds=1)
    assert ask("bound", payload=RUN).state == "requested"


# -- what an approval is bound to -------------------------------------------------------------------


def test_bound_request_says_what_runs_and_what_it_costs(ask):
    with pytest.raises(Invalid) as refusal:
        ask("bound")
    assert refusal.value.code == "request.payload"
    assert ask("bound", payload=RUN).cost == "1.60 USD"


def test_approval_of_another_payload_is_refused(team, ask):
    grant, other = ask("bound", payload=RUN), ask("bound", payload={**RUN, "shots": 1000})
    for digest in (None, other.payload.digest, "x"):
        with pytest.raises(Conflict) as refusal:
            team.access.decide(BO, grant.id, "approve", None, digest)
        assert refusal.value.code == "grant.other_payload"
    assert team.access.decide(BO, grant.id, "approve", None, grant.payload.digest).state == "active"
    assert team.lookup.changed(other) == []  # both were asked for at the same moment


def test_what_changed_since_the_last_approval_is_told(team, ask, clock):
    grant = ask("bound", payload=RUN)
    team.access.decide(BO, grant.id, "approve", None, grant.payload.digest)
    clock.forward(seconds=1)
    again = ask("bound", payload={**RUN, "shots": 5000, "circuits": ["b" * 64]})
    assert again.state == "requested"
    assert {one["field"]: one["asked"] for one in team.lookup.changed(again)} == {
        "circuits": ["b" * 64],
        "shots": 5000,
    }


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        ({}, None),
        ({"shots": 50}, None),
        ({"shots": 101}, "shots"),
        ({"circuits": ["b" * 64]}, "circuits"),
        ({"circuits": ["a" * 64] * 2}, "circuits"),
        ({"backend": {"name": "bound_two", "type": "x"}}, "backend"),
    ],
)
def test_only_the_approved_payload_runs(team, ask, change, differs):
    grant = ask("bound", payload=RUN)
    team.access.decide(BO, grant.id, "approve", None, grant.payload.digest)
    run = {"run_id": "r" * 32, "operation": "x", **RUN, "backend": {"name": "bound_one", "type": "x"}}
    if differs is None:
        assert team.permits.decide({**run, **change}, ADA.by("k1"))["grant_id"] == grant.id
        return
    with pytest.raises(Denied) as refusal:
        team.permits.decide({**run, **change}, ADA.by("k1"))
    assert refusal.value.code == "run.other_payload"
    assert differs in refusal.value.detail


# -- results after the grant ------------------------------------------------------------------------


def test_results_of_submitted_jobs_may_be_read_when_the_grant_is_over(team, ask, clock, broker):
    grant = approve(team, ask(), BO, CY, SEC)
    for job in ("job-1", "job-2", "job-1"):
        retrieve = team.retrieval.submitted(ADA.by("k1"), "premium", job)
    assert (retrieve.scope, retrieve.parent, retrieve.jobs) == ("retrieve", grant.id, ("job-1", "job-2"))
    team.ending.kernel_ended(ADA, "k1")
    assert state(team, grant) == "revoked"
    assert state(team, retrieve) == "active"
    team.ending.end_server(ADA.server_id)
    team.ending.reconcile("another")
    assert state(team, retrieve) == "active"
    clock.forward(days=30, seconds=1)
    team.access.keep_time()
    assert state(team, retrieve) == "expired"


def test_retrieve_grant_submits_nothing_and_opens_no_delivered_credential(team, ask):
    approve(team, ask(), BO, CY, SEC)
    team.retrieval.submitted(ADA.by("k1"), "premium", "job-1")
    team.ending.kernel_ended(ADA, "k1")
    for kernel in ("k1", "k2"):
        with pytest.raises(Denied):
            team.issuing.issue(ADA.by(kernel), "premium")
        assert team.lookup.active(ADA.by(kernel), "premium") is None


# -- locks ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "name"),
    [("user", "ada"), ("role", "researcher"), ("server", "server-ada"), ("target", "open"), ("site", "")],
)
def test_lock_ends_what_it_holds_for_and_lets_nothing_new_begin(team, ask, broker, kind, name):
    grant = ask("open")
    team.issuing.issue(ADA.by("k1"), "open")
    lock, ended = team.ending.lock(SEC, kind, name, "incident 7")
    assert ended == [grant.id]
    assert broker.open == {}
    with pytest.raises(Denied) as refusal:
        ask("open")
    assert "what-is-locked-stays-locked" in refusal.value.detail
    team.ending.lift(SEC, lock.id)
    assert ask("open").state == "active"
    assert state(team, grant) == "revoked"


def test_lock_holds_over_a_restart(team, ask, make_plane):
    team.ending.lock(SEC, "user", "ada", "incident 7")
    team.close()
    team.gone = True
    again = make_plane(ADA.principal, "server-ada", single_user=False)
    with pytest.raises(Denied):
        again.access.request(ADA.by("k1"), Wish("open", "k1", "r"))


def test_only_admins_lock_and_a_locked_approver_decides_nothing(team, ask):
    for who in (ADA, BO, AUDITOR, SEC.by("k1")):
        with pytest.raises(Denied):
            team.ending.lock(who, "site", "", "because")
    grant = ask()
    lock, _ = team.ending.lock(SEC, "user", "bo", "incident 7")
    with pytest.raises(Denied):
        approve(team, grant, BO)
    with pytest.raises(Conflict):
        team.ending.lock(SEC, "user", "bo", "twice")
    team.ending.lift(SEC, lock.id)
    with pytest.raises(NotFound):
        team.ending.lift(SEC, lock.id)
    for kind, name, why in (("planet", "x", "r"), ("user", "", "r"), ("user", "x", " ")):
        with pytest.raises(Invalid):
            team.ending.lock(SEC, kind, name, why)


def test_ledger_names_no_locked_person(team, tmp_path):
    team.ending.lock(SEC, "user", "ada.lovelace", "she lost her laptop")
    written = b"".join(
        path.read_bytes() for path in (tmp_path / "journal-0" / "ledger").rglob("*") if path.is_file()
    )
    assert b"lock.set" in written
    assert b"lovelace" not in written
    assert b"laptop" not in written


# -- projects, classes, roles, caps -----------------------------------------------------------------


def test_project_is_for_its_members_and_its_targets(ask):
    assert ask("open", project="chem").data_class == "confidential"
    with pytest.raises(Denied) as refusal:
        ask("open", caller=CY, project="chem")
    assert "projects-are-for-their-members" in refusal.value.detail
    with pytest.raises(Invalid) as refusal:
        ask("bound", project="chem", payload=RUN)
    assert refusal.value.code == "request.project_target"
    with pytest.raises(NotFound):
        ask("open", project="alchemy")


def test_data_class_decides_the_target_and_the_review(ask):
    with pytest.raises(Denied) as refusal:
        ask("premium", data_class="restricted")
    assert "data-class-decides-the-target" in refusal.value.detail
    assert ask("open", data_class="restricted").state == "requested"
    assert ask("open", data_class="public", project="chem").data_class == "confidential"
    with pytest.raises(Invalid):
        ask("open", data_class="secret")


def test_developers_stay_out_of_production(ask):
    assert ask("open", caller=DEV).state == "active"
    with pytest.raises(Denied):
        ask("premium", caller=DEV)


def test_one_person_holds_only_so_many(ask, team):
    grants = [ask("open") for _ in range(4)]
    with pytest.raises(Denied) as refusal:
        ask("open")
    assert refusal.value.code == "request.too_many"
    team.ending.end(ADA, grants[0].id, "revoke")
    assert ask("open").state == "active"


def test_a_right_to_read_results_is_no_request(ask, team):
    approve(team, ask(), BO, CY, SEC)
    assert team.retrieval.submitted(ADA.by("k1"), "premium", "job-1").scope == "retrieve"
    for _ in range(3):
        ask("open")
    with pytest.raises(Denied) as refusal:
        ask("open")
    assert refusal.value.code == "request.too_many"


# -- shared kernels ---------------------------------------------------------------------------------


def test_shared_kernel_gets_the_least_of_those_present(team, ask):
    grant = ask("open")
    assert team.ending.share(ADA.by("k1"), [CY.principal]) == []
    ended = team.ending.share(ADA.by("k1"), [CY.principal, Principal("guest", "Guest", "unknown")])
    assert ended == [grant.id]
    with pytest.raises(Denied):
        ask("open")
    assert team.ending.share(ADA.by("k1"), []) == []
    assert ask("open").state == "active"


def test_project_work_in_a_shared_kernel_is_for_members_only(team, ask):
    grant = ask("open", project="chem")
    assert team.ending.share(ADA.by("k1"), [CY.principal]) == [grant.id]


# -- the table of transitions -----------------------------------------------------------------------


def test_no_path_of_the_table_reaches_active_without_approval():
    reached, seen = {"requested"}, set()
    while reached:
        here = reached.pop()
        seen.add(here)
        reached |= {to for (at, event), to in TRANSITIONS.items() if at == here and event != "approve"} - seen
    assert "active" not in seen
    assert set(TRANSITIONS.values()) <= set(GRANT_STATES)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["approve", "deny", "cancel", "revoke", "extend", "time", "issue"]),
        st.sampled_from([ADA, BO, CY, SEC, DEV, AUDITOR, ADA.by("k1"), BO.by("k1")]),
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_whatever_is_tried_nobody_holds_a_grant_that_the_reviewers_did_not_approve(team, clock, steps):
    for grant in team.lookup.listed(ADA):
        if not grant.ended_at:
            team.ending.end(ADA, grant.id, "revoke" if grant.state != "requested" else "cancel")
    grant = team.access.request(ADA.by("k1"), Wish("premium", "k1", "r", duration="10m"))
    for step, who in steps:
        try:
            if step in {"approve", "deny"}:
                team.access.decide(who, grant.id, step)
            elif step in {"cancel", "revoke"}:
                team.ending.end(who, grant.id, step)
            elif step == "extend":
                team.access.extend(who, grant.id, "10m", "r")
            elif step == "issue":
                team.issuing.issue(who, "premium")
            else:
                clock.forward(minutes=3)
                team.access.keep_time()
        except QsecError:
            pass
        now = team.lookup.get(grant.id, SEC)
        votes = {(vote.round, vote.subject) for vote in now.votes if vote.verdict == "approve"}
        if now.activated_at:
            assert {subject for number, subject in votes if number == 0} == {"bo", "cy"}
            assert {subject for number, subject in votes if number == 1} == {"sec"}
