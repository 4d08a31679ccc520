"""A real Jupyter Server and a real kernel, driven as a browser would, without one."""

from __future__ import annotations

import contextlib
import json
import secrets
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

CELL_SECONDS = 90.0
START_SECONDS = 60.0


class CheckFailed(Exception):
    """A step did not hold; the text says what was seen instead."""


def expect(condition: object, what: str) -> None:
    """Raise :class:`CheckFailed` with ``what`` unless ``condition`` holds."""
    if not condition:
        raise CheckFailed(what)


class Server:
    """A Jupyter Server with the extension, as a child, spoken to with its own token."""

    def __init__(self, folder: Path, root: Path, environ: dict[str, str]) -> None:
        self._runtime = folder / f"runtime-{secrets.token_hex(4)}"
        self._runtime.mkdir(mode=0o700)
        self.log = folder / "server.log"
        command = [sys.executable, "-m", "jupyterlab", "--no-browser", f"--ServerApp.root_dir={root}"]
        command += ["--ServerApp.port=0", "--allow-root", "--LabApp.news_url=None"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603  # our own command
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**environ, "JUPYTER_RUNTIME_DIR": str(self._runtime)},
                start_new_session=True,
            )
        self._url, self._token = self._await_start()

    def _await_start(self) -> tuple[str, str]:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            for path in self._runtime.glob("jpserver-*.json"):
                with contextlib.suppress(ValueError, KeyError):
                    info = json.loads(path.read_text())
                    return info["url"], info["token"]
            time.sleep(0.05)
        raise CheckFailed("the Jupyter Server did not start")

    def api(self, method: str, path: str, body: Any = None, limit: float = 40) -> Any:
        """Return the parsed answer to one request."""
        request = urllib.request.Request(  # noqa: S310  # loopback, from the server's own file
            self._url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"token {self._token}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=limit) as answer:  # noqa: S310
                data = answer.read()
        except HTTPError as error:
            raise CheckFailed(f"{method} {path.partition('?')[0]} answered {error.code}") from error
        if "json" not in (answer.headers.get_content_type() or ""):
            return data.decode()
        return json.loads(data) if data else None

    def state(self) -> Any:
        """Return the panel's state."""
        return self.api("GET", "qsec/state")

    def kernel(self, path: str) -> Kernel:
        """Start a session on ``path`` and return its kernel."""
        body = {"path": path, "name": path, "type": "notebook", "kernel": {"name": "python3"}}
        kernel_id = self.api("POST", "api/sessions", body)["kernel"]["id"]
        return Kernel(kernel_id, self._runtime / f"kernel-{kernel_id}.json")

    def family(self) -> list[Any]:
        """Return every process below this server, and the server."""
        import psutil

        me = psutil.Process(self.process.pid)
        return [me, *me.children(recursive=True)]


class Kernel:
    """A client of one kernel, over its connection file."""

    def __init__(self, kernel_id: str, connection_file: Path) -> None:
        from jupyter_client.blocking.client import BlockingKernelClient

        self.id = kernel_id
        self._client = BlockingKernelClient(connection_file=str(connection_file))
        self._client.load_connection_file()
        self._client.start_channels()
        self._await_ready()

    def _await_ready(self) -> None:
        """Wait for the kernel; its first missed heartbeat, on a busy machine, is not its death."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self._client.wait_for_ready(timeout=max(deadline - time.monotonic(), 1))
            except RuntimeError as error:
                if time.monotonic() > deadline:
                    raise CheckFailed("the kernel did not start") from error
                time.sleep(0.5)
            else:
                return

    def execute(self, code: str, while_waiting: Callable[[], None] | None = None) -> list[dict[str, Any]]:
        """Run ``code`` and return its outputs in nbformat's form."""
        from nbformat.v4 import output_from_msg

        message_id = self._client.execute(code)
        if while_waiting is not None:
            while_waiting()
        outputs: list[dict[str, Any]] = []
        deadline = time.monotonic() + CELL_SECONDS
        while True:
            message = self._client.get_iopub_msg(timeout=max(deadline - time.monotonic(), 0.1))
            if message["parent_header"].get("msg_id") != message_id:
                continue
            if message["header"]["msg_type"] == "status":
                if message["content"]["execution_state"] == "idle":
                    break
            else:
                with contextlib.suppress(ValueError):  # execute_input and the like are no outputs
                    outputs.append(output_from_msg(message))
        self._client.get_shell_msg(timeout=5)
        return outputs

    def text(self, code: str) -> str:
        """Run ``code`` and return what it printed."""
        return "".join(str(output.get("text", "")) for output in self.execute(code)).strip()

    def close(self) -> None:
        """Close the client's sockets."""
        self._client.stop_channels()
