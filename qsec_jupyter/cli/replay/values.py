"""Parameter values and observables out of their evidence; ``docs/formats/evidence.md`` has the form."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import numpy

_MOST_BYTES = 256 * 1024 * 1024


def read(data: bytes | None) -> dict[str, Any]:
    """Return ``{"pubs": [...], "more": [...]}`` or ``{"binds": ...}``; empty for a run without values.

    Raises:
        ValueError: If it is something else.
    """
    given = _value(json.loads(data)) if data else {}
    if not isinstance(given, dict):
        raise ValueError("these are not the values of a run")  # noqa: TRY004  # the file is wrong, not a type
    return given


def _value(told: Any) -> Any:
    if isinstance(told, list):
        return [_value(item) for item in told]
    if not isinstance(told, dict):
        return told
    ((kind, held),) = told.items()
    return _KINDS[kind](held)


def _array(held: Any) -> Any:
    kind, shape, text = held
    data = base64.b64decode(text, validate=True)
    dtype = numpy.dtype(kind)
    if dtype.hasobject or len(data) > _MOST_BYTES:
        raise ValueError("an array of a kind that is not kept")
    return numpy.frombuffer(data, dtype).reshape(shape).copy()


def _bindings(held: Any) -> Any:
    from qiskit.primitives.containers.bindings_array import BindingsArray

    return BindingsArray({tuple(names): _value(array) for names, array in held})


def _sparse_pauli(held: Any) -> Any:
    from qiskit.quantum_info import SparsePauliOp

    return SparsePauliOp.from_list([(label, complex(*coefficient)) for label, coefficient in held])


def _pauli(held: Any) -> Any:
    from qiskit.quantum_info import Pauli

    return Pauli(held)


def _observables(held: Any) -> Any:
    from qiskit.primitives.containers.observables_array import ObservablesArray

    return ObservablesArray(held)


def _key(name: Any) -> Any:
    return tuple(name) if isinstance(name, list) else name


_KINDS: dict[str, Callable[[Any], Any]] = {
    "complex": lambda held: complex(*held),
    "map": lambda held: {_key(name): _value(item) for name, item in held},
    "array": _array,
    "list": lambda held: numpy.array([_value(item) for item in held], dtype=object),
    "bindings": _bindings,
    "observables": _observables,
    "sparse_pauli": _sparse_pauli,
    "pauli": _pauli,
}
