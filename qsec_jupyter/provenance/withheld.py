"""Takes values out of a record whose name says that they are secrets, before they are signed for ever.

Redaction in the kernel knows the values that were issued. This is for the others: a token that somebody gave
to a run as an option.
"""

from __future__ import annotations

import re
from typing import Any

MARK = "[withheld]"

_SECRET = re.compile(
    r"(?:^|[_\-.])(?:api[_-]?)?(?:token|secret|passw(?:or)?d|passphrase|credentials?|authorization|api[_-]?key|private[_-]?key)$",
    re.IGNORECASE,
)


def withhold(value: Any) -> tuple[Any, list[str]]:
    """Return a JSON value with such values replaced by ``MARK``, and the names of those fields."""
    names: list[str] = []
    return _without(value, names), list(dict.fromkeys(names))


def _without(value: Any, names: list[str]) -> Any:
    if isinstance(value, dict):
        return {key: _field(key, item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [_without(item, names) for item in value]
    return value


def _field(name: str, value: Any, names: list[str]) -> Any:
    if isinstance(value, str) and value and _SECRET.search(name):
        names.append(name)
        return MARK
    return _without(value, names)
