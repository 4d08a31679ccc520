"""The command: a control plane for the length of one program, with the workload as its only caller."""

from __future__ import annotations

import asyncio
import logging
import os
import shlex
import uuid
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...core.errors import Denied, QsecError
from ...core.secret import Secret

if TYPE_CHECKING:
    from ...server.control_plane import ControlPlane
    from ...server.kernels import KernelSockets

_WATCH_SECONDS = 20.0
_WATCH_PAUSE = 0.5


def run(
    command: Annotated[list[str], typer.Argument(help="The program and its arguments, behind --.")],
    target: Annotated[list[str], typer.Option(help="A target that it needs; may be repeated.")],
    reason: Annotated[str | None, typer.Option(help="What for; the command when left out.")] = None,
    ticket: Annotated[str | None, typer.Option(help="A ticket, where the target wants one.")] = None,
    duration: Annotated[str | None, typer.Option("--for", help="How long at most, such as 30m.")] = None,
    identity: Annotated[Path | None, typer.Option(help="A file with the workload's assertion.")] = None,
    audience: Annotated[str, typer.Option(help="Whom an assertion is requested for.")] = "qsec",
    certificate: Annotated[
        Path | None, typer.Option(help="A client certificate (PEM), in place of an assertion.")
    ] = None,
    key: Annotated[
        Path | None, typer.Option(help="The certificate's key; in its own file when left out.")
    ] = None,
    issuer: Annotated[
        str | None, typer.Option(help="What the catalogue has as issuer of the certificate's workload.")
    ] = None,
    as_me: Annotated[bool, typer.Option("--as-me", help="As yourself, not as a workload.")] = False,
) -> None:
    """Run a program that gets credentials on demand (qsec.credential), and hand them back when it ends.

    Its environment and its files hold no credential. The exit status is the program's own.
    """
    proof = None if as_me else _proof(identity, certificate, key, issuer, audience)
    wishes = [
        {
            "target": name,
            "reason": (reason or f"qsec run: {shlex.join(command)}")[:500],
            "ticket": ticket,
            "duration": duration,
        }
        for name in target
    ]
    raise typer.Exit(asyncio.run(_session(command, wishes, proof)))


def _proof(
    identity: Path | None, certificate: Path | None, key: Path | None, issuer: str | None, audience: str
) -> Secret:
    if certificate is None:
        from .identity import assertion

        return assertion(identity, audience)
    if identity is not None or not issuer:
        raise typer.BadParameter("--certificate goes with --issuer, and not with --identity.")
    from .certificate import ClientCertificate

    return ClientCertificate(certificate, key or certificate, issuer).assertion(audience)


async def _session(command: list[str], wishes: list[dict[str, Any]], proof: Secret | None) -> int:
    from ...scan.known import KnownValues
    from ...scan.masking import Masker
    from ...server.control_plane import ControlPlane
    from ...server.identity import owner
    from ...server.kernels import KernelSockets

    log = logging.getLogger("qsec.run")
    known = KnownValues()
    control = ControlPlane(
        owner(), log, kernels=lambda: {name: [] for name in sockets.ids()}, assertion=proof
    )
    masker = Masker(known)
    sockets = KernelSockets(control, known.add, log, masked=masker.redact)
    control.start()
    try:
        return await _within(command, wishes, control, sockets, masker)
    finally:
        await sockets.drain()
        await control.stop()


async def _within(
    command: list[str],
    wishes: list[dict[str, Any]],
    control: ControlPlane,
    sockets: KernelSockets,
    masker: Any,
) -> int:
    from .identity import WITHHELD
    from .process import execute

    name = f"run-{uuid.uuid4().hex}"
    channel = sockets.open(name)
    watch: asyncio.Task[None] | None = None
    try:
        for wish in wishes:
            await _obtain(control, wish, name)
        watch = asyncio.create_task(_watch(control, sockets))
        environ = {key: value for key, value in os.environ.items() if key not in WITHHELD}
        return await execute(command, channel, environ, masker)
    finally:
        channel.close()
        if watch is not None:
            watch.cancel()
            with suppress(asyncio.CancelledError):
                await watch


async def _obtain(control: ControlPlane, wish: dict[str, Any], name: str) -> None:
    """Ask for a target, and begin nothing without it."""
    grant = await control.call("POST", "/v1/grants", {**wish, "kernel_id": name}, kernel_id=name)
    if grant["state"] != "active":
        await control.call("POST", f"/v1/grants/{grant['id']}/cancel", {}, kernel_id=name)
        raise Denied(
            "run.needs_approval",
            "The program was not started: its target needs approval",
            f"{grant['target']} is approved by a person, and none looks at this control plane.",
            "Run it from a notebook, or have policy approve this workload by itself.",
        )


async def _watch(control: ControlPlane, sockets: KernelSockets) -> None:
    """Tell the program when a grant of its ends before it does."""
    seen: dict[str, str] = {}
    since = 0
    while True:
        try:
            path = f"/v1/state?since={since}&wait={_WATCH_SECONDS:g}"
            state = await control.call("GET", path, wait=_WATCH_SECONDS)
        except QsecError:
            since = 0
            await asyncio.sleep(_WATCH_PAUSE)
            continue
        since = state["version"]
        for grant in state["grants"]:
            if seen.get(grant["id"]) != grant["state"]:
                seen[grant["id"]] = grant["state"]
                await sockets.push_grant(grant)
