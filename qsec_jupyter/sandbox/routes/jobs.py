"""Jobs: submit, look at, list, fetch, cancel, delete, relabel."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from ..accounts import Account, Instance
from ..calls import NOTHING, Answer, Call, Route, answer
from ..jobs import Job, new_id, refuse_if_final
from ..refusals import Refusal, conflict, malformed, unknown

if TYPE_CHECKING:
    from ..app import Sandbox

_PROGRAMS = ("sampler", "estimator", "executor")
_KNOWN_ELSEWHERE = ("noise-learner", "calibrate", "circuit-runner", "qasm3-runner")
_TAGS, _TAG = 8, 86  # most tags of a job, most characters of a tag
_PAGE = 200


async def submit(sandbox: Sandbox, call: Call) -> Answer:
    """Take a job in."""
    account = sandbox.caller(call)
    instance = account.instance(call.header("service-crn"))
    given, body = await call.json()
    job = _read(sandbox, given, body, account, instance)
    job.caller = call.header("x-qx-client-application")
    sandbox.book.refuse_if_used_up(instance)
    if given.get("start_session"):
        session = sandbox.book.open_session(
            instance, account.id, job.backend, "dedicated", _whole(given, "session_time")
        )
        job.session = session.id
    sandbox.book.jobs[job.id] = job
    sandbox.schedule.add(job)
    told = {
        "id": job.id,
        "backend": job.backend,
        "session_id": job.session,
        "private": job.private,
        "calibration_id": job.calibration,
    }
    return answer({name: value for name, value in told.items() if value is not None})


def _read(sandbox: Sandbox, given: dict[str, Any], body: bytes, account: Account, instance: Instance) -> Job:
    """Return the job that a request describes.

    Raises:
        Refusal: For what makes no sense, is not there, or is not allowed.
    """
    program = _text(given, "program_id")
    if program in _KNOWN_ELSEWHERE:
        raise Refusal(
            400, 1518, f"The sandbox cannot run the program {program}.", f"It runs {', '.join(_PROGRAMS)}."
        )
    if program not in _PROGRAMS:
        raise unknown(f"Program {program[:60]}")
    if not isinstance(given.get("params"), dict):
        raise malformed("params is a table.")
    device = sandbox.book.device(_text(given, "backend"))
    device.refuse_if_offline()
    limit = _whole(given, "cost")
    most = sandbox.book.settings.max_execution_seconds
    if limit is not None and not 1 <= limit <= most:
        raise malformed(f"The maximum execution time is from 1 to {most} seconds.", "Ask for less.")
    if (calibration := given.get("calibration_id")) is not None:
        device.find_calibration(sandbox.book.now(), None, str(calibration))
    if (session_id := given.get("session_id")) is not None:
        sandbox.book.session(str(session_id), instance).refuse_if_closed(device.name)
    return Job(
        id=new_id(),
        instance=instance.crn,
        user=account.id,
        program=program,
        backend=device.name,
        body=body,
        created=sandbox.book.clock(),
        tags=_tags(given.get("tags", [])),
        session=session_id,
        limit=limit,
        private=given.get("private") is True,
        calibration=calibration or device.calibration_id(device.calibrations(sandbox.book.now())),
        image=given.get("runtime"),
    )


def _text(given: dict[str, Any], name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str) or not value:
        raise malformed(f"{name} is missing or not a text.")
    return value


def _whole(given: dict[str, Any], name: str) -> int | None:
    value = given.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise malformed(f"{name} is a whole number.")
    return value


def _tags(given: Any) -> list[str]:
    if not isinstance(given, list) or not all(isinstance(tag, str) and 0 < len(tag) <= _TAG for tag in given):
        raise malformed(f"tags is a list of texts of at most {_TAG} characters.")
    if len(given) > _TAGS:
        raise malformed(f"A job has at most {_TAGS} tags.")
    return list(given)


def one(sandbox: Sandbox, call: Call, job_id: str) -> Answer:
    """Say how a job stands, with its parameters when they are asked for and not private."""
    job = sandbox.book.job(job_id, sandbox.caller(call).instance(call.header("service-crn")))
    told = job.document()
    if b"exclude_params=true" not in call._scope["query_string"] and not job.private:
        told["params"] = json.loads(job.body)["params"]
    return answer(told)


def listing(sandbox: Sandbox, call: Call) -> Answer:
    """List the instance's jobs, filtered, page by page."""
    instance = sandbox.caller(call).instance(call.header("service-crn"))
    query = {name: values[-1] for name, values in call.query().items()}
    tags = call.query().get("tags", [])
    found = [job for job in sandbox.book.jobs_of(instance.crn) if _fits(job, query, tags)]
    if query.get("sort", "DESC").upper() != "ASC":
        found.reverse()
    offset, limit = _count(query, "offset", 0), min(_count(query, "limit", 10), _PAGE)
    page = [job.document() for job in found[offset : offset + limit]]
    return answer({"jobs": page, "count": len(found), "limit": limit, "offset": offset})


def _fits(job: Job, query: dict[str, str], tags: list[str]) -> bool:
    pending = query.get("pending")
    return (
        (query.get("backend") in (None, job.backend))
        and (query.get("program") in (None, job.program))
        and (query.get("session_id") in (None, job.session))
        and (pending is None or (pending == "true") != job.final)
        and all(tag in job.tags for tag in tags)
        and ("created_after" not in query or job.created >= _moment(query["created_after"]))
        and ("created_before" not in query or job.created <= _moment(query["created_before"]))
        and (query.get("include_mocks", "false").lower() == "true" or not job.backend.startswith("mock_"))
    )


def _count(query: dict[str, str], name: str, default: int) -> int:
    value = query.get(name)
    if value is not None and not (value.isascii() and value.isdigit()):
        raise malformed(f"{name} is a whole number.")
    return default if value is None else int(value)


def _moment(text: str) -> float:
    try:
        found = datetime.fromisoformat(text.replace("Z", "+00:00").replace(" ", "+"))
    except ValueError:
        raise malformed("A date is written as in ISO 8601.") from None
    return (found if found.tzinfo else found.replace(tzinfo=timezone.utc)).timestamp()


def results(sandbox: Sandbox, call: Call, job_id: str) -> Answer:
    """Give what a job gave; a private job's result once."""
    job = sandbox.book.job(job_id, sandbox.caller(call).instance(call.header("service-crn")))
    if not job.final or (job.status == "Cancelled" and not job.result):
        return NOTHING
    if job.private and job.status == "Completed":
        given, job.result = job.result, b""
        return Answer(body=given) if given else NOTHING
    return Answer(body=job.result, kind="application/json" if job.status == "Completed" else "text/plain")


def cancel(sandbox: Sandbox, call: Call, job_id: str) -> Answer:
    """Cancel a job that has not ended."""
    job = sandbox.book.job(job_id, sandbox.caller(call).instance(call.header("service-crn")))
    refuse_if_final(job)
    sandbox.schedule.cancel(job)
    return NOTHING


def delete(sandbox: Sandbox, call: Call, job_id: str) -> Answer:
    """Forget a job; one that waits is cancelled."""
    job = sandbox.book.job(job_id, sandbox.caller(call).instance(call.header("service-crn")))
    if job.status == "Running":
        raise conflict("The job is running.", "Cancel it first.")
    if not job.final:
        sandbox.schedule.cancel(job)
    del sandbox.book.jobs[job.id]
    return NOTHING


def logs(sandbox: Sandbox, call: Call, job_id: str) -> Answer:
    """Give what the programs that ran a job wrote."""
    job = sandbox.book.job(job_id, sandbox.caller(call).instance(call.header("service-crn")))
    if not job.final:
        raise unknown("Log")
    head = f"qsec sandbox: job {job.id} of {job.program} on {job.backend}, simulated: {job.status}\n"
    return Answer(body=(head + job.log).encode(), kind="text/plain; charset=utf-8")


def metrics(sandbox: Sandbox, call: Call, job_id: str) -> Answer:
    """Say what a job took."""
    job = sandbox.book.job(job_id, sandbox.caller(call).instance(call.header("service-crn")))
    return answer(job.metrics(sandbox.schedule.position(job)))


async def tags(sandbox: Sandbox, call: Call, job_id: str) -> Answer:
    """Replace a job's labels."""
    job = sandbox.book.job(job_id, sandbox.caller(call).instance(call.header("service-crn")))
    job.tags = _tags((await call.json())[0].get("tags"))
    return NOTHING


ROUTES: list[Route] = [
    ("POST", "/api/v1/jobs", submit),
    ("GET", "/api/v1/jobs", listing),
    ("GET", "/api/v1/jobs/{}", one),
    ("DELETE", "/api/v1/jobs/{}", delete),
    ("GET", "/api/v1/jobs/{}/results", results),
    ("POST", "/api/v1/jobs/{}/cancel", cancel),
    ("GET", "/api/v1/jobs/{}/logs", logs),
    ("GET", "/api/v1/jobs/{}/metrics", metrics),
    ("PUT", "/api/v1/jobs/{}/tags", tags),
]
