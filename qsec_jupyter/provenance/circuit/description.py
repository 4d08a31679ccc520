"""A circuit's entry in a run record."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, MutableMapping
from typing import Any

from . import artefact, structure
from .artefact import Breathe, _go_on

Json = dict[str, Any]
Keep = Callable[[str, str, bytes], None]

MAX_QPY_INSTRUCTIONS = 100_000
"""Above this a circuit has no artefact: it would be too large to keep."""


def describe(
    circuit: Any,
    *,
    breathe: Breathe = _go_on,
    keep: Keep | None = None,
    known: MutableMapping[Hashable, Json] | None = None,
) -> Json:
    """Return the circuit's entry in a run record.

    Keys: ``structural_hash`` {alg, value}, ``qpy`` {sha256, version, bytes, media_type} or ``None``,
    ``width``, ``depth``, ``size`` (instructions, as ``QuantumCircuit.size`` counts) and ``gaps``.

    Args:
        circuit: A ``QuantumCircuit`` that nobody changes meanwhile.
        breathe: Called often, to let other threads run.
        keep: Given digest, media type and bytes of the artefact.
        known: Artefacts of earlier circuits; one with the same hash and registers stands for this one, too.
    """
    gaps: list[str] = []
    value = structure.digest(circuit, gaps, breathe)
    gaps = list(dict.fromkeys(gaps))
    qpy = None
    name = _name(circuit, value) if known is not None and not gaps else None
    if known is not None and name in known:
        qpy = known[name]
    elif structure.NO_QPY not in gaps:
        qpy = _qpy(circuit, gaps, breathe, keep)
        if known is not None and name is not None and qpy is not None:
            known[name] = qpy
    depth, size = extent(circuit, breathe)
    return {
        "structural_hash": {"alg": structure.ALGORITHM, "value": value},
        "qpy": qpy,
        "width": circuit.width(),
        "depth": depth,
        "size": size,
        "gaps": gaps,
    }


def extent(circuit: Any, breathe: Breathe = _go_on) -> tuple[int, int]:
    """Return depth and size as ``QuantumCircuit.depth()`` and ``size()`` do, in one pass.

    Most instructions are standard gates, which wait for their bits alone and count as one. Circuits with
    conditions, control flow or variables are left to Qiskit.
    """
    levels: dict[Any, int] = {}
    size = 0
    for position, item in enumerate(circuit.data):
        step = 1
        if not (hasattr(item, "is_standard_gate") and item.is_standard_gate()) and item.name != "measure":
            operation = item.operation
            if getattr(operation, "_condition", None) is not None or hasattr(operation, "blocks"):
                return circuit.depth(), circuit.size()
            if item.name == "store":
                return circuit.depth(), circuit.size()
            step = 0 if getattr(operation, "_directive", False) else 1
        bits = (*item.qubits, *item.clbits)
        level = max([levels.get(bit, 0) for bit in bits], default=0) + step
        for bit in bits:
            levels[bit] = level
        size += step
        if position % artefact.PART == artefact.PART - 1:
            breathe()
    return max(levels.values(), default=0), size


def _name(circuit: Any, value: str) -> Hashable:
    """Return what two circuits share that one artefact can stand for; results go by names of registers."""
    registers = tuple((register.name, register.size) for register in (*circuit.qregs, *circuit.cregs))
    return value, registers


def _qpy(circuit: Any, gaps: list[str], breathe: Breathe, keep: Keep | None) -> Json | None:
    """Return the digest of the circuit's QPY, which names this one artefact and is not canonical."""
    if len(circuit.data) > MAX_QPY_INSTRUCTIONS:
        gaps.append(f"no QPY: more than {MAX_QPY_INSTRUCTIONS} instructions")
        return None
    try:
        data = artefact.pack(circuit, breathe)
    except Exception as error:  # noqa: BLE001  # a gate that QPY cannot hold must not spoil the rest
        gaps.append(f"no QPY: {type(error).__name__}")
        return None
    sha256 = hashlib.sha256(data).hexdigest()
    media_type, version = artefact.about(data)
    if keep is not None:
        keep(sha256, media_type, data)
    return {"sha256": sha256, "version": version, "bytes": len(data), "media_type": media_type}
