"""The way of a job through the gateway: whatever happens, it is sent at most once, and the ledger knows."""

from __future__ import annotations

import asyncio

from ...core.errors import Conflict, QsecError
from .answers import Answer, passed
from .call import Asked, Call
from .forward import Broken, Reply
from .model import Admission, Outcome, Submission
from .restoring import restored

SETTLE_SECONDS = 15.0
"""How long a client waits for what became of its job (seconds).

A provider that has it shows it within seconds. That it has it not is known only after a minute
(``jobs/settling.py``), too long to leave somebody without a word; by sending it again they ask again.
"""

_LOOK_SECONDS = 0.2
_going: set[asyncio.Task[Answer]] = set()


async def submit(call: Call) -> Answer:
    """Submit a job.

    What is begun goes on when its client goes away: what the provider answers is recorded all the same.
    """
    body = await call.body()
    submission = await call.desk.workers.read(
        call.provider.name, body, hide=call.settings.hide, key=call.desk.hiding(call.holder)
    )
    going = asyncio.ensure_future(_govern(call, submission))
    _going.add(going)
    going.add_done_callback(_going.discard)
    return await asyncio.shield(going)


async def _govern(call: Call, submission: Submission) -> Answer:
    jobs, work = call.desk.jobs, call.desk.work
    # Grant, envelope, quota, what was approved, policy; and the ledger knows of it before anything is sent.
    key = call.desk.keys.at_hand(call.holder)
    admission = await work(jobs.admit, call.holder, submission, key)
    if admission.repeats:
        return await _settled(call, admission)
    try:
        if key is None:
            key = await call.key()
            await work(jobs.sent, admission, key.accessor)
        reply, text = await _send(call, submission, admission)
    except Broken as error:
        return await _unknown(call, admission, error.code)
    except QsecError as error:  # no credential could be had, or no connection
        await work(jobs.unsent, admission, error.code)
        raise
    except BaseException:
        await work(jobs.unknown, admission, "gateway.bug")
        raise
    return await _answered(call, submission, admission, reply, text)


async def _send(call: Call, submission: Submission, admission: Admission) -> tuple[Reply, bytes]:
    body = call.provider.tagged(submission.body, admission.tag)
    return await call.fetch(Asked(body=body, fresh=True, wait=call.settings.submit))


async def _answered(
    call: Call, submission: Submission, admission: Admission, reply: Reply, text: bytes
) -> Answer:
    """Write down what the provider said, and pass it on."""
    job_id = call.provider.job_id(text) if reply.status < 300 else None
    if job_id is not None:
        await call.desk.work(call.desk.jobs.answered, admission, job_id, reply.status)
        call.desk.soon(call.desk.jobs.follow)
    elif 400 <= reply.status < 500:
        await call.desk.work(call.desk.jobs.rejected, admission, reply.status)
    else:  # a failure of its own, or nonsense: it may have taken the job
        return await _unknown(call, admission, f"status {reply.status}")
    return passed(reply, restored(text, submission.names))


async def _unknown(call: Call, admission: Admission, why: str) -> Answer:
    await call.desk.work(call.desk.jobs.unknown, admission, why)
    return await _settled(call, admission)


async def _settled(call: Call, admission: Admission) -> Answer:
    """Wait for what became of a job that was sent, by this request or by an equal one before it.

    Raises:
        Conflict: ``job.not_taken`` or ``job.unsettled``; no status that a client sends again by itself after.
    """
    until = asyncio.get_running_loop().time() + SETTLE_SECONDS
    while True:
        outcome: Outcome = await call.desk.work(call.desk.jobs.outcome, admission, _LOOK_SECONDS)
        if outcome.job_id is not None:
            return call.provider.accepted(outcome.job_id)
        if outcome.state in {"refused", "lost"}:
            raise Conflict(
                "job.not_taken",
                "The provider did not take this job",
                f"It was sent, and is not there (correlation id {admission.correlation_id}).",
                "Submit it again.",
            )
        if asyncio.get_running_loop().time() > until:
            raise Conflict(
                "job.unsettled",
                "Nobody knows yet whether the provider took this job",
                "It gave no clear answer, and is asked for the job for a minute.",
                f"`qsec jobs show {admission.correlation_id}` says what became of it. Submitting it again "
                "sends nothing until that is known, and then gives this job, or sends it if it is lost.",
            )
        await asyncio.sleep(_LOOK_SECONDS)
