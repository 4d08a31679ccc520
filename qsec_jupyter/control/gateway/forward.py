"""The client that calls providers: pooled, streaming, without redirects, cookies, proxies or a ``.netrc``.

aiohttp, since of the clients measured it adds least to a call: a core passes on 6,000 calls a second with it,
2,000 with httpx2 (``docs/developers/speed.md``).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from ...core.errors import Unavailable
from .request import Outgoing
from .settings import GatewaySettings

if TYPE_CHECKING:
    import aiohttp

_CONNECTIONS = 256
_IDLE_SECONDS = 20.0
"""How long a connection waits for its next use; shorter than load balancers let one live."""
_READ_AHEAD = 256 * 1024
"""At twice as much of an answer that its client has not taken yet, no more is read (bytes). A socket is
read in pieces of this size; with less, reading is stopped and begun again for each."""


class NotSent(Unavailable):
    """Nothing of the request has left: it may be sent again."""


class Broken(Unavailable):
    """Something has left, and no whole answer came: what became of it is not known."""


class Reply:
    """A provider's answer, of which only the head has been read.

    Attributes:
        status: HTTP status.
        headers: By lower-case name.
        length: Bytes that follow, when the provider says so and they are passed on as they are.
    """

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.headers.items()}
        self.length = None if "content-encoding" in self.headers else response.content_length

    async def chunks(self) -> AsyncIterator[bytes]:
        """Give the body in pieces, as fast as they are taken.

        Raises:
            Broken: ``gateway.provider_broken`` when it ends early or stands still.
        """
        try:
            async for chunk in self._response.content.iter_any():
                yield chunk
        except _failures() as error:
            raise broken(error) from error

    async def read(self, most: int) -> bytes:
        """Return the whole body.

        Raises:
            Broken: As :meth:`chunks`; ``gateway.answer_too_large`` beyond ``most`` bytes.
        """
        parts, size = [], 0
        async for chunk in self.chunks():
            parts.append(chunk)
            size += len(chunk)
            if size > most:
                raise Broken(
                    "gateway.answer_too_large",
                    "The provider's answer is larger than such an answer can be",
                    f"More than {most} bytes.",
                    "Ask for less at once.",
                )
        return b"".join(parts)


class Upstream:
    """Calls providers, from one event loop."""

    def __init__(self) -> None:
        self._pooled: aiohttp.ClientSession | None = None
        self._fresh: aiohttp.ClientSession | None = None

    @asynccontextmanager
    async def send(
        self,
        outgoing: Outgoing,
        headers: Mapping[str, str],
        settings: GatewaySettings,
        *,
        fresh: bool = False,
        wait: int | None = None,
    ) -> AsyncIterator[Reply]:
        """Send one request, and give its answer once the head has come.

        Args:
            outgoing: Goes to an address of the catalogue with a path of a provider's table. One that changes
                nothing is sent again when an idle connection turns out closed.
            headers: All of them.
            settings: Say how long is waited.
            wait: Seconds without a byte of the answer; what the settings say when not given.
            fresh: On a connection of its own: one that was idle may be closed in the very moment of use, and
                then nobody knows what became of a submission.

        Raises:
            NotSent: ``gateway.provider_away``.
            Broken: ``gateway.provider_broken``.
        """
        import aiohttp
        from yarl import URL

        waits = aiohttp.ClientTimeout(
            total=None,
            sock_connect=settings.connect,
            connect=None,
            sock_read=wait or settings.answer,
        )
        try:
            response = await self._session(fresh=fresh).request(
                outgoing.method,
                URL(outgoing.url, encoded=True),
                headers=headers,
                data=outgoing.body,
                allow_redirects=False,
                timeout=waits,
            )
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise _away(error) from error
        except _failures() as error:
            raise broken(error) from error
        try:
            yield Reply(response)
        finally:
            response.close() if not response.content.is_eof() else response.release()

    def _session(self, *, fresh: bool) -> aiohttp.ClientSession:
        import aiohttp

        held = self._fresh if fresh else self._pooled
        if held is not None:
            return held
        pool: dict[str, Any] = {"force_close": True} if fresh else {"keepalive_timeout": _IDLE_SECONDS}
        made = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=_CONNECTIONS, **pool),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            read_bufsize=_READ_AHEAD,
            skip_auto_headers=("User-Agent", "Accept-Encoding", "Content-Type"),
        )
        if fresh:
            self._fresh = made
        else:
            self._pooled = made
        return made

    async def close(self) -> None:
        """Close every connection."""
        for session in (self._pooled, self._fresh):
            if session is not None:
                await session.close()


def _failures() -> tuple[type[Exception], ...]:
    import aiohttp

    return (aiohttp.ClientError, OSError, asyncio.TimeoutError, ValueError)


def _away(error: Exception) -> NotSent:
    return NotSent(
        "gateway.provider_away",
        "The provider cannot be reached",
        f"Nothing was sent ({type(error).__name__}).",
        "Try again later; the provider's status page may say more.",
    )


def broken(error: Exception) -> Broken:
    """Return the error for an answer that did not come whole."""
    return Broken(
        "gateway.provider_broken",
        "The provider did not give a whole answer",
        f"The connection ended or stood still ({type(error).__name__}).",
        "Look at what became of the request before it is sent again.",
    )
