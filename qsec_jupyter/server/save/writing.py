"""Writes notebooks as nbformat does, byte for byte, in less than half of its time.

nbformat copies a notebook to the last number, splits its texts into lines and has each line encoded by
itself, in Python: the standard library's JSON in C does not indent. Here a text is encoded as a whole and
split where its line breaks were, and copied is only what splitting writes to. That spares a save more than
its scan takes.

Whatever is not the JSON that a server's body gives is left to nbformat, and so are its errors.
"""

from __future__ import annotations

from collections.abc import Callable
from json.encoder import encode_basestring
from typing import Any

import nbformat
from anyio.to_thread import run_sync
from jupyter_server.services.contents.fileio import AsyncFileManagerMixin, FileManagerMixin
from nbformat import NotebookNode
from nbformat.v4.rwbase import split_lines, strip_transient
from traitlets.log import get_logger


class _Text(str):
    """A text that nbformat may split into lines: it stays whole, and says that it was split."""

    __slots__ = ()

    def splitlines(self, keepends: bool = False) -> Any:  # as nbformat calls it: True
        return _Lines(self)


class _Lines:
    """A text that is written as the list of its lines."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


_NOT_FINITE = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
_PLAIN: dict[type, Callable[[Any], str]] = {
    int: int.__repr__,
    float: lambda value: _NOT_FINITE.get(text := repr(value), text),
    bool: lambda value: "true" if value else "false",
    type(None): lambda _: "null",
}
"""How each type without parts is written, beside texts."""

_ESCAPES = ((b"\\", rb"\\"), (b'"', rb"\""), (b"\t", rb"\t"), (b"\b", rb"\b"), (b"\x1b", rb"\u001b"))
_ESCAPED = (*range(32), *b'"\\')
_RARE = tuple({*range(32)} - {*b"\t\b\x1b\r\n"})
"""Control characters that texts hardly hold; some of them end a line."""

_BREAKS = tuple(map(str.encode, "\x85\u2028\u2029"))
"""What ends a line beside control characters (``str.splitlines``)."""

_LONG = 4096
_BLOCK = 1000
"""So many lines are encoded at once: one call of C lets no other thread work."""


def attach(manager: Any) -> None:
    """Let a contents manager write in this way, where it would write as Jupyter Server does."""
    method = getattr(type(manager), "_save_notebook", None)

    def save_notebook(os_path: str, nb: NotebookNode, capture_validation_error: Any = None) -> None:
        with manager.atomic_writing(os_path, text=False) as file:
            file.write(written(nb, capture_validation_error))

    async def save_notebook_async(
        os_path: str, nb: NotebookNode, capture_validation_error: Any = None
    ) -> None:
        with manager.atomic_writing(os_path, text=False) as file:
            await run_sync(lambda: file.write(written(nb, capture_validation_error)))

    if method is FileManagerMixin._save_notebook:
        manager._save_notebook = save_notebook
    elif method is AsyncFileManagerMixin._save_notebook:
        manager._save_notebook = save_notebook_async


def written(nb: NotebookNode, capture_validation_error: Any = None) -> bytes:
    """Return what :func:`nbformat.write` would write; ``nb`` is left as that leaves it."""
    if nbformat.reader.get_version(nb)[0] != 4:
        text = nbformat.writes(nb, nbformat.NO_CONVERT, capture_validation_error)
    else:
        try:
            nbformat.validate(nb)
        except nbformat.ValidationError as error:
            get_logger().error("Notebook JSON is invalid: %s", error)
            if isinstance(capture_validation_error, dict):
                capture_validation_error["ValidationError"] = error
        try:
            return encoded(strip_transient(split_lines(_own(nb)))) + b"\n"
        except Exception:  # noqa: BLE001  # it is nbformat's to write this, or to say what is wrong
            text = nbformat.versions[4].writes_json(nb)
    return (text if text.endswith("\n") else f"{text}\n").encode()


def _own(nb: Any) -> NotebookNode:
    """Return a copy of what :func:`split_lines` and :func:`strip_transient` write to; the rest is shared."""
    own = _copy(nb)
    own["metadata"] = _copy(own["metadata"])
    own["cells"] = [_copy(cell, "source") for cell in own["cells"]]
    for cell in own["cells"]:
        cell["metadata"] = _copy(cell["metadata"])
        if "attachments" in cell:
            cell["attachments"] = _copy(cell["attachments"])
            for name, bundle in cell["attachments"].items():
                cell["attachments"][name] = _copy(bundle, *bundle)
        if "outputs" in cell:
            cell["outputs"] = [_copy(output, "text") for output in cell["outputs"]]
            for output in cell["outputs"]:
                if "data" in output:
                    output["data"] = _copy(output["data"], *output["data"])
    return own


def _copy(node: Any, *texts: str) -> NotebookNode:
    """Return a copy of one object, in which the values of ``texts`` may be split."""
    if type(node) is not NotebookNode:
        raise TypeError(type(node).__name__)
    own = NotebookNode(node)
    for key in texts:
        if type(own.get(key)) is str:
            own[key] = _Text(own[key])
    return own


def encoded(value: Any) -> bytes:
    """Return JSON in UTF-8 with an indent of 1, sorted keys and no escapes that it does without.

    Raises:
        TypeError: A type that a server's body does not give.
        UnicodeEncodeError: A lone surrogate.
    """
    parts: list[bytes] = []
    _encode(value, "\n", parts.append)
    return b"".join(parts)


def _encode(node: Any, end: str, put: Callable[[bytes], None]) -> None:
    """Put a value part by part; ``end`` is a line break with the indent of the line that it ends in."""
    kind = type(node)
    if kind in _PLAIN:
        put(_PLAIN[kind](node).encode())
    elif kind in (str, _Text):
        put(_string(node))
    elif kind is _Lines:
        _put_array(_lines(node.text, f",{end} "), end, put)
    elif kind is list:
        block = _flat(node, f",{end} ")
        if block is None:
            _put_parts("[]", [("", value) for value in node], end, put)
        else:
            _put_array(block, end, put)
    elif kind in (dict, NotebookNode):
        named = [(f"{encode_basestring(key)}: ", value) for key, value in sorted(node.items())]
        _put_parts("{}", named, end, put)
    else:
        raise TypeError(kind.__name__)


def _put_array(block: bytes, end: str, put: Callable[[bytes], None]) -> None:
    """Put an array whose values are encoded."""
    if block:
        put(f"[{end} ".encode())
        put(block)
        put(f"{end}]".encode())
    else:
        put(b"[]")


def _put_parts(brackets: str, items: list[tuple[str, Any]], end: str, put: Callable[[bytes], None]) -> None:
    """Put an array or object, value by value."""
    lead = f"{brackets[0]}{end} "
    for name, value in items:
        put(f"{lead}{name}".encode())
        _encode(value, f"{end} ", put)
        lead = f",{end} "
    put(f"{end}{brackets[1]}".encode() if items else brackets.encode())


def _flat(values: list[Any], between: str) -> bytes | None:
    """Return the values of a list as they are written; ``None`` when one of them has parts."""
    try:
        if values and type(values[0]) is str:
            return _joined(values, between)
        return between.join([_PLAIN[type(value)](value) for value in values]).encode()
    except (TypeError, KeyError):
        return None


def _joined(texts: list[str], between: str) -> bytes:
    blocks = (texts[at : at + _BLOCK] for at in range(0, len(texts), _BLOCK))
    return between.join([between.join(map(encode_basestring, block)) for block in blocks]).encode()


def _string(text: str) -> bytes:
    if len(text) > _LONG:  # an image, most likely
        data = text.encode()
        if not any(one in data for one in _ESCAPED):
            return b'"%b"' % data
    return encode_basestring(text).encode()


def _lines(text: str, between: str) -> bytes:
    """Return the lines of a text as they are written, by a few passes in C where nothing rare is in it."""
    data = text.encode()
    breaks = not text.isascii() and any(one[-1] in data and one in data for one in _BREAKS)
    if not text or breaks or any(one in data for one in _RARE):
        return _joined(str.splitlines(text, keepends=True), between)
    ended = data.endswith((b"\r", b"\n"))
    for plain, escaped in _ESCAPES:
        data = data.replace(plain, escaped)
    onward = f'"{between}"'.encode()
    returns = data.split(b"\r")
    if any(part.startswith(b"\n") for part in returns[1:]):
        data = data.replace(b"\r\n", b"\0")
    data = data.replace(b"\n", rb"\n" + onward)
    if len(returns) > 1:
        data = data.replace(b"\r", rb"\r" + onward).replace(b"\0", rb"\r\n" + onward)
    return b'"' + (data[: 1 - len(onward)] if ended else data + b'"')
