"""Which job runs when: one at a time on each device, an open session's before others, reservations kept."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Any

from .book import Book
from .crew import Crew, WorkerDied
from .faults import Faults
from .jobs import RAN_TOO_LONG, Job, Planted, Session

_log = logging.getLogger("qsec.sandbox")
_TICK = 0.05  # seconds after which a waiting device looks again
_EMPTY = b'{"__type__": "PrimitiveResult", "__value__": {"pub_results": [], "metadata": {"sandbox": true}}}'


class Schedule:
    """Runs the jobs of a book.

    Args:
        book: What there is to run.
        crew: Who runs it.
    """

    def __init__(self, book: Book, crew: Crew) -> None:
        self._book = book
        self._crew = crew
        self._queues: dict[str, list[Job]] = {name: [] for name in book.devices}
        self._running: dict[str, asyncio.Task[Any]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._news: dict[str, asyncio.Event] = {name: asyncio.Event() for name in book.devices}
        self.plants: list[int] = []
        self.failures = Faults()

    def start(self) -> None:
        """Begin to work, in the running event loop."""
        self._tasks = [asyncio.create_task(self._serve(name)) for name in self._queues]
        self._tasks.append(asyncio.create_task(self._tick()))

    async def close(self) -> None:
        """Stop working; what runs is killed."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._crew.close()

    def add(self, job: Job) -> None:
        """Take a job in."""
        if self._book.settings.execution == "none" and not self._book.settings.queue_seconds:
            self._begin(job)
            self._finish(job, {"ok": True}, _EMPTY)
            return
        self._queues[job.backend].append(job)
        self._news[job.backend].set()

    def position(self, job: Job) -> int | None:
        """Return how many wait before a job, ``None`` when it does not wait."""
        queue = self._queues[job.backend]
        return queue.index(job) + self._book.settings.queue_length if job in queue else None

    def cancel(self, job: Job, reason: str | None = None) -> None:
        """Cancel a job that has not ended; the process that runs it is killed."""
        now = self._book.clock()
        if job.started is not None:
            self._charge(job, round(now - job.started, 6))
        job.end("Cancelled", now, reason)
        if job in (queue := self._queues[job.backend]):
            queue.remove(job)
        if (task := self._running.get(job.id)) is not None:
            task.cancel()

    def end_session(self, session: Session) -> None:
        """Cancel what a session has not finished, and close it."""
        for job in list(self._book.unfinished(self._book.jobs.values())):
            if job.session == session.id:
                self.cancel(job, "The session was closed.")
        session.move("closed", self._book.clock())

    async def _tick(self) -> None:
        """Let the sessions' time pass."""
        while True:
            await asyncio.sleep(_TICK * 4)
            now = self._book.clock()
            for session in list(self._book.sessions.values()):
                if session.state == "closed":
                    continue
                session.tick(now, self.busy(session))
                if session.state == "closed":
                    self.end_session(session)

    def busy(self, session: Session) -> bool:
        """Return whether a session has jobs that have not ended."""
        return any(job.session == session.id for job in self._book.unfinished())

    async def _serve(self, name: str) -> None:
        """Run one device's jobs, one after the other."""
        queue, news = self._queues[name], self._news[name]
        while True:
            if not queue:
                news.clear()
                await news.wait()
            if (job := self._next(name)) is None:
                await asyncio.sleep(_TICK)
                continue
            queue.remove(job)
            task = asyncio.create_task(self._run(job))
            self._running[job.id] = task
            try:
                with suppress(asyncio.CancelledError):
                    await asyncio.shield(task)
                if not task.done():  # it is we who are to end
                    task.cancel()
                    raise asyncio.CancelledError
            finally:
                self._running.pop(job.id, None)

    def _next(self, name: str) -> Job | None:
        """Return the job whose turn it is: an active session's first, then the oldest that may run now."""
        book = self._book
        if not book.devices[name].online:
            return None
        now, owner = book.clock(), book.reserved_for(name)
        ready = [
            job
            for job in self._queues[name]
            if now - job.created >= book.settings.queue_seconds and (owner is None or job.instance == owner)
        ]
        favoured = (job for job in ready if job.session and book.sessions[job.session].state == "active")
        return next(favoured, ready[0] if ready else None)

    def _begin(self, job: Job) -> None:
        job.status, job.started = "Running", self._book.clock()
        if job.session:
            self._book.sessions[job.session].started(job.started)

    async def _run(self, job: Job) -> None:
        settings, device = self._book.settings, self._book.devices[job.backend]
        self._begin(job)
        limit = min(job.limit or settings.max_execution_seconds, settings.max_execution_seconds)
        order = {
            "program": job.program,
            "device": job.backend,
            "model": device.model,
            "started": device.started,
            "calibration": device.find_calibration(self._book.now(), None, job.calibration),
            "seed": settings.seed,
            "random": device.mock or settings.execution == "random",
        }
        try:
            table, result = await asyncio.wait_for(self._execute(order, job), limit)
        except (asyncio.TimeoutError, TimeoutError):
            self._charge(job, float(limit))
            job.result = b"Job ran longer than its maximum execution time."
            job.end("Cancelled", self._book.clock(), job.result.decode(), RAN_TOO_LONG)
        except WorkerDied:
            self._fail(job, "The simulator's process ended: too much memory, or a defect.", 9998)
        else:
            self._finish(job, table, result)
        finally:
            if job.session:
                self._book.sessions[job.session].last_ended = self._book.clock()

    async def _execute(self, order: dict[str, Any], job: Job) -> tuple[dict[str, Any], bytes]:
        await asyncio.sleep(self._book.settings.run_seconds)
        if self._book.settings.execution == "none":
            return {"ok": True}, _EMPTY
        return await self._crew.run(order, job.body)

    def _finish(self, job: Job, table: dict[str, Any], result: bytes) -> None:
        job.log = str(table.get("log", ""))
        if (due := self.failures.take_failure()) is not None:
            self._fail(job, due.reason, due.code)
        elif not table["ok"]:
            job.result = result
            self._fail(job, str(table["reason"]), int(table["code"]), result)
        else:
            job.described = {name: table.get(name) for name in ("circuits", "qubits", "depths")}
            job.shots = int(table.get("shots", 0))
            job.result = Planted(self.plants.pop(0)) if self.plants else result
            delay = float(table.get("rep_delay", 250e-6))
            self._charge(job, round(self._book.settings.overhead_seconds + job.shots * delay, 6))
            job.end("Completed", self._book.clock())
        if job.session:
            self._book.sessions[job.session].last_ended = self._book.clock()
        _log.info("job %s %s", job.id, job.status.lower())

    def _charge(self, job: Job, seconds: float) -> None:
        prices = self._book.settings.prices
        job.seconds, job.cost, job.currency = seconds, prices.cost(job.shots, seconds), prices.currency
        if job.session:
            self._book.sessions[job.session].charged += seconds

    def _fail(self, job: Job, reason: str, code: int, result: bytes = b"") -> None:
        job.result = result or reason.encode()
        job.end("Failed", self._book.clock(), reason, code)
