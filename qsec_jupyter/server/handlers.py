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
from ..core.secret import Secret
from .control_plane import ControlPlane
from .kernels import WISH
from .save import SaveGuard
from .share import Keep
from .sharing import Sharing
from .words import masked

LONG_POLL_SECONDS = 25.0

RUN_QUERY = (
    "search", "framework", "backend", "status", "since", "until", "kernel_id", "limit", "cursor",
)  # fmt: skip
"""What the list of runs can be asked by."""

EVENT_QUERY = ("kind", "target", "since", "until", "before", "limit")
"""What the list of events can be asked by."""

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
        """Return the request's JSON object; what a person typed quotes no issued value any more."""
        try:
            value = json.loads(self.request.body or b"{}")
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise Invalid("request.not_json", "The request is not a JSON object")
        return masked(value, self.settings["qsec_masked"])


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
        return await _relay(self, "/v1/grants/deny", "ids", "comment")


class GrantExtensionHandler(QsecHandler):
    """Ask for more time."""

    @web.authenticated
    @authorized("write", resource="qsec:grants")
    @answers
    async def post(self, grant_id: str) -> Any:
        """Return the extension; answers 201."""
        extension = await _relay(self, f"/v1/grants/{grant_id}/extend", "duration", "reason")
        self.set_status(201)
        return extension


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
        locked = await _relay(self, "/v1/locks", "kind", "name", "reason")
        self.set_status(201)
        return locked


class LockHandler(QsecHandler):
    """One lock."""

    @web.authenticated
    @authorized("write", resource="qsec:locks")
    @answers
    async def post(self, lock_id: str) -> Any:
        """Lift it."""
        return await _relay(self, f"/v1/locks/{lock_id}/lift")


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
        issued = await _relay(self, "/v1/tokens", "scopes", "targets", "seconds", "label")
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
        return await _relay(self, f"/v1/tokens/{token_id}/revoke")


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
        series = await _relay(self, "/v1/series", "grant_id", "times", "days")
        self.set_status(201)
        return series


class SeriesEndHandler(QsecHandler):
    """One series."""

    @web.authenticated
    @authorized("write", resource="qsec:approvals")
    @answers
    async def post(self, series_id: str) -> Any:
        """End it early."""
        return {"series": await _relay(self, f"/v1/series/{series_id}/end")}


async def _relay(handler: QsecHandler, path: str, *names: str) -> Any:
    """Pass on what the body says under ``names``."""
    body = handler.body()
    return await handler.control.call("POST", path, {name: body[name] for name in names if name in body})


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
    grant = await _relay(handler, path, "comment", "payload_digest")
    # When the panel says that a grant is over, its kernel knows.
    await handler.settings["qsec_kernels"].push_grant(grant)
    return grant


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


class EventsHandler(QsecHandler):
    """What happened, as far as it concerns who asks."""

    @web.authenticated
    @authorized("read", resource="qsec:events")
    @answers
    async def get(self) -> Any:
        """Return a page of events, newest first; the control plane checks what is asked."""
        asked = [(name, self.get_query_argument(name, None)) for name in EVENT_QUERY]
        query = urlencode([(name, value) for name, value in asked if value])
        return await self.control.call("GET", f"/v1/events?{query}")


class JobsHandler(QsecHandler):
    """Jobs that went through the gateway."""

    @web.authenticated
    @authorized("read", resource="qsec:jobs")
    @answers
    async def get(self) -> Any:
        """Return jobs, newest first; the control plane checks what is asked."""
        asked = [(name, self.get_query_argument(name, None)) for name in ("target", "state", "limit")]
        query = urlencode([(name, value) for name, value in asked if value])
        return await self.control.call("GET", f"/v1/jobs?{query}")


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


class ReconciliationsHandler(QsecHandler):
    """Compares a provider's list of jobs with the ledger."""

    @web.authenticated
    @authorized("write", resource="qsec:jobs")
    @answers
    async def post(self, target: str) -> Any:
        """Return what was found."""
        path = f"/v1/targets/{quote(target, safe='')}/reconciliations"
        return await self.control.call("POST", path, self.body())


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
    """Keep findings: from the next save on their values are written as they are."""

    @web.authenticated
    @authorized("write", resource="qsec:findings")
    @answers
    async def post(self) -> Any:
        """Record who keeps what and why; return the report of the last save."""
        path, fingerprints = _chosen(self)
        reason = str(self.body().get("reason") or "").strip()
        if not reason:
            raise Invalid(
                "finding.reason_missing", "A kept finding needs a reason", remedy="Say why it may stay."
            )
        report = self.guard.keep(path, fingerprints, reason, self.settings["qsec_owner"]["name"])
        body = {"path": report.path, "fingerprints": sorted(fingerprints), "reason": reason}
        await self.control.call("POST", "/v1/findings/keep", body)
        return report.to_dict()


class UnkeepHandler(QsecHandler):
    """Take kept findings back: from the next save on their values are redacted again."""

    @web.authenticated
    @authorized("write", resource="qsec:findings")
    @answers
    async def post(self) -> Any:
        """Record who takes what back; return the report of the last save."""
        path, fingerprints = _chosen(self)
        report = self.guard.unkeep(path, fingerprints)
        body = {"path": report.path, "fingerprints": sorted(fingerprints)}
        await self.control.call("POST", "/v1/findings/unkeep", body)
        return report.to_dict()


def _chosen(handler: QsecHandler) -> tuple[str, set[str]]:
    body = handler.body()
    fingerprints = body.get("fingerprints")
    if not isinstance(fingerprints, list) or not fingerprints or not all(map(_is_name, fingerprints)):
        raise Invalid("finding.none_chosen", "No finding was chosen", "fingerprints is a list of texts.")
    return str(body.get("path") or ""), set(fingerprints)


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 200


class FindingsHandler(QsecHandler):
    """What saves have found, over all notebooks of this server."""

    @web.authenticated
    @authorized("read", resource="qsec:findings")
    @answers
    async def get(self) -> Any:
        """Return findings, newest first; the control plane checks what is asked."""
        asked = [(name, self.get_query_argument(name, None)) for name in ("path", "severity", "search")]
        query = urlencode([(name, value) for name, value in asked if value])
        return await self.control.call("GET", f"/v1/findings?{query}")


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


class CoverageHandler(QsecHandler):
    """Which ways out of a notebook are covered, and which are not."""

    @web.authenticated
    @authorized("read", resource="qsec:findings")
    @answers
    async def get(self) -> Any:
        """Return a row for each surface and route, as things stand now."""
        path = self.get_query_argument("path").strip("/")
        return {"path": path, "rows": await self.settings["qsec_coverage"].rows(path)}


_ID = r"([0-9A-Za-z_-]{1,64})"

ROUTES: tuple[tuple[str, type[QsecHandler]], ...] = (
    (r"version", VersionHandler),
    (r"state", StateHandler),
    (r"grants", GrantsHandler),
    (r"grants/deny", BulkDenialHandler),
    (rf"grants/{_ID}/(approve|deny|review)", GrantDecisionHandler),
    (rf"grants/{_ID}/extend", GrantExtensionHandler),
    (rf"grants/{_ID}/(cancel|revoke)", GrantEndHandler),
    (r"locks", LocksHandler),
    (rf"locks/{_ID}/lift", LockHandler),
    (rf"targets/{_ID}/secret", TargetSecretHandler),
    (r"tokens", TokensHandler),
    (rf"tokens/{_ID}/revoke", TokenHandler),
    (r"series", SeriesHandler),
    (rf"series/{_ID}/end", SeriesEndHandler),
    (r"runs", RunsHandler),
    (rf"runs/{_ID}", RunHandler),
    (rf"runs/{_ID}/diff/{_ID}", RunDiffHandler),
    (r"jobs", JobsHandler),
    (rf"jobs/{_ID}(/exposure)?", JobHandler),
    (rf"jobs/{_ID}/cancel", JobCancelHandler),
    (rf"targets/{_ID}/reconciliations", ReconciliationsHandler),
    (r"events", EventsHandler),
    (r"scan", ScanHandler),
    (r"scan/keep", KeepHandler),
    (r"scan/unkeep", UnkeepHandler),
    (r"findings", FindingsHandler),
    (r"share", ShareHandler),
    (r"coverage", CoverageHandler),
)
"""Pattern below ``qsec/`` to handler; the authorisation tests walk this table."""


def routes(control: ControlPlane, guard: SaveGuard) -> list[tuple[str, type[QsecHandler], dict[str, Any]]]:
    """Return the handlers for Tornado, without the server's base URL."""
    parts = {"control": control, "guard": guard}
    return [(f"/qsec/{pattern}", handler, parts) for pattern, handler in ROUTES]
