"""The sandbox's edge over plain HTTP: who may call, what is refused and how, and what faults do."""

import json

import pytest
import requests

JOB = {"program_id": "sampler", "backend": "sandbox_manila", "params": {"pubs": []}}


@pytest.fixture(autouse=True)
def fast(sandbox):
    sandbox.set(execution="none")


def submit(sandbox, authorization=None, **changed):
    return sandbox.call("POST", "/jobs", authorization, json={**JOB, **changed})


def error(answer):
    return answer.json()["errors"][0]


def test_key_becomes_bearer_and_bearer_expires(sandbox):
    sandbox.set(token_seconds=0.2)
    bearer = f"Bearer {sandbox.bearer()}"
    assert sandbox.call("GET", "/backends", bearer).status_code == 200
    sandbox.admin("POST", "bearers/expire")
    assert sandbox.call("GET", "/backends", bearer).status_code == 401


def test_wrong_key_is_refused_as_iam_refuses(sandbox):
    with pytest.raises(requests.HTTPError) as raised:
        sandbox.bearer("wrong-key-wrong-key-wrong")
    assert raised.value.response.json()["errorCode"] == "BXNIM0415E"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Service-CRN": ""}, 400),
        ({"Service-CRN": "crn:v1:bluemix:public:quantum-computing:us-east:a/x:y::"}, 403),
        ({"IBM-API-Version": "1999-01-01"}, 400),
        ({"Authorization": "Bearer nonsense"}, 401),
        ({"Authorization": "apikey nonsense"}, 401),
        ({"Authorization": ""}, 401),
    ],
)
def test_bad_headers_are_refused(sandbox, headers, status):
    sent = {"Service-CRN": sandbox.crn, "Authorization": f"Bearer {sandbox.bearer()}", **headers}
    answer = requests.get(f"{sandbox.runtime}/backends", headers=sent, timeout=10)
    assert answer.status_code == status
    assert set(error(answer)) == {"code", "message", "solution"}
    assert answer.json()["trace"] == answer.headers["X-Request-Id"]
    assert answer.headers["Server"] == "qsec-sandbox"


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"program_id": "noise-learner"}, 400),
        ({"program_id": "no-such"}, 404),
        ({"backend": "ibm_kingston"}, 404),
        ({"params": []}, 400),
        ({"tags": "a"}, 400),
        ({"tags": ["x" * 87]}, 400),
        ({"cost": -1}, 400),
        ({"session_id": "nowhere"}, 404),
        ({"calibration_id": "nowhere"}, 404),
    ],
)
def test_bad_jobs_are_refused(sandbox, changed, status):
    assert submit(sandbox, **changed).status_code == status


def test_job_is_seen_by_its_instance_alone(sandbox):
    job_id = submit(sandbox).json()["id"]
    assert sandbox.call("GET", f"/jobs/{job_id}").json()["state"]["status"] == "Completed"
    other = sandbox.instances["sandbox-premium"]
    assert sandbox.call("GET", f"/jobs/{job_id}", crn=other).status_code == 404


def test_private_result_is_given_once(sandbox):
    job_id = submit(sandbox, private=True).json()["id"]
    assert "params" not in sandbox.call("GET", f"/jobs/{job_id}").json()
    assert sandbox.call("GET", f"/jobs/{job_id}/results").status_code == 200
    assert sandbox.call("GET", f"/jobs/{job_id}/results").status_code == 204


def test_cancel_of_what_has_ended_is_a_conflict(sandbox):
    job_id = submit(sandbox).json()["id"]
    assert sandbox.call("POST", f"/jobs/{job_id}/cancel").status_code == 409


def test_used_up_instance_is_refused(sandbox):
    submit(sandbox)
    sandbox.set(usage_limit_seconds=0.5)
    assert sandbox.call("GET", "/instances/usage").json()["usage_limit_reached"]
    assert submit(sandbox).status_code == 403


def test_too_many_requests(sandbox):
    bearer = f"Bearer {sandbox.bearer()}"
    sandbox.set(requests_per_second=3)
    answers = [sandbox.call("GET", "/backends", bearer) for _ in range(8)]
    refused = [each for each in answers if each.status_code == 429]
    assert refused
    assert int(refused[0].headers["Retry-After"]) >= 1


def test_planted_result_has_its_size(sandbox):
    sandbox.plant(5_000_000)
    job_id = submit(sandbox).json()["id"]
    result = sandbox.call("GET", f"/jobs/{job_id}/results")
    assert len(result.content) == 5_000_000
    assert set(result.json()) == {"planted"}


@pytest.mark.parametrize(
    ("line", "status"),
    [("429 seconds=7", 429), ("500", 500), ("503", 503), ("redirect location=http://127.0.0.1:1/", 302)],
)
def test_fault_answers_instead(sandbox, line, status):
    bearer = f"Bearer {sandbox.bearer()}"
    sandbox.fault(f"{line} path=/api/v1/jobs method=POST")
    before = len(sandbox.jobs())
    answer = submit(sandbox, bearer)
    assert answer.status_code == status
    assert len(sandbox.jobs()) == before
    if status == 429:
        assert answer.headers["Retry-After"] == "7"
    assert submit(sandbox, bearer).status_code == 200


@pytest.mark.parametrize(("kind", "taken"), [("drop-before", 0), ("drop-after", 1), ("cut", 1)])
def test_connection_is_cut_before_or_after_the_job_was_taken(sandbox, kind, taken):
    bearer = f"Bearer {sandbox.bearer()}"
    before = len(sandbox.jobs())
    sandbox.fault(f"{kind} path=/api/v1/jobs method=POST")
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        submit(sandbox, bearer)
    assert len(sandbox.jobs()) == before + taken


def test_nonsense_answers(sandbox):
    bearer = f"Bearer {sandbox.bearer()}"
    for kind in ("html", "truncated", "wrong-types"):
        sandbox.fault(f"{kind} path=/api/v1/jobs")
    assert sandbox.call("GET", "/jobs", bearer).headers["Content-Type"] == "text/html"
    with pytest.raises(json.JSONDecodeError):
        json.loads(sandbox.call("GET", "/jobs", bearer).content)
    assert isinstance(sandbox.call("GET", "/jobs", bearer).json()["jobs"], dict)


def test_held_connection_is_never_answered(sandbox):
    bearer = f"Bearer {sandbox.bearer()}"
    sandbox.fault("hold seconds=30 path=/api/v1/jobs")
    with pytest.raises(requests.ReadTimeout):
        requests.get(f"{sandbox.runtime}/jobs", headers={"Authorization": bearer}, timeout=0.3)


def test_expired_token_fault_forgets_the_bearer(sandbox):
    bearer = f"Bearer {sandbox.bearer()}"
    sandbox.fault("expired-token path=/api/v1/jobs")
    assert sandbox.call("GET", "/jobs", bearer).status_code == 401
    assert sandbox.call("GET", "/jobs", bearer).status_code == 401


def test_job_failure_fault(sandbox):
    sandbox.fault({"kind": "job-failure", "reason": "cosmic ray", "code": 42})
    job_id = submit(sandbox).json()["id"]
    state = sandbox.call("GET", f"/jobs/{job_id}").json()["state"]
    assert (state["status"], state["reason"], state["reason_code"]) == ("Failed", "cosmic ray", 42)


def test_admin_needs_its_own_token(sandbox):
    for authorization in (f"Bearer {sandbox.bearer()}", f"apikey {sandbox.key}", ""):
        answer = requests.get(
            f"{sandbox.hello['admin']}/state", headers={"Authorization": authorization}, timeout=10
        )
        assert answer.status_code == 401
