"""Claim: what somebody holds, is refused and may see goes with the person, not with their name.

A new name loses nothing and is no way around a cap or a lock; whoever gets the old name gets nothing with it.
Everything goes over HTTP, each person with a bearer of their own; at the end the program itself on a laptop.
"""

import getpass
import os
from dataclasses import replace

import pytest
from control_child import USER, children
from several_people import CATALOGUE, PEOPLE, team_at

from qsec_jupyter.server.identity import owner

ADA = PEOPLE[0]
CAPS = "[caps]\ngrants_per_user = 2\nleases_per_user = 1\n"


@pytest.fixture
def team(tmp_path):
    with team_at(tmp_path, CAPS + CATALOGUE) as found:
        yield found


def rename(team) -> str:
    """Ada comes in under another name, at the server that is still hers."""
    return team.join(replace(ADA, name="lovelace", display_name="Lovelace"), "server-ada")


def newcomer(team) -> str:
    """Somebody else comes in under Ada's name, even at her server, as if an operator had mixed them up."""
    team.plane.callers.remove("server-ada")
    return team.join(replace(ADA, subject="id-of-another", groups=()), "server-ada")


def as_lovelace(team, method, path, body=None, **more):
    return team.ask("lovelace", method, path, body, server="server-ada", **more)


def as_newcomer(team, method, path, body=None, **more):
    return team.ask("ada", method, path, body, server="server-ada", **more)


def grants(answer) -> list[str]:
    assert answer[0] == 200, answer
    return [grant["id"] for grant in answer[1]["grants"]]


def ask_for(ask, team, target, kernel):
    return ask(team, "POST", "/v1/grants", {"target": target, "reason": "r", "kernel_id": kernel})


# -- the same person under another name -------------------------------------------------------------


def test_renamed_between_request_and_approval_holds_what_was_approved(team) -> None:
    grant = team.request("ada", "premium")
    rename(team)
    assert [team.approve(name, grant) for name in ("bo", "cy", "sec")] == [200] * 3
    assert grants(as_lovelace(team, "GET", "/v1/state")) == [grant["id"]]
    assert as_lovelace(team, "GET", f"/v1/grants/{grant['id']}")[1]["state"] == "active"
    assert as_lovelace(team, "POST", f"/v1/grants/{grant['id']}/revoke", {})[1]["state"] == "revoked"


def test_renamed_holder_uses_and_lengthens_what_they_had(team) -> None:
    grant = team.request("ada", "open", duration="10m")
    rename(team)
    status, issued = as_lovelace(team, "POST", "/v1/credentials", {"target": "open"}, kernel="k1")
    assert (status, issued["grant_id"]) == (200, grant["id"])
    more = {"duration": "5m", "reason": "longer"}
    assert as_lovelace(team, "POST", f"/v1/grants/{grant['id']}/extend", more)[0] == 201


def test_a_new_name_is_no_way_around_the_cap_of_grants(team) -> None:
    for kernel in ("k1", "k2"):
        team.request("ada", "open", kernel)
    rename(team)
    status, problem = ask_for(as_lovelace, team, "open", "k3")
    assert (status, problem["code"]) == (403, "request.too_many")


def test_a_new_name_is_no_way_around_the_cap_of_leases(team) -> None:
    team.request("ada", "open", "k1")
    assert team.credential("ada", "open", "k1")[0] == 200
    rename(team)
    assert ask_for(as_lovelace, team, "open", "k2")[0] == 201
    status, problem = as_lovelace(team, "POST", "/v1/credentials", {"target": "open"}, kernel="k2")
    assert (status, problem["code"]) == (403, "credential.cap")


def test_a_new_name_is_no_way_around_a_lock(team) -> None:
    lock = {"kind": "user", "name": "ada", "reason": "incident"}
    status, locked = team.ask("adm", "POST", "/v1/locks", lock)
    assert status == 201
    rename(team)
    assert ask_for(as_lovelace, team, "open", "k1")[0] == 403
    team.plane.locks._locks = type(team.plane.locks)(  # as after a restart
        team.plane.store, team.plane.audit, team.plane.people, team.plane.changes, team.plane.access._clock
    )._locks
    assert ask_for(as_lovelace, team, "open", "k1")[0] == 403
    assert team.ask("adm", "POST", f"/v1/locks/{locked['lock']['id']}/lift", {})[0] == 200
    assert ask_for(as_lovelace, team, "open", "k1")[0] == 201


def test_a_lock_of_the_old_name_ends_what_the_renamed_hold(team) -> None:
    grant = team.request("ada", "open")
    rename(team)
    team.ask("adm", "POST", "/v1/locks", {"kind": "user", "name": "lovelace", "reason": "incident"})
    assert team.state(grant) == "revoked"


def test_the_ledger_knows_one_person_under_both_names(team) -> None:
    team.request("ada", "open")
    rename(team)
    ask_for(as_lovelace, team, "open", "k2")
    events = as_lovelace(team, "GET", "/v1/events?kind=grant.requested")[1]["events"]
    assert [event["actor"] for event in events] == ["lovelace", "lovelace"]
    assert [event["requester"] for event in events] == ["lovelace", "lovelace"]


def test_a_tool_of_the_old_name_is_still_theirs_to_end(team) -> None:
    body = {"scopes": ["submit"], "targets": ["open"], "seconds": 60, "label": "tool"}
    token = team.ask("ada", "POST", "/v1/tokens", body)[1]
    rename(team)
    assert [one["id"] for one in as_lovelace(team, "GET", "/v1/tokens")[1]] == [token["id"]]
    assert as_lovelace(team, "POST", f"/v1/tokens/{token['id']}/revoke")[0] == 200


# -- another person under the old name --------------------------------------------------------------


def test_whoever_gets_the_old_name_sees_and_ends_nothing_of_its_former_owner(team) -> None:
    asked, held = team.request("ada", "premium"), team.request("ada", "open", "k2")
    body = {"scopes": ["submit"], "targets": ["open"], "seconds": 60, "label": "tool"}
    token = team.ask("ada", "POST", "/v1/tokens", body)[1]
    rename(team)
    newcomer(team)
    status, state = as_newcomer(team, "GET", "/v1/state")
    assert (status, state["grants"], state["runs"], state["findings"]) == (200, [], [], [])
    assert as_newcomer(team, "GET", "/v1/events")[1]["events"] == []
    assert as_newcomer(team, "GET", "/v1/tokens")[1] == []
    assert as_newcomer(team, "GET", "/v1/jobs")[1]["jobs"] == []
    assert as_newcomer(team, "GET", "/v1/runs")[0] == 403
    assert as_newcomer(team, "POST", f"/v1/tokens/{token['id']}/revoke")[0] == 404
    for kernel in (None, "k2"):
        for grant in (asked, held):
            path = f"/v1/grants/{grant['id']}"
            assert as_newcomer(team, "GET", path, kernel=kernel)[0] == 404
            for verb, told in (("revoke", {}), ("cancel", {}), ("extend", {"duration": "5m"})):
                assert as_newcomer(team, "POST", f"{path}/{verb}", told, kernel=kernel)[0] in {403, 404}, verb
        assert as_newcomer(team, "POST", "/v1/credentials", {"target": "open"}, kernel=kernel)[0] == 403
    assert [team.state(grant) for grant in (asked, held)] == ["requested", "active"]


def test_whoever_gets_the_old_name_begins_with_caps_of_their_own(team) -> None:
    for kernel in ("k1", "k2"):
        team.request("ada", "open", kernel)
    newcomer(team)
    assert ask_for(as_newcomer, team, "open", "k3")[0] == 201


def test_whoever_gets_the_old_name_inherits_no_series(team) -> None:
    grant = team.request("ada", "premium")
    series = {"grant_id": grant["id"], "times": 5, "days": 1}
    assert team.ask("bo", "POST", "/v1/series", series)[0] == 201
    newcomer(team)
    status, wanted = ask_for(as_newcomer, team, "premium", "k5")
    assert (status, wanted["state"]) == (201, "requested")


def test_in_a_shared_kernel_a_name_that_two_people_had_counts_as_both(team) -> None:
    """The Jupyter Server tells names only; the least of whoever it may be holds."""
    team.join(replace(PEOPLE[4], name="bo", subject="id-other-bo", roles=()), "server-other-bo")
    grant = team.request("ada", "open")
    body = {"names": ["ada", "bo"]}
    status, ended = team.ask("ada", "POST", "/v1/kernels/k1/shared", body)
    assert (status, ended["ended"]) == (200, [grant["id"]])


# -- the control plane of one Jupyter Server --------------------------------------------------------

LAPTOP = {**USER, "subject": "uid:1000"}


def requested(child) -> list[str]:
    status, told = child.ask("GET", "/v1/events?kind=grant.requested")
    assert status == 200, told
    return [event["actor"] for event in told["events"]]


def began_as(begin, user) -> None:
    """Start as somebody who asks for a target and is locked; end."""
    child = begin(user=user)
    assert child.grant()["state"] == "active"
    lock = {"kind": "user", "name": user["name"], "reason": "incident"}
    assert child.ask("POST", "/v1/locks", lock)[0] == 201
    child.close()


@pytest.mark.parametrize("before", [LAPTOP, USER], ids=["as-now", "before-a-subject-was-told"])
def test_renamed_account_keeps_its_journal_and_its_locks(tmp_path, before) -> None:
    with children(tmp_path) as begin:
        began_as(begin, before)
        begin(user=LAPTOP).close()  # the version that tells it comes before the new name
        renamed = begin(user={**LAPTOP, "name": "lovelace", "display_name": "Lovelace"})
        assert requested(renamed) == ["lovelace"]
        assert "locked" in str(renamed.grant())


def test_jupyter_server_tells_what_stays_when_the_account_or_the_hubs_user_is_renamed(monkeypatch) -> None:
    monkeypatch.delenv("JUPYTERHUB_USER", raising=False)
    subjects = set()
    for name in ("ada", "lovelace"):
        monkeypatch.setattr(getpass, "getuser", lambda name=name: name)
        subjects.add((owner()["name"], owner()["subject"]))
    assert subjects == {("ada", f"uid:{os.getuid()}"), ("lovelace", f"uid:{os.getuid()}")}
    monkeypatch.setenv("JUPYTERHUB_USER", "ada")
    assert owner()["subject"] == "ada"  # a Hub that tells no more
    monkeypatch.setenv("QSEC_USER_ID", "17")
    assert owner()["subject"] == "hub:17"
