"""What hangs on a grant at a real provider, from a real control plane: endings, comparison, reservations."""

import time
from datetime import datetime, timedelta, timezone

import pytest

pytest.importorskip("qiskit_ibm_runtime")

from gateway_bodies import sampler
from gateway_child import Gated, entry

from qsec_jupyter.control.gateway.jobs.reconciliation import SHORTEST

pytestmark = pytest.mark.timeout(240)

ENVELOPE = """
[targets.ibm-pilot.envelope]
max_shots = 10_000
on_end = "cancel"
[targets.ibm-pilot.envelope.quota]
user = { jobs = 4 }
"""


@pytest.fixture
def gated(tmp_path, sandbox):
    with Gated(tmp_path / "home", entry(sandbox) + ENVELOPE, {"ibm-pilot": sandbox.key}) as found:
        yield found


def within(seconds, holds):
    until = time.monotonic() + seconds
    while not (found := holds()) and time.monotonic() < until:
        time.sleep(0.05)
    return found


def state_of(sandbox, *ids):
    states = {job["id"]: job["state"]["status"] for job in sandbox.jobs()}
    return {states[one] for one in ids}


def submitted(gated, token, **job):
    answer = gated.call("POST", "/jobs", token, data=sampler(**job))
    assert answer.status_code == 200, answer.text
    return answer.json()["id"]


@pytest.mark.parametrize("how", ["revoked", "kernel", "lock"])
def test_queued_jobs_and_sessions_end_with_their_grant(gated, sandbox, how) -> None:
    sandbox.set(queue_seconds=120)
    grant = gated.grant()
    token = gated.credential()["value"]
    opened = gated.call("POST", "/sessions", token, json={"mode": "dedicated", "backend": "sandbox_manila"})
    session = opened.json()["id"]
    ids = [submitted(gated, token, mark=mark) for mark in range(2)]
    ids.append(submitted(gated, token, mark=9, session_id=session))
    assert len(gated.events("job.accepted")) == 3
    begin = time.monotonic()
    if how == "revoked":
        gated.revoke(grant)
    elif how == "kernel":
        gated.leave("k1")
    else:
        body = {"kind": "target", "name": "ibm-pilot", "reason": "incident"}
        assert gated.child.ask("POST", "/v1/locks", body)[0] == 201
    assert within(20, lambda: state_of(sandbox, *ids) == {"Cancelled"})
    took = time.monotonic() - begin
    assert within(20, lambda: len(gated.events("job.cancelled")) == 3)
    assert within(20, lambda: gated.events("job.session_closed"))
    assert took < 10, "two seconds on a machine of its own"
    closed = sandbox.call("GET", f"/sessions/{session}").json()
    assert closed["accepting_jobs"] is False


def test_the_envelope_and_the_quota_speak_to_the_client(gated, sandbox) -> None:
    before = len(sandbox.jobs())
    token = gated.token()
    refused = gated.call("POST", "/jobs", token, data=sampler(shots=10_001))
    assert refused.status_code < 500
    assert "envelope.shots" in refused.text
    for mark in range(4):
        submitted(gated, token, mark=mark)
    refused = gated.call("POST", "/jobs", token, data=sampler(mark=5))
    assert "quota.exceeded" in refused.text
    assert len(sandbox.jobs()) == before + 4


def test_a_job_that_did_not_come_through_the_gateway_is_found(gated, sandbox) -> None:
    ours = submitted(gated, gated.token())
    theirs = sandbox.call("POST", "/jobs", data=sampler(mark=3)).json()["id"]
    wait = SHORTEST.total_seconds()
    status, report = gated.child.ask("POST", "/v1/targets/ibm-pilot/reconciliations", {"days": 1})
    assert status == 200, report
    young = {one["job_id"] for one in report["findings"]}
    assert not {ours, theirs} & young, f"younger than {wait:g} s"
    time.sleep(wait + 1)
    report = gated.child.ask("POST", "/v1/targets/ibm-pilot/reconciliations", {"days": 1})[1]
    kinds = {one["job_id"]: one["kind"] for one in report["findings"]}
    assert kinds[theirs] == "foreign"
    assert ours not in kinds
    assert gated.events("target.reconciled")


def test_a_grant_waits_for_the_reservation_and_ends_with_it(tmp_path, sandbox) -> None:
    catalogue = entry(sandbox).replace('retrieve = "2d"', 'retrieve = "2d"\nreservations = true')
    now = datetime.now(timezone.utc)
    ends = now + timedelta(minutes=10)
    times = {"start": now.isoformat(), "end": ends.isoformat()}
    made = sandbox.admin(
        "POST", "reservations", {"instance": sandbox.crn, "backend": "sandbox_manila", **times}
    )
    gated = Gated(tmp_path / "home", catalogue, {"ibm-pilot": sandbox.key})
    try:
        grant = gated.grant()
        path = f"/v1/grants/{grant['id']}"
        assert within(30, lambda: gated.child.ask("GET", path)[1]["state"] == "active")
        until = datetime.fromisoformat(gated.child.ask("GET", path)[1]["expires_at"].replace("Z", "+00:00"))
        assert abs((until - ends).total_seconds()) < 2
        token = gated.credential()["value"]
        submitted(gated, token)
        refused = gated.call("POST", "/jobs", token, data=sampler(backend="sandbox_lima"))
        assert "envelope.reservation" in refused.text, "another device is not reserved"
    finally:
        sandbox.admin("DELETE", f"reservations/{made['id']}")
        gated.close()
