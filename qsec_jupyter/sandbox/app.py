"""The sandbox's edge: finds the route, checks who asks, lets faults strike, answers as the provider does."""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from .accounts import Account
from .book import Book
from .calls import Answer, Call, Table
from .faults import Fault, Faults, after, before
from .jobs import Planted
from .rates import Rates
from .refusals import Refusal, malformed, unauthenticated
from .routes import admin, backends, cloud, jobs, sessions, usage
from .schedule import Schedule

_log = logging.getLogger("qsec.sandbox")
_CHUNK = 256 * 1024
_API = "/api/v1/"
_OLDEST, _NEWEST = "2024-01-01", "2026-04-15"  # dates of the interface that are understood

Send = Callable[[dict[str, Any]], Awaitable[None]]


class Sandbox:
    """The application (ASGI 3).

    Args:
        book: Its memory.
        schedule: Runs the jobs.
        is_admin: Whether an ``Authorization`` header is the one that may change the sandbox itself.
        cut: Cuts the connection of a peer.
    """

    def __init__(
        self,
        book: Book,
        schedule: Schedule,
        is_admin: Callable[[str], bool],
        cut: Callable[[tuple[str, int]], None],
    ) -> None:
        self.book = book
        self.schedule = schedule
        self.faults = Faults()
        schedule.failures = self.faults
        self._is_admin = is_admin
        self._cut = cut
        self._rates = Rates(book.clock)
        self._table = Table(
            route for module in (cloud, backends, jobs, sessions, usage, admin) for route in module.ROUTES
        )

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        call = Call(scope, receive)
        fault = None if call.path.startswith("/sandbox/") else self.faults.take(call.method, call.path)
        try:
            given = await self._answer(call, fault)
            await self._send(call, given, fault, send)
        except (ConnectionAbortedError, ConnectionResetError):
            self._cut(call.peer)

    async def _answer(self, call: Call, fault: Fault | None) -> Answer:
        try:
            if fault is not None:
                _log.info("fault %s strikes %s %s", fault.kind, call.method, call.path)
                if fault.kind == "expired-token":
                    self.book.accounts.expire(call.header("authorization"))
                if (early := await before(fault, call)) is not None:
                    return early
            handler, values = self._table.find(call.method, call.path)
            found = handler(self, call, *values)
            given: Answer = await found if inspect.isawaitable(found) else found
            return given if fault is None else after(fault, given)
        except Refusal as refusal:
            _log.info("%s %s: %d %s", call.method, call.path, refusal.status, refusal.message)
            if call.path.startswith("/identity/"):
                return _identity(refusal, call.trace)
            body = json.dumps(refusal.document(call.trace)).encode()
            return Answer(refusal.status, body, headers=refusal.headers)
        except (ConnectionError, asyncio.CancelledError):
            raise
        except Exception:  # noqa: BLE001 - a defect is answered and logged, and the sandbox goes on
            _log.exception("%s %s failed", call.method, call.path)
            defect = Refusal(500, 9999, "The sandbox has a defect.", "See its log.")
            return Answer(500, json.dumps(defect.document(call.trace)).encode())

    async def _send(self, call: Call, given: Answer, fault: Fault | None, send: Send) -> None:
        body = given.body
        headers = [
            (b"server", b"qsec-sandbox"),
            (b"x-qsec-sandbox", b"simulated provider"),
            (b"x-request-id", call.trace.encode()),
            *((name.lower().encode(), value.encode("latin-1")) for name, value in given.headers.items()),
        ]
        if given.status != 204:
            headers += [(b"content-type", given.kind.encode()), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": given.status, "headers": headers})
        kind = fault.kind if fault else ""
        if isinstance(body, bytes) and len(body) <= _CHUNK and kind not in ("cut", "trickle"):
            await send({"type": "http.response.body", "body": body})
            return
        left = len(body) // 2 if kind == "cut" else len(body)
        for chunk in body.chunks(_CHUNK) if isinstance(body, Planted) else _chunks(body, kind):
            await send({"type": "http.response.body", "body": chunk[:left], "more_body": True})
            left -= len(chunk)
            if left < 0 or (left == 0 and kind == "cut"):
                raise ConnectionAbortedError
            if kind == "trickle" and fault is not None:
                await asyncio.sleep(len(chunk) / max(1, fault.bytes))
        await send({"type": "http.response.body", "body": b""})

    def caller(self, call: Call) -> Account:
        """Return whose call to the provider's interface this is.

        Raises:
            Refusal: 400 for a version of the interface that is none, 401, 429.
        """
        version = call.header("ibm-api-version")
        if version and not (len(version) == 10 and _OLDEST <= version <= _NEWEST):
            raise malformed("The header IBM-API-Version names no version.", f"Use {_NEWEST}.")
        account = self.book.accounts.find(call.header("authorization"))
        self._rates.count(account.id, self.book.settings.requests_per_second)
        return account

    def refuse_others(self, call: Call) -> None:
        """Make sure that a call may change the sandbox itself.

        Raises:
            Refusal: 401.
        """
        if not self._is_admin(call.header("authorization")):
            raise unauthenticated("This needs the sandbox's admin token.")


def _chunks(body: bytes, kind: str) -> list[bytes]:
    size = 4096 if kind == "trickle" else _CHUNK
    view = memoryview(body)
    return [bytes(view[begin : begin + size]) for begin in range(0, len(body), size)]


def _identity(refusal: Refusal, trace: str) -> Answer:
    """Return a refusal as the provider's identity service words it."""
    body = {
        "errorCode": f"BXNIM{refusal.code:04d}E",
        "errorMessage": refusal.message,
        "context": {"requestId": trace, "sandbox": True},
    }
    return Answer(refusal.status, json.dumps(body).encode(), headers=refusal.headers)
