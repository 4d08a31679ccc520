"""Cirq: every sampler, by ``run_sweep`` and ``run_sweep_async``; each defines at least one of them.

``run``, ``run_batch``, ``sample`` and the others all end there. A program is kept as Cirq's own JSON.
``simulate`` and its kin compute amplitudes instead of sampling and are not recorded.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from .. import execution
from ..run import Run
from .programs import Json, Programs, artefact, describe_programs, finish_with
from .values import VALUES, digest, number

MEDIA_TYPE = "application/vnd.cirq+json"
RESULT = "qsec.dev/result/cirq/v1"


def hook(module: ModuleType) -> None:
    """Hook ``cirq.Sampler``, right after the module that defines it was executed."""
    for method in ("run_sweep", "run_sweep_async"):
        execution.hook(module.Sampler, Samplers(method))


class Samplers(Programs):
    """``Sampler.run_sweep(program, params, repetitions)``."""

    name = "cirq"

    def settle(self, args: tuple[Any, ...], options: Json) -> tuple[Any, ...]:
        """Return the arguments so that a generator of parameters can be read twice."""
        if len(args) > 1 and isinstance(args[1], Iterator):
            return (args[0], list(args[1]), *args[2:])
        if isinstance(options.get("params"), Iterator):
            options["params"] = list(options["params"])
        return args

    def describe(self, run: Run, instance: Any, args: tuple[Any, ...], options: Json) -> None:
        """Fill in sampler, program, parameters and repetitions."""
        given = self.given(instance, args, options)
        run.backend = _sampler(instance)
        run.execution |= {
            "type": "sampler",
            "circuits": describe_programs([given["program"]], _program, run.gaps),
            "parameters": _parameters(given.get("params"), run.gaps),
            "shots": number(given.get("repetitions")),
        }
        if hasattr(instance, "_prng"):
            run.gaps.append("Cirq keeps no seed that could be read back")

    def summarise(self, instance: Any, args: tuple[Any, ...], options: Json) -> Json:
        """Return sampler and repetitions of a nested call."""
        shots = self.given(instance, args, options).get("repetitions")
        return {"backend": _sampler(instance)["name"], "circuits": 1, "shots": number(shots)}

    def observe(self, job: Any, finish: execution.Finish) -> None:
        """Record the measured bits, by key, of each parameter set."""
        finish_with(finish, [result.records for result in job], RESULT)


def _sampler(instance: Any) -> Json:
    cls = type(instance)
    processor = getattr(getattr(instance, "processor", None), "processor_id", None)
    return {
        "name": processor if isinstance(processor, str) else cls.__qualname__,
        "version": getattr(sys.modules.get(cls.__module__.partition(".")[0]), "__version__", None),
        "type": f"{cls.__module__}.{cls.__qualname__}",
        "provider": cls.__module__.partition(".")[0],
    }


def _program(program: Any) -> Json:
    text = sys.modules["cirq"].to_json(program, indent=None)
    return {
        "program": artefact(text, MEDIA_TYPE),
        "width": len(program.all_qubits()),
        "depth": len(program),
        "size": sum(1 for _ in program.all_operations()),
    }


def _parameters(params: Any, gaps: list[str]) -> Json | None:
    """Return the digest of the parameter sets, in the order in which they are run."""
    if params is None:
        return None
    unknown: list[str] = []
    sets = [resolver.param_dict for resolver in sys.modules["cirq"].to_resolvers(params)]
    found = digest(sets, VALUES, unknown)
    if unknown:
        gaps.append(f"parameters hold values that have no fixed form: {', '.join(sorted(set(unknown)))}")
    return found
