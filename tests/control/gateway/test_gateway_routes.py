"""Jobs over the REST interface, and beside the runs that made them."""

import pytest
from gateway_jobs import ask, pass_of, send, submission
from starlette.testclient import TestClient

from qsec_jupyter.control.app import make_app
from qsec_jupyter.control.callers import Caller
from qsec_jupyter.core.model import Principal
from qsec_jupyter.core.secret import Secret

GRACE = Principal("grace", "Grace", "local account", roles=("researcher",))
AUDITOR = Principal("eve", "Eve", "local account", roles=("auditor",))


@pytest.fixture
def clients(lab, account):
    """Return a control plane and a client for each of its people."""
    plane = lab()
    made = {}
    for who in (plane.principal, GRACE, AUDITOR):
        plane.callers.add(Secret(f"bearer-of-{who.name}", "x"), Caller(who, "server-1"))
        headers = {"Authorization": f"Bearer bearer-of-{who.name}", "Host": "localhost"}
        made[who.name] = TestClient(make_app(plane), base_url="http://localhost", headers=headers)
    return plane, made


def test_people_see_their_jobs_and_auditors_all_but_not_what_was_written(clients, account) -> None:
    plane, client = clients
    admission = send(plane, pass_of(plane, ask(plane)), submission(), "job-1")
    (job,) = client["ada"].get("/v1/jobs").json()["jobs"]
    assert job["correlation_id"] == admission.correlation_id
    assert job["state"] == "accepted"
    assert client["grace"].get("/v1/jobs").json()["jobs"] == []
    assert [one["job_id"] for one in client["eve"].get("/v1/jobs").json()["jobs"]] == ["job-1"]
    for name in ("job-1", admission.correlation_id):
        assert client["ada"].get(f"/v1/jobs/{name}").json()["job_id"] == "job-1"
        assert client["grace"].get(f"/v1/jobs/{name}").status_code == 404
    exposed = client["ada"].get("/v1/jobs/job-1/exposure").json()
    assert exposed["fields"][0]["original"] == "my secret circuit"
    assert exposed["labels"] == ["pilot"]
    assert client["eve"].get("/v1/jobs/job-1/exposure").status_code == 404


def test_another_kernel_of_the_same_person_sees_nothing(clients) -> None:
    plane, client = clients
    send(plane, pass_of(plane, ask(plane)), submission(), "job-1")
    for kernel, count in (("k1", 1), ("k2", 0)):
        found = client["ada"].get("/v1/jobs", headers={"Qsec-Kernel": kernel}).json()["jobs"]
        assert len(found) == count


def test_one_cancels_ones_own_job_also_while_it_runs(clients, account, events) -> None:
    plane, client = clients
    account.take("job-1", send(plane, pass_of(plane, ask(plane)), submission(), "job-1").tag, "running")
    assert client["grace"].post("/v1/jobs/job-1/cancel").status_code == 404
    assert client["eve"].post("/v1/jobs/job-1/cancel").status_code == 404
    assert client["ada"].post("/v1/jobs/job-1/cancel").json()["state"] == "cancelled"
    assert [event["data"]["operation"] for event in events("job.changed")] == ["cancel"]
    assert client["ada"].post("/v1/jobs/job-1/cancel").status_code == 409


def test_who_may_read_everything_compares(clients, account, clock) -> None:
    _, client = clients
    account.take("theirs", created_at=clock())
    clock.forward(minutes=5)
    assert client["grace"].post("/v1/targets/lab/reconciliations", json={}).status_code == 403
    report = client["eve"].post("/v1/targets/lab/reconciliations", json={"days": 1}).json()
    assert [one["kind"] for one in report["findings"]] == ["foreign"]
    assert client["eve"].post("/v1/targets/nowhere/reconciliations", json={}).status_code == 404


def test_a_run_shows_the_job_that_the_gateway_saw_its_own_kernel_make(clients) -> None:
    plane, client = clients
    admission = send(plane, pass_of(plane, ask(plane)), submission(), "job-1")
    record = {
        "kind": "intent",
        "time": "2026-01-31T09:00:00Z",
        "operation": "x",
        "backend": {"name": "lab_5"},
    }
    for run_id, kernel in (("a" * 32, "k1"), ("b" * 32, "k2")):
        headers = {"Qsec-Kernel": kernel}
        body = {"records": [{**record, "run_id": run_id}]}
        assert client["ada"].post("/v1/runs", json=body, headers=headers).status_code == 200
        said = client["ada"].post(f"/v1/runs/{run_id}/job", json={"id": "job-1"}, headers=headers)
        assert said.status_code == 200
    runs = {run["run_id"][0]: run for run in client["ada"].get("/v1/runs").json()["runs"]}
    assert runs["a"]["gateway"]["correlation_id"] == admission.correlation_id
    assert runs["a"]["gateway"]["asserted_by"] == "control"
    assert runs["b"]["gateway"] is None, "another kernel's word makes no job its own"
    assert client["ada"].get("/v1/jobs/job-1").json()["run_id"] == "a" * 32
