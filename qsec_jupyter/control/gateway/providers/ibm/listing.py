"""The list of jobs: of all that the instance has, the holder's own."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

from .....core.errors import Invalid
from .....core.model import moment
from ...answers import Answer, as_json
from ...call import Asked, Call
from ...forward import Broken
from .work import owners

_PASSED = frozenset(
    {
        "backend",
        "pending",
        "program",
        "session_id",
        "created_after",
        "created_before",
        "sort",
        "include_mocks",
    }
)
_PAGE = 200
_MOST_PAGES = 100
_SKEW = timedelta(hours=1)
"""How far the provider's clock may be off."""


async def jobs(call: Call) -> Answer:
    """Return the holder's jobs that the client's filters take in.

    The provider lists the jobs of everybody who works with the same key, so pages are read until all of the
    holder's are found; ``limit``, ``offset`` and ``tags`` are applied here. Tags are compared as their user
    wrote them.
    """
    limit, offset = _number(call, "limit", 10), _number(call, "offset", 0)
    wanted = {value for name, value in call.request.query if name == "tags"}
    found = [one async for one in _own(call) if wanted <= set(one.get("tags") or ())]
    content = {"jobs": found[offset : offset + limit], "count": len(found), "limit": limit, "offset": offset}
    return as_json(200, content)


async def _own(call: Call) -> AsyncIterator[dict[str, Any]]:
    left = set(call.desk.jobs.all_owned(call.holder))
    if not left:
        return
    async for page in _pages(call):
        for one in page:
            if one.get("id") in left:
                left.discard(one["id"])
                names = await call.desk.work(call.desk.jobs.names, one["id"])
                yield json.loads(owners(json.dumps(one).encode(), names))
        if not left:
            return


async def _pages(call: Call) -> AsyncIterator[list[dict[str, Any]]]:
    asked = [(name, value) for name, value in call.request.query if name in _PASSED]
    asked += [("created_after", _since(call)), ("exclude_params", "true"), ("limit", str(_PAGE))]
    seen = 0
    for _ in range(_MOST_PAGES):
        reply, text = await call.fetch(Asked(query=(*asked, ("offset", str(seen)))))
        page, count = _page(reply.status, text)
        yield page
        seen += len(page)
        if not page or seen >= count:
            return


def _since(call: Call) -> str:
    """Return the time before which no job of the holder's was made, or later, where the client says so."""
    began = moment(call.holder.grant.requested_at) - _SKEW
    told = next((value for name, value in call.request.query if name == "created_after"), None)
    try:
        asked = datetime.fromisoformat(told.replace("Z", "+00:00")) if told else began
        return max(began, asked).isoformat()
    except (ValueError, TypeError) as error:
        raise _malformed("created_after") from error


def _number(call: Call, name: str, usual: int) -> int:
    told = next((value for key, value in call.request.query if key == name), str(usual))
    if not (told.isascii() and told.isdecimal() and len(told) < 7):
        raise _malformed(name)
    return int(told)


def _malformed(name: str) -> Invalid:
    return Invalid("gateway.malformed", "The gateway does not take such a request", f"{name} cannot be read.")


def _page(status: int, text: bytes) -> tuple[list[dict[str, Any]], int]:
    try:
        found = json.loads(text)
        if status < 300 and all(isinstance(one, dict) for one in found["jobs"]):
            return list(found["jobs"]), int(found["count"])
    except (ValueError, KeyError, TypeError):
        pass
    raise Broken(
        "gateway.nonsense",
        "The provider's answer cannot be read",
        f"It is not a list of jobs (status {status}).",
        "Try again later, or check the target's addresses.",
    )
