"""The programs that the sandbox can run, and what each does to a job's parameters."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any


class Unsupported(Exception):
    """What a job asks for is nothing that the sandbox can do.

    Args:
        message: What it is, for the user.
        code: The number of the reason.
    """

    def __init__(self, message: str, code: int = 1518) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Done:
    """What a program gave.

    Attributes:
        result: As the client decodes it.
        circuits: Those that were run.
        shots: How often, all together.
    """

    result: bytes
    circuits: Sequence[Any]
    shots: int
    described: dict[str, Any] = field(default_factory=dict)


def run(order: dict[str, Any], body: bytes) -> Done:
    """Run a job.

    Args:
        order: ``program``, ``device``, ``model``, ``started``, ``calibration``, ``seed``, ``random``; see
            :class:`~..devices.Device`.
        body: The request by which the job was submitted.

    Raises:
        Unsupported: When it cannot be run here.
    """
    from . import estimator, executor, sampler
    from .simulator import simulator

    programs: dict[str, Callable[..., Done]] = {
        "sampler": sampler.run,
        "estimator": estimator.run,
        "executor": executor.run,
    }
    program = programs.get(order["program"])
    if program is None:
        raise Unsupported(f"The sandbox cannot run the program {order['program']}.")
    machine = simulator(
        order["device"], order["model"], order["started"], order["calibration"], bool(order.get("random"))
    )
    done = program(json.loads(body), machine, order.get("seed"))
    _describe(done, machine.rep_delay)
    return done


def _describe(done: Done, rep_delay: float) -> None:
    done.described.update(
        circuits=len(done.circuits),
        qubits=[circuit.num_qubits for circuit in done.circuits[:100]],
        depths=[circuit.depth() for circuit in done.circuits[:100]],
        shots=done.shots,
        rep_delay=rep_delay,
    )
