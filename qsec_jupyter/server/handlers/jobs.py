"""Jobs that went through the gateway."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from jupyter_server.auth.decorator import authorized
from tornado import web

from .handler import QsecHandler, answers


class JobsHandler(QsecHandler):
    """Jobs that went through the gateway."""

    @web.authenticated
    @authorized("read", resource="qsec:jobs")
    @answers
    async def get(self) -> Any:
        """Return jobs, newest first; the control plane checks what is asked."""
        return await self.ask("/v1/jobs", "target", "state", "limit")


class JobHandler(QsecHandler):
    """One job, or what its vendor sees of it."""

    @web.authenticated
    @authorized("read", resource="qsec:jobs")
    @answers
    async def get(self, name: str, exposure: str | None = None) -> Any:
        """Return it."""
        return await self.control.call("GET", f"/v1/jobs/{quote(name, safe='')}{exposure or ''}")


class JobCancelHandler(QsecHandler):
    """Has a job cancelled at its provider."""

    @web.authenticated
    @authorized("write", resource="qsec:jobs")
    @answers
    async def post(self, name: str) -> Any:
        """Return the job as it is then."""
        return await self.control.call("POST", f"/v1/jobs/{quote(name, safe='')}/cancel", {})
