"""``qsec serve``: the control plane. Embedded, it speaks with its Jupyter Server over pipes."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import signal
import socket
import sys
import threading
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer

from ..core.errors import Bug, Invalid, QsecError, Unavailable
from ..core.listening import inherited, listen
from ..core.model import ROLES, Principal
from ..core.paths import home
from ..core.secret import Secret


def serve(
    embedded: Annotated[
        bool, typer.Option("--embedded", help="Started by a Jupyter Server, and ends with it.")
    ] = False,
) -> None:
    """Run the control plane."""
    if not embedded:
        raise Unavailable(
            "serve.embedded_only",
            "The control plane runs only as a Jupyter Server's child in this version",
            "A control plane for a team, as a service of its own, is not built yet.",
            "Start JupyterLab; it starts its own control plane.",
        )
    _log_as_json()
    os.umask(0o077)
    try:
        _embedded()
    except QsecError as error:
        _say({"error": error.to_problem()})
        raise
    except Exception as error:
        problem = Bug("control.not_started", "The control plane does not start", type(error).__name__)
        _say({"error": problem.to_problem()})
        raise


def _embedded() -> None:
    from ..control.control_plane import ControlPlane
    from ..control.credentials.broker import open_broker
    from ..control.policy.bundle import Place
    from ..control.policy.live import LivePolicy, SourcesInForce

    hello = _hello()
    bearer = Secret(str(hello.pop("bearer")), "bearer")
    for handler in logging.getLogger().handlers:
        handler.addFilter(_Masking(bearer))
    folder = home()
    policy = LivePolicy(Place.of(folder))
    principal = _principal(hello, policy, folder)
    broker = open_broker(folder, SourcesInForce(policy), os.environ)
    try:
        control = ControlPlane(
            folder,
            broker,
            policy,
            principal,
            str(hello["server_id"]),
            server_pid=os.getppid(),
            single_user=principal.kind == "person",
        )
    except BaseException:
        broker.close()
        raise
    try:
        control.callers.add(bearer, control.owner)
        control.open()
        gate = _gate(hello)
        if gate is None:
            gate = listen()
        else:  # its port was nobody else's meanwhile, so no token went astray
            control.resume(hello["kernels"])
        asyncio.run(_run(control, gate))
    finally:
        control.close()


def _principal(hello: dict[str, Any], policy: Any, folder: Path) -> Principal:
    """Return who this control plane is for: the workload that proves itself, else the server's owner."""
    from ..control.identity.keys import Keys
    from ..control.identity.replay import UsedAssertions
    from ..control.identity.workloads import Verifier
    from ..control.parts import now

    assertion = hello.pop("assertion", None)
    if assertion is not None:
        used = UsedAssertions(folder / "used-assertions")
        principal: Principal = (
            Verifier(policy.catalogue.workloads, Keys(), used, now).verify(str(assertion)).principal
        )
        return principal
    user = hello["user"]
    return Principal(
        name=str(user["name"]),
        display_name=str(user["display_name"]),
        identity_provider=str(user["identity_provider"]),
        subject=str(user.get("subject") or ""),
        roles=ROLES,  # one person owns a laptop; roles come with a team
    )


def _hello() -> dict[str, Any]:
    """Read the one line that the Jupyter Server sends first."""
    try:
        hello = json.loads(sys.stdin.readline())
        if len(hello["bearer"]) >= 20 and hello["server_id"] and hello["user"]["name"]:
            return dict(hello)
    except (ValueError, KeyError, TypeError):
        pass
    raise Invalid("serve.no_hello", "The first line on standard input is not a Jupyter Server's greeting")


def _gate(hello: dict[str, Any]) -> socket.socket | None:
    """Return the gateway's listener, when the Jupyter Server holds one for all its control planes."""
    return inherited(int(hello["gate"])) if "gate" in hello else None


async def _run(control: Any, gate: socket.socket) -> None:
    """Serve until standard input ends or a signal comes."""
    from ..control.app import make_app

    listener = listen()
    server, gateway = _server(make_app(control)), _server(control.gateway.edge)
    loop = asyncio.get_running_loop()

    def end() -> None:
        for one in (server, gateway):
            one.should_exit = True
            one.force_exit = True  # neither a long poll nor a download is waited for

    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        loop.add_signal_handler(number, end)
    threading.Thread(target=_await_end, args=(loop, end), daemon=True).start()
    control.start()
    control.gateway.start(gate.getsockname()[1])
    gc.freeze()  # what is there stays: to look all of it through again holds everybody up for 70 ms

    _say(
        {
            "port": listener.getsockname()[1],
            "gateway_port": gate.getsockname()[1],
            "pid": os.getpid(),
            "vault": asdict(control.broker.info),
            "version": version("qsec-jupyter"),
        }
    )
    await asyncio.gather(server.serve(sockets=[listener]), gateway.serve(sockets=[gate]))
    await control.stop()
    control.close()
    # All is written and closed. A thread that still waits for a store that hangs is not waited for: the
    # Jupyter Server gives us ten seconds.
    logging.shutdown()
    os._exit(0)


def _server(app: Any) -> Any:
    """Return an HTTP server for an application; signals are ours."""
    import contextlib

    import uvicorn

    class Server(uvicorn.Server):
        def capture_signals(self) -> Any:
            return contextlib.nullcontext()

    config = uvicorn.Config(
        app,
        http="h11",  # its strictness is part of the guard, whatever else is installed
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        timeout_graceful_shutdown=2,
    )
    return Server(config)


def _await_end(loop: asyncio.AbstractEventLoop, end: Any) -> None:
    """Wait for the end of standard input: the Jupyter Server is gone, or wants us gone."""
    while os.read(0, 4096):
        pass
    loop.call_soon_threadsafe(end)


class _Masking(logging.Filter):
    """Puts a marker in the place of a secret in whatever is logged, by us or a library."""

    def __init__(self, secret: Secret) -> None:
        super().__init__()
        self._secret = secret

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask the message; arguments are merged into it first. A record with a traceback loses its text."""
        value = self._secret.reveal()
        if isinstance(record.msg, dict):  # structlog's own records
            record.msg = {key: self._masked(item, value) for key, item in record.msg.items()}
        else:
            record.msg, record.args = self._masked(record.getMessage(), value), None
        if record.exc_info and record.exc_info[1] is not None and value in repr(record.exc_info[1]):
            record.exc_info = None
        return True

    def _masked(self, item: Any, value: str) -> Any:
        if isinstance(item, (int, float, bool)) or item is None:
            return item
        text = item if isinstance(item, str) else repr(item)
        return text.replace(value, str(self._secret)) if value in text else item


def _say(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def _log_as_json() -> None:
    """Log to standard error, one JSON object a line; other libraries' loggers go the same way."""
    import structlog

    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    for noisy in ("httpx", "alembic", "sqlalchemy", "urllib3"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
