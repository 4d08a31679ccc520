"""Claim: whenever the control plane is killed, afterwards the ledger tells the truth of every job.

Control plane, gateway and provider are real processes; the control plane dies by ``kill -9``.
"""

import sqlite3
import threading
import time
from contextlib import closing, suppress

import pytest
import requests

pytest.importorskip("qiskit_ibm_runtime")

from gateway_bodies import sampler
from gateway_child import Gated, entry
from relay import Relay

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def relay(sandbox):
    with Relay(sandbox.runtime) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.over.set()
        server.shutdown()


@pytest.fixture
def opened(tmp_path, sandbox, relay):
    """Return a function that starts a control plane on the same state folder."""
    home = tmp_path / "home"
    begun = []

    def start() -> Gated:
        patient = (
            entry(sandbox, runtime=relay.address)
            .replace('answer = "5s"', 'answer = "100s"')
            .replace('"10s"', '"100s"')
        )
        begun.append(Gated(home, patient, {"ibm-pilot": sandbox.key}))
        return begun[-1]

    yield start
    for one in begun:
        if one.child.process.poll() is None:
            one.child.process.kill()
        one.child.close()


def submit_in_background(gated, token, body):
    def send():
        with suppress(requests.RequestException):  # the gateway dies while it is asked
            gated.call("POST", "/jobs", token, data=body)

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    return thread


def within(seconds, holds):
    until = time.monotonic() + seconds
    while not (found := holds()) and time.monotonic() < until:
        time.sleep(0.1)
    return found


def jobs_of(gated):
    return gated.child.ask("GET", "/v1/jobs")[1]["jobs"]


def kill(gated):
    gated.child.process.kill()
    gated.child.process.wait()


def test_killed_between_the_audit_and_the_send(opened, sandbox) -> None:
    before = len(sandbox.jobs())
    gated = opened()
    token = gated.token()
    # Then a job is intended, and has no credential yet.
    sandbox.fault("hold path=/identity/token times=0 seconds=60")
    thread = submit_in_background(gated, token, sampler())
    assert within(20, lambda: gated.events("job.intended"))
    assert not gated.events("job.sent")
    kill(gated)
    thread.join(10)
    sandbox.admin("DELETE", "faults")
    again = opened()
    (job,) = within(20, lambda: [one for one in jobs_of(again) if one["state"] == "lost"])
    assert job["job_id"] is None
    (lost,) = again.events("job.lost")
    assert lost["data"]["why"] == "not sent"
    assert len(sandbox.jobs()) == before, "the provider has never heard of it"
    assert not again.events("job.sent")


def test_killed_between_the_send_and_the_answer(opened, sandbox, relay) -> None:
    before = {job["id"] for job in sandbox.jobs()}
    gated = opened()
    token = gated.token()
    assert gated.call("GET", "/backends", token).status_code == 200
    relay.withholds = True  # taken, and the answer never comes
    threads = [submit_in_background(gated, token, sampler(mark=1))]
    assert within(20, lambda: len(gated.events("job.sent")) == 1)
    (taken,) = within(20, lambda: {job["id"] for job in sandbox.jobs()} - before)
    sandbox.fault("hold path=/api/v1/jobs method=POST seconds=60")  # not taken, and nobody says so
    threads.append(submit_in_background(gated, token, sampler(mark=2)))
    assert within(20, lambda: len(gated.events("job.sent")) == 2)
    assert not gated.events("job.accepted")
    sent_at = time.monotonic()
    kill(gated)
    for thread in threads:
        thread.join(10)
    again = opened()
    (found,) = within(30, lambda: [one for one in jobs_of(again) if one["state"] in {"accepted", "done"}])
    assert found["job_id"] == taken
    if time.monotonic() - sent_at < 50:
        states = {one["state"] for one in jobs_of(again)}
        assert states - {"accepted", "done"} == {"sent"}, "not said too early"
    assert within(120, lambda: again.events("job.lost"))
    assert len({job["id"] for job in sandbox.jobs()} - before) == 1, "nothing was sent a second time"
    first, second = again.events("job.intended")
    assert [event["data"]["correlation"] for event in again.events("job.accepted")] == [
        first["data"]["correlation"]
    ]
    assert [event["data"]["correlation"] for event in again.events("job.lost")] == [
        second["data"]["correlation"]
    ]


def test_killed_between_the_end_of_a_grant_in_the_ledger_and_in_the_database(opened, sandbox) -> None:
    sandbox.set(queue_seconds=120)
    gated = opened()
    grant = gated.grant()
    answer = gated.call("POST", "/jobs", gated.credential()["value"], data=sampler())
    job_id = answer.json()["id"]

    def rights() -> list[dict]:
        return [one for one in gated.child.ask("GET", "/v1/state")[1]["grants"] if one["parent"]]

    assert within(10, lambda: [one for one in rights() if one["state"] == "active"])

    def end() -> None:
        with suppress(OSError):  # it dies while it is asked
            gated.revoke(grant)

    with closing(sqlite3.connect(gated.home / "journal-0" / "qsec.db")) as database:
        database.execute("BEGIN IMMEDIATE")  # nothing else is written there now
        thread = threading.Thread(target=end, daemon=True)
        thread.start()
        assert within(4, lambda: gated.events("grant.revoked"))
        kill(gated)
        (state,) = database.execute("SELECT state FROM grants WHERE id = ?", (grant["id"],)).fetchone()
        assert state == "active"
    thread.join(10)
    again = opened()
    assert again.child.ask("GET", f"/v1/grants/{grant['id']}")[1]["state"] == "revoked"

    def state_of_job() -> str:
        return next(job["state"]["status"] for job in sandbox.jobs() if job["id"] == job_id)

    assert within(20, lambda: state_of_job() == "Cancelled")
    revoked = [one["data"]["grant"] for one in again.events("grant.revoked")]
    assert revoked == [grant["id"]], "it ended once"
