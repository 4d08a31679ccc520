"""Copies to give away."""

from __future__ import annotations

from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from ..share import Keep
from ..sharing import Sharing
from .handler import QsecHandler, answers


class ShareHandler(QsecHandler):
    """Share safely: a stripped, scanned copy with a report beside it."""

    @web.authenticated
    @authorized("write", resource="qsec:shares")
    @answers
    async def post(self) -> Any:
        """Write copy and report, record them, and say what was found and removed."""
        body = self.body()
        to = body.get("to")
        sharing = Sharing(self.contents_manager, self.guard, self.control)
        return await sharing.share(
            str(body.get("path") or ""), Keep.from_dict(body.get("keep", {})), str(to) if to else None
        )
