"""The table of all routes below ``<base_url>/qsec``."""

from __future__ import annotations

from typing import Any

from ..control_plane import ControlPlane
from ..save import SaveGuard
from .events import EventsHandler
from .findings import CoverageHandler, FindingsHandler, KeepHandler, ScanHandler, UnkeepHandler
from .grants import (
    BulkDenialHandler,
    GrantDecisionHandler,
    GrantEndHandler,
    GrantExtensionHandler,
    GrantsHandler,
    SeriesEndHandler,
    SeriesHandler,
)
from .handler import QsecHandler
from .jobs import JobCancelHandler, JobHandler, JobsHandler
from .locks import LockHandler, LocksHandler
from .runs import RunDiffHandler, RunHandler, RunsHandler
from .shares import ShareHandler
from .state import StateHandler, VersionHandler
from .targets import ReconciliationsHandler, TargetSecretHandler
from .tokens import TokenHandler, TokensHandler

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
