"""A request as the routes see it, the answer they give, and the table by which one finds the other."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote

from .jobs import Planted
from .refusals import Refusal, malformed, unknown

MOST = 256 * 1024 * 1024  # bytes of a request
_PARSED_HERE = 1024 * 1024  # larger bodies are parsed beside the event loop

Receive = Callable[[], Awaitable[dict[str, Any]]]


@dataclass(slots=True)
class Answer:
    """What is sent back.

    Attributes:
        status: HTTP status.
        body: All of it, or what makes it piece by piece.
        kind: Its media type.
        headers: Others.
    """

    status: int = 200
    body: bytes | Planted = b""
    kind: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


def answer(value: Any, status: int = 200) -> Answer:
    """Return an answer in JSON."""
    return Answer(status, json.dumps(value, separators=(",", ":")).encode())


NOTHING = Answer(204)
"""Done, and nothing to say. It is shared: nobody changes it."""


class Call:
    """One request.

    Args:
        scope: As ASGI gives it.
        receive: Gives the body.
    """

    __slots__ = ("_receive", "_scope", "headers", "method", "path", "trace")

    def __init__(self, scope: dict[str, Any], receive: Receive) -> None:
        self._scope = scope
        self._receive = receive
        self.method: str = scope["method"]
        self.path: str = scope["raw_path"].decode("latin-1").partition("?")[0]
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.trace = uuid.uuid4().hex

    @property
    def peer(self) -> tuple[str, int]:
        """Whose connection this is."""
        host, port = self._scope["client"]
        return str(host), int(port)

    def header(self, name: str) -> str:
        """Return a header's value; empty when it is missing."""
        return self.headers.get(name.encode(), b"").decode("latin-1")

    def query(self) -> dict[str, list[str]]:
        """Return the parameters in the address."""
        return parse_qs(self._scope["query_string"].decode("latin-1"), keep_blank_values=True)

    async def body(self) -> bytes:
        """Return the whole body.

        Raises:
            Refusal: 413.
        """
        parts: list[bytes] = []
        size = 0
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ConnectionResetError
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > MOST:
                raise Refusal(413, 1206, "The request is too large.", f"Send at most {MOST} bytes.")
            if not message.get("more_body"):
                return b"".join(parts)

    async def json(self) -> tuple[dict[str, Any], bytes]:
        """Return the body as a table, and as it came.

        Raises:
            Refusal: 400, 413.
        """
        body = await self.body()
        try:
            found = (
                json.loads(body) if len(body) < _PARSED_HERE else await asyncio.to_thread(json.loads, body)
            )
        except (ValueError, RecursionError):
            raise malformed("The body is not JSON.") from None
        if not isinstance(found, dict):
            raise malformed("The body is not a table.")
        return found, body

    async def gone(self) -> None:
        """Wait until the other side has hung up."""
        while (await self._receive())["type"] != "http.disconnect":
            pass


Handler = Callable[..., Any]
Route = tuple[str, str, Handler]


class Table:
    """Finds what answers a request.

    Args:
        routes: Method, path with ``{}`` for what varies, and handler.
    """

    def __init__(self, routes: Iterable[Route]) -> None:
        self._root: dict[str, Any] = {}
        for method, path, handler in routes:
            node = self._root
            for part in path.strip("/").split("/"):
                node = node.setdefault(part, {})
            node.setdefault("", {})[method] = handler

    def find(self, method: str, path: str) -> tuple[Handler, list[str]]:
        """Return the handler and what stood in the place of each ``{}``.

        Raises:
            Refusal: 404, 405.
        """
        node, values = self._root, []
        for part in path.split("/")[1:]:
            following = node.get(part) if part else None
            if following is None:
                following = node.get("{}")
                values.append(unquote(part))
            if following is None or not part:
                raise unknown("Path")
            node = following
        if not (methods := node.get("")):
            raise unknown("Path")
        if method not in methods:
            raise Refusal(405, 1205, "The path takes another method.", "", {"Allow": ", ".join(methods)})
        return methods[method], values
