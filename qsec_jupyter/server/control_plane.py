"""The control plane as the Jupyter Server sees it: a supervised child, reached over HTTP.

The bearer goes to the child through its standard input and the port comes back on its standard
output, so neither is ever on a command line, in an environment or on disk. Closing standard input
is the order to revoke everything and end; the kernel closes it for us when this process is killed.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import secrets
import socket
import sys
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest, HTTPResponse

from ..core.errors import QsecError, Unavailable, from_problem
from ..core.listening import listen
from ..core.paths import home
from ..core.secret import Secret

READY_SECONDS = 15.0
"""How long a request waits for a child that is still starting."""

ANSWER_SECONDS = 15.0
"""How long a request waits for its answer, on top of any long-poll wait it asked for."""

STOP_SECONDS = 10.0
"""How long an orderly end may take before the child is killed."""

_BACK_OFF = (0.2, 1.0, 2.0, 5.0, 10.0, 30.0)
_LOG_LIMIT = 5 * 1024 * 1024
_WITHHELD = ("VAULT_TOKEN", "BAO_TOKEN", "JPY_API_TOKEN", "JUPYTERHUB_API_TOKEN", "JUPYTER_TOKEN")


class ControlPlane:
    """Starts, watches and calls the control plane.

    Args:
        user: The principal of this server, see :func:`qsec_jupyter.server.identity.owner`.
        log: The Jupyter Server's logger.
        on_ready: Awaited after each (re)start, with the child's greeting.
        kernels: Returns the kernels that live, with the names of who is present at each beside the owner.
        assertion: Proves who a workload is, where no person is the principal.
        command: The child's command line; tests replace it.
    """

    def __init__(
        self,
        user: dict[str, str],
        log: logging.Logger,
        on_ready: Callable[[dict[str, Any]], Awaitable[None]] | None = None,
        kernels: Callable[[], dict[str, list[str]]] = dict,
        assertion: Secret | None = None,
        command: tuple[str, ...] = (sys.executable, "-m", "qsec_jupyter.cli", "serve", "--embedded"),
    ) -> None:
        self.server_id = str(uuid.uuid4())
        self.greeting: dict[str, Any] | None = None
        self._user = user
        self._log = log
        self._on_ready = on_ready
        self._kernels = kernels
        self._assertion = assertion
        self._command = command
        self._gate: socket.socket | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._bearer = ""
        self._ready = asyncio.Event()
        self._failure: QsecError | None = None
        self._supervisor: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        self._http = AsyncHTTPClient(force_instance=True, max_clients=200)

    # -- life -------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to supervise the child; returns at once."""
        if self._supervisor is None:
            self._supervisor = asyncio.create_task(self._supervise(), name="qsec-control-plane")

    async def stop(self) -> None:
        """Order the child to revoke everything and end, and wait until it has."""
        self._stopping.set()
        if self._supervisor is None:
            return
        process = self._process
        if process is not None and process.stdin is not None:
            process.stdin.close()
        done, _ = await asyncio.wait({self._supervisor}, timeout=STOP_SECONDS)
        if not done:
            self._log.warning("qsec: the control plane did not end in %s s and is killed", STOP_SECONDS)
            if process is not None and process.returncode is None:
                process.kill()
            self._supervisor.cancel()
        if self._gate is not None:
            self._gate.close()
        self._http.close()

    @property
    def pid(self) -> int | None:
        """Process id of the running child."""
        return self._process.pid if self._process and self._process.returncode is None else None

    @property
    def address(self) -> str | None:
        """Where the running child listens, for whoever has a bearer of its own."""
        return f"http://127.0.0.1:{self.greeting['port']}" if self.greeting else None

    async def _supervise(self) -> None:
        attempt = 0
        while not self._stopping.is_set():
            started = asyncio.get_running_loop().time()
            try:
                await self._run_once()
            except QsecError as error:
                self._failure = error
                self._log.error("qsec: the control plane did not start: %s", error.title)
            except (OSError, ValueError) as error:
                self._failure = Unavailable(
                    "control.not_started",
                    "The control plane does not start",
                    f"Its process ended with {type(error).__name__}.",
                    f"Read {log_path()} and run `qsec doctor`.",
                )
                self._log.error("qsec: the control plane did not start (%s)", type(error).__name__)
            self._ready.clear()
            if self._failure is not None:
                self._turn_away()
            if asyncio.get_running_loop().time() - started > 60:
                attempt = 0
            with suppress(asyncio.TimeoutError):
                pause = _BACK_OFF[min(attempt, len(_BACK_OFF) - 1)]
                await asyncio.wait_for(self._stopping.wait(), pause)
            attempt += 1

    def _turn_away(self) -> None:
        """Close the gateway's connections that wait for a child that did not start."""
        with suppress(OSError):
            while self._gate is not None:
                self._gate.accept()[0].close()

    async def _run_once(self) -> None:
        """Start the child, greet it, and return when it has ended.

        The gateway's port is held here: while a child has died and the next one starts, nobody else can take
        it and be sent the tokens that kernels hold, and their calls wait.
        """
        if self._gate is None:
            self._gate = listen()
            self._gate.setblocking(False)
        with _open_log() as log:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env={key: value for key, value in os.environ.items() if key not in _WITHHELD},
                pass_fds=(self._gate.fileno(),),
                start_new_session=True,  # Ctrl-C in the terminal is for the server; the pipe tells the child
            )
        self._process = process
        self._bearer = secrets.token_urlsafe(32)
        assert process.stdin is not None
        assert process.stdout is not None
        hello: dict[str, Any] = {"bearer": self._bearer, "server_id": self.server_id, "user": self._user}
        hello |= {"gate": self._gate.fileno(), "kernels": self._kernels()}
        if self._assertion is not None:
            hello["assertion"] = self._assertion.reveal()
        process.stdin.write(json.dumps(hello).encode() + b"\n")
        try:
            line = await asyncio.wait_for(process.stdout.readline(), READY_SECONDS * 2)
            greeting = json.loads(line) if line else {}
            if "error" in greeting:
                raise from_problem(greeting["error"])
            if "port" not in greeting:
                raise ValueError("no greeting")
            self.greeting, self._failure = greeting, None
            self._ready.set()
            self._log.info("qsec: control plane ready, %s", greeting["vault"]["label"])
            if self._on_ready:
                await self._on_ready(greeting)
            await process.wait()
            if not self._stopping.is_set():
                self._log.warning("qsec: the control plane ended with status %s", process.returncode)
        except asyncio.TimeoutError as error:
            raise ValueError("no greeting in time") from error
        finally:
            if process.returncode is None:
                if not self._stopping.is_set():
                    process.kill()
                await process.wait()

    # -- calls ------------------------------------------------------------------------------

    async def call(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        kernel_id: str | None = None,
        wait: float = 0,
    ) -> Any:
        """Return the control plane's answer to one request, as parsed JSON.

        Args:
            method: HTTP method.
            path: Path and query below the control plane's root, starting with ``/v1/``.
            body: JSON body for a method that takes one.
            kernel_id: The kernel on whose behalf this is relayed.
            wait: Seconds that a long poll asked for; added to the time limit.

        Raises:
            QsecError: What the control plane refused, or ``control.unavailable`` and
                ``control.starting`` when it does not answer.
        """
        try:
            return await self._call_once(method, path, body, kernel_id, wait)
        except ConnectionRefusedError:
            # The child has just died and nothing was delivered: wait for its successor.
            self._ready.clear()
        try:
            return await self._call_once(method, path, body, kernel_id, wait)
        except ConnectionRefusedError as error:
            raise _unavailable() from error

    async def _call_once(
        self, method: str, path: str, body: dict[str, Any] | None, kernel_id: str | None, wait: float
    ) -> Any:
        await self._await_ready()
        assert self.greeting is not None
        headers = {"Authorization": f"Bearer {self._bearer}", "Content-Type": "application/json"}
        if kernel_id is not None:
            headers["Qsec-Kernel"] = kernel_id
        request = HTTPRequest(
            f"http://127.0.0.1:{self.greeting['port']}{path}",
            method=method,
            headers=headers,
            body=None if method == "GET" else json.dumps(body or {}),
            connect_timeout=5,
            request_timeout=ANSWER_SECONDS + wait,
            follow_redirects=False,
            decompress_response=False,
        )
        try:
            response = await self._http.fetch(request)
        except HTTPClientError as error:
            if error.response is None or error.code == 599:
                raise _unavailable() from error
            raise _refusal(error.response) from error
        except ConnectionRefusedError:
            raise
        except OSError as error:
            raise _unavailable() from error
        return json.loads(response.body)

    async def _await_ready(self) -> None:
        if self._ready.is_set():
            return
        if self._failure is not None:
            raise self._failure
        try:
            await asyncio.wait_for(self._ready.wait(), READY_SECONDS)
        except asyncio.TimeoutError as error:
            raise self._failure or Unavailable(
                "control.starting",
                "The control plane is still starting",
                f"It was not ready within {READY_SECONDS:.0f} s.",
                "Try again in a moment; `qsec doctor` says why if it stays this way.",
            ) from error


def log_path() -> Path:
    """Return the file that the child's log goes to; it holds no secret."""
    return home() / "control.log"


def _open_log() -> IO[bytes]:
    """Open the child's log for appending, keeping one old file of at most 5 MB.

    A file, not a pipe: when this process is killed the child must still be able to log while it revokes.
    """
    path = log_path()
    if path.exists() and path.stat().st_size > _LOG_LIMIT:
        path.replace(path.with_suffix(".log.1"))
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    return os.fdopen(descriptor, "ab")


def _unavailable() -> Unavailable:
    return Unavailable(
        "control.unavailable",
        "The control plane does not answer",
        "The request may or may not have been carried out.",
        "It is restarted by itself; look at the panel's state before you try again.",
    )


def _refusal(response: HTTPResponse) -> QsecError:
    try:
        problem = json.loads(response.body)
    except ValueError:
        problem = {}
    if isinstance(problem, dict) and "code" in problem:
        return from_problem(problem)
    return Unavailable(
        "control.bad_answer",
        "The control plane gave an answer that is not its own",
        f"HTTP status {response.code} without a problem document.",
        f"Read {log_path()} and run `qsec doctor`.",
    )
