"""REST for the browser, below ``<base_url>/qsec``: relays to the control plane, and the last scans.

Every concrete verb names its own resource: ``@authorized`` remembers the resource of the first class
that uses it, so a decorated method on a shared base class would check the wrong one.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any
from urllib.parse import quote, urlencode

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from tornado import web

from ..core.errors import HTTP_STATUS, Bug, Invalid, NotFound, QsecError
from .control_plane import ControlPlane
from .save import SaveGuard

LONG_POLL_SECONDS = 25.0

RUN_QUERY = (
    "search", "framework", "backend", "status", "since", "until", "kernel_id", "limit", "cursor",
)  # fmt: skip
"""What the list of runs can be asked by."""

_Verb = Callable[..., Awaitable[Any]]


def answers(verb: _Verb) -> _Verb:
    """Send what ``verb`` returns as JSON, and a :class:`QsecError` as a problem document."""

    @wraps(verb)
    async def handle(self: QsecHandler, *args: str) -> None:
        try:
            self.finish(json.dumps(await verb(self, *args)))
        except QsecError as error:
            self.send_problem(error)
        except web.HTTPError:
            raise
        except Exception as error:  # noqa: BLE001  # the browser gets a problem, never a traceback
            self.log.error("qsec: %s failed with %s", self.request.path, type(error).__name__)
            self.send_problem(Bug("server.bug", "qsec-jupyter failed", "An unexpected error."))

    return handle


class QsecHandler(APIHandler):
    """What the handlers share: the parts they call, and how they answer."""

    def initialize(self, control: ControlPlane, guard: SaveGuard) -> None:
        """Take the parts from the route table."""
        self.control = control
        self.guard = guard

    def send_problem(self, error: QsecError) -> None:
        """Answer with a problem document (RFC 9457)."""
        self.set_status(HTTP_STATUS[error.kind])
        self.finish(json.dumps(error.to_problem()))

    def body(self) -> dict[str, Any]:
        """Return the request's JSON object."""
        try:
            value = json.loads(self.request.body or b"{}")
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise Invalid("request.not_json", "The request is not a JSON object")
        return value


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
        wanted = {key: body.get(key) for key in ("target", "reason", "ticket", "duration")}
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


class GrantEndHandler(QsecHandler):
    """Withdraw a request, or end a grant early."""

    @web.authenticated
    @authorized("write", resource="qsec:grants")
    @answers
    async def post(self, grant_id: str, verb: str) -> Any:
        """Return the grant after it has ended."""
        return await _act(self, grant_id, verb)


async def _act(handler: QsecHandler, grant_id: str, verb: str) -> Any:
    comment = handler.body().get("comment")
    path = f"/v1/grants/{quote(grant_id, safe='')}/{verb}"
    return await handler.control.call("POST", path, {"comment": comment})


class RunsHandler(QsecHandler):
    """The index of runs."""

    @web.authenticated
    @authorized("read", resource="qsec:runs")
    @answers
    async def get(self) -> Any:
        """Return a page of runs, newest first; the control plane checks what is asked."""
        asked = [(name, self.get_query_argument(name, None)) for name in RUN_QUERY]
        query = urlencode([(name, value) for name, value in asked if value])
        return await self.control.call("GET", f"/v1/runs?{query}")


class RunDiffHandler(QsecHandler):
    """Two runs compared."""

    @web.authenticated
    @authorized("read", resource="qsec:runs")
    @answers
    async def get(self, run_id: str, other: str) -> Any:
        """Return what changed from one to the other."""
        path = f"/v1/runs/{quote(run_id, safe='')}/diff/{quote(other, safe='')}"
        return await self.control.call("GET", path)


class RunHandler(QsecHandler):
    """One recorded run with its statements."""

    @web.authenticated
    @authorized("read", resource="qsec:runs")
    @answers
    async def get(self, run_id: str) -> Any:
        """Return summary, statements, ledger positions, nested calls and citation."""
        return await self.control.call("GET", f"/v1/runs/{quote(run_id, safe='')}")


class ScanHandler(QsecHandler):
    """What the last save of a notebook found."""

    @web.authenticated
    @authorized("read", resource="qsec:findings")
    @answers
    async def get(self) -> Any:
        """Return the report of ``path``; 404 when this server has not saved it."""
        path = self.get_query_argument("path")
        report = self.guard.report(path)
        if report is None:
            raise NotFound("scan.no_report", "That notebook was not saved by this server yet")
        return report.to_dict()


class KeepHandler(QsecHandler):
    """Keep a finding: from the next save on its value is written as it is."""

    @web.authenticated
    @authorized("write", resource="qsec:findings")
    @answers
    async def post(self) -> Any:
        """Record who keeps what and why; return the report of the last save."""
        body = self.body()
        path, fingerprint = str(body.get("path") or ""), str(body.get("fingerprint") or "")
        reason = str(body.get("reason") or "").strip()
        if not reason:
            raise Invalid(
                "finding.reason_missing", "A kept finding needs a reason", remedy="Say why it may stay."
            )
        report = self.guard.keep(path, fingerprint, reason, self.settings["qsec_owner"]["name"])
        await self.control.call(
            "POST", f"/v1/findings/{quote(fingerprint, safe='')}/keep", {"path": path, "reason": reason}
        )
        return report.to_dict()


_ID = r"([0-9A-Za-z_-]{1,64})"

ROUTES: tuple[tuple[str, type[QsecHandler]], ...] = (
    (r"version", VersionHandler),
    (r"state", StateHandler),
    (r"grants", GrantsHandler),
    (rf"grants/{_ID}/(approve|deny)", GrantDecisionHandler),
    (rf"grants/{_ID}/(cancel|revoke)", GrantEndHandler),
    (r"runs", RunsHandler),
    (rf"runs/{_ID}", RunHandler),
    (rf"runs/{_ID}/diff/{_ID}", RunDiffHandler),
    (r"scan", ScanHandler),
    (r"scan/keep", KeepHandler),
)
"""Pattern below ``qsec/`` to handler; the authorisation tests walk this table."""


def routes(control: ControlPlane, guard: SaveGuard) -> list[tuple[str, type[QsecHandler], dict[str, Any]]]:
    """Return the handlers for Tornado, without the server's base URL."""
    parts = {"control": control, "guard": guard}
    return [(f"/qsec/{pattern}", handler, parts) for pattern, handler in ROUTES]
