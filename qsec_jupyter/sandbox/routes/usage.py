"""What an instance has used, its jobs and sessions side by side, and the times that are reserved for it.

``GET /reservations`` is the sandbox's own: the provider that it stands in for has reservations, but its
client has no call for them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..calls import Answer, Call, Route, answer
from ..jobs import Job, Session, stamp

if TYPE_CHECKING:
    from ..app import Sandbox

_MONTH = 28 * 24 * 3600.0


def used(sandbox: Sandbox, call: Call) -> Answer:
    """Say what the instance has used of what it may use."""
    instance = sandbox.caller(call).instance(call.header("service-crn"))
    book = sandbox.book
    consumed, limit, now = book.consumed(instance.crn), book.settings.usage_limit_seconds, book.clock()
    cost = round(sum(job.cost for job in book.jobs_of(instance.crn)), 6)
    told = {
        "instance_id": instance.crn,
        "plan_id": instance.plan_id,
        "usage_consumed_seconds": math.ceil(consumed),
        "usage_period": {"start_time": stamp(now - _MONTH), "end_time": stamp(now)},
        "usage_limit_seconds": limit,
        "usage_limit_reached": limit is not None and consumed >= limit,
        "sandbox": {"cost": cost, "currency": book.settings.prices.currency},
    }
    return answer({name: value for name, value in told.items() if value is not None})


def workloads(sandbox: Sandbox, call: Call) -> Answer:
    """List single jobs, sessions and batches, newest first."""
    instance = sandbox.caller(call).instance(call.header("service-crn"))
    query = call.query()
    found = [_of_job(job) for job in sandbox.book.jobs_of(instance.crn) if job.session is None]
    found += [
        _of_session(each, sandbox.book.clock())
        for each in sandbox.book.sessions.values()
        if each.instance == instance.crn
    ]
    found = [each for each in found if _fits(each, query)]
    found.sort(key=lambda each: str(each["created_at"]), reverse=query.get("sort") != ["createdAt"])
    limit = query.get("limit", ["20"])[0]
    begin = query.get("next", query.get("previous", ["0"]))[0]
    size, start = (int(text) if text.isascii() and text.isdigit() else 20 for text in (limit, begin))
    page = {"workloads": found[start : start + size], "total_count": len(found), "limit": size}
    if start + size < len(found):
        page["next"] = str(start + size)
    if start:
        page["previous"] = str(max(0, start - size))
    return answer(page)


def _of_job(job: Job) -> dict[str, Any]:
    return {
        "id": job.id,
        "mode": "job",
        "backend": job.backend,
        "status": job.status.lower(),
        "tags": job.tags,
        "user_id": job.user,
        "created_at": stamp(job.created),
        "ended_at": stamp(job.ended),
        "usage_seconds": job.seconds,
    }


def _of_session(session: Session, now: float) -> dict[str, Any]:
    return {
        "id": session.id,
        "mode": "batch" if session.mode == "batch" else "session",
        "backend": session.backend,
        "status": session.state,
        "accepting_jobs": session.accepting,
        "tags": [],
        "user_id": session.user,
        "created_at": stamp(session.opened),
        "ended_at": stamp(session.closed),
        "usage_seconds": session.elapsed(now),
    }


def _fits(workload: dict[str, Any], query: dict[str, list[str]]) -> bool:
    search = query.get("search", [""])[0]
    return (
        query.get("backend", [workload["backend"]]) == [workload["backend"]]
        and query.get("mode", [workload["mode"]]) == [workload["mode"]]
        and query.get("user", [workload["user_id"]]) == [workload["user_id"]]
        and ("status" not in query or workload["status"] in query["status"])
        and all(tag in workload["tags"] for tag in query.get("tags", []))
        and any(search in text for text in [workload["id"], *workload["tags"]])
    )


def reservations(sandbox: Sandbox, call: Call) -> Answer:
    """List the times in which a device is the instance's alone, those of the past among them."""
    instance = sandbox.caller(call).instance(call.header("service-crn"))
    found = [each.document() for each in sandbox.book.reservations.values() if each.instance == instance.crn]
    return answer({"reservations": found})


ROUTES: list[Route] = [
    ("GET", "/api/v1/instances/usage", used),
    ("GET", "/api/v1/workloads", workloads),
    ("GET", "/api/v1/reservations", reservations),
]
