"""``BaseSamplerV2.run(pubs)``, ``BaseEstimatorV2.run(pubs)`` and their first versions."""

from __future__ import annotations

from typing import Any

from ...run import Json, Run
from ..values import number
from . import details
from .circuits import Circuits
from .inputs import VALUES, Qiskit, Values, describe_backend, given_circuits, is_circuit, options_of, seeds


class Primitives(Qiskit):
    """Everything that derives from Qiskit's primitives.

    Args:
        kind: ``sampler`` or ``estimator``.
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def describe(self, run: Run, instance: Any, args: tuple[Any, ...], options: Json) -> None:
        """Copy circuits, settings and values; the rest is filled in later."""
        parts = [_parts(pub) for pub in given_circuits(args, options)]
        given = [circuit for part in parts for circuit in part[:1]]
        # First versions take observables and values beside the circuits.
        more = [*args[1:], *(options[name] for name in VALUES if options.get(name) is not None)]
        pubs = [part[1:] for part in parts]
        circuits, values = Circuits(given), Values()
        if more or any(pubs):
            values = Values([*(pub for pub in pubs if pub), *more], {"pubs": pubs, "more": more})
        shots = self._shots(instance, parts, options, run.gaps)
        asked, held, worker = dict(options), _seeds_of(instance), _doing_the_work(instance)

        def call(record: Json) -> None:
            record["backend"].update(describe_backend(worker))
            record["execution"] |= {
                "type": self._kind,
                "circuits": circuits.describe(record["gaps"]),
                "parameters": values.describe(record["gaps"]),
                "shots": shots,
                "options": options_of(asked, record["gaps"]),
                "seeds": seeds(asked, held),
            }

        run.later.append(call)
        details.note(run, instance, worker, options, given)

    def summarise(self, instance: Any, args: tuple[Any, ...], options: Json) -> Json:
        """Return backend and number of pubs of a nested call."""
        return {"backend": _behind(instance)["name"], "circuits": len(given_circuits(args, options))}

    def _shots(self, instance: Any, parts: list[list[Any]], options: Json, gaps: list[str]) -> int | None:
        if self._kind == "estimator":
            return None  # estimators are told a precision
        own = {number(part[2]) for part in parts if len(part) > 2 and part[2] is not None}
        asked = options.get("shots") or getattr(instance, "default_shots", None)
        if asked is None:
            asked = getattr(getattr(instance, "options", None), "default_shots", None)
        if not own:
            return number(asked)
        if len(own) == 1 and all(len(part) > 2 for part in parts):
            return own.pop()
        gaps.append("shots differ between pubs")
        return None


def _parts(pub: Any) -> list[Any]:
    """Return circuit, values and the rest of one pub, in whichever of the allowed forms it comes."""
    if is_circuit(pub):
        return [pub]
    if isinstance(pub, (list, tuple)):
        return list(pub)
    fields = ("observables", "parameter_values", "shots", "precision")
    return [pub.circuit, *(getattr(pub, field) for field in fields if hasattr(pub, field))]


def _behind(primitive: Any) -> Json:
    """Return the backend that a primitive runs on; the primitive itself when it simulates."""
    return describe_backend(_doing_the_work(primitive))


def _doing_the_work(primitive: Any) -> Any:
    backend = getattr(primitive, "_backend", None)
    return primitive if backend is None or isinstance(backend, str) else backend


def _seeds_of(primitive: Any) -> Json:
    """Return the seeds that a primitive was made with, wherever its kind keeps them."""
    options = getattr(primitive, "options", None)
    simulator = getattr(options, "simulator", options)  # of the runtime's primitives, in local testing mode
    seed = getattr(primitive, "seed", getattr(primitive, "_seed", None))
    return {"seed": seed, "seed_simulator": getattr(simulator, "seed_simulator", None)}
