"""Does a notebook still give a secret away? Reads it in every notation in which a value can stand.

This is the measure's own reader and shares nothing with the scanner. It errs on the side of seeing a leak.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
import zlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, unquote_plus

_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_INVISIBLE = re.compile("[\u200b-\u200f\u2060-\u2064\ufeff\u00ad]")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{12,}(?:\r?\n[A-Za-z0-9+/_-]{4,})*={0,2}")
_RUN = re.compile(r"[A-Za-z0-9+/_-]{12,}")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}){8,}")
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|([\\/'\"nrtbf_#%&$]))")
_HIGH = re.compile("[\x80-\xff]{2,4}")
_PLAIN = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_GLUE = re.compile(r"""["'](?:\s|\\\n)*(?:[+,]|\)|\()?(?:\s|\\\n)*[rbuRBU]?["']""")


def strings(tree: Any) -> Iterator[str]:
    """Yield every text of a JSON value, keys included; lists of lines come joined."""
    if isinstance(tree, str):
        yield tree
    elif isinstance(tree, dict):
        for key, value in tree.items():
            yield key
            yield from strings(value)
    elif isinstance(tree, list):
        if tree and all(isinstance(item, str) for item in tree):
            yield "".join(tree)
        else:
            for item in tree:
                yield from strings(item)


class View:
    """A document in all notations, ready to be asked for values."""

    def __init__(self, document: Any) -> None:
        whole = "\n\x00\n".join(strings(document))
        self._visible = _visible(whole)
        seen = _readings(whole)
        for text in tuple(seen):
            for inner in _decoded(text):
                seen |= _readings(inner)
        seen |= {_GLUE.sub("", text) for text in tuple(seen)}
        self._text = "\n\x00\n".join(seen)
        self._packed = re.sub(r"\s", "", self._text)

    def shows(self, value: str) -> bool:
        """Say whether the document gives ``value`` away, forwards or backwards."""
        return value in self._text or value[::-1] in self._text or value in self._packed

    def keeps(self, text: str) -> bool:
        """Say whether ``text`` still stands there as it was written."""
        return text in self._visible


def _readings(text: str) -> set[str]:
    """Return ``text`` as it is, as seen, and with each layer of escapes taken off."""
    seen = {text, _visible(text)}
    for step in (_unescape, _unescape, html.unescape, unquote, unquote_plus):
        seen |= {step(reading) for reading in tuple(seen)}
    return seen


def _visible(text: str) -> str:
    return _INVISIBLE.sub("", _ANSI.sub("", text))


def _unescape(text: str) -> str:
    def character(match: re.Match[str]) -> str:
        code = match[1] or match[2]
        return chr(int(code, 16)) if code else _PLAIN.get(match[3], match[3])

    return _HIGH.sub(_utf8, _ESCAPE.sub(character, text))


def _utf8(match: re.Match[str]) -> str:
    """Bytes that were written one by one, as ``repr`` does, may be UTF-8."""
    try:
        return match[0].encode("latin-1").decode()
    except UnicodeDecodeError:
        return match[0]


def _decoded(text: str, depth: int = 3) -> Iterator[str]:
    if depth == 0:
        return
    found = [bytes.fromhex(match[0]) for match in _HEX.finditer(text)]
    for match in (*_BASE64.finditer(text), *_RUN.finditer(text)):
        run = re.sub(r"\s", "", match[0]).rstrip("=").replace("-", "+").replace("_", "/")
        found += [_base64(run[start:]) for start in range(4)]
    inner = [unpacked for data in found if (unpacked := _text(data))]
    if inner:
        joined = "\n\x00\n".join(inner)
        yield joined
        yield from _decoded(joined, depth - 1)


def _base64(run: str) -> bytes:
    run = run[: len(run) - (len(run) % 4 == 1)]
    try:
        return base64.b64decode(run + "=" * (-len(run) % 4))
    except binascii.Error:
        return b""


def _text(data: bytes) -> str:
    if data[:2] == b"\x1f\x8b":
        try:
            data = zlib.decompressobj(wbits=31).decompress(data)  # what follows the end does not matter
        except zlib.error:
            return ""
    text = data.decode("utf-8", "replace")
    runs = re.findall(r"[^\x00-\x08\x0e-\x1f\x7f\ufffd]{6,}", text)
    return "\n".join(runs)
