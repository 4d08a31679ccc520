"""The HTTP edge: every route behind the bearer, every refusal a problem document."""

from __future__ import annotations

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from ..core.errors import HTTP_STATUS, Bug, Denied, Invalid, NotFound, QsecError
from .api import (
    credentials,
    events,
    evidence,
    findings,
    grants,
    jobs,
    kernels,
    locks,
    runs,
    series,
    shares,
    state,
    targets,
    tokens,
    workloads,
)
from .callers import Caller, Callers
from .control_plane import ControlPlane
from .identity.tokens import is_token, reaches
from .policy.live import LivePolicy

_log = logging.getLogger("qsec.http")
_MODULES = (
    state,
    targets,
    workloads,
    grants,
    series,
    locks,
    tokens,
    credentials,
    runs,
    jobs,
    evidence,
    events,
    findings,
    shares,
    kernels,
)
_KERNEL = b"qsec-kernel"
LOGIN_BYTES = 20_000
_HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})


def make_app(control: ControlPlane | None) -> FastAPI:
    """Return the application. Without a control plane it answers nothing; that form is for OpenAPI."""
    app = FastAPI(
        title="qsec control plane",
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.control = control
    for module in _MODULES:
        app.include_router(module.router)
    app.add_exception_handler(QsecError, _refused)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _not_http)
    app.add_exception_handler(Exception, _failed)
    if control is not None:
        app.add_middleware(OneBundle, policy=control.policy)
    app.add_middleware(BearerGuard, callers=control.callers if control else Callers())
    refuse_open_app(app)
    return app


class BearerGuard:
    """Stands before all routes, of whatever kind, and before any body is read.

    It lets a request in that carries a known bearer and was sent to this machine by its own name, and
    notes whose bearer it is.

    Args:
        app: What it guards (ASGI 3).
        callers: Who may come in.
    """

    def __init__(self, app: ASGIApp, callers: Callers) -> None:
        self._app = app
        self._callers = callers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 401; a socket is closed."""
        if scope["type"] == "lifespan" or self._is_login(scope):
            await self._app(scope, receive, send)
        elif (caller := self._caller(Headers(scope=scope))) is not None:
            scope["qsec.caller"] = caller
            if is_token(caller) and not reaches(caller, scope.get("method", ""), scope["path"]):
                await _problem(_out_of_scope())(scope, receive, send)
                return
            await self._app(_as_its_kernel(scope, caller), receive, send)
        elif scope["type"] == "http":
            refusal = Invalid(
                "http.unauthenticated", "This needs the bearer", "", "Ask through the Jupyter Server."
            )
            await _problem(refusal, 401)(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008, "reason": ""})  # policy violation, RFC 6455

    def _is_login(self, scope: Scope) -> bool:
        """Say whether a workload brings the proof itself; such a body is short, and no browser sends it."""
        if scope["type"] != "http" or (scope["method"], scope["path"]) != ("POST", workloads.LOGIN):
            return False
        headers = Headers(scope=scope)
        size = headers.get("content-length", "")
        short = size.isascii() and size.isdigit() and int(size[:9]) <= LOGIN_BYTES
        return short and _is_ours(headers) and not {"origin", "authorization"} & set(headers)

    def _caller(self, headers: Headers) -> Caller | None:
        if not _is_ours(headers):
            return None
        return self._callers.find(headers.get("authorization", ""))


def _is_ours(headers: Headers) -> bool:
    """Say whether a request was sent to this machine: a page that rebinds its name still sends that name."""
    host = headers.get("host", "")
    return (host.rpartition(":")[0] or host) in _HOSTS


def _as_its_kernel(scope: Scope, caller: Caller) -> Scope:
    """Return what a caller that stands for one kernel asked, with that kernel's name and no other."""
    if caller.kernel_id is None:
        return scope
    kept = [(name, value) for name, value in scope["headers"] if name != _KERNEL]
    return {**scope, "headers": [*kept, (_KERNEL, caller.kernel_id.encode())]}


def _out_of_scope() -> Denied:
    return Denied(
        "token.out_of_scope",
        "That token is not for this",
        "The rule: a token reaches what its scopes say.",
        "Make one with the scope that this needs: `qsec token issue`.",
    )


class OneBundle:
    """Has each request that changes something decided by one policy bundle, from its first line to its last.

    Args:
        app: What it wraps (ASGI 3).
        policy: What is in force.
    """

    def __init__(self, app: ASGIApp, policy: LivePolicy) -> None:
        self._app = app
        self._policy = policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on. One that only reads may wait long, and is to see what is in force then."""
        if scope["type"] == "http" and scope["method"] != "GET":
            with self._policy.pin():
                await self._app(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def refuse_open_app(app: FastAPI) -> None:
    """Make sure that nothing stands before the guard.

    Raises:
        Bug: ``control.open``; such an application does not start.
    """
    outermost: object = app.user_middleware[0].cls if app.user_middleware else None
    if outermost is not BearerGuard:
        raise Bug("control.open", "Something answers before the bearer is checked")


def _problem(error: QsecError, status: int | None = None) -> JSONResponse:
    status = status or HTTP_STATUS[error.kind]
    return JSONResponse(
        {**error.to_problem(), "status": status}, status, media_type="application/problem+json"
    )


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


async def _not_http(request: Request, error: Exception) -> JSONResponse:
    """Answer what the framework refuses by itself: no such path, another verb, a body that is no JSON."""
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return _problem(NotFound("http.no_route", "There is no such path"))
    if error.status_code == 405:
        return _problem(Invalid("http.verb", "That path takes another verb"), 405)
    return _problem(Invalid("request.malformed", "The request is malformed", "The body cannot be read."))


async def _failed(request: Request, error: Exception) -> JSONResponse:
    _log.error("unexpected %s", type(error).__name__)
    return _problem(Bug("control.bug", "qsec-jupyter failed", "An unexpected error.", "Please report it."))


def openapi() -> dict[str, Any]:
    """Return the OpenAPI document of the REST interface."""
    return make_app(None).openapi()
