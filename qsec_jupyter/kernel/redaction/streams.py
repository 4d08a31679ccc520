"""ipykernel's streams, with known values replaced even when they arrive in pieces."""

from __future__ import annotations

import codecs
import os
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from ipykernel.iostream import OutStream

from .state import masker

STRAY_SECONDS = 1.0
"""How long a suffix of output that belongs to no running cell is held back (seconds)."""

_ENDS_OUTPUT = frozenset(
    {"display_data", "execute_result", "error", "clear_output", "execute_reply", "input_request"}
)
"""Messages that put something between what was printed before and after them."""


class RedactingOutStream(OutStream):
    """ipykernel's stream, with known values replaced even when they arrive in pieces."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self._held: dict[str, tuple[dict[str, Any], str, float]] = {}
        self._running: set[str] = set()
        self._order = threading.RLock()
        self._log_fd: int | None = None
        self._watched: os.stat_result | None = None
        self._echoes = (_Echo(self._to_log), _Echo(self._to_log))
        super().__init__(*args, **options)
        _renew_lock_in_children(self)

    def release(self, parent_id: str | None = None) -> None:
        """Send what is held back for one parent message, or for all; called before a cell goes idle."""
        if not self._held and not any(echo.held for echo in self._echoes):
            return
        if not self.closed:
            self.flush()
        with self._order:
            for key in [parent_id] if parent_id is not None else list(self._held):
                parent, text, _ = self._held.pop(key, ({}, "", 0.0))
                if text:
                    self._publish(parent, text)
        if parent_id is None or not self._running - {parent_id}:  # a descriptor's may be another's
            for echo in self._echoes:
                echo.release()

    def running(self, parent_id: str, *, busy: bool) -> None:
        """Note that a cell began or ended: a running cell's suffix is held until its end."""
        (self._running.add if busy else self._running.discard)(parent_id)

    def _flush(self) -> None:
        with self._order:  # a pass is whole: nothing is released between taking and holding
            super()._flush()
            self._look_after_strays()

    def _flush_buffers(self) -> Iterator[tuple[dict[str, Any], str]]:
        for parent, data in super()._flush_buffers():
            if text := self._ready(parent, data) if masker else data:
                yield parent, text

    def _ready(self, parent: dict[str, Any], data: str) -> str:
        """Return what can go out of ``data`` and of what was held back before it; hold back the rest.

        It is redacted where it is packed.
        """
        key = str(parent.get("msg_id", ""))
        _, held, _ = self._held.pop(key, ({}, "", 0.0))
        out, rest = masker.split(held + data)
        if rest:
            self._held[key] = (parent, rest, time.monotonic())
        return out

    def _look_after_strays(self) -> None:
        """Output of a thread whose cell has ended has no end of cell to wait for: give it a time limit."""
        strays = [key for key in self._held if key not in self._running]
        for key in strays:
            parent, text, since = self._held[key]
            if time.monotonic() - since >= STRAY_SECONDS:
                del self._held[key]
                self._publish(parent, text)
        left = any(key in self._held for key in strays)
        if not self._running:
            left = sum(echo.release(older=STRAY_SECONDS) for echo in self._echoes) > 0 or left
        if left and self._is_master_process():
            self._io_loop.call_later(STRAY_SECONDS, self._flush)

    def _publish(self, parent: dict[str, Any], text: str) -> None:
        message = self.session.msg("stream", {"name": self.name, "text": text}, parent=parent)
        self.session.send(self.pub_thread, message, ident=self.topic)

    # -- descriptors ---------------------------------------------------------------------------

    def _setup_stream_redirects(self, name: str) -> None:
        """Also put a pipe in place of the copy of the real stream, which ``fileno()`` gives to children."""
        super()._setup_stream_redirects(name)
        self._original_stdstream_copy: int
        self._watched = os.fstat(self._original_stdstream_fd)
        self._log_fd = self._original_stdstream_copy
        copied, self._original_stdstream_copy = os.pipe()
        threading.Thread(target=self._watch_copy, args=(copied,), name=f"qsec-{name}", daemon=True).start()

    def _watch_pipe_fd(self) -> None:
        """Forward what was written to the descriptor; the copy for the server's log is redacted, too."""
        if self._fid is None:
            return
        decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        try:
            while (data := os.read(self._fid, 1000)) and self._should_watch:
                text = decode(data)
                self.write(text)
                self._echoes[0].write(text)
        except Exception:  # noqa: BLE001  # as ipykernel does: close() reports it
            self._exc = sys.exc_info()

    def _watch_copy(self, copied: int) -> None:
        decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        with os.fdopen(copied, "rb", buffering=0) as pipe:
            while data := pipe.read(1 << 16):
                self._echoes[1].write(decode(data))

    def _to_log(self, text: str) -> None:
        descriptor = self._original_stdstream_copy if self._log_fd is None else self._log_fd
        data = memoryview(text.encode("utf-8", "replace"))
        while data:
            data = data[os.write(descriptor, data) :]

    def descriptor_in_place(self) -> bool:
        """Say whether what is written to the descriptor still comes here."""
        if self._watched is None:
            return True
        ended: Any = self._exc
        return not ended and os.path.samestat(self._watched, os.fstat(self._original_stdstream_fd))

    def close(self) -> None:
        """Close the stream; the real one is put back in its place."""
        if self._log_fd is not None and self._should_watch:
            os.close(self._original_stdstream_copy)
            self._original_stdstream_copy, self._log_fd = self._log_fd, None
        super().close()


class _Echo:
    """The kernel's real standard stream, which ends in the server's log."""

    def __init__(self, send: Callable[[str], None]) -> None:
        self._send = send
        self._lock = threading.Lock()
        self._since = 0.0
        self.held = ""

    def renew(self) -> None:
        """Begin anew in a forked child."""
        self._lock = threading.Lock()
        self.held = ""

    def write(self, text: str) -> None:
        with self._lock:
            out, self.held = masker.split(self.held + text)
            self._since = time.monotonic()
            if out:
                self._send(masker.redact(out))

    def release(self, older: float = 0.0) -> bool:
        """Send what has been held back for ``older`` seconds; say whether something still is."""
        with self._lock:
            if not self.held or time.monotonic() - self._since < older:
                return bool(self.held)
            text, self.held = self.held, ""
            self._send(masker.redact(text))
            return False


def _renew_lock_in_children(stream: RedactingOutStream) -> None:
    reference = weakref.ref(stream)

    def renew() -> None:
        alive = reference()
        if alive is not None:
            alive._order = threading.RLock()
            for echo in alive._echoes:
                echo.renew()
            # What the parent holds back is the parent's to print.
            alive._held.clear()
            _release_at_exit(alive)

    os.register_at_fork(after_in_child=renew)


def _release_at_exit(stream: RedactingOutStream) -> None:
    """Have a forked child print what it holds back: children end with ``os._exit``, past all clean-up."""
    leave = os._exit

    def release_and_leave(status: int) -> NoReturn:
        try:
            stream.release()
        finally:
            leave(status)

    os._exit = release_and_leave


def last_words() -> None:
    """Let go of what is still held back; called when the kernel ends."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, RedactingOutStream):
            stream.release()


def keep_order(msg_or_type: Any, args: tuple[Any, ...], options: dict[str, Any]) -> None:
    """Release what is held back before a message that must come after it."""
    message = msg_or_type if isinstance(msg_or_type, dict) else {}
    kind = message.get("msg_type", msg_or_type)
    if kind != "status" and kind not in _ENDS_OUTPUT:
        return
    content = message.get("content") or options.get("content") or (args[0] if args else {})
    parent = message.get("parent_header") or options.get("parent") or (args[1] if len(args) > 1 else {}) or {}
    parent_id = str((parent.get("header") or parent).get("msg_id", ""))
    state = content.get("execution_state") if kind == "status" else None
    for stream in (sys.stdout, sys.stderr):
        if not isinstance(stream, RedactingOutStream):
            continue
        if kind != "status" or state == "idle":
            stream.release(parent_id)
        if kind == "status":
            stream.running(parent_id, busy=state == "busy")
