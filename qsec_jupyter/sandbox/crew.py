"""The worker processes: started when there is work, replaced when one dies or is killed."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import suppress
from typing import Any

from .work.frames import LENGTHS, lengths, pack


class WorkerDied(Exception):
    """The worker process ended before it answered."""


class Worker:
    """One process that runs one job at a time."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None

    async def run(self, order: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        """Have a job run. When this is cancelled, the process is killed.

        Raises:
            WorkerDied: When the process ended, e.g. for want of memory.
        """
        try:
            process = await self._started()
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.writelines(pack(order, body))
            await process.stdin.drain()
            head, rest = lengths(await process.stdout.readexactly(LENGTHS))
            table = json.loads(await process.stdout.readexactly(head))
            return table, await process.stdout.readexactly(rest)
        except (EOFError, OSError) as error:
            await self.kill()
            raise WorkerDied from error
        except asyncio.CancelledError:
            await self.kill()
            raise

    async def _started(self) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "qsec_jupyter.sandbox.work",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
            )
        return self._process

    async def kill(self) -> None:
        """End the process at once."""
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


class Crew:
    """A fixed number of workers that take turns.

    Args:
        size: How many.
    """

    def __init__(self, size: int) -> None:
        self._all = [Worker() for _ in range(size)]
        self._free: asyncio.Queue[Worker] = asyncio.Queue()
        for worker in self._all:
            self._free.put_nowait(worker)

    async def run(self, order: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        """Have a job run by the next worker that is free.

        Raises:
            WorkerDied: When the worker's process ended.
        """
        worker = await self._free.get()
        try:
            return await worker.run(order, body)
        finally:
            self._free.put_nowait(worker)

    async def close(self) -> None:
        """End all processes."""
        for worker in self._all:
            await worker.kill()
