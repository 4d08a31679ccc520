"""A version that counts changes, and a way to wait for the next one without polling."""

from __future__ import annotations

import asyncio
import threading


class Changes:
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
