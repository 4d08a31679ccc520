"""Values behind targets, and what their providers say of jobs."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from jupyter_server.auth.decorator import authorized
from tornado import web

from ...core.errors import Invalid
from ...core.secret import Secret
from .handler import QsecHandler, answers


class TargetSecretHandler(QsecHandler):
    """A value that a person pastes for a target. It never passes a kernel."""

    @web.authenticated
    @authorized("write", resource="qsec:secrets")
    @answers
    async def post(self, target: str) -> Any:
        """Keep it; from then on a save recognises it."""
        values = self.body().get("values")
        if not isinstance(values, dict) or not all(isinstance(one, str) for one in values.values()):
            raise Invalid("rotate.empty", "No new value was given", remedy="Paste it.")
        for value in values.values():
            self.guard.known.add(target, Secret(value.strip("\r\n"), target))
        self.set_header("Cache-Control", "no-store")
        path = f"/v1/targets/{quote(target, safe='')}/secret"
        return await self.control.call("POST", path, {"values": values})


class ReconciliationsHandler(QsecHandler):
    """Compares a provider's list of jobs with the ledger."""

    @web.authenticated
    @authorized("write", resource="qsec:jobs")
    @answers
    async def post(self, target: str) -> Any:
        """Return what was found."""
        path = f"/v1/targets/{quote(target, safe='')}/reconciliations"
        return await self.control.call("POST", path, self.body())
