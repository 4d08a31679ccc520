"""Reads every source that settings name, each by its kind."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ..rules.loader import Rule
from . import own
from .model import Collection, Finder, Refused

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # type: ignore[import-not-found,unused-ignore]

__all__ = ["Collection", "Finder", "Refused", "collect"]


def collect(sources: Sequence[str], shipped: Iterable[Rule] = ()) -> Collection:
    """Return what the named sources give.

    Args:
        sources: Paths of rule files.
        shipped: Rules whose ids are taken.

    What cannot be used is in ``refused``, by name and with the reason; nothing is raised for it.
    """
    found = Collection()
    for source in sources:
        found += _read(Path(source).expanduser())
    taken = {rule.id for rule in shipped}

    def repeated(rule: Rule) -> str:
        if rule.id in taken:
            return "the id is taken; give it one of its own"
        taken.add(rule.id)
        return ""

    return found.without(repeated)


def _read(path: Path) -> Collection:
    try:
        content = path.read_bytes()
    except OSError as error:
        return _refused(path, f"it cannot be read ({error.strerror or type(error).__name__})")
    read = _toml(path, content)
    return Collection(read.rules, read.finders, read.refused, (path, *read.inputs))


def _toml(path: Path, content: bytes) -> Collection:
    try:
        parsed: dict[str, Any] = tomllib.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        where = f" ({error})" if isinstance(error, tomllib.TOMLDecodeError) else ""
        return _refused(path, f"it is not TOML in UTF-8{where}")
    if isinstance(parsed.get("rule"), list):
        return own.read(path, parsed)
    return _refused(path, "it holds no [[rule]]")


def _refused(path: Path, why: str) -> Collection:
    return Collection(refused=(Refused(str(path), "", why),))
