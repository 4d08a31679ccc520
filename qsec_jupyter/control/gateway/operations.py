"""How each operation is answered, whichever provider it goes to."""

from __future__ import annotations

from collections.abc import Mapping

from ...core.errors import Bug
from .answers import Answer, passed
from .call import Asked, Call
from .model import Operation
from .restoring import restorer
from .routes import Handler
from .submitting import submit


async def answer(call: Call) -> Answer:
    """Answer a call by its route's own way, else by its operation's."""
    handler = call.route.answer or OPERATIONS.get(call.route.operation)
    if handler is None:
        raise Bug("gateway.no_answer", "The provider's module leaves a call open", call.route.operation)
    return await handler(call)


async def look(call: Call) -> Answer:
    """Pass on what says nothing of anybody's work: devices, their state, what is used."""
    return await call.relay()


async def read(call: Call) -> Answer:
    """Pass a job's state, results or logs on, with the user's own names."""
    return await call.relay(restorer(await touch(call)))


async def act(call: Call) -> Answer:
    """Cancel or delete a job of the holder's."""
    await touch(call)
    return await call.relay()


async def touch(call: Call) -> Mapping[str, str]:
    """Make sure that a job is the holder's, record that it is touched, and return the names that it hides.

    Raises:
        NotFound: ``job.unknown`` for another's job and for one that does not exist, alike.
    """
    job_id, jobs = call.places["job"], call.desk.jobs
    if call.route.operation in _RECORDED:
        await call.desk.work(jobs.reading, call.holder, job_id, call.route.operation)
    else:
        jobs.reading(call.holder, job_id, call.route.operation)  # only counted, in memory
    names = jobs.names_at_hand(job_id)
    return await call.desk.work(jobs.names, job_id) if names is None else names


async def open_session(call: Call) -> Answer:
    """Open a session."""
    return await opened(call, await call.body())


async def opened(call: Call, body: bytes) -> Answer:
    """Have a session opened, and note whose it is before the client knows of it."""
    reply, text = await call.fetch(Asked(body=body, fresh=True))
    session = call.provider.session_id(text) if reply.status < 300 else None
    if session is not None:
        await call.desk.work(call.desk.jobs.opened_session, call.holder, session)
    return passed(reply, text)


async def in_session(call: Call) -> Answer:
    """Pass on what concerns a session of the holder's."""
    session = call.places["session"]
    call.desk.jobs.owned_session(call.holder, session)
    done = await call.relay()
    if call.route.operation == "close-session" and done.status < 300:
        await call.desk.work(call.desk.jobs.closed_session, session)
    return done


OPERATIONS: dict[Operation, Handler] = {
    "metadata": look,
    "usage": look,
    "submit": submit,
    "job": read,
    "result": read,
    "cancel": act,
    "delete": act,
    "open-session": open_session,
    "session": in_session,
    "close-session": in_session,
}
"""Those that every provider has alike; a route says itself how anything else is answered."""

_RECORDED = frozenset({"result", "cancel", "delete", "tags"})
