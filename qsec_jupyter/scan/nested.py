"""Reads tables written as JSON or Python: there a column, or a key some levels up, names a value.

pandas alone writes five such forms: ``{"columns": [...], "data": [[...]]}``, ``{"token": {"0": ...}}``,
``{"token": [...]}``, a list of lists with the names in front, and ``DataFrame([[...]], columns=[...])``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

Cell = tuple[str, int, int]
"""A text, and where it stands."""

Pair = tuple[Cell, Cell]
"""A name, and what it names."""

COLUMNS = frozenset({"columns", "column", "header", "headers", "fields", "column_names"})
"""Keys of the names of columns."""

_TOKEN = re.compile(
    r"'''|\"{3}|(?:\"(?P<double>(?:[^\"\\\n]|\\.)*)\"|'(?P<single>(?:[^'\\\n]|\\.)*)'|(?P<bare>[\w.+-]+))"
    r"(?P<key>\s{0,8}[:=](?!=))?|(?P<sign>[\[\](){},])"
)


@dataclass(slots=True)
class _Level:
    """A list, an object or a call that is open."""

    sign: str
    name: Cell | None = None
    key: Cell | None = None
    slots: list[Cell | None] = field(default_factory=lambda: [None])
    columns: list[Cell | None] = field(default_factory=list)
    rows: list[list[Cell | None]] = field(default_factory=list)

    def below(self) -> Cell | None:
        """Return what names the things inside: the nearest key that is more than a number."""
        return self.key if self.key and not self.key[0].isdigit() else self.name


def named_values(text: str) -> Iterator[Pair]:
    """Yield (name, value) for each string in ``text`` that only a column or a key further up names."""
    levels = [_Level("{")]
    for match in _TOKEN.finditer(text):
        if match.lastgroup is None:  # the text may itself stand in a long literal
            continue
        level = levels[-1]
        if sign := match["sign"]:
            if sign in "[({":
                levels.append(_Level(sign, level.below()))
            elif sign == ",":
                level.slots.append(None)
                level.key = None if level.sign == "(" else level.key
            elif len(levels) > 1:
                levels.pop()
                yield from _closed(level, levels[-1])
            continue
        kind = next(name for name in ("double", "single", "bare") if match[name] is not None)
        cell = (match[kind], *match.span(kind))
        if match["key"] and level.sign != "[":
            level.key = cell
            continue
        level.slots[-1] = cell
        if kind != "bare" and level.name and (level.sign == "[" or (level.key and level.key[0].isdigit())):
            yield level.name, cell
    while len(levels) > 1:  # the text may be cut
        level = levels.pop()
        yield from _closed(level, levels[-1])


def _closed(level: _Level, outer: _Level) -> Iterator[Pair]:
    slots = level.slots if level.slots[-1] else level.slots[:-1]
    if level.sign != "[" and not (level.sign == "(" and outer.sign == "["):
        yield from _table([level.columns, *level.rows]) if level.columns else ()
        return
    if outer.key and outer.key[0].lower() in COLUMNS:
        outer.columns = slots
    elif level.rows:
        outer.rows = level.rows
        yield from _table(level.rows)
    elif outer.sign == "[":
        outer.rows.append(slots)


def _table(rows: list[list[Cell | None]]) -> Iterator[Pair]:
    header, *below = rows
    for row in below:
        if len(row) == len(header):
            yield from ((name, cell) for name, cell in zip(header, row, strict=True) if name and cell)


_ANCHOR = re.compile(
    r"(?:^|[\s\[{,])&(?P<name>[\w-]+)[ \t]+(?:!!?\w*[ \t]+)?(?:[|>][+-]?[ \t]*\n[ \t]+)?"
    r"(?P<quote>[\"']?)(?P<value>[^\s\"'#,\]}]{8,4000})(?P=quote)"
)
_ALIAS = re.compile(r"(?P<key>[\w.-]+)[\"']?[ \t]*:[ \t]+\*(?P<name>[\w-]+)")


def aliased(text: str) -> Iterable[Pair]:
    """Yield (key, value) for each alias of YAML and the value at its anchor (YAML 1.2.2, 7.1)."""
    if "&" not in text or "*" not in text:
        return
    anchors = {match["name"]: match for match in _ANCHOR.finditer(text)}
    for alias in _ALIAS.finditer(text) if anchors else ():
        if anchor := anchors.get(alias["name"]):
            yield (alias["key"], *alias.span("key")), (anchor["value"], *anchor.span("value"))
