"""Amazon Braket: every device, local or remote, by ``run`` and ``run_batch``.

A circuit is kept as the OpenQASM 3 that Braket itself submits, every other program as its own JSON. A
remote task's result is recorded when its owner reads it; it is never fetched for the record.
"""

from __future__ import annotations

import functools
import sys
from types import ModuleType
from typing import Any

from .. import execution
from ..run import Run
from .fetching import when_fetched
from .programs import Json, Programs, artefact, describe_programs, finish_with, options_of
from .values import VALUES, digest, number

OPENQASM = "text/vnd.openqasm"
BRAKET_IR = "application/vnd.braket.ir+json"
RESULT = "qsec.dev/result/braket/v1"

_PROGRAMS = ("task_specification", "task_specifications")
_NOT_OPTIONS = frozenset({"self", *_PROGRAMS, "shots", "inputs"})
_MEASURED = ("measurements", "measured_qubits", "values", "measurement_counts", "record_array")


def hook(module: ModuleType) -> None:
    """Hook ``braket.devices.Device``, right after the module that defines it was executed."""
    for method in ("run", "run_batch"):
        execution.hook(module.Device, Devices(method))


class Devices(Programs):
    """``Device.run(task_specification, shots)`` and ``Device.run_batch(task_specifications, shots)``."""

    name = "braket"

    def describe(self, run: Run, instance: Any, args: tuple[Any, ...], options: Json) -> None:
        """Fill in device, programs, inputs and shots."""
        given = self.given(instance, args, options)
        run.backend = _device(instance)
        run.execution |= {
            "type": "backend",
            "circuits": describe_programs(_programs(given), _program, run.gaps),
            "parameters": _inputs(given.get("inputs"), run.gaps),
            "shots": number(given.get("shots")),
            "options": options_of(given, _NOT_OPTIONS, run.gaps),
        }

    def summarise(self, instance: Any, args: tuple[Any, ...], options: Json) -> Json:
        """Return device, number of programs and shots of a nested call."""
        given = self.given(instance, args, options)
        backend = _device(instance)["name"]
        return {"backend": backend, "circuits": len(_programs(given)), "shots": number(given.get("shots"))}

    def observe(self, job: Any, finish: execution.Finish) -> None:
        """Record a local result now, and a remote one when its owner reads it."""
        read = "results" if self.method == "run_batch" else "result"
        then = functools.partial(_ended, finish)
        if type(job).__module__.startswith("braket.tasks.local_"):
            then(getattr(job, read)())  # made with its result: nothing is fetched
        else:
            when_fetched(job, read, then)


def _ended(finish: execution.Finish, result: Any) -> None:
    results = result if isinstance(result, list) else [result]
    if any(one is None for one in results):  # what Braket returns for a task that failed or was cancelled
        finish("failed", error_type="TaskFailed")
        return
    finish_with(finish, [_measured(one) for one in results], RESULT)


def _measured(result: Any) -> Json:
    """Return what a result holds beside its metadata, which names times and ids."""
    found = {name: getattr(result, name, None) for name in _MEASURED}
    if found["measurement_counts"] is not None:
        found["measurement_counts"] = dict(found["measurement_counts"])
    return {name: value for name, value in found.items() if value is not None}


def _programs(given: Json) -> list[Any]:
    programs = next((given[name] for name in _PROGRAMS if name in given), ())
    return list(programs) if isinstance(programs, (list, tuple)) else [programs]


def _program(program: Any) -> Json:
    circuits: Any = sys.modules.get("braket.circuits")
    if circuits is not None and isinstance(program, circuits.Circuit):
        source = program.to_ir(ir_type=circuits.serialization.IRType.OPENQASM).source
        size = {"width": program.qubit_count, "depth": program.depth, "size": len(program.instructions)}
        return {"program": artefact(source, OPENQASM), **size}
    if isinstance(getattr(program, "source", None), str):
        return {"program": artefact(program.source, OPENQASM)}
    serial = program if hasattr(program, "json") else program.to_ir()
    return {"program": artefact(serial.json(), BRAKET_IR)}


def _inputs(inputs: Any, gaps: list[str]) -> Json | None:
    if not inputs:
        return None
    unknown: list[str] = []
    found = digest(inputs, VALUES, unknown)
    if unknown:
        gaps.append(f"parameters hold values that have no fixed form: {', '.join(sorted(set(unknown)))}")
    return found


def _device(device: Any) -> Json:
    """Return what a device is called, from what it knows already; no call to its provider."""
    cls = type(device)
    return {
        "name": str(getattr(device, "_name", None) or cls.__qualname__),
        "version": None,
        "type": f"{cls.__module__}.{cls.__qualname__}",
        "provider": getattr(device, "_provider_name", None) or cls.__module__.partition(".")[0],
        **({"instance": arn} if isinstance(arn := getattr(device, "_arn", None), str) else {}),
    }
