"""Sends run records to the control plane without ever making a run wait.

Records are queued; one daemon thread sends them in order and keeps each until it is acknowledged. The
control plane takes a record twice as once (run id and kind name it), so sending again is safe.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any

from ..core.errors import QsecError, Unavailable
from .channel import Channel

Record = dict[str, Any]

CAPACITY = 5000
"""Records that may wait; a record beyond them is a gap."""

LINGER = 0.02
"""How long the sending thread lets records gather (seconds), so that it does not wake beside every run."""

_BATCH = 50
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 15.0


class Recorder:
    """A queue of records and the thread that empties it.

    Args:
        channel: The kernel's socket.
        finish: Called on the sending thread with each record before it is sent, to add what is slow
            to find out and to take out what must not leave the kernel.
    """

    def __init__(self, channel: Channel, finish: Callable[[Record], Record]) -> None:
        self._channel = channel
        self._finish = finish
        self._changed = threading.Condition()
        self._queue: deque[Record] = deque()
        self._gaps: deque[dict[str, Any]] = deque(maxlen=CAPACITY)
        self._thread: threading.Thread | None = None
        self._hurry = threading.Event()
        self.gaps = 0
        """How many things could not be recorded."""
        self.last_gap = ""
        """What could not be recorded, the last time."""
        _start_afresh_in_children(self)

    @property
    def waiting(self) -> int:
        """How many records are not acknowledged yet."""
        return len(self._queue)

    def add(self, record: Record) -> None:
        """Queue a record; returns at once."""
        if self._channel.closed:
            self._lose("a record was lost: the channel is closed")
            return
        with self._changed:
            if len(self._queue) < CAPACITY:
                self._queue.append(record)
                self._wake()
                return
        self.gap("a record was dropped: too many wait for the control plane", record["run_id"])

    def gap(self, what: str, run_id: str | None = None) -> None:
        """Count and report something that could not be recorded; never raises."""
        self._lose(what)
        if self._channel.closed:
            return
        with self._changed:
            self._gaps.append({"what": what, "run_id": run_id})
            self._wake()

    def flush(self, limit: float) -> bool:
        """Wait until everything is acknowledged, at most ``limit`` seconds; say whether it is."""
        if self._channel.closed:
            return not self._queue
        self._hurry.set()
        with self._changed:
            return self._changed.wait_for(lambda: not self._queue and not self._gaps, limit)

    def _lose(self, what: str) -> None:
        with self._changed:
            self.gaps += 1
            self.last_gap = what

    def _wake(self) -> None:
        if self._thread is None or not self._thread.is_alive():  # a forked child has no thread of its own
            self._thread = threading.Thread(target=self._send_on, name="qsec-record", daemon=True)
            self._thread.start()
        self._changed.notify_all()

    def _send_on(self) -> None:
        pause = _FIRST_PAUSE
        while not self._channel.closed:
            with self._changed:
                self._changed.wait_for(lambda: self._queue or self._gaps)
            self._hurry.wait(LINGER)
            self._hurry.clear()
            try:
                self._send_gaps()
                self._send_batch()
                pause = _FIRST_PAUSE
            except Unavailable:
                time.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)

    def _send_gaps(self) -> None:
        while self._gaps:
            try:
                self._channel.call("gap", **self._gaps[0])
            except Unavailable:
                raise
            except QsecError as error:
                self.last_gap = f"{self.last_gap} (and that was refused: {error.code})"
            self._done(self._gaps, 1)

    def _send_batch(self) -> None:
        batch = list(self._queue)[:_BATCH]  # appends by other threads do not matter: the head is ours
        if not batch:
            return
        try:
            results = self._channel.call("record", records=[self._finish(record) for record in batch])[
                "results"
            ]
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001  # whatever is wrong with a batch must not stop the next one
            self._done(self._queue, len(batch))
            self.gap(f"{len(batch)} records were refused ({_name(error)})", batch[0]["run_id"])
            return
        self._settle(batch, results)

    def _settle(self, batch: list[Record], results: list[dict[str, Any]]) -> None:
        """Take acknowledged and refused records out of the queue; keep those to try again."""
        failed = {(r["run_id"], r["kind"]): r["error"] for r in results if r.get("error")}
        again = []
        for record in batch:
            error = failed.get((record["run_id"], record["kind"]))
            if error is None:
                continue
            if error.get("kind") == "unavailable":
                again.append(record)
            else:
                self.gap(f"the {record['kind']} was refused ({error.get('code')})", record["run_id"])
        with self._changed:
            for _ in batch:
                self._queue.popleft()
            self._queue.extendleft(reversed(again))
            self._changed.notify_all()
        if again:
            raise Unavailable("record.again", "Some records were not taken yet")

    def _done(self, queue: deque[Any], count: int) -> None:
        with self._changed:
            for _ in range(count):
                queue.popleft()
            self._changed.notify_all()


def _start_afresh_in_children(recorder: Recorder) -> None:
    reference = weakref.ref(recorder)

    def renew() -> None:
        alive = reference()
        if alive is not None:  # the queue is the parent's to send; a lock may have been held at the fork
            alive._changed = threading.Condition()
            alive._queue.clear()
            alive._gaps.clear()

    os.register_at_fork(after_in_child=renew)


def _name(error: Exception) -> str:
    return error.code if isinstance(error, QsecError) else type(error).__name__
