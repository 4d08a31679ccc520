"""Timed work: it is done again and again while a control plane runs, and no failure of it ends its clock."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from .changes import Counter
from .policy.live import LivePolicy

RETRY_SECONDS = (2.0, 5.0, 15.0, 60.0)
LONGEST_SLEEP = 10.0
"""Timers stand still while a machine sleeps; this is how late an expiry is noticed afterwards (seconds)."""

_log = logging.getLogger("qsec.control")


class Timers:
    """Runs work in threads, beside the loop that it is started on.

    Args:
        policy: Held as it is while a piece of work runs.
        changes: Says when something has changed on which it depends, so that the next time is reckoned anew.
    """

    def __init__(self, policy: LivePolicy, changes: Counter) -> None:
        self._policy = policy
        self._changes = changes
        self._tasks: list[asyncio.Task[None]] = []

    def every(self, seconds: float, work: Callable[[], Any], *, after: float = 0.0) -> None:
        """Do something every so many seconds."""
        self._start(self._every(seconds, work, after=after))

    def when_due(self, work: Callable[[], float | None]) -> None:
        """Do something again as often as it says: it returns in how many seconds it is due next."""
        self._start(self._when_due(work))

    def retry(self, work: Callable[[], bool]) -> None:
        """Do something until it says that it is done, less and less often while nothing helps."""
        self._start(self._retry(work))

    async def stop(self) -> None:
        """End them all."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, loop: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(loop))

    async def _when_due(self, work: Callable[[], float | None]) -> None:
        while True:
            version = self._changes.version
            nearest = await asyncio.to_thread(self.safely, work)
            await self._changes.beyond(version, min(nearest or LONGEST_SLEEP, LONGEST_SLEEP) + 0.01)

    async def _retry(self, work: Callable[[], bool]) -> None:
        attempt = 0
        while True:
            await asyncio.sleep(RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)])
            done = await asyncio.to_thread(self.safely, work)
            attempt = 0 if done else attempt + 1

    async def _every(self, seconds: float, work: Callable[[], Any], *, after: float = 0.0) -> None:
        await asyncio.sleep(after)
        while True:
            await asyncio.to_thread(self.safely, work)
            await asyncio.sleep(seconds)

    def safely(self, work: Callable[[], Any]) -> Any:
        """Run timed work; its failure is logged and shows in the health line, and the clock goes on."""
        try:
            with self._policy.pin():
                return work()
        except Exception as error:  # noqa: BLE001  # a timer that dies would end expiry for good
            _log.error("timed work failed: %s", getattr(error, "code", type(error).__name__))
            return None
