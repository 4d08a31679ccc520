"""Reads tables, where the header of a column names its cells: HTML, CSV, Markdown, LaTeX, aligned text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from ..core.secret import MARKED

NAME = re.compile(
    r"(?i)(?:token|secret|key|passw(?:or)?d|passwort|pwd|passphrase|credentials?|cookie|bearer|jwt)"
    r"[a-z_]{0,10}\W{0,3}$"
)
_MOST_NAME = 40
_WORDS = ("token", "secret", "key", "passw", "pwd", "passphrase", "credential", "cookie", "bearer", "jwt")
"""One of these is in whatever ``NAME`` takes; asking for it is quicker than taking a line apart."""

_ROW = re.compile(r"<tr\b[^<>]*>(.{0,4000}?)</tr>", re.DOTALL | re.IGNORECASE)
_CELL = re.compile(r"<t[hd]\b[^<>]{0,200}>\s*(.{0,2000}?)\s*</t[hd]>", re.DOTALL | re.IGNORECASE)
_LINE = re.compile(r"[^\n]+")
_SEPARATORS = tuple(
    (mark, re.compile(pattern))
    for mark, pattern in (
        ("|", r"\s*\|\s*"), ("\t", r"\t"), (";", r"\s*;\s*"), (",", r"\s*,\s*"), ("&", r"\s+&\s+"),
        ("", r"\s{2,}|(?<=\d)\s(?=\S)"),
    )
)  # fmt: skip
"""What stands between the cells of a row, and a text that each of them holds: counting is quicker."""
_MOST_ROWS = 60
_MOST_INSERTED = 4000
_INSERT = re.compile(r"\((?P<columns>[^()\n'=]{3,400})\)\s{0,20}values?\b", re.IGNORECASE)
_COLUMN = re.compile(r"\w+")
_TUPLE = re.compile(r"[(\[](?:[^'\"()\[\]]|'[^'\n]{0,1500}'|\"[^\"\n]{0,1500}\"){0,1500}[)\]]")
_ITEM = re.compile(r"[bruf]?['\"]([^'\"\n]*)['\"]|[^\s,'\"]+")

Cell = tuple[str, int, int]
"""Text of a cell, and where it stands."""


def named_cells(text: str) -> Iterator[tuple[Cell, Cell]]:
    """Yield (header, cell) for each cell of a table in ``text`` below a header that names a credential."""
    lower = text.lower()
    if not any(word in lower for word in _WORDS):
        return
    lines = [match.span() for match in _LINE.finditer(text)]
    lowered = [text[start:end].lower() for start, end in lines]
    headers = [number for number, line in enumerate(lowered) if any(word in line for word in _WORDS)]
    if "<t" in text:
        rows = [
            [(cell[1], *cell.span(1)) for cell in _CELL.finditer(text, *row.span(1))]
            for row in _ROW.finditer(text)
        ]
        yield from _below(rows)
    for mark, separator in _SEPARATORS:
        marked = [number for number in headers if mark in text[slice(*lines[number])]]
        yield from _delimited(text, mark, separator, lines, marked)
    yield from _inserted(text)


def _names(header: str) -> bool:
    """Tell whether a header is the name of a credential; what a marker says names nothing."""
    return len(header) < _MOST_NAME and NAME.search(header) is not None and MARKED not in header


def _inserted(text: str) -> Iterator[tuple[Cell, Cell]]:
    """Pair the columns of INSERT statements with their values, also with those that follow as parameters."""
    for match in _INSERT.finditer(text):
        columns = [(name[0], *name.span()) for name in _COLUMN.finditer(text, *match.span("columns"))]
        rows = [columns]
        rows += map(_items, _TUPLE.finditer(text, match.end(), match.end() + _MOST_INSERTED))
        yield from _below(rows)


def _items(row: re.Match[str]) -> list[Cell]:
    found = _ITEM.finditer(row.string, row.start() + 1, row.end() - 1)
    return [(cell[1] or cell[0], *cell.span(1 if cell[1] else 0)) for cell in found]


def _delimited(
    text: str, mark: str, separator: re.Pattern[str], lines: Sequence[tuple[int, int]], headers: Iterable[int]
) -> Iterator[tuple[Cell, Cell]]:
    for number in headers:
        header = _cells(text, *lines[number], separator)
        if len(header) < 2 or not any(_names(name) for name, _, _ in header):
            continue
        below = lines[number + 1 : number + 1 + _MOST_ROWS]
        rows = [
            _cells(text, *line, separator) for line in below if text.count(mark, *line) >= len(header) - 1
        ]
        yield from _below([header, *rows])


def _cells(text: str, start: int, end: int, separator: re.Pattern[str]) -> list[Cell]:
    cells, at = [], start
    for match in separator.finditer(text, start, end):
        cells.append((text[at : match.start()], at, match.start()))
        at = match.end()
    cells.append((text[at:end], at, end))
    return cells


def _below(rows: Sequence[Sequence[Cell]]) -> Iterator[tuple[Cell, Cell]]:
    """Pair the cells of the first row with those below; a column without header stands on the left."""
    if not rows:
        return
    header = rows[0]
    for place, name in enumerate(header):
        if not _names(name[0]):
            continue
        for row in rows[1:]:
            right = len(header) - place
            if len(row) in (len(header), len(header) + 1) and row[-right][0]:
                yield name, row[-right]
