"""Claim: nobody holds a grant that its reviewers, as they are now, have not approved as it is.

Everything goes over HTTP, each person with a bearer of their own.
"""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from several_people import PEOPLE, person, team

from qsec_jupyter.control.callers import Caller
from qsec_jupyter.core.model import moment
from qsec_jupyter.core.secret import Secret

__all__ = ["team"]

ADA, BO, CY, SEC = PEOPLE[:4]
PAYLOAD = {"circuits": ["a" * 64], "backend": "bound_one", "shots": 100}


def approver(who, **more):
    return replace(who, roles=("researcher", "approver"), groups=("owners", "security"), **more)


# -- one's own request ----------------------------------------------------------------------------


def own_routes(team, grant):
    """Return what each way to decide answers to its requester."""
    path = f"/v1/grants/{grant['id']}"
    yield team.ask("ada", "POST", f"{path}/approve", {})[0]  # the API
    yield team.ask("ada", "POST", f"{path}/approve", {}, kernel="k1")[0]  # a notebook
    yield team.ask("ada", "POST", f"{path}/approve", {}, kernel="")[0]  # a kernel without a name
    yield team.ask("ada", "POST", f"{path}/approve", {}, server="tab-2")[0]  # a second server of theirs
    yield team.ask("ada", "POST", "/v1/series", {"grant_id": grant["id"], "times": 2, "days": 1})[0]
    token = team.ask(
        "ada", "POST", "/v1/tokens", {"scopes": ["submit"], "targets": ["premium"], "seconds": 60}
    )
    bearer = {"Authorization": f"Bearer {token[1]['bearer']}"}  # a tool, such as a script in a terminal
    yield team.client.post(f"{path}/approve", json={}, headers=bearer).status_code


def test_self_approval_by_every_route(team) -> None:
    team.join(approver(ADA))
    team.join(approver(ADA), "tab-2")
    grant = team.request()
    assert list(own_routes(team, grant)) == [403] * 6
    assert team.state(grant) == "requested"
    assert team.ask("ada", "POST", "/v1/grants/deny", {"ids": [grant["id"]]})[1]["denied"] == [grant["id"]]


def test_self_approval_under_a_new_name(team) -> None:
    grant = team.request()
    team.join(approver(ADA, name="lovelace"))
    assert team.approve("lovelace", grant) == 403


def test_self_approval_under_a_new_subject_with_the_old_name(team) -> None:
    grant = team.request()
    team.join(approver(ADA, subject="id-new"), "other")
    assert team.ask("ada", "POST", f"/v1/grants/{grant['id']}/approve", {}, server="other")[0] == 403


def test_self_approval_after_joining_the_reviewers_in_between(team) -> None:
    grant = team.request()
    team.plane.person_changed(approver(ADA))
    assert team.approve("ada", grant) == 403
    assert team.approve("bo", grant) == 200
    assert team.approve("ada", grant) == 403


def test_request_cannot_carry_votes_or_a_decision(team) -> None:
    votes = [
        {"reviewer": name, "subject": f"id-{name}", "verdict": "approve", "round": 0} for name in ("bo", "cy")
    ]
    grant = team.request(votes=votes, state="active", decided_by="sec", requester="bo", requester_subject="x")
    assert (grant["state"], grant["votes"], grant["requester_subject"]) == ("requested", [], "id-ada")


# -- reviewers who are none any more ----------------------------------------------------------------


@pytest.mark.parametrize("change", [{"groups": ()}, {"roles": ("researcher",)}])
def test_vote_of_somebody_who_left_does_not_count(team, change) -> None:
    grant = team.request()
    assert team.approve("bo", grant) == 200
    team.plane.person_changed(replace(BO, **change))
    assert team.approve("cy", grant) == 200
    assert team.approve("sec", grant) == 403  # the first round is open again
    assert team.state(grant) == "requested"
    team.plane.person_changed(BO)  # back in the group: what they said stands
    assert team.approve("sec", grant) == 200
    assert team.state(grant) == "active"


def test_leaving_before_the_last_round_opens_the_first_again(team) -> None:
    grant = team.request()
    assert [team.approve(name, grant) for name in ("bo", "cy")] == [200, 200]
    team.plane.person_changed(replace(CY, groups=()))
    assert team.approve("sec", grant) == 403
    team.join(person("di", "approver", groups=("owners",)))
    assert [team.approve(name, grant) for name in ("di", "sec")] == [200, 200]
    assert team.state(grant) == "active"


def test_vote_does_not_outlive_a_restart_longer_than_its_reviewer_does(team) -> None:
    from several_people import Team, client_of, open_plane

    grant = team.request()
    team.approve("bo", grant)
    team.plane.person_changed(replace(BO, groups=()))
    home = team.plane._home
    team.plane.ending.end_server = lambda *_: []  # a crash: nothing is ended in order
    team.plane.close()
    plane = open_plane(home)
    try:
        again = Team.__new__(Team)
        again.plane, again.client = plane, client_of(plane)
        for who in (CY, SEC, PEOPLE[7]):
            again.join(who)
        assert again.state(grant) == "requested"
        assert again.approve("cy", grant) == 200
        assert again.approve("sec", grant) == 403
    finally:
        plane.close()


def test_locked_reviewers_vote_does_not_count(team) -> None:
    grant = team.request()
    team.approve("bo", grant)
    assert (
        team.ask("adm", "POST", "/v1/locks", {"kind": "user", "name": "bo", "reason": "incident"})[0] == 201
    )
    team.approve("cy", grant)
    assert team.approve("sec", grant) == 403


def test_approval_that_falls_before_the_start_starts_nothing(team, monkeypatch) -> None:
    now = team.plane.access._clock()
    start = f"{now.date().isoformat()}T23:59:59.000+00:00"
    start = max(now, moment(start))
    grant = team.request(start=start.isoformat().replace("+00:00", "Z"))
    for name in ("bo", "cy", "sec"):
        assert team.approve(name, grant) == 200
    assert team.state(grant) == "approved"
    team.plane.person_changed(replace(SEC, roles=()))
    for part in (team.plane.access, team.plane.lookup):
        monkeypatch.setattr(part, "_clock", lambda: start)
    team.plane.access.keep_time()
    assert team.state(grant) == "revoked"
    assert team.credential("ada", "premium")[0] == 403


# -- holders who are none any more ------------------------------------------------------------------


def test_who_leaves_loses_what_they_hold_at_once(team) -> None:
    grant = team.request("ada", "open")
    assert team.credential("ada", "open")[0] == 200
    assert team.plane.person_changed(replace(ADA, roles=())) == [grant["id"]]
    assert team.state(grant) == "revoked"
    assert team.credential("ada", "open")[0] == 403


def test_stale_group_of_a_holder_renews_and_issues_nothing(team) -> None:
    team.request("ada", "open")
    assert team.credential("ada", "open")[0] == 200
    kept = []
    team.plane.sessions.keep = kept.append
    team.plane.people.seen(replace(ADA, roles=()))  # told to nobody else
    team.plane.issuing.keep_alive()
    assert kept == []
    assert team.credential("ada", "open")[0] == 403


def test_tools_bearer_shrinks_with_its_owner(team) -> None:
    body = {"scopes": ["submit"], "targets": ["open"], "seconds": 600}
    bearer = {"Authorization": "Bearer " + team.ask("ada", "POST", "/v1/tokens", body)[1]["bearer"]}
    wish = {"target": "open", "reason": "r"}
    assert team.client.post("/v1/grants", json=wish, headers=bearer).status_code == 201
    team.plane.person_changed(replace(ADA, roles=("auditor",)))
    assert team.client.post("/v1/grants", json=wish, headers=bearer).status_code == 403
    assert team.client.post("/v1/credentials", json={"target": "open"}, headers=bearer).status_code == 403


# -- another payload --------------------------------------------------------------------------------


def test_approval_of_one_payload_approves_no_other(team) -> None:
    first = team.request(target="bound", payload=PAYLOAD)
    second = team.request(target="bound", payload={**PAYLOAD, "shots": 10_000}, kernel="k2")
    waiting = {one["id"]: one["payload_digest"] for one in team.ask("bo", "GET", "/v1/state")[1]["approvals"]}
    seen = waiting[first["id"]]
    assert team.approve("bo", second, payload_digest=seen) == 409
    assert team.approve("bo", second) == 409
    assert team.approve("bo", first, payload_digest=seen) == 200
    assert (team.state(first), team.state(second)) == ("active", "requested")


# -- who asks ---------------------------------------------------------------------------------------


def test_kernel_forges_no_identity_notebook_or_user(team) -> None:
    mine = team.request("cy", "open", "k1")
    forged = {"requester": "adm", "requester_roles": ["admin"], "server_id": "server-adm", "principal": "adm"}
    body = {"target": "open", "reason": "r", **forged}
    status, grant = team.ask(
        "ada", "POST", "/v1/grants", body, kernel="k1"
    )  # another server's kernel, same id
    assert (status, grant["requester"], grant["requester_roles"]) == (201, "ada", ["researcher"])
    assert team.ask("ada", "POST", "/v1/grants", {**body, "kernel_id": "k2"}, kernel="k1")[0] == 403
    assert team.ask("ada", "POST", f"/v1/grants/{mine['id']}/revoke", {}, kernel="k1")[0] == 403
    assert team.ask("ada", "GET", f"/v1/grants/{mine['id']}", kernel="k1")[0] == 404
    run = {"run_id": "f" * 32, "kind": "intent", "kernel_id": "k9", "principal": "adm", "notebook": "x.ipynb"}
    server = {"notebook": {"path": "real.ipynb"}}
    body = {"records": [run], "server": server}
    assert team.ask("ada", "POST", "/v1/runs", body, kernel="k1")[0] == 200
    (told,) = team.ask("ada", "GET", "/v1/runs", kernel="k1")[1]["runs"]
    assert (told["kernel_id"], told["notebook"]) == ("k1", "real.ipynb")
    assert "adm" not in str(team.ask("ada", "GET", "/v1/state")[1]["grants"])


@pytest.mark.parametrize(
    "name",
    [
        "../premium",
        "open/../premium",
        "%2e%2e/premium",
        "open\x00",
        "OPEN",
        "open ",
        "open\u200b",
        "",
        "targets/open",
    ],
)
def test_target_names_lead_nowhere(team, name) -> None:
    body = {"target": name, "reason": "r", "kernel_id": "k1"}
    assert team.ask("ada", "POST", "/v1/grants", body)[0] in {404, 422}
    assert team.credential("ada", name)[0] in {404, 422}


# -- whatever happens in whatever order -------------------------------------------------------------

MOVES = st.lists(
    st.tuples(
        st.sampled_from(["approve", "leave", "return", "time"]), st.sampled_from(["ada", "bo", "cy", "sec"])
    ),
    min_size=3,
    max_size=14,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=MOVES)
def test_no_order_of_votes_and_departures_activates_without_all_present(team, moves) -> None:
    for who in (ADA, BO, CY, SEC):
        team.plane.people.seen(who)
    for open_ in team.ask("ada", "GET", "/v1/state")[1]["grants"]:
        verb = "cancel" if open_["state"] == "requested" else "revoke"
        team.ask("ada", "POST", f"/v1/grants/{open_['id']}/{verb}", {})
    grant, gone, voted = team.request(), set(), set()
    known = {who.name: who for who in (ADA, BO, CY, SEC)}
    for move, name in moves:
        before = team.state(grant)
        if move == "approve" and team.approve(name, grant) == 200:
            voted.add(name)
        elif move == "leave":
            team.plane.person_changed(replace(known[name], roles=(), groups=()))
            gone.add(name)
        elif move == "return":
            team.plane.person_changed(known[name])
            gone.discard(name)
        else:
            team.plane.access.keep_time()
        after = team.state(grant)
        if before != "active" and after == "active":
            assert voted - gone >= {"bo", "cy", "sec"}
            assert "ada" not in gone


def test_bearer_of_one_person_is_never_another(team) -> None:
    team.plane.callers.add(Secret("bearer-of-ada-x", "bearer"), Caller(ADA, "server-x"))
    for wrong in ("bearer-of-ada-", "bearer-of-ada-x ", "BEARER-OF-ADA-X", "bearer-of-ada-x\n", ""):
        found = team.plane.callers.find(f"Bearer {wrong}")
        assert found is None or (wrong == "bearer-of-ada-" and found.server_id == "server-ada")
