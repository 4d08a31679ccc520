"""``BackendV2.run(circuits, **options)``."""

from __future__ import annotations

from typing import Any

from ...run import Json, Run
from ..values import number
from . import details
from .circuits import Circuits
from .inputs import (
    Qiskit,
    Values,
    describe_backend,
    given_circuits,
    options_of,
    seeds,
)


class Backends(Qiskit):
    """Everything that derives from ``BackendV2``."""

    def describe(self, run: Run, instance: Any, args: tuple[Any, ...], options: Json) -> None:
        """Copy circuits, settings and values; the rest is filled in later."""
        given = given_circuits(args, options)
        circuits, values = Circuits(given), Values()
        binds = args[1] if len(args) > 1 else options.get("parameter_binds")
        if binds is not None:
            values = Values(binds, {"binds": binds})
        asked, settings = dict(options), details.held_by(instance)

        def call(record: Json) -> None:
            record["backend"].update(describe_backend(instance))
            record["execution"] |= {
                "type": "backend",
                "circuits": circuits.describe(record["gaps"]),
                "parameters": values.describe(record["gaps"]),
                "shots": number(asked.get("shots", settings.get("shots"))),
                "options": options_of(asked, record["gaps"]),
                "seeds": seeds(asked, settings),
            }

        run.later.append(call)
        details.note(run, instance, instance, options, given)

    def summarise(self, instance: Any, args: tuple[Any, ...], options: Json) -> Json:
        """Return backend, number of circuits and shots of a nested call."""
        shots = options.get("shots", getattr(getattr(instance, "options", None), "shots", None))
        count = len(given_circuits(args, options))
        return {"backend": describe_backend(instance)["name"], "circuits": count, "shots": number(shots)}
