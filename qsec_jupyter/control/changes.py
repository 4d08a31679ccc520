"""Versions that count changes, and a way to wait for the next one without polling."""

from __future__ import annotations

import asyncio
import threading


class Counter:
    """Bumped from any thread, awaited on one loop."""

    def __init__(self) -> None:
        self.version = 1
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._event = asyncio.Event()

    def bump(self) -> None:
        """Count a change and wake who waits."""
        with self._lock:
            self.version += 1
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        event, self._event = self._event, asyncio.Event()
        event.set()

    async def beyond(self, since: int, seconds: float) -> int:
        """Return the version as soon as it is higher than ``since``, at the latest after ``seconds``."""
        self._loop = asyncio.get_running_loop()
        deadline = self._loop.time() + seconds
        while self.version <= since:
            event, left = self._event, deadline - self._loop.time()
            if left <= 0:
                break
            try:
                await asyncio.wait_for(event.wait(), left)
            except asyncio.TimeoutError:
                break
        return self.version


class Changes(Counter):
    """Counts whatever somebody may see.

    Attributes:
        rights: Counts only that on which it depends who may do what: grants that begin and end, locks,
            policy, roles, who is present, what is reserved. The steps of a job are none of it, so they
            have nobody's rights looked at again.
    """

    def __init__(self) -> None:
        super().__init__()
        self.rights: Counter = _Part(self)


class _Part(Counter):
    def __init__(self, whole: Counter) -> None:
        super().__init__()
        self._whole = whole

    def bump(self) -> None:
        super().bump()
        self._whole.bump()
