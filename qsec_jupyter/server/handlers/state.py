"""The version, and the snapshot that the panel shows."""

from __future__ import annotations

from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from ...core.errors import Invalid
from .handler import QsecHandler, answers

LONG_POLL_SECONDS = 25.0


class VersionHandler(QsecHandler):
    """The version, so that a front end can tell that it fits."""

    @web.authenticated
    @authorized("read", resource="qsec:state")
    @answers
    async def get(self) -> Any:
        """Return ``{version}``."""
        from importlib.metadata import version

        return {"version": version("qsec-jupyter")}


class StateHandler(QsecHandler):
    """All that the panel shows, as one snapshot with a version to wait on."""

    @web.authenticated
    @authorized("read", resource="qsec:state")
    @answers
    async def get(self) -> Any:
        """Return the state; with ``since`` and ``wait`` answer when it changes."""
        since = self.get_query_argument("since", "")
        if not since:
            return await self.control.call("GET", "/v1/state")
        try:
            wait = min(max(float(self.get_query_argument("wait", "0")), 0), LONG_POLL_SECONDS)
            path = f"/v1/state?since={int(since)}&wait={wait:g}"
        except ValueError as error:
            raise Invalid("request.malformed", "since and wait are numbers") from error
        return await self.control.call("GET", path, wait=wait)
