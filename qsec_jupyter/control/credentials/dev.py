"""A Vault or OpenBao of our own: in memory, on loopback, gone when this process is.

Nobody can use it but this broker: the root token is revoked as soon as the server is set up, and
the key that the server trusts is in this process's memory only. After a restart there is a new
server with new made-up secrets.
"""

from __future__ import annotations

import contextlib
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ...core.errors import QsecError, Unavailable
from ...core.secret import Secret
from . import watchdog
from .broker import TargetSource
from .naming import Mounts
from .seeds import seed
from .setup import VaultSetup
from .vault import Endpoint, VaultAdapter
from .vault_checks import health
from .vault_errors import Doing

START_LIMIT = 15.0
"""Seconds until a dev server must answer; it takes 0.2 to 0.7 s on two idle cores."""
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class DevServer:
    """A running dev server.

    Attributes:
        address: Its URL.
        stop: Ends it and waits until it is gone.
    """

    address: str
    stop: Callable[[], None]


def find_binary(environ: Mapping[str, str]) -> str | None:
    """Return the path of ``vault``, else of ``bao``, on the environment's PATH."""
    search = environ.get("PATH", "")
    return shutil.which("vault", path=search) or shutil.which("bao", path=search)


def start(
    binary: str,
    environ: Mapping[str, str],
    targets: Mapping[str, TargetSource],
    mounts: Mounts,
    public_key: str,
) -> DevServer:
    """Start a dev server, set it up, give each target a made-up secret, forget the root token.

    Raises:
        Unavailable: ``vault.dev_not_started``, or what went wrong in the set-up.
    """
    root = Secret(secrets.token_urlsafe(32), "vault root token")
    server = _started(binary, environ, root)
    adapter = VaultAdapter(Endpoint(server.address))
    try:
        setup = VaultSetup(adapter, root, mounts)
        setup.apply(setup.plan(targets, [public_key]))
        seed(adapter, root, mounts, targets)
        ending = Doing("forget the root token", "the root policy")
        adapter.call("POST", "auth/token/revoke-self", doing=ending, token=root)
    except BaseException:
        server.stop()
        raise
    finally:
        adapter.close()
    return server


def _started(binary: str, environ: Mapping[str, str], root: Secret) -> DevServer:
    for _ in range(_ATTEMPTS):
        port = _free_port()
        process = _spawn(binary, port, environ, root)
        server = DevServer(f"http://127.0.0.1:{port}", lambda process=process: _stop(process))  # type: ignore[misc]  # bound now
        if _answers(server.address, process):
            return server
        server.stop()  # somebody else took the port meanwhile, or the program is no Vault
    raise Unavailable(
        "vault.dev_not_started",
        "The Vault dev server did not start",
        f"{Path(binary).name} was tried {_ATTEMPTS} times and did not answer.",
        f"Run `{Path(binary).name} server -dev` by hand to see why, or take it off PATH.",
    )


def _spawn(binary: str, port: int, environ: Mapping[str, str], root: Secret) -> subprocess.Popen[bytes]:
    # The root token travels in the child's environment, never in its arguments: those every user
    # of the machine can read (ps), the environment only this one. It is revoked within a second.
    # Standard output is thrown away, because the dev server prints its unseal key there.
    child_environ = {
        "PATH": environ.get("PATH", ""),
        "HOME": environ.get("HOME", "/"),
        "VAULT_DEV_ROOT_TOKEN_ID": root.reveal(),
        "BAO_DEV_ROOT_TOKEN_ID": root.reveal(),
    }
    listen = f"-dev-listen-address=127.0.0.1:{port}"
    command = [binary, "server", "-dev", "-dev-no-store-token", listen]
    return subprocess.Popen(  # noqa: S603  # no shell; the program is the user's own from PATH
        [sys.executable, "-I", "-S", str(Path(watchdog.__file__)), *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=child_environ,
        start_new_session=True,  # Ctrl-C in the terminal is for us; we end the server in order
    )


def _free_port() -> int:
    """Return a loopback port whose successor is free too: a dev server takes both."""
    while True:
        with contextlib.ExitStack() as stack:
            first = stack.enter_context(socket.socket())
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
            try:
                stack.enter_context(socket.socket()).bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port


def _answers(address: str, process: subprocess.Popen[bytes]) -> bool:
    """Wait until the server answers; ``False`` when it ended or took too long."""
    adapter = VaultAdapter(Endpoint(address), total=1.0)
    deadline = time.monotonic() + START_LIMIT
    try:
        while time.monotonic() < deadline and process.poll() is None:
            with contextlib.suppress(QsecError):
                if health(adapter).get("sealed") is False and process.poll() is None:
                    return True
            time.sleep(0.05)
    finally:
        adapter.close()
    return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Close the watchdog's pipe and wait; it ends the server."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(watchdog.GRACE + 2)
    except subprocess.TimeoutExpired:
        process.kill()  # Linux then kills the server, too (see watchdog)
        process.wait()
