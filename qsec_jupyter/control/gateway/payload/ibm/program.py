"""What each program of the runtime is given: which circuits it runs, and how often.

Shots are what is asked for, all circuits and sets of values together, before anything that error mitigation
adds. Where a precision is asked for, they are those that reach it, once for each basis that is measured in.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterable
from typing import Any

from .. import refusals
from ..openqasm import Program
from ..packing import Room
from ..samplex import is_array
from .blobs import Blob, Blobs
from .texts import Texts

_LETTERS = frozenset("IXYZ01+-rl")
_MAX_TERMS = 2_000
"""Above this many terms each is taken to be measured by itself."""


def circuits_of(program: str, params: dict[str, Any], blobs: Blobs, texts: Texts) -> list[Blob | Program]:
    """Return the circuits that a program runs, in order: QPY, or OpenQASM where pubs hold it.

    Raises:
        Invalid: ``payload.unsupported`` for a program that nobody here knows, ``payload.malformed``.
    """
    if program in ("sampler", "estimator"):
        return [texts.of(pub) if isinstance(pub[0], str) else blobs.of(pub[0]) for pub in _pubs(params)]
    if program == "noise-learner":
        given = params.get("circuits", params.get("instructions"))
        return [blobs.of(item) for item in (given if isinstance(given, list) else [given])]
    if program == "executor":
        quantum = _object(params, "quantum_program")
        if "circuits" in quantum:
            return [blobs.of(quantum["circuits"])]
        return [blobs.of(item.get("circuit")) for item in _items(quantum)]
    if program == "calibrate":
        return []
    raise refusals.unsupported("a program that the gateway does not know")


def shots_of(program: str, params: dict[str, Any], room: Room) -> int | None:
    """Return how often circuits are run, all together; ``None`` where the provider's default applies.

    Raises:
        Invalid: ``payload.malformed``.
    """
    try:
        counts = list(_COUNTS[program](params, room)) if program in _COUNTS else [None]
        total = 0
        for count in counts:
            if count is None:
                return None
            total += count
        return total
    except (TypeError, ValueError, KeyError, IndexError, AttributeError, ArithmeticError) as error:
        raise refusals.malformed("what a program is given has another form") from error


def _sampler(params: dict[str, Any], room: Room) -> Iterable[int | None]:
    options = params.get("options") or {}
    usual = params.get("shots")
    if usual is None:
        usual = _twirled(options, usual=False) or options.get("default_shots")
    for pub in _pubs(params):
        shots = pub[2] if len(pub) > 2 and pub[2] is not None else usual
        values = pub[1] if len(pub) > 1 else None
        yield None if shots is None else _count(shots) * math.prod(_sets(values, room))


def _estimator(params: dict[str, Any], room: Room) -> Iterable[int | None]:
    options = params.get("options") or {}
    twirled = _twirled(options, usual=True)
    for pub in _pubs(params):
        precision = pub[3] if len(pub) > 3 and pub[3] is not None else params.get("precision")
        shots = twirled
        if shots is None and precision is None:
            shots, precision = options.get("default_shots"), options.get("default_precision")
        if precision is not None and (shots is None or twirled is not None):
            shots = max(shots or 0, math.ceil(1 / float(precision) ** 2))
        values = pub[2] if len(pub) > 2 else None
        each = math.prod(_sets(values, room)) * _bases(pub[1])
        yield None if shots is None else _count(shots) * each


def _executor(params: dict[str, Any], room: Room) -> Iterable[int | None]:
    quantum = _object(params, "quantum_program")
    for item in _items(quantum):
        shape = list(item.get("shape") or ())
        if "circuit_arguments" in item:
            if not is_array(item["circuit_arguments"]):
                raise ValueError
            given = item["circuit_arguments"]["shape"][:-1]
            shape = given if math.prod(map(_count, given)) > math.prod(map(_count, shape)) else shape
        yield _count(quantum["shots"]) * math.prod(map(_count, shape))


def _learner(params: dict[str, Any], room: Room) -> Iterable[int | None]:
    options = params.get("options") or {}
    names = ("num_randomizations", "shots_per_randomization")
    if any(not isinstance(options.get(name), int) for name in names):
        yield None
        return
    layers = options.get("max_layers_to_learn") or 1
    yield math.prod(_count(options[name]) for name in names) * _count(layers)


_COUNTS = {"sampler": _sampler, "estimator": _estimator, "executor": _executor, "noise-learner": _learner}


def _twirled(options: dict[str, Any], *, usual: bool) -> int | None:
    """Return the shots that twirling sets; they come before the usual ones. It may be on where ``usual``."""
    twirling = options.get("twirling") or {}
    said = [twirling.get(name) for name in ("enable_gates", "enable_measure")]
    if not any(usual if one is None else one for one in said):
        return None
    parts: list[Any] = [twirling.get(name) for name in ("num_randomizations", "shots_per_randomization")]
    return math.prod(parts) if all(type(part) is int for part in parts) else None


def _sets(values: Any, room: Room) -> tuple[int, ...]:
    """Return the shape of sets of values: an array's without its last axis, over a circuit's parameters."""
    if isinstance(values, dict) and values.get("__type__") == "BindingsArray":
        return tuple(map(_count, values["__value__"]["shape"]))
    if isinstance(values, dict) and "__type__" not in values:
        shapes = [_shape(value, room) for value in values.values()]
        return max(shapes, key=math.prod, default=())
    return _shape(values, room)[:-1]


def _shape(values: Any, room: Room) -> tuple[int, ...]:
    if isinstance(values, dict):
        if values.get("__type__") != "ndarray":
            raise ValueError
        if isinstance(values["__value__"], str):
            return _array_shape(room.unpack(room.decode(values["__value__"])))
        values = values["__value__"]
    shape = []
    while isinstance(values, list):
        shape.append(len(values))
        values = values[0] if values else None
    return tuple(shape)


def _array_shape(data: bytes) -> tuple[int, ...]:
    """Return the shape that the header of a NumPy file tells."""
    from numpy.lib import format as files

    file = io.BytesIO(data)
    version = files.read_magic(file)
    shape, _, kind = (
        files.read_array_header_1_0(file) if version == (1, 0) else files.read_array_header_2_0(file)
    )
    if kind.hasobject or math.prod(shape) * kind.itemsize != len(data) - file.tell():
        raise ValueError
    return tuple(shape)


def _bases(observables: Any) -> int:
    """Return in how many bases observables are measured: terms that agree on each qubit share one."""
    terms = sorted({term for term in _terms(observables) if term.strip("I") and _LETTERS.issuperset(term)})
    if len(terms) > _MAX_TERMS:
        return len(terms)
    bases: list[list[str]] = []
    for term in terms:
        basis = next((basis for basis in bases if _agree(basis, term)), None)
        if basis is None:
            bases.append(list(term))
        else:
            basis[:] = [new if old == "I" else old for old, new in zip(basis, term, strict=True)]
    return max(1, len(bases))


def _agree(basis: list[str], term: str) -> bool:
    return len(basis) == len(term) and all(
        "I" in (old, new) or old == new for old, new in zip(basis, term, strict=True)
    )


def _terms(observables: Any) -> Iterable[str]:
    waiting = [observables]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, dict) and "__type__" in value:
            waiting.append(value.get("__value__"))
        elif isinstance(value, dict):
            yield from value


def _pubs(params: dict[str, Any]) -> list[list[Any]]:
    pubs = params.get("pubs")
    if not isinstance(pubs, list) or any(not isinstance(pub, list) or not pub for pub in pubs):
        raise refusals.malformed("a program has no pubs")
    return pubs


def _items(quantum: dict[str, Any]) -> list[dict[str, Any]]:
    items = quantum.get("items")
    if not isinstance(items, list) or any(not isinstance(item, dict) for item in items):
        raise refusals.malformed("a quantum program has no items")
    return items


def _object(params: dict[str, Any], name: str) -> dict[str, Any]:
    value = params.get(name)
    if not isinstance(value, dict):
        raise refusals.malformed(f"a program has no {name}")
    return value


def _count(value: Any) -> int:
    """Return a count; what is no whole number from 0 up has no place there."""
    if type(value) is not int or value < 0:
        raise ValueError
    return value
