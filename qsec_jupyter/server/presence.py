"""Who is present at each kernel: whoever has a connection to it, or its notebook open together with others.

The control plane gives a shared kernel the least of what those present may do. It is told before a further
person's connection carries its first message, and again whenever somebody comes or goes.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from ..core.errors import QsecError
from .collaboration import Collaboration
from .kernels import Calls
from .notebooks import Notebooks

TOLD_SECONDS = 2.0
"""How long a further person's connection waits until the control plane knows of them."""

ROOMS_SECONDS = 1.0
"""How often is looked who has a notebook open together."""

_PAUSE = 1.0
_SETTING = "kernel_websocket_connection_class"
_ANONYMOUS = re.compile(r"[0-9a-f]{32}")


class Presence:
    """Knows the people at this server's kernels, and tells the control plane of those beside the owner.

    Args:
        owner: What the identity provider calls the server's owner.
        control: Where it is told.
        kernel_ids: Gives the kernels that can hold something.
    """

    def __init__(
        self,
        owner: str,
        control: Calls,
        kernel_ids: Callable[[], list[str]],
        collaboration: Collaboration,
        notebooks: Notebooks,
        log: logging.Logger,
    ) -> None:
        self._owner = owner
        self._control = control
        self._kernel_ids = kernel_ids
        self._collaboration = collaboration
        self._notebooks = notebooks
        self._log = log
        self._connected: dict[str, dict[int, Any]] = {}
        self._together: dict[str, list[Any]] = {}
        self._told: dict[str, list[str]] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def attach(self, settings: dict[str, Any]) -> None:
        """Take note of every connection that is made from now on."""
        settings[_SETTING] = noting(settings[_SETTING], self)

    # -- coming and going ---------------------------------------------------------------------------

    def joined(self, kernel_id: str, connection: object, user: Any) -> Awaitable[None] | None:
        """Note a connection; return what it has to wait for, when the control plane is to know first."""
        self._connected.setdefault(kernel_id, {})[id(connection)] = user
        if self._told.get(kernel_id, []) == self.others(kernel_id):
            return None
        return asyncio.wait_for(asyncio.shield(self._spawn(self._tell(kernel_id))), TOLD_SECONDS)

    def left(self, kernel_id: str, connection: object) -> None:
        """Note that a connection ended."""
        present = self._connected.get(kernel_id, {})
        if present.pop(id(connection), None) is not None:
            self._changed(kernel_id)
        if not present:
            self._connected.pop(kernel_id, None)

    def others(self, kernel_id: str) -> list[str]:
        """Return the names of those who are present beside the owner.

        Where the server does not know people apart (one shared token), each browser has a made-up name. The
        first of those is taken for the owner; a second one counts only where people work together for real,
        since an owner may well have two browsers.
        """
        users = [*self._connected.get(kernel_id, {}).values(), *self._together.get(kernel_id, [])]
        names = {str(user.username) for user in users} - {self._owner}
        unnamed = sorted(name for name in names if _ANONYMOUS.fullmatch(name))
        guests = unnamed[1:] if self._collaboration.extension() is not None else []
        return sorted(names - set(unnamed)) + [f"guest-{name[:8]}" for name in guests]

    # -- telling ------------------------------------------------------------------------------------

    def tell_again(self) -> None:
        """Begin to tell a control plane that has just started."""
        self._told.clear()
        for kernel_id in {*self._connected, *self._together}:
            self._changed(kernel_id)

    def _changed(self, kernel_id: str) -> None:
        if self._told.get(kernel_id, []) != self.others(kernel_id):
            self._spawn(self._tell(kernel_id))

    async def _tell(self, kernel_id: str) -> None:
        """Tell who is present, until what was told is so."""
        async with self._locks.setdefault(kernel_id, asyncio.Lock()):
            while (names := self.others(kernel_id)) != self._told.get(kernel_id, []):
                path = f"/v1/kernels/{quote(kernel_id, safe='')}/shared"
                try:
                    await self._control.call("POST", path, {"names": names})
                except QsecError as error:
                    self._log.warning("qsec: who shares a kernel was not delivered yet (%s)", error.code)
                    await asyncio.sleep(_PAUSE)
                else:
                    self._told[kernel_id] = names

    def _spawn(self, work: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def stop(self) -> None:
        """Tell nothing more."""
        for task in self._tasks:
            task.cancel()

    # -- notebooks that several have open -------------------------------------------------------------

    async def watch_rooms(self) -> None:
        """Follow who has a kernel's notebook open together with others, while that is possible at all."""
        while True:
            await asyncio.sleep(ROOMS_SECONDS)
            if self._collaboration.extension() is not None:
                await self._look()

    async def _look(self) -> None:
        together = {kernel_id: await self._in_rooms(kernel_id) for kernel_id in self._kernel_ids()}
        before, self._together = self._together, {k: users for k, users in together.items() if users}
        for kernel_id in {*before, *self._together}:
            self._changed(kernel_id)

    async def _in_rooms(self, kernel_id: str) -> list[Any]:
        path = await self._notebooks.path(kernel_id)
        rooms: Iterable[Any] = self._collaboration.rooms(path) if path else ()
        users = (getattr(client, "current_user", None) for room in rooms for client in list(room.clients))
        return [user for user in users if user is not None]


def noting(base: type[Any], presence: Presence) -> type[Any]:
    """Return a kind of kernel connection that says who it belongs to, and is ``base`` in all else."""

    class Noting(base):
        def connect(self) -> Any:
            first = presence.joined(self.kernel_id, self, self.websocket_handler.current_user)
            return super().connect() if first is None else asyncio.ensure_future(self._connect_after(first))

        async def _connect_after(self, first: Awaitable[None]) -> None:
            with suppress(asyncio.TimeoutError):  # nothing is issued while the control plane does not answer
                await first
            connected = super().connect()
            if connected is not None:
                await connected

        def disconnect(self) -> Any:
            presence.left(self.kernel_id, self)
            return super().disconnect()

    Noting.__name__ = Noting.__qualname__ = base.__name__
    return Noting
