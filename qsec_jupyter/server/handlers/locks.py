"""Locks: set at once, lifted by hand."""

from __future__ import annotations

from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from .handler import QsecHandler, answers


class LocksHandler(QsecHandler):
    """What is locked."""

    @web.authenticated
    @authorized("read", resource="qsec:locks")
    @answers
    async def get(self) -> Any:
        """Return the locks that hold."""
        return {"locks": await self.control.call("GET", "/v1/locks")}

    @web.authenticated
    @authorized("write", resource="qsec:locks")
    @answers
    async def post(self) -> Any:
        """Lock something; answers 201 with the lock and what it ended."""
        locked = await self.relay("/v1/locks", "kind", "name", "reason")
        self.set_status(201)
        return locked


class LockHandler(QsecHandler):
    """One lock."""

    @web.authenticated
    @authorized("write", resource="qsec:locks")
    @answers
    async def post(self, lock_id: str) -> Any:
        """Lift it."""
        return await self.relay(f"/v1/locks/{lock_id}/lift")
