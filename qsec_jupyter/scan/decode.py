"""Text behind notations: escapes, entities, URLs, tags, base64, gzip, hexadecimal, lists of numbers.

The engine's pass over a text also says where one of :mod:`.notations` begins; only the neighbourhood of such
a place is decoded, so a text without notations costs nothing here. Every :class:`View` knows the way back to
the characters that it came from.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice

from . import layout
from .notations import INLINE, PRINTABLE

DEPTH = 4
"""Notations inside notations that are read."""

LIMIT = 4_000_000
"""Most characters that one packed text may unpack to: a bomb is read as far as this."""

_REACH = 1500
_CELLS = 5000  # of tables in one view: a million would take 600 MB


@dataclass(frozen=True, slots=True)
class View:
    """A decoded text.

    Attributes:
        text: What a reader of the notation gets.
        starts: Where each run of ``text`` begins.
        runs: For each, (start, end, whether characters correspond one by one) in the text it came from.
        parent: The view that was decoded, or ``None`` for the original text.
        named: Whether each line has its name already, as the cells of tables get theirs.
    """

    text: str
    starts: tuple[int, ...]
    runs: tuple[tuple[int, int, bool], ...]
    parent: View | None = None
    named: bool = False

    def locate(self, start: int, end: int) -> tuple[int, int]:
        """Return the span of the original text whose decoding holds ``text[start:end]``."""
        first, last = bisect_right(self.starts, start) - 1, bisect_right(self.starts, end - 1) - 1
        begin, _, plain = self.runs[first]
        if plain:
            begin += start - self.starts[first]
        stop, finish, plain = self.runs[last]
        if plain:
            finish = stop + end - self.starts[last]
        if finish < begin:  # cells of a table stand there in another order: what is meant begins in the first
            finish = self.runs[first][1]
        return self.parent.locate(begin, finish) if self.parent else (begin, finish)


def views(text: str, places: list[tuple[int, int]], tables: layout.Places | None = None) -> Iterator[View]:
    """Yield every reading of ``text`` around ``places``, of its ``tables``, and of those readings in turn."""
    whole = View(text, (0,), ((0, len(text), True),))
    for cells in _table(whole, tables or {}):
        yield cells
        yield from _deeper(cells, 1, set())
    for start, stop in _joined(places, len(text)):
        yield from _deeper(View(text[start:stop], (0,), ((start, stop, True),)), 0, set())


def _joined(places: list[tuple[int, int]], size: int) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    for start, end in sorted(places):
        first, last = max(0, start - _REACH), min(size, end + _REACH)
        if spans and first <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(last, spans[-1][1]))
        else:
            spans.append((first, last))
    return spans


def _deeper(view: View, depth: int, seen: set[str]) -> Iterator[View]:
    if depth == DEPTH:
        return
    for rewrite in _REWRITES if depth else _REWRITES[1:]:  # tables of the text itself are read as wholes
        for inner in rewrite(view):
            if inner.text not in seen:
                seen.add(inner.text)
                yield inner
                yield from _deeper(inner, depth + 1, seen)


def _rewritten(view: View, readings: Iterable[tuple[int, int, str]]) -> list[View]:
    """Return the view in which each (start, end, text) of ``readings`` is replaced by its text."""
    pieces: list[str] = []
    starts: list[int] = []
    runs: list[tuple[int, int, bool]] = []
    at = size = 0
    for start, end, plain in readings:
        if start > at:
            pieces.append(view.text[at:start])
            starts.append(size)
            runs.append((at, start, True))
            size += start - at
        if plain:
            pieces.append(plain)
            starts.append(size)
            runs.append((start, end, False))
            size += len(plain)
        at = end
    if not at:
        return []
    if at < len(view.text):
        pieces.append(view.text[at:])
        starts.append(size)
        runs.append((at, len(view.text), True))
    return [View("".join(pieces), tuple(starts), tuple(runs), view, view.named)] if starts else []


# An expression begins with what it must begin with: `re` looks for that ahead of everything else.
_ESCAPE = re.compile(
    r"\\(?:(x[0-9a-fA-F]{2}(?:\\x[0-9a-fA-F]{2})*)|([0-3][0-7]{2}(?:\\[0-3][0-7]{2})*)"
    r"|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(\n)|([nrt])|([^\w\s]|_))"
)
_LATEX = re.compile(r"\\(?:text(?:tt|bf|it|rm)|mathrm|mathtt|operatorname)\{([^{}]{1,400})\}")
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z]{2,8});")
_PERCENT = re.compile(r"%[0-9a-fA-F]{2}(?:%[0-9a-fA-F]{2})*")
_TAG = re.compile(
    rf"(?:\s*</t[dh]>\s*<t[dh]\b[^<>]{{0,400}}>\s*)|(?P<inline></?(?:{INLINE})(?:\s[^<>]{{0,400}})?/?>)"
    r"|</?[a-zA-Z!][^<>]{0,400}>"
)
_GLUE = r"\s*\\?%s?\s*\\?\n?\s*[rRbBuUfF]{0,2}(?P=q)"
_ADJACENT = re.compile(r"(?P<q>[\"'])" + _GLUE % r"\+")
_JOIN = re.compile(  # a comma glues only where something joins what it stands between
    rf"(?P<q>[\"'])(?:(?P=q)\.join\(\s*[\[({{]?\s*[rRbBuUfF]{{0,2}}[\"']|{_GLUE % '[+,]'})"
)
_BLOB = re.compile(r"[A-Za-z0-9+/_-]{24,}(?:(?:\\n|\r?\n)[ \t]{0,8}[A-Za-z0-9+/_-]{4,})*={0,2}")
_LINE = re.compile(r"(?:^|\\n|\r?\n)[ \t]{0,8}([A-Za-z0-9+/_-]+={0,2})")
_HEX = re.compile(
    r"[0-9a-fA-F](?:[0-9a-fA-F](?:[0-9a-fA-F]{2}){13,}"
    r"|[0-9a-fA-F][ :](?:[0-9a-fA-F]{2}[ :]){12,}[0-9a-fA-F]{2}(?![0-9a-zA-Z]))"
)
_NUMBERS = re.compile(rf"{PRINTABLE}(?:,\s{{0,4}}{PRINTABLE}){{9,}}")
_CONTROL = {"n": "\n", "r": "\r", "t": "\t"}


def _escape(match: re.Match[str]) -> str | None:
    if match[1] or match[2]:  # bytes one by one: UTF-8 or Latin-1
        data = bytes.fromhex(match[1][1:].replace("\\x", "")) if match[1] else _octal(match[2])
        try:
            return data.decode()
        except UnicodeDecodeError:
            return data.decode("latin-1")
    if code := match[3] or match[4]:
        number = int(code, 16)
        return chr(number) if number <= 0x10FFFF else None
    return "" if match[5] else _CONTROL[match[6]] if match[6] else match[7]


def _octal(text: str) -> bytes:
    return bytes(int(number, 8) for number in text.split("\\"))


def _entity(match: re.Match[str]) -> str:
    import html  # here, as is urllib: few texts need them, and every start of the command line would pay

    return html.unescape(match[0]).replace("\xa0", " ")


def _percent(match: re.Match[str]) -> str:
    from urllib.parse import unquote

    return unquote(match[0], errors="replace")


def _tag(match: re.Match[str]) -> str:
    if match["inline"]:
        return ""
    return (
        ": " if match[0].lstrip().lower().startswith(("</td", "</th")) and match[0].count("<") == 2 else " "
    )


def _blobs(view: View) -> Iterator[tuple[int, int, str]]:
    """Read base64, also in lines; what stands on the lines before and after it may look like a part of it."""
    for match in _BLOB.finditer(view.text):
        several = "\n" in match[0] or "\\n" in match[0]
        lines = [line.span(1) for line in _LINE.finditer(match[0])] if several else [(0, len(match[0]))]
        for first, last in _blocks(lines):
            for stop in (last, last - 1)[: last - first]:
                start, end = lines[first][0] + match.start(), lines[stop - 1][1] + match.start()
                plain = _blob(view.text[start:end])
                if plain is not None:
                    yield start, end, plain
                    break


def _blocks(lines: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield (first, behind the last) of lines of one length that a shorter one may end."""
    first = 0
    for at in range(1, len(lines) + 1):
        if at == len(lines) or not _size(lines[at]) <= _size(lines[at - 1]) == _size(lines[first]):
            yield first, at
            first = at


def _size(span: tuple[int, int]) -> int:
    return span[1] - span[0]


def _blob(text: str) -> str | None:
    """Read base64 when it holds text, also packed text; anything else is not read."""
    raw = re.sub(r"\\n|\s|=", "", text).translate(_STANDARD)
    if raw.startswith(("iVBORw0KGgo", "R0lGOD")):
        return None
    if not _readable(_narrow(_decoded(raw[:32]))) and not raw.startswith(("H4sI", "eA", "eF", "eJ", "eN")):
        return None
    return _text(_decoded(raw))


_STANDARD = str.maketrans("-_", "+/")


def _decoded(raw: str) -> bytes:
    raw = raw[: len(raw) - 1] if len(raw) % 4 == 1 else raw
    try:
        return base64.b64decode(raw + "=" * (-len(raw) % 4))
    except (ValueError, binascii.Error):
        return b""


def _unpacked(data: bytes) -> bytes:
    for _ in range(3):
        if not data.startswith((b"\x1f\x8b", b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")):
            break
        try:
            data = zlib.decompressobj(47).decompress(data, LIMIT)
        except zlib.error:
            return b""
    return data


def _narrow(data: bytes) -> bytes:
    """Return ASCII in UTF-16, as PowerShell takes its commands, in one byte a character."""
    return data[::2] if data[1:2] == b"\0" and data[3:4] == b"\0" else data


def _readable(data: bytes) -> bool:
    """Tell whether ``data`` is nearly all printable ASCII, or UTF-8, perhaps cut off."""
    if not data:
        return False
    odd = data.translate(None, _TEXT_BYTES)
    if len(odd) * 20 <= len(data):
        return True
    if len(odd) * 2 > len(data) or min(odd) < 128:
        return False
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return error.start >= len(data) - 3
    return True


_TEXT_BYTES = bytes([9, 10, 13, *range(32, 127)])


def _text(data: bytes) -> str | None:
    data = _narrow(_unpacked(data))
    return data.decode("utf-8", "replace") if _readable(data) else None


def _hex(match: re.Match[str]) -> str | None:
    try:
        return _text(bytes.fromhex(re.sub("[ :]", "", match[0])))
    except ValueError:
        return None


def _numbers(match: re.Match[str]) -> str:
    return "".join(chr(int(number)) for number in re.findall(r"\d+", match[0]))


def _rule(
    pattern: re.Pattern[str], read: Callable[[re.Match[str]], str | None], needed: str = "", count: int = 1
) -> Callable[[View], list[View]]:
    """Return a rewrite; a text with less than ``count`` of ``needed`` has nothing to rewrite."""

    def readings(view: View) -> Iterator[tuple[int, int, str]]:
        for match in pattern.finditer(view.text):
            plain = read(match)
            if plain is not None:
                yield match.start(), match.end(), plain

    return lambda view: _rewritten(view, readings(view)) if view.text.count(needed) >= count else []


def _table(view: View, places: layout.Places | None = None) -> Iterator[View]:
    """Write cells of tables, some thousands at a time, with the names of their columns: ``token: value``."""
    cells = iter(()) if view.named else layout.named_cells(view.text, places)
    while some := list(islice(cells, _CELLS)):
        pieces: list[str] = []
        runs: list[tuple[int, int, bool]] = []
        for name, cell in some:
            pieces += (f"{name[0].strip()}: ", cell[0], "\n")
            runs += ((*name[1:], False), (*cell[1:], True), (cell[2], cell[2], False))
        starts = accumulate(map(len, pieces[:-1]), initial=0)
        yield View("".join(pieces), tuple(starts), tuple(runs), view, named=True)


_adjacent = _rule(_ADJACENT, lambda _: "")
_joined_texts = _rule(_JOIN, lambda match: match[0][-1] if ".join(" in match[0] else "")


def _glued(view: View) -> list[View]:
    """Put together literals that stand beside each other; no value goes on in the next cell of a table."""
    if view.named:
        return []
    return _joined_texts(view) if "join(" in view.text else _adjacent(view)


_REWRITES: tuple[Callable[[View], Iterable[View]], ...] = (
    _table,
    _rule(_TAG, _tag, "<"),
    _rule(_ENTITY, _entity, "&"),
    _rule(_LATEX, lambda match: match[1], "\\"),
    _rule(_ESCAPE, _escape, "\\"),
    _rule(_PERCENT, _percent, "%"),
    lambda view: _rewritten(view, _blobs(view)),
    _rule(_HEX, _hex),
    _rule(_NUMBERS, _numbers, ",", 9),
    _glued,
)
