"""Digests of what goes into a run and of what comes out, the same for every framework.

Values become JSON of one fixed form: numbers by their shortest exact text, arrays as type, shape and the
SHA-256 of their bytes in C order, maps by sorted key. What has no fixed form is named, never guessed.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

Json = dict[str, Any]

VALUES = "qsec.dev/values/v1"
"""The encoding of parameter values and observables."""

MOST_BYTES = 64 * 1024 * 1024
"""Arrays beyond this are not digested beside a run (bytes)."""

_SCALARS = frozenset({type(None), bool, int, float, complex, str})
_CONVERSIONS = ("as_array", "to_list", "tolist", "to_dict")
"""How BindingsArray, SparsePauliOp, ObservablesArray and their kin say what they hold."""


def digest(value: Any, encoding: str, unknown: list[str]) -> Json:
    """Return ``{"sha256", "encoding"}`` of a value; types without a fixed form are added to ``unknown``."""
    text = json.dumps(plain(value, unknown), sort_keys=True, separators=(",", ":"))
    return {
        "sha256": hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(),
        "encoding": encoding,
    }


class Read:
    """A value as it is now, cheaply: what its owner may change is copied, and the digest is made later.

    Args:
        value: What :func:`plain` takes.
        unknown: Receives the types without a fixed form.
    """

    __slots__ = ("_copy",)

    def __init__(self, value: Any, unknown: list[str]) -> None:
        self._copy = _copied(value, unknown)

    def digest(self, encoding: str) -> Json:
        """Return ``{"sha256", "encoding"}``, the same as :func:`digest` of the value."""
        return digest(self._copy, encoding, [])


class _Plain:
    """What :func:`plain` has returned already."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


def _copied(value: Any, unknown: list[str]) -> Any:
    if type(value) in _SCALARS:
        return value
    if isinstance(value, dict):
        if _SCALARS.issuperset(map(type, value.values())):
            return dict(value)
        return {key: _copied(item, unknown) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        if _SCALARS.issuperset(map(type, value)):
            return list(value)
        return [_copied(item, unknown) for item in value]
    return _Plain(plain(value, unknown))


def number(value: Any) -> int | None:
    """Return an integer that is one, ``None`` for anything else."""
    return int(value) if isinstance(value, (int, float)) else None


def plain(value: Any, unknown: list[str]) -> Any:  # noqa: PLR0911  # one return for each kind of value
    """Return a value as JSON with a fixed form; name the types that have none."""
    if isinstance(value, _Plain):
        return value.value
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float.__repr__(value)
    if isinstance(value, complex):
        return [float.__repr__(value.real), float.__repr__(value.imag)]
    if isinstance(value, dict):
        return {str(key): plain(item, unknown) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item, unknown) for item in value]
    if hasattr(value, "__array__") and hasattr(value, "dtype"):
        return array(value)
    for attribute in ("array", "data"):  # BitArray; Statevector, DensityMatrix and their kin
        inner = getattr(value, attribute, None)
        if hasattr(inner, "dtype"):
            return {type(value).__qualname__: array(inner), "bits": getattr(value, "num_bits", None)}
    for method in _CONVERSIONS:
        convert = getattr(value, method, None)
        if callable(convert):
            return plain(convert(), unknown)
    unknown.append(type(value).__qualname__)
    return None


def array(value: Any) -> Any:
    """Return an array as type, shape and digest of its bytes; arrays of objects item by item."""
    import numpy  # every framework has imported it

    found = numpy.ascontiguousarray(value)
    if found.nbytes > MOST_BYTES:
        raise ValueError("too large to digest beside a run")
    if found.dtype == object:
        return [plain(item, []) for item in found.ravel().tolist()]
    return [found.dtype.str, list(numpy.shape(value)), hashlib.sha256(found.tobytes()).hexdigest()]
