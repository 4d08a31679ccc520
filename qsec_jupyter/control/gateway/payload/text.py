"""JSON that says one thing only: no name twice in an object, nothing but JSON, not too deep."""

from __future__ import annotations

import json
from typing import Any

from . import refusals


def read(body: bytes, nesting: int) -> Any:
    """Return what the body says.

    Raises:
        Invalid: ``payload.malformed``, also for what can be read in two ways; ``payload.too_costly``.
    """
    try:
        value = _decoder.decode(body.decode())
    except RecursionError as error:
        raise refusals.too_costly("it nests too deeply") from error
    except ValueError as error:
        raise refusals.malformed(str(error) if type(error) is _Ambiguous else "it is not JSON") from error
    if not isinstance(value, dict):
        raise refusals.malformed("it is not a JSON object")
    _check_nesting(value, nesting)
    return value


def write(value: Any) -> bytes:
    """Return the body that says this."""
    return json.dumps(value, separators=(",", ":")).encode()


class _Ambiguous(ValueError):
    """JSON that two readers would understand differently."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Ambiguous("a name stands twice in one object")
    return found


_decoder = json.JSONDecoder(object_pairs_hook=_once)


def _check_nesting(value: Any, most: int) -> None:
    level = [value]
    for _ in range(most):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, (dict, list))
        ]
        if not level:
            return
    raise refusals.too_costly("it nests too deeply")
