"""Reads tables, where the header of a column names its cells: HTML, CSV, Markdown, LaTeX, aligned text, SQL.

A table is read to its end, however long it is, and once: a name that stands in one that was read begins no
other, except for what lies between it and the next such name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence

from . import nested
from .nested import Cell, Pair, names

_QUOTED = re.compile(r"\s*([\"'])(.*)\1[,;]?\s*")
_LEAST = 8  # no rule takes less (characters)
_WORDS = ("token", "secret", "key", "passw", "pwd", "passphrase", "credential", "cookie", "bearer", "jwt")
"""One of these is in whatever is the name of a credential; asking for it is quick."""

_WORD = re.compile("|".join(_WORDS))
_SEPARATORS = tuple(
    (mark, re.compile(pattern))
    for mark, pattern in (
        ("|", r"\s*\|\s*"), ("│", r"\s*│\s*"), ("\t", r"\t"), (";", r"\s*;\s*"), (",", r"\s*,\s*"),
        ("&", r"\s+&\s+"), ("", r"\s{2,}|(?<=\d)\s(?=\S)"),
    )
)  # fmt: skip
"""What stands between the cells of a row, and a text that each of them holds: counting is quicker."""

_BARS = str.maketrans("┃║", "││")
_MOST_GAP = 8
"""So many lines that are no rows end a table: rules, blank lines and remarks do not."""

_TAG = re.compile(r"<(/?)(table|t[rhd])\b[^<>]{0,400}>", re.IGNORECASE)
_MARKUP = re.compile(rf"(?:{'|'.join(_WORDS)})[^<>]{{0,40}}</?[a-z]")
_BACK = 4000
_INSERT = re.compile(r"\((?P<columns>[^()'=]{3,2000})\)\s{0,20}values?\b", re.IGNORECASE)
_NEAR, _FAR = 4000, 100  # values may follow as parameters; behind each other they are near (characters)
_COLUMN = re.compile(r"\w+")
_TUPLE = re.compile(r"[(\[](?:[^'\"()\[\]]|'[^'\n]{0,1500}'|\"[^\"\n]{0,1500}\"){0,1500}[)\]]")
_ITEM = re.compile(r"[bruf]?['\"]([^'\"\n]*)['\"]|[^\s,'\"]+")
_NESTED = re.compile(
    rf"(?:{'|'.join(_WORDS)})[a-z_]{{0,10}}(?:[\"']\s{{0,12}}(?:[,\]]|:\s{{0,4}}[\[{{])|[^\w\"'%{{}}]{{1,6}}%\{{customdata\[)"
)

Places = Mapping[str, Sequence[int]]
"""Where names of credentials stand in tables, by the kind of table: the keys of ``_READERS``."""


def named_cells(text: str, places: Places | None = None) -> Iterator[Pair]:
    """Yield (name, cell) for each cell of a table in ``text`` that something else names as a credential.

    Args:
        text: What holds tables, and anything around them.
        places: Which of its tables are read; default all.
    """
    seen: set[tuple[str, int, int]] = set()  # every line of code with a key in it may be a header
    for kind, found in (_places(text) if places is None else places).items():
        for name, whole in _READERS[kind](text, found):
            cell = _bare(whole)
            one = (name[0], *cell[1:])
            if len(cell[0]) >= _LEAST and one not in seen:
                seen.add(one)
                yield name, cell


def _places(text: str) -> Places:
    lower = text.lower()
    words = [match.end() for match in _WORD.finditer(lower)]
    if not words:
        return {}
    return {
        "html": [match.end() for match in _MARKUP.finditer(lower)] if "<t" in lower else [],
        "lines": words,
        "insert": [match.end() for match in _INSERT.finditer(text)],
        "nested": [match.end() for match in _NESTED.finditer(lower)],
        "alias": words[:1],
    }


def _bare(cell: Cell) -> Cell:
    """Return a cell without the quotes around it."""
    inside = _QUOTED.fullmatch(cell[0])
    return (inside[2], cell[1] + inside.start(2), cell[1] + inside.end(2)) if inside else cell


# -- lines ----------------------------------------------------------------------------------------


def _lines(text: str, places: Sequence[int]) -> Iterator[Pair]:
    if "┃" in text or "║" in text:  # in a header, and what is below it has another line
        text = text.translate(_BARS)
    starts = list(_line_starts(text, places))
    for mark, separator in _SEPARATORS:
        past = 0
        for start, following in zip(starts, [*starts[1:], len(text)], strict=False):
            end = _line_end(text, start)
            if text.count(mark, start, end):
                header = _cells(text, start, end, separator)
                if not mark and len(header) > 2 and not header[0][0]:  # indented; its rows need not be
                    del header[0]
                stop = len(text) if start >= past else following  # of a table that is read already
                past = max(past, (yield from _rows(text, header, mark, separator, end + 1, stop)))


def _line_starts(text: str, places: Iterable[int]) -> Iterator[int]:
    """Yield where the lines begin in which names end, each once."""
    at = -1
    for place in places:
        start = text.rfind("\n", max(at, 0), place - 1) + 1
        if start or at < 0:  # else it stands on the line of the one before
            yield start
        at = place - 1


def _line_end(text: str, start: int) -> int:
    end = text.find("\n", start)
    return len(text) if end < 0 else end


def _rows(
    text: str, header: Sequence[Cell], mark: str, separator: re.Pattern[str], at: int, stop: int
) -> Generator[Pair, None, int]:
    """Yield what is named in the rows from ``at`` on; return where the table ends."""
    width = len(header)
    named = _named(header)
    if width < 2 or not named or (width == 2 and not header[1][0]):
        return at
    indented = width == 2 and not header[0][0]  # lines that are indented, or end in a comma, are no table
    missed = 0
    while at < stop and missed < _MOST_GAP:
        end = _line_end(text, at)
        row = []
        if text.count(mark, at, end) >= width - 1:
            row = _cells(text, at, end, separator)
        if width <= len(row) <= width + 1 and not (indented and not row[0][0]):
            missed = 0
            yield from _paired(named, row)
        else:
            missed += 1
        at = end + 1
    return at


def _cells(text: str, start: int, end: int, separator: re.Pattern[str]) -> list[Cell]:
    cells, at = [], start
    for match in separator.finditer(text, start, end):
        cells.append((text[at : match.start()], at, match.start()))
        at = match.end()
    cells.append((text[at:end], at, end))
    return cells


def _named(header: Sequence[Cell]) -> list[tuple[int, Cell]]:
    """Return how far from the end of a row what a name names stands: one without header is on the left."""
    return [(place - len(header), name) for place, name in enumerate(header) if names(name[0])]


def _paired(named: Iterable[tuple[int, Cell]], row: Sequence[Cell]) -> Iterator[Pair]:
    yield from ((name, row[place]) for place, name in named if row[place][0])


# -- HTML and SQL ---------------------------------------------------------------------------------


def _html(text: str, places: Sequence[int]) -> Iterator[Pair]:
    past = 0
    for place in places:
        if place > past:
            first = max(past, place - _BACK)
            start = max(text.rfind(tag, first, place) for tag in ("<tr", "<TR"))
            if start >= 0:
                past = yield from _table(text, start, _first_row(text, first, start))


def _first_row(text: str, first: int, start: int) -> bool:
    return text.rfind("</tr", first, start) <= text.rfind("<table", first, start)


def _table(text: str, start: int, first: bool) -> Generator[Pair, None, int]:
    """Yield what the row that begins at ``start`` names in those below; return where the table ends.

    Such a row is of headers only, or the first one and of none: a header in front names its row.
    """
    named: list[tuple[int, Cell]] | None = None
    row: list[Cell] = []
    cell, width = -1, 0
    kinds: set[str] = set()
    for tag in _TAG.finditer(text, start):
        if cell >= 0:
            row.append(_stripped(text, cell, tag.start()))
            cell = -1
        kind = tag[2].lower()
        if not tag[1] and kind in ("td", "th"):
            cell = tag.end()
            kinds.add(kind)
        elif kind in ("tr", "table") and row:
            if named is None:
                heads = kinds == {"th"} or (first and kinds == {"td"})
                named, width = _named(row) if heads else [], len(row)
                if not named:
                    return tag.end()
            elif width <= len(row) <= width + 1:
                yield from _paired(named, row)
            row = []
        if kind == "table":
            return tag.end()
    return len(text)


def _stripped(text: str, start: int, end: int) -> Cell:
    cell = text[start:end]
    start += len(cell) - len(cell.lstrip())
    return cell.strip(), start, start + len(cell.strip())


def _inserted(text: str, places: Sequence[int]) -> Iterator[Pair]:
    """Pair the columns of INSERT statements with their values, also with those that follow as parameters."""
    statements = list(_statements(text, places))
    for statement, stop in zip(
        statements, [*(one.start() for one in statements[1:]), len(text)], strict=False
    ):
        columns = [(name[0], *name.span()) for name in _COLUMN.finditer(text, *statement.span("columns"))]
        named, width = _named(columns), len(columns)
        past = statement.end() + _NEAR
        for match in _TUPLE.finditer(text, statement.end(), stop) if named else ():
            if match.start() > past:
                break
            past = max(past, match.end() + _FAR)
            row = _items(match)
            if width <= len(row) <= width + 1:
                yield from _paired(named, row)


def _statements(text: str, places: Iterable[int]) -> Iterator[re.Match[str]]:
    past = 0
    for place in places:
        if place > past and (found := _INSERT.search(text, max(past, place - 2100), place)):
            yield found
            past = found.end()


def _items(row: re.Match[str]) -> list[Cell]:
    found = _ITEM.finditer(row.string, row.start() + 1, row.end() - 1)
    return [(cell[1] or cell[0], *cell.span(1 if cell[1] else 0)) for cell in found]


_READERS: dict[str, Callable[[str, Sequence[int]], Iterator[Pair]]] = {
    "html": _html,
    "lines": _lines,
    "insert": _inserted,
    "nested": nested.tables,
    "alias": lambda text, _: nested.aliased(text),
}
