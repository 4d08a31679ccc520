"""Runs: their index, their statements, and two compared."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from jupyter_server.auth.decorator import authorized
from tornado import web

from .handler import QsecHandler, answers


class RunsHandler(QsecHandler):
    """The index of runs."""

    @web.authenticated
    @authorized("read", resource="qsec:runs")
    @answers
    async def get(self) -> Any:
        """Return a page of runs, newest first; the control plane checks what is asked."""
        filters = ("search", "framework", "backend", "status", "since", "until", "kernel_id")
        return await self.ask("/v1/runs", *filters, "limit", "cursor")


class RunHandler(QsecHandler):
    """One recorded run with its statements."""

    @web.authenticated
    @authorized("read", resource="qsec:runs")
    @answers
    async def get(self, run_id: str) -> Any:
        """Return summary, statements, ledger positions, nested calls and citation."""
        return await self.control.call("GET", f"/v1/runs/{quote(run_id, safe='')}")


class RunDiffHandler(QsecHandler):
    """Two runs compared."""

    @web.authenticated
    @authorized("read", resource="qsec:runs")
    @answers
    async def get(self, run_id: str, other: str) -> Any:
        """Return what changed from one to the other."""
        path = f"/v1/runs/{quote(run_id, safe='')}/diff/{quote(other, safe='')}"
        return await self.control.call("GET", path)
