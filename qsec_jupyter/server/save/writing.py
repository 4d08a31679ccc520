"""Writes notebooks as nbformat does, byte for byte, in less of its time.

The standard library indents JSON in Python, a step a line of text (``json.encoder``: its part in C does not
indent), and nbformat copies a notebook to the last number before it splits texts into lines. Here lines
are encoded list by list, and copied is only what splitting writes to. That spares a first save more than half
of what its scan takes.

Whatever is not the JSON that a server's body gives is left to nbformat, and so are its errors.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from json.encoder import encode_basestring
from typing import Any, TextIO

import nbformat
from anyio.to_thread import run_sync
from jupyter_server.services.contents.fileio import AsyncFileManagerMixin, FileManagerMixin
from nbformat import NotebookNode
from nbformat.v4.rwbase import split_lines, strip_transient
from traitlets.log import get_logger

_NOT_FINITE = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
_PLAIN: dict[type, Callable[[Any], str]] = {
    str: encode_basestring,
    int: int.__repr__,
    float: lambda value: _NOT_FINITE.get(text := repr(value), text),
    bool: lambda value: "true" if value else "false",
    type(None): lambda _: "null",
}
"""How each type without parts is written."""

_BLOCK = 1000
"""So many lines are encoded at once."""


def attach(manager: Any) -> None:
    """Let a contents manager write in this way, where it would write as Jupyter Server does."""
    method = getattr(type(manager), "_save_notebook", None)

    def save_notebook(os_path: str, nb: NotebookNode, capture_validation_error: Any = None) -> None:
        with manager.atomic_writing(os_path, encoding="utf-8") as file:
            write(nb, file, capture_validation_error)

    async def save_notebook_async(
        os_path: str, nb: NotebookNode, capture_validation_error: Any = None
    ) -> None:
        with manager.atomic_writing(os_path, encoding="utf-8") as file:
            await run_sync(partial(write, nb, file, capture_validation_error))

    if method is FileManagerMixin._save_notebook:
        manager._save_notebook = save_notebook
    elif method is AsyncFileManagerMixin._save_notebook:
        manager._save_notebook = save_notebook_async


def write(nb: NotebookNode, file: TextIO, capture_validation_error: Any = None) -> None:
    """Do as :func:`nbformat.write` does without another version; ``nb`` is left as that leaves it."""
    if nbformat.reader.get_version(nb)[0] != 4:
        nbformat.write(nb, file, nbformat.NO_CONVERT, capture_validation_error)
        return
    try:
        nbformat.validate(nb)
    except nbformat.ValidationError as error:
        get_logger().error("Notebook JSON is invalid: %s", error)
        if isinstance(capture_validation_error, dict):
            capture_validation_error["ValidationError"] = error
    try:
        text = _text(strip_transient(split_lines(_own(nb))))
    except Exception:  # noqa: BLE001  # it is nbformat's to write this, or to say what is wrong
        text = nbformat.versions[4].writes_json(nb)
    file.write(text)
    if not text.endswith("\n"):
        file.write("\n")


def _own(nb: Any) -> NotebookNode:
    """Return a copy of what :func:`split_lines` and :func:`strip_transient` write to; the rest is shared."""
    own = _copy(nb)
    own["metadata"] = _copy(own["metadata"])
    own["cells"] = [_copy(cell) for cell in own["cells"]]
    for cell in own["cells"]:
        cell["metadata"] = _copy(cell["metadata"])
        if "attachments" in cell:
            cell["attachments"] = _copy(cell["attachments"])
            for name, bundle in cell["attachments"].items():
                cell["attachments"][name] = _copy(bundle)
        if "outputs" in cell:
            cell["outputs"] = [_copy(output) for output in cell["outputs"]]
            for output in cell["outputs"]:
                if "data" in output:
                    output["data"] = _copy(output["data"])
    return own


def _copy(node: Any) -> NotebookNode:
    if type(node) is not NotebookNode:
        raise TypeError(type(node).__name__)
    return NotebookNode(node)


def _text(node: Any) -> str:
    """Return what ``json.dumps`` does with an indent of 1, sorted keys and no escapes beyond ASCII.

    Raises:
        TypeError: A type that JSON does not give.
    """
    parts: list[str] = []
    _encode(node, "\n", parts.append)
    return "".join(parts)


def _encode(node: Any, end: str, put: Callable[[str], None]) -> None:
    """Put a value text by text; ``end`` is a line break with the indent of the line that it ends in."""
    if (plain := _PLAIN.get(type(node))) is not None:
        put(plain(node))
        return
    inner = f"{end} "
    if type(node) is list:
        if node and (blocks := _flat(node, f",{inner}")):
            lead = f"[{inner}"
            for block in blocks:
                put(f"{lead}{block}")
                lead = f",{inner}"
            put(f"{end}]")
            return
        opening, closing, items = "[", "]", [("", value) for value in node]
    elif type(node) in (dict, NotebookNode):
        opening, closing = "{", "}"
        items = [(f"{encode_basestring(key)}: ", value) for key, value in sorted(node.items())]
    else:
        raise TypeError(type(node).__name__)
    lead = f"{opening}{inner}"
    for name, value in items:
        put(f"{lead}{name}")
        _encode(value, inner, put)
        lead = f",{inner}"
    put(f"{end}{closing}" if items else f"{opening}{closing}")


def _flat(values: list[Any], between: str) -> list[str] | None:
    """Return ``values`` as they are written, in blocks; ``None`` when one of them has parts.

    A block is one call of C, which lets no other thread work.
    """
    try:
        if type(values[0]) is not str:
            return [between.join([_PLAIN[type(value)](value) for value in values])]
        return [
            between.join(map(encode_basestring, values[at : at + _BLOCK]))
            for at in range(0, len(values), _BLOCK)
        ]
    except (TypeError, KeyError):
        return None
