"""Reads tables, where the header of a column names its cells: HTML, CSV, Markdown, LaTeX, aligned text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from ..core.secret import MARKED
from . import nested
from .nested import Cell

NAME = re.compile(
    r"(?i)(?:token|secret|key|passw(?:or)?d|passwort|pwd|passphrase|credentials?|cookie|bearer|jwt)"
    r"[a-z_]{0,10}\W{0,3}$"
)
MOST_NAME = 40
_QUOTED = re.compile(r"\s*([\"'])(.*)\1[,;]?\s*")
_LEAST = 8  # no rule takes less (characters)
_WORDS = ("token", "secret", "key", "passw", "pwd", "passphrase", "credential", "cookie", "bearer", "jwt")
"""One of these is in whatever ``NAME`` takes; asking for it is quicker than taking a line apart."""

_ROW = re.compile(r"<tr\b[^<>]*>(.{0,4000}?)</tr>", re.DOTALL | re.IGNORECASE)
_CELL = re.compile(r"<t[hd]\b[^<>]{0,200}>\s*(.{0,2000}?)\s*</t[hd]>", re.DOTALL | re.IGNORECASE)
_LINE = re.compile(r"[^\n]+")
_SEPARATORS = tuple(
    (mark, re.compile(pattern))
    for mark, pattern in (
        ("|", r"\s*\|\s*"), ("│", r"\s*│\s*"), ("\t", r"\t"), (";", r"\s*;\s*"), (",", r"\s*,\s*"),
        ("&", r"\s+&\s+"), ("", r"\s{2,}|(?<=\d)\s(?=\S)"),
    )
)  # fmt: skip
"""What stands between the cells of a row, and a text that each of them holds: counting is quicker."""
_BARS = str.maketrans("┃║", "││")
_NESTED = re.compile(rf"(?:{'|'.join(_WORDS)})[a-z_]{{0,10}}[\"']\s{{0,12}}(?:[,\]]|:\s{{0,4}}[\[{{])")
_MOST_ROWS = 60
_MOST_INSERTED = 4000
_INSERT = re.compile(r"\((?P<columns>[^()\n'=]{3,400})\)\s{0,20}values?\b", re.IGNORECASE)
_COLUMN = re.compile(r"\w+")
_TUPLE = re.compile(r"[(\[](?:[^'\"()\[\]]|'[^'\n]{0,1500}'|\"[^\"\n]{0,1500}\"){0,1500}[)\]]")
_ITEM = re.compile(r"[bruf]?['\"]([^'\"\n]*)['\"]|[^\s,'\"]+")


def named_cells(text: str) -> Iterator[tuple[Cell, Cell]]:
    """Yield (name, cell) for each cell of a table in ``text`` that something else names as a credential."""
    seen: set[tuple[str, int, int]] = set()  # every line of code with a key in it may be a header
    for name, whole in _all_named(text):
        cell = _bare(whole)
        one = (name[0], *cell[1:])
        if len(cell[0]) >= _LEAST and one not in seen:
            seen.add(one)
            yield name, cell


def _bare(cell: Cell) -> Cell:
    """Return a cell without the quotes around it."""
    inside = _QUOTED.fullmatch(cell[0])
    return (inside[2], cell[1] + inside.start(2), cell[1] + inside.end(2)) if inside else cell


def _all_named(text: str) -> Iterator[tuple[Cell, Cell]]:
    lower = text.lower()
    if not any(word in lower for word in _WORDS):
        return
    if "┃" in text or "║" in text:  # in a header, and what is below it has another line
        text = text.translate(_BARS)
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
    further = nested.named_values(text) if _NESTED.search(lower) else iter(())
    for name, cell in chain(further, nested.aliased(text)):
        if _names(name[0]) and cell[0]:
            yield name, cell


def _names(header: str) -> bool:
    """Tell whether a header is the name of a credential; what a marker says names nothing."""
    return len(header) < MOST_NAME and NAME.search(header) is not None and MARKED not in header


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
    taken: dict[tuple[int, int], list[Cell]] = {}  # in code a line follows many that look like headers

    def cells(line: tuple[int, int]) -> list[Cell]:
        if line not in taken:
            taken[line] = _cells(text, *line, separator)
        return taken[line]

    for number in headers:
        header = cells(lines[number])
        if len(header) < 2 or not any(_names(name) for name, _, _ in header):
            continue
        below = lines[number + 1 : number + 1 + _MOST_ROWS]
        rows = [cells(line) for line in below if text.count(mark, *line) >= len(header) - 1]
        if len(header) == 2 and not header[0][0]:  # lines that are indented, or end in a comma, are no table
            rows = [row for row in rows if row[0][0]]
        if len(header) == 2 and not header[1][0]:
            continue
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
