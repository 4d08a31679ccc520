"""What a call of Qiskit was given, and what backends and primitives have in common."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Any

from ... import execution
from ...run import Json
from .. import keeping, values
from . import jobs

VALUES = ("observables", "parameter_values")
"""What first versions of the primitives take beside the circuits."""

_SEEDS = ("seed_simulator", "seed_transpiler", "seed")
_INPUTS = ("pubs", "circuits", "run_input", "program", "instructions")


class Qiskit:
    """What all that runs circuits in Qiskit has in common."""

    name = "qiskit"
    method = "run"

    def operation(self, instance: Any) -> str:
        """Return package, class and method, such as ``qiskit_aer.AerSimulator.run``."""
        cls = type(instance)
        return f"{cls.__module__.partition('.')[0]}.{cls.__qualname__}.run"

    def settle(self, args: tuple[Any, ...], options: Json) -> tuple[Any, ...]:
        """Return the arguments in a form that can be read twice: an iterator of pubs is read here, once."""
        name = next((name for name in _INPUTS if name in options), None)
        given = args[0] if args else options.get(name or "")
        if not isinstance(given, Iterator):
            return args
        if args:
            return (_read(given), *args[1:])
        options[str(name)] = _read(given)
        return args

    def observe(self, job: Any, finish: execution.Finish) -> None:
        """Learn of the end from the job's own future, or when the user fetches the result; never fetch it."""
        jobs.observe(job, finish)


def is_circuit(value: Any) -> bool:
    """Say whether this is a ``QuantumCircuit``."""
    module = sys.modules.get("qiskit.circuit.quantumcircuit")
    return module is not None and isinstance(value, module.QuantumCircuit)


def given_circuits(args: tuple[Any, ...], options: Json) -> list[Any]:
    """Return circuits or pubs, whether one or many were given."""
    given = args[0] if args else next((options[name] for name in _INPUTS if name in options), ())
    return [given] if is_circuit(given) or not isinstance(given, Iterable) else list(given)


def _read(given: Iterator[Any]) -> list[Any] | _Replay:
    """Read an iterator to its end, or to the error it raises; the framework then meets the same error."""
    items: list[Any] = []
    try:
        items.extend(given)  # keeps what came before an error
    except Exception as error:  # noqa: BLE001  # the user's own; raised again where the framework reads on
        return _Replay(items, error)
    return items


class _Replay(list[Any]):
    """What an iterator gave before it raised, and then the same error."""

    def __init__(self, items: list[Any], error: Exception) -> None:
        super().__init__(items)
        self._error = error

    def __iter__(self) -> Iterator[Any]:
        yield from super().__iter__()
        raise self._error


class Values:
    """Parameter values and observables of one call, read while the caller waits.

    Args:
        digested: What the record's digest is of; ``None`` for a call without any.
        given: The same in its places, so that a replay can give them again.
    """

    def __init__(self, digested: Any = None, given: Any = None) -> None:
        self._unknown: list[str] = []
        self._gaps: list[str] = []
        self._none = digested is None
        if not self._none:
            self._read = values.Read(digested, self._unknown)
            self._given = keeping.read_values(given, self._gaps)

    def describe(self, gaps: list[str]) -> Json | None:
        """Return digest and evidence, or ``None`` for a call without values."""
        if self._none:
            return None
        gaps += self._gaps
        if self._unknown:
            kinds = ", ".join(sorted(set(self._unknown)))
            gaps.append(f"parameters hold values that have no fixed form: {kinds}")
        found = self._read.digest(values.VALUES)
        kept = None if self._given is None else keeping.keep_json(keeping.VALUES_TYPE, self._given)
        return {**found, "evidence": kept} if kept else found


def options_of(options: Json, gaps: list[str]) -> Json:
    """Return what was set for this call; objects are named by their type alone."""
    found: Json = {}
    for name, value in options.items():
        if name in _INPUTS or name in VALUES or name == "parameter_binds":
            continue
        if value is None or isinstance(value, (bool, int, float, str)):
            found[name] = value
        else:
            found[name] = {"type": type(value).__qualname__}
            gaps.append(f"option {name} is recorded by its type only")
    return found


def seeds(options: Json, settings: Json) -> Json:
    """Return the seeds of this call, or of what it is called on."""
    found = {name: options.get(name, settings.get(name)) for name in _SEEDS}
    return {name: seed for name, seed in found.items() if isinstance(seed, int)}


def describe_backend(backend: Any) -> Json:
    """Return what a backend is called and which version it is; no calls to its provider."""
    cls = type(backend)
    name = getattr(backend, "name", None)
    version = getattr(backend, "backend_version", None)
    return {
        "name": name if isinstance(name, str) else cls.__qualname__,
        "version": None if version is None else str(version),
        "type": f"{cls.__module__}.{cls.__qualname__}",
        "provider": cls.__module__.partition(".")[0],
    }
