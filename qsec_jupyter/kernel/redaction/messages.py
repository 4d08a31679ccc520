"""Redacts messages where they become bytes.

A large part is looked through while its signature is computed: OpenSSL lets go of the interpreter for that.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from jupyter_client import session as _jupyter

from ...scan.masking import is_noisy
from .state import masker
from .streams import keep_order

LARGE = 1 << 20
"""From here on, a thread for the signature costs less than it saves (bytes)."""

_pack: Callable[[Any], bytes] = getattr(_jupyter, "orjson_packer", _jupyter.json_packer)
_unpack: Callable[[bytes], Any] = _jupyter.json_unpacker


def pack(value: Any) -> bytes:
    """Serialise one part of a message as Jupyter's own packer does, without known values."""
    data = _pack(value)
    return _redacted(data, noisy=is_noisy(value)) if masker else data


def pack_unsigned(value: Any) -> bytes:
    """Do the same, but leave what is large to :func:`signing`; for a session that has both."""
    data = _pack(value)
    if not masker:
        return data
    noisy = is_noisy(value)
    return data if len(data) >= LARGE and not noisy else _redacted(data, noisy=noisy)


def _redacted(data: bytes, *, noisy: bool) -> bytes:
    """Return packed JSON without known values; ``data`` itself when it holds none."""
    if not masker.in_packed(data, noisy=noisy):
        return data
    # What is packed is what counts: packing turns bytes, dates and the like into text.
    found = _unpack(data)
    redacted = masker.redact_tree(found)
    return data if redacted == found else _pack(redacted)


def signing(sign: Callable[[list[bytes]], bytes]) -> Callable[[list[bytes]], bytes]:
    """Wrap ``Session.sign``, which sees the parts of a message last: look through the large ones."""

    def guarded(parts: list[bytes]) -> bytes:
        large = [at for at, part in enumerate(parts) if len(part) >= LARGE]
        if not (large and masker):
            return sign(parts)
        signature: list[bytes] = []
        worker = threading.Thread(target=lambda: signature.append(sign(parts)), name="qsec-sign")
        try:
            worker.start()
        except RuntimeError:  # the interpreter is ending
            worker.run()
        redacted = {at: _redacted(parts[at], noisy=False) for at in large}
        if worker.ident is not None:
            worker.join()
        if all(parts[at] is part for at, part in redacted.items()):
            return signature[0]
        for at, part in redacted.items():
            parts[at] = part
        return sign(parts)

    return guarded


def sending(session: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Wrap ``Session.send``: keep output in order, redact binary buffers and what comes packed already."""

    def make(send: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(stream: Any, msg_or_type: Any, *args: Any, **options: Any) -> Any:
            if masker:
                msg_or_type, args, options = _without_values(session, msg_or_type, args, options)
            keep_order(msg_or_type, args, options)
            return send(stream, msg_or_type, *args, **options)

        return guarded

    return make


def _without_values(
    session: Any, msg_or_type: Any, args: tuple[Any, ...], options: dict[str, Any]
) -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
    """Return the arguments of ``Session.send`` with buffers and packed content redacted."""
    if isinstance(msg_or_type, dict):
        if msg_or_type.get("buffers"):
            msg_or_type["buffers"] = _buffers(msg_or_type["buffers"])
        if isinstance(msg_or_type.get("content"), (bytes, str)):
            msg_or_type = {**msg_or_type, "content": session.unpack(msg_or_type["content"])}
    if len(args) > 3 and args[3]:
        args = (*args[:3], _buffers(args[3]), *args[4:])
    if options.get("buffers"):
        options["buffers"] = _buffers(options["buffers"])
    return msg_or_type, args, options


def _buffers(buffers: Any) -> list[Any]:
    return [masker.redact_buffer(buffer) for buffer in buffers]
