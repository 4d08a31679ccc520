"""Sends run records to the control plane without ever making a run wait.

Records are queued, most of them as a function that makes them; one daemon thread makes and sends them in
order and keeps each until it is acknowledged. The control plane takes a record twice as once (run id and
kind name it), so sending again is safe.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from ..core.errors import QsecError, Unavailable
from .channel import Channel

Record = dict[str, Any]

CAPACITY = 5000
"""Records that may wait; a record beyond them is a gap."""

LINGER = 0.02
"""How long nothing may have come before what is there is sent (seconds): between runs, not beside one."""

LONGEST_LINGER = 0.25
"""How long a record waits at most for such a pause (seconds)."""

LATE = 2.0
"""An answer that took longer (seconds) is a gap: a crash meanwhile would have cost the records."""

_BATCH, _BATCH_CIRCUITS = 50, 2000  # records, and circuits in them: a frame has an end
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 15.0


@dataclass(slots=True)
class _Entry:
    """One record on its way: how it is made, and then what was made."""

    run_id: str
    make: Callable[[], Record]
    record: Record | None = None


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
        self._queue: deque[_Entry] = deque()
        self._notes: deque[tuple[str, dict[str, Any]]] = deque(maxlen=CAPACITY)
        self._added = 0
        self._thread: threading.Thread | None = None
        self._hurry = threading.Event()
        self.gaps = 0
        """How many things could not be recorded."""
        self.last_gap = ""
        """What could not be recorded, the last time."""
        afresh_in_children(self)

    def afresh(self) -> None:
        """Forget what waits, in a child; a lock may have been held at the fork."""
        self._changed = threading.Condition()
        self._queue.clear()
        self._notes.clear()

    @property
    def waiting(self) -> int:
        """How many records are not acknowledged yet."""
        return len(self._queue)

    def add(self, record: Record) -> None:
        """Queue a record; returns at once."""
        self.add_later(record["run_id"], lambda: record)

    def add_later(self, run_id: str, make: Callable[[], Record]) -> None:
        """Queue a record that ``make`` returns, on the sending thread; returns at once."""
        if self._channel.closed:
            self._lose("a record was lost: the channel is closed")
            return
        with self._changed:
            self._added += 1
            if len(self._queue) < CAPACITY:
                self._queue.append(_Entry(run_id, make))
                self._wake()
                return
        self.gap("a record was dropped: too many wait for the control plane", run_id)

    def gap(self, what: str, run_id: str | None = None) -> None:
        """Count and report something that could not be recorded; never raises."""
        self._lose(what)
        self.note("gap", what=what, run_id=run_id)

    def note(self, op: str, **args: Any) -> None:
        """Queue a small message about a run, sent after the records that wait; never raises."""
        if self._channel.closed:
            return
        with self._changed:
            self._notes.append((op, args))
            self._wake()

    def ask(self, op: str, **args: Any) -> dict[str, Any]:
        """Ask the control plane something that a record needs; on the sending thread.

        Raises:
            QsecError: What it answered, or ``Unavailable``; the record is then made again later.
        """
        return self._channel.call(op, **args)

    def flush(self, limit: float) -> bool:
        """Wait until everything is acknowledged, at most ``limit`` seconds; say whether it is."""
        if self._channel.closed:
            return not self._queue
        self._hurry.set()
        with self._changed:
            return self._changed.wait_for(lambda: not self._queue and not self._notes, limit)

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
        pause, away = _FIRST_PAUSE, 0.0
        while not self._channel.closed:
            with self._changed:
                self._changed.wait_for(lambda: self._queue or self._notes)
            self._gather()
            try:
                while self._send_batch():
                    pass
                if away:
                    waited = time.monotonic() - away
                    self.gap(f"the control plane did not answer for {waited:.0f} s; records came late")
                self._send_notes()
                pause, away = _FIRST_PAUSE, 0.0
            except Unavailable:
                away = away or time.monotonic()
                self._make_all()
                self._rest(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
        self._lose_all()

    def _rest(self, seconds: float) -> None:
        """Wait before the next attempt; not for a channel that is closed."""
        end = time.monotonic() + seconds
        while not self._channel.closed and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, 0.5))

    def _lose_all(self) -> None:
        """Count what can never be sent any more."""
        with self._changed:
            left = len(self._queue)
            self._queue.clear()
            self._notes.clear()
            self._changed.notify_all()
        for _ in range(left):
            self._lose("a record was lost: the channel is closed")

    def _gather(self) -> None:
        """Wait for a pause between runs, so that what is done here is not done beside one."""
        end = time.monotonic() + LONGEST_LINGER
        seen = -1
        while seen != self._added and time.monotonic() < end:
            seen = self._added
            if self._hurry.wait(LINGER):
                break
        self._hurry.clear()

    def _send_notes(self) -> None:
        while self._notes:
            op, args = self._notes[0]
            try:
                self._channel.call(op, **args)
            except Unavailable:
                raise
            except QsecError as error:
                self._lose(f"{args.get('what', op)} (and that was refused: {error.code})")
            self._done(self._notes, 1)

    def _send_batch(self) -> bool:
        """Send the first records; say whether there were any."""
        batch = self._make_batch()
        if not batch:
            return False
        records = [entry.record for entry in batch]
        began = time.monotonic()
        try:
            results = self._channel.call("record", records=records)["results"]
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001  # whatever is wrong with a batch must not stop the next one
            self._done(self._queue, len(batch))
            self.gap(f"{len(batch)} records were refused ({_name(error)})", batch[0].run_id)
            return True
        self._settle(batch, results)
        if (took := time.monotonic() - began) > LATE:
            self.gap(f"the control plane took {took:.0f} s to answer; records came late", batch[0].run_id)
        return True

    def _make_batch(self) -> list[_Entry]:
        """Make the first records of the queue, letting the kernel's other threads run in between."""
        batch: list[_Entry] = []
        circuits = 0
        while len(batch) < min(_BATCH, len(self._queue)) and circuits < _BATCH_CIRCUITS:
            entry = self._queue[len(batch)]  # appends by other threads do not matter: the head is ours
            try:
                record = self._made(entry)
            except Unavailable:
                if not batch:
                    raise
                break
            if record is not None:
                circuits += len((record.get("execution") or {}).get("circuits", ()))
                batch.append(entry)
        return batch

    def _made(self, entry: _Entry) -> Record | None:
        """Return an entry's record; ``None`` for one that cannot be made, which leaves the queue as a gap."""
        if entry.record is not None:
            return entry.record
        try:
            entry.record = self._finish(entry.make())
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001  # one odd record must not hold up the others
            with self._changed:
                self._queue.remove(entry)
            self.gap(f"a record could not be made ({_name(error)})", entry.run_id)
            return None
        entry.make = _done  # lets go of circuits and results
        breathe()
        return entry.record

    def _make_all(self) -> None:
        """Make what waits while nothing can be sent: a record is small, what it is made of may not be."""
        for entry in list(self._queue):
            with suppress(Unavailable):  # it has to ask something first; later
                self._made(entry)

    def _settle(self, batch: list[_Entry], results: list[dict[str, Any]]) -> None:
        """Take acknowledged and refused records out of the queue; keep those to try again."""
        failed = {(r["run_id"], r["kind"]): r["error"] for r in results if r.get("error")}
        again = []
        for entry in batch:
            record = entry.record or {}
            error = failed.get((record.get("run_id"), record.get("kind")))
            if error is None:
                continue
            if error.get("kind") == "unavailable":
                again.append(entry)
            else:
                self.gap(f"the {record.get('kind')} was refused ({error.get('code')})", entry.run_id)
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


def _done() -> Record:
    raise RuntimeError("the record was made")


def breathe() -> None:
    """Let the kernel's other threads run, from a thread that works beside them.

    A plain release of the interpreter's lock is taken back before a waiting thread has woken.
    """
    time.sleep(0.0002)


class _Queueing(Protocol):
    def afresh(self) -> None:
        """Begin with an empty queue."""


def afresh_in_children(sender: _Queueing) -> None:
    """Have a sender begin anew in each forked child: what waits is the parent's to send."""
    reference = weakref.ref(sender)

    def renew() -> None:
        alive = reference()
        if alive is not None:
            alive.afresh()

    os.register_at_fork(after_in_child=renew)


def _name(error: Exception) -> str:
    return error.code if isinstance(error, QsecError) else type(error).__name__
