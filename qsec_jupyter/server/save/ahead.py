"""Reads notebooks ahead: what a tab opened is scanned while nobody waits, so that its first save is quick."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .guard import SaveGuard

DELAY = 0.5
"""An opened notebook is on its way to the browser first (seconds)."""

LARGEST = 10_000_000
"""A larger notebook is left for its save: reading it could hold the loop up (bytes)."""

_MOST = 20
"""So many opened notebooks are kept waiting; what comes beyond is read when it is saved."""


class ReadAhead:
    """Lets the scanner know what was opened.

    It is no gate and finds nothing for anybody: it only fills what the scanner remembers as clean, which
    is bounded. A save is scanned all the same.

    Args:
        guard: What scans.
        delay: How long after it was opened a notebook is read (seconds).
    """

    def __init__(self, guard: SaveGuard, delay: float = DELAY) -> None:
        self._guard = guard
        self._delay = delay
        self._waiting: dict[str, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Future[None]] = set()

    def attach(self, manager: Any) -> None:
        """Wrap the method of a contents manager that opens a file."""
        method = getattr(manager, "get", None)
        if method is not None:
            manager.get = self._async(method) if inspect.iscoroutinefunction(method) else self._sync(method)

    def _sync(self, method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def get(*args: Any, **options: Any) -> Any:
            model = method(*args, **options)
            self.opened(model)
            return model

        return get

    def _async(self, method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        async def get(*args: Any, **options: Any) -> Any:
            model = await method(*args, **options)
            self.opened(model)
            return model

        return get

    def opened(self, model: dict[str, Any]) -> None:
        """Note what was opened; anything but a notebook's content is passed over."""
        content, path = model.get("content"), str(model.get("path", "")).strip("/")
        if model.get("type") != "notebook" or not isinstance(content, dict):
            return
        if (model.get("size") or 0) > LARGEST:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # a manager that is used in a script: nothing runs beside it
            return
        if path in self._waiting:
            self._waiting.pop(path).cancel()
        if len(self._waiting) < _MOST:
            self._waiting[path] = loop.call_later(self._delay, self._begin, content, path)

    def _begin(self, content: dict[str, Any], path: str) -> None:
        self._waiting.pop(path, None)
        task = asyncio.ensure_future(asyncio.to_thread(self._guard.read_ahead, content, path))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
