"""Claim: a value is replaced by people who may and seen by nobody; what leaks or leaves is ended or named."""

import json
from dataclasses import replace

import pytest
from several_people import PEOPLE, team

from qsec_jupyter.control.credentials.broker import TargetSource
from qsec_jupyter.control.upkeep import ends_on_finding
from qsec_jupyter.scan.literals import ISSUED

__all__ = ["team"]

PASTED = "pasted-k3y-f0r-the-open-target-0001"
PATH = "/v1/targets/open/secret"
FINDING = {
    "rule": ISSUED, "title": "t", "severity": "critical", "surface": "output", "path": "a.ipynb", "cell": 0,
    "cell_id": "c", "line": 1, "column": 1, "fingerprint": "f" * 64, "remedy": "r", "action": "redacted",
    "target": "open",
}  # fmt: skip


def put(team, name="adm", value=PASTED, **kwargs):
    return team.ask(name, "POST", PATH, {"values": {"": value}}, **kwargs)


def test_pasted_value_is_handed_out_and_shown_nowhere_else(team, tmp_path) -> None:
    status, kept = put(team, value=f"{PASTED}\n")
    assert (status, kept) == (
        200,
        {"target": "open", "where": "the embedded sealed store", "parts": ["token"]},
    )
    team.request("ada", "open")
    assert team.credential("ada", "open")[1]["value"] == PASTED
    for path in ("/v1/state", "/v1/targets", "/v1/events?limit=500", "/v1/health"):
        assert PASTED not in json.dumps(team.ask("adm", "GET", path)[1])
    assert "credential.rotated" in json.dumps(team.ask("adm", "GET", "/v1/events")[1])
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert len(files) > 5
    assert [file for file in files if PASTED.encode() in file.read_bytes()] == []


@pytest.mark.parametrize("name", ["ada", "bo", "dev", "op", "aud", "guest"])
def test_who_may_not_replace_a_value_does_not(team, name) -> None:
    status, problem = put(team, name)
    assert (status, problem["code"]) == (403, "policy.denied")
    assert PASTED not in json.dumps(problem)


def test_no_kernel_replaces_a_value_not_even_an_administrators(team) -> None:
    assert put(team, kernel="k1")[0] == 403
    assert put(team, kernel="")[0] == 403


@pytest.mark.parametrize(
    "values",
    [{}, {"": ""}, {"": " \n"}, {"password": "x"}, {"": "x" * 70_000}, {"": 5}, None, ["x"]],
)
def test_nonsense_is_refused_and_never_repeated(team, values) -> None:
    status, problem = team.ask("adm", "POST", PATH, {"values": values})
    assert status == 422
    assert "xxxx" not in json.dumps(problem)


@pytest.mark.parametrize("name", ["nowhere", "..", "%2e%2e", "open%2f..%2fpremium"])
def test_path_leads_to_no_other_target(team, name) -> None:
    assert team.ask("adm", "POST", f"/v1/targets/{name}/secret", {"values": {"": "x"}})[0] in {404, 405, 422}


# -- leaks ----------------------------------------------------------------------------------------


def test_leak_ends_what_is_held_where_the_catalogue_says_so(team, tmp_path) -> None:
    grant, other = team.request("ada", "open"), team.request("cy", "open")
    report = {"path": "a.ipynb", "findings": [FINDING]}
    assert team.ask("ada", "POST", "/v1/findings", report)[1] == {"recorded": 1, "ended": []}  # a kv value
    catalogue = (tmp_path / "catalog.toml").read_text()
    wanted = catalogue.replace(
        'path = "targets/open", field = "token" }',
        'path = "targets/open", field = "token", revoke_on_finding = true }',
    )
    (tmp_path / "catalog.toml").write_text(wanted)
    for _ in range(3):
        team.plane.reload_policy()
    again = {**report, "findings": [{**FINDING, "fingerprint": "e" * 64}]}
    assert team.ask("ada", "POST", "/v1/findings", again)[1] == {"recorded": 1, "ended": [grant["id"]]}
    assert team.credential("ada", "open")[0] == 403
    assert team.state(other) == "active"  # somebody else's server found nothing
    assert team.ask("ada", "POST", "/v1/findings", again)[1] == {"recorded": 0, "ended": []}
    shown = team.ask("ada", "GET", "/v1/state")[1]["grants"]
    assert next(one["decision_comment"] for one in shown if one["id"] == grant["id"]).startswith(
        "Its credential"
    )


def test_other_findings_and_kernels_end_nothing(team) -> None:
    grant = team.request("ada", "open")
    other = {**FINDING, "rule": "aws-access-key"}
    team.ask("ada", "POST", "/v1/findings", {"path": "a.ipynb", "findings": [other]})
    body = {"path": "a.ipynb", "findings": [FINDING]}
    assert team.ask("ada", "POST", "/v1/findings", body, kernel="k1")[0] == 403
    assert team.state(grant) == "active"


@pytest.mark.parametrize(
    ("engine", "said", "ends"),
    [("database", None, True), ("kv-v2", None, False), ("kv-v2", True, True), ("database", False, False)],
)
def test_what_a_leak_ends_by_itself(engine, said, ends) -> None:
    assert ends_on_finding(TargetSource(engine, "x", revoke_on_finding=said)) is ends


# -- leavers --------------------------------------------------------------------------------------


def rotation(team):
    team.plane.events.settle()
    team.plane.health.look()
    checks = team.ask("adm", "GET", "/v1/health")[1]["checks"]
    return next(one for one in checks if one["name"] == "rotation")


def test_value_that_a_leaver_was_handed_is_named_until_it_is_replaced(team) -> None:
    team.request("ada", "open")
    assert team.credential("ada", "open")[0] == 200
    assert rotation(team)["ok"]
    team.plane.person_changed(replace(PEOPLE[0], roles=(), groups=()))
    told = rotation(team)
    assert not told["ok"]
    assert "open" in told["detail"]
    assert put(team)[0] == 200
    assert rotation(team)["ok"]
