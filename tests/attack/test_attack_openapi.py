"""Claim: no request that the OpenAPI document describes breaks the control plane, whoever sends it, and none
reads what the table of permissions forbids its sender.

Schemathesis makes the requests from the document itself; each role sends them to one control plane, in which
others hold grants, credentials, series, locks and runs. Nothing is mocked.
"""

import json

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from several_people import PEOPLE, team_at

from qsec_jupyter.control import tables
from qsec_jupyter.control.app import openapi
from qsec_jupyter.core.model import ROLES

SECRET = "c4nary-value-of-the-open-target-77"
REASON = "reason-that-only-those-concerned-read"
FINDING = "finding-that-only-its-server-reads"
SENDERS = ("ada", "bo", "cy", "sec", "dev", "op", "adm", "aud", "guest")
EXAMPLES = 4

DOCUMENT = schemathesis.openapi.from_dict(openapi())
OPERATIONS = [result.ok() for result in DOCUMENT.get_all_operations()]
VIEW = {"approver", "admin", "auditor"}
"""Roles whose row ``view`` of docs/reference/permissions.md says yes."""

AUDIT = {"admin", "auditor"}


@pytest.fixture(scope="module")
def team(tmp_path_factory):
    with team_at(tmp_path_factory.mktemp("openapi")) as team:
        assert team.ask("adm", "POST", "/v1/targets/open/secret", {"values": {"": SECRET}})[0] == 200
        team.request("ada", "open", "kernel-of-ada", reason=REASON)
        assert team.credential("ada", "open", "kernel-of-ada")[1]["value"] == SECRET
        waiting = team.request("ada", "premium", "kernel-of-ada", reason=REASON)
        series = {"grant_id": waiting["id"], "times": 2, "days": 2}
        assert team.ask("bo", "POST", "/v1/series", series)[0] == 201
        run = {"run_id": "a" * 32, "kind": "intent", "framework": "qiskit", "time": "t", "operation": REASON}
        assert team.ask("ada", "POST", "/v1/runs", {"records": [run]}, kernel="kernel-of-ada")[0] == 200
        found = {
            "rule": "r", "title": FINDING, "severity": "low", "surface": "s", "path": "p", "cell": None,
            "cell_id": None, "line": 1, "column": 1, "fingerprint": "f", "remedy": "r",
        }  # fmt: skip
        report = {"path": "p", "findings": [found]}
        assert team.ask("ada", "POST", "/v1/findings", report)[1]["recorded"] == 1
        yield team


def roles(name):
    return {role for who in PEOPLE if who.name == name for role in who.roles}


def holder(team, grant_id):
    row = team.plane.store.one(tables.grants, {"id": grant_id}) if grant_id else None
    return row["requester"] if row else None


def permitted(team, name, kernel, operation, text, answer):
    """Assert that an answer holds nothing that the table of permissions forbids."""
    who, path = roles(name), operation.path
    if SECRET in text:
        assert (name, path) == ("ada", "/v1/credentials"), f"{name} read a credential at {path}"
    if REASON in text and name != "ada":
        assert who & VIEW, f"{name} read a reason at {path}"
    if FINDING in text and name != "ada":
        assert who & AUDIT, f"{name} read a finding at {path}"
    if path == "/v1/events" and "events" in answer:
        assert kernel is None
        if not who & AUDIT:
            for event in answer["events"]:
                involved = {event["actor"], event["requester"], event["details"].get("locked")}
                involved.add(holder(team, event["grant_id"]))
                assert name in involved, f"{name} read what concerns {involved}"


@pytest.mark.parametrize("kernel", [None, "kernel-of-ada"], ids=["person", "kernel"])
@pytest.mark.parametrize("name", SENDERS)
def test_no_request_breaks_it_or_reads_what_is_forbidden(team, name, kernel) -> None:
    for operation in OPERATIONS:
        _try(team, operation, name, kernel)


def _try(team, operation, name, kernel) -> None:
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def requests(case):
        sent = case.as_transport_kwargs(base_url="http://127.0.0.1")
        sent.pop("cookies", None)
        headers = {key: value for key, value in dict(sent.pop("headers", {})).items() if _sendable(value)}
        headers = {key: value for key, value in headers.items() if key.lower() not in {"qsec-kernel", "host"}}
        headers["Authorization"] = f"Bearer bearer-of-{name}-"
        if kernel is not None:
            headers["Qsec-Kernel"] = kernel
        if "wait" in (sent.get("params") or {}):
            sent["params"]["wait"] = 0
        answer = team.client.request(**sent, headers=headers)
        text = answer.text
        told = json.loads(text)
        assert answer.status_code < 500, f"{operation.label} by {name}: {answer.status_code} {text[:300]}"
        if answer.status_code < 300:
            operation.validate_response(answer)
        else:
            assert told["code"], operation.label
        permitted(team, name, kernel, operation, text, told if isinstance(told, dict) else {})

    requests()


def _sendable(value) -> bool:
    return isinstance(value, str) and value.isascii() and value.isprintable()


def test_every_role_and_every_route_takes_part() -> None:
    assert {role for name in SENDERS for role in roles(name)} == set(ROLES)
    assert len(OPERATIONS) >= 38
