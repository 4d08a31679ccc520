"""The exchange of an API key for a bearer: the gateway answers it itself."""

from __future__ import annotations

import time
from datetime import datetime, timezone

from .....core.model import moment
from ...answers import Answer, as_json
from ...call import Call
from ...tokens import as_web_token

_LONGEST = 3600


async def bearer(call: Call) -> Answer:
    """Return the gateway token as a bearer that ends with its grant, or in an hour: then it is fetched anew.

    The client reads the end from within the bearer, and asks for another one in the last fifth of its life.
    """
    now = int(time.time())
    ends = min(int(moment(call.holder.grant.expires_at or "").timestamp()), now + _LONGEST)
    begins, until = (datetime.fromtimestamp(second, timezone.utc) for second in (now, max(ends, now + 1)))
    content = {
        "access_token": as_web_token(call.token, begins, until),
        "refresh_token": "not_supported",
        "token_type": "Bearer",
        "expires_in": int((until - begins).total_seconds()),
        "expiration": int(until.timestamp()),
        "scope": f"qsec {call.holder.scope}",
    }
    return as_json(200, content, {"cache-control": "no-store"})
