"""Requests for a target, decisions, series of them, and how a grant ends."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from jupyter_server.auth.decorator import authorized
from tornado import web

from ...core.errors import Invalid
from ..kernels import WISH
from .handler import QsecHandler, answers


class GrantsHandler(QsecHandler):
    """Requests for a target, made at the panel for a kernel of this server."""

    @web.authenticated
    @authorized("write", resource="qsec:grants")
    @answers
    async def post(self) -> Any:
        """Create a request; answers 201 with the grant."""
        body = self.body()
        kernel_id = str(body.get("kernel_id") or "")
        if kernel_id not in self.settings["qsec_kernels"].ids():
            raise Invalid(
                "request.no_kernel",
                "That notebook has no kernel that can hold a credential",
                "A grant belongs to one running Python kernel.",
                "Open a notebook with a Python kernel, or restart its kernel, and ask again.",
            )
        wanted = {key: body[key] for key in WISH if body.get(key) is not None}
        wanted["data_class"] = await self.settings["qsec_notebooks"].data_class(kernel_id)
        grant = await self.control.call("POST", "/v1/grants", {**wanted, "kernel_id": kernel_id})
        self.set_status(201)
        return grant


class GrantDecisionHandler(QsecHandler):
    """Approve or deny somebody's request."""

    @web.authenticated
    @authorized("write", resource="qsec:approvals")
    @answers
    async def post(self, grant_id: str, verb: str) -> Any:
        """Return the grant after the decision."""
        return await _act(self, grant_id, verb)


class BulkDenialHandler(QsecHandler):
    """Deny several requests."""

    @web.authenticated
    @authorized("write", resource="qsec:approvals")
    @answers
    async def post(self) -> Any:
        """Return which were denied, and why the others were not."""
        return await self.relay("/v1/grants/deny", "ids", "comment")


class GrantExtensionHandler(QsecHandler):
    """Ask for more time."""

    @web.authenticated
    @authorized("write", resource="qsec:grants")
    @answers
    async def post(self, grant_id: str) -> Any:
        """Return the extension; answers 201."""
        extension = await self.relay(f"/v1/grants/{grant_id}/extend", "duration", "reason")
        self.set_status(201)
        return extension


class GrantEndHandler(QsecHandler):
    """Withdraw a request, or end a grant early."""

    @web.authenticated
    @authorized("write", resource="qsec:grants")
    @answers
    async def post(self, grant_id: str, verb: str) -> Any:
        """Return the grant after it has ended."""
        return await _act(self, grant_id, verb)


async def _act(handler: QsecHandler, grant_id: str, verb: str) -> Any:
    path = f"/v1/grants/{quote(grant_id, safe='')}/{verb}"
    grant = await handler.relay(path, "comment", "payload_digest")
    # When the panel says that a grant is over, its kernel knows.
    await handler.settings["qsec_kernels"].push_grant(grant)
    return grant


class SeriesHandler(QsecHandler):
    """Series of like requests that are approved once."""

    @web.authenticated
    @authorized("read", resource="qsec:approvals")
    @answers
    async def get(self) -> Any:
        """Return those that still approve something."""
        return {"series": await self.control.call("GET", "/v1/series")}

    @web.authenticated
    @authorized("write", resource="qsec:approvals")
    @answers
    async def post(self) -> Any:
        """Approve a series; answers 201."""
        series = await self.relay("/v1/series", "grant_id", "times", "days")
        self.set_status(201)
        return series


class SeriesEndHandler(QsecHandler):
    """One series."""

    @web.authenticated
    @authorized("write", resource="qsec:approvals")
    @answers
    async def post(self, series_id: str) -> Any:
        """End it early."""
        return {"series": await self.relay(f"/v1/series/{series_id}/end")}
