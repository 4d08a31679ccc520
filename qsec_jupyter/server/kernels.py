"""The server's end of the kernels' sockets: one unnamed socket pair for each kernel process.

A socket stands for exactly one kernel, so the kernel id that goes to the control plane is what this
module knows, never what a kernel says.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable
from typing import Any, Protocol
from urllib.parse import quote

from ..core.errors import Bug, Invalid, QsecError
from ..core.secret import Secret
from ..core.wire import Decoder, Message, encode
from .notebooks import Notebooks
from .words import masked as mask_words

LONG_POLL_SECONDS = 20.0
"""The longest wait that a kernel's long poll may ask for."""


class Calls(Protocol):
    """What this module needs of the control plane; :class:`.control_plane.ControlPlane` is one."""

    async def call(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        kernel_id: str | None = None,
        wait: float = 0,
    ) -> Any:
        """Return the answer to one request."""


class KernelSockets:
    """All open kernel sockets of this server.

    Args:
        control: Where requests are relayed to.
        on_value: Called with target and value before a credential goes to a kernel, so that a save
            recognises it.
        log: The Jupyter Server's logger.
        notebooks: Say which notebook a kernel belongs to, and its data class.
        masked: Masks issued values in what a person types, such as a reason.
    """

    def __init__(
        self,
        control: Calls,
        on_value: Callable[[str, Secret], object],
        log: logging.Logger,
        notebooks: Notebooks | None = None,
        masked: Callable[[str], str] = str,
    ) -> None:
        self._control = control
        self._notebooks = notebooks
        self._on_value = on_value
        self._masked = masked
        self._log = log
        self._channels: dict[str, _Channel] = {}
        self._ending: set[asyncio.Task[None]] = set()

    def open(self, kernel_id: str) -> socket.socket:
        """Return the kernel's end of a fresh pair; close it here once the kernel has inherited it."""
        self.close(kernel_id)
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        channel = _Channel(kernel_id, ours, self)
        self._channels[kernel_id] = channel
        channel.start()
        return theirs

    def close(self, kernel_id: str) -> None:
        """Close a kernel's socket and have everything that hangs on the kernel revoked."""
        channel = self._channels.pop(kernel_id, None)
        if channel is not None:
            channel.close()
            task = asyncio.ensure_future(self._report_end(kernel_id))
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    async def drain(self) -> None:
        """Close every socket and wait until the control plane knows of each end."""
        for kernel_id in list(self._channels):
            self.close(kernel_id)
        if self._ending:
            await asyncio.wait(set(self._ending), timeout=5)

    def ids(self) -> list[str]:
        """Return the ids of kernels with an open socket."""
        return list(self._channels)

    async def push_grant(self, grant: dict[str, Any]) -> None:
        """Tell the kernel that a grant belongs to how it stands now."""
        channel = self._channels.get(str(grant.get("kernel_id")))
        if channel is not None:
            await channel.send({"push": "grant", "grant": grant})

    def lost(self, channel: _Channel) -> None:
        """Note that a kernel's end was closed: its process is gone."""
        if self._channels.get(channel.kernel_id) is channel:
            self.close(channel.kernel_id)

    async def _report_end(self, kernel_id: str) -> None:
        try:
            await self._control.call("POST", f"/v1/kernels/{quote(kernel_id, safe='')}/ended")
        except QsecError as error:
            # The control plane revokes by itself when it restarts or ends; it reconciles live kernels then.
            self._log.warning("qsec: the end of kernel %s was not delivered (%s)", kernel_id, error.code)

    async def answer(self, channel: _Channel, message: Message) -> None:
        """Carry out one request of a kernel and send the answer."""
        reply: Message = {"id": message.get("id")}
        try:
            reply["ok"] = await self._dispatch(channel.kernel_id, message)
        except QsecError as error:
            reply["error"] = error.to_problem()
        except Exception as error:  # noqa: BLE001  # a kernel must get an answer, whatever went wrong here
            self._log.error("qsec: op %r failed with %s", message.get("op"), type(error).__name__)
            reply["error"] = Bug(
                "server.bug", "qsec-jupyter failed", "An unexpected error.", "Please report it."
            ).to_problem()
        await channel.send(reply)

    async def _dispatch(self, kernel_id: str, message: Message) -> dict[str, Any]:
        operation = OPERATIONS.get(str(message.get("op")))
        args = message.get("args") or {}
        if operation is None or not isinstance(args, dict):
            raise Invalid(
                "channel.unknown_op", "The kernel asked for something unknown", remedy="Update qsec."
            )
        args = mask_words(args, self._masked)
        if message.get("op") in {"record", "untracked"}:
            notebook = await self._notebooks.of(kernel_id) if self._notebooks else None
            args = {**args, "server": {"notebook": notebook}}  # ours, whatever the kernel put there
        if message.get("op") == "request":
            wish = await self._notebooks.data_class(kernel_id) if self._notebooks else None
            args = {**args, "data_class": wish}  # the notebook's, whatever the kernel says
        try:
            result = await operation(self._control, kernel_id, args)
        except KeyError as error:
            raise Invalid(
                "channel.missing_argument", "The request is incomplete", f"{error.args[0]} is missing."
            ) from error
        if message.get("op") == "credential":
            label = str(result["target"])
            for value in (result["value"], *(result.get("fields") or {}).values()):
                self._on_value(label, Secret(str(value), label))
        return result


class _Channel:
    """One socket: reads frames, answers each in a task of its own, writes one frame at a time."""

    def __init__(self, kernel_id: str, sock: socket.socket, owner: KernelSockets) -> None:
        self.kernel_id = kernel_id
        self._socket = sock
        self._owner = owner
        self._write = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._reader: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._reader = asyncio.ensure_future(self._read())

    def close(self) -> None:
        if self._reader is not None and self._reader is not _current_task():
            self._reader.cancel()
        for task in self._tasks:
            task.cancel()
        self._socket.close()

    async def _read(self) -> None:
        loop, decoder = asyncio.get_running_loop(), Decoder()
        try:
            while data := await loop.sock_recv(self._socket, 1 << 18):
                for message in decoder.feed(data):
                    task = asyncio.ensure_future(self._owner.answer(self, message))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)
        except (OSError, ValueError):
            pass  # a broken or babbling kernel is a kernel that has ended, as far as its socket goes
        self._owner.lost(self)

    async def send(self, message: Message) -> None:
        frame = encode(message)
        async with self._write:
            try:
                await asyncio.get_running_loop().sock_sendall(self._socket, frame)
            except OSError:
                self._owner.lost(self)


def _current_task() -> asyncio.Task[Any] | None:
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None


# -- operations: name on the wire -> request to the control plane ------------------------------

Operation = Callable[[Calls, str, dict[str, Any]], Awaitable[dict[str, Any]]]


def _path(args: dict[str, Any], key: str, prefix: str, suffix: str = "") -> str:
    return f"{prefix}{quote(str(args[key]), safe='')}{suffix}"


async def _state(control: Calls) -> dict[str, Any]:
    state: dict[str, Any] = await control.call("GET", "/v1/state")
    return state


async def _hello(control: Calls, kernel_id: str, args: dict[str, Any]) -> dict[str, Any]:
    state = await _state(control)
    return {"kernel_id": kernel_id, "user": state["principal"], "mode": state["mode"]}


async def _targets(control: Calls, kernel_id: str, args: dict[str, Any]) -> dict[str, Any]:
    return {"targets": await control.call("GET", "/v1/targets", kernel_id=kernel_id)}


WISH = (
    "target",
    "reason",
    "ticket",
    "duration",
    "project",
    "data_class",
    "start",
    "break_glass",
    "scope",
    "payload",
)
"""What a request may say."""


async def _request(control: Calls, kernel_id: str, args: dict[str, Any]) -> dict[str, Any]:
    wanted = {key: args[key] for key in WISH if args.get(key) is not None}
    grant: dict[str, Any] = await control.call(
        "POST", "/v1/grants", {**wanted, "kernel_id": kernel_id}, kernel_id=kernel_id
    )
    return grant


async def _extend(control: Calls, kernel_id: str, args: dict[str, Any]) -> dict[str, Any]:
    body = {"duration": args["duration"], "reason": args.get("reason")}
    path = _path(args, "id", "/v1/grants/", "/extend")
    grant: dict[str, Any] = await control.call("POST", path, body, kernel_id=kernel_id)
    return grant


async def _grant(control: Calls, kernel_id: str, args: dict[str, Any]) -> dict[str, Any]:
    wait = min(max(float(args.get("wait") or 0), 0), LONG_POLL_SECONDS)
    unless = quote(str(args.get("unless") or ""), safe="")
    path = _path(args, "id", "/v1/grants/") + (f"?unless={unless}&wait={wait:g}" if unless else "")
    grant: dict[str, Any] = await control.call("GET", path, kernel_id=kernel_id, wait=wait)
    return grant


async def _grants(control: Calls, kernel_id: str, args: dict[str, Any]) -> dict[str, Any]:
    state = await _state(control)
    return {"grants": [grant for grant in state["grants"] if grant["kernel_id"] == kernel_id]}


async def _credential(control: Calls, kernel_id: str, args: dict[str, Any]) -> dict[str, Any]:
    issued: dict[str, Any] = await control.call(
        "POST", "/v1/credentials", {"target": args["target"], "job": args.get("job")}, kernel_id=kernel_id
    )
    return issued


async def _operate(control: Calls, kernel_id: str, args: dict[str, Any]) -> dict[str, Any]:
    asked = {key: args[key] for key in ("target", "operation", "data")} | {
        "signature": args.get("signature") or ""
    }
    done: dict[str, Any] = await control.call(
        "POST", "/v1/credentials/operations", asked, kernel_id=kernel_id
    )
    return done


def _ending(verb: str) -> Operation:
    async def end(control: Calls, kernel_id: str, args: dict[str, Any]) -> dict[str, Any]:
        path = _path(args, "id", "/v1/grants/", f"/{verb}")
        grant: dict[str, Any] = await control.call(
            "POST", path, {"comment": args.get("comment")}, kernel_id=kernel_id
        )
        return grant

    return end


async def _record(control: Calls, kernel_id: str, args: dict[str, Any]) -> dict[str, Any]:
    done: dict[str, Any] = await control.call(
        "POST", "/v1/runs", {"records": args["records"], "server": args["server"]}, kernel_id=kernel_id
    )
    return done


async def _runs(control: Calls, kernel_id: str, args: dict[str, Any]) -> dict[str, Any]:
    limit = max(1, min(int(args.get("limit") or 1), 100))
    path = f"/v1/runs?kernel_id={quote(kernel_id, safe='')}&limit={limit}"
    page: dict[str, Any] = await control.call("GET", path, kernel_id=kernel_id)
    return page


async def _run(control: Calls, kernel_id: str, args: dict[str, Any]) -> dict[str, Any]:
    run: dict[str, Any] = await control.call("GET", _path(args, "run_id", "/v1/runs/"), kernel_id=kernel_id)
    return run


async def _submitted(control: Calls, kernel_id: str, args: dict[str, Any]) -> dict[str, Any]:
    done: dict[str, Any] = await control.call(
        "POST", _path(args, "run_id", "/v1/runs/", "/job"), args["job"], kernel_id=kernel_id
    )
    return done


async def _job(control: Calls, kernel_id: str, args: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = await control.call(
        "GET", _path(args, "id", "/v1/runs/of-job/"), kernel_id=kernel_id
    )
    return found


async def _jobs(control: Calls, kernel_id: str, args: dict[str, Any]) -> dict[str, Any]:
    limit = max(1, min(int(args.get("limit") or 1), 100))
    found: dict[str, Any] = await control.call("GET", f"/v1/jobs?limit={limit}", kernel_id=kernel_id)
    return found


async def _exposure(control: Calls, kernel_id: str, args: dict[str, Any]) -> dict[str, Any]:
    path = _path(args, "job", "/v1/jobs/", "/exposure")
    found: dict[str, Any] = await control.call("GET", path, kernel_id=kernel_id)
    return found


async def _preview(control: Calls, kernel_id: str, args: dict[str, Any]) -> dict[str, Any]:
    path = _path(args, "target", "/v1/targets/", "/exposures")
    body = {"circuits": args["circuits"]}
    found: dict[str, Any] = await control.call("POST", path, body, kernel_id=kernel_id)
    return found


async def _permit(control: Calls, kernel_id: str, args: dict[str, Any]) -> dict[str, Any]:
    permit: dict[str, Any] = await control.call("POST", "/v1/permits", args["run"], kernel_id=kernel_id)
    return permit


async def _untracked(control: Calls, kernel_id: str, args: dict[str, Any]) -> dict[str, Any]:
    notebook = args["server"]["notebook"] or {}
    source = args.get("source")
    body = {
        **{key: str(args[key]) for key in ("operation", "program", "backend")},
        "cell_id": source.get("cell_id") if isinstance(source, dict) else None,
        "path": str(notebook.get("path") or ""),
    }
    done: dict[str, Any] = await control.call("POST", "/v1/untracked", body, kernel_id=kernel_id)
    return done


async def _evidence(control: Calls, kernel_id: str, args: dict[str, Any]) -> dict[str, Any]:
    body = {key: args[key] for key in ("media_type", "encoding", "data")}
    done: dict[str, Any] = await control.call(
        "PUT", _path(args, "sha256", "/v1/evidence/"), body, kernel_id=kernel_id
    )
    return done


async def _gap(control: Calls, kernel_id: str, args: dict[str, Any]) -> dict[str, Any]:
    body = {"kernel_id": kernel_id, "run_id": args.get("run_id"), "what": str(args["what"])}
    done: dict[str, Any] = await control.call("POST", "/v1/gaps", body, kernel_id=kernel_id)
    return done


async def _status(control: Calls, kernel_id: str, args: dict[str, Any]) -> dict[str, Any]:
    state = await _state(control)
    grants = [grant for grant in state["grants"] if grant["kernel_id"] == kernel_id]
    return {**{key: state[key] for key in ("principal", "vault", "health")}, "grants": grants}


OPERATIONS: dict[str, Operation] = {
    "hello": _hello,
    "targets": _targets,
    "request": _request,
    "grant": _grant,
    "grants": _grants,
    "extend": _extend,
    "credential": _credential,
    "operate": _operate,
    "revoke": _ending("revoke"),
    "cancel": _ending("cancel"),
    "record": _record,
    "runs": _runs,
    "run": _run,
    "evidence": _evidence,
    "submitted": _submitted,
    "job": _job,
    "jobs": _jobs,
    "exposure": _exposure,
    "preview": _preview,
    "permit": _permit,
    "untracked": _untracked,
    "gap": _gap,
    "status": _status,
}
"""Everything a kernel can ask for. Approving is not among it."""
