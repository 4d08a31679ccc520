"""The gateway's edge: a plain ASGI application on a listener of its own, apart from REST."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import replace

from starlette.types import Receive, Scope, Send

from ...core.errors import HTTP_STATUS, Bug, Denied, NotFound, QsecError
from ..catalog import Catalogue
from .answers import Answer, as_json
from .call import Call, Desk, read_body
from .model import Pass
from .operations import answer
from .providers import PROVIDERS, Provider
from .request import Request, read_request
from .routes import Route, check_query
from .settings import GatewaySettings
from .tokens import Passes

_log = logging.getLogger("qsec.gateway")
_EXCHANGE = 16 * 1024
"""The largest body of an exchange of tokens (bytes)."""

_ONCE = frozenset({"submit", "open-session"})
"""Operations that a client must not send again by itself."""


class Edge:
    """Takes requests apart, lets them in, has them answered, and cuts answers whose token ends.

    Args:
        catalogue: Returns the targets as they are now.
        passes: The tokens.
        desk: What answering takes.
        refused: Told of a call that its token does not reach; for the audit. It may block.
    """

    def __init__(
        self,
        *,
        catalogue: Callable[[], Catalogue],
        passes: Passes,
        desk: Desk,
        refused: Callable[[Pass, str, QsecError], object],
    ) -> None:
        self._catalogue = catalogue
        self._passes = passes
        self._desk = desk
        self._refused = refused
        self._hosts: frozenset[str] = frozenset()

    def listen_on(self, port: int) -> None:
        """Answer to this machine's own names with that port, and to no other."""
        self._hosts = frozenset(f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; a socket is closed."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": ""})
        if scope["type"] != "http":
            return
        outlet = _Outlet(send)
        try:
            call = await self._let_in(scope, receive, outlet)
            await self._serve(call, outlet)
        except QsecError as error:
            await outlet.refuse(error)
        except Exception as error:  # noqa: BLE001  # a client gets an answer, whatever went wrong here
            _log.error("unexpected %s (%s)", type(error).__name__, outlet.trace)
            await outlet.refuse(Bug("gateway.bug", "The gateway failed", "An unexpected error."))

    async def _let_in(self, scope: Scope, receive: Receive, outlet: _Outlet) -> Call:
        """Take a request apart, find its route, and let its token in."""
        request = read_request(scope, self._hosts)
        settings, provider, route, places = self._place(request)
        outlet.speak(provider, once=route.operation in _ONCE)
        body = await read_body(request, receive, _EXCHANGE) if route.operation == "token" else None
        token = provider.token(request, body) or ""
        holder = self._passes.find(token, request.target)
        if not route.reached_by(holder.scope):
            error = _out_of_scope(route, holder.scope)
            await self._desk.work(self._refused, holder, route.operation, error)
            raise error
        return Call(
            desk=self._desk,
            settings=settings,
            provider=provider,
            holder=holder,
            token=token,
            request=request,
            route=route,
            places=places,
            receive=receive,
        )

    def _place(self, request: Request) -> tuple[GatewaySettings, Provider, Route, dict[str, str]]:
        """Return where a request leads.

        Raises:
            NotFound: ``gateway.no_route`` for a target that is not proxied, or a call that is not offered.
            Invalid: ``gateway.parameter``.
        """
        settings = self._catalogue().gateways.get(request.target)
        if settings is None:
            raise NotFound(
                "gateway.no_route", "The gateway does not offer that", "No such target is reached through it."
            )
        provider = PROVIDERS[settings.provider]
        route, places = provider.table.match(request.api, request.method, request.path)
        check_query(route, request.query)
        return settings, provider, route, places

    async def _serve(self, call: Call, outlet: _Outlet) -> None:
        """Have a call answered, as long as its token is good."""
        task = asyncio.ensure_future(_give(call, outlet))
        try:
            with self._passes.streaming(call.token, task, call.request.target):
                await asyncio.wait({task})
        finally:
            task.cancel()  # does nothing to one that is done
        if not task.cancelled():
            task.result()
        elif not outlet.begun:
            self._passes.find(call.token, call.request.target)  # raises how it ended
        # Else the answer stays without its end: the client sees a broken transfer, not a short result.


class _Outlet:
    """The way out of one request: it knows whose dialect is spoken, and whether an answer has begun."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._provider: Provider | None = None
        self._once = False
        self.trace = secrets.token_hex(16)
        self.begun = False

    def speak(self, provider: Provider, *, once: bool) -> None:
        """Refuse in that provider's form from now on."""
        self._provider, self._once = provider, once

    async def begin(self, status: int, headers: Mapping[str, str]) -> None:
        """Send the head."""
        self.begun = True
        shown = {"cache-control": "no-store", **headers}
        pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in shown.items()]
        await self._send({"type": "http.response.start", "status": status, "headers": pairs})

    async def more(self, chunk: bytes) -> None:
        """Send a piece; returns once there is room for the next."""
        await self._send({"type": "http.response.body", "body": chunk, "more_body": True})

    async def end(self, chunk: bytes = b"") -> None:
        """Send the last piece."""
        await self._send({"type": "http.response.body", "body": chunk, "more_body": False})

    async def whole(self, reply: Answer) -> None:
        """Send an answer that is there already."""
        await self.begin(reply.status, {**reply.headers, "content-length": str(len(reply.body))})
        await self.end(reply.body)

    async def refuse(self, error: QsecError) -> None:
        """Send a refusal, unless an answer has begun: that one then stays without its end."""
        if self.begun:
            _log.warning("an answer broke off: %s (%s)", error.code, self.trace)
        elif self._provider is not None:
            await self.whole(self._provider.refusal(error, self.trace, once=self._once))
        else:
            await self.whole(_plain(error))


async def _give(call: Call, outlet: _Outlet) -> None:
    """Answer a call."""
    reply = await answer(call)
    if reply.chunks is None:
        await outlet.whole(reply)
        return
    mine = asyncio.current_task()
    gone = asyncio.ensure_future(_gone(call.receive))
    gone.add_done_callback(lambda done: None if done.cancelled() or mine is None else mine.cancel())
    try:
        async with aclosing(reply.chunks) as chunks:
            await outlet.begin(reply.status, reply.headers)
            async for chunk in chunks:
                await outlet.more(chunk)
        await outlet.end()
    finally:
        gone.cancel()


async def _gone(receive: Receive) -> None:
    """Wait until the client has gone: nothing more is fetched for it then."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _plain(error: QsecError) -> Answer:
    """Return a refusal in no provider's dialect, and have the connection closed: what follows is unclear."""
    status = 400 if error.kind == "invalid" else HTTP_STATUS[error.kind]
    headers = {"content-type": "application/problem+json", "connection": "close"}
    return replace(as_json(status, {**error.to_problem(), "status": status}), headers=headers)


def _out_of_scope(route: Route, scope: str) -> Denied:
    return Denied(
        "gateway.out_of_scope",
        "This token is not for that",
        f"It is good for {scope}; this needs {route.scope}.",
        "Request a grant for it: qsec.request(...).",
    )
