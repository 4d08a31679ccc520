"""The processes in which jobs are read: started when first needed, replaced when one fails."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ....core.errors import QsecError, Unavailable
from ..model import Submission
from . import frames, refusals
from .limits import MEGABYTE, Limits

START_SECONDS = 60.0
_ROOT = Path(__file__).resolve().parents[4]
_MODULE = "qsec_jupyter.control.gateway.payload.worker"
_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "RAYON_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "2",
    "QISKIT_PARALLEL": "FALSE",
    "QISKIT_SETTINGS": os.devnull,
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUTF8": "1",
}
"""All that a worker's environment holds, beside what finds the interpreter and its packages."""

_INHERITED = ("PATH", "HOME", "LD_LIBRARY_PATH", "SYSTEMROOT", "VIRTUAL_ENV")


class Workers:
    """Reads jobs, each in one of a few processes that may do nothing else. Used from one event loop.

    Args:
        most: How many processes.
        limits: What reading a job may take.
    """

    def __init__(self, most: int = 2, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._idle: list[_Worker] = []
        self._all: set[_Worker] = set()
        self._free = asyncio.Semaphore(most)
        self._closed = False

    async def read(
        self, provider: str, body: bytes, *, hide: bool = True, key: bytes = b"", most: int | None = None
    ) -> Submission:
        """Read a job.

        Args:
            provider: Whose module reads it, e.g. ``ibm``.
            body: The job, as its client sent it.
            hide: Whether names become opaque.
            key: What opaque names are made with: of the grant and target, so that they mean nothing outside.
            most: Bytes of the job, where that is other than usual.

        Raises:
            Invalid: ``payload.`` and ``too_large``, ``malformed``, ``too_costly`` or ``unsupported``.
            Unavailable: ``payload.no_worker``.
        """
        self._check(body, most)
        asked = {"what": "read", "provider": provider, "hide": hide, "key": key.hex()}
        return frames.to_submission(*await self._ask(asked, body))

    async def restore(self, provider: str, body: bytes, names: Mapping[str, str]) -> bytes:
        """Return an answer with the user's own names, also inside circuits.

        Raises:
            Invalid, Unavailable: As :meth:`read`.
        """
        asked = {"what": "restore", "provider": provider, "names": dict(names)}
        return (await self._ask(asked, body))[1]

    async def warm(self) -> None:
        """Start one worker, if none is there, so that the first job need not wait for it."""
        async with self._free:
            self._idle.append(await self._worker())

    async def close(self) -> None:
        """End all workers."""
        self._closed = True
        await asyncio.gather(*[worker.end() for worker in list(self._all)])
        self._all.clear()
        self._idle.clear()

    def _check(self, body: bytes, most: int | None) -> None:
        most = self._limits.body if most is None else min(most, self._limits.body)
        if len(body) > most:
            raise refusals.too_large("As submitted", f"{most // MEGABYTE} MB")

    async def _ask(self, asked: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        frame = frames.pack(asked, body)
        async with self._free:
            try:
                told, data = await self._answer(frame)
            except _Ended:
                try:  # once more: an idle one may have ended for any reason
                    told, data = await self._answer(frame)
                except _Ended as error:
                    raise refusals.too_costly("the process that read it ended") from error
        if "refused" in told:
            raise frames.to_error(told["refused"])
        return told, data

    async def _answer(self, frame: bytes) -> tuple[dict[str, Any], bytes]:
        worker = await self._worker()
        try:
            found = await asyncio.wait_for(worker.ask(frame), self._limits.seconds)
        except BaseException as error:
            await self._drop(worker)  # it would answer the next one with this one's answer
            if isinstance(error, asyncio.TimeoutError):
                raise refusals.too_costly(f"more than {self._limits.seconds} seconds") from error
            if isinstance(error, (EOFError, ConnectionError, asyncio.IncompleteReadError)):
                raise _Ended from error
            raise
        self._idle.append(worker)
        return found

    async def _worker(self) -> _Worker:
        while self._idle:
            worker = self._idle.pop()
            if worker.is_running():
                return worker
            await self._drop(worker)
        worker = _Worker(self._limits)
        self._all.add(worker)
        try:
            await worker.start()
        except BaseException:
            await self._drop(worker)
            raise
        return worker

    async def _drop(self, worker: _Worker) -> None:
        self._all.discard(worker)
        await worker.end()


class _Ended(Exception):
    """A worker ended before it answered."""


class _Worker:
    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._process: Process | None = None
        self._is_limited = False

    async def start(self) -> None:
        """Start the process, and wait until it is warm.

        Raises:
            Unavailable: ``payload.no_worker``.
        """
        environment = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", _MODULE, json.dumps(asdict(self._limits))),
            stdin=PIPE,
            stdout=PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            cwd=_ROOT,
            env={**environment, **_ENVIRONMENT},
            limit=MEGABYTE,
        )
        try:
            ready, _ = await asyncio.wait_for(self._answer(), START_SECONDS)
        except (asyncio.TimeoutError, asyncio.IncompleteReadError, QsecError) as error:
            raise Unavailable(
                "payload.no_worker",
                "The process that reads jobs does not start",
                "Qiskit cannot be loaded, or the machine has too little memory.",
                "Install qsec-jupyter[control,quantum] where the control plane runs, and try again.",
            ) from error
        self._is_limited = bool(ready.get("limited"))

    def is_running(self) -> bool:
        """Say whether the process is there."""
        return self._process is not None and self._process.returncode is None

    async def ask(self, frame: bytes) -> tuple[dict[str, Any], bytes]:
        """Send a frame, and return what comes back."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(frame)
        await self._process.stdin.drain()
        return await self._answer()

    async def end(self) -> None:
        """End the process, whatever it does."""
        if self._process is None:
            return
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        await self._process.wait()

    async def _answer(self) -> tuple[dict[str, Any], bytes]:
        assert self._process is not None
        assert self._process.stdout is not None
        text, body = frames.HEAD.unpack(await self._process.stdout.readexactly(frames.HEAD.size))
        if text + body > frames.MOST:
            raise ConnectionError
        told: dict[str, Any] = json.loads(await self._process.stdout.readexactly(text))
        return told, await self._process.stdout.readexactly(body)
