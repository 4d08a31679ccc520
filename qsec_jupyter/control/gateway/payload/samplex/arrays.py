"""Arrays in JSON: base64, a shape, the type of the elements, and nothing that could hold a name."""

from __future__ import annotations

import re
from typing import Any

_DATA = re.compile(r"[A-Za-z0-9+/]*={0,2}", re.ASCII)
_TYPE = re.compile(r"bool|[ciuf]\d{1,3}", re.ASCII)
ARRAY = re.compile(
    rf'\{{"data":"{_DATA.pattern}","shape":\[[\d,]*\],"dtype":"(?:{_TYPE.pattern})"\}}', re.ASCII
)
"""One that is itself written as a text."""


def is_array(value: dict[str, Any]) -> bool:
    """Say whether an object is an array."""
    return (
        set(value) == {"data", "shape", "dtype"}
        and _fits(_DATA, value["data"])
        and _fits(_TYPE, value["dtype"])
        and isinstance(value["shape"], list)
        and all(type(size) is int for size in value["shape"])
    )


def _fits(pattern: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None
