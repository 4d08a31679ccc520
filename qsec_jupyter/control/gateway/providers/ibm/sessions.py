"""Sessions and batches: opened in the target's instance, whatever the client says."""

from __future__ import annotations

import json
from typing import Any

from .....core.errors import Invalid
from ...answers import Answer
from ...call import Call
from ...operations import opened

_TAKEN = frozenset({"mode", "backend", "instance", "max_ttl"})


async def open_session(call: Call) -> Answer:
    """Open a session."""
    try:
        asked: Any = json.loads(await call.body(64 * 1024))
    except ValueError:
        asked = None
    if not isinstance(asked, dict) or set(asked) - _TAKEN:
        raise Invalid(
            "gateway.malformed",
            "The gateway does not take such a request",
            f"A session is opened with {', '.join(sorted(_TAKEN))}, and nothing else.",
            "Leave the other options out.",
        )
    if "instance" in asked:
        asked["instance"] = call.settings.instance
    return await opened(call, json.dumps(asked).encode())
