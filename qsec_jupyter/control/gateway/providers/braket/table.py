"""All that Braket's SDK calls to run circuits, and the one thing that it reads from S3."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from .....core.errors import Denied, QsecError
from ...answers import Answer, passed
from ...call import Asked, Call
from ...operations import act, touch
from ...restoring import restored, restorer
from ...routes import Handler, Route, Table
from ...submitting import submit
from . import signing
from .place import Place, unknown_task

TAG = "qsec-correlation"
"""The tag of a task's that names it in the ledger."""

_OVER = ("COMPLETED", "FAILED", "CANCELLED")
_ARN = r"arn(?::|%3A)[A-Za-z0-9%:._/-]{10,250}"
_KEY = r"[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+){1,16}"


def signed(handler: Callable[[Call, bytes], Awaitable[Answer]]) -> Handler:
    """Return a handler that answers what is signed as it is, or bears its token in the plain way."""

    async def answer(call: Call) -> Answer:
        body = await call.body()
        if signing.is_signed(call.request):
            signing.check(call.request, body, call.token, Place.of(call.settings).region)
        return await handler(_again(call, body), body)

    return answer


def _again(call: Call, body: bytes) -> Call:
    """Return a call whose body can be read once more, and whose job is an ARN."""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    places = {name: unquote(value) for name, value in call.places.items()}
    if "job" in places:
        Place.of(call.settings).check_task(places["job"])
    return replace(call, receive=receive, places=places)


async def _look(call: Call, body: bytes) -> Answer:
    """Pass on what says nothing of anybody's work."""
    return await call.collect(Asked(body=body or None))


async def _submit(call: Call, body: bytes) -> Answer:
    """Submit a task whose results go to the target's own place."""
    place = Place.of(call.settings)
    told = _object(body)
    if (told.get("outputS3Bucket"), told.get("outputS3KeyPrefix")) != (place.bucket, place.prefix):
        raise Denied(
            "gateway.other_place",
            "This target leaves results elsewhere",
            "The rule: the catalogue says where a target's results go.",
            f'Leave s3_destination_folder out, or give ("{place.bucket}", "{place.prefix}").',
        )
    return await submit(call)


async def _task(call: Call, body: bytes) -> Answer:
    """Return a task, with its owner's names and tags only."""
    names = await touch(call)
    reply, text = await call.fetch(Asked(body=body or None))
    if reply.status >= 300:
        return passed(reply, restored(text, names))
    told = _object(text)
    await _note_end(call, told.get("status"))
    _unlabel(told)
    return passed(reply, restored(json.dumps(told).encode(), names))


async def _note_end(call: Call, status: Any) -> None:
    """Have it recorded when the provider calls a task over; what it used, it does not say."""
    job_id, jobs = call.places["job"], call.desk.jobs
    if status in _OVER and jobs.owned(call.holder, job_id).state == "accepted":
        await call.desk.work(lambda: jobs.done(job_id, cancelled=status == "CANCELLED"))


async def _cancel(call: Call, body: bytes) -> Answer:
    return await act(call)


async def _tasks(call: Call, body: bytes) -> Answer:
    """List those tasks that are the holder's."""
    reply, text = await call.fetch(Asked(body=body))
    if reply.status >= 300:
        return passed(reply, text)
    told = _object(text)
    mine = call.desk.jobs.all_owned(call.holder)
    found = [one for one in told.get("quantumTasks", ()) if one.get("quantumTaskArn") in mine]
    shown = []
    for one in found:
        _unlabel(one)
        names = await call.desk.work(call.desk.jobs.names, one["quantumTaskArn"])
        shown.append(json.loads(restored(json.dumps(one).encode(), names)))
    return passed(reply, json.dumps({**told, "quantumTasks": shown}).encode())


async def _result(call: Call, body: bytes) -> Answer:
    """Pass on an object of the folder of a task of the holder's."""
    try:
        task = Place.of(call.settings).task_of(call.places["bucket"], call.places["object"])
        mine = call.desk.jobs.all_owned(call.holder)
        arn = next((arn for arn in mine if arn.endswith(f"quantum-task/{task}")), None)
        if arn is None:
            raise unknown_task()
        names = await touch(replace(call, places={"job": arn}))
    except QsecError as error:
        return xml_refusal(error)
    return await call.relay(restorer(names))


def xml_refusal(error: QsecError) -> Answer:
    """Return a refusal as S3 writes it."""
    from xml.sax.saxutils import escape

    code = "NoSuchKey" if error.kind == "not_found" else "AccessDenied"
    text = escape(
        " ".join(part for part in (f"{error.title} ({error.code}).", error.detail, error.remedy) if part)
    )
    body = (
        f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{text}</Message></Error>'
    )
    return Answer(404 if code == "NoSuchKey" else 403, {"content-type": "application/xml"}, body.encode())


def _unlabel(task: dict[str, Any]) -> None:
    if isinstance(task.get("tags"), dict):
        task["tags"].pop(TAG, None)


def _object(text: bytes) -> dict[str, Any]:
    try:
        told = json.loads(text)
    except ValueError:
        told = None
    return told if isinstance(told, dict) else {}


TABLE = Table(
    (
        Route("braket", "POST", "/devices", "metadata", "metadata", answer=signed(_look)),
        Route("braket", "GET", "/device/{device}", "metadata", "metadata", answer=signed(_look)),
        Route("braket", "POST", "/quantum-task", "submit", "submit", answer=signed(_submit)),
        Route(
            *("braket", "GET", "/quantum-task/{job}", "job", "retrieve"),
            query=frozenset({"additionalAttributeNames"}),
            answer=signed(_task),
        ),
        Route("braket", "PUT", "/quantum-task/{job}/cancel", "cancel", "submit", answer=signed(_cancel)),
        Route("braket", "POST", "/quantum-tasks", "jobs", "retrieve", answer=signed(_tasks)),
        Route("s3", "GET", "/{bucket}/{object}", "result", "retrieve", answer=signed(_result)),
    ),
    places={"device": _ARN, "job": _ARN, "object": _KEY},
)
