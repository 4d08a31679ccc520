"""Which instances there are: the target's own, of all that its account may have."""

from __future__ import annotations

import json
from typing import Any

from .....core.errors import NotFound
from ...answers import Answer, as_json, passed
from ...call import Asked, Call
from ...forward import Broken

_ASKED = {
    "query": "service_name:quantum-computing",
    "fields": ["crn", "service_plan_unique_id", "name", "doc", "tags"],
}
"""What the client asks. What it really sent is not passed on: it could search the account for anything."""

_MOST_PAGES = 20


async def search(call: Call) -> Answer:
    """Return the target's instance as the provider describes it, and no other."""
    await call.body(64 * 1024)
    cursor: str | None = None
    for _ in range(_MOST_PAGES):
        asked = {**_ASKED, **({"search_cursor": cursor} if cursor else {})}
        reply, text = await call.fetch(Asked(body=json.dumps(asked).encode(), query=(("limit", "100"),)))
        if reply.status >= 300:
            return passed(reply, text)
        page = _page(text)
        mine = [item for item in page["items"] if item.get("crn") == call.settings.instance]
        cursor = page.get("search_cursor")
        if mine or not cursor:
            return as_json(200, {"items": mine, "limit": 100})
    raise NotFound(
        "gateway.no_instance",
        "The provider's account does not have the target's instance",
        "It is not among the first 2,000.",
        "Correct gateway.instance in catalog.toml.",
    )


async def plan(call: Call) -> Answer:
    """Pass a plan's description on; it is the same for everybody."""
    return await call.collect()


def _page(text: bytes) -> dict[str, Any]:
    try:
        page = json.loads(text)
        if all(isinstance(item, dict) for item in page["items"]):
            return dict(page)
    except (ValueError, KeyError, TypeError):
        pass
    raise Broken(
        "gateway.nonsense",
        "The provider's answer cannot be read",
        "It is not what a search answers.",
        "Try again later, or check the target's addresses.",
    )
