"""What goes back to a client, and how an answer of a provider becomes one."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

from .forward import Reply
from .payload import Cutter, Restorer

Unpack = Callable[[bytes], Awaitable[bytes]]
"""Puts names back into a circuit, packed as it stands in an answer."""

_LARGEST_CIRCUIT = 16 * 1024 * 1024
_PASSED = ("content-type", "retry-after")
"""Headers of a provider's answer that a client gets to see: no cookie, no address, nothing of one hop."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: whole, or as it comes.

    Attributes:
        headers: By lower-case name; the length is the edge's to say, unless it is known here.
        body: All of it.
        chunks: Instead of ``body``, its pieces; what it stands on is let go when it is closed.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    chunks: AsyncGenerator[bytes, None] | None = None


def as_json(status: int, value: Any, headers: Mapping[str, str] | None = None) -> Answer:
    """Return an answer in JSON."""
    body = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
    return Answer(status, {"content-type": "application/json", **(headers or {})}, body)


def passed(reply: Reply, body: bytes) -> Answer:
    """Return an answer that has a provider's status and some of its headers."""
    return Answer(reply.status, _headers(reply), body)


def streamed(
    reply: Reply, held: AsyncExitStack, restorer: Restorer | None = None, unpack: Unpack | None = None
) -> Answer:
    """Return a provider's answer as it comes.

    Args:
        reply: The answer, of which nothing is read yet.
        held: What the reply stands on; it is let go at the end of the stream.
        restorer: Puts names back.
        unpack: Does so within circuits.
    """
    headers = _headers(reply)
    if restorer is None and reply.length is not None:
        headers["content-length"] = str(reply.length)
    return Answer(reply.status, headers, chunks=_chunks(reply, held, restorer, unpack))


async def _chunks(
    reply: Reply, held: AsyncExitStack, restorer: Restorer | None, unpack: Unpack | None
) -> AsyncGenerator[bytes, None]:
    async with held:
        async for chunk in reply.chunks() if unpack is None else _unpacked(reply, unpack):
            ready = restorer.feed(chunk) if restorer is not None else chunk
            if ready:
                yield ready
        if restorer is not None and (rest := restorer.finish()):
            yield rest


async def _unpacked(reply: Reply, unpack: Unpack) -> AsyncGenerator[bytes, None]:
    cutter = Cutter(_LARGEST_CIRCUIT)
    async for chunk in reply.chunks():
        for piece in cutter.feed(chunk):
            yield await unpack(piece.data) if piece.is_circuit else piece.data
    yield cutter.finish()


def _headers(reply: Reply) -> dict[str, str]:
    return {name: reply.headers[name] for name in _PASSED if name in reply.headers}
