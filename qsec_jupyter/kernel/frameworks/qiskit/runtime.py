"""qiskit-ibm-runtime: what runs outside every base class of Qiskit, the choke point, and jobs found again.

``Executor``, the noise learners and ``Calibrator`` derive from nothing of Qiskit's. Everything that is
submitted passes through the service's ``_run``: a submission there that no recorded call made is a finding.
"""

from __future__ import annotations

import functools
import sys
import weakref
from collections.abc import Callable
from types import ModuleType
from typing import Any

from ... import execution, hooking
from ...run import Json, Run
from ..fetching import Failed, Then, when_a_stranger_is_fetched
from ..values import number
from . import details, jobs
from .circuits import Circuits
from .inputs import Qiskit, Values, describe_backend, given_circuits, is_circuit, options_of

PROGRAMS = {
    "Executor": "executor",
    "NoiseLearner": "learner",
    "NoiseLearnerV3": "learner",
    "Calibrator": "learner",
}
"""Classes with a ``run`` that no base class has, and the type of execution that each is."""

_SUBMISSIONS = ("_run", "_run_executor")
_finished: weakref.WeakSet[Any] = weakref.WeakSet()


class Programs(Qiskit):
    """``Executor.run(program)``, ``NoiseLearner.run(circuits)`` and their kin.

    Args:
        kind: ``executor`` or ``learner``.
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def describe(self, run: Run, instance: Any, args: tuple[Any, ...], options: Json) -> None:
        """Copy circuits and values; the rest is filled in later."""
        given = _given(args, options)
        found = _circuits(given)
        circuits, values = Circuits(found), _values(given)
        asked, backend = dict(options), getattr(instance, "_backend", None)

        def call(record: Json) -> None:
            record["backend"].update(describe_backend(instance if backend is None else backend))
            record["execution"] |= {
                "type": self._kind,
                "circuits": circuits.describe(record["gaps"]),
                "parameters": values.describe(record["gaps"]),
                "shots": number(getattr(given, "shots", None)),
                "options": options_of(asked, record["gaps"]),
                "seeds": {},
            }

        run.later.append(call)
        details.note(run, instance, instance if backend is None else backend, options, found)

    def summarise(self, instance: Any, args: tuple[Any, ...], options: Json) -> Json:
        """Return backend and number of circuits of a nested call."""
        backend = getattr(instance, "_backend", None)
        name = describe_backend(instance if backend is None else backend)["name"]
        return {"backend": name, "circuits": len(_circuits(_given(args, options)))}


def hook_program(module: ModuleType) -> None:
    """Hook the classes of ``PROGRAMS`` that a module of the runtime defines."""
    for name, kind in PROGRAMS.items():
        found = getattr(module, name, None)
        if isinstance(found, type) and found.__module__ == module.__name__:
            execution.hook(found, Programs(kind))


def _given(args: tuple[Any, ...], options: Json) -> Any:
    """Return the one thing that was given: a program, or circuits, pubs or instructions."""
    given = (
        args[0]
        if args
        else next((options[n] for n in ("program", "circuits", "instructions") if n in options), ())
    )
    return given if hasattr(given, "items") else given_circuits((given,), {})


def _circuits(given: Any) -> list[Any]:
    if hasattr(given, "items"):
        items = given.items
        return [item.circuit for item in items] if not callable(items) else []
    if given and all(hasattr(item, "operation") for item in given):
        return [_together(given)]
    return [
        item if is_circuit(item) else item[0] if isinstance(item, (list, tuple)) else item.circuit
        for item in given
    ]


def _together(instructions: list[Any]) -> Any:
    """Return the circuit that instructions make on the bits that they name, in order of appearance."""
    circuit_class = sys.modules["qiskit.circuit.quantumcircuit"].QuantumCircuit
    bits = (
        dict.fromkeys(bit for item in instructions for bit in getattr(item, kind))
        for kind in ("qubits", "clbits")
    )
    circuit = circuit_class(*map(list, bits))
    for item in instructions:
        circuit.append(item)
    return circuit


def _values(given: Any) -> Values:
    if not hasattr(given, "items") or callable(given.items):
        return Values()
    held = [
        [getattr(item, name, None) for name in ("circuit_arguments", "samplex_arguments", "shape")]
        for item in given.items
    ]
    return Values(held, held)


# -- the choke point ---------------------------------------------------------------------------


def hook_service(module: ModuleType) -> None:
    """Watch the submissions of a service that a module of the runtime defines."""
    for name in ("QiskitRuntimeService", "QiskitRuntimeLocalService"):
        service = getattr(module, name, None)
        for method in _SUBMISSIONS if isinstance(service, type) else ():
            hooking.hook_method(service, method, _tripwire)


def _tripwire(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def submit(self: Any, *args: Any, **options: Any) -> Any:
        __tracebackhide__ = True
        execution.untracked(f"qiskit_ibm_runtime.{original.__qualname__}", _submission(args, options))
        return original(self, *args, **options)

    return submit


def _submission(args: tuple[Any, ...], options: Json) -> Callable[[], Json]:
    """Return what says what is submitted; it is asked only for a submission that nobody has announced."""

    def told() -> Json:
        program = options.get("program_id", args[0] if args and isinstance(args[0], str) else "executor")
        settings = options.get("options") or {}
        backend = options.get("backend") or (
            settings.get("backend") if isinstance(settings, dict) else getattr(settings, "backend", None)
        )
        name = (
            backend
            if isinstance(backend, str)
            else describe_backend(backend)["name"]
            if backend
            else "unknown"
        )
        return {"program": str(program), "backend": str(name)}

    return told


# -- jobs of an earlier kernel -----------------------------------------------------------------


def hook_job(module: ModuleType) -> None:
    """Have runs of earlier kernels completed when their results are read in this one."""
    when_a_stranger_is_fetched(module.RuntimeJobV2, "result", _stranger)


def _stranger(job: Any) -> tuple[Then, Failed] | None:
    if job in _finished:
        return None
    finish = execution.found_again("qiskit", "qiskit_ibm_runtime.RuntimeJobV2.result", jobs.named(job))
    if finish is None:
        return None

    def failed(error: BaseException) -> bool:
        ended = jobs.failed(error, finish)
        if ended:
            _finished.add(job)
        return ended

    def then(result: Any) -> None:
        _finished.add(job)
        jobs.of_result(result, finish)

    return then, failed
