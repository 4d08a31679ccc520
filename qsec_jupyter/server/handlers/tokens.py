"""Bearers for tools."""

from __future__ import annotations

from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from .handler import QsecHandler, answers


class TokensHandler(QsecHandler):
    """Bearers for tools. A person's own, through the server's own authentication."""

    @web.authenticated
    @authorized("read", resource="qsec:tokens")
    @answers
    async def get(self) -> Any:
        """Return those that are good now, without their values."""
        return {"tokens": await self.control.call("GET", "/v1/tokens")}

    @web.authenticated
    @authorized("write", resource="qsec:tokens")
    @answers
    async def post(self) -> Any:
        """Make one; answers 201 with its value, this once, and the address that takes it."""
        issued = await self.relay("/v1/tokens", "scopes", "targets", "seconds", "label")
        self.set_header("Cache-Control", "no-store")
        self.set_status(201)
        return {**issued, "url": self.control.address}


class TokenHandler(QsecHandler):
    """One bearer."""

    @web.authenticated
    @authorized("write", resource="qsec:tokens")
    @answers
    async def post(self, token_id: str) -> Any:
        """End it, and what hangs on it."""
        return await self.relay(f"/v1/tokens/{token_id}/revoke")
