"""Reads tables written as JSON or Python: there a column, or a key some levels up, names a value.

pandas alone writes five such forms: ``{"columns": [...], "data": [[...]]}``, ``{"token": {"0": ...}}``,
``{"token": [...]}``, a list of lists with the names in front, and ``DataFrame([[...]], columns=[...])``.
Plotly writes two: header and cells of a table, column by column, and a template that names custom data.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ..core.secret import MARKED

Cell = tuple[str, int, int]
"""A text, and where it stands."""

Pair = tuple[Cell, Cell]
"""A name, and what it names."""

NAME = re.compile(
    r"(?i)(?:token|secret|key|passw(?:or)?d|passwort|pwd|passphrase|credentials?|cookie|bearer|jwt)"
    r"[a-z_]{0,10}(?:(?:<|\\u003c)/\w{1,6}(?:>|\\u003e))?\W{0,3}$"
)
MOST_NAME = 40

COLUMNS = frozenset({"columns", "column", "header", "headers", "fields", "column_names"})
"""Keys of the names of columns."""

_TEMPLATED = re.compile(r"([\w .-]{1,40}?)\s{0,3}[=:]\s{0,3}(?:<[^<>]{1,20}>)?%\{customdata\[(\d{1,3})\]")

_TOKEN = re.compile(
    r"'''|\"{3}|(?:\"((?:[^\"\\\n]|\\.)*)\"|'((?:[^'\\\n]|\\.)*)'|([\w.+-]+))(\s{0,8}[:=](?!=))?|([\[\](){},])"
)
_DOUBLE, _SINGLE, _BARE, _KEY, _SIGN = range(1, 6)  # groups of a token
_OPENED = re.compile(r"(?:\"[^\"\n]{0,80}\"|'[^'\n]{0,80}'|[\w.-]+)\s{0,4}[:=]\s{0,4}[\[({]\Z")
_BRACKET = re.compile(r"[\[\](){}]")
_BACK, _LONGEST_LIST = 900, 20_000  # how far names may stand from their list's beginning, and its end
_DEEPEST = 1000  # as deep as Python reads JSON
_LEAST = 8  # what is shorter is told apart from nothing only
_OTHER: Cell = ("", 0, 0)


def names(header: str) -> bool:
    """Tell whether a header is the name of a credential; what a marker says names nothing."""
    return len(header) < MOST_NAME and NAME.search(header) is not None and MARKED not in header


class _Columns(NamedTuple):
    """Which places of a row are named; of so many, or of at least so many."""

    named: tuple[tuple[int, Cell], ...]
    width: int
    least: bool = False

    def pairs(self, row: Sequence[Cell | None]) -> Iterator[Pair]:
        """Yield what is named in ``row``."""
        if len(row) == self.width or (self.least and len(row) > self.width):
            yield from ((name, cell) for place, name in self.named if (cell := row[place]))


def _columns(header: Sequence[Cell | None], *, least: bool = False) -> _Columns | None:
    named = tuple((place, name) for place, name in enumerate(header) if name and names(name[0]))
    return _Columns(named, len(header), least) if named else None


@dataclass(slots=True)
class _Level:
    """A list, an object or a call that is open.

    Attributes:
        label: The key that it stands under.
        name: The name of a credential that it stands below, with no other key in between.
        columns: What names the cells of the rows in it.
        down: Whether its lists are columns.
        begun: Whether a row in it has ended.
    """

    sign: str
    label: str = ""
    name: Cell | None = None
    columns: _Columns | None = None
    down: bool = False
    begun: bool = False
    key: Cell | None = None
    slots: list[Cell | None] = field(default_factory=lambda: [None])

    def opened(self, sign: str) -> _Level:
        """Return the level that ``sign`` opens; its name is the nearest key that is more than a number."""
        if self.down and self.columns:
            return _Level(sign, self.label, dict(self.columns.named).get(len(self.slots) - 1))
        if self.key is None or self.key[0].isdigit():
            level = _Level(sign, self.label, self.name)
        else:
            level = _Level(sign, self.key[0], self.key if names(self.key[0]) else None)
        if self.sign != "[":
            level.columns = self.columns
            level.down = level.label == "values" and self.label == "cells"
        return level


def tables(text: str, places: Iterable[int]) -> Iterator[Pair]:
    """Yield (name, value) for each string that only a column or a key further up names.

    Args:
        text: What holds tables, and anything around them.
        places: Where a name in one, or what opens the list of names, has ended. Each table is read once.
    """
    past = 0
    for place in places:
        if place > past:
            start, level = _beginning(text, past, place)
            past = yield from _read(text, start, level)


def _beginning(text: str, past: int, place: int) -> tuple[int, _Level]:
    """Return where to begin, and what is open there."""
    first = max(past, place - _BACK)
    if text.endswith("customdata[", first, place):
        return _templated(text, past, max(text.rfind("hovertemplate", first, place), first))
    key = _OPENED.search(text, max(past, place - 120), place)
    if key is None:  # among the names
        stop = text.rfind("]", first, place) if text[place - 1] == "[" else place
        opening = max(text.rfind("[", first, stop), first)
        key = _OPENED.search(text, max(past, opening - 120), opening + 1)
        if key is None:
            return opening, _Level("[")
    start, word = key.start(), key[0].strip("\"'").lower()
    if not word.startswith((*COLUMNS, "values")):
        return start, _Level("{")
    columns = _columns(_flat(text, key.end()))
    if word.startswith("values"):  # Plotly's, if anything
        header = _OPENED.search(text, max(past, start - _BACK), _enclosing(text, past, start)[0])
        start = header.start() if header else start
    if text[first:start].rstrip(" ,\n\r\t")[-1:] in ("]", "}"):  # the data may stand in front
        start, sign = _enclosing(text, past, start)
        return start, _Level(sign, columns=columns)
    return start, _Level("{", columns=columns)


def templated(template: str) -> list[str]:
    """Return what a template of Plotly calls the columns of custom data."""
    found = {int(number): name for name, number in _TEMPLATED.findall(template)}
    return [found.get(number, "") for number in range(max(found, default=-1) + 1)]


def _templated(text: str, past: int, place: int) -> tuple[int, _Level]:
    start, sign = _enclosing(text, past, place)
    header = [(name, place, place) if name else None for name in templated(text[place : place + _BACK])]
    return start, _Level(sign, columns=_columns(header, least=True))


def _enclosing(text: str, past: int, place: int) -> tuple[int, str]:
    """Return where the inside of what is open at ``place`` begins, and its bracket."""
    opened: list[tuple[int, str]] = []
    for bracket in _BRACKET.finditer(text, past, place):
        if bracket[0] in "[({":
            opened.append((bracket.end(), bracket[0]))
        elif opened:
            opened.pop()
    return opened[-1] if opened else (place, "{")


def _flat(text: str, start: int) -> list[Cell | None]:
    """Return the strings of the list whose inside begins at ``start``, as far as it is flat."""
    slots: list[Cell | None] = [None]
    for match in _TOKEN.finditer(text, start, start + _LONGEST_LIST):
        if match[_SIGN] == ",":
            slots.append(None)
        elif match[_SIGN]:
            break
        elif match.lastindex:
            slots[-1] = _cell(match)[1]
    return slots if slots[-1] else slots[:-1]


def _cell(match: re.Match[str]) -> tuple[int, Cell]:
    """Return how a string is written, and the string."""
    kind = match.lastindex or 0
    if kind == _KEY:
        kind = next(one for one in (_DOUBLE, _SINGLE, _BARE) if match[one] is not None)
    return kind, (match[kind], *match.span(kind))


def _read(text: str, start: int, level: _Level) -> Generator[Pair, None, int]:
    """Yield what is named from ``start`` on; return where that ends.

    What has columns, or is a list, is read as far as it goes; else the first thing in it.
    """
    levels = [level]
    least = 1 if level.columns or level.sign == "[" else 2
    for match in _TOKEN.finditer(text, start):
        group = match.lastindex
        if group is None:  # the text may itself stand in a long literal
            continue
        if group == _SIGN:
            sign = match[_SIGN]
            if sign in "[({":
                level = level.opened(sign)
                levels.append(level)
            elif sign == ",":
                level.slots.append(None)
                level.key = None if level.sign == "(" else level.key
                continue
            else:
                yield from _closed(levels.pop(), levels[-1] if levels else None)
                level = levels[-1] if levels else level
            if not least <= len(levels):
                return match.end()
            if len(levels) > _DEEPEST:  # begin again here
                return match.start()
            continue
        kind, cell = _cell(match)
        if group == _KEY and level.sign != "[":
            level.key = cell
            continue
        if kind == _BARE and len(cell[0]) < _LEAST and not cell[0].isalpha():
            cell = _OTHER
        level.slots[-1] = cell
        if kind != _BARE and level.name and (level.sign == "[" or (level.key and level.key[0].isdigit())):
            yield level.name, cell
    while len(levels) > 1:  # the text may be cut
        yield from _closed(levels.pop(), levels[-1])
    return len(text)


def _closed(level: _Level, outer: _Level | None) -> Iterator[Pair]:
    """Yield what is named in a row that has ended, or keep it where it names those that follow."""
    if outer is None:
        return
    if level.sign != "[" and not (level.sign == "(" and outer.sign == "["):
        if level.label == "header":
            outer.columns = outer.columns or level.columns
        return
    row = level.slots if level.slots[-1] else level.slots[:-1]
    key = outer.key[0].lower() if outer.key else ""
    if outer.sign == "[" and not outer.down:
        if outer.columns:
            yield from outer.columns.pairs(row)
        elif not outer.begun:  # names in front
            outer.columns = _columns(row)
        outer.begun = True
    elif key in COLUMNS or (key == "values" and outer.label == "header"):
        outer.columns = _columns(row) or outer.columns


_ANCHOR = re.compile(
    r"(?:^|[\s\[{,])&(?P<name>[\w-]+)[ \t]+(?:!!?\w*[ \t]+)?(?:[|>][+-]?[ \t]*\n[ \t]+)?"
    r"(?P<quote>[\"']?)(?P<value>[^\s\"'#,\]}]{8,4000})(?P=quote)"
)
_ALIAS = re.compile(r":[ \t]+\*(?P<name>[\w-]+)")
_ALIASED = re.compile(r"(?P<key>[\w.-]{1,80})[\"']?[ \t]{0,8}\Z")


def aliased(text: str) -> Iterator[Pair]:
    """Yield (key, value) for each alias of YAML and the value at its anchor (YAML 1.2.2, 7.1)."""
    if "&" not in text or "*" not in text:
        return
    anchors = {match["name"]: match for match in _ANCHOR.finditer(text)}
    for alias in _ALIAS.finditer(text) if anchors else ():
        anchor = anchors.get(alias["name"])
        key = _ALIASED.search(text, max(0, alias.start() - 90), alias.start())
        if anchor and key and names(key["key"]):
            yield (key["key"], *key.span("key")), (anchor["value"], *anchor.span("value"))
