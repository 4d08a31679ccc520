"""Several processes that scan items side by side, and survive what one file does to one of them.

Processes, not threads: decoding JSON and walking notebooks hold Python's lock, matching is the smaller part
(docs/adr/0021). Items are handed out in small batches to whoever is idle, so the list of files is never
longer in memory than what is being worked on.
"""

from __future__ import annotations

import gc
import multiprocessing
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import Connection, wait
from typing import Any, Protocol

from .model import Item, Outcome, Problem

BATCH_BYTES = 1_000_000
BATCH_ITEMS = 32
COLLECT_BYTES = 64_000_000
"""A process looks for unused objects after this much, and not whenever Python would."""


class Scanning(Protocol):
    """What each process works with."""

    def scan(self, item: Item) -> Outcome:
        """Return what came of one item."""

    def close(self) -> None:
        """End."""


class Crew:
    """Processes that scan.

    Args:
        make: Makes what a process works with; called in the process where it cannot inherit one.
        first: What this process has made; children inherit it where processes are forked.
        size: Number of processes.
    """

    def __init__(self, make: Callable[[], Scanning], first: Scanning, size: int) -> None:
        # Forking is what makes a start cost 5 ms instead of 200; it is safe while there is one thread.
        forks = sys.platform == "linux" and threading.active_count() == 1
        self._forks = forks
        self._context: Any = multiprocessing.get_context("fork" if forks else "spawn")
        self._argument: Any = first if forks else make
        self._size = size

    def scan(self, items: Iterable[Item]) -> Iterator[Outcome]:
        """Yield an outcome for each item, in the order in which they come in."""
        batches = _batches(items)
        again: deque[list[Item]] = deque()
        working: dict[Connection, tuple[Any, list[Item]]] = {}
        gc.freeze()  # what is there stays; a child that counts references would copy its pages
        try:
            while True:
                while len(working) < self._size and (batch := _next(again, batches)):
                    connection, process = self._start(working)
                    _send(connection, batch)
                    working[connection] = process, batch
                if not working:
                    return
                for ready in wait(list(working)):
                    assert isinstance(ready, Connection)
                    process, batch = working.pop(ready)
                    outcomes = _receive(ready)
                    if outcomes is None:
                        yield from self._lost(process, batch, again)
                        continue
                    if following := _next(again, batches):
                        _send(ready, following)
                        working[ready] = process, following
                    else:
                        self._dismiss(ready, process)
                    yield from outcomes
        finally:
            for connection, (process, _) in working.items():
                process.kill()
                process.join()
                connection.close()
            gc.unfreeze()

    def _start(self, working: Iterable[Connection]) -> tuple[Connection, Any]:
        ours, theirs = self._context.Pipe()
        inherited = [ours, *working] if self._forks else []
        process = self._context.Process(target=_work, args=(self._argument, theirs, inherited), daemon=True)
        process.start()
        theirs.close()
        return ours, process

    def _dismiss(self, connection: Connection, process: Any) -> None:
        connection.close()
        process.join()

    def _lost(self, process: Any, batch: list[Item], again: deque[list[Item]]) -> Iterator[Outcome]:
        """Try the items of a process that ended one by one, and name the one that ends it."""
        process.join()
        if len(batch) > 1:
            again.extend([item] for item in batch)
            return
        why = f"the process that read it ended ({process.exitcode})"
        (item,) = batch
        yield Outcome(item.path, item.number, problems=[Problem(item.path, why, item.commit)])


def _work(made: Any, connection: Connection, inherited: Iterable[Connection]) -> None:
    """Scan what comes in until the other end closes, which it also does when its process is killed.

    Args:
        made: What to work with, or what makes it.
        connection: Where batches come in and outcomes go out.
        inherited: Ends that are the parent's; kept open here, they would never close.
    """
    import signal

    for end in inherited:
        end.close()

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends us
    scanning: Scanning = made() if callable(made) else made
    gc.disable()  # a notebook makes many objects; they are looked through when some size is reached
    size = 0
    try:
        while True:
            batch: list[Item] = connection.recv()
            outcomes = [scanning.scan(item) for item in batch]
            connection.send(outcomes)
            size += sum(outcome.size for outcome in outcomes)
            if size > COLLECT_BYTES:
                gc.collect()
                size = 0
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass
    finally:
        scanning.close()


def _batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    batch: list[Item] = []
    size = 0
    for item in items:
        batch.append(item)
        size += item.size
        if size >= BATCH_BYTES or len(batch) == BATCH_ITEMS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _next(again: deque[list[Item]], batches: Iterator[list[Item]]) -> list[Item] | None:
    return again.popleft() if again else next(batches, None)


def _send(connection: Connection, batch: list[Item]) -> None:
    try:
        connection.send(batch)
    except (BrokenPipeError, ConnectionResetError):
        return  # it ended; waiting for its answer says so


def _receive(connection: Connection) -> list[Outcome] | None:
    try:
        outcomes: list[Outcome] = connection.recv()
    except (EOFError, ConnectionResetError):
        connection.close()
        return None
    return outcomes
