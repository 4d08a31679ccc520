"""Claim: no grant is longer, earlier, more or for more than its target allows, and none begins under a lock.

Everything goes over HTTP, each person with a bearer of their own; the clock is set by hand.
"""

from concurrent.futures import ThreadPoolExecutor

import pytest
from catalogue import target
from control_fakes import Clock
from several_people import CATALOGUE, PEOPLE, Team, client_of, open_plane, team_at

from qsec_jupyter.control import tables
from qsec_jupyter.core.model import moment

TERMS = """
[caps]
grants_per_user = 4

[data_classes]
default = "internal"
floor = "internal"

[projects.secret]
members = ["ada"]
data_class = "restricted"
targets = ["open", "office"]
"""
OFFICE = 'windows = ["mon-fri 08:00-18:00"]\nclasses = ["public", "internal"]'


@pytest.fixture
def clock():
    return Clock()  # a Saturday


@pytest.fixture
def team(tmp_path, clock):
    with team_at(tmp_path, TERMS + target("office", OFFICE) + CATALOGUE, clock=clock) as found:
        yield found


def asked(team, name="ada", target="open", **more):
    return team.ask(name, "POST", "/v1/grants", {"target": target, "reason": "r", "kernel_id": "k1", **more})


def approved(team, grant):
    for name in ("bo", "cy", "sec"):
        team.approve(name, grant)
    return team.ask("aud", "GET", f"/v1/grants/{grant['id']}")[1]


def hours(grant) -> float:
    return (moment(grant["expires_at"]) - moment(grant["activated_at"])).total_seconds() / 3600


# -- how long ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "duration",
    ["9h", "8h1s", "99999999999999h", "-1h", "0m", "1e9h", "inf", "nan", "١h", "8h 8h", "PT9H", ""],
)
def test_no_way_of_writing_a_duration_is_longer_than_allowed(team, duration) -> None:
    status, grant = asked(team, duration=duration)
    assert status in {201, 422}, grant
    assert status == 422 or 0 < hours(grant) <= 8


def test_extensions_that_wait_side_by_side_do_not_add_up_past_the_cap(team) -> None:
    grant = approved(team, team.request(duration="1h"))
    more = {"duration": "2h", "reason": "more"}
    waiting = [team.ask("ada", "POST", f"/v1/grants/{grant['id']}/extend", more) for _ in range(3)]
    assert {status for status, _ in waiting} == {201}
    for _, extension in waiting:
        approved(team, extension)
    assert hours(team.ask("ada", "GET", f"/v1/grants/{grant['id']}")[1]) == 4


def test_nobody_lengthens_what_is_not_theirs_or_over(team, clock) -> None:
    grant = team.request("ada", "open", duration="1h")
    path, more = f"/v1/grants/{grant['id']}/extend", {"duration": "1h", "reason": "r"}
    for name in ("bo", "cy", "adm", "aud", "guest"):
        assert team.ask(name, "POST", path, more)[0] in {403, 404}, name
    assert team.ask("ada", "POST", path, more, kernel="k2")[0] in {403, 404}
    clock.forward(hours=1, seconds=1)
    team.plane.access.keep_time()
    assert team.ask("ada", "POST", path, more)[0] == 409
    assert team.credential("ada", "open")[0] == 403


# -- when -------------------------------------------------------------------------------------------


def test_nothing_is_active_outside_the_targets_hours(team, clock) -> None:
    for start in (None, "2026-01-31T10:00:00Z", "2020-01-06T10:00:00Z", "2026-02-02T03:00:00Z"):
        status, grant = asked(team, target="office", duration="8h", start=start)
        assert (status, grant["state"]) == (201, "approved"), grant
        assert team.credential("ada", "office")[0] == 403
        assert team.ask("ada", "POST", f"/v1/grants/{grant['id']}/cancel", {})[0] in {200, 409}
        team.ask("ada", "POST", f"/v1/grants/{grant['id']}/revoke", {})
    clock.forward(days=2, hours=8)  # Monday, 17:00
    status, grant = asked(team, target="office", duration="8h")
    assert (grant["state"], hours(grant)) == ("active", 1)
    team.ask("ada", "POST", f"/v1/grants/{grant['id']}/extend", {"duration": "4h", "reason": "r"})
    assert hours(team.ask("ada", "GET", f"/v1/grants/{grant['id']}")[1]) == 1


@pytest.mark.parametrize("start", ["9999-12-31T23:59:59Z", "2026-02-01T09:00:00", "tomorrow", "1e400", "-1"])
def test_a_start_that_is_none_or_far_ahead_is_refused(team, start) -> None:
    assert asked(team, start=start)[0] == 422


# -- how many ---------------------------------------------------------------------------------------


def test_requests_at_the_same_moment_do_not_pass_the_cap(team) -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda n: asked(team, kernel_id=f"k{n}")[0], range(16)))
    assert answers.count(201) == 4, answers
    assert set(answers) == {201, 403}


def test_credentials_at_the_same_moment_do_not_pass_the_cap(team, tmp_path) -> None:
    for number in range(4):
        team.request("ada", "open", f"k{number}")
    catalogue = (tmp_path / "catalog.toml").read_text()
    (tmp_path / "catalog.toml").write_text(catalogue.replace("[caps]", "[caps]\nleases_per_user = 1"))
    for _ in range(3):
        team.plane.reload_policy()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: team.credential("ada", "open", f"k{n % 4}")[0], range(8)))
    assert sorted(set(answers)) == [200, 403], answers
    held = {row["grant_id"] for row in team.plane.store.rows(tables.sessions, {"ended": False})}
    assert len(held) == 1


# -- for what ---------------------------------------------------------------------------------------


def test_restricted_work_waits_for_a_person_also_where_the_target_does_not(team) -> None:
    assert asked(team, data_class="restricted")[1]["state"] == "requested"
    for told in ("public", None):  # the project's class is not lowered by the notebook's
        status, grant = asked(team, project="secret", data_class=told)
        assert (status, grant["state"], grant["data_class"]) == (201, "requested", "restricted")
    for odd in ("RESTRICTED", "secret", "", "internal "):
        assert asked(team, data_class=odd)[0] == 422, odd


def test_class_below_the_floor_is_the_floor_and_a_class_too_high_for_the_target_is_refused(team) -> None:
    assert asked(team, data_class="public")[1]["data_class"] == "internal"
    assert asked(team, target="office", data_class="confidential")[0] == 403
    assert asked(team, target="office", project="secret")[0] == 403


def test_a_project_is_for_its_members_and_its_targets(team) -> None:
    assert asked(team, "cy", project="secret")[0] == 403
    assert asked(team, target="premium", project="secret")[0] == 422
    assert asked(team, project="../secret")[0] in {404, 422}


@pytest.mark.parametrize("name", ["ada", "op", "dev"])
def test_an_emergency_opens_nothing_that_the_catalogue_does_not_name(team, name) -> None:
    assert asked(team, name, target="premium", break_glass=True)[0] == 403


# -- under a lock -----------------------------------------------------------------------------------

LOCKS = [("user", "ada"), ("role", "researcher"), ("server", "server-ada"), ("target", "open"), ("site", "")]


def tool_of(team) -> dict[str, str]:
    body = {"scopes": ["submit"], "targets": ["open"], "seconds": 600, "label": "tool"}
    return {"Authorization": f"Bearer {team.ask('ada', 'POST', '/v1/tokens', body)[1]['bearer']}"}


@pytest.mark.parametrize(("kind", "name"), LOCKS, ids=lambda told: told or "all")
def test_no_route_begins_anything_under_a_lock(team, kind, name) -> None:
    tool = tool_of(team)
    held, waits = team.request("ada", "open"), asked(team, data_class="restricted", kernel_id="k2")[1]
    assert team.credential("ada", "open")[0] == 200
    lock = {"kind": kind, "name": name, "reason": "incident"}
    status, told = team.ask("adm", "POST", "/v1/locks", lock)
    assert (status, set(told["ended"]) >= {held["id"]}) == (201, True)

    def tried():
        yield asked(team)[0]
        yield asked(team, kernel_id="k9", start="2026-01-31T12:00:00Z")[0]
        yield team.credential("ada", "open")[0]
        yield team.ask("ada", "POST", f"/v1/grants/{held['id']}/extend", {"duration": "1m", "reason": "r"})[0]
        yield team.approve("bo", waits)
        yield team.client.post("/v1/grants", json={"target": "open", "reason": "r"}, headers=tool).status_code
        yield team.client.post("/v1/credentials", json={"target": "open"}, headers=tool).status_code

    assert all(answer in {403, 404, 409} for answer in tried()), list(tried())
    for who in ("ada", "bo", "dev", "aud"):
        assert team.ask(who, "POST", f"/v1/locks/{told['lock']['id']}/lift", {})[0] == 403, who
        assert team.ask(who, "POST", "/v1/locks", lock)[0] == 403, who
    assert team.ask("adm", "POST", f"/v1/locks/{told['lock']['id']}/lift", {}, kernel="k1")[0] == 403
    assert team.ask("adm", "POST", f"/v1/locks/{told['lock']['id']}/lift", {})[0] == 200
    assert team.state(held) == "revoked"
    assert team.credential("ada", "open")[0] == 403
    assert asked(team)[0] == 201


def test_a_lock_outlives_its_control_plane(team, tmp_path, clock, monkeypatch) -> None:
    team.ask("adm", "POST", "/v1/locks", {"kind": "user", "name": "ada", "reason": "incident"})
    team.plane.close()
    plane = open_plane(tmp_path, clock=clock)
    again = Team(plane, client_of(plane))
    assert asked(again)[0] == 403
    assert asked(again, "cy")[0] == 201
    plane.close()


def test_everybody_is_still_who_they_were(team) -> None:
    """The tests above would prove little if nobody could do anything."""
    assert asked(team)[1]["state"] == "active"
    assert approved(team, team.request(kernel="k3"))["state"] == "active"
    assert [who.name for who in PEOPLE][:4] == ["ada", "bo", "cy", "sec"]
