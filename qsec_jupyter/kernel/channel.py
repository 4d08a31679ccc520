"""The kernel's end of its socket to the Jupyter server (frames: :mod:`qsec_jupyter.core.wire`).

Two daemon threads own the descriptor: one reads, one writes. So a keyboard interrupt, which only ever
hits the main thread, can never cut a frame in half, and a caller waits for its own answer alone.
"""

from __future__ import annotations

import os
import queue
import socket
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future, TimeoutError as FutureTimeout
from contextlib import suppress
from itertools import count
from typing import Any

from ..core.errors import QsecError, Unavailable, from_problem
from ..core.wire import FD_VARIABLE, Decoder, Message, encode

CALL_SECONDS = 15.0
"""How long a call waits for its answer unless it says otherwise (seconds)."""

mine: Channel | None = None
"""This kernel's channel, once the extension has taken it over."""

Push = Callable[[Message], None]


def absent(detail: str = "") -> Unavailable:
    """Return the error for a kernel that nobody gave a channel."""
    return Unavailable(
        "channel.absent",
        "This kernel has no channel to qsec",
        detail or "It was not started by a Jupyter server with the qsec-jupyter extension.",
        "Start the kernel from JupyterLab with qsec-jupyter enabled; `qsec doctor` says what is missing.",
    )


def _lost() -> Unavailable:
    return Unavailable(
        "channel.closed",
        "The channel to the Jupyter server is closed",
        "The server ended, or it let go of this kernel.",
        "Restart the kernel from a running Jupyter server.",
    )


class Channel:
    """Calls and pushes over one connected socket. Safe to use from any thread.

    Args:
        sock: The connected stream socket; the channel owns it from now on.
    """

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(True)
        os.set_inheritable(sock.fileno(), False)
        self._socket = sock
        self._lock = threading.Lock()
        self._ids = count(1)
        self._waiting: dict[int, Future[dict[str, Any]]] = {}
        self._outbox: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._pushes: dict[str, list[Push]] = {}
        self._writer: threading.Thread | None = None
        self._closed = False
        threading.Thread(target=self._read, name="qsec-read", daemon=True).start()
        _forget_in_children(self)

    @classmethod
    def from_environment(cls) -> Channel | None:
        """Take over the descriptor that the provisioner passed, and wipe its number from the environment.

        Returns:
            The channel, or ``None`` when this process was given none or it is not a socket.
        """
        number = os.environ.pop(FD_VARIABLE, "")
        if not number.isdecimal():
            return None
        try:
            return cls(socket.socket(fileno=int(number)))
        except OSError:
            return None  # the number is stale: a child that inherited the environment, not the descriptor

    @property
    def closed(self) -> bool:
        """Whether the other side has gone; it never comes back for this process."""
        return self._closed

    def on_push(self, name: str, callback: Push) -> None:
        """Have ``callback`` called on the reader thread with each push of that name; it must not block."""
        self._pushes.setdefault(name, []).append(callback)

    def begin(self, op: str, **args: Any) -> Future[dict[str, Any]]:
        """Send a request and return the future of its answer.

        Raises:
            Unavailable: ``channel.closed`` when the other side has gone.
        """
        answer: Future[dict[str, Any]] = Future()
        with self._lock:
            if self._closed:
                raise _lost()
            number = next(self._ids)
            self._waiting[number] = answer
            self._start_writer()
        answer.add_done_callback(lambda _: self._waiting.pop(number, None))
        self._outbox.put(encode({"id": number, "op": op, "args": args}))
        return answer

    def call(self, op: str, *, within: float = CALL_SECONDS, **args: Any) -> dict[str, Any]:
        """Send a request and return its answer.

        Args:
            op: Name of the operation.
            within: Seconds to wait for the answer.
            args: Its arguments, JSON values.

        Raises:
            QsecError: What the other side answered.
            Unavailable: ``channel.closed``, or ``channel.timeout`` when no answer came in time.
        """
        answer = self.begin(op, **args)
        try:
            return answer.result(within)
        except FutureTimeout:
            answer.cancel()
            raise Unavailable(
                "channel.timeout",
                "The Jupyter server did not answer in time",
                f"No answer to {op!r} within {within:g} s.",
                "Try again; `%qsec status` and `qsec doctor` say what is down.",
            ) from None

    def close(self) -> None:
        """Let go of the socket; calls that still wait raise ``channel.closed``."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self._outbox.put(None)
        with suppress(OSError):  # the other side was faster
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes the reader
        while self._waiting:
            number, _ = next(iter(self._waiting.items()), (0, None))
            _settle(self._waiting.pop(number, None), _lost())

    def _start_writer(self) -> None:
        if self._writer is None:
            self._writer = threading.Thread(target=self._write, name="qsec-write", daemon=True)
            self._writer.start()

    def _write(self) -> None:
        while (frame := self._outbox.get()) is not None:
            try:
                self._socket.sendall(frame)
            except OSError:
                self.close()

    def _read(self) -> None:
        decoder = Decoder()
        try:
            while data := self._socket.recv(1 << 16):
                for message in decoder.feed(data):
                    self._deliver(message)
        except (OSError, ValueError):
            pass  # a broken socket and a broken protocol end the same way
        self.close()
        self._socket.close()

    def _deliver(self, message: Message) -> None:
        if "push" in message:
            for callback in self._pushes.get(str(message["push"]), ()):
                callback(message)
            return
        answer = self._waiting.pop(message.get("id", 0), None)
        _settle(answer, from_problem(message["error"]) if "error" in message else message.get("ok") or {})

    def _abandon(self) -> None:
        """In a forked child: the socket belongs to the parent; close our copy without a word."""
        self._closed = True
        self._lock = threading.Lock()
        self._waiting = {}
        with suppress(OSError):  # closed before the fork
            os.close(self._socket.detach())


def _settle(answer: Future[dict[str, Any]] | None, outcome: dict[str, Any] | QsecError) -> None:
    """Complete a call; whoever took it out of the table is the only one to do so."""
    if answer is None or not answer.set_running_or_notify_cancel():
        return  # the caller has given up
    if isinstance(outcome, QsecError):
        answer.set_exception(outcome)
    else:
        answer.set_result(outcome)


def _forget_in_children(channel: Channel) -> None:
    reference = weakref.ref(channel)

    def abandon() -> None:
        alive = reference()
        if alive is not None:
            alive._abandon()

    os.register_at_fork(after_in_child=abandon)
