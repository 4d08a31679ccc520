"""Reads the forms in which clients write credentials, as pairs of a dotted name and a text."""

from __future__ import annotations

import configparser
import json
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Pairs = Iterator[tuple[str, str]]
_LINE = re.compile(r"^\s*(?:export\s+)?([A-Za-z_][\w.-]*)\s*[:=]\s*(.+?)\s*$", re.MULTILINE)


def pairs(text: str, form: str) -> list[tuple[str, str]]:
    """Return dotted names and their texts; a file that is not of its form holds none that we can name."""
    try:
        return list(_READERS[form](text))
    except (ValueError, configparser.Error, RecursionError):
        return []


def _json(text: str) -> Pairs:
    yield from _leaves(json.loads(text), "")


def _toml(text: str) -> Pairs:
    yield from _leaves(tomllib.loads(text), "")


def _leaves(value: Any, name: str) -> Pairs:
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, dict):
        for key, below in value.items():
            yield from _leaves(below, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list):
        for number, below in enumerate(value):
            yield from _leaves(below, f"{name}.{number}" if name else str(number))


def _ini(text: str) -> Pairs:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.read_string(text)
    for section in parser:
        for key, value in parser[section].items():
            if section == parser.default_section or key not in parser.defaults():
                yield f"{section}.{key}", value


def _lines(text: str) -> Pairs:
    for found in _LINE.finditer(text):
        yield found[1], found[2].strip("\"'")


def _raw(text: str) -> Pairs:
    if text.strip():
        yield "", text.strip()


_READERS: dict[str, Callable[[str], Pairs]] = {
    "json": _json,
    "toml": _toml,
    "ini": _ini,
    "lines": _lines,
    "env": _lines,
    "raw": _raw,
}
