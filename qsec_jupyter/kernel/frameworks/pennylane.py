"""PennyLane: every device, by ``execute`` and the methods that execute and differentiate at once.

A QNode ends there once for each step of an optimisation, and each is a run. A tape is kept as PennyLane's
own pytree form: its structure as JSON, and its numbers.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from types import ModuleType
from typing import Any

from .. import execution
from ..run import Run
from .programs import Json, Programs, artefact, describe_programs, finish_with
from .values import number, plain

MEDIA_TYPE = "application/vnd.pennylane.pytree+json"
RESULT = "qsec.dev/result/pennylane/v1"

METHODS = (
    "execute",
    "execute_and_compute_derivatives",
    "execute_and_compute_jvp",
    "execute_and_compute_vjp",
)
"""Every method of a device that executes circuits."""


def hook(module: ModuleType) -> None:
    """Hook ``pennylane.devices.Device``, right after the module that defines it was executed."""
    for method in METHODS:
        execution.hook(module.Device, Devices(method))


class Devices(Programs):
    """``Device.execute(circuits, execution_config)``."""

    name = "pennylane"

    def describe(self, run: Run, instance: Any, args: tuple[Any, ...], options: Json) -> None:
        """Fill in device, tapes and shots."""
        tapes = _tapes(self.given(instance, args, options))
        run.backend = _device(instance)
        run.execution |= {
            "type": "backend",
            "circuits": describe_programs(tapes, _program, run.gaps),
            "shots": _shots(tapes, run.gaps),
        }
        if run.execution["shots"] is not None:
            run.gaps.append("PennyLane keeps no seed that could be read back")

    def summarise(self, instance: Any, args: tuple[Any, ...], options: Json) -> Json:
        """Return device, number of tapes and shots of a nested call."""
        tapes = _tapes(self.given(instance, args, options))
        return {"backend": _device(instance)["name"], "circuits": len(tapes), "shots": _shots(tapes, [])}

    def observe(self, job: Any, finish: execution.Finish) -> None:
        """Record what the device returned; the derivatives are part of it where they were asked for."""
        finish_with(finish, job, RESULT)


def _tapes(given: Json) -> list[Any]:
    circuits = given.get("circuits", ())
    return list(circuits) if isinstance(circuits, (list, tuple)) else [circuits]


def _shots(tapes: list[Any], gaps: list[str]) -> int | None:
    found = {tape.shots.total_shots for tape in tapes}
    if len(found) > 1:
        gaps.append("shots differ between circuits")
        return None
    return number(found.pop()) if found else None


def _program(tape: Any) -> Json:
    pytrees = import_module("pennylane.pytrees")
    serialization = import_module("pennylane.data.attributes.serialization")
    leaves, structure = pytrees.flatten(tape)
    unknown: list[str] = []
    numbers = json.dumps([_leaf(leaf, unknown) for leaf in leaves], separators=(",", ":"))
    if unknown:
        raise TypeError(f"no fixed form for {unknown[0]}")
    shape = serialization.pytree_structure_dump(structure, decode=True)
    text = f'{{"leaves":{numbers},"structure":{shape}}}'
    return {
        "program": artefact(text, MEDIA_TYPE),
        "width": len(tape.wires),
        "size": len(tape.operations),
    }


def _leaf(leaf: Any, unknown: list[str]) -> Any:
    """Return a number or an array in full: a later run is made from it."""
    if not hasattr(leaf, "__array__"):
        return plain(leaf, unknown)
    array = import_module("numpy").asarray(leaf)
    return {"dtype": array.dtype.str, "shape": list(array.shape), "values": plain(array.tolist(), unknown)}


def _device(device: Any) -> Json:
    cls = type(device)
    target = getattr(device, "target_device", device)  # a device of the first interface, in its facade
    return {
        "name": str(getattr(device, "name", None) or cls.__qualname__),
        "version": getattr(sys.modules.get(cls.__module__.partition(".")[0]), "__version__", None),
        "type": f"{type(target).__module__}.{type(target).__qualname__}",
        "provider": type(target).__module__.partition(".")[0],
    }
