"""A job as its owner sees it: with their own names, and without the gateway's label."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from .....core.errors import Invalid, Unavailable
from ...answers import Answer, passed
from ...call import SMALL, Asked, Call
from ...operations import touch
from ...payload import opaque
from ...restoring import restored, restorer

_LABEL = re.compile(rb'"qsec-[0-9a-f]{32}"\s*,\s*|(?:,\s*)?"qsec-[0-9a-f]{32}"')
_OVER = frozenset({"completed", "failed", "cancelled"})


async def job(call: Call) -> Answer:
    """Return a job, with what was submitted where the client wants that."""
    names = await touch(call)
    brief = ("exclude_params", "true") in call.request.query
    reply, text = await call.fetch(most=SMALL if brief else 2 * call.settings.max_body + SMALL)
    if reply.status >= 300:
        return passed(reply, restored(text, names))
    if brief:
        if call.desk.jobs.owned(call.holder, call.places["job"]).state == "accepted":
            await _note_end(call, text)
        return passed(reply, owners(text, names))
    text = _LABEL.sub(b"", text)
    return passed(reply, await call.desk.workers.restore("ibm", text, names) if names else text)


async def results(call: Call) -> Answer:
    """Pass a job's results on as they come, with the user's own names, also in circuits among them."""
    names = await touch(call)

    async def unpack(circuit: bytes) -> bytes:
        told = b'{"__type__":"QuantumCircuit","__value__":"' + circuit + b'"}'
        try:
            told = await call.desk.workers.restore("ibm", told, names)
        except (Invalid, Unavailable):
            return circuit  # what a job gave is not withheld for names that stay opaque in it
        return json.dumps(json.loads(told)["__value__"])[1:-1].encode()

    return await call.relay(restorer(names), unpack if names else None)


async def logs(call: Call) -> Answer:
    """Pass a job's log on; it is plain text."""
    return await call.relay(restorer(await touch(call), plain=True))


def owners(text: bytes, names: Mapping[str, str]) -> bytes:
    """Return the JSON text of a job, or of several, with the user's names and labels only."""
    return restored(_LABEL.sub(b"", text), names)


async def tags(call: Call) -> Answer:
    """Change a job's tags. The gateway's own stays; the others are hidden as they were at submission."""
    wanted = _wanted(await call.body(64 * 1024))
    job_id, jobs = call.places["job"], call.desk.jobs
    names = dict(await touch(call))
    known = {own: hidden for hidden, own in names.items()}
    sent = list(wanted)
    if call.settings.hide:
        key = call.desk.hiding(call.holder)
        sent = [known.get(tag) or opaque(key, "n", tag) for tag in wanted]
        await call.desk.work(jobs.rename, job_id, dict(zip(sent, wanted, strict=True)), wanted)
    body = json.dumps({"tags": [*sent, jobs.label(job_id)]}).encode()
    return await call.collect(Asked(body=body))


def _wanted(body: bytes) -> tuple[str, ...]:
    try:
        wanted: Any = json.loads(body)["tags"]
    except (ValueError, KeyError, TypeError):
        wanted = None
    if not isinstance(wanted, list) or not all(isinstance(tag, str) and tag for tag in wanted):
        raise Invalid(
            "gateway.malformed", "The gateway does not take such a request", "It wants a list of tags."
        )
    return tuple(wanted)


async def _note_end(call: Call, text: bytes) -> None:
    """Have it recorded when the provider calls a job over."""
    try:
        told = json.loads(text)
        state = str(told.get("status") or told["state"]["status"]).partition(" ")[0].lower()
        usage = told.get("usage") or {}
        seconds = usage.get("quantum_seconds", usage.get("seconds"))
        seconds = None if seconds is None else float(seconds)
    except (ValueError, KeyError, TypeError, AttributeError):
        return  # it is passed on all the same; the client says what it thinks of it
    if state in _OVER:
        done = call.desk.jobs.done
        await call.desk.work(lambda: done(call.places["job"], seconds, cancelled=state == "cancelled"))
