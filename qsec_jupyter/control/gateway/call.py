"""One request on its way through the gateway: who asks for what, and what it takes to answer."""

from __future__ import annotations

import asyncio
import hmac
import secrets
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

from ...core.errors import Invalid
from .answers import Answer, Unpack, passed, streamed
from .forward import Broken, Reply, Upstream
from .keys import Key, Keyring
from .model import Pass
from .request import Outgoing, Request
from .routes import Route
from .settings import GatewaySettings

if TYPE_CHECKING:
    from .jobs import Jobs
    from .payload import Restorer, Workers
    from .providers.provider import Provider

SMALL = 16 * 1024 * 1024
"""The largest answer that is held in memory; results are not (bytes)."""

_BODY_SECONDS = 30.0
_CREDENTIAL_REFUSED = 401
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Desk:
    """What every call uses.

    Attributes:
        upstream: Calls providers.
        keys: Their credentials.
        jobs: The book of jobs.
        workers: Read and restore payloads.
        pool: Runs what blocks.
        secret: What opaque names are made with, together with the grant.
    """

    upstream: Upstream
    keys: Keyring
    jobs: Jobs
    workers: Workers
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(16, "qsec-gateway"))

    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32))

    def hiding(self, holder: Pass) -> bytes:
        """Return the key of a grant's opaque names: elsewhere they mean nothing."""
        about = f"{holder.grant.target}\0{holder.grant.parent or holder.grant.id}"
        return hmac.digest(self.secret, about.encode(), "sha256")

    async def work(self, call: Callable[..., T], *args: Any) -> T:
        """Return what a blocking call returns, without blocking."""
        return await asyncio.get_running_loop().run_in_executor(self.pool, call, *args)

    def soon(self, call: Callable[[], object]) -> None:
        """Have a blocking call done that nobody waits for; if it fails, the loop's log says so."""
        asyncio.get_running_loop().run_in_executor(self.pool, call)

    async def close(self) -> None:
        """Let go of connections and threads; a thread that hangs is not waited for."""
        self.pool.shutdown(wait=False, cancel_futures=True)
        await self.workers.close()
        await self.upstream.close()


@dataclass(frozen=True, slots=True)
class Asked:
    """What is sent to a provider, as far as it is not the request itself.

    Attributes:
        query: Parameters; the request's own when ``None``.
        body: The body, if any.
        fresh: On a connection of its own; see :meth:`.Upstream.send`.
        wait: Seconds without a byte of the answer; the settings' when ``None``.
    """

    query: tuple[tuple[str, str], ...] | None = None
    body: bytes | None = None
    fresh: bool = False
    wait: int | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A request that was let in.

    Attributes:
        holder: What its token stands for.
        token: The token itself, for answers that hand it back.
        route: What is called; its ``places`` are what stood in the pattern.
        receive: Gives the body, as ASGI does.
    """

    desk: Desk
    settings: GatewaySettings
    provider: Provider
    holder: Pass
    token: str
    request: Request
    route: Route
    places: Mapping[str, str]
    receive: Callable[[], Awaitable[Any]]

    async def body(self, most: int | None = None) -> bytes:
        """Return the body.

        Raises:
            Invalid: ``payload.too_large``, ``gateway.slow``.
        """
        return await read_body(self.request, self.receive, self.settings.max_body if most is None else most)

    async def send(self, held: AsyncExitStack, asked: Asked | None = None) -> Reply:
        """Send this request, or another one for its holder, with the provider's credential.

        One that is refused for its credential was not carried out, so it is sent once more with a new one.

        Args:
            held: Takes what the reply stands on.
            asked: What is sent instead of the request as it is.

        Raises:
            NotSent, Broken: As :meth:`.Upstream.send`; ``gateway.redirected``.
        """
        asked, request = asked or Asked(), self.request
        query = urlencode(request.query if asked.query is None else asked.query)
        address = self.settings.addresses[self.route.api] + request.path + (f"?{query}" if query else "")
        outgoing = Outgoing(request.method, address, asked.body)
        for last in (False, True):
            key = await self.key()
            headers = self.provider.headers(request, outgoing, key, self.settings)
            attempt = AsyncExitStack()
            sent = self.desk.upstream.send(
                outgoing, headers, self.settings, fresh=asked.fresh, wait=asked.wait
            )
            reply = await attempt.enter_async_context(sent)
            if reply.status == _CREDENTIAL_REFUSED and not last:
                await attempt.aclose()
                self.desk.keys.drop(self.holder.grant.id, key)
                continue
            held.push_async_callback(attempt.aclose)
            _refuse_redirect(reply)
            return reply
        raise AssertionError("unreachable")

    async def key(self) -> Key:
        """Return the provider's credential for the holder's grant."""
        return await self.desk.keys.get(self.holder, lambda issued: self.provider.key(issued, self.settings))

    async def relay(self, restorer: Restorer | None = None, unpack: Unpack | None = None) -> Answer:
        """Pass the request on as it is, and the answer as it comes."""
        changes = self.request.method not in {"GET", "HEAD"}
        body = await self.body() if changes else None
        held = AsyncExitStack()
        try:
            reply = await self.send(held, Asked(body=body or None, fresh=changes))
        except BaseException:
            await held.aclose()
            raise
        return streamed(reply, held, restorer, unpack)

    async def fetch(self, asked: Asked | None = None, most: int = SMALL) -> tuple[Reply, bytes]:
        """Send a request as :meth:`send` does, and return the whole answer."""
        async with AsyncExitStack() as held:
            reply = await self.send(held, asked)
            return reply, await reply.read(most)

    async def collect(self, asked: Asked | None = None) -> Answer:
        """As :meth:`fetch`, as an answer."""
        return passed(*await self.fetch(asked))


async def read_body(request: Request, receive: Callable[[], Awaitable[Any]], most: int) -> bytes:
    """Return a request's body.

    Raises:
        Invalid: ``payload.too_large``, ``gateway.slow``.
    """
    if int(request.headers.get("content-length", "0")) > most:
        raise _too_large(most)
    parts, size = [], 0
    while True:
        try:
            message = await asyncio.wait_for(receive(), _BODY_SECONDS)
        except asyncio.TimeoutError as error:
            raise Invalid("gateway.slow", "The request did not come in time") from error
        if message["type"] == "http.disconnect":
            raise Invalid("gateway.slow", "The request did not come whole")
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > most:
            raise _too_large(most)
        if not message.get("more_body", False):
            return b"".join(parts)


def _refuse_redirect(reply: Reply) -> None:
    """Refuse an answer that sends somewhere else: the catalogue alone says where requests go.

    Raises:
        Broken: ``gateway.redirected``.
    """
    if 300 <= reply.status < 400 and reply.status != 304:
        raise Broken(
            "gateway.redirected",
            "The provider sends this request somewhere else",
            "The gateway follows no redirect: the catalogue alone says where requests go.",
            "Correct the target's addresses in catalog.toml.",
        )


def _too_large(most: int) -> Invalid:
    return Invalid(
        "payload.too_large",
        "The job is too large",
        f"At most {most // (1024 * 1024)} MB are taken.",
        "Submit it in parts, or have gateway.max_body_mb raised.",
    )
