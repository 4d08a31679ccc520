"""The HTTP edge: every route behind the bearer, every refusal a problem document."""

from __future__ import annotations

import hmac
import logging
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from ..core.errors import HTTP_STATUS, Bug, Invalid, QsecError
from ..core.secret import Secret
from .api import credentials, findings, grants, kernels, runs, state
from .control_plane import ControlPlane

_log = logging.getLogger("qsec.http")
_HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})


class Unauthenticated(Exception):
    """The request carries no bearer, or a wrong one, or comes under another host's name."""


def make_app(control: ControlPlane | None, bearer: Secret | None) -> FastAPI:
    """Return the application. Without a bearer it answers nothing; that form is for exporting OpenAPI."""
    guard = Depends(_Guard(bearer))
    app = FastAPI(
        title="qsec control plane",
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        dependencies=[guard],
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.control = control
    for module in (state, grants, credentials, runs, findings, kernels):
        app.include_router(module.router)
    app.add_exception_handler(Unauthenticated, _unauthenticated)
    app.add_exception_handler(QsecError, _refused)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(Exception, _failed)
    return app


class _Guard:
    """Lets a request in that carries the bearer and was sent to this machine by its own name."""

    def __init__(self, bearer: Secret | None) -> None:
        self._bearer = bearer

    def __call__(self, request: Request) -> None:
        # A page that rebinds its name to 127.0.0.1 still sends that name.
        host = request.headers.get("host", "").rpartition(":")[0] or request.headers.get("host", "")
        given = request.headers.get("authorization", "")
        wanted = f"Bearer {self._bearer.reveal()}" if self._bearer else None
        if wanted is None or host not in _HOSTS or not hmac.compare_digest(given.encode(), wanted.encode()):
            raise Unauthenticated


def _problem(error: QsecError, status: int | None = None) -> JSONResponse:
    status = status or HTTP_STATUS[error.kind]
    return JSONResponse(
        {**error.to_problem(), "status": status}, status, media_type="application/problem+json"
    )


async def _unauthenticated(request: Request, error: Exception) -> JSONResponse:
    refusal = Invalid("http.unauthenticated", "This needs the bearer", "", "Ask through the Jupyter Server.")
    return _problem(refusal, 401)


async def _refused(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, QsecError)
    return _problem(error)


async def _malformed(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    # Where the body is wrong, never what it says: that could be a secret.
    places = sorted({".".join(map(str, item["loc"])) for item in error.errors()})
    return _problem(
        Invalid("request.malformed", "The request is malformed", f"See {', '.join(places)[:200]}.")
    )


async def _failed(request: Request, error: Exception) -> JSONResponse:
    _log.error("unexpected %s", type(error).__name__)
    return _problem(Bug("control.bug", "qsec-jupyter failed", "An unexpected error.", "Please report it."))


def openapi() -> dict[str, Any]:
    """Return the OpenAPI document of the REST interface."""
    return make_app(None, None).openapi()
