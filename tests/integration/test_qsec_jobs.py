"""`qsec jobs` and `qsec reconcile` beside a real Jupyter Server whose gateway leads to a real sandbox.

Their exit statuses are those of `docs/reference/exit-status.md`.
"""

import json

import pytest
import requests
from gateway_bodies import sampler
from jupyter_process import Jupyter

pytest.importorskip("qiskit_ibm_runtime")
pytestmark = pytest.mark.timeout(240)

FIELDS = {
    "correlation_id", "job_id", "state", "target", "grant_id", "kernel_id", "requester", "provider",
    "program", "backend", "region", "session", "shots", "execution_seconds", "circuits", "cost", "project",
    "ticket", "tag", "status", "policies", "intended_at", "sent_at", "ended_at", "usage_seconds", "ending",
    "run_id",
}  # fmt: skip
"""What scripts may count on: none of it goes away or is renamed without a word in the changelog."""

OK, DIFFERS, INVALID, NOT_FOUND, CONFLICT, UNAVAILABLE = 0, 1, 2, 4, 5, 6


@pytest.fixture
def sandbox(start_sandbox):
    """One of the test's own: a comparison looks at every job of the account."""
    return start_sandbox()


@pytest.fixture
def access(gated_jupyter):
    """A bearer for the gateway, as a tool gets it."""
    return json.loads(gated_jupyter.told("token", "gateway", "ibm-pilot"))


@pytest.fixture
def submit(access):
    """Return a function that submits a job over plain HTTP; it returns the provider's id."""

    def send(**job):
        headers = {"Authorization": f"Bearer {access['bearer']}", "Content-Type": "application/json"}
        with requests.Session() as session:
            session.trust_env = False
            url = f"{access['url']}/runtime/jobs"
            answer = session.post(url, headers=headers, data=sampler(**job), timeout=60)
        answer.raise_for_status()
        return answer.json()["id"]

    return send


def test_jobs_are_listed_shown_and_cancelled(gated_jupyter, sandbox, submit):
    qsec, told = gated_jupyter.qsec, gated_jupyter.told
    assert told("jobs", "list") == "No job went through the gateway.\n"
    assert json.loads(told("jobs", "list", "--json")) == {"jobs": []}
    sandbox.set(queue_seconds=120)
    first, second = submit(mark=1), submit(mark=2, shots=7)

    listed = json.loads(told("jobs", "list", "--json"))["jobs"]
    assert [job["job_id"] for job in listed] == [second, first], "newest first"
    assert all(set(job) == FIELDS for job in listed)
    for narrowed, found in (("--limit=1", 1), ("--state=accepted", 2), ("--target=x", 0)):
        assert len(json.loads(told("jobs", "list", "--json", narrowed))["jobs"]) == found, narrowed
    table = told("jobs", "list")
    assert all(word in table for word in (first, second, "ibm-pilot", "sandbox_manila", "accepted", " 7 "))

    shown = json.loads(told("jobs", "show", second))
    assert shown == json.loads(told("jobs", "show", listed[0]["correlation_id"])) == listed[0]
    exposure = json.loads(told("jobs", "show", second, "--exposure"))
    assert set(exposure) == FIELDS | {"fields", "labels"}
    assert {"name", "sent", "original", "why"} == set(exposure["fields"][0])

    assert told("jobs", "cancel", first) == f"{first} is cancelled.\n"
    cancelled = json.loads(told("jobs", "cancel", second, "--json"))
    assert (set(cancelled), cancelled["state"], cancelled["ending"]) == (FIELDS, "cancelled", None)
    assert {job["state"]["status"] for job in sandbox.jobs() if job["id"] in {first, second}} == {"Cancelled"}
    assert len(gated_jupyter.events("job.cancelled")) == 2

    again = qsec("jobs", "cancel", first)
    assert (again.returncode, again.stdout) == (CONFLICT, "")
    assert "job.not_open" in again.stderr
    for command in (("show", "nope"), ("show", "../state"), ("cancel", "nope")):
        unknown = qsec("jobs", *command)
        assert (unknown.returncode, "job.unknown" in unknown.stderr) == (NOT_FOUND, True), command
    for command in (("list", "--state=bogus"), ("list", "--limit=0"), ("show",)):
        assert qsec("jobs", *command).returncode == INVALID, command


def test_a_cancellation_that_the_provider_does_not_take_is_said(gated_jupyter, sandbox, submit):
    sandbox.set(queue_seconds=120)
    job = submit()
    sandbox.fault(f"500 path=/api/v1/jobs/{job}/cancel method=POST times=0")
    said = gated_jupyter.told("jobs", "cancel", job)
    assert said == f"{job} is to be cancelled, which its provider has not confirmed yet.\n"
    assert json.loads(gated_jupyter.told("jobs", "show", job))["ending"] == "stop"


def test_reconcile_says_whether_both_sides_agree(gated_jupyter, sandbox, submit):
    qsec, told = gated_jupyter.qsec, gated_jupyter.told
    sandbox.set(queue_seconds=120)
    job = submit()
    said = told("reconcile", "ibm-pilot")
    assert said.startswith("ibm-pilot: 1 jobs at the provider, 1 in the ledger, 0 findings since ")
    sandbox.call("PUT", f"/jobs/{job}/tags", json={"tags": []})
    report = json.loads(told("reconcile", "ibm-pilot", "--json", status=DIFFERS))
    assert set(report) == {"target", "since", "until", "at_provider", "in_ledger", "findings"}
    (found,) = report["findings"]
    assert set(found) == {"kind", "job_id", "correlation_id", "detail", "meaning"}
    assert (found["kind"], found["job_id"]) == ("untagged", job)
    text = told("reconcile", "ibm-pilot", status=DIFFERS)
    assert f"untagged   {job}: " in text
    assert len(gated_jupyter.events("target.reconciled")) == 3

    for name in ("nowhere", "../state", "Ä"):
        unknown = qsec("reconcile", name)
        assert (unknown.returncode, "target.unknown" in unknown.stderr) == (NOT_FOUND, True), name
    assert qsec("reconcile", "ibm-pilot", "--days=0").returncode == INVALID
    sandbox.fault("500 path=/api/v1/jobs method=GET times=0")
    away = qsec("reconcile", "ibm-pilot", "--json")
    assert (away.returncode, away.stdout) == (UNAVAILABLE, "")
    assert len(gated_jupyter.events("target.reconciled")) == 3, "nothing was compared"


def test_without_a_server_they_say_so(tmp_path):
    alone = Jupyter(tmp_path, start=False)
    for command in (("jobs", "list"), ("jobs", "cancel", "x"), ("reconcile", "ibm-pilot")):
        done = alone.qsec(*command)
        assert (done.returncode, "server.none" in done.stderr) == (UNAVAILABLE, True), command


@pytest.mark.parametrize("command", ["jobs", "jobs list", "jobs show", "jobs cancel", "reconcile"])
def test_help_says_what_it_does_and_needs_no_server(tmp_path, command):
    done = Jupyter(tmp_path, start=False).qsec(*command.split(), "--help")
    assert done.returncode == OK
    assert f"qsec_jupyter.cli {command} " in done.stdout
    assert ("--server" in done.stdout) == (command != "jobs")
