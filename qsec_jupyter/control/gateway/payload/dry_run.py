"""A job that is read to see what a vendor would see of it, and is never sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from . import refusals

_NOT_SAID = frozenset({"backend", "device", "session", "private", "shots", "place of results"})
"""Fields that only a job has."""


def body_of(provider: str, circuits: Sequence[str]) -> bytes:
    """Return a job of these circuits.

    Args:
        provider: Whose dialect.
        circuits: For IBM, QPY, compressed, in base64; for Braket, the JSON of a program; for both, OpenQASM.

    Raises:
        Invalid: ``payload.unsupported`` for a provider without a reader; ``payload.malformed``.
    """
    if provider not in _WRITERS:
        raise refusals.unsupported("a job of this provider")
    return json.dumps(_WRITERS[provider](circuits)).encode()


def is_said(name: str) -> bool:
    """Say whether a field has a meaning before there is a job."""
    return name not in _NOT_SAID


def _ibm(circuits: Sequence[str]) -> dict[str, Any]:
    pubs = [
        [circuit if _is_openqasm(circuit) else {"__type__": "QuantumCircuit", "__value__": circuit}]
        for circuit in circuits
    ]
    return {"program_id": "sampler", "params": {"pubs": pubs}}


def _braket(circuits: Sequence[str]) -> dict[str, Any]:
    try:
        programs = [
            {"source": circuit} if _is_openqasm(circuit) else json.loads(circuit) for circuit in circuits
        ]
    except ValueError as error:
        raise refusals.malformed("a program is not JSON") from error
    header = {"name": "braket.ir.openqasm.program_set", "version": "1"}
    return {
        "action": json.dumps({"braketSchemaHeader": header, "programs": programs}),
        "deviceArn": "arn:aws:braket:::device/none",
        "outputS3Bucket": "none",
        "outputS3KeyPrefix": "none",
    }


def _is_openqasm(circuit: str) -> bool:
    return circuit.lstrip().startswith("OPENQASM")


_WRITERS: Mapping[str, Callable[[Sequence[str]], dict[str, Any]]] = {"ibm": _ibm, "braket": _braket}
