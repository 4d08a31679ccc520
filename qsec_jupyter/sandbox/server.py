"""The sandbox as a process: listens on this machine only, says where, and runs until it is told to end."""

from __future__ import annotations

import asyncio
import hmac
import json
import os
import secrets
import signal
import socket
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..core.errors import Invalid
from ..core.listening import listen
from .accounts import INSTANCES
from .app import Sandbox
from .book import Book
from .crew import Crew
from .devices import DEVICES
from .faults import Fault
from .schedule import Schedule
from .settings import Settings


@dataclass(frozen=True, slots=True)
class Start:
    """How a sandbox is started.

    Attributes:
        port: Where it listens on 127.0.0.1; 0 for any free port.
        api_keys: File with the API keys it lets in, one a line; made with one key when it is missing.
        admin_token: File with the token that may change it; made when it is missing.
        workers: How many jobs are simulated at a time.
        settings: How it behaves at first.
        faults: Those that are armed from the start.
        devices: Further ones: name to model.
        with_parent: Whether it ends when standard input does.
    """

    port: int
    api_keys: Path
    admin_token: Path
    workers: int = 1
    settings: Settings = field(default_factory=Settings)
    faults: Sequence[Fault] = ()
    devices: Mapping[str, str] = field(default_factory=dict)
    with_parent: bool = False


def serve(start: Start) -> None:
    """Run until a signal comes, or standard input ends where that was asked."""
    keys, token = _secrets(start.api_keys), _secrets(start.admin_token)[0]
    listener = listen(start.port)
    asyncio.run(_run(start, keys, token, listener))


def _secrets(file: Path) -> list[str]:
    """Return the lines of a file of secrets; a missing file is made, for its owner only.

    Raises:
        Invalid: ``sandbox.key_file`` for a file without a secret.
    """
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as made:
            made.write(f"sandbox-{secrets.token_urlsafe(27)}\n")  # 44 characters, as the provider's keys have
    except FileExistsError:
        pass
    found = [line for line in file.read_text(encoding="utf-8").split() if len(line) >= 20]
    if not found:
        raise Invalid(
            "sandbox.key_file",
            "The file holds no key",
            f"{file.name} has no line of 20 characters or more.",
            "Delete it, and the sandbox makes one.",
        )
    return found


async def _run(start: Start, keys: list[str], token: str, listener: socket.socket) -> None:
    import uvicorn

    book = Book(start.settings, models={**DEVICES, **start.devices})
    for key in keys:
        book.accounts.add(key)
    schedule = Schedule(book, Crew(start.workers))
    connections = Connections()
    expected = f"Bearer {token}".encode()
    sandbox = Sandbox(
        book,
        schedule,
        lambda given: hmac.compare_digest(given.encode("utf-8", "replace"), expected),
        connections.cut,
    )
    sandbox.faults.armed.extend(start.faults)
    config = uvicorn.Config(
        sandbox,
        http=connections.protocol(),
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    _end_by_itself(server, start.with_parent)
    schedule.start()
    _say(start, listener.getsockname()[1])
    try:
        await server.serve(sockets=[listener])
    finally:
        await schedule.close()


def _end_by_itself(server: Any, with_parent: bool) -> None:
    loop = asyncio.get_running_loop()

    def end() -> None:
        server.should_exit = server.force_exit = True

    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        loop.add_signal_handler(number, end)
    if with_parent:
        threading.Thread(target=_await_end, args=(loop, end), daemon=True).start()


def _await_end(loop: asyncio.AbstractEventLoop, end: Callable[[], None]) -> None:
    while os.read(0, 4096):
        pass
    loop.call_soon_threadsafe(end)


def _say(start: Start, port: int) -> None:
    """Write one line with all that a client needs; the secrets stay in their files."""
    address = f"http://127.0.0.1:{port}"
    hello = {
        "sandbox": "a simulated quantum provider: nothing here runs on quantum hardware",
        "address": address,
        "runtime": f"{address}/api/v1",
        "iam": address,
        "search": address,
        "catalog": f"{address}/catalog/api/v1",
        "admin": f"{address}/sandbox/v1",
        "api_key_file": str(start.api_keys),
        "admin_token_file": str(start.admin_token),
        "instances": {each.name: each.crn for each in INSTANCES},
        "pid": os.getpid(),
    }
    sys.stdout.write(json.dumps(hello) + "\n")
    sys.stdout.flush()


class Connections:
    """The open connections, so that one of them can be cut."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, int], Any] = {}

    def cut(self, peer: tuple[str, int]) -> None:
        """Close a connection without another byte."""
        if (transport := self._open.get(peer)) is not None:
            transport.abort()

    def protocol(self) -> type[asyncio.Protocol]:
        """Return uvicorn's protocol, which tells of its connections here."""
        from uvicorn.protocols.http.auto import AutoHTTPProtocol

        opened = self._open

        class Noted(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
            """An HTTP connection that can be found by its peer."""

            def connection_made(self, transport: Any) -> None:
                opened[transport.get_extra_info("peername")[:2]] = transport
                super().connection_made(transport)

            def connection_lost(self, exc: Exception | None) -> None:
                opened.pop(self.transport.get_extra_info("peername")[:2], None)
                super().connection_lost(exc)

        return Noted
