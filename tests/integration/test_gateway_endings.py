"""What hangs on a grant ends at a real provider within two seconds of the event that ends the grant."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest

pytest.importorskip("qiskit_ibm_runtime")

from gateway_bodies import sampler
from gateway_child import Gated, entry
from sandbox_server import wait_for

pytestmark = pytest.mark.timeout(300)

ENVELOPE = '\n[targets.ibm-pilot.envelope]\non_end = "cancel"\n'
JOBS = 20
RUNS = 5


@pytest.fixture
def gated(tmp_path, sandbox):
    with Gated(tmp_path / "home", entry(sandbox) + ENVELOPE, {"ibm-pilot": sandbox.key}) as found:
        yield found


def hang(gated, sandbox, kernel, **wish):
    """Have a kernel submit jobs and open sessions; return its grant and their ids."""
    sandbox.set(queue_seconds=600)
    grant = gated.grant(kernel, **wish)
    token = gated.credential(kernel)["value"]
    opening = {"mode": "dedicated", "backend": "sandbox_manila"}
    sessions = [gated.call("POST", "/sessions", token, json=opening).json()["id"] for _ in range(2)]
    bodies = [sampler(mark=mark) for mark in range(JOBS - 2)]
    bodies += [sampler(mark=JOBS, session_id=one) for one in sessions]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda body: gated.call("POST", "/jobs", token, data=body), bodies))
    return grant, [answer.json()["id"] for answer in answers], sessions


def ended(sandbox, jobs, sessions):
    """Return when the provider ended the last of them (seconds since 1970); ``None`` while one is open."""
    known = {job["id"]: job for job in sandbox.jobs()}
    mine = [known[one] for one in jobs]
    if any(job["state"]["status"] != "Cancelled" for job in mine):
        return None
    seen = [sandbox.call("GET", f"/sessions/{one}").json() for one in sessions]
    if any(one["accepting_jobs"] for one in seen):
        return None
    return max(datetime.fromisoformat(job["ended"].replace("Z", "+00:00")).timestamp() for job in mine)


def provoke(gated, how, grant, kernel):
    """Do what ends a grant; return when that was."""
    if how == "expired":
        ends = gated.child.ask("GET", f"/v1/grants/{grant['id']}")[1]["expires_at"]
        at = datetime.fromisoformat(ends.replace("Z", "+00:00")).timestamp()
        time.sleep(max(0.0, at - time.time()))
        return at
    at = time.time()
    if how == "revoked":
        gated.revoke(grant, kernel)
    elif how == "kernel":
        gated.leave(kernel)
    elif how == "stop":
        gated.child.process.stdin.close()
    else:
        body = {"kind": "target", "name": "ibm-pilot", "reason": "incident"}
        status, told = gated.child.ask("POST", "/v1/locks", body)
        assert status == 201
        gated.child.ask("POST", f"/v1/locks/{told['lock']['id']}/lift", {})
    return at


def at_once(gated, sandbox, how):
    """Return how long after the event the last job ended, and all was seen to have ended, of each run."""
    took = []
    for run in range(RUNS):
        wish = {"duration": "12s"} if how == "expired" else {}
        grant, jobs, sessions = hang(gated, sandbox, f"k{run}", **wish)
        at = provoke(gated, how, grant, f"k{run}")
        last = wait_for(lambda jobs=jobs, sessions=sessions: ended(sandbox, jobs, sessions))
        took.append((round(last - at, 2), round(time.time() - at, 2)))
    return took


@pytest.mark.parametrize("how", ["revoked", "kernel", "lock", "expired"])
def test_all_ends_within_two_seconds_of_the_event(gated, sandbox, how) -> None:
    took = at_once(gated, sandbox, how)
    assert max(took)[0] <= 2, took
    wait_for(lambda: len(gated.events("job.cancelled")) == JOBS * RUNS)
    assert not gated.events("job.cancel_pending")


def test_it_ends_within_two_seconds_also_at_a_provider_that_is_far_away(gated, sandbox) -> None:
    grant, jobs, sessions = hang(gated, sandbox, "k1")
    sandbox.fault("slow times=0 seconds=0.2")
    at = provoke(gated, "revoked", grant, "k1")
    time.sleep(max(0.0, at + 2 - time.time()))
    sandbox.admin("DELETE", "faults")  # they would hold up this test's own look, too
    took = wait_for(lambda: ended(sandbox, jobs, sessions)) - at
    assert took <= 2, "five calls follow one another, twenty jobs do not"


def test_it_ends_with_the_server_within_two_seconds(tmp_path, sandbox) -> None:
    took = []
    for run in range(RUNS):
        gated = Gated(tmp_path / f"home-{run}", entry(sandbox) + ENVELOPE, {"ibm-pilot": sandbox.key})
        try:
            grant, jobs, sessions = hang(gated, sandbox, "k1")
            at = provoke(gated, "stop", grant, "k1")
            last = wait_for(lambda jobs=jobs, sessions=sessions: ended(sandbox, jobs, sessions))
            took.append(round(last - at, 2))
        finally:
            gated.child.process.wait(20)
            gated.child.close()
    assert max(took) <= 2, took


def test_a_provider_that_hangs_delays_no_tokens_end_and_all_is_done_later(gated, sandbox) -> None:
    grant, jobs, sessions = hang(gated, sandbox, "k1")
    token = gated.credential("k1")["value"]
    assert gated.call("GET", "/jobs", token).status_code == 200
    sandbox.fault("hold path=/api/v1/* times=0 seconds=60")
    begun = time.monotonic()
    gated.revoke(grant, "k1")
    assert gated.call("GET", "/jobs", token).status_code in {401, 403}
    assert time.monotonic() - begun < 1
    wait_for(lambda: len(gated.events("job.cancel_pending")) == JOBS, 8)
    (check,) = [one for one in gated.child.ask("GET", "/v1/health")[1]["checks"] if one["name"] == "endings"]
    assert check["detail"].startswith(f"{JOBS + 2} jobs or sessions")
    gated.child.process.kill()  # what is to be done is not in memory
    gated.child.process.wait()
    gated.child.close()
    sandbox.admin("DELETE", "faults")
    with Gated(gated.home, (gated.home / "catalog.toml").read_text(), {}) as again:
        assert wait_for(lambda: ended(sandbox, jobs, sessions))
        assert wait_for(lambda: len(again.events("job.cancelled")) == JOBS)
