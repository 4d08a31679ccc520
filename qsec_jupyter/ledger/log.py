"""The append-only log: one writer, durable before :meth:`Ledger.append` returns, many threads at once.

Appenders queue. One that waits leads: it writes everything in the queue with one write and one ``fdatasync``,
wakes those whose entries that were, and hands the lead to the next that waits (group commit). State
moves only after the disk has answered; after an error the file is cut back to what was acknowledged, so a
full disk costs the entries of that moment and nothing else.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

from ..core.errors import Bug, Conflict, NotFound, QsecError
from ..core.model import rfc3339
from ..core.signing import Signer
from . import checkpoint as checkpoints, segment
from .entries import Event, checked, payload_of, read_events
from .merkle import leaf_hash
from .recovery import State, begin, damaged, replay, unwritable

Clock = Callable[[], datetime]

SEGMENT_BYTES = 64 * 1024 * 1024
"""A segment that has reached this size is followed by a new one (bytes)."""

CHECKPOINT_EVERY = 1000
"""Entries after which :attr:`Ledger.checkpoint_due` asks for a checkpoint."""


def now() -> datetime:
    """Return the time of the machine's clock in UTC."""
    return datetime.now(timezone.utc)


@dataclass(slots=True)
class _Waiting:
    """An entry on its way to the disk."""

    event: Event
    index: int = -1
    error: BaseException | None = None
    done: bool = False
    behind: _Waiting | None = None  # not written where that one is not
    awaited: bool = False  # somebody will wake when ``wake`` is released
    wake: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.wake.acquire()  # released when the entry is done, or when its thread is to lead


class Entered:
    """Events that have their place in the ledger, in the order of entering, and are not on the disk yet."""

    def __init__(self, ledger: Ledger, waiting: list[_Waiting]) -> None:
        self._ledger = ledger
        self._waiting = waiting

    def wait(self) -> list[int]:
        """Return their indices once they are durable. Call it once.

        Raises:
            QsecError: As :meth:`Ledger.append`, for the first that fails; nothing is said of the others.
        """
        if self._waiting:
            self._ledger._await(self._waiting[0])
        for one in self._waiting:
            if one.error is not None:
                raise one.error
        return [one.index for one in self._waiting]


class Ledger:
    """The journal's log, opened for writing. Use :meth:`open`.

    Attributes:
        journal: The journal's id, a UUID as text; part of every checkpoint's origin line.
        truncated: Bytes of a torn tail that were cut at open; 0 after an orderly end.
    """

    def __init__(self, folder: Path, lock: int, clock: Clock, segment_bytes: int) -> None:
        self._folder = folder
        self._lock_fd = lock
        self._clock = clock
        self._segment_bytes = segment_bytes
        self._queue: deque[_Waiting] = deque()
        self._queueing = threading.Lock()
        self._led = False  # somebody leads; guarded by _queueing, as the queue is
        self._commit = threading.Lock()
        self._file = -1
        self._unclean = False  # an error left bytes behind the durable end that could not be cut yet
        self._owed: Event | None = None  # what happened at open and is not on the disk yet
        self._checkpointed = 0
        self._follower: Callable[[list[Event]], None] | None = None
        self.truncated = 0
        self._state, self.journal = self._recover()
        self._file = os.open(self._state.path, os.O_RDWR | os.O_CLOEXEC)
        if self.truncated:
            self._cut()

    @classmethod
    def open(cls, path: Path, clock: Clock = now, *, segment_bytes: int = SEGMENT_BYTES) -> Ledger:
        """Open or begin the ledger in folder ``path`` (a journal's ``ledger/``).

        The whole log is read once: a torn tail is cut off and recorded as ``ledger.truncated``, and the
        newest checkpoint must agree with what is there.

        Raises:
            Conflict: ``ledger.in_use`` when another process writes to it.
            Unavailable: ``ledger.damaged`` when entries were altered or are missing; nothing is changed then.
                ``ledger.unwritable`` when the disk refuses.
        """
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise unwritable() from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return cls(path, lock, clock, segment_bytes)
        except BlockingIOError as error:
            os.close(lock)
            raise Conflict(
                "ledger.in_use",
                "Another control plane writes to this ledger",
                "A ledger has one writer.",
                "Use another journal, or stop the other control plane.",
            ) from error
        except OSError as error:
            os.close(lock)
            raise unwritable() from error
        except QsecError:
            os.close(lock)
            raise

    # -- writing ------------------------------------------------------------------------------

    def append(self, event: Event) -> int:
        """Write an event and return its index once it is durable.

        Args:
            event: ``{"type": ..., "data": {...}}``; ``asserted_by`` is the catalogue's unless
                it is given. Index and time are added here.

        Raises:
            Bug: ``ledger.event_malformed`` or ``ledger.event_unknown``.
            Invalid: ``ledger.entry_too_large`` above 1 MiB.
            Unavailable: ``ledger.unwritable``; the entry is not in the log and later ones may be.
        """
        return self.append_all([event])[0]

    def append_all(self, events: Sequence[Event]) -> list[int]:
        """Write events one after the other, with one wait for the disk, and return their indices.

        Raises:
            QsecError: As :meth:`append`, for the first that fails; nothing is said of the others.
        """
        return self.enter(events).wait()

    def enter(self, events: Sequence[Event], *, in_turn: bool = False) -> Entered:
        """Put events behind all that were entered before, and return what waits until they are durable.

        Args:
            events: As :meth:`append` takes them.
            in_turn: Whether one that cannot be written keeps out those behind it.

        Raises:
            Bug: As :meth:`append`.
        """
        waiting = [_Waiting(checked(event)) for event in events]
        if in_turn:
            for one, before in zip(waiting[1:], waiting, strict=False):
                one.behind = before
        with self._queueing:
            self._queue.extend(waiting)  # a commit takes the whole queue, so they are done together
        return Entered(self, waiting)

    def _await(self, one: _Waiting) -> None:
        with self._queueing:
            lead = not self._led and not one.done
            self._led = self._led or lead
            one.awaited = True
        if not lead:
            one.wake.acquire()
        if not one.done:
            self._lead()

    def follow(self, follower: Callable[[list[Event]], None]) -> None:
        """Have ``follower`` called with the entries of each commit, in order, once they are durable.

        It is called while others wait for the disk: it must be quick, and must not raise.
        """
        self._follower = follower

    def checkpoint(self, signer: Signer) -> checkpoints.Checkpoint:
        """Sign the tree as it is now and store the checkpoint; the same size is never signed twice.

        Raises:
            Unavailable: If the signer or the disk does not answer.
        """
        with self._commit:
            tree = self._state.tree.copy()
        made = checkpoints.make(self.journal, tree.size, tree.root(), signer)
        try:
            checkpoints.store(self._folder, made)
        except OSError as error:
            raise unwritable() from error
        self._checkpointed = max(self._checkpointed, tree.size)
        return made

    def close(self) -> None:
        """Let go of the files and the lock; appending afterwards is a bug."""
        with self._commit:
            for fd in (self._file, self._lock_fd):
                if fd >= 0:
                    os.close(fd)
            self._file = self._lock_fd = -1

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- reading ------------------------------------------------------------------------------

    @property
    def folder(self) -> Path:
        """Where its segments lie."""
        return self._folder

    @property
    def size(self) -> int:
        """How many entries are durable."""
        return self._state.tree.size

    @property
    def checkpoint_due(self) -> bool:
        """Whether ``CHECKPOINT_EVERY`` entries have come since the last checkpoint."""
        return self.size - self._checkpointed >= CHECKPOINT_EVERY

    def read(self, start: int = 0) -> Iterator[Event]:
        """Yield the durable entries from index ``start`` on, without holding up writers."""
        end = self.size
        for event in read_events(self._folder, start):
            if event["index"] >= end:
                return
            yield event

    def entry(self, index: int) -> Event:
        """Return one entry.

        Raises:
            NotFound: ``ledger.no_such_entry``.
        """
        for event in self.read(index) if 0 <= index < self.size else ():
            return event
        raise NotFound(
            "ledger.no_such_entry", "No such ledger entry", f"There is no entry {index}.", "Check the index."
        )

    # -- the commit -----------------------------------------------------------------------------

    def _lead(self) -> None:
        try:
            with self._commit:
                self._commit_queue()
        finally:
            with self._queueing:
                following = next((one for one in self._queue if one.awaited), None)
                self._led = following is not None
            if following:
                following.wake.release()

    def _commit_queue(self) -> None:
        batch = [_Waiting(self._owed)] if self._owed else []
        with self._queueing:
            batch += self._queue
            self._queue.clear()
        try:
            if self._file < 0:
                raise Bug("ledger.closed", "The ledger was closed")  # noqa: TRY301  # every waiter must learn of it
            self._write(batch)
            self._owed = None
        except OSError as error:
            self._unclean = True
            with contextlib.suppress(
                OSError
            ):  # a disk that cannot even shorten a file: the next commit tries again
                self._restore()
            for waiting in batch:
                waiting.error = waiting.error or unwritable(error)
        except BaseException as error:
            self._unclean = True
            for waiting in batch:
                waiting.error = waiting.error or error
            if not isinstance(error, Exception):
                raise
        finally:
            for waiting in batch:
                waiting.done = True
                waiting.wake.release()

    def _write(self, batch: list[_Waiting]) -> None:
        if self._unclean:
            self._restore()
        if self._state.offset >= self._segment_bytes:
            self._rotate()
        tree, chain, out = self._state.tree.copy(), self._state.chain, bytearray()
        written: list[Event] = []
        time = rfc3339(self._clock())
        for waiting in batch:
            if waiting.behind is not None and waiting.behind.error is not None:
                waiting.error = waiting.behind.error
                continue
            entry = {**waiting.event, "index": tree.size, "time": time}
            try:
                payload = payload_of(entry)
            except QsecError as error:
                waiting.error = error
                continue
            waiting.index = tree.size
            written.append(entry)
            chain = segment.chain_hash(chain, payload)
            tree.append(leaf_hash(payload))
            out += segment.encode_frame(chain, payload)
        if out:
            _write_all(self._file, bytes(out), self._state.offset)
            os.fdatasync(self._file)
        self._state = State(self._state.path, self._state.offset + len(out), chain, tree)
        if self._follower is not None:
            self._follower(written)

    def _restore(self) -> None:
        os.ftruncate(self._file, self._state.offset)
        self._unclean = False

    def _rotate(self) -> None:
        header = segment.Header(uuid.UUID(self.journal).bytes, self._state.tree.size, self._state.chain)
        path = begin(self._folder, header)
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        os.close(self._file)
        self._file = file
        self._state = State(path, segment.HEADER_SIZE, header.chain, self._state.tree)

    # -- opening --------------------------------------------------------------------------------

    def _recover(self) -> tuple[State, str]:
        """Read what is there; begin the first segment when there is nothing."""
        found = segment.paths(self._folder)
        newest = checkpoints.newest(self._folder)
        if not found:
            if newest is not None:
                raise damaged("Checkpoints are there and the entries are not.")
            header = segment.Header(uuid.uuid4().bytes, 0, bytes(32))
            state = State(begin(self._folder, header), segment.HEADER_SIZE, header.chain)
            return state, str(uuid.UUID(bytes=header.journal))
        state, journal = replay(found, newest)
        self._checkpointed = newest.size if newest else 0
        self.truncated = found[-1].stat().st_size - state.offset
        return state, journal

    def _cut(self) -> None:
        """Take the torn tail away, and make the first entry after it say so."""
        size = os.fstat(self._file).st_size
        tail = os.pread(self._file, size - self._state.offset, self._state.offset)
        data = {
            "segment": self._state.path.name,
            "offset": self._state.offset,
            "bytes": len(tail),
            "sha256": hashlib.sha256(tail).hexdigest(),
        }
        self._unclean = True  # the first commit cuts, and writes this together with what comes next
        self._owed = {"type": "ledger.truncated", "asserted_by": "control", "data": data}
        with self._commit:
            self._commit_queue()


def _write_all(file: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(file, view, offset)
        view, offset = view[written:], offset + written
