"""Sessions and batches: open, look at, close, cancel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..calls import NOTHING, Answer, Call, Route, answer
from ..refusals import malformed

if TYPE_CHECKING:
    from ..app import Sandbox


async def create(sandbox: Sandbox, call: Call) -> Answer:
    """Open a session (``dedicated``) or a batch."""
    account = sandbox.caller(call)
    instance = account.instance(call.header("service-crn"))
    given, _ = await call.json()
    mode, longest = given.get("mode", "dedicated"), given.get("max_ttl")
    if mode not in ("dedicated", "batch"):
        raise malformed("mode is dedicated or batch.")
    if longest is not None and (isinstance(longest, bool) or not isinstance(longest, int) or longest < 1):
        raise malformed("max_ttl is a number of seconds.")
    if given.get("instance", instance.crn) != instance.crn:
        raise malformed("The session's instance is another than that of the header Service-CRN.")
    device = sandbox.book.device(str(given.get("backend")))
    device.refuse_if_offline()
    sandbox.book.refuse_if_used_up(instance)
    session = sandbox.book.open_session(instance, account.id, device.name, mode, longest)
    return answer(session.document(sandbox.book.clock()))


def one(sandbox: Sandbox, call: Call, session_id: str) -> Answer:
    """Say how a session stands."""
    session = sandbox.book.session(session_id, sandbox.caller(call).instance(call.header("service-crn")))
    return answer(session.document(sandbox.book.clock()))


async def change(sandbox: Sandbox, call: Call, session_id: str) -> Answer:
    """Let a session take no more jobs, or again."""
    session = sandbox.book.session(session_id, sandbox.caller(call).instance(call.header("service-crn")))
    accepting = (await call.json())[0].get("accepting_jobs")
    if not isinstance(accepting, bool):
        raise malformed("accepting_jobs is true or false.")
    if session.state != "closed":
        session.accepting = accepting
        session.tick(sandbox.book.clock(), sandbox.schedule.busy(session))
    return NOTHING


def close(sandbox: Sandbox, call: Call, session_id: str) -> Answer:
    """Close a session and cancel what it has not finished."""
    session = sandbox.book.session(session_id, sandbox.caller(call).instance(call.header("service-crn")))
    if session.state != "closed":
        sandbox.schedule.end_session(session)
    return NOTHING


ROUTES: list[Route] = [
    ("POST", "/api/v1/sessions", create),
    ("GET", "/api/v1/sessions/{}", one),
    ("PATCH", "/api/v1/sessions/{}", change),
    ("DELETE", "/api/v1/sessions/{}/close", close),
]
