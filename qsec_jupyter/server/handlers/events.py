"""What happened."""

from __future__ import annotations

from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from .handler import QsecHandler, answers


class EventsHandler(QsecHandler):
    """What happened, as far as it concerns who asks."""

    @web.authenticated
    @authorized("read", resource="qsec:events")
    @answers
    async def get(self) -> Any:
        """Return a page of events, newest first; the control plane checks what is asked."""
        return await self.ask("/v1/events", "kind", "target", "since", "until", "before", "limit")
