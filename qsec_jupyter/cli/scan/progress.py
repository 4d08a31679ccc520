"""A bar while a scan takes longer than a moment, on a terminal only."""

from __future__ import annotations

import sys
import time
from typing import Any

_DELAY = 0.5  # seconds; a scan that is over by then needs no bar
_EVERY = 0.1


class Silent:
    """Shows nothing: nobody looks on."""

    def show(self, done: int, known: int, size: int) -> None:
        """Take notice of how far the scan is."""

    def close(self) -> None:
        """End."""


class Bar(Silent):
    """A bar on standard error.

    Its refreshing thread is switched off: processes are forked beside it.
    """

    def __init__(self) -> None:
        self._next = time.monotonic() + _DELAY
        self._bar: Any = None
        self._task: Any = None

    def show(self, done: int, known: int, size: int) -> None:
        """Draw how far the scan is, ten times a second at most.

        Args:
            done: Files that were scanned.
            known: Files that were listed so far.
            size: Bytes that were read.
        """
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + _EVERY
        if self._bar is None:
            self._start()
        self._bar.update(self._task, completed=done, total=known, megabytes=size / 1e6)
        self._bar.refresh()

    def _start(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        self._bar = Progress(
            TextColumn("Scanning"), BarColumn(), MofNCompleteColumn(),
            TextColumn("{task.fields[megabytes]:.0f} MB"),
            console=Console(stderr=True), auto_refresh=False, transient=True,
        )  # fmt: skip
        self._bar.start()
        self._task = self._bar.add_task("", total=None, megabytes=0.0)

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()


def progress() -> Silent:
    """Return what shows how far a scan is."""
    return Bar() if sys.stderr.isatty() else Silent()
