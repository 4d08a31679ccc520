"""All that the client calls. ``search`` and ``catalog`` are how it finds out which instances there are."""

from __future__ import annotations

from ...routes import Route, Table
from .instances import plan, search
from .listing import jobs
from .sessions import open_session
from .tokens import bearer
from .work import job, logs, results, tags

_CALIBRATION = frozenset({"calibration_id", "updated_before"})
_LIST = frozenset(
    {
        "limit",
        "offset",
        "backend",
        "pending",
        "program",
        "tags",
        "session_id",
        "created_after",
        "created_before",
        "sort",
        "include_mocks",
        "exclude_params",
    }
)

TABLE = Table(
    (
        Route("iam", "POST", "/identity/token", "token", "metadata", answer=bearer),
        Route("search", "POST", "/v3/resources/search", "metadata", "metadata", frozenset({"limit"}), search),
        Route("catalog", "GET", "/{plan}", "metadata", "metadata", answer=plan),
        Route("runtime", "GET", "/backends", "metadata", "metadata", frozenset({"include_mocks"})),
        Route("runtime", "GET", "/backends/{backend}/configuration", "metadata", "metadata", _CALIBRATION),
        Route("runtime", "GET", "/backends/{backend}/properties", "metadata", "metadata", _CALIBRATION),
        Route("runtime", "GET", "/backends/{backend}/status", "metadata", "metadata"),
        Route("runtime", "GET", "/instances/usage", "usage", "metadata"),
        Route("runtime", "POST", "/jobs", "submit", "submit"),
        Route("runtime", "GET", "/jobs", "jobs", "retrieve", _LIST, jobs),
        Route("runtime", "GET", "/jobs/{job}", "job", "retrieve", frozenset({"exclude_params"}), job),
        Route("runtime", "GET", "/jobs/{job}/results", "result", "retrieve", answer=results),
        Route("runtime", "GET", "/jobs/{job}/logs", "result", "retrieve", answer=logs),
        Route("runtime", "GET", "/jobs/{job}/metrics", "job", "retrieve"),
        Route("runtime", "POST", "/jobs/{job}/cancel", "cancel", "submit"),
        Route("runtime", "DELETE", "/jobs/{job}", "delete", "submit"),
        Route("runtime", "PUT", "/jobs/{job}/tags", "tags", "submit", answer=tags),
        Route("runtime", "POST", "/sessions", "open-session", "submit", answer=open_session),
        Route("runtime", "GET", "/sessions/{session}", "session", "submit"),
        Route("runtime", "PATCH", "/sessions/{session}", "close-session", "submit"),
        Route("runtime", "DELETE", "/sessions/{session}/close", "close-session", "submit"),
    )
)
