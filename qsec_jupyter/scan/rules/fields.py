"""What each field of a rule may hold."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

ROOM = 1 << 16
"""Most bytes that a rule may look at around a hit."""

_ID = re.compile(r"[a-zA-Z0-9][\w./-]{0,99}", re.ASCII)


def _one_of(*choices: str) -> Callable[[Any], bool]:
    return lambda value: value in choices


def _text(value: Any) -> bool:
    return isinstance(value, str) and value.isprintable()


def _size(value: Any) -> bool:
    return type(value) is int and 0 <= value <= ROOM


def _texts(value: Any) -> bool:
    return isinstance(value, tuple) and all(isinstance(one, str) for one in value)


_FIELDS: dict[str, Callable[[Any], bool]] = {
    "id": lambda value: (
        isinstance(value, str) and re.fullmatch(r"[a-zA-Z0-9][\w./-]{0,99}", value) is not None
    ),
    "label": _text,
    "title": _text,
    "severity": _one_of("info", "low", "medium", "high", "critical"),
    "remedy": _text,
    "pattern": lambda value: isinstance(value, str),
    "trigger": lambda value: isinstance(value, str),
    "unless": lambda value: isinstance(value, str),
    "before": _size,
    "after": _size,
    "run": _size,
    "action": _one_of("redact", "report"),
    "checks": _texts,
    "entropy": lambda value: type(value) in (int, float) and 0 <= value <= 8,
    "source": _text,
    "confidence": _one_of("high", "medium", "low"),
    "family": _text,
    "keywords": _texts,
    "path": lambda value: isinstance(value, str),
    "positive": _texts,
    "negative": _texts,
}
_MEANING = {
    "id": "letters, digits and ./_- (at most 100)",
    "severity": "info, low, medium, high or critical",
    "action": "redact or report",
    "confidence": "high, medium or low",
    "entropy": "a number from 0 to 8",
    **dict.fromkeys(("before", "after", "run"), f"a whole number from 0 to {ROOM}"),
    **dict.fromkeys(("checks", "keywords", "positive", "negative"), "a list of texts"),
    **dict.fromkeys(
        ("label", "title", "remedy", "source", "family", "pattern", "trigger", "unless", "path"),
        "a text in one line",
    ),
}
_REQUIRED = ("id", "label", "title", "severity", "remedy", "pattern")


def printable(text: str) -> str:
    """Return ``text`` in one line, without what a terminal would obey."""
    return "".join(one if one.isprintable() else " " for one in text)


def wrong(values: dict[str, Any]) -> str:
    """Return what is wrong with the fields of a rule, or nothing."""
    for key, value in values.items():
        if key not in _FIELDS:
            return f"it does not parse: unknown field {key!r}"
        if not _FIELDS[key](value):
            return f"it does not parse: {key} is not {_MEANING[key]}"
    missing = [key for key in _REQUIRED if not values.get(key)]
    return f"it does not parse: {', '.join(missing)} missing" if missing else ""
