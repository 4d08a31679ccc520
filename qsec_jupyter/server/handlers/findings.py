"""What saves have found, what may stay, and which ways out of a notebook are covered."""

from __future__ import annotations

from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from ...core.errors import Invalid, NotFound
from .handler import QsecHandler, answers


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
        return await self.ask("/v1/findings", "path", "severity", "search")


class CoverageHandler(QsecHandler):
    """Which ways out of a notebook are covered, and which are not."""

    @web.authenticated
    @authorized("read", resource="qsec:findings")
    @answers
    async def get(self) -> Any:
        """Return a row for each surface and route, as things stand now."""
        path = self.get_query_argument("path").strip("/")
        return {"path": path, "rows": await self.settings["qsec_coverage"].rows(path)}
