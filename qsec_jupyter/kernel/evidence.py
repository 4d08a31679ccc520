"""Sends artefacts of runs to the control plane, which keeps them encrypted by digest; a run never waits.

What is offered waits in a queue that is bounded in number and bytes; one daemon thread sends it. What is
dropped, refused or withheld becomes a gap. The same bytes are sent once for a kernel.
"""

from __future__ import annotations

import base64
import threading
import time
import zlib
from collections import OrderedDict, deque
from collections.abc import Callable

from ..core.errors import QsecError, Unavailable
from . import channel as channels
from .channel import Channel
from .recorder import afresh_in_children

MAX_BYTES = 8 * 1024 * 1024
"""Longest artefact that the control plane takes (bytes)."""

MAX_WAITING_BYTES = 64 * 1024 * 1024
"""How much may wait to be sent (bytes)."""

MAX_WAITING = 1000
"""How many artefacts may wait to be sent."""

_REMEMBERED = 4096
_SMALL = 16 * 1024  # bytes that are not worth compressing
_PIECE = 3 * 64 * 1024  # encoded at once: base64 holds up the kernel's other threads meanwhile
_LINGER = 0.02
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 15.0
_WITHHELD = "an artefact was withheld: it holds a credential"


class Sender:
    """A queue of artefacts and the thread that empties it.

    Args:
        channel: The kernel's socket.
        gap: Told what could not be kept.
    """

    def __init__(self, channel: Channel, gap: Callable[[str], None]) -> None:
        self._channel = channel
        self._gap = gap
        self._changed = threading.Condition()
        self._queue: deque[tuple[str, str, bytes]] = deque()
        self._bytes = 0
        self._known: OrderedDict[str, None] = OrderedDict()
        self._thread: threading.Thread | None = None
        afresh_in_children(self)

    def afresh(self) -> None:
        """Forget what waits, in a child; a lock may have been held at the fork."""
        self._changed = threading.Condition()
        self._queue.clear()
        self._bytes = 0

    def offer(self, sha256: str, media_type: str, data: bytes) -> None:
        """Queue an artefact; returns at once, never raises."""
        if self._channel.closed:
            return  # the record itself cannot be sent either, and says so
        with self._changed:
            if sha256 in self._known:
                self._known.move_to_end(sha256)
                return
            full = len(self._queue) >= MAX_WAITING or self._bytes + len(data) > MAX_WAITING_BYTES
            if len(data) <= MAX_BYTES and not full:
                self._remember(sha256)
                self._queue.append((sha256, media_type, data))
                self._bytes += len(data)
                self._wake()
                return
        why = "too many wait for the control plane" if full else f"it is larger than {MAX_BYTES} bytes"
        self._gap(f"an artefact was dropped: {why} ({media_type} {sha256[:12]})")

    def flush(self, limit: float) -> bool:
        """Wait until everything is sent, at most ``limit`` seconds; say whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._queue or self._channel.closed, limit)

    def _remember(self, sha256: str) -> None:
        self._known[sha256] = None
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)

    def _wake(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._send_on, name="qsec-evidence", daemon=True)
            self._thread.start()
        self._changed.notify_all()

    def _send_on(self) -> None:
        pause = _FIRST_PAUSE
        while not self._channel.closed:
            with self._changed:
                self._changed.wait_for(lambda: self._queue)
                sha256, media_type, data = self._queue[0]
            time.sleep(_LINGER)  # not beside the run that offered it
            try:
                self._send(sha256, media_type, data)
                pause = _FIRST_PAUSE
            except Unavailable:
                time.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
                continue
            except Exception as error:  # noqa: BLE001  # one odd artefact must not stop the next
                why = error.code if isinstance(error, QsecError) else type(error).__name__
                self._gap(f"an artefact was not kept: {why} ({media_type} {sha256[:12]})")
                self._known.pop(sha256, None)  # offered again, it is tried again
            with self._changed:
                self._queue.popleft()
                self._bytes -= len(data)
                self._changed.notify_all()

    def _send(self, sha256: str, media_type: str, data: bytes) -> None:
        from .redaction import masker

        if masker.redact_buffer(data) is not data:
            self._gap(f"{_WITHHELD} ({media_type} {sha256[:12]})")
            return
        # zlib lets other threads run; base64 and JSON of the megabytes that it saves would not.
        packed = zlib.compress(data, 1) if len(data) > _SMALL else data
        encoding = "identity" if packed is data else "deflate"
        self._channel.call(
            "evidence", sha256=sha256, media_type=media_type, encoding=encoding, data=_base64(packed)
        )


sender: Sender | None = None
"""What :func:`offer` uses; made at the first offer of a kernel with a channel."""

_lock = threading.Lock()


def offer(sha256: str, media_type: str, data: bytes) -> None:
    """Have an artefact kept; returns at once, never raises.

    Args:
        sha256: Hex SHA-256 of ``data``; the control plane checks it.
        media_type: Such as ``application/x-qpy``.
        data: The bytes; at most ``MAX_BYTES``, else a gap says that they were dropped.
    """
    global sender  # noqa: PLW0603  # one kernel, one sender
    if channels.mine is None:
        return  # nothing is recorded in this kernel; `%qsec status` says so
    if sender is None:
        with _lock:
            sender = sender or Sender(channels.mine, _gap)
    sender.offer(sha256, media_type, data)


def stop(limit: float) -> None:
    """Wait for artefacts that are on their way, at most ``limit`` seconds."""
    if sender is not None:
        sender.flush(limit)


def _gap(what: str) -> None:
    from . import execution

    if execution.recorder is not None:
        execution.recorder.gap(what)


def _base64(data: bytes) -> str:
    """Return base64 of ``data``, letting other threads run in between."""
    pieces = []
    for start in range(0, len(data), _PIECE):
        pieces.append(base64.b64encode(data[start : start + _PIECE]).decode())
        if len(pieces) % 8 == 0:
            time.sleep(0)
    return "".join(pieces)
