"""TOML from whichever module this Python has; imported when something is read, since few starts need it."""

from __future__ import annotations

import sys
from typing import Any


def loads(text: str) -> dict[str, Any]:
    """Return the tables in ``text``.

    Raises:
        ValueError: when it is not TOML.
    """
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib  # type: ignore[import-not-found,unused-ignore]
    found: dict[str, Any] = tomllib.loads(text)
    return found
