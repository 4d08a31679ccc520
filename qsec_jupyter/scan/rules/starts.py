"""Makes :mod:`re` pass over places where a match cannot begin; by itself it does so for cased letters."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from ..notations import parsed

_FLAGS = re.compile(r"\(\?[aimsux]+\)")
_MOST = 64
"""With more bytes to begin with, looking ahead costs more than it saves."""


def quick(pattern: str) -> re.Pattern[bytes]:
    """Return ``pattern`` compiled, behind a look at the one byte with which a match begins."""
    plain = re.compile(pattern.encode())
    first = _first(parsed(pattern.encode()), bool(plain.flags & re.IGNORECASE))
    if not first or len(first) > _MOST or plain.flags & re.VERBOSE:
        return plain
    flags = _FLAGS.match(pattern)
    head = flags[0] if flags else ""
    ahead = "".join(f"\\x{byte:02x}" for byte in sorted(first))
    return re.compile(f"{head}(?=[{ahead}])(?:{pattern[len(head) :]})".encode())


def _first(tree: Iterable[Any], ignore_case: bool) -> frozenset[int] | None:
    """Return the bytes with which a match can begin; ``None`` when that may be any, or no byte at all."""
    found: frozenset[int] = frozenset()
    for operation, value in tree:
        kind = str(operation)
        if kind in {"AT", "ASSERT", "ASSERT_NOT"}:
            continue
        bytes_, may_be_empty = _of(kind, value, ignore_case)
        if bytes_ is None:
            return None
        found |= bytes_
        if not may_be_empty:
            return found
    return None


def _of(kind: str, value: Any, ignore_case: bool) -> tuple[frozenset[int] | None, bool]:
    """Return the first bytes of one part, and whether it may be empty."""
    if kind == "LITERAL":
        return _cased({value}, ignore_case), False
    if kind == "IN":
        return _members(value, ignore_case), False
    if kind in {"MAX_REPEAT", "MIN_REPEAT"}:
        least, _, inner = value
        return _first(inner, ignore_case), not least
    if kind == "SUBPATTERN":
        _, added, taken, inner = value
        ignoring = (ignore_case or bool(added & re.IGNORECASE)) and not taken & re.IGNORECASE
        return _first(inner, ignoring), False
    if kind == "BRANCH":
        each = [_first(branch, ignore_case) for branch in value[1]]
        return (None if None in each else frozenset().union(*filter(None, each))), False
    return None, False


def _members(members: Any, ignore_case: bool) -> frozenset[int] | None:
    found: set[int] = set()
    for operation, value in members:
        kind = str(operation)
        if kind == "LITERAL":
            found.add(value)
        elif kind == "RANGE":
            found.update(range(value[0], value[1] + 1))
        else:
            return None
    return _cased(found, ignore_case)


def _cased(found: Iterable[int], ignore_case: bool) -> frozenset[int]:
    """Return bytes in both cases, as expressions over bytes tell them: ASCII only."""
    if not ignore_case:
        return frozenset(found)
    return frozenset(byte for one in found for byte in (*bytes([one]).lower(), *bytes([one]).upper()))
