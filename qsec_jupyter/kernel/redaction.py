"""Keeps known values out of everything that leaves the kernel.

Two choke points, both given to ipykernel on its command line, see every message:

* ``Session.packer``: :func:`pack` serialises each part of each message;
* ``IPKernelApp.outstream_class``: :class:`RedactingOutStream` sees text before it is cut into messages
  and holds back a suffix that may begin a known value, until the next write or the end of the cell.

:func:`install` adds what those two do not see: binary buffers of comms, IPython's history on disk,
long values that Verbose tracebacks would show in part.

It guards against accidents. ``os.write`` to a descriptor that user code opened itself, a value cut up by
the user's own arithmetic, or code that puts the original functions back are out of its reach.
"""

from __future__ import annotations

import codecs
import functools
import os
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from ipykernel.iostream import OutStream
from jupyter_client import session as _jupyter

from ..core.secret import Secret
from .known import Known

if TYPE_CHECKING:
    from .health import Check

known = Known()
"""Every value that this kernel was given."""

STRAY_SECONDS = 1.0
"""How long a suffix of output that belongs to no running cell is held back (seconds)."""

_ENDS_OUTPUT = frozenset(
    {"display_data", "execute_result", "error", "clear_output", "execute_reply", "input_request"}
)
"""Messages that put something between what was printed before and after them."""

_pack: Callable[[Any], bytes] = getattr(_jupyter, "orjson_packer", _jupyter.json_packer)
_unpack: Callable[[bytes], Any] = _jupyter.json_unpacker


class _Clean(threading.local):
    """The text that this thread has just redacted and is about to send; packing it need not look again."""

    text: str | None = None


_clean = _Clean()


def pack(value: Any) -> bytes:
    """Serialise one part of a message as Jupyter's own packer does, without known values."""
    data = _pack(value)
    if not known or (
        _clean.text is not None and isinstance(value, dict) and value.get("text") is _clean.text
    ):
        return data
    # What is packed is what counts: packing turns bytes, dates and the like into text.
    return _pack(known.redact_tree(_unpack(data))) if known.in_packed(data) else data


class RedactingOutStream(OutStream):
    """ipykernel's stream, with known values replaced even when they arrive in pieces."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self._held: dict[str, tuple[dict[str, Any], str, float]] = {}
        self._running: set[str] = set()
        self._order = threading.RLock()
        self._echoed = _Echo(self._to_log)
        super().__init__(*args, **options)
        _renew_lock_in_children(self)

    def release(self, parent_id: str | None = None) -> None:
        """Send what is held back for one parent message, or for all; called before a cell goes idle."""
        if not self._held and not self._echoed.held:
            return
        if not self.closed:
            self.flush()
        with self._order:
            for key in [parent_id] if parent_id is not None else list(self._held):
                parent, text, _ = self._held.pop(key, ({}, "", 0.0))
                if text:
                    self._publish(parent, known.redact(text))
        if parent_id is None or not self._running - {
            parent_id
        }:  # what was written to the descriptor may be another cell's
            self._echoed.release()

    def running(self, parent_id: str, *, busy: bool) -> None:
        """Note that a cell began or ended: a running cell's suffix is held until its end."""
        (self._running.add if busy else self._running.discard)(parent_id)

    def _flush(self) -> None:
        with self._order:  # a pass is whole: nothing is released between taking and holding
            super()._flush()
            self._look_after_strays()

    def _flush_buffers(self) -> Iterator[tuple[dict[str, Any], str]]:
        try:
            for parent, data in super()._flush_buffers():
                _clean.text = self._cleaned(parent, data) if known else data
                if _clean.text:
                    yield parent, _clean.text
        finally:
            _clean.text = None

    def _cleaned(self, parent: dict[str, Any], data: str) -> str:
        """Return what can go out of ``data`` and of what was held back before it; hold back the rest."""
        key = str(parent.get("msg_id", ""))
        _, held, _ = self._held.pop(key, ({}, "", 0.0))
        out, rest = known.split(held + data)
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
                self._publish(parent, known.redact(text))
        left = any(key in self._held for key in strays)
        if not self._running:
            left = self._echoed.release(older=STRAY_SECONDS) or left
        if left and self._is_master_process():
            self._io_loop.call_later(STRAY_SECONDS, self._flush)

    def _publish(self, parent: dict[str, Any], text: str) -> None:
        message = self.session.msg("stream", {"name": self.name, "text": text}, parent=parent)
        self.session.send(self.pub_thread, message, ident=self.topic)

    def _watch_pipe_fd(self) -> None:
        """Forward what was written to the descriptor; the copy for the server's log is redacted, too."""
        if self._fid is None:
            return
        decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        try:
            while (data := os.read(self._fid, 1000)) and self._should_watch:
                text = decode(data)
                self.write(text)
                self._echoed.write(text)
        except Exception:  # noqa: BLE001  # as ipykernel does: close() reports it
            self._exc = sys.exc_info()

    def _to_log(self, text: str) -> None:
        os.write(self._original_stdstream_copy, text.encode("utf-8", "replace"))


class _Echo:
    """The kernel's real standard stream, which ends in the server's log."""

    def __init__(self, send: Callable[[str], None]) -> None:
        self._send = send
        self._lock = threading.Lock()
        self._since = 0.0
        self.held = ""

    def write(self, text: str) -> None:
        with self._lock:
            out, self.held = known.split(self.held + text)
            self._since = time.monotonic()
            if out:
                self._send(out)

    def release(self, older: float = 0.0) -> bool:
        """Send what has been held back for ``older`` seconds; say whether something still is."""
        with self._lock:
            if not self.held or time.monotonic() - self._since < older:
                return bool(self.held)
            text, self.held = self.held, ""
            self._send(known.redact(text))
            return False


def _renew_lock_in_children(stream: RedactingOutStream) -> None:
    reference = weakref.ref(stream)

    def renew() -> None:
        alive = reference()
        if alive is not None:
            alive._order = threading.RLock()
            alive._echoed._lock = threading.Lock()
            # What the parent holds back is the parent's to print.
            alive._held.clear()

    os.register_at_fork(after_in_child=renew)


# -- what is put into a running shell ----------------------------------------------------------


def install(ip: Any) -> None:
    """Guard what the two command-line choke points do not see."""
    session = getattr(getattr(ip, "kernel", None), "session", None)
    if session is not None:
        if session.pack is not pack:
            session.pack = pack  # loaded by hand, without our command line
        session.send = _guarded_send(session.send)
    if ip.history_manager is not None:
        ip.history_manager.store_inputs = _guarded_history(ip.history_manager.store_inputs)


def last_words() -> None:
    """Let go of what is still held back; called when the kernel ends."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, RedactingOutStream):
            stream.release()


def register(label: str, value: Secret) -> bool:
    """Keep ``value`` out of sight from now on; called before anyone can reveal it.

    Returns:
        Whether it is looked for; a value under 8 characters is not, with a warning.
    """
    _guard_tracebacks()
    return known.add(label, value)


def _guarded_send(send: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap ``Session.send``: release held output in order, and redact binary buffers."""

    @functools.wraps(send)
    def guarded(stream: Any, msg_or_type: Any, *args: Any, **options: Any) -> Any:
        if known:
            if isinstance(msg_or_type, dict) and msg_or_type.get("buffers"):
                msg_or_type["buffers"] = [known.redact_buffer(buffer) for buffer in msg_or_type["buffers"]]
            if options.get("buffers"):
                options["buffers"] = [known.redact_buffer(buffer) for buffer in options["buffers"]]
        _keep_order(msg_or_type, args, options)
        return send(stream, msg_or_type, *args, **options)

    guarded.__qsec__ = True  # type: ignore[attr-defined]
    return guarded


def _keep_order(msg_or_type: Any, args: tuple[Any, ...], options: dict[str, Any]) -> None:
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


def _guarded_history(store: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(store)
    def guarded(line_num: int, source: str, source_raw: str | None = None) -> None:
        if known:
            source, source_raw = (
                known.redact(source),
                known.redact(source if source_raw is None else source_raw),
            )
        store(line_num, source, source_raw)

    guarded.__qsec__ = True  # type: ignore[attr-defined]
    return guarded


def _guard_tracebacks() -> None:
    """Redact before Verbose mode shortens the repr of a variable: a part of a value is a leak, too."""
    import pydoc

    shortener: Any = pydoc.text._repr_instance
    shorten = shortener.repr1
    if getattr(shorten, "__qsec__", False):
        return

    def guarded(value: Any, level: int) -> str:
        shown: str = known.redact(value) if known and isinstance(value, str) else value
        return str(shorten(shown, level))

    guarded.__qsec__ = True  # type: ignore[attr-defined]
    shortener.repr1 = guarded


def checks(ip: Any, stdout: Any, stderr: Any) -> list[Check]:
    """Say whether each choke point is still in place."""
    from .health import Check

    session = getattr(getattr(ip, "kernel", None), "session", None)
    streams = all(isinstance(stream, RedactingOutStream) for stream in (stdout, stderr))
    packer = session is not None and session.pack is pack
    sender = session is not None and getattr(session.send, "__qsec__", False)
    history = getattr(getattr(ip.history_manager, "store_inputs", None), "__qsec__", False)
    gone = "" if session is not None else "this is not a kernel"
    return [
        Check(
            "Redaction of messages",
            packer and sender,
            gone or ("" if packer and sender else "removed since start"),
        ),
        Check(
            "Redaction of streams", streams, "" if streams else "sys.stdout or sys.stderr is another stream"
        ),
        Check("Redaction of history", bool(history), "" if history else "removed since start"),
    ]
